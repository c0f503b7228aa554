//! Events on their way to the backend. In memory: what waits, in which order, and when it is tried. On disk: all of it.

mod entry;
mod limits;
mod ready;
mod retry;
mod room;
mod shown;

pub(crate) use entry::{Entry, Row, Seq, Task, Write};

use super::{Hook, Outcome, answer::in_words};
use entry::Waiting;
use limits::Limits;
use ready::Ready;
use retry::{Sentence, Silent};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

/// Deliveries at a time.
const MOST_SENT: usize = 8;
/// Of them, of hooks that were not answered last.
const MOST_TRIED: usize = 4;
/// Batches of log lines that wait.
const MOST_LOGS: usize = 64;
/// Events of a page.
pub(crate) const MAX_PAGE: u32 = 500;
const TOO_OLD: &str = "it waited for too long";

/// Emptied by [`Outbox::poll`] and [`Outbox::take_writes`].
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    limits: Limits,
    next: u64,
    /// Events that wait, also those under way.
    waiting: BTreeMap<Seq, Waiting>,
    /// By object, oldest first.
    objects: HashMap<String, VecDeque<Seq>>,
    /// The first of their objects, which nothing keeps from being sent.
    ready: Ready,
    /// The first of their objects, which are tried again then.
    resting: BTreeSet<(Instant, Seq)>,
    sent: BTreeSet<Seq>,
    failed: BTreeMap<Seq, Waiting>,
    failed_bytes: u64,
    has_told_of_failed: bool,
    silent: Silent,
    /// What proves that it is us is missing: nothing is sent.
    held: bool,
    bytes: u64,
    kept_bytes: u64,
    /// Whether [`Limits`] are passed, as it was told.
    alarmed: bool,
    /// What the last attempt came to, where something waits for it.
    trouble: Option<String>,
    /// How many there are of those that make room first.
    droppable: usize,
    /// Batches of log lines that wait.
    logs: usize,
    tasks: VecDeque<Task>,
    writes: Vec<Write>,
}

impl Outbox {
    /// With what an earlier run left. `wallclock`: milliseconds since 1970.
    pub(crate) fn new(now: Instant, wallclock: u64, rows: Vec<Row>) -> Self {
        let mut outbox = Self::default();
        for row in rows {
            let failed = row.failed;
            let waiting = Waiting::of(now, wallclock, Seq(outbox.next), row);
            outbox.next += 1;
            outbox.bytes += waiting.bytes;
            outbox.droppable += usize::from(waiting.hook.may_be_dropped());
            outbox.logs += usize::from(waiting.hook == Hook::PushLogs);
            if failed {
                outbox.insert_failed(waiting);
            } else {
                outbox.enqueue(waiting);
            }
        }
        outbox
    }

    /// Takes an event; it is kept and sent from now on.
    pub(crate) fn add(&mut self, now: Instant, entry: Entry) {
        let entry = Arc::new(entry);
        if entry.hook.replaces_older() {
            self.replace_older(&entry);
        }
        let is_full = self.limits.are_passed(self.waiting.len() + self.failed.len(), self.bytes);
        if entry.hook.may_be_dropped() && is_full {
            return self.alarm();
        }
        let seq = Seq(self.next);
        self.next += 1;
        let waiting = Waiting::new(now, seq, &entry, self.limits.keeps_in_memory(self.kept_bytes, &entry));
        self.bytes += waiting.bytes;
        self.kept_bytes += waiting.kept_bytes();
        self.droppable += usize::from(waiting.hook.may_be_dropped());
        self.logs += usize::from(waiting.hook == Hook::PushLogs);
        self.writes.push(Write::Add(entry));
        self.enqueue(waiting);
        self.make_room();
        self.send_ready(now);
    }

    /// The body that [`Task::Read`] asked for; `None`: it is gone, and with it the event.
    pub(crate) fn on_read(&mut self, now: Instant, seq: Seq, body: Option<String>) {
        let Some(waiting) = self.waiting.get(&seq) else { return };
        match body.map(Arc::from).or_else(|| self.unwritten(&waiting.id)) {
            Some(body) => self.tasks.push_back(waiting.send(body)),
            None => {
                tracing::error!(object = %waiting.object, hook = %waiting.hook, "an event of the outbox is lost");
                self.remove(seq);
                self.send_ready(now);
            }
        }
    }

    /// The disk does not answer: later.
    pub(crate) fn on_unreadable(&mut self, now: Instant, seq: Seq) {
        self.sent.remove(&seq);
        if let Some(waiting) = self.waiting.get_mut(&seq) {
            waiting.due = Some(now + retry::pause(1, u32::MAX / 2));
        }
        self.settle(seq);
        self.send_ready(now);
    }

