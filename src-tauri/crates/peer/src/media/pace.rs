use std::time::{Duration, Instant};

/// Counted over so long.
const WINDOW: Duration = Duration::from_millis(400);

/// How many packets of a stream come in a time, those that were sent again too.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<Instant>,
    count: u32,
    /// Of the window before, with its length.
    before: Option<(u32, Duration)>,
}

impl Pace {
    pub(super) fn arrived(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let length = now.saturating_duration_since(since);
        if length >= WINDOW {
            // A pause is none of the path's.
            self.before = (length < 2 * WINDOW).then_some((self.count, length));
            (self.since, self.count) = (Some(now), 0);
        }
        self.count += 1;
    }

    /// How long so many packets take to come at this pace; `None`: it is not known.
    pub(super) fn time_for(&self, now: Instant, packets: usize) -> Option<Duration> {
        let (count, length) = self.before.filter(|(count, _)| *count > 0)?;
        let since = now.saturating_duration_since(self.since?);
        let packets = u32::try_from(packets).unwrap_or(u32::MAX);
        (since < 2 * WINDOW).then(|| length.saturating_mul(packets) / count)
    }
}
