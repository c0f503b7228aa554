//! The lock-free way between a device's callback and the audio thread.
//!
//! One ring of mono 48 kHz samples each way. Both ends only move samples: no allocation, lock or log.

#[cfg(test)]
mod apart;
mod capture;
mod health;
mod playback;
mod rate;
mod steer;

pub(crate) use capture::{CaptureReader, CaptureWriter, capture_ring};
pub(crate) use health::Health;
pub(crate) use playback::{PlaybackReader, PlaybackWriter, playback_ring};
pub(crate) use rate::RateConverter;

/// Samples that a ring holds: 500 ms, so that the largest block a device may ask for fits.
const CAPACITY: usize = 24_000;
/// More than this above the wanted level is thrown away at once instead of being worn off: 80 ms.
const EXCESS: usize = 3_840;
