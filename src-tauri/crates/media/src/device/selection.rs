//! What a user picked, as text and as a value.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Frequency of `tone` without a number, in Hz.
const DEFAULT_TONE_HZ: f32 = 440.0;

/// A choice of source or sink.
///
/// Text forms: `default`, `device:ID`, `file:X.wav` (a source plays it once), `loop:X.wav` (again and again),
/// `tone`, `tone:440`, `silence`, `null`, `system` (a source: what this machine plays).
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// Whatever the system's default is, also when that changes.
    Default,
    /// The device with this [`crate::DeviceInfo::id`].
    Device(String),
    /// A wav file to play once or to write.
    File(PathBuf),
    /// A wav file to play again and again.
    LoopedFile(PathBuf),
    /// A sine of this frequency.
    Tone { hz: f32 },
    /// Digital silence.
    Silence,
    /// A sink that swallows.
    Null,
    /// What this machine plays, from whatever its default speaker is.
    System,
}

impl Selection {
    /// True for what [`crate::Synthetic`] opens without any hardware.
    pub fn is_synthetic(&self) -> bool {
        !matches!(self, Self::Default | Self::Device(_) | Self::System)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Device(id) => write!(f, "device:{id}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::LoopedFile(path) => write!(f, "loop:{}", path.display()),
            Self::Tone { hz } => write!(f, "tone:{hz}"),
            Self::Silence => f.write_str("silence"),
            Self::Null => f.write_str("null"),
            Self::System => f.write_str("system"),
        }
    }
}

/// A text that is no [`Selection`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error(
        "unknown device {0:?}: expected default, device:ID, file:PATH, loop:PATH, tone, tone:HZ, silence, null or system"
    )]
    Unknown(String),
    #[error(
        "unknown pictures {0:?}: expected default, device:ID, screen:ID, window:ID, image:PATH, file:PATH or bars"
    )]
    UnknownVideo(String),
    #[error("{0}: nothing follows the colon")]
    Empty(&'static str),
    #[error("tone:{0}: expected a frequency of 20 to 20000 Hz")]
    Frequency(String),
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((kind, rest)) = text.split_once(':') else {
            return match text {
                "default" => Ok(Self::Default),
                "tone" => Ok(Self::Tone { hz: DEFAULT_TONE_HZ }),
                "silence" => Ok(Self::Silence),
                "null" => Ok(Self::Null),
                "system" => Ok(Self::System),
                "device" => Err(SelectionError::Empty("device")),
                "file" => Err(SelectionError::Empty("file")),
                "loop" => Err(SelectionError::Empty("loop")),
                _ => Err(SelectionError::Unknown(text.to_owned())),
            };
        };
        let kind = match kind {
            "device" => "device",
            "file" => "file",
            "loop" => "loop",
            "tone" => "tone",
            _ => return Err(SelectionError::Unknown(text.to_owned())),
        };
        if rest.is_empty() {
            return Err(SelectionError::Empty(kind));
        }
        match kind {
            "device" => Ok(Self::Device(rest.to_owned())),
            "file" => Ok(Self::File(PathBuf::from(rest))),
            "loop" => Ok(Self::LoopedFile(PathBuf::from(rest))),
            _ => match rest.parse::<f32>() {
                Ok(hz) if (20.0..=20_000.0).contains(&hz) => Ok(Self::Tone { hz }),
                _ => Err(SelectionError::Frequency(rest.to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_form_reads_back_the_same() {
        for text in [
            "default",
            "device:pulse:a.b:c",
            "file:a b.wav",
            "loop:/x.wav",
            "tone:440",
            "silence",
            "null",
            "system",
        ] {
            let selection: Selection = text.parse().unwrap();
            assert_eq!(selection.to_string(), text);
        }
        assert_eq!("tone".parse(), Ok(Selection::Tone { hz: 440.0 }));
        assert_eq!(r"file:C:\a.wav".parse(), Ok(Selection::File(PathBuf::from(r"C:\a.wav"))));
    }

    #[test]
    fn a_bad_text_is_named_in_the_error() {
        for text in
            ["", "speaker", "tone:", "tone:0", "tone:NaN", "tone:inf", "tone:1e9", "file:", "file", "x:y"]
        {
            let error = text.parse::<Selection>().unwrap_err().to_string();
            assert!(!error.is_empty(), "{text}");
        }
        assert!("tone:0".parse::<Selection>().unwrap_err().to_string().contains("tone:0"));
    }
}
