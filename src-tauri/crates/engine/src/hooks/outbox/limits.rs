use super::Entry;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How much is kept, and for how long. Past them signs of life are dropped and an alarm is raised; statuses are kept all the
/// same, as long as the disk takes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) events: usize,
    /// Of all bodies.
    pub(super) bytes: u64,
    /// Of the bodies in memory; the others are read when they are sent.
    pub(super) kept_bytes: u64,
    /// An event that could not be delivered for so long has failed.
    pub(super) waits_ms: u64,
    /// One that has failed is forgotten then.
    pub(super) failed_ms: u64,
    /// Of those that have failed; more of them, and the oldest are forgotten.
    pub(super) failed: usize,
    pub(super) failed_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 50_000,
            bytes: 64 * 1024 * 1024,
            kept_bytes: 4 * 1024 * 1024,
            waits_ms: 7 * DAY_MS,
            failed_ms: 30 * DAY_MS,
            failed: 10_000,
            failed_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Limits {
    pub(super) fn are_passed(&self, events: usize, bytes: u64) -> bool {
        events >= self.events || bytes >= self.bytes
    }

    pub(super) fn keeps_in_memory(&self, kept: u64, entry: &Entry) -> bool {
        kept + entry.body.len() as u64 <= self.kept_bytes
    }

    pub(super) fn is_too_old(&self, age_ms: u64) -> bool {
        age_ms > self.waits_ms
    }

    pub(super) fn is_beyond_use(&self, age_ms: u64) -> bool {
        age_ms > self.failed_ms
    }

    pub(super) fn has_too_many_failed(&self, failed: usize, bytes: u64) -> bool {
        failed > self.failed || bytes > self.failed_bytes
    }

    pub(super) fn failed_in_words(&self) -> String {
        format!("the backend has refused more than {} events: the oldest are forgotten", self.failed)
    }

    pub(super) fn in_words(&self) -> String {
        format!(
            "more than {} events or {} MB wait for the backend: look after it; signs of life of streams and lines of logs are dropped",
            self.events,
            self.bytes / (1024 * 1024)
        )
    }
}
