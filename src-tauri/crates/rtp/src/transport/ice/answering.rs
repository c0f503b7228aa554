//! The peer's checks (RFC 8445 section 7.3).

use std::net::SocketAddr;
use std::time::Instant;

use super::check::{Check, State};
use super::{Agent, DISCOVERED, PACE, SIGNALLED, Transmit};
use crate::transport::stun::{self, Binding};

/// Checks that are remembered until the peer's credentials are known.
const EARLY: usize = 4;

impl Agent {
    /// What is not authentic gets no answer: an error would only tell a stranger that somebody is here.
    pub(super) fn on_request(&mut self, now: Instant, from: SocketAddr, binding: &mut Binding) {
        let Some((ours, theirs)) = binding.username() else { return };
        let current =
            ours == self.local.ufrag && self.remote.as_ref().is_none_or(|remote| remote.ufrag == theirs);
        if !current {
            return self.on_old_request(from, binding, &ours, &theirs);
        }
        if !binding.is_authentic(&self.local.pwd) {
            return;
        }
        let unknown = binding.unknown();
        if !unknown.is_empty() {
            let data = stun::error(binding.id, 420, "Unknown Attribute", &unknown, &self.local.pwd);
            return self.transmits.push_back(Transmit { to: from, data });
        }
        if !self.settles_roles(from, binding) {
            return;
        }
        let data = stun::success(binding.id, from, Some(&self.local.pwd));
        self.transmits.push_back(Transmit { to: from, data });
        let (priority, nominated) = (binding.priority().unwrap_or(0), binding.uses_candidate());
        if self.remote.is_some() {
            self.trigger(now, from, priority, nominated);
        } else if self.early.len() < EARLY && !self.early.iter().any(|(known, ..)| *known == from) {
            self.early.push((from, priority, nominated));
        }
    }

    /// Of the generation before a restart: answered, so that the old path lives until there is a new one.
    fn on_old_request(&mut self, from: SocketAddr, binding: &mut Binding, ours: &str, theirs: &str) {
        let Some((local, remote)) = &self.previous else { return };
        if local.ufrag == ours && remote.ufrag == theirs && binding.is_authentic(&local.pwd) {
            let data = stun::success(binding.id, from, Some(&local.pwd));
            self.transmits.push_back(Transmit { to: from, data });
        }
    }

    /// RFC 8445 section 7.3.1.1: where both think they choose (or neither does) the greater number decides. False
    /// where the peer is told to change.
    fn settles_roles(&mut self, from: SocketAddr, binding: &Binding) -> bool {
        let Some(theirs) = binding.role() else { return true };
        if theirs.controlling != self.role.controlling {
            return true;
        }
        let greater = self.role.tie_breaker >= theirs.tie_breaker;
        if self.role.controlling == greater {
            let data = stun::error(binding.id, 487, "Role Conflict", &[], &self.local.pwd);
            self.transmits.push_back(Transmit { to: from, data });
            return false;
        }
        self.role.controlling = !self.role.controlling;
        self.checks.iter_mut().for_each(|check| check.nominating = false);
        true
    }

    /// The triggered check of RFC 8445 section 7.3.1.4.
    pub(super) fn trigger(&mut self, now: Instant, from: SocketAddr, priority: u32, nominated: bool) {
        let place = match self.checks.iter().position(|check| check.remote == from) {
            Some(place) => place,
            None if self.discovered < DISCOVERED && self.checks.len() < SIGNALLED + DISCOVERED => {
                self.discovered += 1;
                self.checks.push(Check::new(from, priority));
                self.checks.len() - 1
            }
            None => return,
        };
        let nominated = nominated && !self.role.controlling;
        let Some(check) = self.checks.get_mut(place) else { return };
        check.nominated |= nominated;
        match check.state {
            State::Succeeded if nominated => self.on_nominated(now, from),
            State::Succeeded => {}
            State::InProgress => check.hasten(now + PACE),
            State::Waiting => check.triggered = true,
            State::Failed => check.wait(true),
        }
    }

    /// The peer chose a pair that works. Where it chooses again, the better one wins, or the one that still lives.
    pub(super) fn on_nominated(&mut self, now: Instant, from: SocketAddr) {
        let priority = |address: SocketAddr| {
            self.checks.iter().find(|check| check.remote == address).map(|check| check.priority)
        };
        let better = match self.selected {
            Some(selected) if !self.is_concluded() || selected == from => true,
            Some(selected) => priority(from) >= priority(selected) || self.consent.is_doubtful(now),
            None => true,
        };
        if better {
            self.select(now, from);
        }
    }
}
