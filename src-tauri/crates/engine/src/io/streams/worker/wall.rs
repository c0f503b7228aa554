//! The wall clock of what is sent.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// From the Unix epoch back to NTP's, in seconds.
const NTP_OFFSET: u64 = 2_208_988_800;

/// The wall clock, read once: what reports tell must not jump.
pub(super) struct Wall(Instant, u64);

impl Wall {
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Instant::now(), fixed(since + Duration::from_secs(NTP_OFFSET)))
    }

    pub(super) fn ntp(&self, at: Instant) -> u64 {
        match at.checked_duration_since(self.0) {
            Some(after) => self.1.wrapping_add(fixed(after)),
            None => self.1.wrapping_sub(fixed(self.0.saturating_duration_since(at))),
        }
    }
}

/// In units of 2^-32 s.
fn fixed(time: Duration) -> u64 {
    (time.as_secs() << 32) | ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000)
}
