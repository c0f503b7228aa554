use super::{
    Config, Fields, Hook, Kind, Outcome, Policy, Trouble, Verdict,
    answer::{in_words, judge, may_pass},
    breaker::Breaker,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

/// Questions under way.
const MOST_ASKED: usize = 64;
/// The same with those that wait for their turn, of all objects and of one.
const MOST_WAITING: usize = 1_024;
const MOST_OF_OBJECT: usize = 16;
/// Of them, about messages.
const MOST_MESSAGES: usize = 512;
/// Of those under way, and of all, those of pages: one page has as many sessions and streams as it likes.
const MOST_ASKED_OF_PAGES: usize = 48;
const MOST_WAITING_OF_PAGES: usize = 768;
const SILENT: &str = "the backend does not answer";
const CROWDED: &str = "too many questions wait for the backend";
const UNCONNECTED: &str = "the backend has yet to decide on the session";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GateId(u64);

/// What the backend is to decide on.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) hook: Hook,
    pub(crate) session: String,
    /// The session, call, stream or message: what is asked about one is asked one after the other.
    pub(crate) object: String,
    pub(crate) fields: Fields,
    /// Otherwise it waits for its session alone.
    pub(crate) is_called: bool,
    /// A browser's, or that of who stands in for one.
    pub(crate) of_page: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    /// To be sent, and answered by [`Gates::on_outcome`] within this time.
    Send {
        gate: GateId,
        hook: Hook,
        fields: Fields,
        limit: Duration,
    },
    Decided {
        gate: GateId,
        verdict: Verdict,
    },
    /// The session is refused, in the next output, for want of an answer and not by one.
    Undecided {
        session: String,
    },
    /// For the log: what was decided against the backend's word, or without it.
    Log {
        hook: Hook,
        object: String,
        info: String,
    },
    /// Whether anybody is there is to be found out: [`Gates::on_probe`].
    Probe {
        limit: Duration,
    },
    /// Somebody answers, after nobody had.
    Back,
}

#[derive(Debug)]
struct Gate {
    question: Question,
    policy: Policy,
    /// From when it was asked, whatever it waits for.
    deadline: Instant,
    /// Otherwise it waits for its turn.
    sent: bool,
}

/// The invocations that wait. Emptied by [`Gates::poll`].
#[derive(Debug)]
pub(crate) struct Gates {
    next: u64,
    limit: Duration,
    defaults: Config,
    configs: HashMap<String, Config>,
    gates: BTreeMap<GateId, Gate>,
    /// By object, in the order in which they were asked.
    turns: HashMap<String, VecDeque<GateId>>,
    asked: usize,
    asked_of_pages: usize,
    /// What proves that it is us is awaited: nothing goes out.
    held: bool,
    /// Sessions that have yet to ask whether they may connect: nothing of them is asked before.
    unconnected: HashSet<String>,
    breaker: Breaker,
    out: VecDeque<Output>,
}

impl Gates {
    pub(crate) fn new(limit: Duration, defaults: Config) -> Self {
        Self {
            next: 0,
            limit,
            defaults,
            configs: HashMap::new(),
            gates: BTreeMap::new(),
            turns: HashMap::new(),
            asked: 0,
            asked_of_pages: 0,
            held: false,
            unconnected: HashSet::new(),
            breaker: Breaker::default(),
            out: VecDeque::new(),
        }
    }

    /// Other settings. What the backend has said of sessions that are connected stays.
    pub(crate) fn set(&mut self, limit: Duration, defaults: Config, same_backend: bool) {
        (self.limit, self.defaults) = (limit, defaults);
        if !same_backend {
            self.configs.clear();
            self.breaker.answered();
        }
    }

    pub(crate) fn config(&self, session: &str) -> &Config {
        self.configs.get(session).unwrap_or(&self.defaults)
    }

    pub(crate) fn forget_session(&mut self, session: &str) {
        self.configs.remove(session);
        self.unconnected.remove(session);
    }

    /// What waits goes on waiting, each until its time has passed; or goes out now.
    pub(crate) fn hold(&mut self, now: Instant, held: bool) {
        self.held = held;
        self.begin(now);
    }

    /// A session will ask whether it may connect, and nothing of it is asked before.
    pub(crate) fn await_connect(&mut self, session: &str) {
        self.unconnected.insert(session.into());
    }

    /// It has asked.
    pub(crate) fn connects(&mut self, now: Instant, session: &str) {
        self.unconnected.remove(session);
        self.begin(now);
    }

