//! The responses to our INVITE: provisional ones of its branches, the 2xx, and the refusal.

use std::time::Instant;

use crate::dialog::Dialog;
use crate::message::Response;

use super::super::UserAgent;
use super::super::attempt::{Attempt, AttemptId};
use super::super::call::{CallTimer, Early, State, Up};
use super::super::event::{CallEvent, CallId, Side};
use super::super::headers;
use super::super::outcome::Outcome;
use super::super::prack::Heard;
use super::super::redirect::{collect_redirects, is_worth_another};

impl UserAgent {
    pub(in super::super) fn on_provisional(&mut self, now: Instant, id: CallId, response: &Response) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        if call.ended {
            self.cancel(now, id);
            return self.settle(id);
        }
        if response.status == 100 {
            if !std::mem::replace(&mut calling.trying_told, true) {
                self.tell(id, CallEvent::Trying);
            }
            return;
        }
        call.timers.set(CallTimer::Ring, now + self.config.ring_limit);
        let Some(request) = self.attempts.get(&calling.attempt).map(|attempt| &attempt.request) else {
            return;
        };
        let Ok(dialog) = Dialog::of_uac(request, response) else { return };
        call.session.hear(&response.headers);
        let sdp = headers::sdp(&response.headers, &response.body);
        let known = calling.early.iter().position(|early| early.dialog.id == dialog.id);
        let early_dialog = match known {
            Some(index) => index,
            None if calling.early.len() >= self.config.max_early_dialogs => return self.settle(id),
            None => {
                calling.early.push(Early { dialog, sdp: None, answered: false, rseq: None, reliable: 0 });
                calling.early.len() - 1
            }
        };
        let Some(early) = calling.early.get_mut(early_dialog) else { return };
        let was_answered = early.answered;
        let heard = early.hear(response);
        if heard == Heard::Ignored {
            return self.settle(id);
        }
        // a reliable answer stays (RFC 3261 section 13.2.1)
        let sdp = sdp.filter(|_| !was_answered);
        if sdp.is_some() {
            early.sdp.clone_from(&sdp);
        }
        let event = CallEvent::Provisional {
            status: response.status,
            reason: response.reason.clone(),
            sdp,
            early_dialog,
        };
        self.tell(id, event);
        if let Heard::Reliable(number) = heard {
            self.send_prack(now, id, early_dialog, number);
        }
        self.settle(id);
    }

    /// A 2xx, from whichever branch, for the first time or again.
    pub(in super::super) fn on_invite_success(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: AttemptId,
        response: &Response,
    ) {
        let Some(attempt) = self.attempts.get(&attempt) else { return };
        let (cseq, hop) = (attempt.cseq(), attempt.hop);
        let Ok(mut dialog) = Dialog::of_uac(&attempt.request, response) else {
            return self.end_unreadable(id);
        };
        if self.repeat_ack(now, id, &dialog.id.remote_tag, cseq) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let over_limit = call.acks.len() >= self.config.max_early_dialogs;
        let State::Calling(calling) = &mut call.state else {
            if !over_limit {
                self.acknowledge(now, id, &dialog, cseq, Some(None));
            }
            return;
        };
        let mut sdp = headers::sdp(&response.headers, &response.body);
        if let Some(early) = calling.early.iter_mut().find(|early| early.dialog.id == dialog.id) {
            let mut confirmed = early.dialog.clone();
            if confirmed.confirm(response).is_ok() {
                confirmed.local_cseq = confirmed.local_cseq.max(dialog.local_cseq);
                dialog = confirmed;
            }
            // what was answered reliably is not answered again (RFC 3261 section 13.2.1)
            sdp = if early.answered { early.sdp.take() } else { sdp.or_else(|| early.sdp.take()) };
        }
        call.stop_setup_timers();
        if call.ended {
            // the 2xx crossed our CANCEL
            call.state = State::Over;
            return self.acknowledge(now, id, &dialog, cseq, Some(None));
        }
        call.state = State::Up(Up::new(dialog.clone(), true));
        call.session.remote_sdp.clone_from(&sdp);
        self.leave_other_branches(now, id, &dialog.id);
        self.hear_session(now, id, response);
        self.acknowledge(now, id, &dialog, cseq, None);
        if let Some(hop) = hop {
            self.tell(id, CallEvent::Answered { sdp: sdp.unwrap_or_default(), hop });
        }
    }

    /// Nobody knows where the ACK of this 2xx has to go: its sender gives up by itself without one (RFC 3261 section 13.3.1.4).
    fn end_unreadable(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if matches!(call.state, State::Calling(_)) {
            call.timers.clear();
            call.state = State::Over;
            self.tell_ended(id, 502, "The answer cannot be read", Side::Remote);
        }
    }

    /// Any other end of our INVITE.
    pub(in super::super) fn on_invite_failure(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: Attempt,
        outcome: Outcome,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        if let Outcome::Response(response) = &outcome
            && response.status == 422
            && !call.ended
            && call.session.accept_min_se(response)
        {
            return self.invite_for_longer(now, id, attempt);
        }
        if let Outcome::Response(response) = &outcome
            && (300..400).contains(&response.status)
        {
            collect_redirects(calling, response, &attempt.request.uri);
        }
        if !call.ended
            && is_worth_another(&outcome)
            && let Some(target) = calling.redirects.pop_front()
        {
            return self.follow_redirect(now, id, attempt, target);
        }
        self.refuse_reoffer(now, id, 487, "");
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.clear();
        call.state = State::Over;
        let cause = outcome.cause();
        self.tell(id, CallEvent::Ended { cause });
    }
}
