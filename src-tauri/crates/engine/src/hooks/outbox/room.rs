//! What is kept of events, and what goes where there is too much.

use super::{Entry, Hook, Outbox, Seq, Task, Write, entry::Waiting};

impl Outbox {
    /// A stream's next sign of life says the same as those that wait.
    pub(super) fn replace_older(&mut self, entry: &Entry) {
        let queue = self.objects.get(&entry.object).into_iter().flatten();
        let is_older = |seq: &&Seq| {
            !self.sent.contains(seq) && self.waiting.get(seq).is_some_and(|it| it.hook == entry.hook)
        };
        for seq in queue.filter(is_older).copied().collect::<Vec<_>>() {
            self.remove(seq);
        }
    }

    /// Where the limits are passed, what may go goes, the oldest first.
    pub(super) fn make_room(&mut self) {
        while self.limits.are_passed(self.waiting.len() + self.failed.len(), self.bytes) {
            if self.droppable == 0 {
                return self.alarm();
            }
            let may_go = |it: &&Waiting| it.hook.may_be_dropped();
            let waiting = self.waiting.values().filter(may_go).find(|it| !self.sent.contains(&it.seq));
            if let Some(seq) = waiting.map(|it| it.seq) {
                self.remove(seq);
            } else if let Some(seq) = self.failed.values().find(may_go).map(|it| it.seq) {
                self.drop_failed(seq);
            } else {
                return self.alarm();
            }
        }
    }

    pub(super) fn alarm(&mut self) {
        if !std::mem::replace(&mut self.alarmed, true) {
            self.tasks.push_back(Task::Alarm(self.limits.in_words()));
        }
    }

    pub(super) fn fail(&mut self, seq: Seq) {
        let Some(mut waiting) = self.leave(seq) else { return };
        waiting.body = None;
        let (id, attempts, info) = (waiting.id.clone(), waiting.attempts, waiting.info.clone());
        self.writes.push(Write::Failed { id, attempts, info });
        self.insert_failed(waiting);
    }

    /// Where there are too many the oldest go.
    pub(super) fn insert_failed(&mut self, waiting: Waiting) {
        self.failed_bytes += waiting.bytes;
        self.failed.insert(waiting.seq, waiting);
        while self.limits.has_too_many_failed(self.failed.len(), self.failed_bytes) {
            let Some(oldest) = self.failed.keys().next().copied() else { return };
            self.drop_failed(oldest);
            if !std::mem::replace(&mut self.has_told_of_failed, true) {
                self.tasks.push_back(Task::Alarm(self.limits.failed_in_words()));
            }
        }
    }

    pub(super) fn take_failed(&mut self, seq: Seq) -> Option<Waiting> {
        let waiting = self.failed.remove(&seq)?;
        self.failed_bytes = self.failed_bytes.saturating_sub(waiting.bytes);
        self.has_told_of_failed &= !self.failed.is_empty();
        Some(waiting)
    }

    pub(super) fn forget(&mut self, waiting: Waiting) {
        self.bytes = self.bytes.saturating_sub(waiting.bytes);
        self.droppable = self.droppable.saturating_sub(usize::from(waiting.hook.may_be_dropped()));
        self.logs = self.logs.saturating_sub(usize::from(waiting.hook == Hook::PushLogs));
        let is_new = |write: &Write| matches!(write, Write::Add(entry) if entry.id == waiting.id);
        if self.writes.iter().any(is_new) {
            self.writes.retain(|write| write.id() != waiting.id);
        } else {
            self.writes.push(Write::Gone(waiting.id));
        }
    }
}
