//! A sine, by rotation of a unit vector.

use std::f64::consts::TAU;

use crate::device::{Flow, Source};
use crate::frame::{Frame, SAMPLE_RATE};

/// Gives the samples of a sine at 48 kHz; one complex multiplication each.
#[derive(Debug, Clone)]
pub struct Oscillator {
    re: f64,
    im: f64,
    step_re: f64,
    step_im: f64,
}

impl Oscillator {
    /// A sine of `hz`, clamped to 0 to 24 kHz, starting at zero.
    pub fn new(hz: f32) -> Self {
        let nyquist = SAMPLE_RATE as f32 / 2.0;
        let hz = if hz.is_nan() { 0.0 } else { hz.clamp(0.0, nyquist) };
        let (step_im, step_re) = (TAU * f64::from(hz) / f64::from(SAMPLE_RATE)).sin_cos();
        Self { re: 1.0, im: 0.0, step_re, step_im }
    }

    /// The next sample, ±1.
    #[inline]
    pub fn sample(&mut self) -> f32 {
        let sample = self.im as f32;
        let re = self.re * self.step_re - self.im * self.step_im;
        self.im = self.re * self.step_im + self.im * self.step_re;
        self.re = re;
        sample
    }

    /// Takes out the growth of rounding errors; once a frame is plenty.
    pub fn renormalise(&mut self) {
        // One Newton step towards 1/|v|.
        let gain = 1.5 - 0.5 * (self.re * self.re + self.im * self.im);
        self.re *= gain;
        self.im *= gain;
    }
}

/// Level of the test tone, as amplitude: -12 dBFS peak, loud enough to hear and no strain.
const TEST_TONE_AMPLITUDE: f32 = 0.25;

/// An endless sine, for trying a speaker and in place of a microphone.
#[derive(Debug, Clone)]
pub struct TestTone {
    oscillator: Oscillator,
    amplitude: f32,
}

impl TestTone {
    /// A sine of `hz` at -12 dBFS.
    pub fn new(hz: f32) -> Self {
        Self::with_amplitude(hz, TEST_TONE_AMPLITUDE)
    }

    /// A sine of `hz` with peaks at ±`amplitude`.
    pub fn with_amplitude(hz: f32, amplitude: f32) -> Self {
        Self { oscillator: Oscillator::new(hz), amplitude }
    }
}

impl Source for TestTone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        for sample in frame.iter_mut() {
            *sample = self.oscillator.sample() * self.amplitude;
        }
        self.oscillator.renormalise();
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    #[test]
    fn ten_minutes_of_tone_keeps_its_level_and_frequency() {
        let mut tone = TestTone::with_amplitude(440.0, 0.5);
        let mut frame = SILENCE;
        let (mut crossings, mut last) = (0, 0.0f32);
        for _ in 0..600 * 100 {
            tone.read(&mut frame);
            for sample in frame {
                crossings += usize::from(last < 0.0 && sample >= 0.0);
                last = sample;
            }
        }
        let peak = frame.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!((0.49..=0.5001).contains(&peak), "{peak}");
        assert!((600 * 440 - 1..=600 * 440 + 1).contains(&crossings), "{crossings}");
    }
}
