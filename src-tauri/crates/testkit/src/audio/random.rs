//! The same numbers each time.

/// xorshift32 (Marsaglia 2003).
#[derive(Debug, Clone)]
pub(super) struct Random(u32);

impl Random {
    /// Zero, which would give zeros for ever, is replaced.
    pub(super) fn new(seed: u32) -> Self {
        Self(if seed == 0 { 0x5EED } else { seed })
    }

    /// Evenly in 0 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32
    }

    /// Normal, mean 0 and variance 1: the sum of twelve even ones (Irwin and Hall).
    pub(super) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}
