use std::time::Duration;

use crate::keep_alive::KeepAlive;

/// How a session is set up.
#[derive(Debug, Clone)]
pub struct Config {
    pub identity: Identity,
    /// RFC 7022 wants it random and without personal data.
    pub cname: String,
    /// What may come and what we send. Packets of other payload types are not returned.
    pub payload_types: Vec<PayloadType>,
    /// None: no RTCP is sent (RR:0 and RS:0); what comes is still read.
    pub rtcp: Option<RtcpConfig>,
    pub keep_alive: KeepAlive,
    /// 15 s in RFC 6263 section 7.
    pub keep_alive_interval: Duration,
}

/// Where the outgoing stream begins. All three must be unpredictable (RFC 3550 section 5.1): take them from the
/// system's randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadType {
    /// 0 to 127
    pub number: u8,
    /// Hz
    pub clock_rate: u32,
    pub class: PayloadClass,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadClass {
    Audio,
    Video,
    ComfortNoise,
    TelephoneEvent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtcpConfig {
    /// bit/s of the session's media; RTCP takes 5 % of it.
    pub session_bandwidth: u32,
    /// Least time between reports. RFC 3550 says 5 s; a call of two may take less.
    pub minimum: Duration,
}

impl Default for RtcpConfig {
    fn default() -> Self {
        Self { session_bandwidth: 64_000, minimum: Duration::from_millis(2500) }
    }
}

impl Identity {
    /// From random bytes. The first sequence number is below 2^15, which keeps the first wrap away from the start
    /// of a call (RFC 3711 section 3.3.1 needs that).
    pub fn from_random(bytes: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = bytes;
        Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            sequence: u16::from_be_bytes([e & 0x7f, f]),
            timestamp: u32::from_be_bytes([g, h, i, j]),
        }
    }
}

impl Config {
    pub fn new(identity: Identity, cname: impl Into<String>, payload_types: Vec<PayloadType>) -> Self {
        Self {
            identity,
            cname: cname.into(),
            payload_types,
            rtcp: Some(RtcpConfig::default()),
            keep_alive: KeepAlive::Off,
            keep_alive_interval: Duration::from_secs(15),
        }
    }
}

impl PayloadType {
    pub fn audio(number: u8, clock_rate: u32) -> Self {
        Self { number, clock_rate, class: PayloadClass::Audio }
    }

    /// At 90 kHz.
    pub fn video(number: u8) -> Self {
        Self { number, clock_rate: 90_000, class: PayloadClass::Video }
    }

    pub fn comfort_noise(number: u8, clock_rate: u32) -> Self {
        Self { number, clock_rate, class: PayloadClass::ComfortNoise }
    }

    pub fn telephone_event(number: u8, clock_rate: u32) -> Self {
        Self { number, clock_rate, class: PayloadClass::TelephoneEvent }
    }
}
