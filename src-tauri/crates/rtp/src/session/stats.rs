use std::sync::Arc;
use std::time::{Duration, Instant};

/// Both directions of a session so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    pub sent: Sent,
    pub received: Received,
    /// What the peer says of our stream.
    pub remote_view: Option<RemoteView>,
    /// From the last report of the peer that named one of ours.
    pub round_trip: Option<Duration>,
    pub local_ssrc: u32,
    pub remote_ssrc: Option<u32>,
    /// Not of a trusted origin: escape before showing.
    pub remote_cname: Option<Arc<str>>,
    /// The peer sends our own packets back.
    pub reflected: bool,
    /// The peer said BYE and was not heard since.
    pub remote_left: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    pub packets: u64,
    /// Payload bytes.
    pub octets: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Received {
    /// Over all sources of the session, duplicates included.
    pub packets: u64,
    pub octets: u64,
    pub expected: u64,
    /// Cumulative; negative where packets came twice.
    pub lost: i64,
    /// Share lost between our last two reports, 0 to 1.
    pub fraction_lost: f32,
    pub jitter: Duration,
    /// RTP datagrams that were not taken.
    pub rejected: u64,
    /// RTCP datagrams that were not taken.
    pub rejected_rtcp: u64,
    /// Remote sources heard, one after the other.
    pub sources: u64,
    pub last_packet: Option<Instant>,
    /// Packets the peer says it sent (its last sender report).
    pub remote_sent: Option<u32>,
}

/// A source's clock at a moment, from its sender report: what sound and picture are brought together by (RFC 3550
/// section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderClock {
    pub ntp: crate::NtpTime,
    /// In the media's clock.
    pub rtp_timestamp: u32,
}

/// The peer's report block about us (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RemoteView {
    /// 0 to 1, since the peer's report before.
    pub fraction_lost: f32,
    pub lost: i32,
    pub jitter: Duration,
    pub at: Instant,
}
