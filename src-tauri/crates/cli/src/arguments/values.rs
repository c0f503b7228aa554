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
