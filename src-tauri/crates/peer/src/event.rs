use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::{CodecParameters, IceTransport, Kind, Received};

/// A track of one peer; numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u32);

/// Of a media section, as we see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Send,
    Receive,
    Both,
    Inactive,
}

/// A media section that is to be offered, or what an offer's sections of that kind may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub kind: Kind,
    pub direction: Direction,
    /// In order of preference; empty: all of the configuration.
    pub codecs: Vec<crate::Codec>,
    /// Restriction identifiers (RFC 8851) of the layers that we would send, best last; empty: one layer.
    pub layers: Vec<String>,
}

/// What is to be offered, or what an offer may become: sections of other kinds are declined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub media: Vec<Media>,
    /// The stream's name in `msid` (RFC 8830), one for sound and picture; empty: made from the seed.
    pub stream: String,
}

impl Wanted {
    /// Sound and picture, both in this direction, of every codec of the configuration.
    pub fn both(direction: Direction) -> Self {
        Self {
            media: vec![Media::new(Kind::Audio, direction), Media::new(Kind::Video, direction)],
            stream: String::new(),
        }
    }
}

impl Media {
    pub fn new(kind: Kind, direction: Direction) -> Self {
        Self { kind, direction, codecs: Vec::new(), layers: Vec::new() }
    }
}

/// A stream that arrives: announced with its first packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivingTrack {
    pub id: TrackId,
    pub mid: String,
    pub kind: Kind,
    /// The layer, where the far end sends several.
    pub rid: Option<String>,
    /// Of the first packet.
    pub codec: CodecParameters,
}

/// A stream that we may send: known from the negotiation on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingTrack {
    pub id: TrackId,
    pub mid: String,
    pub kind: Kind,
    pub rid: Option<String>,
    pub ssrc: u32,
    /// That the far end takes, in its order of preference.
    pub codecs: Vec<CodecParameters>,
}

/// A datagram to send, or with another [`IceTransport`] than UDP a message for the stream to a TURN server: whoever opens
/// no connection for it tells that by [`Peer::lose_stream`](crate::Peer::lose_stream).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Of ours, to choose the socket.
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub transport: IceTransport,
    pub data: Bytes,
}

/// The sender's clock at a moment of the media (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderClock {
    /// Seconds since 1900 in units of 2^-32 s.
    pub ntp: u64,
    pub timestamp: u32,
}

#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Connectivity is being established, for the first time or again.
    Connecting,
    /// Media can flow.
    Connected,
    /// The way that packets take; there may be a better one later, and after an ICE restart there is.
    Path {
        local: SocketAddr,
        remote: SocketAddr,
    },
    /// It has ended, by itself or by the far end. Nothing comes after it.
    Disconnected(DisconnectReason),
    /// A candidate (RFC 8839, without `a=`) that the far end should hear of, with the section it belongs to.
    LocalCandidate {
        mid: String,
        candidate: String,
    },
    /// There will be no more of them.
    GatheringDone,
    /// A STUN or TURN server is of no use, or not any more. The peer goes on with what other candidates there are.
    ServerFailed {
        /// As [`crate::IceServer::url`].
        url: String,
        /// In words.
        reason: String,
    },
    /// A stream has begun to arrive.
    Track(ReceivingTrack),
    Rtp(Received),
    /// Sender reports of an arriving stream tell its clock: with them sound and picture are put together.
    SenderClock {
        track: TrackId,
        clock: SenderClock,
    },
    /// The far end cannot go on without a key frame of what we send.
    KeyFrameRequested {
        track: TrackId,
    },
    /// What waited for the path to have room was thrown away: what follows had better begin with a key frame.
    Behind {
        track: TrackId,
    },
    /// Packets were lost for good: the pictures until the next key frame are damaged. It has been asked for.
    Lost {
        track: TrackId,
        packets: u32,
    },
    /// The far end said goodbye to a stream (RTCP BYE).
    Ended {
        track: TrackId,
    },
    /// What the path to the far end carries, in bits per second, retransmissions included. Told when it changes by more
    /// than a twentieth.
    Estimate {
        bps: u64,
    },
}

/// In the words of the contract, see [`fmt::Display`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// No pair of candidates works.
    Ice,
    /// Nothing came before the time was up.
    IceTimeout,
    /// Nothing comes any more.
    KeepAlive,
    /// The far end's certificate is not the one of its session description.
    DtlsFingerprint,
    Dtls,
    /// By the far end, in order.
    Closed,
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ice => "Failed by ICE error",
            Self::IceTimeout => "Failed by ICE timeout",
            Self::KeepAlive => "Failed by ICE keep alive",
            Self::DtlsFingerprint => "Failed by DTLS fingerprint error",
            Self::Dtls => "Failed by DTLS error",
            Self::Closed => "Stopped by session disconnect",
        })
    }
}

impl Direction {
    pub fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Both)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::Receive | Self::Both)
    }

    pub(crate) fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::Both,
            (true, false) => Self::Send,
            (false, true) => Self::Receive,
            (false, false) => Self::Inactive,
        }
    }
}
