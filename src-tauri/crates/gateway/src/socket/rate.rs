//! How fast one client may speak.

use std::time::Duration;
use tokio::time::Instant;

pub(super) const PER_SECOND: u32 = 50;
const BURST: u32 = 100;
const GAP: Duration = Duration::from_nanos(1_000_000_000 / PER_SECOND as u64);

/// A bucket of [`BURST`] that refills by [`PER_SECOND`], kept as the time at which it is full again.
pub(super) struct Rate {
    full_at: Instant,
}

impl Rate {
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    pub(super) fn admits(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + GAP;
        let admitted = full_at.duration_since(now) <= GAP * BURST;
        if admitted {
            self.full_at = full_at;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, GAP, Rate};
    use tokio::time::Instant;

    #[test]
    fn a_burst_passes_and_then_only_the_steady_rate() {
        let now = Instant::now();
        let mut rate = Rate::new(now);
        assert!((0..BURST).all(|_| rate.admits(now)));
        assert!(!rate.admits(now));
        assert!((1..=200).all(|n| rate.admits(now + GAP * n)));
        assert!(!rate.admits(now + GAP * 200));
    }
}
