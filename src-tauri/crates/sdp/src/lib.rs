//! SDP text (RFC 8866) and offer/answer for the audio and the video of a call over RTP (RFC 3264). No I/O, no clock, no randomness.
//!
//! [`SessionDescription::parse`] reads hostile text within [`Limits`] and names the line and the field that it
//! refuses; `Display` writes it back in the order of the RFC. [`offer`], [`answer`] and [`accept`] negotiate one
//! audio stream; [`OfferAnswer`] remembers what later offers of the same dialog must keep: origin, order of media
//! lines, payload type numbers. With [`OfferAnswer::offer_with`] and its sisters one video stream joins the audio and
//! leaves again; without it the audio goes on.
//!
//! Where we differ from the RFCs, on purpose:
//! - the parser takes a single LF as line end, any order of lines inside one section, a missing `t=`, an empty `s=`
//!   and a user name with spaces in `o=`, because phones in the field send them;
//! - `opus/48000` without `/2` is taken as Opus (RFC 7587 section 7 wants the `/2`; we always write it);
//! - the answer to RTP/AVPF is RTP/AVPF although we send no feedback messages;
//! - RTP/AVP with `a=rtcp-fb` (RFC 4585 wants RTP/AVPF for it) is written and taken, because peers that know no AVPF
//!   refuse the line otherwise, and those that do understand it;
//! - BUNDLE (RFC 9143) is never asked for; an answer's group has the audio alone, and video has a transport of its own;
//! - a line of RTP/AVP with keys or a fingerprint is protected where both sides can (RFC 8643), a line of RTP/SAVP
//!   with a fingerprint takes its keys from DTLS as UDP/TLS/RTP/SAVP does;
//! - `a=crypto` with several keys, a master key identifier or an unknown session parameter is not used.
#![forbid(unsafe_code)]

mod attribute;
mod capability;
mod description;
mod error;
mod fmtp;
mod ice;
mod offer_answer;
mod parse;
mod print;
mod secure_attribute;
mod security;
mod video;

pub use attribute::{Direction, RtcpAttribute, RtpMap, static_rtp_map};
pub use capability::Capability;
pub use description::{
    AddressType, Attribute, Bandwidth, Connection, Host, Media, ObsoleteKey, OriginField, SessionDescription,
    Timing,
};
pub use error::ParseError;
pub use fmtp::{EventSet, OpusParameters, parameter};
pub use ice::{Candidate, CandidateKind, IceCredentials};
pub use offer_answer::{
    Answered, DtlsRole, Endpoint, LocalIce, LocalMedia, LocalSecurity, LocalVideo, Negotiated,
    NegotiatedCodec, NegotiatedEvents, NegotiatedIce, OfferAnswer, Origin, PayloadKind, PayloadTypes,
    Protection, Refusal, Sdes, Security, VideoOutcome, accept, answer, offer,
};
pub use parse::Limits;
pub use security::{CryptoLine, Fingerprint, HashFunction, Profile, Setup, SrtpKey, Suite};
pub use video::{Feedback, H264Limits, H264Parameters, Vp8Parameters};