    /// `random`: any number.
    pub(crate) fn on_outcome(&mut self, now: Instant, seq: Seq, outcome: &Outcome, random: u32) {
        if !self.sent.remove(&seq) {
            return;
        }
        let Some(waiting) = self.waiting.get_mut(&seq) else { return self.send_ready(now) };
        waiting.attempts = waiting.attempts.saturating_add(1);
        let first = waiting.attempts == 1;
        waiting.info = in_words(outcome).unwrap_or_default();
        self.tasks.push_back(Task::Told {
            hook: waiting.hook,
            session: waiting.session.clone(),
            object: waiting.object.clone(),
            outcome: outcome.clone(),
            first,
        });
        let sentence = retry::judge(outcome);
        if sentence != Sentence::Silence {
            self.silent.answered(now, waiting.hook);
        }
        let is_trouble = matches!(sentence, Sentence::Later | Sentence::Silence);
        self.trouble = is_trouble.then(|| waiting.info.clone());
        match sentence {
            Sentence::Delivered => self.remove(seq),
            // Nobody would send it again.
            Sentence::Refused if waiting.hook.may_be_dropped() => self.remove(seq),
            Sentence::Refused => self.fail(seq),
            _ if waiting.hook.may_be_dropped() && self.limits.is_too_old(waiting.age_ms(now)) => {
                self.remove(seq)
            }
            _ if self.limits.is_too_old(waiting.age_ms(now)) => {
                waiting.info = format!("{TOO_OLD}: {}", waiting.info);
                self.fail(seq);
            }
            Sentence::Later => {
                waiting.due = Some(now + retry::pause(waiting.attempts, random));
                self.settle(seq);
            }
            Sentence::Silence => {
                let due = self.silent.silent(now, waiting.hook, random);
                let own = now + retry::pause_in_silence(waiting.attempts, random);
                waiting.due = Some(due.max(own));
                self.settle(seq);
            }
        }
        self.send_ready(now);
    }

    /// Whether log lines of another batch may wait, too: one for each session, and so many in all.
    pub(crate) fn has_room_for_logs(&self, object: &str) -> bool {
        self.logs < MOST_LOGS && !self.objects.contains_key(object)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(due, seq)) = self.resting.first().filter(|(due, _)| *due <= now) {
            self.resting.remove(&(due, seq));
            if let Some(waiting) = self.waiting.get_mut(&seq) {
                waiting.due = None;
            }
            self.settle(seq);
        }
        self.send_ready(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let resting = self.resting.first().map(|(due, _)| *due);
        let under_way = self.under_way();
        let waits = |hook: &Hook| self.may_be_tried(&under_way, *hook);
        let silent = self.ready.hooks().filter(waits).filter_map(|hook| self.silent.due(hook));
        let silent = silent.filter(|_| !self.held);
        resting.into_iter().chain(silent).min()
    }

    pub(crate) fn poll(&mut self) -> Option<Task> {
        self.tasks.pop_front()
    }

    /// What the disk has to be told, in this order.
    pub(crate) fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    /// They were not written: to be told again.
    pub(crate) fn put_back(&mut self, mut writes: Vec<Write>) {
        writes.append(&mut self.writes);
        let gone: HashSet<_> = writes.iter().filter_map(gone_id).collect();
        let unknown = writes.iter().filter(|it| matches!(it, Write::Add(_)) && gone.contains(it.id()));
        let unknown: HashSet<_> = unknown.map(|write| write.id().to_owned()).collect();
        // The disk need not hear of what has come and gone.
        writes.retain(|write| !unknown.contains(write.id()));
        self.writes = writes;
    }

    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Nothing is under way to, or could be sent to, a backend that answers.
    pub(crate) fn is_at_rest(&self) -> bool {
        let ready = self.ready.hooks().filter(|_| !self.held);
        self.under_way().into_iter().chain(ready).all(|hook| self.silent.due(hook).is_some())
    }

    /// Without what proves that it is us it would be refused.
    pub(crate) fn hold(&mut self, now: Instant, held: bool) {
        self.held = held;
        self.send_ready(now);
    }

    /// Other addresses, another secret: nobody has to wait for what the old ones did.
    pub(crate) fn try_now(&mut self, now: Instant) {
        self.silent.forget_all();
        for (_, seq) in std::mem::take(&mut self.resting) {
            if let Some(waiting) = self.waiting.get_mut(&seq) {
                waiting.due = None;
            }
            self.settle(seq);
        }
        self.send_ready(now);
    }

    /// It answered something else, after it had not.
    pub(crate) fn on_back(&mut self, now: Instant) {
        self.silent.try_all(now);
        self.send_ready(now);
    }

    /// All of it, and nothing is told to the disk, which is emptied by others.
    pub(crate) fn forget_all(&mut self) {
        *self = Self { next: self.next, held: self.held, ..Self::default() };
    }

    /// At its place among those of its object: what is sent again comes before what has happened since.
    fn enqueue(&mut self, waiting: Waiting) {
        let seq = waiting.seq;
        let queue = self.objects.entry(waiting.object.clone()).or_default();
        let place = queue.partition_point(|other| *other < seq);
        queue.insert(place, seq);
        self.waiting.insert(seq, waiting);
        self.settle(seq);
    }

