//! What can go wrong with pictures, in words for the user.

use std::path::PathBuf;

/// A picture, bitstream, file or option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// Width or height is 0 or above [`crate::video::picture::MAX_SIDE`].
    #[error("size: {width}x{height} is not between 1x1 and 4096x4096")]
    Size { width: u32, height: u32 },
    /// Pixel data does not fit to its size; `field` names the plane or stride.
    #[error("{field}: {problem}")]
    Pixels { field: &'static str, problem: String },
    /// Every picture of the pool is in use: whoever holds them is too slow, and this one is to be dropped.
    #[error("all {limit} pictures of the pool are in use")]
    PoolEmpty { limit: usize },
    /// An option is outside of its range; `option` is its field name.
    #[error("{option}: {problem}")]
    Option { option: &'static str, problem: String },
    /// This build cannot encode or decode the codec.
    #[error("{codec} is not available: {reason}")]
    Absent { codec: &'static str, reason: &'static str },
    /// The codec library failed.
    #[error("{codec}: {reason}")]
    Codec { codec: &'static str, reason: String },
    /// The bitstream is damaged, of a kind that we do not decode, or too large.
    #[error("{codec}: unusable bitstream: {problem}")]
    Bitstream { codec: &'static str, problem: String },
    /// A delta frame came where a key frame is needed.
    #[error("{codec}: a key frame is needed first")]
    KeyFrameNeeded { codec: &'static str },
    /// The file could not be opened, read or written.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// The file is not of its format; `problem` names the field.
    #[error("not a usable {format} file: {problem}")]
    Format { format: &'static str, problem: String },
    /// A camera, screen or other source failed.
    #[error("{source_name}: {reason}")]
    Source { source_name: String, reason: String },
}
