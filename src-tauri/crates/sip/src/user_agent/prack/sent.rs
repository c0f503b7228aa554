//! The callee: reliable responses out, one at a time, and PRACK in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::dialog::DialogId;
use crate::message::{HeaderName, Request, Response};

use super::super::UserAgent;
use super::super::call::{CallTimer, State};
use super::super::event::{CallEvent, CallId, Side};
use super::super::headers;
use super::super::hop::Hop;
use super::super::offered::dialog_response;
use super::super::reoffered::{OfferIn, TIME_FOR_ANSWER};
use super::{Reliable, TAG, is_required, rack};

/// Provisional responses that wait for the PRACK of one before them.
const MAX_WAITING: usize = 8;
/// Our reliable responses to one INVITE.
#[derive(Debug)]
pub(in super::super) struct ReliableOut {
    rseq: u32,
    pending: Option<Pending>,
    waiting: VecDeque<(u16, Option<Vec<u8>>)>,
    /// the owner's final answer, which may not overtake an offer or answer (RFC 3262 section 3)
    answer: Option<Vec<u8>>,
    /// an offer or answer went out in one of them
    has_sdp: bool,
}

#[derive(Debug)]
struct Pending {
    has_sdp: bool,
    bytes: Vec<u8>,
    interval: Duration,
    gives_up: Instant,
}

impl UserAgent {
    /// The refusal of an INVITE whose caller cannot do what we require.
    pub(in super::super) fn refuse_unreliable(&self, request: &Request) -> Option<Response> {
        let is_missing = self.config.prack == Reliable::Required && !headers::supports(&request.headers, TAG);
        is_missing.then(|| {
            let mut response = Response::to(request, 421, None);
            response.headers.push(HeaderName::REQUIRE, TAG);
            response
        })
    }

    /// This provisional response has to be reliable.
    fn is_reliable(&self, id: CallId, invite: &Request, has_sdp: bool) -> bool {
        match self.terms_of(id).prack {
            Reliable::Off => false,
            Reliable::Supported => {
                is_required(&invite.headers) || (has_sdp && headers::supports(&invite.headers, TAG))
            }
            Reliable::Required => true,
        }
    }

    /// Sends a provisional response reliably, or keeps it until its turn. Gives it back if it need not be reliable.
    pub(in super::super) fn progress_reliably(
        &mut self,
        now: Instant,
        id: CallId,
        status: u16,
        sdp: Option<Vec<u8>>,
    ) -> Result<(), Option<Vec<u8>>> {
        let call = self.calls.get(&id).ok_or(None)?;
        let State::Offered(offered) = &call.state else { return Ok(()) };
        if !self.is_reliable(id, &offered.request, sdp.is_some()) {
            return Err(sdp);
        }
        let first = 1 + u32::try_from(self.random.number() >> 34).unwrap_or(0);
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        let out = call.services.reliable.get_or_insert_with(|| ReliableOut {
            rseq: first,
            pending: None,
            waiting: VecDeque::new(),
            answer: None,
            has_sdp: false,
        });
        if out.waiting.len() < MAX_WAITING {
            out.waiting.push_back((status, sdp));
        }
        self.send_next_reliable(now, id);
        Ok(())
    }

    fn send_next_reliable(&mut self, now: Instant, id: CallId) {
        let (allow, supported, timers) = (self.allow(), self.supported(), self.config.timers);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Offered(offered) = &call.state else { return };
        let Some(out) = call.services.reliable.as_mut().filter(|out| out.pending.is_none()) else { return };
        let Some((status, sdp)) = out.waiting.pop_front() else { return };
        // one offer or answer is all that provisional responses may carry
        let sdp = sdp.filter(|_| !out.has_sdp);
        out.rseq += 1;
        out.has_sdp |= sdp.is_some();
        let (rseq, has_sdp) = (out.rseq, sdp.is_some());
        let server = offered.server;
        let mut response =
            dialog_response(&offered.request, status, &call.local_tag, &call.contact, &offered.hop);
        response.headers.push(HeaderName::REQUIRE, TAG);
        response.headers.push(HeaderName::RSEQ, rseq);
        response.headers.push(HeaderName::ALLOW, allow);
        response.headers.push(HeaderName::SUPPORTED, supported);
        if let Some(sdp) = sdp {
            call.session.local_sdp = Some(sdp.clone());
            response.set_body(headers::SDP, sdp);
        }
        self.send_response(now, server, response);
        let bytes =
            self.servers.get(server).map(|server| server.last_response().to_vec()).unwrap_or_default();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.set(CallTimer::Prack, now + timers.t1);
        if let Some(out) = &mut call.services.reliable {
            let gives_up = now + timers.transaction();
            out.pending = Some(Pending { has_sdp, bytes, interval: timers.t1, gives_up });
        }
    }