    /// Puts the first of this one's object where it belongs, if none of them is under way.
    fn settle(&mut self, seq: Seq) {
        let Some(object) = self.waiting.get(&seq).map(|waiting| waiting.object.clone()) else { return };
        self.settle_object(&object);
    }

    fn settle_object(&mut self, object: &str) {
        let is_of_object = |seq: &Seq| self.waiting.get(seq).is_some_and(|it| it.object == object);
        let Some(queue) = self.objects.get(object).filter(|_| !self.sent.iter().any(is_of_object)) else {
            return;
        };
        if let Some(second) = queue.get(1).and_then(|second| self.waiting.get(second)) {
            self.ready.remove(second);
            if let Some(due) = second.due {
                self.resting.remove(&(due, second.seq));
            }
        }
        let Some(first) = queue.front().and_then(|first| self.waiting.get(first)) else { return };
        match first.due {
            Some(due) => drop(self.resting.insert((due, first.seq))),
            None => self.ready.insert(first),
        }
    }

    /// The body of an event that the disk has not taken yet.
    fn unwritten(&self, id: &str) -> Option<Arc<str>> {
        self.writes.iter().find_map(|write| match write {
            Write::Add(entry) if entry.id == id => Some(Arc::clone(&entry.body)),
            _ => None,
        })
    }

    fn under_way(&self) -> Vec<Hook> {
        self.sent.iter().filter_map(|seq| self.waiting.get(seq)).map(|waiting| waiting.hook).collect()
    }

    /// A hook that is not answered is asked by one event, now and then, and what is answered has room beside it.
    fn may_be_tried(&self, under_way: &[Hook], hook: Hook) -> bool {
        let tried = under_way.iter().filter(|hook| self.silent.due(**hook).is_some()).count();
        under_way.len() < MOST_SENT && tried < MOST_TRIED && !under_way.contains(&hook)
    }

    fn send_ready(&mut self, now: Instant) {
        while self.sent.len() < MOST_SENT && !self.held {
            let under_way = self.under_way();
            let may_go = |hook| {
                let is_due = |due| due <= now && self.may_be_tried(&under_way, hook);
                let has_room = !hook.goes_alone() || !under_way.contains(&hook);
                has_room && self.silent.due(hook).is_none_or(is_due)
            };
            let Some(waiting) = self.ready.first(may_go).and_then(|seq| self.waiting.get(&seq)) else {
                return;
            };
            self.ready.remove(waiting);
            let body = waiting.body.clone().or_else(|| self.unwritten(&waiting.id));
            self.sent.insert(waiting.seq);
            self.tasks.push_back(match body {
                Some(body) => waiting.send(body),
                None => Task::Read { seq: waiting.seq, id: waiting.id.clone() },
            });
        }
    }

    /// It is delivered, or dropped.
    fn remove(&mut self, seq: Seq) {
        if let Some(waiting) = self.leave(seq) {
            self.forget(waiting);
        }
        let all = self.waiting.len() + self.failed.len();
        self.alarmed &= self.limits.are_passed(all, self.bytes);
    }

    /// It waits no more, and the next of its object may go.
    fn leave(&mut self, seq: Seq) -> Option<Waiting> {
        let waiting = self.waiting.remove(&seq)?;
        self.kept_bytes = self.kept_bytes.saturating_sub(waiting.kept_bytes());
        self.sent.remove(&seq);
        self.ready.remove(&waiting);
        if let Some(due) = waiting.due {
            self.resting.remove(&(due, seq));
        }
        let queue = self.objects.get_mut(&waiting.object)?;
        if queue.front() == Some(&seq) {
            queue.pop_front();
        } else {
            queue.retain(|other| *other != seq);
        }
        if queue.is_empty() {
            self.objects.remove(&waiting.object);
        } else {
            self.settle_object(&waiting.object);
        }
        Some(waiting)
    }

    #[cfg(test)]
    pub(super) fn keeping_failed(mut self, failed: usize) -> Self {
        self.limits.failed = failed;
        self
    }

    #[cfg(test)]
    pub(super) fn limited_to(mut self, events: usize) -> Self {
        self.limits.events = events;
        self
    }

    #[cfg(test)]
    pub(super) fn keeping(mut self, bytes: u64) -> Self {
        self.limits.kept_bytes = bytes;
        self
    }

    /// The hooks of an object that wait.
    #[cfg(test)]
    pub(super) fn hooks_of(&self, object: &str) -> Vec<Hook> {
        let queue = self.objects.get(object).into_iter().flatten();
        queue.filter_map(|seq| self.waiting.get(seq)).map(|it| it.hook).collect()
    }
}

fn gone_id(write: &Write) -> Option<&str> {
    match write {
        Write::Gone(id) => Some(id),
        _ => None,
    }
}
