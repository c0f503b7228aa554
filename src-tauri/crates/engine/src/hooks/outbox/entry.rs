use super::super::{Hook, Outcome};
use sidetone_api::HookEventView;
use std::{sync::Arc, time::Instant};

/// The year 2020, in milliseconds since 1970: earlier times are of a clock that nobody had set.
const SET: u64 = 1_577_836_800_000;

/// Where an event stands among all of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seq(pub(crate) u64);

/// An event, or what never waits for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its idempotency key.
    pub(crate) id: String,
    pub(crate) hook: Hook,
    pub(crate) session: String,
    /// The session, call, stream or message: its events arrive in order.
    pub(crate) object: String,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    /// JSON.
    pub(crate) body: Arc<str>,
}

/// An event as the disk gives it back, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) hook: Hook,
    pub(crate) session: String,
    pub(crate) object: String,
    pub(crate) at: u64,
    pub(crate) bytes: u64,
    pub(crate) attempts: u32,
    pub(crate) failed: bool,
    pub(crate) info: String,
}

/// What the disk has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Write {
    Add(Arc<Entry>),
    /// By its id, as the others.
    Gone(String),
    Failed {
        id: String,
        attempts: u32,
        info: String,
    },
    /// It waits once more.
    Again(String),
}

impl Write {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Add(entry) => &entry.id,
            Self::Gone(id) | Self::Failed { id, .. } | Self::Again(id) => id,
        }
    }
}

/// What is to be done for an outbox.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    /// To the backend; its outcome is told.
    Send { seq: Seq, id: String, hook: Hook, body: Arc<str> },
    /// The body is to be read from the disk.
    Read { seq: Seq, id: String },
    /// What came of an attempt.
    Told { hook: Hook, session: String, object: String, outcome: Outcome, first: bool },
    /// The limits are passed: in words.
    Alarm(String),
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) seq: Seq,
    pub(super) id: String,
    pub(super) hook: Hook,
    pub(super) session: String,
    pub(super) object: String,
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) attempts: u32,
    pub(super) info: String,
    /// Since when it is known to this run, and its age then in milliseconds.
    pub(super) since: Instant,
    pub(super) older_ms: u64,
    /// When it is tried again.
    pub(super) due: Option<Instant>,
    /// `None`: on disk alone.
    pub(super) body: Option<Arc<str>>,
}

impl Waiting {
    pub(super) fn new(now: Instant, seq: Seq, entry: &Entry, kept: bool) -> Self {
        Self {
            seq,
            id: entry.id.clone(),
            hook: entry.hook,
            session: entry.session.clone(),
            object: entry.object.clone(),
            at: entry.at,
            bytes: entry.body.len() as u64,
            attempts: 0,
            info: String::new(),
            since: now,
            older_ms: 0,
            due: None,
            body: kept.then(|| Arc::clone(&entry.body)),
        }
    }

    /// `wallclock`: milliseconds since 1970.
    pub(super) fn of(now: Instant, wallclock: u64, seq: Seq, row: Row) -> Self {
        let Row { id, hook, session, object, at, bytes, attempts, info, failed: _ } = row;
        let older_ms = if at < SET { 0 } else { wallclock.saturating_sub(at) };
        let (since, due, body) = (now, None, None);
        Self { seq, id, hook, session, object, at, bytes, attempts, info, since, older_ms, due, body }
    }

    /// By a clock that nobody sets.
    pub(super) fn age_ms(&self, now: Instant) -> u64 {
        let here = now.saturating_duration_since(self.since).as_millis();
        self.older_ms.saturating_add(u64::try_from(here).unwrap_or(u64::MAX))
    }

    pub(super) fn send(&self, body: Arc<str>) -> Task {
        Task::Send { seq: self.seq, id: self.id.clone(), hook: self.hook, body }
    }

    /// Of its body in memory.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.body.as_ref().map_or(0, |body| body.len() as u64)
    }

    pub(super) fn view(&self, failed: bool) -> HookEventView {
        HookEventView {
            id: self.id.clone(),
            hook: self.hook.name().into(),
            object: self.object.clone(),
            at: self.at,
            attempts: self.attempts,
            failed,
            info: self.info.clone(),
        }
    }
}
