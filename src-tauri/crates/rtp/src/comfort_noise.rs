//! Comfort noise payload (RFC 3389 section 3).

use crate::error::Error;

/// Level and spectrum of background noise; borrows from the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComfortNoise<'a> {
    /// -dBov, 0 (loudest) to 127.
    pub level: u8,
    /// Quantised reflection coefficients, one byte each.
    pub coefficients: &'a [u8],
}

impl<'a> ComfortNoise<'a> {
    /// The unused top bit of the level is ignored.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        match payload {
            [level, coefficients @ ..] => Ok(Self { level: level & 0x7f, coefficients }),
            [] => Err(Error::TooShort { field: "comfort noise level", needed: 1, available: 0 }),
        }
    }

    /// Appends the payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.level.min(127));
        out.extend_from_slice(self.coefficients);
    }

    /// The reflection coefficients, each between -1 and 1 (RFC 3389 section 3.2).
    pub fn reflection(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.coefficients.iter().map(|byte| 258.0 * (f32::from(*byte) - 127.0) / 32_768.0)
    }
}

/// The byte of one reflection coefficient.
pub fn quantise(coefficient: f32) -> u8 {
    (coefficient * 32_768.0 / 258.0 + 127.0).round().clamp(0.0, 254.0) as u8
}
