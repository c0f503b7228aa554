//! Between a device's own rate and 48 kHz, for the few devices that offer no 48 kHz.

use std::f64::consts::PI;

const TAPS: usize = 24;
const PHASES: usize = 160;
const BLOCK: usize = 256;

/// A windowed-sinc converter between two fixed rates. Allocates only when made; its delay is 12 input samples.
pub(crate) struct RateConverter {
    table: Vec<f32>,
    from: u64,
    to: u64,
    /// Where the next output sample lies in `window`: `whole + fraction / to` samples after its start.
    whole: usize,
    fraction: u64,
    window: Vec<f32>,
}

impl RateConverter {
    /// Converts from `from` to `to` samples a second; `None` where they are the same or either is zero.
    pub(crate) fn new(from: u32, to: u32) -> Option<Self> {
        if from == to || from == 0 || to == 0 {
            return None;
        }
        let cutoff = 0.9 * (f64::from(to) / f64::from(from)).min(1.0);
        let mut window = Vec::with_capacity(TAPS + BLOCK);
        window.resize(TAPS, 0.0);
        Some(Self {
            table: table(cutoff),
            from: u64::from(from),
            to: u64::from(to),
            whole: TAPS / 2,
            fraction: 0,
            window,
        })
    }

    /// Input samples that [`Self::process`] must be given to fill `output` samples.
    pub(crate) fn input_for(&self, output: usize) -> usize {
        let ahead = (self.fraction + output.saturating_sub(1) as u64 * self.from) / self.to;
        (self.whole + ahead as usize + 1 + TAPS / 2).saturating_sub(self.window.len())
    }

    /// Converts until `input` is used up or `output` is full; gives the samples consumed and produced.
    pub(crate) fn process(&mut self, input: &[f32], output: &mut [f32]) -> (usize, usize) {
        let (mut consumed, mut produced) = (0, 0);
        loop {
            while produced < output.len() && self.whole + TAPS / 2 < self.window.len() {
                output[produced] = self.interpolate();
                produced += 1;
                self.fraction += self.from;
                self.whole += (self.fraction / self.to) as usize;
                self.fraction %= self.to;
            }
            if produced == output.len() || consumed == input.len() {
                return (consumed, produced);
            }
            let old = (self.whole + 1).saturating_sub(TAPS / 2).min(self.window.len());
            self.window.copy_within(old.., 0);
            self.window.truncate(self.window.len() - old);
            self.whole -= old;
            let wanted = self.input_for(output.len() - produced);
            let take = wanted.min(input.len() - consumed).min((TAPS + BLOCK) - self.window.len());
            self.window.extend_from_slice(&input[consumed..consumed + take]);
            consumed += take;
        }
    }

    fn interpolate(&self) -> f32 {
        let phase = (self.fraction * PHASES as u64 / self.to) as usize;
        let row = &self.table[phase * TAPS..(phase + 1) * TAPS];
        let first = self.whole + 1 - TAPS / 2;
        self.window[first..first + TAPS].iter().zip(row).map(|(sample, tap)| sample * tap).sum()
    }
}

/// Rows of a Hann-windowed sinc, one for each fractional position, each scaled to a gain of one at 0 Hz.
fn table(cutoff: f64) -> Vec<f32> {
    let half = TAPS as f64 / 2.0;
    let mut table = Vec::with_capacity(PHASES * TAPS);
    for phase in 0..PHASES {
        let at = half - 1.0 + phase as f64 / PHASES as f64;
        let row: Vec<f64> = (0..TAPS)
            .map(|tap| {
                let x = tap as f64 - at;
                let window = 0.5 + 0.5 * (PI * (x / half).clamp(-1.0, 1.0)).cos();
                let sinc = if x.abs() < 1e-9 { cutoff } else { (PI * cutoff * x).sin() / (PI * x) };
                sinc * window
            })
            .collect();
        let gain: f64 = row.iter().sum();
        table.extend(row.iter().map(|tap| (tap / gain) as f32));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_frequency_level_and_length() {
        for (from, to) in [(44_100, 48_000), (16_000, 48_000), (48_000, 44_100), (96_000, 48_000)] {
            let mut converter = RateConverter::new(from, to).unwrap();
            let input: Vec<f32> = (0..from)
                .map(|n| (2_000.0 * PI * f64::from(n) / f64::from(from)).sin() as f32 * 0.5)
                .collect();
            let mut output = Vec::new();
            for mut block in input.chunks(441) {
                while !block.is_empty() {
                    let mut out = [0.0; 100];
                    let (consumed, produced) = converter.process(block, &mut out);
                    output.extend_from_slice(&out[..produced]);
                    block = &block[consumed..];
                }
            }
            let expected = to as usize;
            assert!(output.len().abs_diff(expected) < 40, "{from} to {to}: {}", output.len());
            let settled = &output[200..output.len() - 200];
            let crossings = settled.windows(2).filter(|w| w[0] <= 0.0 && w[1] > 0.0).count();
            let periods = settled.len() * 1_000 / expected;
            assert!(crossings.abs_diff(periods) <= 1, "{from} to {to}: {crossings}");
            let rms = (settled.iter().map(|s| s * s).sum::<f32>() / settled.len() as f32).sqrt();
            assert!((rms - 0.3535).abs() < 0.005, "{from} to {to}: {rms}");
        }
    }

    #[test]
    fn the_announced_input_fills_the_output_exactly() {
        let mut converter = RateConverter::new(48_000, 44_100).unwrap();
        let mut out = [0.0; 128];
        for _ in 0..1_000 {
            let input = vec![0.1; converter.input_for(128)];
            assert_eq!(converter.process(&input, &mut out), (input.len(), 128));
        }
    }

    #[test]
    fn equal_rates_need_no_converter() {
        assert!(RateConverter::new(48_000, 48_000).is_none());
    }
}
