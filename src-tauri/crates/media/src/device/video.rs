//! Where pictures come from, as a user picks it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::SelectionError;
use crate::video::{Size, VideoSource};

/// A choice of pictures.
///
/// Text forms: `default`, `device:ID`, `screen`, `screen:ID`, `window:ID`, `image:PATH`, `file:PATH`, `bars`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VideoSelection {
    /// The camera that the system would choose.
    Default,
    /// The camera with this id.
    Device(String),
    /// The screen with this id; the main one where it is empty.
    Screen(String),
    Window(String),
    /// A picture that stands still.
    Image(PathBuf),
    /// A film, played again and again.
    File(PathBuf),
    /// Colour bars with a clock.
    Bars,
}

impl VideoSelection {
    /// True for what needs no hardware and no permission.
    pub fn is_synthetic(&self) -> bool {
        matches!(self, Self::Image(_) | Self::File(_) | Self::Bars)
    }

    /// It may give no new picture for long, and be well.
    pub fn is_still(&self) -> bool {
        matches!(self, Self::Image(_) | Self::Screen(_) | Self::Window(_))
    }
}

impl fmt::Display for VideoSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Device(id) => write!(f, "device:{id}"),
            Self::Screen(id) if id.is_empty() => f.write_str("screen"),
            Self::Screen(id) => write!(f, "screen:{id}"),
            Self::Window(id) => write!(f, "window:{id}"),
            Self::Image(path) => write!(f, "image:{}", path.display()),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Bars => f.write_str("bars"),
        }
    }
}

impl FromStr for VideoSelection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        let known = ["device", "screen", "window", "image", "file"].into_iter().find(|known| *known == kind);
        match (kind, known, rest) {
            ("default", _, None) => Ok(Self::Default),
            ("bars", _, None) => Ok(Self::Bars),
            ("screen", _, None) => Ok(Self::Screen(String::new())),
            (_, Some(kind), None | Some("")) => Err(SelectionError::Empty(kind)),
            ("device", _, Some(id)) => Ok(Self::Device(id.to_owned())),
            ("screen", _, Some(id)) => Ok(Self::Screen(id.to_owned())),
            ("window", _, Some(id)) => Ok(Self::Window(id.to_owned())),
            ("image", _, Some(path)) => Ok(Self::Image(path.into())),
            ("file", _, Some(path)) => Ok(Self::File(path.into())),
            _ => Err(SelectionError::UnknownVideo(text.to_owned())),
        }
    }
}

/// What its user would like; a camera gives the nearest that it has, a film its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoWish {
    pub size: Size,
    /// 1 to 120.
    pub frames_per_second: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoKind {
    Camera,
    Screen,
    Window,
    /// Made here.
    Synthetic,
}

/// Something that can be opened, as a user sees and picks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoInfo {
    pub selection: VideoSelection,
    pub name: String,
    pub kind: VideoKind,
}

impl VideoInfo {
    /// The bars that every machine has.
    pub fn bars() -> Self {
        Self {
            selection: VideoSelection::Bars,
            name: "Test bars with a clock".into(),
            kind: VideoKind::Synthetic,
        }
    }
}

/// Open pictures and what they turned out to be.
pub struct OpenedVideo {
    pub source: Box<dyn VideoSource>,
    /// Such as the name of a camera.
    pub name: String,
}

impl fmt::Debug for OpenedVideo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedVideo").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_form_reads_back_the_same() {
        for text in [
            "default",
            "device:a b:c",
            "screen:0",
            "screen",
            "window:77",
            "image:/a b.png",
            "file:x.mp4",
            "bars",
        ] {
            assert_eq!(text.parse::<VideoSelection>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bad_text_is_named_in_the_error() {
        for text in ["", "webcam", "bars:1", "default:", "device:", "screen:", "image", "http://x"] {
            let error = text.parse::<VideoSelection>().unwrap_err().to_string();
            assert!(!error.is_empty(), "{text}");
        }
        assert!("webcam".parse::<VideoSelection>().unwrap_err().to_string().contains("webcam"));
    }
}