    /// The backend has yet to decide on it.
    pub(crate) fn is_connecting(&self, session: &str) -> bool {
        self.unconnected.contains(session) || self.is_asking(session, Hook::Connect)
    }

    /// Messages alone may not take the place of everything else.
    fn has_too_many_messages(&self) -> bool {
        let is_message = |gate: &&Gate| gate.question.hook == Hook::OnDataEvent;
        self.gates.values().filter(is_message).count() >= MOST_MESSAGES
    }

    fn have_pages_enough(&self) -> bool {
        self.gates.values().filter(|gate| gate.question.of_page).count() >= MOST_WAITING_OF_PAGES
    }

    /// No more can be asked about this object before something is decided.
    pub(crate) fn is_full(&self, object: &str) -> bool {
        self.turns.get(object).is_some_and(|turns| turns.len() >= MOST_OF_OBJECT)
    }

    /// A verdict follows, at once or later: [`Output::Decided`].
    pub(crate) fn ask(&mut self, now: Instant, question: Question) -> GateId {
        self.next += 1;
        let id = GateId(self.next);
        let is_message = question.hook == Hook::OnDataEvent;
        if self.is_full(&question.object) || (is_message && self.has_too_many_messages()) {
            // Whoever asks so much is told, and nobody else waits for it.
            let verdict = Verdict::Refused { info: CROWDED.into() };
            self.out.push_back(Output::Decided { gate: id, verdict });
            return id;
        }
        if self.gates.len() >= MOST_WAITING || (question.of_page && self.have_pages_enough()) {
            let policy = self.config(&question.session).policy(question.hook);
            self.decide(id, &question, &policy, &Err(Trouble::Unreachable(CROWDED.into())));
            return id;
        }
        self.turns.entry(question.object.clone()).or_default().push_back(id);
        let deadline = now + self.limit;
        self.gates.insert(id, Gate { question, policy: Policy::default(), deadline, sent: false });
        self.begin(now);
        id
    }

    /// Something of this kind is being asked about the object.
    pub(crate) fn is_asking(&self, object: &str, hook: Hook) -> bool {
        let of_object = self.turns.get(object).into_iter().flatten();
        of_object.filter_map(|id| self.gates.get(id)).any(|gate| gate.question.hook == hook)
    }

    /// What was asked is wanted no more. Gives those that have no verdict and get none.
    pub(crate) fn withdraw(&mut self, now: Instant, object: &str, hook: Hook) -> Vec<GateId> {
        let of_object = self.turns.get(object).into_iter().flatten().copied();
        let is_of_hook = |id: &GateId| self.gates.get(id).is_some_and(|gate| gate.question.hook == hook);
        let withdrawn: Vec<_> = of_object.filter(is_of_hook).collect();
        for id in &withdrawn {
            self.take(*id);
        }
        self.begin(now);
        withdrawn
    }

    pub(crate) fn on_outcome(&mut self, now: Instant, id: GateId, outcome: &Outcome) {
        self.conclude(now, id, outcome);
        self.begin(now);
    }

    fn conclude(&mut self, now: Instant, id: GateId, outcome: &Outcome) {
        if self.gates.contains_key(&id) || self.breaker.is_trying(id) {
            match outcome {
                Err(trouble) if trouble.is_silence() => self.breaker.silent(now, id),
                _ if self.breaker.answered() => self.out.push_back(Output::Back),
                _ => {}
            }
        }
        if let Some(gate) = self.take(id) {
            self.decide(id, &gate.question, &gate.policy, outcome);
        }
    }

    /// An event was, or was not, answered by the same backend.
    pub(crate) fn on_probe(&mut self, now: Instant, answered: bool) {
        self.breaker.probed(now, answered);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let is_late = |gate: &Gate| gate.deadline <= now;
        let late: Vec<_> = self.gates.iter().filter(|(_, gate)| is_late(gate)).map(|(id, _)| *id).collect();
        for id in late {
            match self.gates.get(&id).map(|gate| gate.sent) {
                Some(true) => self.conclude(now, id, &Err(Trouble::TimedOut)),
                Some(false) => self.give_up(id),
                None => {}
            }
        }
        self.begin(now);
        if self.breaker.take_probe(now) {
            self.out.push_back(Output::Probe { limit: self.limit });
        }
    }

