use super::{
    Config, Fields, Hook, Kind, Outcome, Policy, Trouble, Verdict,
    answer::{in_words, judge},
    breaker::Breaker,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

/// Questions under way, and those that wait for others of their object.
const MOST_ASKED: usize = 64;
const MOST_WAITING: usize = 1_024;
const SILENT: &str = "the backend does not answer";
const CROWDED: &str = "too many questions wait for the backend";

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
}

#[derive(Debug)]
struct Gate {
    question: Question,
    policy: Policy,
    /// `None` while it waits for its turn.
    deadline: Option<Instant>,
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
    }

    /// A verdict follows, at once or later: [`Output::Decided`].
    pub(crate) fn ask(&mut self, now: Instant, question: Question) -> GateId {
        self.next += 1;
        let id = GateId(self.next);
        if self.gates.len() >= MOST_WAITING {
            let policy = self.config(&question.session).policy(question.hook);
            let outcome = Err(Trouble::Unreachable(CROWDED.into()));
            self.decide(id, &question, &policy, &outcome);
            return id;
        }
        self.turns.entry(question.object.clone()).or_default().push_back(id);
        self.gates.insert(id, Gate { question, policy: Policy::default(), deadline: None });
        self.begin(now);
        id
    }

    /// Something of this kind is being asked about the object.
    pub(crate) fn is_asking(&self, object: &str, hook: Hook) -> bool {
        let of_object = self.turns.get(object).into_iter().flatten();
        of_object.filter_map(|id| self.gates.get(id)).any(|gate| gate.question.hook == hook)
    }

    pub(crate) fn on_outcome(&mut self, now: Instant, id: GateId, outcome: &Outcome) {
        if self.gates.contains_key(&id) {
            match outcome {
                Err(trouble) if trouble.is_silence() => self.breaker.silent(now),
                _ => self.breaker.answered(),
            }
        }
        if let Some(gate) = self.take(id) {
            self.decide(id, &gate.question, &gate.policy, outcome);
        }
        self.begin(now);
    }

    /// An event was, or was not, answered by the same backend.
    pub(crate) fn on_probe(&mut self, now: Instant, answered: bool) {
        self.breaker.probed(now, answered);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let is_late = |gate: &Gate| gate.deadline.is_some_and(|deadline| deadline <= now);
        let late: Vec<_> = self.gates.iter().filter(|(_, gate)| is_late(gate)).map(|(id, _)| *id).collect();
        for id in late {
            self.on_outcome(now, id, &Err(Trouble::TimedOut));
        }
        if self.breaker.take_probe(now) {
            self.out.push_back(Output::Probe { limit: self.limit });
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = self.gates.values().filter_map(|gate| gate.deadline);
        deadlines.chain(self.breaker.next_probe()).min()
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Begins those whose turn it is: the first of its object, once its session is connected.
    fn begin(&mut self, now: Instant) {
        while let Some(id) = self.next_turn() {
            self.begin_one(now, id);
        }
    }

    fn next_turn(&self) -> Option<GateId> {
        let mut waiting = self.gates.iter().filter(|(_, gate)| gate.deadline.is_none()).map(|(id, _)| *id);
        waiting.find(|id| self.has_its_turn(*id))
    }

    fn begin_one(&mut self, now: Instant, id: GateId) {
        let Some(gate) = self.gates.get_mut(&id) else { return };
        let hook = gate.question.hook;
        let config = self.configs.get(&gate.question.session).unwrap_or(&self.defaults);
        gate.policy = config.policy(hook);
        let is_off = gate.policy.is_off() && hook.kind() != Kind::Connect;
        if is_off || !gate.question.is_called {
            self.take(id);
            return self.out.push_back(Output::Decided { gate: id, verdict: Verdict::Go(Fields::new()) });
        }
        let without = match () {
            () if self.breaker.is_open() => Some(SILENT),
            () if self.asked >= MOST_ASKED => Some(CROWDED),
            () => None,
        };
        if let Some(reason) = without {
            if let Some(gate) = self.take(id) {
                let outcome = Err(Trouble::Unreachable(reason.into()));
                self.decide(id, &gate.question, &gate.policy, &outcome);
            }
            return;
        }
        gate.deadline = Some(now + self.limit);
        self.asked += 1;
        let fields = gate.policy.without_excluded(gate.question.fields.clone());
        self.out.push_back(Output::Send { gate: id, hook, fields, limit: self.limit });
    }

    fn has_its_turn(&self, id: GateId) -> bool {
        let Some(gate) = self.gates.get(&id) else { return false };
        let is_first = |object: &str| self.turns.get(object).and_then(|turns| turns.front()) == Some(&id);
        let connects = gate.question.hook.kind() == Kind::Connect;
        is_first(&gate.question.object)
            && (connects || !self.is_asking(&gate.question.session, Hook::Connect))
    }

    fn take(&mut self, id: GateId) -> Option<Gate> {
        let gate = self.gates.remove(&id)?;
        self.asked -= usize::from(gate.deadline.is_some());
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
        if let (Kind::Connect, Verdict::Go(fields)) = (hook.kind(), &verdict) {
            self.configs.insert(session.clone(), self.defaults.changed_by(Some(fields)));
        }
        self.out.push_back(Output::Decided { gate, verdict });
    }
}
