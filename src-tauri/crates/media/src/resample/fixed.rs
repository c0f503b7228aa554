//! Conversion between two fixed rates by a polyphase FIR filter.

use super::fir::{between_phases, closed_table, dot, interpolation_table};
use crate::error::MediaError;

/// Lowest and highest rate that a file or device may have, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// Most phases of an exact filter, enough for 22.05 and 44.1 kHz. Other ratios interpolate between [`COARSE_PHASES`].
const MAX_PHASES: usize = 320;
const COARSE_PHASES: usize = 128;
/// Taps over the slower of the two rates: a transition band of 0.12 of that rate, centred on its Nyquist
/// frequency, at 60 dB of stop-band loss (Kaiser's formula).
const BASE_TAPS: usize = 32;
/// The same for telephone speech, whose upper half-octave is empty: 3.4 kHz passes, 4.6 kHz does not.
const NARROWBAND_TAPS: usize = 24;
const KAISER_BETA: f64 = 5.65;
/// Input samples worked on in one go.
const BLOCK: usize = 480;

/// Converts mono samples from one rate to another.
///
/// A block of 10 ms gives exactly 10 ms for all rates that are multiples of 100 Hz. Delay: half the filter, 1.5 ms
/// between 8 and 48 kHz. No allocation after [`Self::new`], given room in the output.
#[derive(Debug, Clone)]
pub struct Resampler {
    /// Output samples for each `step` input samples; the ratio in its lowest terms.
    phases: usize,
    step: usize,
    /// Rows of `table`: `phases`, or [`COARSE_PHASES`] and one.
    exact: bool,
    taps: usize,
    table: Vec<f32>,
    /// `taps - 1` samples of earlier input, then the block being worked on.
    window: Vec<f32>,
    position: usize,
    phase: usize,
}

impl Resampler {
    /// Designs the filter. Both rates are 4 000 to 384 000 Hz.
    pub fn new(from: u32, to: u32) -> Result<Self, MediaError> {
        for (option, rate) in [("from", from), ("to", to)] {
            if !RATES.contains(&rate) {
                let problem = format!("a sample rate of {rate} Hz is not within 4000 to 384000");
                return Err(MediaError::Option { option, problem });
            }
        }
        let common = gcd(from, to);
        let (step, phases) = ((from / common) as usize, (to / common) as usize);
        let slower = f64::from(to.min(from)) / f64::from(from);
        let base = if from.min(to) == 8_000 { NARROWBAND_TAPS } else { BASE_TAPS };
        let taps = ((base as f64 / slower).ceil() as usize).next_multiple_of(8);
        let exact = phases <= MAX_PHASES;
        let table = match (from == to, exact) {
            (true, _) => Vec::new(),
            (false, true) => interpolation_table(phases, taps, slower, KAISER_BETA),
            (false, false) => closed_table(COARSE_PHASES, taps, slower, KAISER_BETA),
        };
        let mut window = Vec::with_capacity(taps - 1 + BLOCK);
        window.resize(taps - 1, 0.0);
        Ok(Self { phases, step, exact, taps, table, window, position: 0, phase: 0 })
    }

    /// Appends the conversion of `input` to `output`.
    pub fn process(&mut self, input: &[f32], output: &mut Vec<f32>) {
        if self.table.is_empty() {
            output.extend_from_slice(input);
            return;
        }
        // Dividing for each sample would cost more than the filter.
        let (whole, part) = (self.step / self.phases, self.step % self.phases);
        for block in input.chunks(BLOCK) {
            self.window.extend_from_slice(block);
            while let Some(history) = self.window.get(self.position..self.position + self.taps) {
                output.push(if self.exact {
                    let row = self.phase * self.taps;
                    dot(history, &self.table[row..row + self.taps])
                } else {
                    between_phases(history, &self.table, self.phase as f64 / self.phases as f64)
                });
                self.position += whole;
                self.phase += part;
                if self.phase >= self.phases {
                    self.phase -= self.phases;
                    self.position += 1;
                }
            }
            let used = self.position.min(self.window.len() - (self.taps - 1));
            self.window.copy_within(used.., 0);
            self.window.truncate(self.window.len() - used);
            self.position -= used;
        }
    }

    /// Most output samples that `input_len` samples can give.
    pub fn max_output(&self, input_len: usize) -> usize {
        input_len * self.phases / self.step + 1
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.window.clear();
        self.window.resize(self.taps - 1, 0.0);
        self.position = 0;
        self.phase = 0;
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests;
