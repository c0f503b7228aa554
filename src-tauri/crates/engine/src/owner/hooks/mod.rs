//! What the backend is asked and told of what happens here. Decided in [`crate::hooks`]; this is its way to the rest of the owner:
//! who waits for a verdict, what is sent, what is kept.

mod asked;
mod door;
mod fields;
mod kept;
mod session;
mod settings;
mod told;

pub(super) use asked::changed;
pub(super) use fields::{as_streams_are, of_data, of_offer, sip_status, with_status};
pub(super) use settings::{check, secret_name};

use super::Owner;
use crate::{
    hooks::{
        Config, Fields, GateId, Gates, Hook, Outbox, Outcome, Output, Question, Row, Seq, Task, Verdict,
    },
    io::clock,
};
use door::Door;
use session::Again;
use sidetone_api::{HooksView, NoticeLevel, SessionId};
use std::{
    collections::HashMap,
    fmt,
    time::{Duration, Instant},
};

/// Between two looks at what has failed too long ago.
const PRUNING: Duration = Duration::from_secs(60 * 60);
/// Between two views for the clients.
const BETWEEN_VIEWS: Duration = Duration::from_millis(500);

/// What is shown of a call or stream that the backend has yet to decide on.
pub(super) const ASKING: &str = "waits for the backend";

/// Goes on with a verdict.
type Then = Box<dyn FnOnce(&mut Owner, Verdict)>;

pub(super) struct Hooks {
    gates: Gates,
    outbox: Outbox,
    /// Those who wait for verdicts.
    waiting: HashMap<GateId, Then>,
    /// `None`: there is no backend.
    door: Option<Door>,
    /// The key store is asked for it.
    waits_for_secret: bool,
    /// What waits outlives this run.
    durable: bool,
    /// What identifies this program, and this run of it.
    node_id: String,
    /// The disk is writing.
    writing: bool,
    /// When the disk is asked again, after it did not take something.
    write_due: Option<Instant>,
    keep_alive: Option<Instant>,
    again: Again,
    pruning: Instant,
    /// As it was told last, and when.
    told: HooksView,
    told_at: Option<Instant>,
    /// When it is told again.
    telling: Option<Instant>,
}

/// What comes back from the backend.
#[derive(Debug)]
pub(super) enum Answered {
    Gate(GateId, Outcome),
    Probe(bool),
    Event(Seq, Outcome),
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("gates", &self.gates).field("door", &self.door).finish_non_exhaustive()
    }
}

impl Hooks {
    pub(super) fn new(rows: Vec<Row>, device: &str, durable: bool) -> Self {
        Self {
            gates: Gates::new(Duration::ZERO, Config::default()),
            outbox: Outbox::new(Instant::now(), clock::wallclock_ms(), rows),
            waiting: HashMap::new(),
            door: None,
            waits_for_secret: false,
            durable,
            node_id: format!("{device}@{}", gethostname::gethostname().to_string_lossy()),
            writing: false,
            write_due: None,
            keep_alive: None,
            again: Again::default(),
            pruning: Instant::now() + PRUNING,
            told: HooksView::default(),
            told_at: None,
            telling: None,
        }
    }

    pub(super) fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Whether the backend hears of this at all.
    fn calls(&self, hook: Hook, session: &str) -> bool {
        let Some(door) = &self.door else { return false };
        match &door.methods {
            Some(methods) => methods.contains(&hook),
            None => !hook.is_extra() || self.gates.config(session).names(hook),
        }
    }

    pub(super) fn forget_session(&mut self, session: &SessionId) {
        self.gates.forget_session(session.as_str());
        self.again.forget(session);
    }

    /// Nothing is left that a backend which answers would take at once.
    pub(super) fn is_idle(&self) -> bool {
        self.door.is_none() || self.outbox.is_at_rest()
    }

    pub(super) fn is_asking(&self, object: &str, hook: Hook) -> bool {
        self.gates.is_asking(object, hook)
    }

    /// No more can be asked about this object now.
    pub(super) fn is_full(&self, object: &str) -> bool {
        self.gates.is_full(object)
    }

    /// Whether log lines of another batch may wait.
    pub(super) fn has_room_for_logs(&self, object: &str) -> bool {
        self.outbox.has_room_for_logs(object)
    }

    pub(super) fn view(&self) -> HooksView {
        self.outbox.view()
    }

    /// The client goes on seeing what it asked for.
    pub(super) fn hides(&self, session: &str, hook: Hook, field: &str) -> bool {
        self.gates.config(session).policy(hook).hides(field)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let gates = self.gates.poll_timeout();
        let outbox = self.outbox.poll_timeout().filter(|_| self.door.is_some());
        // Where nothing has failed there is nothing to forget.
        let pruning = self.outbox.has_failed().then_some(self.pruning);
        let own = [self.write_due, self.keep_alive, self.telling, self.again.next()];
        own.into_iter().chain([gates, outbox, pruning]).flatten().min()
    }
}

impl Owner {
    /// Whether somebody has to be asked before this goes on.
    pub(super) fn must_ask(&self, hook: Hook, session: &str) -> bool {
        let session = self.hook_session(session);
        self.hooks.calls(hook, &session) || self.hooks.gates.is_connecting(&session)
    }

    /// Whether the backend is told of this.
    pub(super) fn hears_of(&self, hook: Hook, session: &str) -> bool {
        self.hooks.calls(hook, session) && !self.hooks.gates.config(session).policy(hook).is_off()
    }

