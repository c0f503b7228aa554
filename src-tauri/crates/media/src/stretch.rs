//! Makes voice a little shorter or longer without changing its pitch.
//!
//! One pitch period is overlapped with the next one (to shorten) or repeated (to lengthen): the waveform-similarity
//! overlap-add of Verhelst and Roelands (ICASSP 1993) with one search for each step.

/// Periods considered, in milliseconds: 2.5 to 15.
const MIN_LAG_US: usize = 2_500;
const MAX_LAG_MS: usize = 15;
/// Samples are skipped in the coarse search so that about 4000 a second are looked at.
const COARSE_RATE: usize = 4_000;
/// RMS below which any place will do: -60 dBFS.
const QUIET: f32 = 0.001;

/// A place where a signal may be cut or repeated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// Samples.
    pub lag: usize,
    /// How alike the two periods are, to 1.0; quiet signals count as 1.0.
    pub similarity: f32,
}

/// Samples that [`find_period`] needs.
pub fn samples_needed(rate: u32) -> usize {
    2 * max_lag(rate)
}

/// The longest lag that [`find_period`] gives, in samples.
pub fn max_lag(rate: u32) -> usize {
    rate as usize * MAX_LAG_MS / 1_000
}

/// The period at the start of `signal`, which holds at least [`samples_needed`].
pub fn find_period(signal: &[f32], rate: u32) -> Option<Period> {
    let longest = max_lag(rate);
    let signal = signal.get(..2 * longest)?;
    let energy: f32 = signal.iter().map(|s| s * s).sum();
    if energy < QUIET * QUIET * signal.len() as f32 {
        return Some(Period { lag: longest, similarity: 1.0 });
    }
    let shortest = rate as usize * MIN_LAG_US / 1_000_000;
    let coarse = (rate as usize / COARSE_RATE).max(1);
    let first = best(signal, longest, (shortest..=longest).step_by(coarse), coarse);
    let fine = (rate as usize / 16_000).max(1);
    let near = first.lag.saturating_sub(coarse - 1).max(shortest)..=(first.lag + coarse - 1).min(longest);
    Some(best(signal, longest, near, fine))
}

/// Overlaps the first period with the second one, in place: afterwards `signal[lag..]` is the shortened signal.
pub fn shorten(signal: &mut [f32], lag: usize) {
    let (first, second) = signal.split_at_mut(lag);
    for (n, (old, new)) in first.iter().zip(second).enumerate() {
        let weight = (n + 1) as f32 / (lag + 1) as f32;
        *new = old + weight * (*new - old);
    }
}

/// Repeats the period before the middle of `signal`, in place: `signal` is `lag` samples that were played and `lag`
/// that follow; afterwards its first half is to be played, and then the second half as if nothing had happened.
pub fn lengthen(signal: &mut [f32], lag: usize) {
    let (past, future) = signal.split_at_mut(lag);
    for (n, (old, new)) in past.iter_mut().zip(future).enumerate() {
        let weight = (n + 1) as f32 / (lag + 1) as f32;
        *old = *new + weight * (*old - *new);
    }
}

fn best(signal: &[f32], length: usize, lags: impl Iterator<Item = usize>, stride: usize) -> Period {
    let start = &signal[..length];
    let mut best = Period { lag: length, similarity: f32::MIN };
    for lag in lags {
        let (mut product, mut a2, mut b2) = (0.0f32, 1e-9f32, 1e-9f32);
        for (a, b) in start.iter().step_by(stride).zip(signal[lag..lag + length].iter().step_by(stride)) {
            product += a * b;
            a2 += a * a;
            b2 += b * b;
        }
        let similarity = product / (a2 * b2).sqrt();
        if similarity > best.similarity {
            best = Period { lag, similarity };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signal::speech;

    fn steepest(signal: &[f32]) -> f32 {
        signal.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn shortened_and_lengthened_speech_has_no_clicks() {
        for rate in [8_000u32, 16_000, 48_000] {
            let speech = speech(rate, 1.0);
            let allowed = 1.7 * steepest(&speech);
            for start in (0..speech.len() / 2).step_by(997) {
                let signal = &speech[start..start + 4 * max_lag(rate)];
                let lag = find_period(signal, rate).unwrap().lag;
                let mut short = signal.to_vec();
                // The join with what was played before is the first sample.
                shorten(&mut short, lag);
                assert!((short[lag] - signal[0]).abs() <= allowed);
                assert!(steepest(&short[lag..]) <= allowed);
                let middle = 2 * max_lag(rate);
                let mut long = signal[middle - lag..].to_vec();
                lengthen(&mut long[..2 * lag], lag);
                assert!((long[0] - signal[middle - 1]).abs() <= allowed);
                assert!(steepest(&long) <= allowed);
            }
        }
    }

    #[test]
    fn a_steady_tone_is_cut_by_a_whole_period() {
        let tone: Vec<f32> = (0..480).map(|n| (std::f32::consts::TAU * n as f32 / 50.0).sin()).collect();
        let period = find_period(&tone, 8_000).unwrap();
        assert_eq!(period.lag % 50, 0);
        assert!(period.similarity > 0.999);
        let mut short = tone.clone();
        shorten(&mut short, period.lag);
        for (got, want) in short[period.lag..].iter().zip(&tone) {
            assert!((got - want).abs() < 1e-3);
        }
    }

    #[test]
    fn silence_may_be_cut_anywhere_and_too_little_signal_nowhere() {
        assert_eq!(find_period(&[0.0; 240], 8_000), Some(Period { lag: 120, similarity: 1.0 }));
        assert_eq!(find_period(&[0.0; 239], 8_000), None);
    }
}