    /// No PRACK yet: the response again, or the end of the call after 64*T1 (RFC 3262 section 3).
    pub(in super::super) fn on_prack_timer(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Offered(offered) = &call.state else { return };
        let Some(pending) = call.services.reliable.as_mut().and_then(|out| out.pending.as_mut()) else {
            return;
        };
        if now >= pending.gives_up {
            self.refuse_offered(now, id, 504, "");
            return self.tell_ended(id, 504, "No PRACK", Side::Network);
        }
        pending.interval *= 2;
        let next = (now + pending.interval).min(pending.gives_up);
        let bytes = pending.bytes.clone();
        let hop = self.servers.get(offered.server).map(|server| server.hop);
        call.timers.set(CallTimer::Prack, next);
        if let Some(hop) = hop {
            self.transmit(hop, bytes);
        }
    }

    /// The final answer, if it has to wait for a PRACK; given back if it may go.
    pub(in super::super) fn hold_answer(&mut self, id: CallId, sdp: Vec<u8>) -> Option<Vec<u8>> {
        let Some(call) = self.calls.get_mut(&id) else { return Some(sdp) };
        let is_offered = matches!(call.state, State::Offered(_));
        let out = call.services.reliable.as_mut().filter(|_| is_offered);
        match out {
            Some(out) if out.pending.as_ref().is_some_and(|pending| pending.has_sdp) => {
                out.answer = Some(sdp);
                out.waiting.clear();
                None
            }
            _ => Some(sdp),
        }
    }

    pub(in super::super) fn on_prack(&mut self, now: Instant, request: Request, hop: Hop) {
        let Some(id) = self.enter_dialog(now, &request, hop) else { return };
        let Some((rseq, cseq)) = rack(&request.headers) else {
            return self.respond_once(now, &request, hop, 400);
        };
        if let Err(status) = Self::check_body(&request) {
            return self.respond_once(now, &request, hop, status);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let invite = match &call.state {
            State::Offered(offered) => offered.request.headers.cseq().ok().map(|cseq| cseq.number),
            State::Up(up) => up.invite_cseq,
            State::Calling(_) | State::Over => None,
        };
        let out = call.services.reliable.as_mut().filter(|out| out.rseq == rseq && invite == Some(cseq));
        let Some(pending) = out.and_then(|out| out.pending.take()) else {
            return self.respond_once(now, &request, hop, 481);
        };
        call.timers.stop(CallTimer::Prack);
        let sdp = headers::sdp(&request.headers, &request.body);
        let is_up = matches!(call.state, State::Up(_));
        let State::Offered(offered) = &mut call.state else {
            // the final response has overtaken it
            let status = if is_up && sdp.is_some() { 488 } else { 200 };
            return self.respond_once(now, &request, hop, status);
        };
        let is_our_offer = headers::sdp(&offered.request.headers, &offered.request.body).is_none();
        let brings_answer = pending.has_sdp && is_our_offer;
        if pending.has_sdp && (!is_our_offer || sdp.is_some()) {
            offered.answered = true;
        }
        let is_answered = offered.answered;
        match sdp {
            Some(answer) if brings_answer => {
                call.session.remote_sdp = Some(answer.clone());
                self.answer_update(now, id, None, &request, hop, None);
                self.tell(id, CallEvent::ReofferAnswered { sdp: answer });
            }
            Some(_) if !is_answered => self.respond_once(now, &request, hop, 488),
            Some(offer) => return self.on_offer_in_prack(now, id, request, hop, offer),
            None => self.answer_update(now, id, None, &request, hop, None),
        }
        self.after_prack(now, id);
        self.settle(id);
    }

    fn on_offer_in_prack(&mut self, now: Instant, id: CallId, request: Request, hop: Hop, offer: Vec<u8>) {
        let Some(dialog) = DialogId::of_request(&request.headers) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(status) = call.glare(&dialog, true) {
            self.respond_once(now, &request, hop, status);
            return self.after_prack(now, id);
        }
        let Some(server) = self.start_server(&request, hop) else {
            self.respond_full(&request, hop);
            return self.after_prack(now, id);
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.set(CallTimer::OfferIn, now + TIME_FOR_ANSWER);
        call.session.remote_sdp = Some(offer.clone());
        call.services.offer_in = Some(OfferIn { server, request, hop });
        self.tell(id, CallEvent::Reoffer { offer: Some(offer) });
        self.settle(id);
    }

    /// What waited for the PRACK may go.
    pub(in super::super) fn after_prack(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(out) = call.services.reliable.as_mut() else { return };
        match out.answer.take() {
            Some(sdp) => self.answer(now, id, sdp),
            None => self.send_next_reliable(now, id),
        }
    }
}
