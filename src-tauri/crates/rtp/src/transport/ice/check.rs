use std::net::SocketAddr;
use std::time::Instant;

use super::REPEAT;
use crate::transport::stun::Id;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

/// The check of one pair (RFC 8445 section 6.1.2).
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) remote: SocketAddr,
    /// Of the remote candidate; the local part is the same for all.
    pub(super) priority: u32,
    pub(super) state: State,
    pub(super) id: Id,
    pub(super) tries: u8,
    /// Asked for by a check of the peer.
    pub(super) triggered: bool,
    /// Carries USE-CANDIDATE, as we chose this pair.
    pub(super) nominating: bool,
    /// The peer chose this pair.
    pub(super) nominated: bool,
    /// It went through once.
    valid: bool,
    repeat: Option<Instant>,
}

impl Check {
    pub(super) fn new(remote: SocketAddr, priority: u32) -> Self {
        Self {
            remote,
            priority,
            state: State::Waiting,
            id: [0; 12],
            tries: 0,
            triggered: false,
            nominating: false,
            nominated: false,
            valid: false,
            repeat: None,
        }
    }

    /// When it is to be sent again, or given up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.repeat.filter(|_| self.state == State::InProgress)
    }

    pub(super) fn awaits(&self, id: &Id) -> bool {
        self.state == State::InProgress && self.id == *id
    }

    /// Whether the peer answered there: a copy of one of its checks can come from anybody.
    pub(super) fn is_known(&self) -> bool {
        self.valid
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.state = State::InProgress;
        self.repeat = Some(now + REPEAT * (1 << self.tries.min(4)));
        self.tries += 1;
    }

    pub(super) fn succeed(&mut self) {
        self.state = State::Succeeded;
        self.valid = true;
    }

    /// The peer was heard: what is under way is repeated soon.
    pub(super) fn hasten(&mut self, soon: Instant) {
        self.triggered = true;
        self.repeat = self.repeat.map(|repeat| repeat.min(soon));
    }

    pub(super) fn fail(&mut self) {
        self.state = State::Failed;
        self.nominating = false;
    }

    /// Goes out again, under a new transaction.
    pub(super) fn wait(&mut self, triggered: bool) {
        self.state = State::Waiting;
        self.triggered |= triggered;
        self.tries = 0;
    }
}
