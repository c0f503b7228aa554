//! What people see of an outbox, and what they do about it.

use super::{MAX_PAGE, Outbox, Seq, Write, entry::Waiting};
use sidetone_api::{HookEventView, HooksView};
use std::time::Instant;

const NO_SECRET: &str = "the backend's secret is missing: events wait for it";

impl Outbox {
    /// Gives how many there were.
    pub(crate) fn send_again(&mut self, now: Instant, id: Option<&str>) -> usize {
        let again = self.failed_of(id);
        for seq in &again {
            let Some(mut waiting) = self.take_failed(*seq) else { continue };
            waiting.attempts = 0;
            self.writes.push(Write::Again(waiting.id.clone()));
            self.enqueue(waiting);
        }
        self.silent.forget_all();
        self.send_ready(now);
        again.len()
    }

    /// Gives how many there were.
    pub(crate) fn forget_failed(&mut self, id: Option<&str>) -> usize {
        let gone = self.failed_of(id);
        for seq in &gone {
            self.drop_failed(*seq);
        }
        gone.len()
    }

    pub(crate) fn view(&self) -> HooksView {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let problem = match () {
            () if self.alarmed => Some(self.limits.in_words()),
            () if self.held && !self.waiting.is_empty() => Some(NO_SECRET.into()),
            () => self.trouble.clone().filter(|_| !self.waiting.is_empty()),
        };
        HooksView {
            waiting: count(self.waiting.len()),
            failed: count(self.failed.len()),
            oldest: self.waiting.values().next().map(|waiting| waiting.at),
            problem,
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(crate) fn page(&self, limit: u32) -> Vec<HookEventView> {
        let all = self.failed.values().map(|it| it.view(true));
        let all = all.chain(self.waiting.values().map(|it| it.view(false)));
        all.take(limit.min(MAX_PAGE) as usize).collect()
    }

    /// Drops what has failed too long ago.
    pub(crate) fn prune(&mut self, now: Instant) {
        let too_old = self.failed.values().filter(|it| self.limits.is_beyond_use(it.age_ms(now)));
        for seq in too_old.map(|it| it.seq).collect::<Vec<_>>() {
            self.drop_failed(seq);
        }
    }

    fn failed_of(&self, id: Option<&str>) -> Vec<Seq> {
        let is_meant = |it: &&Waiting| id.is_none_or(|id| it.id == id);
        self.failed.values().filter(is_meant).map(|it| it.seq).collect()
    }

    pub(super) fn drop_failed(&mut self, seq: Seq) {
        if let Some(waiting) = self.take_failed(seq) {
            self.forget(waiting);
        }
    }
}
