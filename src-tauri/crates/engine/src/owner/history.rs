//! Ended calls: the latest in memory, all of them in the database.

use super::{Owner, kept::Answer};
use crate::{
    io::clock,
    store::{MAX_PAGE, Opened, Page},
};
use sidetone_api::{CallId, Event, Failure, HistoryEntry, Reply};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

/// Entries of a snapshot.
pub(super) const LATEST: u32 = 200;
/// Of a text to search for.
const LONGEST_SEARCH: usize = 256;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Between two looks for entries that are too old.
const PRUNING: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Default)]
pub(super) struct History {
    /// By the time of their beginning, newest first.
    latest: VecDeque<HistoryEntry>,
    /// Missed calls that nobody has looked at.
    unseen: HashSet<CallId>,
    last_called: Option<HistoryEntry>,
    /// Recordings of calls that go on.
    recordings: HashMap<CallId, String>,
    /// Calls that go on and leave no trace.
    forgotten: HashSet<CallId>,
    /// Why the last entry was not kept, as it was told.
    pub(super) trouble: Option<String>,
    /// When entries may have become too old.
    pub(super) pruning: Option<Instant>,
}

impl History {
    pub(super) fn new(opened: &mut Opened) -> Self {
        Self {
            latest: std::mem::take(&mut opened.history).into(),
            unseen: std::mem::take(&mut opened.unseen).into_iter().collect(),
            last_called: opened.last_called.take(),
            ..Self::default()
        }
    }

    pub(super) fn latest(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.latest.iter()
    }

    pub(super) fn missed_calls(&self) -> u32 {
        u32::try_from(self.unseen.len()).unwrap_or(u32::MAX)
    }

    fn insert(&mut self, entry: HistoryEntry) {
        let place = self.latest.partition_point(|other| other.started_at > entry.started_at);
        self.latest.insert(place, entry);
        self.latest.truncate(LATEST as usize);
    }
}

impl Owner {
    /// The newest outgoing call that has ended: whom a redial calls, and by which account.
    pub(super) fn last_called(&self) -> Option<&HistoryEntry> {
        self.history.last_called.as_ref()
    }

    /// Keeps an ended call, or one that was refused without ringing.
    pub(super) fn add_history(&mut self, mut entry: HistoryEntry) {
        let recording = self.history.recordings.remove(&entry.call_id);
        if self.history.forgotten.remove(&entry.call_id) {
            return;
        }
        entry.recording = recording;
        let newest = self.history.last_called.as_ref().is_none_or(|last| last.started_at <= entry.started_at);
        if entry.direction == sidetone_api::CallDirection::Outgoing && newest {
            self.history.last_called = Some(entry.clone());
        }
        self.history.insert(entry.clone());
        self.publish(Event::HistoryAdded { entry: entry.clone() });
        if entry.missed && self.history.unseen.insert(entry.call_id.clone()) {
            self.publish_missed();
        }
        self.keep_in_store(move |db| db.add_history(&entry), |owner, gone| owner.forget_entries(&gone));
    }

    /// Where a call that goes on is recorded.
    pub(super) fn set_recording(&mut self, call: &CallId, path: String) {
        self.history.recordings.insert(call.clone(), path);
    }

    pub(super) fn get_history(&mut self, page: Page, answer: Answer) {
        let failure = if page.limit == 0 || page.limit > MAX_PAGE {
            Some(Failure::invalid("limit", format!("limit is 1 to {MAX_PAGE}")))
        } else {
            let search = page.search.as_deref().unwrap_or_default();
            let long = search.len() > LONGEST_SEARCH;
            long.then(|| {
                Failure::invalid("search", format!("at most {LONGEST_SEARCH} bytes are searched for"))
            })
        };
        match failure {
            Some(failure) => {
                let _ = answer.send(Err(failure));
            }
            None => self.ask_store(
                answer,
                move |db| db.history(&page),
                |_, entries| Ok(Reply::History { entries }),
            ),
        }
    }

    pub(super) fn see_missed_calls(&mut self) -> Result<Reply, Failure> {
        if !self.history.unseen.is_empty() {
            self.history.unseen.clear();
            self.publish_missed();
            self.keep_in_store(|db| db.see_missed(), |_, ()| {});
        }
        Ok(Reply::Done)
    }

