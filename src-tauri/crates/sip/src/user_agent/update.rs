//! UPDATE: RFC 3311, out and in, before and after the answer.

use std::time::{Duration, Instant};

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, Request, Response};
use crate::transaction::servers::ServerId;

use super::UserAgent;
use super::attempt::Attempt;
use super::call::{Call, CallTimer, State};
use super::change::{Change, OfferOut, Way, Wish};
use super::event::{CallEvent, CallId, Cause, Side};
use super::headers;
use super::hop::Hop;
use super::outcome::Outcome;
use super::reoffered::{OfferIn, TIME_FOR_ANSWER};

impl UserAgent {
    /// Sends an UPDATE: with SDP it offers, without it only shows that we are there. Before the answer that needs an offer and answer
    /// that have been exchanged reliably. Told like [`UserAgent::reinvite`]; where the peer does not take UPDATE it fails with 405.
    pub fn update(&mut self, now: Instant, call: CallId, sdp: Option<Vec<u8>>) {
        let Some(state) = self.calls.get_mut(&call) else { return };
        let refusal = if !state.session.peer_updates {
            Some((405, "The peer does not take UPDATE"))
        } else if !state.may_update(sdp.is_some()) {
            Some((491, "Request Pending"))
        } else {
            None
        };
        if let Some((code, text)) = refusal {
            let cause = Cause::new(code, text, Side::Local);
            return self.tell(call, CallEvent::ReofferFailed { cause });
        }
        self.want_change(now, call, Change::new(Way::Update, Wish::Owner, sdp));
        self.settle(call);
    }

    pub(super) fn on_update_outcome(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: &Attempt,
        outcome: Outcome,
    ) {
        let Outcome::Response(response) = &outcome else {
            return self.on_change_failure(now, id, attempt, outcome);
        };
        if !response.is_success() {
            return self.on_change_failure(now, id, attempt, outcome);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(change) = call.services.take_sent(attempt.cseq()) else { return };
        if let Some(dialog) =
            DialogId::of_response(&response.headers).and_then(|dialog| call.dialog_by(&dialog))
        {
            dialog.refresh_target(&response.headers);
        }
        self.on_change_success(now, id, change, response);
    }

    pub(super) fn on_update(&mut self, now: Instant, request: Request, hop: Hop) {
        let Some(id) = self.enter_dialog(now, &request, hop) else { return };
        if let Err(status) = Self::check_body(&request) {
            return self.respond_once(now, &request, hop, status);
        }
        if let Some(refusal) = self.refuse_session(&request) {
            return self.respond_with(now, &request, hop, refusal);
        }
        let offer = headers::sdp(&request.headers, &request.body);
        let Some(dialog_id) = DialogId::of_request(&request.headers) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.glare(&dialog_id, offer.is_some()) {
            Some(491) => return self.respond_once(now, &request, hop, 491),
            Some(_) => return self.respond_later(now, &request, hop),
            None => {}
        }
        let Some(offer) = offer else {
            return self.answer_update(now, id, None, &request, hop, None);
        };
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.set(CallTimer::OfferIn, now + TIME_FOR_ANSWER);
        call.note_remote_sdp(&dialog_id, &offer);
        call.services.offer_in = Some(OfferIn { server, request, hop });
        self.tell(id, CallEvent::Reoffer { offer: Some(offer) });
        self.settle(id);
    }

    /// 200 to an UPDATE or PRACK, with our answer where it had an offer.
    pub(super) fn answer_update(
        &mut self,
        now: Instant,
        id: CallId,
        server: Option<ServerId>,
        request: &Request,
        hop: Hop,
        sdp: Option<Vec<u8>>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let refreshed = DialogId::of_request(&request.headers).filter(|_| request.method == Method::Update);
        if let Some(dialog) = refreshed.and_then(|dialog| call.dialog_by(&dialog)) {
            dialog.refresh_target(&request.headers);
        }
        let Some(mut response) = self.success_response(id, request, &hop, sdp) else { return };
        if request.method == Method::Update {
            self.agree_session(now, id, request, &mut response);
        }
        match server {
            Some(server) => self.send_response(now, server, response),
            None => self.respond_with(now, request, hop, response),
        }
        if server.is_some() && request.method == Method::Prack {
            self.after_prack(now, id);
        }
        self.settle(id);
    }

    /// Nobody answered the peer's offer in time (RFC 3311 section 5.2).
    pub(super) fn on_offer_in_timer(&mut self, now: Instant, id: CallId) {
        self.refuse_reoffer(now, id, 504, "");
        self.tell_reoffer_withdrawn(id);
        self.after_prack(now, id);
    }

    /// 500: another request like this is pending (RFC 3261 section 14.2, RFC 3311 section 5.2).
    pub(super) fn respond_later(&mut self, now: Instant, request: &Request, hop: Hop) {
        let mut response = Response::to(request, 500, None);
        let pause = self.random.between(Duration::ZERO, Duration::from_secs(10));
        response.headers.push(HeaderName::RETRY_AFTER, pause.as_secs());
        self.respond_with(now, request, hop, response);
    }
}

impl Call {
    /// An UPDATE of ours may go now, with an offer or without.
    fn may_update(&self, offers: bool) -> bool {
        match &self.state {
            State::Up(up) => !offers || up.unacked.is_none(),
            State::Calling(calling) => calling.early.last().is_some_and(|early| !offers || early.answered),
            State::Offered(offered) => !offers || offered.answered,
            State::Over => false,
        }
    }

    /// The status to refuse the peer's UPDATE with because of what else is pending (RFC 3311 section 5.2).
    pub(super) fn glare(&self, dialog: &DialogId, offers: bool) -> Option<u16> {
        if self.services.offer_in.is_some() {
            return Some(500);
        }
        if !offers {
            return None;
        }
        let is_offered = match &self.services.offer_out {
            OfferOut::Sent(change) => change.sdp.is_some() || change.way == Way::Invite,
            OfferOut::Owed { .. } => true,
            OfferOut::Waiting(_) | OfferOut::None => false,
        };
        match &self.state {
            _ if is_offered => Some(491),
            State::Up(up) => up.unacked.as_ref().is_some_and(|unacked| unacked.late_offer).then_some(491),
            // our INVITE has the offer, and only a reliable answer counts
            State::Calling(calling) => {
                let branch = calling.early.iter().find(|early| early.dialog.id == *dialog);
                (!branch.is_some_and(|early| early.answered)).then_some(491)
            }
            State::Offered(offered) if offered.answered => None,
            State::Offered(_) => Some(500),
            State::Over => Some(491),
        }
    }
}
