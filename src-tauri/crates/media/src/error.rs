//! What can go wrong, in words for the user.

use std::path::PathBuf;

/// A file, codec or option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The file could not be opened, read or written.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    /// The file is not a wav file that we can play; `problem` names the field.
    #[error("{}: not a usable wav file: {problem}", path.display())]
    Wav { path: PathBuf, problem: String },
    /// An option is outside of its range; `option` is its field name.
    #[error("{option}: {problem}")]
    Option { option: &'static str, problem: String },
    /// The codec library refused to start.
    #[error("{codec}: {reason}")]
    Codec { codec: &'static str, reason: String },
    /// A worker thread could not be started or ended badly.
    #[error("audio file thread: {reason}")]
    Thread { reason: String },
}

/// Why a device could not be listed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device answers to this selection, such as an unplugged one.
    #[error("no such {direction} device: {selection}")]
    NotFound { selection: String, direction: crate::Direction },
    /// The selection has no meaning in this direction: a tone is no speaker.
    #[error("{selection} cannot be used for {direction}")]
    WrongDirection { selection: String, direction: crate::Direction },
    /// Another program has the device to itself.
    #[error("{device} is in use by another program")]
    Busy { device: String },
    /// The system does not let us use it.
    #[error("no permission to use {device}")]
    Denied { device: String },
    /// The device offers no sample rate or format that we can use.
    #[error("{device}: unsupported format: {reason}")]
    Format { device: String, reason: String },
    /// The sound system itself does not answer, or failed in a way of its own.
    #[error("sound system: {reason}")]
    Backend { reason: String },
    /// A synthetic source or sink could not be opened.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The same of pictures.
    #[error(transparent)]
    Video(#[from] crate::video::VideoError),
}

/// What happened to a device that had been opened. The source goes on as silence, or with its last picture, and the sink
/// swallows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceFault {
    /// Unplugged, or its sound server went away.
    #[error("the device is gone")]
    Gone,
    /// Its clock stopped: no callback, or no picture, for too long.
    #[error("the device stalled")]
    Stalled,
    /// It failed in a way of its own, such as the file or the disk behind it.
    #[error("{reason}")]
    Failed { reason: String },
}
