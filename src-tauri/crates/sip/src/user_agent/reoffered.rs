//! re-INVITE in: RFC 3261 section 14.2.

use std::time::{Duration, Instant};

use crate::message::{Request, Response};
use crate::transaction::servers::ServerId;

use super::UserAgent;
use super::call::{CallTimer, State};
use super::change::OfferOut;
use super::event::{CallEvent, CallId, Cause, Side};
use super::headers;
use super::hop::Hop;
use super::offered::phrase;

/// How long the owner may take for an answer that an UPDATE, a PRACK or our ACK waits for: those who sent them give up after 64*T1.
pub(super) const TIME_FOR_ANSWER: Duration = Duration::from_secs(20);
/// The same for a re-INVITE, whose sender waits after our 100: as long as we wait for one of ours. Until it is answered nobody can
/// change the session.
const TIME_FOR_REINVITE: Duration = Duration::from_secs(60);

/// The peer's request with an offer, or asking for one, that the owner has to answer.
#[derive(Debug)]
pub(super) struct OfferIn {
    pub(super) server: ServerId,
    pub(super) request: Request,
    pub(super) hop: Hop,
}

impl UserAgent {
    pub(super) fn on_reinvite(&mut self, now: Instant, request: Request, hop: Hop) {
        let Some(id) = self.enter_dialog(now, &request, hop) else { return };
        let services = self.calls.get(&id).map(|call| &call.services);
        let has_offer_in = services.is_some_and(|services| services.offer_in.is_some());
        let is_offering = services
            .is_some_and(|services| matches!(services.offer_out, OfferOut::Sent(_) | OfferOut::Owed { .. }));
        let refusal = match self.calls.get(&id).map(|call| (call.ended, &call.state)) {
            Some((false, State::Up(_))) if has_offer_in => Some(500),
            Some((false, State::Up(up))) => (is_offering || up.unacked.is_some()).then_some(491),
            Some((false, State::Offered(_))) => Some(500),
            Some((false, State::Calling(_))) => Some(491),
            _ => Some(481),
        };
        if let Some(status) = refusal {
            return match status {
                500 => self.respond_later(now, &request, hop),
                _ => self.respond_once(now, &request, hop, status),
            };
        }
        if let Err(status) = Self::check_body(&request) {
            return self.respond_once(now, &request, hop, status);
        }
        if let Some(refusal) = self.refuse_session(&request) {
            return self.respond_with(now, &request, hop, refusal);
        }
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        if let Some(server) = self.servers.get_mut(server) {
            server.call = Some(id);
        }
        self.send_response(now, server, Response::to(&request, 100, None));
        let offer = headers::sdp(&request.headers, &request.body);
        if let Some(call) = self.calls.get_mut(&id) {
            if offer.is_some() {
                call.session.remote_sdp.clone_from(&offer);
            }
            call.timers.set(CallTimer::OfferIn, now + TIME_FOR_REINVITE);
            call.services.offer_in = Some(OfferIn { server, request, hop });
        }
        self.tell(id, CallEvent::Reoffer { offer });
        self.settle(id);
    }

    /// Refuses the pending re-INVITE, UPDATE or PRACK, if there is one; the call goes on as it was. Whether there was one.
    pub(super) fn refuse_reoffer(&mut self, now: Instant, id: CallId, status: u16, reason: &str) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some(OfferIn { server, request, .. }) = call.services.offer_in.take() else { return false };
        call.timers.stop(CallTimer::OfferIn);
        let mut response = Response::to(&request, status, None);
        response.reason = phrase(status, reason);
        self.detach(server);
        self.send_response(now, server, response);
        true
    }

    /// The peer cancelled its re-INVITE: there is nothing to answer any more.
    pub(super) fn tell_reoffer_withdrawn(&mut self, id: CallId) {
        let cause = Cause::new(487, "Request Terminated", Side::Remote);
        self.tell(id, CallEvent::ReofferFailed { cause });
    }

    pub(super) fn respond_cancel(&mut self, now: Instant, cancel: &Request, hop: Hop, call: Option<CallId>) {
        let tag = match call.and_then(|call| self.calls.get(&call)) {
            Some(call) => call.local_tag.clone(),
            None => self.stateless_tag(&cancel.headers),
        };
        let response = Response::to(cancel, 200, Some(&tag));
        self.respond_with(now, cancel, hop, response);
    }
}