    /// Its time has passed before its turn came.
    fn give_up(&mut self, id: GateId) {
        let Some(gate) = self.take(id) else { return };
        let Question { hook, session, is_called, .. } = &gate.question;
        let connects = hook.kind() == Kind::Connect;
        let policy = self.config(session).policy(*hook);
        let verdict = match () {
            () if !connects && self.is_connecting(session) => Verdict::Refused { info: UNCONNECTED.into() },
            () if !is_called || (policy.is_off() && !connects) => Verdict::Go(Fields::new()),
            () => return self.decide(id, &gate.question, &policy, &Err(Trouble::TimedOut)),
        };
        self.out.push_back(Output::Decided { gate: id, verdict });
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = self.gates.values().map(|gate| gate.deadline);
        deadlines.chain(self.breaker.next_probe()).min()
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Begins those whose turn it is: the first of its object, once its session is connected, and while there is room.
    fn begin(&mut self, now: Instant) {
        while let Some(id) = self.next_turn(now) {
            self.begin_one(now, id);
        }
    }

    fn next_turn(&self, now: Instant) -> Option<GateId> {
        let has_room = self.asked < MOST_ASKED && !self.held;
        let have_pages_room = has_room && self.asked_of_pages < MOST_ASKED_OF_PAGES;
        let goes = |gate: &Gate| {
            let has_room = if gate.question.of_page { have_pages_room } else { has_room };
            has_room || !self.is_to_be_sent(now, &gate.question)
        };
        let waiting = self.gates.iter().filter(|(_, gate)| !gate.sent);
        let mut turns = waiting.filter(|(id, gate)| self.has_its_turn(**id) && goes(gate));
        turns.next().map(|(id, _)| *id)
    }

    /// Otherwise it is decided here.
    fn is_to_be_sent(&self, now: Instant, question: &Question) -> bool {
        self.is_called(question) && self.breaker.admits(now)
    }

    fn is_called(&self, question: &Question) -> bool {
        let is_off = || self.config(&question.session).policy(question.hook).is_off();
        question.is_called && (question.hook.kind() == Kind::Connect || !is_off())
    }

    fn begin_one(&mut self, now: Instant, id: GateId) {
        let Some(gate) = self.gates.get(&id) else { return };
        let (is_called, hook) = (self.is_called(&gate.question), gate.question.hook);
        let policy = self.config(&gate.question.session).policy(hook);
        if is_called && self.breaker.admits(now) {
            let Some(gate) = self.gates.get_mut(&id) else { return };
            gate.sent = true;
            self.asked += 1;
            self.asked_of_pages += usize::from(gate.question.of_page);
            self.breaker.asked(id);
            let fields = policy.without_excluded(gate.question.fields.clone());
            gate.policy = policy;
            let limit = gate.deadline.saturating_duration_since(now);
            return self.out.push_back(Output::Send { gate: id, hook, fields, limit });
        }
        let Some(gate) = self.take(id) else { return };
        if is_called {
            self.decide(id, &gate.question, &policy, &Err(Trouble::Unreachable(SILENT.into())));
        } else {
            self.out.push_back(Output::Decided { gate: id, verdict: Verdict::Go(Fields::new()) });
        }
    }

    fn has_its_turn(&self, id: GateId) -> bool {
        let Some(gate) = self.gates.get(&id) else { return false };
        let is_first = |object: &str| self.turns.get(object).and_then(|turns| turns.front()) == Some(&id);
        let connects = gate.question.hook.kind() == Kind::Connect;
        is_first(&gate.question.object) && (connects || !self.is_connecting(&gate.question.session))
    }

    fn take(&mut self, id: GateId) -> Option<Gate> {
        let gate = self.gates.remove(&id)?;
        self.asked -= usize::from(gate.sent);
        self.asked_of_pages -= usize::from(gate.sent && gate.question.of_page);
        if let Some(turns) = self.turns.get_mut(&gate.question.object) {
            turns.retain(|other| *other != id);
            if turns.is_empty() {
                self.turns.remove(&gate.question.object);
            }
        }
        Some(gate)
    }

    fn decide(&mut self, gate: GateId, question: &Question, policy: &Policy, outcome: &Outcome) {
        let Question { hook, session, object, .. } = question;
        if let Some(info) = in_words(outcome) {
            self.out.push_back(Output::Log { hook: *hook, object: object.clone(), info });
        }
        let verdict = judge(*hook, policy, outcome);
        match &verdict {
            Verdict::Go(fields) if hook.kind() == Kind::Connect => {
                self.configs.insert(session.clone(), self.defaults.changed_by(Some(fields)));
            }
            Verdict::Refused { .. } if hook.kind() == Kind::Connect && may_pass(outcome) => {
                self.out.push_back(Output::Undecided { session: session.clone() });
            }
            _ => {}
        }
        self.out.push_back(Output::Decided { gate, verdict });
    }
}
