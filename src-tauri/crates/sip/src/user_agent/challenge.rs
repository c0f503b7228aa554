//! Challenges to our requests: 401 and 407 (RFC 3261 section 22, RFC 8760).

use std::time::Instant;

use crate::digest::{Authorizer, Challenge, Kind};
use crate::message::{CSeq, HeaderName, Response};

use super::UserAgent;
use super::attempt::{Attempt, AttemptId};
use super::event::{CallId, MessageId, OptionsId, PublicationId, RegistrationId, SubscriptionId};
use super::hop::Hop;

/// Challenges answered for one request: a chain of proxies may each send one, and each may call a nonce stale.
const MAX_ROUNDS: u8 = 8;

/// Whose nonces and counters a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Login {
    Registration(RegistrationId),
    Call(CallId),
    Options(OptionsId),
    Message(MessageId),
    Subscription(SubscriptionId),
    Publication(PublicationId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenged {
    /// the request was sent again with credentials
    Answered,
    Refused,
}

impl UserAgent {
    pub(super) fn answer_challenge(
        &mut self,
        now: Instant,
        id: AttemptId,
        response: &Response,
    ) -> Challenged {
        if self.try_to_answer(id, response).is_none() {
            return Challenged::Refused;
        }
        let Some(attempt) = self.attempts.get_mut(&id) else { return Challenged::Refused };
        let Some(hop) = attempt.hop else { return Challenged::Refused };
        let number = attempt.cseq() + 1;
        let method = attempt.request.method.clone();
        attempt.request.headers.set(HeaderName::CSEQ, CSeq::new(number, method));
        if let Some(call) = attempt.purpose.call().and_then(|call| self.calls.get_mut(&call)) {
            call.raise_cseq(number);
        }
        let may_switch = !attempt.tcp_refused;
        self.send_over(now, id, hop, may_switch);
        Challenged::Answered
    }

    /// Gives the challenges that we may answer to the authorizer of this request.
    fn try_to_answer(&mut self, id: AttemptId, response: &Response) -> Option<()> {
        if self.is_abandoned(id) {
            return None;
        }
        let attempt = self.attempts.get(&id)?;
        let (hop, login) = (attempt.hop?, attempt.login?);
        if attempt.rounds >= MAX_ROUNDS || !self.may_authenticate(attempt, &hop) {
            return None;
        }
        let allowed = self.allowed(attempt, &hop, response)?;
        let sent = self.clients.get(attempt.client?)?.request.clone();
        if !self.logins.contains_key(&login) {
            let realm = allowed.headers.challenges().ok()?.first()?.realm.clone();
            let own = attempt.own()?;
            let credentials = self.trusted.credentials(&realm, hop.remote, &own)?.clone();
            self.logins.insert(login, Authorizer::new(credentials));
        }
        let cnonce = self.random.token();
        self.logins.get_mut(&login)?.handle_challenge(&sent, &allowed, &cnonce).ok()?;
        self.attempts.get_mut(&id)?.rounds += 1;
        Some(())
    }

    /// The response with only those challenges that the leak rule lets us answer; `None` if that is none.
    fn allowed(&self, attempt: &Attempt, hop: &Hop, response: &Response) -> Option<Response> {
        if !attempt.in_dialog() {
            return Some(response.clone());
        }
        let mut allowed = Response::new(response.status);
        for kind in [Kind::Server, Kind::Proxy] {
            let header = kind.challenge_header();
            for value in response.headers.get_all(&header) {
                let challenges = Challenge::parse(kind, value).unwrap_or_default();
                let known = |challenge: &Challenge| self.trusted.knows_realm(&challenge.realm, hop.remote);
                if !challenges.is_empty() && challenges.iter().all(known) {
                    allowed.headers.push(header.clone(), value);
                }
            }
        }
        (!allowed.headers.is_empty()).then_some(allowed)
    }

    /// The credentials of this attempt were accepted, or at least not challenged again: its server may ask for them in dialogs too.
    pub(super) fn learn_trust(&mut self, id: AttemptId) {
        let Some(attempt) = self.attempts.get(&id) else { return };
        let (Some(hop), Some(client), Some(login)) = (attempt.hop, attempt.client, attempt.login) else {
            return;
        };
        let Some(client) = self.clients.get(client) else { return };
        let Some(authorizer) = self.logins.get(&login) else { return };
        let (Some(own), Ok(sent)) = (attempt.own(), client.request.headers.authorizations()) else { return };
        for authorization in sent {
            self.trusted.learn(&authorization.realm, hop.remote, &own, authorizer.credentials());
        }
    }
}
