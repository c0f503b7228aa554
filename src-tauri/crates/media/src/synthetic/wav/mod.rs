//! Wav files as source and sink. Disk work is done by a thread behind a bounded ring, never by the audio thread.

mod header;
mod reader;
mod sink;
mod source;
#[cfg(test)]
mod test_file;

pub use reader::{Repeat, WavReader};
pub use sink::WavSink;
pub(crate) use sink::to_i16;
pub use source::WavSource;
