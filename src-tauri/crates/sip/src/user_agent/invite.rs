//! INVITE out: RFC 3261 section 13.2.

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{HeaderName, Method, NameAddr, Request, Response, Uri};
use crate::transaction::TimerTable;

use super::UserAgent;
use super::attempt::{Attempt, AttemptId, Outcome, Purpose};
use super::call::{Call, CallTimer, Calling, Early, State, Up};
use super::challenge::Login;
use super::event::{CallEvent, CallId, Side};
use super::headers;
use super::prack::{self, Heard, Reliable};
use super::redirect::{collect_redirects, is_worth_another};
use super::replaces::DialogName;
use super::request::{Thread, Way, outside};
use super::session::Session;
use super::terms::Terms;
use super::trust;

/// A call to place.
#[derive(Debug, Clone)]
pub struct Invite {
    pub from: NameAddr,
    /// goes into To, and into the Request-URI unless `target` says otherwise
    pub to: Uri,
    /// the Request-URI where it is not `to`, such as the Contact of a binding
    pub target: Option<Uri>,
    pub way: Way,
    /// hide who calls (RFC 3323): an anonymous From, `Privacy: id`, and who we are (RFC 3325) for our own servers only
    pub anonymous: bool,
    /// further fields; those that the user agent writes itself are passed over, but Max-Forwards replaces ours
    pub headers: Vec<(HeaderName, String)>,
    /// the SDP offer
    pub offer: Vec<u8>,
    /// the call at the peer that this one takes the place of (RFC 3891); a peer that cannot do it refuses with 420
    pub replaces: Option<DialogName>,
    /// who asked for this call by a transfer (RFC 3892)
    pub referred_by: Option<NameAddr>,
    /// how long the session may last without a refresh, at least 90 s (RFC 4028); without, only the peer decides
    pub session_expires: Option<Duration>,
    /// reliable provisional responses (RFC 3262)
    pub prack: Reliable,
}

impl Invite {
    pub fn new(from: NameAddr, to: Uri, offer: Vec<u8>) -> Self {
        Self {
            from,
            to,
            target: None,
            way: Way::default(),
            anonymous: false,
            headers: Vec::new(),
            offer,
            replaces: None,
            referred_by: None,
            session_expires: None,
            prack: Reliable::default(),
        }
    }
}

impl UserAgent {
    /// Places a call. Over the limit of calls it ends at once with 503.
    pub fn invite(&mut self, now: Instant, mut invite: Invite) -> CallId {
        let own = trust::disguise(&mut invite.from, invite.anonymous);
        let id = CallId(self.new_id());
        let attempt_id = self.new_attempt_id();
        let local_tag = self.random.token();
        let sip_id = self.random.token();
        let contact = self.contact_of(own.as_ref().unwrap_or(&invite.from), own.is_some());
        let over_limit = self.is_full();
        let mut call = Call {
            sip_id: sip_id.clone(),
            local_tag: local_tag.clone(),
            contact: contact.clone(),
            transport: invite.way.transport,
            authority: invite.way.authority,
            flow: invite.way.flow,
            known: None,
            state: State::Calling(Calling {
                attempt: attempt_id,
                early: Vec::new(),
                trying_told: false,
                cancel_sent: false,
                cancel_reason: None,
                redirects: Default::default(),
                redirects_left: self.config.max_redirects,
            }),
            acks: Vec::new(),
            attempts: Vec::new(),
            timers: TimerTable::new(),
            services: Default::default(),
            session: Session::wanting(invite.session_expires),
            afterlife: None,
            is_caller: true,
            ended: false,
        };
        call.timers.set(CallTimer::Ring, now + self.config.ring_limit);
        self.calls.insert(id, call);
        if over_limit {
            self.end_over_limit(id);
            return id;
        }
        self.dialogs.insert((sip_id.clone(), local_tag.clone()), id);
        let mut request = self.initial_invite(&invite, &sip_id, &local_tag);
        if let Some(call) = self.calls.get_mut(&id) {
            call.session.terms = Some(Terms { prack: invite.prack, session_expires: invite.session_expires });
            call.session.put_into(&mut request);
            call.session.local_sdp = Some(invite.offer.clone());
        }
        let mut attempt = self.attempt_outside(Purpose::Invite(id), request, Login::Call(id), &invite.way);
        attempt.contact = Some(contact);
        self.hide_identity(&mut attempt, own);
        self.launch(now, attempt_id, attempt);
        self.settle(id);
        id
    }

    fn end_over_limit(&mut self, id: CallId) {
        self.tell_ended(id, 503, "Too many calls", Side::Local);
        if let Some(call) = self.calls.get_mut(&id) {
            call.state = State::Over;
        }
        self.settle(id);
    }

    fn initial_invite(&mut self, invite: &Invite, sip_id: &str, local_tag: &str) -> Request {
        let thread = Thread { call_id: sip_id, from_tag: local_tag, cseq: 1 };
        let mut request = outside(Method::Invite, &invite.from, &invite.to, &invite.way.route, &thread);
        if let Some(target) = &invite.target {
            request.uri = headers::request_uri(target);
        }
        request.headers.push(HeaderName::ALLOW, self.allow());
        request.headers.push(HeaderName::SUPPORTED, self.supported_by_invite(invite.prack));
        if invite.prack == Reliable::Required {
            request.headers.push(HeaderName::REQUIRE, prack::TAG);
        }
        if let Some(replaces) = &invite.replaces {
            request.headers.push(HeaderName::REQUIRE, "replaces");
            request.headers.push(HeaderName::REPLACES, replaces);
        }
        if let Some(by) = &invite.referred_by {
            request.headers.push(HeaderName::REFERRED_BY, by);
        }
        headers::add_extra(&mut request.headers, &invite.headers);
        request.set_body(headers::SDP, invite.offer.clone());
        request
    }

    pub(super) fn on_provisional(&mut self, now: Instant, id: CallId, response: &Response) {
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
    pub(super) fn on_invite_success(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: AttemptId,
        response: &Response,
    ) {
        let Some(attempt) = self.attempts.get(&attempt) else { return };
        let (cseq, hop) = (attempt.cseq(), attempt.hop);
        let Ok(mut dialog) = Dialog::of_uac(&attempt.request, response) else { return };
        if self.repeat_ack(id, &dialog.id.remote_tag, cseq) {
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

    /// Any other end of our INVITE.
    pub(super) fn on_invite_failure(&mut self, now: Instant, id: CallId, attempt: Attempt, outcome: Outcome) {
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
