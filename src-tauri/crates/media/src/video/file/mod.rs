//! Pictures in files: images, snapshots, and videos as sources.

mod avc;
mod image;
mod ivf;
mod mp4;
mod source;
mod still;
#[cfg(test)]
mod tests;
mod webm;
mod y4m;

use std::io;
use std::path::Path;
use std::time::Duration;

use super::codec::VideoCodec;
use super::error::VideoError;
use super::picture::{FramePool, Picture};

pub use image::{decode_image, decode_jpeg, encode_png, open_image, save_png};
pub use ivf::{IvfReader, IvfWriter};
pub use mp4::Mp4Reader;
pub use source::VideoFile;
pub use still::Still;
pub use webm::WebmReader;
pub use y4m::{Y4mReader, Y4mWriter};

/// What a file has next, with its time since the first.
#[derive(Debug)]
pub enum FileFrame {
    Picture(Duration, Picture),
    Encoded(Duration, VideoCodec, Vec<u8>),
}

/// Reads a video file from its start to its end.
pub trait Demux: Send {
    /// `None` at the end. `pool` is where pictures that are not encoded go.
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<FileFrame>, VideoError>;

    /// Begins again.
    fn rewind(&mut self) -> Result<(), VideoError>;
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> VideoError {
    let path = path.to_owned();
    move |error| VideoError::File { path: path.clone(), reason: error.to_string() }
}
