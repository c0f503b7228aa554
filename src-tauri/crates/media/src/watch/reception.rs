//! Whether anything comes from the far end.

use std::time::{Duration, Instant};

use super::Observation;

/// Until it is told; with a look each 100 ms it is told within 3 s.
const PATIENCE: Duration = Duration::from_millis(2_800);
/// After the far end has announced silence it owes a packet only now and then: G.711 with comfort noise may say nothing
/// until the noise changes (RFC 3389 section 5.1).
const QUIET_PATIENCE: Duration = Duration::from_secs(30);
/// Packets that must come until it counts as heard again: a trickle is none.
const RETURN: u64 = 5;

#[derive(Debug, Clone, Default)]
pub(super) struct Reception {
    packets: u64,
    since: Option<Instant>,
    /// Packets at the verdict.
    lost_at: Option<u64>,
}

impl Reception {
    /// True while nothing comes that should.
    pub(super) fn observe(&mut self, now: Instant, seen: &Observation) -> bool {
        if !seen.receives {
            (self.since, self.lost_at) = (None, None);
            return false;
        }
        if seen.packets_received != self.packets || self.since.is_none() {
            (self.packets, self.since) = (seen.packets_received, Some(now));
        }
        if let Some(lost_at) = self.lost_at {
            if seen.packets_received >= lost_at + RETURN {
                self.lost_at = None;
            }
        } else {
            let patience = if seen.announced_silence { QUIET_PATIENCE } else { PATIENCE };
            let waited = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            if waited >= patience {
                self.lost_at = Some(seen.packets_received);
            }
        }
        self.lost_at.is_some()
    }

    pub(super) fn restart(&mut self, now: Instant) {
        (self.since, self.lost_at) = (Some(now), None);
    }
}
