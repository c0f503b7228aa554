//! Sound files, something to say, and whether it was heard.

mod acoustics;
mod alignment;
mod correlate;
mod fft;
mod random;
mod speech;
mod stoi;
mod wav;

pub use acoustics::Acoustics;
pub use correlate::{Heard, hear, hear_again};
pub use speech::{speak, speak_into, speech_like};
pub use stoi::stoi;
pub use wav::Wav;
