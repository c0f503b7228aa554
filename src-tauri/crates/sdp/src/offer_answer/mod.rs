//! Offer/answer for one RTP audio stream and, where it is wanted, one video stream (RFC 3264). Media lines that are not
//! these over RTP in one of its profiles, and those after the first usable one of their kind, are answered with port 0 in
//! their place.

mod accept;
mod answer;
mod build;
mod dialogue;
mod formats;
mod ice;
mod local;
mod negotiated;
mod offer;
mod protection;
mod video;

use std::net::IpAddr;

pub use accept::accept;
pub use answer::answer;
pub use dialogue::{Answered, OfferAnswer};
pub use local::{LocalIce, LocalMedia, LocalSecurity, Protection, Sdes};
pub use negotiated::{
    DtlsRole, Endpoint, Negotiated, NegotiatedCodec, NegotiatedEvents, NegotiatedIce, PayloadKind,
    PayloadTypes, Security,
};
pub use offer::offer;
pub use video::{LocalVideo, VideoOutcome};

/// What we say in `o=`; the address is that of [`LocalMedia`]. The session id stays for the whole dialog, the
/// version grows with every change (RFC 3264 section 8), which [`OfferAnswer`] does by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Spaces and line ends become "-"; empty becomes "-".
    pub username: String,
    pub session_id: u64,
    pub version: u64,
}

/// Why no audio stream came about, or no video beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no audio media line with a port")]
    NoAudio,
    #[error("no common audio codec")]
    NoCommonCodec,
    #[error("the audio protocol {0} is not supported")]
    UnsupportedProtocol(String),
    #[error("the audio stream has no c= line")]
    NoAddress,
    #[error("the audio address {0} is not unicast")]
    UnusableAddress(IpAddr),
    #[error("the audio stream was rejected with port 0")]
    Rejected,
    #[error("the answer has {answered} media lines for {offered} offered")]
    MediaLineCount { offered: usize, answered: usize },
    #[error("the answer's media line {0} is of another kind than the offer's")]
    MediaLineKind(usize),
    #[error("there is no offer to answer")]
    NoOffer,
    #[error("encryption is required, and the {0} is plain RTP")]
    Unprotected(&'static str),
    #[error(
        "the SRTP keys came in the SDP (a=crypto) over signalling that is not encrypted, which is not allowed"
    )]
    KeysInTheOpen,
    #[error("no common SRTP suite: {0}")]
    NoCommonSuite(String),
    #[error("the audio protocol {0} needs keys, and there is neither a=crypto nor a=fingerprint")]
    NoKeys(String),
    #[error("the certificate's a=fingerprint is missing or not of sha-256, sha-384 or sha-512")]
    NoFingerprint,
    #[error("a=setup leaves nobody to begin the DTLS handshake")]
    NoDtlsRole,
    #[error("the audio protocol {0} (DTLS-SRTP) is not supported")]
    NoDtls(String),
    #[error("no common video codec")]
    NoCommonVideoCodec,
    #[error("the video was rejected with port 0")]
    VideoRejected,
    #[error("the video protocol {0} is not supported")]
    UnsupportedVideoProtocol(String),
    #[error("the video stream has no c= line")]
    NoVideoAddress,
    #[error("the video address {0} is not unicast")]
    UnusableVideoAddress(IpAddr),
    #[error("the video protocol {0} needs keys, and there is neither a=crypto nor a=fingerprint")]
    NoVideoKeys(String),
}

/// A word of the peer's as far as a refusal repeats it, which may go back to the peer in one datagram.
fn quoted(word: &str) -> String {
    const LONGEST: usize = 40;
    word.chars().take(LONGEST).collect()
}
