use super::{Camera, Input, Screen};
use clap::ValueEnum;
use sidetone_api::Transport;
use sidetone_media::Selection;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl From<Wire> for Transport {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Udp => Self::Udp,
            Wire::Tcp => Self::Tcp,
            Wire::Tls => Self::Tls,
            Wire::Ws => Self::Ws,
            Wire::Wss => Self::Wss,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Codec {
    #[value(name = "opus")]
    Opus,
    #[value(name = "G722")]
    G722,
    #[value(name = "PCMA")]
    Pcma,
    #[value(name = "PCMU")]
    Pcmu,
}

impl Codec {
    /// As in the settings and in SDP.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VideoCodec {
    #[value(name = "H264")]
    H264,
    #[value(name = "VP8")]
    Vp8,
}

impl VideoCodec {
    /// As in the settings and in SDP.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::H264 => "H264",
            Self::Vp8 => "VP8",
        }
    }
}

pub(super) fn camera(text: &str) -> Result<Camera, String> {
    match text {
        "none" => Ok(Camera::None),
        "screen" => Ok(Camera::Screen),
        _ => match text.parse() {
            Ok(selection) => Ok(Camera::Source(selection)),
            Err(error) => Err(error.to_string()),
        },
    }
}

pub(super) fn input(text: &str) -> Result<Input, String> {
    match text {
        "none" => Ok(Input::None),
        "system" => Ok(Input::System),
        _ => microphone(text).map(Input::Source),
    }
}

pub(super) fn screen(text: &str) -> Result<Screen, String> {
    match text.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(Screen::File(path.into())),
        None if text == "null" => Ok(Screen::Null),
        _ => Err("expected file:Y.y4m or null".into()),
    }
}

/// `1280x720`.
pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| format!("{text:?} is no size; write 1280x720"))
}

/// The beginning of a gateway's addresses, without the last slash.
pub(super) fn gateway(text: &str) -> Result<String, String> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
    match scheme {
        Some(scheme) if text.len() > scheme.len() && !text.contains(['?', '#', ' ']) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("expected http://host:port".into()),
    }
}

pub(super) fn microphone(text: &str) -> Result<Selection, String> {
    match text.parse().map_err(|error: sidetone_media::device::SelectionError| error.to_string())? {
        Selection::Null => Err("null is a speaker; for a microphone say silence".into()),
        selection => Ok(selection),
    }
}

pub(super) fn speaker(text: &str) -> Result<Selection, String> {
    match text.parse().map_err(|error: sidetone_media::device::SelectionError| error.to_string())? {
        Selection::Tone { .. } | Selection::Silence | Selection::LoopedFile(_) | Selection::System => {
            Err(format!("{text} is a microphone; a speaker is default, device:ID, file:Y.wav or null"))
        }
        selection => Ok(selection),
    }
}

#[cfg(test)]
mod tests {
    use super::{Camera, Input, Screen, camera, gateway, input, screen, size};

    #[test]
    fn sources_and_sinks_of_streams_are_read() {
        assert_eq!(camera("none"), Ok(Camera::None));
        assert_eq!(camera("screen"), Ok(Camera::Screen));
        assert!(matches!(camera("bars"), Ok(Camera::Source(_))));
        assert!(camera("webcam").unwrap_err().contains("webcam"));
        assert_eq!(input("system"), Ok(Input::System));
        assert!(input("null").is_err());
        assert_eq!(screen("null"), Ok(Screen::Null));
        assert_eq!(screen("file:a.y4m"), Ok(Screen::File("a.y4m".into())));
        for wrong in ["", "file", "file:", "a.y4m", "screen"] {
            assert!(screen(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_and_gateways_are_read() {
        assert_eq!(size("640x360"), Ok((640, 360)));
        for wrong in ["", "640", "x", "640x", "640x-1", "640x360x2", "99999999999x1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(gateway("http://127.0.0.1:8080/"), Ok("http://127.0.0.1:8080".into()));
        for wrong in ["", "127.0.0.1:8080", "http://", "ftp://x", "http://x/?a"] {
            assert!(gateway(wrong).is_err(), "{wrong}");
        }
    }
}
