//! Sounds made from sines: test tone, call-progress tones, DTMF of the local pad.

mod call_progress;
mod dtmf;
mod oscillator;

pub use call_progress::{CallProgress, CallProgressTone};
pub use dtmf::DtmfPlayer;
pub use oscillator::{Oscillator, TestTone};
