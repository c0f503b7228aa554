//! 2xx to INVITE and re-INVITE, repeated until the ACK: RFC 3261 section 13.3.1.4.

use std::time::Instant;

use crate::message::{HeaderName, Method, Request, Response};
use crate::transaction::servers::ServerId;

use super::UserAgent;
use super::call::{CallTimer, State, Unacked, Up};
use super::event::{CallId, Side};
use super::headers;
use super::hop::Hop;
use super::offered::dialog_response;
use super::reoffered::OfferIn;

impl UserAgent {
    /// Accepts the pending INVITE or re-INVITE. `sdp` is the answer, or our offer if the INVITE had none.
    pub fn answer(&mut self, now: Instant, call: CallId, sdp: Vec<u8>) {
        if self.answer_in_ack(now, call, Some(sdp.clone())) {
            return self.settle(call);
        }
        let is_offer_in = self.calls.get(&call).is_some_and(|call| call.services.offer_in.is_some());
        let Some(sdp) = (if is_offer_in { Some(sdp) } else { self.hold_answer(call, sdp) }) else { return };
        let Some(state) = self.calls.get_mut(&call) else { return };
        if let Some(pending) = state.services.offer_in.take() {
            return self.answer_offer(now, call, pending, sdp);
        }
        match std::mem::replace(&mut state.state, State::Over) {
            State::Offered(offered) => {
                state.stop_setup_timers();
                let mut up = Up::new(offered.dialog, false);
                up.invite_cseq = offered.request.headers.cseq().ok().map(|cseq| cseq.number);
                state.state = State::Up(up);
                // an offer or answer that went out reliably is not repeated
                let sdp = (!offered.answered).then_some(sdp);
                self.send_success(now, call, offered.server, &offered.request, offered.hop, sdp);
            }
            other => state.state = other,
        }
        self.settle(call);
    }

    /// Answers the peer's re-INVITE, UPDATE or PRACK.
    fn answer_offer(&mut self, now: Instant, id: CallId, pending: OfferIn, sdp: Vec<u8>) {
        let OfferIn { server, request, hop } = pending;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.stop(CallTimer::OfferIn);
        if request.method != Method::Invite {
            return self.answer_update(now, id, Some(server), &request, hop, Some(sdp));
        }
        if let Some(up) = call.up() {
            up.dialog.refresh_target(&request.headers);
        }
        let hop = self.servers.get(server).map_or(hop, |server| server.hop);
        self.send_success(now, id, server, &request, hop, Some(sdp));
        self.settle(id);
    }

    /// 200 in the dialog of a call, with our SDP where there is any to say.
    pub(super) fn success_response(
        &mut self,
        id: CallId,
        request: &Request,
        hop: &Hop,
        sdp: Option<Vec<u8>>,
    ) -> Option<Response> {
        let (allow, supported) = (self.allow(), self.supported());
        let call = self.calls.get_mut(&id)?;
        let mut response = dialog_response(request, 200, &call.local_tag, &call.contact, hop);
        response.headers.push(HeaderName::ALLOW, allow);
        response.headers.push(HeaderName::SUPPORTED, supported);
        if let Some(sdp) = sdp {
            call.session.local_sdp = Some(sdp.clone());
            response.set_body(headers::SDP, sdp);
        }
        Some(response)
    }

    fn send_success(
        &mut self,
        now: Instant,
        id: CallId,
        server: ServerId,
        request: &Request,
        hop: Hop,
        sdp: Option<Vec<u8>>,
    ) {
        let late_offer = sdp.is_some() && headers::sdp(&request.headers, &request.body).is_none();
        let cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let timers = self.config.timers;
        let Some(mut response) = self.success_response(id, request, &hop, sdp) else { return };
        self.agree_session(now, id, request, &mut response);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.set(CallTimer::Repeat, now + timers.t1);
        call.timers.set(CallTimer::NoAck, now + timers.transaction());
        self.detach(server);
        self.send_response(now, server, response);
        let Some(sent) = self.servers.get(server) else { return };
        let (hop, bytes) = (sent.hop, sent.last_response().to_vec());
        if let Some(up) = self.calls.get_mut(&id).and_then(|call| call.up()) {
            up.unacked = Some(Unacked { cseq, server, hop, bytes, interval: timers.t1, late_offer });
        }
    }

    pub(super) fn repeat_success(&mut self, now: Instant, id: CallId) {
        let t2 = self.config.timers.t2;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(unacked) = call.up().and_then(|up| up.unacked.as_mut()) else { return };
        if let Some(server) = self.servers.get(unacked.server) {
            unacked.hop = server.hop;
        }
        unacked.interval = (unacked.interval * 2).min(t2);
        let (hop, bytes, interval) = (unacked.hop, unacked.bytes.clone(), unacked.interval);
        call.timers.set(CallTimer::Repeat, now + interval);
        self.transmit(hop, bytes);
    }

    /// 64*T1 without an ACK: the dialog is confirmed but the session is ended by BYE.
    pub(super) fn on_no_ack(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up() else { return };
        up.unacked = None;
        let reason = up.bye_on_ack.take().flatten();
        call.timers.stop(CallTimer::Repeat);
        self.tell_ended(id, 408, "No ACK", Side::Network);
        self.say_bye(now, id, reason);
    }
}
