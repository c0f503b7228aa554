use std::time::{Duration, Instant};

const STEPS: [u64; 6] = [1, 2, 4, 8, 15, 30];
/// Shorter successes do not count: what breaks again at once is not tried every second.
const LASTING: Duration = Duration::from_secs(10);

/// When a lost connection is tried again: after 1, 2, 4, 8, 15 and then every 30 s, each a fifth more or less, so that the
/// clients of a server that restarts do not come all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    failures: usize,
    due: Option<Instant>,
    live_since: Option<Instant>,
}

impl Schedule {
    /// An attempt failed, or what had been connected was lost. Returns when the next attempt is due: never before the server
    /// wants one (`retry_after`). `random` is any number.
    pub(crate) fn failed(&mut self, now: Instant, retry_after: Option<Duration>, random: u32) -> Instant {
        if self.live_since.take().is_some_and(|since| now.saturating_duration_since(since) >= LASTING) {
            self.failures = 0;
        }
        let step = STEPS.get(self.failures).or(STEPS.last()).copied().unwrap_or(30);
        self.failures = self.failures.saturating_add(1);
        let fifths = 0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX);
        let wait = Duration::from_secs(step).mul_f64(fifths);
        let due = now + wait.max(retry_after.unwrap_or_default());
        self.due = Some(due);
        due
    }

    /// Media flows.
    pub(crate) fn live(&mut self, now: Instant) {
        self.due = None;
        self.live_since.get_or_insert(now);
    }

    /// The user does not want to wait: no server's wish counts.
    pub(crate) fn retry_now(&mut self, now: Instant) {
        if self.due.is_some() {
            self.due = Some(now);
        }
    }

    /// When the next attempt is due; `None` where none is awaited.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// True once for each attempt, when it is due.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::time::{Duration, Instant};

    const MIDDLE: u32 = u32::MAX / 2;

    fn seconds(from: Instant, to: Instant) -> u64 {
        (to - from + Duration::from_millis(1)).as_secs()
    }

    #[test]
    fn waits_grow_to_half_a_minute_and_stay_there() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let waits: Vec<_> = (0..8).map(|_| seconds(now, schedule.failed(now, None, MIDDLE))).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 30, 30, 30]);
    }

    #[test]
    fn waits_differ_by_a_fifth_at_most() {
        let now = Instant::now();
        let wait = |random| Schedule::default().failed(now, None, random) - now;
        assert_eq!(wait(0).as_millis(), 800);
        assert_eq!(wait(u32::MAX).as_millis(), 1200);
    }

    #[test]
    fn an_attempt_is_taken_once_and_when_it_is_due() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        assert!(!schedule.take(now));
        let due = schedule.failed(now, None, MIDDLE);
        assert!(!schedule.take(due - Duration::from_millis(1)));
        assert!(schedule.take(due) && !schedule.take(due));
        assert_eq!(schedule.due(), None);
    }

    #[test]
    fn the_server_is_not_asked_before_it_wants_to_be_but_when_the_user_does() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        assert_eq!(seconds(now, schedule.failed(now, Some(Duration::from_secs(100)), MIDDLE)), 100);
        assert_eq!(seconds(now, schedule.failed(now, Some(Duration::ZERO), MIDDLE)), 2);
        schedule.retry_now(now);
        assert!(schedule.take(now));
        schedule.retry_now(now);
        assert!(!schedule.take(now), "nothing is awaited");
    }

    #[test]
    fn only_a_lasting_success_begins_anew() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        for _ in 0..3 {
            schedule.failed(now, None, MIDDLE);
        }
        schedule.live(later(1));
        assert_eq!(schedule.due(), None);
        assert_eq!(seconds(later(2), schedule.failed(later(2), None, MIDDLE)), 8);
        schedule.live(later(20));
        schedule.live(later(29));
        assert_eq!(seconds(later(30), schedule.failed(later(30), None, MIDDLE)), 1);
    }
}
