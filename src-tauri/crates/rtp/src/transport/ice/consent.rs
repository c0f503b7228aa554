//! Consent freshness (RFC 7675).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Agent, IceEvent, Transmit};
use crate::transport::random::Random;
use crate::transport::stun::{self, Binding, Class, Id};

/// Between two questions, give or take a fifth.
const INTERVAL: Duration = Duration::from_secs(5);
/// Without an answer for so long nothing may be sent.
const EXPIRY: Duration = Duration::from_secs(30);
/// Without an answer for so long another pair is as good.
const DOUBT: Duration = Duration::from_secs(11);
/// Questions whose answers may still come.
const OPEN: usize = 8;

/// Whether the peer still wants what we send. When it has been silent for too long media stops; the questions go on,
/// so that the call goes on with the first answer after an outage.
#[derive(Debug)]
pub(super) struct Consent {
    next: Instant,
    answered: Instant,
    given: bool,
    open: Vec<Id>,
}

impl Consent {
    pub(super) fn new(now: Instant) -> Self {
        Self { next: now, answered: now, given: false, open: Vec::new() }
    }

    /// A check went through, which is consent too.
    pub(super) fn begin(&mut self, now: Instant, random: &mut Random) {
        self.given = true;
        self.answered = now;
        self.next = now + interval(random);
        self.open.clear();
    }

    pub(super) fn is_given(&self) -> bool {
        self.given
    }

    pub(super) fn is_doubtful(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.answered) >= DOUBT
    }

    pub(super) fn due(&self) -> Instant {
        if self.given { self.next.min(self.answered + EXPIRY) } else { self.next }
    }

    pub(super) fn asked(&self, id: &Id) -> bool {
        self.open.contains(id)
    }
}

impl Agent {
    pub(super) fn keep_consent(&mut self, now: Instant) {
        let Some(selected) = self.selected else { return };
        if now >= self.consent.answered + EXPIRY && std::mem::take(&mut self.consent.given) {
            self.events.push_back(IceEvent::Silent);
        }
        if now < self.consent.next {
            return;
        }
        self.consent.next = now + interval(&mut self.random);
        let id = self.random.transaction();
        if self.consent.open.len() >= OPEN {
            self.consent.open.remove(0);
        }
        self.consent.open.push(id);
        // While a restart goes on, the path in use is one of the generation before.
        let current = self.remote.as_ref().map(|remote| (&self.local, remote));
        let old = self.previous.as_ref().map(|(local, remote)| (local, remote));
        let Some((local, remote)) = old.or(current) else { return };
        let username = format!("{}:{}", remote.ufrag, local.ufrag);
        let priority = super::reflexive_priority(self.component);
        let data = stun::check(id, &username, &remote.pwd, priority, self.role, false);
        self.transmits.push_back(Transmit { to: selected, data });
    }

    pub(super) fn on_consent(&mut self, now: Instant, from: SocketAddr, binding: &mut Binding) {
        let old = self.previous.as_ref().map(|(_, remote)| remote);
        let Some(remote) = old.or(self.remote.as_ref()) else { return };
        let password = remote.clone();
        let answers = binding.class == Class::Success && self.selected == Some(from);
        if answers && binding.is_authentic(&password.pwd) {
            self.consent.open.retain(|id| *id != binding.id);
            self.consent.answered = now;
            self.consent.given = true;
        }
    }
}

fn interval(random: &mut Random) -> Duration {
    INTERVAL.mul_f64(0.8 + 0.4 * random.fraction())
}
