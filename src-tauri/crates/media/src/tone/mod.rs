//! Sounds made from sines: test tone, call-progress tones, DTMF of the local pad and in-band, the tune for the held and the
//! tone of a recording.

mod call_progress;
mod dtmf;
mod dtmf_detector;
mod hold;
mod oscillator;
mod recording;

pub use call_progress::{CallProgress, CallProgressTone};
pub use dtmf::DtmfPlayer;
pub use dtmf_detector::DtmfDetector;
pub use hold::HoldTune;
pub use oscillator::{Oscillator, TestTone};
pub use recording::RecordingTone;
