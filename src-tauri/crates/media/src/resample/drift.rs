//! A resampler of small variable ratio, for two clocks that run almost alike.

use std::sync::LazyLock;

use super::fir::{between_phases, closed_table};

const TAPS: usize = 16;
const PHASES: usize = 128;
/// Input samples looked at in one go; longer inputs are taken in blocks of this.
const BLOCK: usize = 512;
/// Farthest that the ratio may be from one.
const MAX_DEVIATION: f64 = 0.01;

/// 8 KiB, shared by all instances.
static TABLE: LazyLock<Vec<f32>> = LazyLock::new(|| closed_table(PHASES, TAPS, 0.92, 8.0));

/// Follows a clock that is within one per cent of ours.
///
/// A windowed sinc of 16 taps at 128 fractional positions, linear in between: flat to 18 kHz at 48 kHz, images
/// below -70 dB in the speech band. Delay: 8 samples. [`Self::process`] allocates nothing.
#[derive(Debug, Clone)]
pub struct DriftResampler {
    ratio: f64,
    /// Where the next output sample lies, in samples after the start of `window`.
    position: f64,
    /// The last `TAPS` samples of earlier input, then the block being worked on.
    window: Vec<f32>,
}

/// How far [`DriftResampler::process`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// Input samples taken; the rest is to be given again.
    pub consumed: usize,
    /// Output samples written from the start of the slice.
    pub produced: usize,
}

impl Default for DriftResampler {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftResampler {
    /// Starts at a ratio of one with silence as history.
    pub fn new() -> Self {
        LazyLock::force(&TABLE);
        let mut window = Vec::with_capacity(TAPS + BLOCK);
        window.resize(TAPS, 0.0);
        Self { ratio: 1.0, position: TAPS as f64 / 2.0, window }
    }

    /// Sets how many input samples make one output sample; clamped to 0.99 to 1.01, a NaN counts as 1. More
    /// than one shortens: use it when input arrives too fast. May change at any time without a click.
    pub fn set_ratio(&mut self, ratio: f64) {
        self.ratio = if ratio.is_nan() { 1.0 } else { ratio.clamp(1.0 - MAX_DEVIATION, 1.0 + MAX_DEVIATION) };
    }

    /// The ratio in force.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Input samples that [`Self::process`] must be given to fill `output_len` samples at the current ratio.
    pub fn input_needed(&self, output_len: usize) -> usize {
        if output_len == 0 {
            return 0;
        }
        let last = self.position + (output_len - 1) as f64 * self.ratio;
        (last.floor() as usize + TAPS / 2 + 1).saturating_sub(self.window.len())
    }

    /// Converts until `input` is used up or `output` is full, whichever is first.
    ///
    /// Input that is not yet needed for a full `output` is left alone, so that a caller that reads from a ring
    /// takes out exactly `consumed` samples.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) -> Processed {
        let mut done = Processed { consumed: 0, produced: 0 };
        loop {
            done.produced += self.interpolate(&mut output[done.produced..]);
            if done.produced == output.len() || done.consumed == input.len() {
                return done;
            }
            self.discard_old();
            let wanted = self.input_needed(output.len() - done.produced);
            let take = wanted.min(input.len() - done.consumed).min(TAPS + BLOCK - self.window.len());
            self.window.extend_from_slice(&input[done.consumed..done.consumed + take]);
            done.consumed += take;
        }
    }

    /// Forgets all history; the ratio stays.
    pub fn reset(&mut self) {
        self.window.clear();
        self.window.resize(TAPS, 0.0);
        self.position = TAPS as f64 / 2.0;
    }

    fn interpolate(&mut self, output: &mut [f32]) -> usize {
        let table = &TABLE[..];
        let mut position = self.position;
        let mut produced = 0;
        for sample in output.iter_mut() {
            let whole = position as usize;
            // `whole` lies under tap TAPS/2 - 1.
            let first = whole + 1 - TAPS / 2;
            let Some(history) = self.window.get(first..first + TAPS) else { break };
            *sample = between_phases(history, table, position - whole as f64);
            position += self.ratio;
            produced += 1;
        }
        self.position = position;
        produced
    }

    fn discard_old(&mut self) {
        let first = (self.position as usize + 1 - TAPS / 2).min(self.window.len());
        self.window.copy_within(first.., 0);
        self.window.truncate(self.window.len() - first);
        self.position -= first as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(len: usize, hz: f64) -> Vec<f32> {
        (0..len).map(|n| (std::f64::consts::TAU * hz * n as f64 / 48_000.0).sin() as f32).collect()
    }

    /// Ratio of the tone's energy to that of everything else, in dB, for a tone of `hz` per 48 kHz sample.
    fn purity(signal: &[f32], hz: f64) -> f64 {
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (n, s) in signal.iter().enumerate() {
            let angle = std::f64::consts::TAU * hz * n as f64 / 48_000.0;
            re += f64::from(*s) * angle.cos();
            im += f64::from(*s) * angle.sin();
            energy += f64::from(*s) * f64::from(*s);
        }
        let tone = (re * re + im * im) * 2.0 / signal.len() as f64;
        10.0 * (tone / (energy - tone).max(1e-12)).log10()
    }

    #[test]
    fn a_tone_stays_pure_at_every_ratio() {
        for ratio in [0.99, 0.9998, 1.0, 1.0002, 1.01] {
            let mut resampler = DriftResampler::new();
            resampler.set_ratio(ratio);
            // A whole number of periods of the shifted tone, so that the measure has no leakage.
            let hz = 1000.0 / ratio;
            let input = tone(200_000, hz);
            let mut output = vec![0.0; 96_480];
            let done = resampler.process(&input, &mut output);
            assert_eq!(done.produced, output.len());
            let purity = purity(&output[480..], 1000.0);
            assert!(purity > 65.0, "ratio {ratio}: {purity} dB");
        }
    }

    #[test]
    fn a_full_frame_takes_exactly_the_input_that_was_announced() {
        let mut resampler = DriftResampler::new();
        let input = tone(1000, 440.0);
        let mut output = [0.0; 480];
        let mut total = 0;
        for n in 0..4_000 {
            resampler.set_ratio(if n < 2000 { 1.0002 } else { 0.9998 });
            let needed = resampler.input_needed(output.len());
            let done = resampler.process(&input, &mut output);
            assert_eq!(done, Processed { consumed: needed, produced: 480 });
            total += needed;
        }
        assert!((1_920_000 - 2..=1_920_000 + 10).contains(&total), "{total}");
    }

    #[test]
    fn scarce_input_gives_a_partial_frame_and_nothing_is_lost() {
        let mut whole = DriftResampler::new();
        let mut parts = DriftResampler::new();
        whole.set_ratio(1.003);
        parts.set_ratio(1.003);
        let input = tone(2000, 440.0);
        let mut expected = vec![0.0; 1900];
        assert_eq!(whole.process(&input, &mut expected).produced, 1900);
        let mut got = Vec::new();
        let mut rest = &input[..];
        while got.len() < 1900 {
            let mut output = [0.0; 100];
            let done = parts.process(&rest[..rest.len().min(7)], &mut output);
            rest = &rest[done.consumed..];
            got.extend_from_slice(&output[..done.produced]);
        }
        assert_eq!(got[..1900], expected[..]);
    }

    #[test]
    fn a_wild_ratio_is_clamped() {
        let mut resampler = DriftResampler::new();
        for (set, got) in [(5.0, 1.01), (0.0, 0.99), (f64::NAN, 1.0), (f64::INFINITY, 1.01)] {
            resampler.set_ratio(set);
            assert_eq!(resampler.ratio(), got);
        }
    }
}
