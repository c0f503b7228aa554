//! Offer/answer for one RTP audio stream (RFC 3264). Media lines that are not audio over RTP/AVP or RTP/AVPF, and
//! audio lines after the first usable one, are answered with port 0 in their place.

mod accept;
mod answer;
mod build;
mod dialogue;
mod formats;
mod negotiated;
mod offer;

use std::net::IpAddr;

use crate::attribute::Direction;
use crate::capability::Capability;

pub use accept::accept;
pub use answer::answer;
pub use dialogue::OfferAnswer;
pub use negotiated::{Endpoint, Negotiated, NegotiatedCodec, NegotiatedEvents, PayloadKind, PayloadTypes};
pub use offer::offer;

/// What we can do and where we receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address that the peer sends to; never the unspecified address, which means hold.
    pub address: IpAddr,
    pub rtp_port: u16,
    /// None: `rtp_port` + 1, which is not written (RFC 3605).
    pub rtcp_port: Option<u16>,
    /// Offer, or agree to, RTP and RTCP on one port (RFC 5761).
    pub rtcp_mux: bool,
    /// In order of preference.
    pub codecs: Vec<Capability>,
    /// telephone-event 0-15 at 8000 Hz, and at the clock of every other codec offered (RFC 4733).
    pub dtmf: bool,
    /// CN at 8000 Hz, payload type 13 (RFC 3389).
    pub comfort_noise: bool,
    /// Milliseconds per packet that we like to receive.
    pub ptime: Option<u32>,
    /// SendOnly or Inactive to hold the peer.
    pub direction: Direction,
}

/// What we say in `o=`; the address is that of [`LocalMedia`]. The session id stays for the whole dialog, the
/// version grows with every change (RFC 3264 section 8), which [`OfferAnswer`] does by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Spaces and line ends become "-"; empty becomes "-".
    pub username: String,
    pub session_id: u64,
    pub version: u64,
}

/// Why no audio stream came about.
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
}
