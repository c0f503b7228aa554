use super::GateId;
use std::time::{Duration, Instant};

/// Questions in a row that nobody answered.
const MOST_SILENCES: u32 = 3;
/// Between two probes.
const PROBING: Duration = Duration::from_secs(5);
/// Where probes are never answered, and questions may be all the same.
const TRYING: Duration = Duration::from_secs(60);

/// Nobody waits for a backend that is known not to answer.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    silences: u32,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// `probe`: when it is due, `None` while one is under way. `trial`: when a question goes out without one.
    Open { probe: Option<Instant>, trial: Instant },
    /// A probe was answered, maybe by something before the application: one question shall tell.
    HalfOpen,
    /// It is under way.
    Trying(GateId),
}

impl Breaker {
    /// Whether somebody may be asked.
    pub(super) fn admits(&self, now: Instant) -> bool {
        match self.state {
            State::Closed | State::HalfOpen => true,
            State::Open { trial, .. } => trial <= now,
            State::Trying(_) => false,
        }
    }

    /// It is asked.
    pub(super) fn asked(&mut self, id: GateId) {
        if !matches!(self.state, State::Closed) {
            self.state = State::Trying(id);
        }
    }

    /// Whether this one is to tell, also where nobody waits for its verdict any more.
    pub(super) fn is_trying(&self, id: GateId) -> bool {
        matches!(self.state, State::Trying(trial) if trial == id)
    }

    /// `true` where it was not known that anybody answers.
    pub(super) fn answered(&mut self) -> bool {
        self.silences = 0;
        !matches!(std::mem::take(&mut self.state), State::Closed)
    }

    pub(super) fn silent(&mut self, now: Instant, id: GateId) {
        self.silences = self.silences.saturating_add(1);
        let opens = match self.state {
            State::Closed => self.silences >= MOST_SILENCES,
            State::Trying(trial) => trial == id,
            State::Open { .. } | State::HalfOpen => false,
        };
        if opens {
            self.state = State::Open { probe: Some(now + PROBING), trial: now + TRYING };
        }
    }

    pub(super) fn probed(&mut self, now: Instant, answered: bool) {
        if let State::Open { probe, .. } = &mut self.state {
            if answered {
                self.state = State::HalfOpen;
            } else {
                *probe = Some(now + PROBING);
            }
        }
    }

    pub(super) fn next_probe(&self) -> Option<Instant> {
        match self.state {
            State::Open { probe, .. } => probe,
            _ => None,
        }
    }

    /// True once, when a probe is due.
    pub(super) fn take_probe(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Open { probe, .. } => probe.take_if(|due| *due <= now).is_some(),
            _ => false,
        }
    }
}
