//! What flows through the router.

use bytes::Bytes;
use sidetone_peer::Extensions;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// The media of one RTP packet as its publisher sent it, shared by all that it goes to. Its payload is never looked into by the
/// router: what has to be known of it is said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) kind: Kind,
    /// Of simulcast, 0 is the smallest; 0 where there is one alone.
    pub(crate) layer: u8,
    pub(crate) sequence: u16,
    /// RTP units of its kind's clock.
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// A key frame begins here.
    pub(crate) key: bool,
    /// What of its header extensions is worth forwarding.
    pub(crate) extensions: Extensions,
    pub(crate) payload: Bytes,
}

/// True where `a` is newer than `b` in a circle of 2^16 (RFC 1982).
pub(crate) fn is_newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

/// The same of 2^32.
pub(crate) fn is_later(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000_0000
}

/// A sender's clock at a moment of its media, as sender reports tell it (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Seconds since 1900 in units of 2^-32 s.
    pub(crate) ntp: u64,
    pub(crate) timestamp: u32,
}

impl Clock {
    /// For timestamps that are larger by `offset`.
    pub(crate) fn shifted(self, offset: u32) -> Self {
        Self { timestamp: self.timestamp.wrapping_add(offset), ..self }
    }
}
