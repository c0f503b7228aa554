//! One RTP leg of a SIP call, of audio or of video, without I/O. [`transport`] is what lies next to the sockets: ICE, DTLS, SRTP. [`Session`] parses and writes RTP and RTCP (RFC 3550, RFC 3551), watches
//! the remote source, reports, measures. Time, wall clock and randomness come from the caller.
//!
//! Beside it: telephone events (RFC 4733), comfort noise (RFC 3389), keep-alive (RFC 6263), and [`RemoteAddress`],
//! which says where to send and from whom to take packets (symmetric RTP, RFC 4961, with protection).
//!
//! Where we differ from the RFCs, on purpose:
//! - RFC 3550 6.2: a leg has two members, so the least report interval is 2.5 s by default, not 5 s; the bandwidth
//!   share still holds.
//! - RFC 3550 8.2: our own SSRC coming back makes us take a new one, once. When that one comes back too, the peer is
//!   a reflector (an echo test) and its packets are taken as a remote source.
//! - RFC 3550 6.4: one remote source is heard at a time, so a report has at most one block; RTCP under our own SSRC
//!   is ignored.
//! - RFC 5506 (reduced-size RTCP): feedback that comes alone is taken; none is sent.
//! - RFC 4585 3.5: our requests for key frames go out at once, with an empty report, and not more often than twice a
//!   second; a picture that stands still bears no waiting for a turn.
#![forbid(unsafe_code)]

pub mod comfort_noise;
mod error;
mod keep_alive;
mod ntp;
mod packet;
mod remote_address;
pub mod rtcp;
mod session;
pub mod telephone_event;
pub mod transport;

pub use error::Error;
pub use keep_alive::KeepAlive;
pub use ntp::NtpTime;
pub use packet::{Extension, WirePacket, is_rtcp};
pub use remote_address::{Latching, RemoteAddress, Verdict};
pub use session::{
    Config, Identity, KeyFrameRequest, PayloadClass, PayloadType, Received, RemoteView, RtcpConfig,
    RtpPacket, SenderClock, Sent, Session, Stats,
};
