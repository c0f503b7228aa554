//! The traits that hardware and synthetic devices share.

mod selection;
mod video;

use std::fmt;

use crate::error::{DeviceError, DeviceFault, MediaError};
use crate::frame::Frame;

pub use selection::{Selection, SelectionError};
pub use video::{OpenedVideo, VideoInfo, VideoKind, VideoSelection, VideoWish};

/// Gives one frame each 10 ms. Called on the audio thread: never blocks, never allocates.
pub trait Source: Send {
    /// Fills `frame`; silence where there is nothing to give.
    fn read(&mut self, frame: &mut Frame) -> Flow;

    /// A fault since the last call, told once.
    fn fault(&mut self) -> Option<DeviceFault> {
        None
    }

    /// It hears a room: there may be an echo to cancel and noise to take down, and lasting digital silence is a fault.
    /// False for files and tones, which are to be heard as they are.
    fn is_microphone(&self) -> bool {
        true
    }
}

/// Takes one frame each 10 ms. Called on the audio thread: never blocks, never allocates.
pub trait Sink: Send {
    /// Takes `frame`. Where there is no room the oldest or the newest samples are lost and counted.
    fn write(&mut self, frame: &Frame);

    /// A fault since the last call, told once.
    fn fault(&mut self) -> Option<DeviceFault> {
        None
    }

    /// Ends the sink and waits until everything taken is where it belongs, such as in a file with a valid
    /// header. May block, so it is called off the audio thread. Frames written later are swallowed.
    fn finish(&mut self) -> Result<(), MediaError> {
        Ok(())
    }
}

/// What a [`Source`] gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A full frame.
    Live,
    /// Nothing, or only a part, was there in time; the rest is silence.
    Starved,
    /// The end of a file that does not loop; only silence follows.
    Ended,
}

/// Which way samples go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A microphone: samples come in.
    Input,
    /// A speaker: samples go out.
    Output,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Output => "output",
        })
    }
}

/// A device as a user sees and picks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stable across restarts and re-plugging, such as `pulse:alsa_output.x`.
    pub id: String,
    /// What to show.
    pub name: String,
    pub direction: Direction,
    /// The one that [`Selection::Default`] opens now.
    pub is_default: bool,
}

/// An open source and what it turned out to be.
pub struct OpenedSource {
    pub source: Box<dyn Source>,
    pub effective: DeviceInfo,
}

/// An open sink and what it turned out to be.
pub struct OpenedSink {
    pub sink: Box<dyn Sink>,
    pub effective: DeviceInfo,
}

impl fmt::Debug for OpenedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedSource").field("effective", &self.effective).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenedSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedSink").field("effective", &self.effective).finish_non_exhaustive()
    }
}

/// Lists and opens devices. Called off the audio thread; may block for as long as the sound system does.
pub trait Devices: Send + Sync {
    /// Every device that can be opened now, in the order to show.
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError>;

    /// Opens `selection` for reading.
    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError>;

    /// Opens `selection` for writing.
    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError>;

    /// Every camera, screen and window that can be opened now, and the bars; in the order to show.
    fn list_video(&self) -> Result<Vec<VideoInfo>, DeviceError> {
        Ok(vec![VideoInfo::bars()])
    }

    /// Opens pictures. [`VideoSelection::Default`] without any camera is an error that says what to do.
    fn open_video(&self, selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
        crate::synthetic::open_video(selection, wish)
    }

    /// Tells all changes from now on, on a thread of its own; nothing where devices never change. Ends with these
    /// devices.
    fn watch(&self, _tell: Box<dyn Fn(DeviceNews) + Send>) {}
}

/// What happened to the devices of a machine. Open sources and sinks have already coped with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceNews {
    /// Devices came, went or changed their default: [`Devices::list`] gives the new state.
    ListChanged,
    /// About what is open in one direction.
    Open {
        direction: Direction,
        /// What happened, in words.
        text: String,
        /// What is in use now; `None` while there is nothing.
        device: Option<DeviceInfo>,
        /// Not what the user wants: lost, missing or replaced.
        trouble: bool,
    },
}
