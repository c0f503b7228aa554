//! The one unit of audio: 10 ms of 48 kHz mono samples.

use std::time::Duration;

/// Samples a second of every frame.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in one frame.
pub const FRAME_LEN: usize = 480;

/// Media time that one frame covers.
pub const FRAME_DURATION: Duration = Duration::from_millis(10);

/// 10 ms of mono audio at [`SAMPLE_RATE`]; full scale is ±1.0. A value beyond that is legal between stages and
/// is limited where it leaves the program.
pub type Frame = [f32; FRAME_LEN];

/// A frame of digital silence.
pub const SILENCE: Frame = [0.0; FRAME_LEN];
