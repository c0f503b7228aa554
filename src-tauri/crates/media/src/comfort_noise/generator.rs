//! Plays comfort noise.

use super::{MAX_ORDER, NoiseShape};

/// White noise through the all-pole lattice filter of a [`NoiseShape`]. A new shape is faded to.
#[derive(Debug, Clone)]
pub struct NoiseGenerator {
    seed: u32,
    reflection: [f32; MAX_ORDER],
    order: usize,
    backward: [f32; MAX_ORDER + 1],
    gain: f32,
    target_gain: f32,
}

/// Part of the way to a new gain that one sample goes: about 10 ms at 8 kHz.
const SMOOTHING: f32 = 1.0 / 80.0;

impl Default for NoiseGenerator {
    fn default() -> Self {
        Self {
            seed: 0x2545_F491,
            reflection: [0.0; MAX_ORDER],
            order: 0,
            backward: [0.0; MAX_ORDER + 1],
            gain: 0.0,
            target_gain: 0.0,
        }
    }
}

impl NoiseGenerator {
    /// Takes a new shape.
    pub fn set(&mut self, shape: &NoiseShape) {
        self.reflection = shape.reflection;
        self.order = shape.order;
        // The filter raises the power of white noise by the product of 1 / (1 - k²).
        let loss: f32 = shape.reflection[..shape.order].iter().map(|k| 1.0 - k * k).product();
        // Uniform noise of ±1 has an RMS of 1/sqrt(3).
        self.target_gain = shape.rms() * loss.max(0.0).sqrt() * 3f32.sqrt();
    }

    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [f32]) {
        for sample in out {
            self.gain += (self.target_gain - self.gain) * SMOOTHING;
            let mut forward = self.white() * self.gain;
            for m in (0..self.order).rev() {
                forward -= self.reflection[m] * self.backward[m];
                self.backward[m + 1] = self.backward[m] + self.reflection[m] * forward;
            }
            self.backward[0] = forward;
            *sample = forward.clamp(-1.0, 1.0);
        }
        if !self.backward.iter().all(|b| b.abs() < 1e6) {
            self.backward = [0.0; MAX_ORDER + 1];
        }
    }

    /// Starts from silence again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Uniform, ±1; xorshift (Marsaglia 2003).
    fn white(&mut self) -> f32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed as i32 as f32 / 2_147_483_648.0
    }
}