    pub(super) fn remove_history(&mut self, call: CallId, answer: Answer) {
        let id = call.clone();
        let job = move |db: &mut crate::store::Database| Ok((db.remove_history(&id)?, db.last_called()?));
        self.ask_store(answer, job, move |owner, (removed, last_called)| {
            let known = owner.history.latest.iter().any(|entry| entry.call_id == call);
            if !removed && !known {
                return Err(Failure::not_found("history entry", call.as_str()));
            }
            if owner.history.last_called.as_ref().is_some_and(|last| last.call_id == call) {
                owner.history.last_called = last_called;
            }
            if known {
                owner.forget_entries(&[call]);
            } else {
                owner.publish(Event::HistoryRemoved { call_id: call.clone() });
                owner.forget_entries(&[call]);
            }
            Ok(Reply::Done)
        });
    }

    pub(super) fn clear_history(&mut self, answer: Answer) {
        let before = self.remembered();
        self.ask_store(
            answer,
            |db| db.clear_history(),
            move |owner, ()| {
                owner.forget_history(&before);
                Ok(Reply::Done)
            },
        );
    }

    /// What is in memory now; a call that ends meanwhile is not in it.
    pub(super) fn remembered(&self) -> HashSet<CallId> {
        let latest = self.history.latest.iter().map(|entry| entry.call_id.clone());
        let last = self.history.last_called.iter().map(|entry| entry.call_id.clone());
        latest.chain(last).chain(self.history.unseen.iter().cloned()).collect()
    }

    /// The database was emptied when it held `before`.
    pub(super) fn forget_history(&mut self, before: &HashSet<CallId>) {
        let history = &mut self.history;
        history.latest.retain(|entry| !before.contains(&entry.call_id));
        history.last_called.take_if(|last| before.contains(&last.call_id));
        let unseen = history.unseen.len();
        history.unseen.retain(|call| !before.contains(call));
        let seen = history.unseen.len() != unseen;
        let after: Vec<_> = history.latest.iter().rev().cloned().collect();
        self.publish(Event::HistoryCleared);
        for entry in after {
            self.publish(Event::HistoryAdded { entry });
        }
        if seen {
            self.publish_missed();
        }
    }

    /// The calls that go on now will not be in the history.
    pub(super) fn forget_present_calls(&mut self) {
        self.history.forgotten = self.calls.keys().cloned().collect();
        self.history.recordings.clear();
    }

    /// Drops what is older than the settings allow.
    pub(super) fn prune_history(&mut self) {
        let days = u64::from(self.settings.get().calls.keep_history_days);
        self.history.pruning = (days > 0).then(|| Instant::now() + PRUNING);
        if days > 0 {
            let since = clock::wallclock_ms().saturating_sub(days.saturating_mul(DAY_MS));
            self.keep_in_store(
                move |db| {
                    let gone = db.drop_history_before(since)?;
                    Ok((gone, db.last_called()?))
                },
                move |owner, (gone, last_called)| {
                    owner.forget_entries(&gone);
                    owner.history.last_called.take_if(|last| last.started_at < since);
                    owner.history.last_called = owner.history.last_called.take().or(last_called);
                },
            );
        }
    }

    /// They are not in the database any more.
    fn forget_entries(&mut self, gone: &[CallId]) {
        if gone.is_empty() {
            return;
        }
        let gone: HashSet<_> = gone.iter().collect();
        let latest = self.history.latest.iter().filter(|entry| gone.contains(&entry.call_id));
        let shown: Vec<_> = latest.map(|entry| entry.call_id.clone()).collect();
        self.history.latest.retain(|entry| !gone.contains(&entry.call_id));
        for call_id in shown {
            self.publish(Event::HistoryRemoved { call_id });
        }
        let before = self.history.unseen.len();
        self.history.unseen.retain(|call| !gone.contains(call));
        if self.history.unseen.len() != before {
            self.publish_missed();
        }
    }

    fn publish_missed(&mut self) {
        let missed_calls = self.history.missed_calls();
        self.publish(Event::MissedCallsChanged { missed_calls });
    }
}
