//! re-INVITE out: RFC 3261 section 14.1.

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{HeaderName, Method, Response};

use super::UserAgent;
use super::attempt::{Attempt, AttemptId, Outcome, Purpose};
use super::call::{CallTimer, ReofferOut};
use super::challenge::Login;
use super::event::{CallEvent, CallId, Cause, Side};
use super::headers;
use super::invite::cause_of;

/// How often a re-INVITE that met another one is tried again.
const MAX_GLARES: u8 = 4;

impl UserAgent {
    /// Offers new SDP in an answered call. While another offer is pending it fails with 491.
    pub fn reinvite(&mut self, now: Instant, call: CallId, sdp: Vec<u8>) {
        let free = self.calls.get_mut(&call).and_then(|call| call.up()).is_some_and(|up| {
            up.unacked.is_none() && up.reoffer_in.is_none() && matches!(up.reoffer_out, ReofferOut::None)
        });
        if free {
            self.send_reinvite(now, call, sdp, 0);
        } else {
            let cause = Cause::new(491, "Request Pending", Side::Local);
            self.tell(call, CallEvent::ReofferFailed { cause });
        }
        self.settle(call);
    }

    fn send_reinvite(&mut self, now: Instant, id: CallId, sdp: Vec<u8>, tries: u8) {
        let (allow, supported) = (self.allow(), self.supported());
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up() else { return };
        let (mut request, next) = up.dialog.request(Method::Invite);
        request.headers.push(HeaderName::ALLOW, allow);
        request.headers.push(HeaderName::SUPPORTED, supported);
        request.set_body(headers::SDP, sdp.clone());
        up.reoffer_out = ReofferOut::Sent { sdp, tries };
        let hop = call.hop_for(&next);
        let transport = call.transport_to(&next);
        let mut attempt = Attempt::new(Purpose::Reinvite(id), request, next).with_hop(hop);
        attempt.contact = Some(call.contact.clone());
        attempt.transport = transport;
        attempt.login = Some(Login::Call(id));
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn on_reinvite_success(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: AttemptId,
        response: &Response,
    ) {
        let Some(attempt) = self.attempts.get(&attempt) else { return };
        let cseq = attempt.cseq();
        let Ok(mut branch) = Dialog::of_uac(&attempt.request, response) else { return };
        branch.route_set = attempt.request.headers.routes().unwrap_or_default();
        if self.repeat_ack(id, &branch.id.remote_tag, cseq) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up().filter(|up| up.dialog.id == branch.id) else {
            // the call ended meanwhile: the 2xx must still be acknowledged
            if call.acks.len() < self.config.max_early_dialogs {
                self.acknowledge(now, id, &branch, cseq, None);
            }
            return;
        };
        up.dialog.refresh_target(&response.headers);
        let was_sent =
            matches!(std::mem::replace(&mut up.reoffer_out, ReofferOut::None), ReofferOut::Sent { .. });
        let dialog = up.dialog.clone();
        self.acknowledge(now, id, &dialog, cseq, None);
        if was_sent {
            let sdp = headers::sdp(&response.headers, &response.body).unwrap_or_default();
            self.tell(id, CallEvent::ReofferAnswered { sdp });
        }
    }

    pub(super) fn on_reinvite_failure(&mut self, now: Instant, id: CallId, outcome: Outcome) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up() else { return };
        let ReofferOut::Sent { sdp, tries } = std::mem::replace(&mut up.reoffer_out, ReofferOut::None) else {
            return;
        };
        let status = match &outcome {
            Outcome::Response(response) => response.status,
            Outcome::TimedOut => 408,
            Outcome::Unreachable(_) => 503,
        };
        match status {
            491 if tries < MAX_GLARES => {
                let (from, to) = if call.is_caller { (2100, 4000) } else { (0, 2000) };
                let pause = self.random.between(Duration::from_millis(from), Duration::from_millis(to));
                if let Some(up) = call.up() {
                    up.reoffer_out = ReofferOut::Waiting { sdp, tries: tries + 1 };
                }
                call.timers.set(CallTimer::Glare, now + pause);
            }
            // the dialog is gone, or the peer is (RFC 3261 section 12.2.1.2)
            408 | 481 => {
                let cause = cause_of(&outcome);
                self.tell(id, CallEvent::Ended { cause });
                self.say_bye(now, id, None);
            }
            _ => self.tell(id, CallEvent::ReofferFailed { cause: cause_of(&outcome) }),
        }
    }

    /// The pause after a 491 is over.
    pub(super) fn retry_reinvite(&mut self, now: Instant, id: CallId) {
        let Some(up) = self.calls.get_mut(&id).and_then(|call| call.up()) else { return };
        let ReofferOut::Waiting { sdp, tries } = std::mem::replace(&mut up.reoffer_out, ReofferOut::None)
        else {
            return;
        };
        if up.reoffer_in.is_some() || up.unacked.is_some() {
            let cause = Cause::new(491, "Request Pending", Side::Remote);
            return self.tell(id, CallEvent::ReofferFailed { cause });
        }
        self.send_reinvite(now, id, sdp, tries);
    }
}
