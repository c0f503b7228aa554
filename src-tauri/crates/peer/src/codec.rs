use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Audio,
    Video,
}

/// What a peer can be asked to negotiate. Which of them we can encode and decode is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    Opus,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// With packetization-mode 1 (RFC 6184), of any profile.
    H264,
    Vp8,
    /// Of any profile.
    Vp9,
}

impl Codec {
    pub const ALL: [Self; 6] = [Self::Opus, Self::Pcmu, Self::Pcma, Self::H264, Self::Vp8, Self::Vp9];

    /// As SDP spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::H264 => "H264",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Opus | Self::Pcmu | Self::Pcma => Kind::Audio,
            Self::H264 | Self::Vp8 | Self::Vp9 => Kind::Video,
        }
    }

    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma => 8_000,
            Self::H264 | Self::Vp8 | Self::Vp9 => 90_000,
        }
    }

    /// 0 where SDP does not say: video.
    pub fn channels(self) -> u8 {
        match self {
            Self::Opus => 2,
            Self::Pcmu | Self::Pcma => 1,
            Self::H264 | Self::Vp8 | Self::Vp9 => 0,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }
}

/// A codec as it was negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecParameters {
    pub codec: Codec,
    pub payload_type: u8,
    /// The format parameters of the session description, empty where there are none.
    pub fmtp: String,
    /// The payload type of its retransmissions (RFC 4588), where there are any.
    pub rtx: Option<u8>,
    pub feedback: Feedback,
}

/// What may be sent back about a stream (RFC 4585, RFC 5104, transport-wide congestion control).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feedback {
    pub nack: bool,
    pub pli: bool,
    pub fir: bool,
    pub transport_cc: bool,
    pub remb: bool,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