    /// Asks the backend; `then` goes on with its verdict, at once where nobody is asked. What belongs to a session waits until that
    /// is connected.
    pub(super) fn gate(
        &mut self,
        hook: Hook,
        session: &str,
        object: &str,
        fields: Fields,
        then: impl FnOnce(&mut Self, Verdict) + 'static,
    ) {
        let session = &self.hook_session(session);
        if !self.must_ask(hook, session) {
            return then(self, Verdict::Go(Fields::new()));
        }
        let question = Question {
            hook,
            session: session.clone(),
            object: object.into(),
            fields: self.whole(session, fields),
            is_called: self.hooks.calls(hook, session),
            of_page: self.client_app_key(session).is_some(),
        };
        let gate = self.hooks.gates.ask(Instant::now(), question);
        self.hooks.waiting.insert(gate, Box::new(then));
    }

    /// The opposite is wanted now. `true` where something waited for its verdict.
    pub(super) fn withdraw(&mut self, hook: Hook, object: &str) -> bool {
        let withdrawn = self.hooks.gates.withdraw(Instant::now(), object, hook);
        for gate in &withdrawn {
            self.hooks.waiting.remove(gate);
        }
        !withdrawn.is_empty()
    }

    /// Carries out what the rules have decided. `true` where there was nothing.
    pub(super) fn drain_hooks(&mut self) -> bool {
        let mut idle = true;
        while let Some(output) = self.hooks.gates.poll() {
            idle = false;
            match output {
                Output::Send { gate, hook, fields, limit } => self.send_gate(gate, hook, &fields, limit),
                Output::Decided { gate, verdict } => {
                    if let Some(then) = self.hooks.waiting.remove(&gate) {
                        then(self, verdict);
                    }
                }
                Output::Undecided { session } => {
                    let session = SessionId::new(session);
                    if self.sessions.contains_key(&session) {
                        self.hooks.again.later(&session);
                    }
                }
                Output::Log { hook, object, info } => {
                    tracing::info!(%hook, %object, "the backend: {}", super::text::shown(&info));
                }
                Output::Probe { limit } => self.probe_backend(limit),
                Output::Back => {
                    self.hooks.outbox.on_back(Instant::now());
                    self.hooks.again.now();
                }
            }
        }
        while let Some(task) = self.hooks.outbox.poll() {
            idle = false;
            self.do_task(task);
        }
        self.write_outbox();
        self.tell_hooks();
        idle
    }

    pub(super) fn on_hook_answered(&mut self, answered: Answered) {
        let now = Instant::now();
        match answered {
            Answered::Gate(gate, outcome) => self.hooks.gates.on_outcome(now, gate, &outcome),
            Answered::Probe(answers) => self.hooks.gates.on_probe(now, answers),
            Answered::Event(seq, outcome) => {
                let answers = outcome.as_ref().err().is_none_or(|trouble| !trouble.is_silence());
                if answers {
                    self.hooks.gates.on_probe(now, true);
                }
                let random = clock::random().map(u32::from_be_bytes).unwrap_or(u32::MAX / 2);
                self.hooks.outbox.on_outcome(now, seq, &outcome, random);
            }
        }
    }

    pub(super) fn on_hooks_due(&mut self, now: Instant) {
        self.hooks.gates.handle_timeout(now);
        self.hooks.outbox.handle_timeout(now);
        self.connect_undecided(now);
        self.hooks.write_due.take_if(|due| *due <= now);
        if self.hooks.pruning <= now {
            self.hooks.pruning = now + PRUNING;
            self.hooks.outbox.prune(now);
        }
        if self.hooks.keep_alive.is_some_and(|due| due <= now) {
            self.tell_that_streams_live(now);
        }
    }

    fn do_task(&mut self, task: Task) {
        match task {
            Task::Send { seq, id, hook, body } => self.send_event(seq, &id, hook, &body),
            Task::Read { seq, id } => self.read_event(seq, id),
            Task::Told { hook, session, object, outcome, first } => {
                self.on_event_told(hook, &session, &object, &outcome, first);
            }
            Task::Alarm(info) => self.notice(NoticeLevel::Error, &info, None),
        }
    }

    /// The view, but not more often than anybody can read.
    fn tell_hooks(&mut self) {
        let now = Instant::now();
        self.hooks.telling.take_if(|due| *due <= now);
        if self.hooks.telling.is_some() || self.hooks.view() == self.hooks.told {
            return;
        }
        match self.hooks.told_at.map(|at| at + BETWEEN_VIEWS).filter(|due| *due > now) {
            Some(due) => self.hooks.telling = Some(due),
            None => self.tell_hooks_now(),
        }
    }

    /// What clients know is what a snapshot says.
    pub(super) fn tell_hooks_now(&mut self) {
        let view = self.hooks.view();
        if view != self.hooks.told {
            self.hooks.told = view.clone();
            self.hooks.told_at = Some(Instant::now());
            self.publish(sidetone_api::Event::HooksChanged { hooks: view });
        }
    }

    /// Of a session of ours that streams belong to: the one at our own gateway, or the first.
    pub(super) fn session_of_streams(&self) -> Option<SessionId> {
        let open = || self.sessions.values().filter(|session| !session.is_closing());
        let local = open().find(|session| session.is_local());
        local.or_else(|| open().next()).map(|session| session.id.clone())
    }
}
