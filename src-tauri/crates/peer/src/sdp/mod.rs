//! Session descriptions as JSEP (RFC 9429) uses them: what a far end says, and what we say to it.

mod answer;
mod candidate;
mod formats;
mod lines;
mod offer;
mod remote;
mod section;
mod write;

pub(crate) use answer::{agree, answer};
pub(crate) use candidate::{Candidate, CandidateKind};
pub(crate) use offer::offer;
pub(crate) use remote::{Remote, RemoteTransport, Setup};
pub(crate) use section::MediaSection;
pub(crate) use write::Local;

/// Longest description that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// Most media sections of one.
const SECTIONS: usize = 64;
/// Most candidates of one.
pub(crate) const CANDIDATES: usize = 64;

/// Header extensions (RFC 8285) that mean something to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Extension {
    Mid,
    Rid,
    RepairedRid,
    TransportCc,
    AudioLevel,
    Orientation,
    PlayoutDelay,
}

impl Extension {
    pub(crate) const ALL: [Self; 7] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::TransportCc,
        Self::AudioLevel,
        Self::Orientation,
        Self::PlayoutDelay,
    ];

    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::Orientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        }
    }

    fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.uri() == uri)
    }
}
