use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::TrackId;

/// Counters since the beginning. Nothing of it is rounded to a second: rates are made of differences.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// Of the path, by receiver reports or by signs of life; none before the first.
    pub round_trip: Option<Duration>,
    /// Bits per second that the path to the far end carries.
    pub estimate: u64,
    pub path: Option<(SocketAddr, SocketAddr)>,
    /// Of anything authentic.
    pub last_received: Option<Instant>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub sending: Vec<SendingStatistics>,
    pub receiving: Vec<ReceivingStatistics>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SendingStatistics {
    pub track: TrackId,
    pub packets: u64,
    /// Of payloads.
    pub bytes: u64,
    /// Packets sent again.
    pub resent: u64,
    /// Packets that the far end asked for again, each counted once a request.
    pub nacked: u64,
    /// Requests for key frames.
    pub key_frame_requests: u64,
    /// As the far end last reported; 0.0 to 1.0.
    pub loss: f32,
    pub lost: i64,
    /// As the far end last reported.
    pub jitter: Duration,
    pub round_trip: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ReceivingStatistics {
    pub track: TrackId,
    pub rid: Option<String>,
    /// First arrivals, repaired ones included.
    pub packets: u64,
    /// Of payloads.
    pub bytes: u64,
    /// That arrived as retransmissions.
    pub repaired: u64,
    /// Arrivals of what had arrived before.
    pub duplicates: u64,
    /// Different packets that we asked for again.
    pub nacked: u64,
    /// Requests, several may be for one packet.
    pub nacks: u64,
    /// Gone for good.
    pub lost: u64,
    /// Requests for key frames.
    pub key_frame_requests: u64,
    /// RFC 3550 section 6.4.1.
    pub jitter: Duration,
    pub last_received: Option<Instant>,
}
