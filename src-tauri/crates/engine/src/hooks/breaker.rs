use std::time::{Duration, Instant};

/// Questions in a row that nobody answered.
const MOST_SILENCES: u32 = 3;
/// Between two probes.
const PROBING: Duration = Duration::from_secs(5);

/// Nobody waits for a backend that is known not to answer.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    silences: u32,
    /// Open: when to probe next; `None` while a probe is under way.
    open: Option<Option<Instant>>,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn answered(&mut self) {
        (self.silences, self.open) = (0, None);
    }

    pub(super) fn silent(&mut self, now: Instant) {
        self.silences = self.silences.saturating_add(1);
        if self.silences >= MOST_SILENCES && self.open.is_none() {
            self.open = Some(Some(now + PROBING));
        }
    }

    /// A probe that was answered proves less than a question: the next silence opens it again.
    pub(super) fn probed(&mut self, now: Instant, answered: bool) {
        if self.open.is_none() {
            return;
        }
        (self.silences, self.open) =
            if answered { (MOST_SILENCES - 1, None) } else { (MOST_SILENCES, Some(Some(now + PROBING))) };
    }

    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.open.flatten()
    }

    /// True once, when a probe is due.
    pub(super) fn take_probe(&mut self, now: Instant) -> bool {
        let is_due = self.next_probe().is_some_and(|due| due <= now);
        if is_due {
            self.open = Some(None);
        }
        is_due
    }
}
