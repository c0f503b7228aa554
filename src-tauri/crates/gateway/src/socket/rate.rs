//! How fast one client may speak.

use std::time::Duration;
use tokio::time::Instant;

/// Of the UI socket.
pub(super) const PER_SECOND: u32 = 50;
pub(super) const BURST: u32 = 100;

/// A bucket that refills by so many a second, kept as the time at which it is full again.
pub(crate) struct Rate {
    full_at: Instant,
    gap: Duration,
    burst: u32,
}

impl Rate {
    pub(crate) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        Self { full_at: now, gap: Duration::from_secs(1) / per_second.max(1), burst }
    }

    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        self.admits_many(now, 1)
    }

    /// At once.
    pub(crate) fn most(&self) -> u32 {
        self.burst
    }

    /// At most as many at once as a burst has.
    pub(crate) fn admits_many(&mut self, now: Instant, many: u32) -> bool {
        let full_at = self.full_at.max(now) + self.gap * many;
        let admitted = full_at.duration_since(now) <= self.gap * self.burst;
        if admitted {
            self.full_at = full_at;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, PER_SECOND, Rate};
    use tokio::time::{Duration, Instant};

    const GAP: Duration = Duration::from_millis(20);

    #[test]
    fn a_burst_passes_and_then_only_the_steady_rate() {
        let now = Instant::now();
        let mut rate = Rate::new(now, PER_SECOND, BURST);
        assert!((0..BURST).all(|_| rate.admits(now)));
        assert!(!rate.admits(now));
        assert!((1..=200).all(|n| rate.admits(now + GAP * n)));
        assert!(!rate.admits(now + GAP * 200));
    }

    #[test]
    fn many_at_once_take_the_place_of_as_many() {
        let now = Instant::now();
        let mut rate = Rate::new(now, PER_SECOND, BURST);
        assert!(rate.admits_many(now, 60) && !rate.admits_many(now, 41));
        assert!(rate.admits_many(now, 40) && !rate.admits(now));
        assert!(!rate.admits_many(now + GAP * 16, 17) && rate.admits_many(now + GAP * 17, 17));
    }
}
