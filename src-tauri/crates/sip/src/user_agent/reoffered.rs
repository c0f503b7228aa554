//! re-INVITE in: RFC 3261 section 14.2.

use std::time::{Duration, Instant};

use crate::dialog::DialogId;
use crate::message::{HeaderName, Request, Response};

use super::UserAgent;
use super::call::{ReofferOut, State};
use super::event::{CallEvent, CallId, Cause, Side};
use super::headers;
use super::hop::Hop;
use super::offered::phrase;

impl UserAgent {
    pub(super) fn on_reinvite(&mut self, now: Instant, request: Request, hop: Hop) {
        let known = DialogId::of_request(&request.headers).and_then(|dialog| self.call_of(&dialog));
        let Some(id) = known else { return self.respond_once(now, &request, hop, 481) };
        if let Err(status) = self.accept_in_dialog(id, &request) {
            return self.respond_once(now, &request, hop, status);
        }
        let refusal = match self.calls.get(&id).map(|call| (call.ended, &call.state)) {
            Some((false, State::Up(up))) if up.reoffer_in.is_some() => Some(500),
            Some((false, State::Up(up))) => {
                let glare = matches!(up.reoffer_out, ReofferOut::Sent { .. }) || up.unacked.is_some();
                glare.then_some(491)
            }
            Some((false, State::Offered(_))) => Some(500),
            Some((false, State::Calling(_))) => Some(491),
            _ => Some(481),
        };
        if let Some(status) = refusal {
            let mut response = Response::to(&request, status, None);
            if status == 500 {
                let pause = self.random.between(Duration::ZERO, Duration::from_secs(10));
                response.headers.push(HeaderName::RETRY_AFTER, pause.as_secs());
            }
            return self.respond_with(now, &request, hop, response);
        }
        if let Err(status) = Self::check_body(&request) {
            return self.respond_once(now, &request, hop, status);
        }
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        if let Some(server) = self.servers.get_mut(server) {
            server.call = Some(id);
        }
        self.send_response(now, server, Response::to(&request, 100, None));
        let offer = headers::sdp(&request.headers, &request.body);
        if let Some(up) = self.calls.get_mut(&id).and_then(|call| call.up()) {
            up.reoffer_in = Some((server, request));
        }
        self.tell(id, CallEvent::Reoffer { offer });
        self.settle(id);
    }

    /// Refuses the pending re-INVITE, if there is one; the call goes on as it was.
    pub(super) fn refuse_reoffer(&mut self, now: Instant, id: CallId, status: u16, reason: &str) {
        let pending = self.calls.get_mut(&id).and_then(|call| call.up()).and_then(|up| up.reoffer_in.take());
        let Some((server, request)) = pending else { return };
        let mut response = Response::to(&request, status, None);
        response.reason = phrase(status, reason);
        self.detach(server);
        self.send_response(now, server, response);
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
