//! What to do when a hop fails: RFC 3263 section 4.3 and RFC 3261 section 18.1.1.

use std::time::{Duration, Instant};

use crate::transaction::ClientStep;
use crate::transaction::clients::ClientId;

use super::attempt::{AttemptId, Purpose};
use super::hop::Hop;
use super::outcome::Outcome;
use super::{Owner, RegistrationState, UserAgent};

impl UserAgent {
    /// Another hop may do better with this request, and it is still wanted.
    pub(super) fn has_next_hop(&self, id: AttemptId) -> bool {
        self.attempts.get(&id).is_some_and(|attempt| !attempt.hops.is_empty()) && !self.is_abandoned(id)
    }

    /// The user hung up: a request that has not reached anybody is not sent again.
    pub(super) fn is_abandoned(&self, id: AttemptId) -> bool {
        let Some(attempt) = self.attempts.get(&id) else { return true };
        match attempt.purpose {
            Purpose::Invite(call) | Purpose::Reinvite(call) | Purpose::Update(call) => {
                self.calls.get(&call).is_none_or(|call| call.ended)
            }
            _ => false,
        }
    }

    pub(super) fn on_attempt_failed(&mut self, now: Instant, id: AttemptId, failure: Outcome) {
        let abandoned = self.is_abandoned(id);
        if let Some(hop) = self.attempts.get(&id).and_then(|attempt| attempt.hop) {
            let retry_after = match &failure {
                Outcome::Response(response) => response.headers.retry_after().ok().flatten(),
                _ => None,
            };
            self.avoided.add(now, &hop, retry_after.map(|seconds| Duration::from_secs(seconds.into())));
        }
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if abandoned {
            return self.finish(now, id, failure);
        }
        let unreachable = matches!(failure, Outcome::Unreachable(_));
        if unreachable && let Some(udp) = attempt.udp_fallback.take() {
            attempt.tcp_refused = true;
            return self.send_over(now, id, udp, false);
        }
        let in_dialog = attempt.in_dialog();
        let worth_it = match failure {
            Outcome::TimedOut => !in_dialog && !attempt.hops.is_empty(),
            Outcome::Response(_) => !attempt.hops.is_empty(),
            Outcome::Unreachable(_) => !attempt.hops.is_empty() || !attempt.resolved,
        };
        if worth_it {
            self.try_next_hop(now, id, failure);
        } else {
            self.finish(now, id, failure);
        }
    }

    pub(super) fn on_client_timer(&mut self, now: Instant, id: ClientId) {
        loop {
            let Some(client) = self.clients.get_mut(id) else { return };
            if client.next_deadline().is_none_or(|at| at > now) {
                break;
            }
            match client.on_timer(now) {
                ClientStep::Retransmit => {
                    let (hop, bytes) = (client.hop, client.bytes.clone());
                    self.transmit(hop, bytes);
                }
                ClientStep::TimedOut => return self.on_client_failed(now, id, Outcome::TimedOut),
                _ => {}
            }
        }
        self.refresh_client(id);
    }

    fn on_client_failed(&mut self, now: Instant, id: ClientId, failure: Outcome) {
        let Some(client) = self.clients.get(id) else { return };
        let owner = client.owner;
        self.refresh_client(id);
        if let Owner::Attempt(attempt) = owner {
            self.on_attempt_failed(now, attempt, failure);
        }
    }

    /// Nothing can be sent over this flow: every request on it that waits for its first response fails.
    pub(super) fn on_send_failed(&mut self, now: Instant, hop: &Hop, reason: &str) {
        for call in self.calls.values_mut() {
            call.forget_hop(hop);
        }
        for id in self.clients.over(hop) {
            let Some(client) = self.clients.get_mut(id) else { continue };
            if client.on_transport_error() == ClientStep::Unreachable {
                self.on_client_failed(now, id, Outcome::Unreachable(reason.to_owned()));
            } else {
                self.refresh_client(id);
            }
        }
    }

    /// Whether a connection is worth keeping though its peer is silent: a registration, a call or a transaction is bound to it.
    pub fn is_in_use(&self, hop: &Hop) -> bool {
        let calls = || self.calls.values().any(|call| call.is_open() && call.uses(hop));
        let ours = |registration: &RegistrationState| {
            registration.bound_over().is_some_and(|bound| bound.same_flow(hop))
        };
        self.registrar.as_ref().is_some_and(|registrar| registrar.has_flow(hop))
            || self.registrations.values().any(ours)
            || !self.clients.over(hop).is_empty()
            || !self.servers.over(hop).is_empty()
            || calls()
    }

    pub(super) fn on_stream_closed(&mut self, now: Instant, hop: &Hop, reason: &str) {
        self.streams.remove(&hop.flow());
        for id in self.servers.over(hop) {
            if let Some(server) = self.servers.get_mut(id) {
                server.hop.remote = server.fallback;
            }
        }
        self.on_send_failed(now, hop, reason);
        self.on_registrar_flow_closed(now, hop);
        self.on_registration_flow_closed(now, hop);
        self.on_subscription_flow_closed(now, hop);
    }
}
