//! One WebRTC peer without sockets, threads or clocks.
//!
//! A [`Peer`] negotiates (JSEP's offers and answers), connects (ICE, DTLS, SRTP) and carries RTP both ways, repairing
//! what gets lost and estimating what the path carries. Whoever owns the sockets gives it datagrams and the time and
//! takes from it datagrams, events and the time of its next deadline. [`Demux`] tells the peers of one socket apart.
//! [`whip`] has WHIP and WHEP as request and response values.
//!
//! ```text
//!   session descriptions ── sdp ──┐
//!                                 ▼
//!   packets, events ◀──▶ Peer ─ media (NACK, RTX, TWCC, estimate, reports)
//!                                 │
//!                                 ├─ transport: ICE, DTLS, SRTP
//!   datagrams ◀──────────────────┴─ gathering: STUN, TURN
//! ```

#![forbid(unsafe_code)]

mod certificate;
mod codec;
mod config;
mod demux;
mod error;
mod event;
mod gather;
mod media;
#[doc(hidden)]
pub mod noise;
mod packet;
mod peer;
mod sdp;
mod statistics;
mod transport;
pub mod whip;

pub use codec::{Codec, CodecParameters, Feedback, Kind};
pub use config::{BitrateLimits, Certificate, Config, IceServer, IceServerKind, IceTransport, Role};
pub use demux::Demux;
pub use error::PeerError;
pub use event::{
    Direction, DisconnectReason, Event, Media, ReceivingTrack, SenderClock, SendingTrack, TrackId, Transmit,
    Wanted,
};
pub use packet::{Extensions, Received, RtpPacket};
pub use peer::Peer;
pub use statistics::{ReceivingStatistics, SendingStatistics, Statistics};
