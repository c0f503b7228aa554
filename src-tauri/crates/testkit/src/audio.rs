//! Sound files, something to say, and whether it was heard.

mod correlate;
mod fft;
mod speech;
mod wav;

pub use correlate::{Heard, hear};
pub use speech::{speak_into, speech_like};
pub use wav::Wav;
