//! When each unit is to be played.

use std::time::{Duration, Instant};

/// A unit whose timestamp leads so far away from when it came begins anew: its sender did.
const FAR: Duration = Duration::from_millis(300);
/// Part of what timestamps and arrival differ by that is made up for with each unit: clocks of sender and receiver drift.
const FOLLOW: u32 = 64;

/// Places units by their timestamps, whose distances are exact, and follows slowly when they came.
#[derive(Debug)]
pub(super) struct Timeline {
    rate: u32,
    last: Option<(Instant, u32)>,
}

impl Timeline {
    /// `rate`: ticks of a timestamp in a second.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, last: None }
    }

    /// Never before the unit before.
    pub(super) fn place(&mut self, at: Instant, timestamp: u32) -> Instant {
        let placed = match self.last {
            None => at,
            Some((last, before)) => self.after(last, timestamp.wrapping_sub(before), at),
        };
        self.last = Some((placed, timestamp));
        placed
    }

    fn after(&self, last: Instant, ticks: u32, at: Instant) -> Instant {
        // Above the middle of the circle it is a step back.
        if ticks >= 1 << 31 {
            return at.max(last);
        }
        let step = Duration::from_nanos(u64::from(ticks) * 1_000_000_000 / u64::from(self.rate.max(1)));
        let exact = last + step.min(Duration::from_secs(48_000));
        let (late, early) = (at.saturating_duration_since(exact), exact.saturating_duration_since(at));
        if late > FAR || early > FAR {
            return at.max(last);
        }
        let followed = exact + late / FOLLOW;
        followed.checked_sub(early / FOLLOW).unwrap_or(followed).max(last)
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;
    use std::time::{Duration, Instant};

    #[test]
    fn jitter_of_arrival_does_not_reach_the_file_and_drift_is_followed() {
        let start = Instant::now() + Duration::from_secs(1_000);
        let mut timeline = Timeline::new(90_000);
        let mut last = start;
        for n in 0..3_000_u32 {
            let jitter = Duration::from_millis(u64::from(n * 7 % 40));
            // The sender's clock is 1 per mille slow.
            let at = start + Duration::from_nanos(u64::from(n) * 33_366_666) + jitter;
            let placed = timeline.place(at, (u32::MAX - 50_000).wrapping_add(n * 3_000));
            assert!(placed >= last);
            if n > 0 {
                let step = placed - last;
                assert!(step.abs_diff(Duration::from_micros(33_333)) < Duration::from_millis(1), "{step:?}");
            }
            assert!(placed.max(at) - placed.min(at) < Duration::from_millis(60), "{n}");
            last = placed;
        }
    }

    #[test]
    fn a_sender_that_begins_anew_is_placed_by_when_it_came() {
        let start = Instant::now();
        let mut timeline = Timeline::new(48_000);
        assert_eq!(timeline.place(start, 5), start);
        for (after, timestamp) in [(1_000, 4_000_000_000), (2_000, 1_000), (3_000, 900), (100_000, 1_860)] {
            let at = start + Duration::from_millis(after);
            assert_eq!(timeline.place(at, timestamp), at, "{after}");
        }
        // Time never runs back.
        let before = start + Duration::from_millis(50_000);
        assert_eq!(timeline.place(before, 3_000_000_000), start + Duration::from_millis(100_000));
    }
}
