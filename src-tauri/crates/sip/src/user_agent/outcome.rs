//! Responses in, and the end of a request that was sent.

use std::time::Instant;

use crate::message::{HeaderName, Method, Request, Response};
use crate::transaction::ClientStep;
use crate::transaction::clients::ClientId;

use super::attempt::{Attempt, AttemptId, Purpose};
use super::challenge::Challenged;
use super::event::{Cause, Side};
use super::{Due, Owner, UserAgent};

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// a final response
    Response(Response),
    /// timer B or F
    TimedOut,
    Unreachable(String),
}

impl Outcome {
    /// The status that its owner is told: 408 without an answer, 503 without a way.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Response(response) => {
                let cause = Cause::new(response.status, response.reason.clone(), Side::Remote);
                cause.said_by(response.told())
            }
            Self::TimedOut => Cause::new(408, "Request Timeout", Side::Network),
            Self::Unreachable(reason) => Cause::new(503, reason.clone(), Side::Network),
        }
    }
}

impl UserAgent {
    pub(super) fn on_response(&mut self, now: Instant, response: Response) {
        let Some(id) = self.clients.find(&response) else {
            return;
        };
        let Some(client) = self.clients.get_mut(id) else { return };
        let step = client.on_response(now, response.status);
        let owner = client.owner;
        if matches!(step, ClientStep::Ack | ClientStep::AckAndPassUp) {
            let (hop, bytes) = (client.hop, failure_ack(&client.request, &response).to_bytes());
            self.transmit(hop, bytes);
        }
        if let (ClientStep::PassUp | ClientStep::AckAndPassUp, Owner::Attempt(attempt)) = (step, owner) {
            self.on_attempt_response(now, attempt, response);
        }
        self.refresh_client(id);
    }

    fn on_attempt_response(&mut self, now: Instant, id: AttemptId, response: Response) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if let Some(hop) = attempt.hop.filter(|_| response.status != 503) {
            self.avoided.forget(&hop);
        }
        if response.is_provisional() {
            if let Purpose::Invite(call) = attempt.purpose {
                // its PRACK may be challenged before the final response
                if response.status > 100 {
                    self.learn_trust(id);
                }
                self.on_provisional(now, call, &response);
            }
            return;
        }
        if response.is_success() {
            self.learn_trust(id);
            return self.on_success(now, id, response);
        }
        if matches!(response.status, 401 | 407) {
            match self.answer_challenge(now, id, &response) {
                Challenged::Answered => return,
                Challenged::Refused => {}
            }
        } else {
            self.learn_trust(id);
        }
        if response.status == 503 && self.has_next_hop(id) {
            return self.on_attempt_failed(now, id, Outcome::Response(response));
        }
        self.finish(now, id, Outcome::Response(response));
    }

    /// A 2xx ends every request but an INVITE, whose transaction stays for the 2xx of other branches.
    fn on_success(&mut self, now: Instant, id: AttemptId, response: Response) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        match attempt.purpose {
            Purpose::Invite(call) => {
                attempt.accepted = true;
                self.on_invite_success(now, call, id, &response);
                self.settle(call);
            }
            Purpose::Reinvite(call) => {
                attempt.accepted = true;
                self.on_reinvite_success(now, call, id, &response);
                self.settle(call);
            }
            _ => self.finish(now, id, Outcome::Response(response)),
        }
    }

    /// Ends the attempt and tells whoever wanted it.
    pub(super) fn finish(&mut self, now: Instant, id: AttemptId, outcome: Outcome) {
        let Some(attempt) = self.drop_attempt(id) else { return };
        let call = attempt.purpose.call();
        match attempt.purpose {
            Purpose::Register(registration) => self.on_register_outcome(now, registration, attempt, outcome),
            Purpose::Invite(call) => self.on_invite_failure(now, call, attempt, outcome),
            Purpose::Reinvite(call) => self.on_change_failure(now, call, &attempt, outcome),
            Purpose::Update(call) => self.on_update_outcome(now, call, &attempt, outcome),
            Purpose::Options(options) => self.on_options_outcome(options, outcome, attempt.hop),
            Purpose::Subscribe(subscription) => {
                self.on_subscribe_outcome(now, subscription, &attempt, &outcome);
            }
            Purpose::Publish(publication) => {
                self.on_publish_outcome(now, publication, &attempt, &outcome);
            }
            Purpose::Message(message, _) => self.on_message_outcome(message, outcome),
            // without a PRACK the peer ends its INVITE by itself
            Purpose::Bye(_) | Purpose::Prack(_) => {}
            Purpose::Refer(call) => self.on_refer_outcome(now, call, &attempt, outcome),
            Purpose::Notify(call) => self.on_report_outcome(now, call, &outcome),
            Purpose::Info(call) => self.on_info_outcome(now, call, &outcome),
        }
        if let Some(call) = call {
            self.settle(call);
        }
    }

    pub(super) fn drop_attempt(&mut self, id: AttemptId) -> Option<Attempt> {
        let attempt = self.attempts.remove(&id)?;
        if let Some(id_of_call) = attempt.purpose.call()
            && let Some(call) = self.calls.get_mut(&id_of_call)
        {
            call.attempts.retain(|other| *other != id);
        }
        Some(attempt)
    }

    /// Takes over the deadline of a client transaction, or removes it with all that waited for its end.
    pub(super) fn refresh_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.get(id) else { return };
        let deadline = client.next_deadline();
        self.deadlines.set(Due::Client(id), deadline);
        if !client.is_terminated() {
            return;
        }
        let owner = client.owner;
        self.clients.remove(id);
        if let Owner::Attempt(attempt) = owner
            && self
                .attempts
                .get(&attempt)
                .is_some_and(|attempt| attempt.accepted && attempt.client == Some(id))
        {
            self.end_accepted(attempt);
        }
    }

    /// No more 2xx will come for this INVITE.
    fn end_accepted(&mut self, id: AttemptId) {
        let Some(attempt) = self.drop_attempt(id) else { return };
        let Some(call_id) = attempt.purpose.call() else { return };
        let cseq = attempt.cseq();
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.acks.retain(|ack| ack.cseq != cseq || ack.is_pending());
        }
        self.settle(call_id);
    }
}

/// The ACK of a non-2xx belongs to the INVITE's transaction (RFC 3261 section 17.1.1.3).
fn failure_ack(invite: &Request, response: &Response) -> Request {
    let mut ack = Request::new(Method::Ack, invite.uri.clone());
    if let Ok(via) = invite.headers.top_via() {
        ack.headers.push(HeaderName::VIA, via);
    }
    for route in invite.headers.get_all(&HeaderName::ROUTE) {
        ack.headers.push(HeaderName::ROUTE, route);
    }
    ack.headers.push(HeaderName::MAX_FORWARDS, 70);
    for (name, source) in [
        (HeaderName::FROM, &invite.headers),
        (HeaderName::TO, &response.headers),
        (HeaderName::CALL_ID, &invite.headers),
    ] {
        if let Some(value) = source.get(&name) {
            ack.headers.push(name, value);
        }
    }
    let number = invite.headers.cseq().map_or(0, |cseq| cseq.number);
    ack.headers.push(HeaderName::CSEQ, format_args!("{number} ACK"));
    ack
}
