#![allow(dead_code)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sidetone_rtp::{Config, Identity, PayloadType, RtcpConfig, Session, WirePacket};

pub(crate) const MS: Duration = Duration::from_millis(1);

/// Seeded: what fails once fails again.
pub(crate) struct Random(fastrand::Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.usize(..limit.max(1))
    }

    pub(crate) fn bytes(&mut self, limit: usize) -> Vec<u8> {
        let len = self.below(limit);
        (0..len).map(|_| self.0.u8(..)).collect()
    }
}

pub(crate) fn config(ssrc: u32, sequence: u16) -> Config {
    let identity = Identity { ssrc, sequence, timestamp: 1000 };
    let types = vec![
        PayloadType::audio(0, 8000),
        PayloadType::comfort_noise(13, 8000),
        PayloadType::audio(96, 48_000),
        PayloadType::telephone_event(101, 8000),
    ];
    Config {
        rtcp: Some(RtcpConfig { session_bandwidth: 64_000, minimum: Duration::from_secs(5) }),
        ..Config::new(identity, format!("{ssrc:x}@test"), types)
    }
}

pub(crate) fn session(ssrc: u32, now: Instant) -> Session {
    Session::new(config(ssrc, 100), now, u64::from(ssrc))
}

pub(crate) fn packet(ssrc: u32, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    typed(0, ssrc, sequence, timestamp, payload)
}

pub(crate) fn typed(payload_type: u8, ssrc: u32, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let packet = WirePacket {
        marker: false,
        payload_type,
        sequence,
        timestamp,
        ssrc,
        csrc: &[],
        extension: None,
        payload,
    };
    packet.write(0, &mut out);
    out
}

pub(crate) fn wallclock(since: Duration) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + since
}

/// Feeds `count` packets 20 ms apart; how many were heard.
pub(crate) fn feed(session: &mut Session, now: &mut Instant, ssrc: u32, first: u16, count: u16) -> usize {
    let mut heard = 0;
    for index in 0..count {
        let bytes = packet(ssrc, first.wrapping_add(index), u32::from(index) * 160, b"x");
        heard += usize::from(session.handle_rtp(*now, &bytes).is_ok());
        *now += 20 * MS;
    }
    heard
}
