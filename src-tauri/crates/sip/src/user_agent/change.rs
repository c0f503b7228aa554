//! Our changes of a session, by re-INVITE or UPDATE: who may send one when, and what becomes of it (RFC 3261 section 14.1, RFC 3311).

use std::time::{Duration, Instant};

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, Response};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::call::{Call, CallTimer, State};
use super::event::{CallEvent, CallId, Cause, Side};
use super::headers;
use super::outcome::Outcome;
use super::reoffered::OfferIn;

/// How often a change that met another one is tried again.
const MAX_GLARES: u8 = 4;
/// A peer that says 100 to a re-INVITE and no more must not keep others from being sent for ever.
const LIMIT: Duration = Duration::from_secs(60);
/// A Retry-After beyond this is a refusal.
const MAX_PAUSE: u32 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Invite,
    Update,
}

/// Who wants a change, which decides whom its outcome concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Owner,
    /// a session timer
    Refresh,
    /// the owner has another address: a failure does not end the call
    Relocate,
}

#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) way: Way,
    pub(super) wish: Wish,
    /// without, the peer is to offer (re-INVITE) or nothing but the session is refreshed (UPDATE)
    pub(super) sdp: Option<Vec<u8>>,
    tries: u8,
    /// of the request that was sent first; a challenge raises it
    first_cseq: u32,
    remote_tag: String,
}

impl Change {
    pub(super) fn new(way: Way, wish: Wish, sdp: Option<Vec<u8>>) -> Self {
        Self { way, wish, sdp, tries: 0, first_cseq: 0, remote_tag: String::new() }
    }

    /// The request with this number is the one that was sent for it.
    pub(super) fn is_of(&self, cseq: u32) -> bool {
        cseq >= self.first_cseq
    }

    pub(super) fn is_for(&self, remote_tag: &str) -> bool {
        self.remote_tag == remote_tag
    }

    pub(super) fn refresh(way: Way, sdp: Option<Vec<u8>>) -> Self {
        Self::new(way, Wish::Refresh, sdp)
    }

    fn is_refresh(&self) -> bool {
        self.wish == Wish::Refresh
    }
}

/// What we have asked of the peer.
#[derive(Debug, Default)]
pub(super) enum OfferOut {
    #[default]
    None,
    Sent(Change),
    /// it met another one, or follows an ACK, and waits
    Waiting(Change),
    /// the 2xx to a re-INVITE without offer brought the peer's: our ACK must answer it
    Owed {
        cseq: u32,
    },
}

impl OfferOut {
    /// It is us who refreshes the session, and the request for that is on its way or waits.
    pub(super) fn is_refresh(&self) -> bool {
        matches!(self, Self::Sent(change) | Self::Waiting(change) if change.is_refresh())
    }
}

impl Call {
    /// Nothing is going on that another INVITE or UPDATE could meet.
    pub(super) fn may_change(&mut self) -> bool {
        let unacked = self.up().is_some_and(|up| up.unacked.is_some());
        !unacked && self.services.offer_in.is_none() && matches!(self.services.offer_out, OfferOut::None)
    }
}

impl UserAgent {
    /// Offers new SDP in an answered call by a re-INVITE; without any the peer is asked for its offer, which comes as
    /// [`CallEvent::Reoffer`]. [`CallEvent::ReofferAnswered`] or [`CallEvent::ReofferFailed`] follows; while another offer is
    /// pending it fails with 491.
    pub fn reinvite(&mut self, now: Instant, call: CallId, sdp: impl Into<Option<Vec<u8>>>) {
        if self.calls.get_mut(&call).is_some_and(|call| call.up().is_some()) {
            self.want_change(now, call, Change::new(Way::Invite, Wish::Owner, sdp.into()));
        }
    }

    /// Sends a change now, or after the refresh that is under way.
    pub(super) fn want_change(&mut self, now: Instant, id: CallId, change: Change) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let is_free = call.may_change();
        match &call.services.offer_out {
            _ if is_free => self.send_change(now, id, change),
            OfferOut::Waiting(refresh) if refresh.is_refresh() && call.services.offer_in.is_none() => {
                call.timers.stop(CallTimer::Glare);
                call.services.offer_out = OfferOut::None;
                call.put_off_refresh(now);
                return self.want_change(now, id, change);
            }
            OfferOut::Sent(refresh) if refresh.is_refresh() && call.services.queued.is_none() => {
                call.services.queued = Some(change);
            }
            _ => {
                let cause = Cause::new(491, "Request Pending", Side::Local);
                self.tell(id, CallEvent::ReofferFailed { cause });
            }
        }
        self.settle(id);
    }

    pub(super) fn send_change(&mut self, now: Instant, id: CallId, mut change: Change) {
        let settles = self.calls.get(&id).and_then(|call| self.ack_settles(now, call));
        if let (Some(settles), Some(call)) = (settles, self.calls.get_mut(&id)) {
            call.services.offer_out = OfferOut::Waiting(change);
            return call.timers.set(CallTimer::Glare, settles);
        }
        let (allow, supported) = (self.allow(), self.supported());
        let (method, purpose) = match change.way {
            Way::Invite => (Method::Invite, Purpose::Reinvite(id)),
            Way::Update => (Method::Update, Purpose::Update(id)),
        };
        let Some((mut request, next)) = self.request_in_dialog(id, method) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        request.headers.push(HeaderName::ALLOW, allow);
        request.headers.push(HeaderName::SUPPORTED, supported);
        call.session.put_into(&mut request);
        if let Some(sdp) = &change.sdp {
            request.set_body(headers::SDP, sdp.clone());
        }
        change.first_cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        change.remote_tag =
            request.headers.to().ok().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        call.services.offer_out = OfferOut::Sent(change);
        call.timers.set(CallTimer::Change, now + LIMIT);
        self.send_in_dialog(now, purpose, request, next);
    }

    /// The change is over: the one that waited for it may go.
    pub(super) fn send_queued(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(change) = call.services.queued.take() {
            self.want_change(now, id, change);
        }
    }

    pub(super) fn on_change_success(
        &mut self,
        now: Instant,
        id: CallId,
        change: Change,
        response: &Response,
    ) {
        self.hear_session(now, id, response);
        let sdp = headers::sdp(&response.headers, &response.body);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if change.sdp.is_some() {
            call.session.local_sdp = change.sdp;
        }
        let is_news = sdp.is_some() && sdp != call.session.remote_sdp;
        if let (Some(sdp), Some(dialog)) = (&sdp, DialogId::of_response(&response.headers)) {
            call.note_remote_sdp(&dialog, sdp);
        }
        if change.wish != Wish::Refresh || is_news {
            self.tell(id, CallEvent::ReofferAnswered { sdp: sdp.unwrap_or_default() });
        }
        self.send_queued(now, id);
    }

    pub(super) fn on_change_failure(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: &Attempt,
        outcome: Outcome,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(mut change) = call.services.take_sent(attempt.cseq()) else { return };
        if call.ended {
            return;
        }
        if let Some(pause) = self.pause_before_retry(id, &change, &outcome) {
            change.tries += 1;
            let Some(call) = self.calls.get_mut(&id) else { return };
            call.services.offer_out = OfferOut::Waiting(change);
            return call.timers.set(CallTimer::Glare, now + pause);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let is_gone = match &outcome {
            Outcome::Response(response) => matches!(response.status, 408 | 481),
            Outcome::TimedOut => change.wish == Wish::Owner,
            Outcome::Unreachable(_) => false,
        };
        // the dialog is gone, or the peer is (RFC 3261 section 12.2.1.2)
        if is_gone && matches!(call.state, State::Up(_)) {
            self.tell(id, CallEvent::Ended { cause: outcome.cause() });
            return self.say_bye(now, id, None);
        }
        self.end_change(now, id, &change, &outcome);
    }

    /// It failed for good, and the call goes on.
    fn end_change(&mut self, now: Instant, id: CallId, change: &Change, outcome: &Outcome) {
        match change.wish {
            Wish::Refresh => self.on_refresh_failure(now, id, outcome, change.way),
            Wish::Owner | Wish::Relocate => {
                self.tell(id, CallEvent::ReofferFailed { cause: outcome.cause() });
            }
        }
        self.send_queued(now, id);
    }

    /// How long to wait before the change is sent again, if it is worth it: it met another one (491, 500 with Retry-After), or asked
    /// for too short a session (422).
    fn pause_before_retry(&mut self, id: CallId, change: &Change, outcome: &Outcome) -> Option<Duration> {
        let Outcome::Response(response) = outcome else { return None };
        let call = self.calls.get_mut(&id)?;
        if change.tries >= MAX_GLARES {
            return None;
        }
        match response.status {
            491 => {
                let (from, to) = if call.is_caller { (2100, 4000) } else { (0, 2000) };
                Some(self.random.between(Duration::from_millis(from), Duration::from_millis(to)))
            }
            500 => {
                let pause = response.headers.retry_after().ok().flatten()?;
                (pause <= MAX_PAUSE).then(|| Duration::from_secs(pause.into()))
            }
            422 => call.session.accept_min_se(response).then_some(Duration::ZERO),
            _ => None,
        }
    }

    /// Our re-INVITE got provisional responses and nothing else: it is cancelled and counts as refused.
    pub(super) fn give_up_change(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(change) = call.services.take_sent(u32::MAX) else { return };
        let is_it = |attempt: &&Attempt| {
            matches!(attempt.purpose, Purpose::Reinvite(_))
                && change.is_of(attempt.cseq())
                && !attempt.accepted
        };
        let attempts = call.attempts.iter().filter_map(|attempt| self.attempts.get(attempt));
        let client = attempts.filter(is_it).find_map(|attempt| attempt.client);
        self.cancel_client(now, client);
        self.end_change(now, id, &change, &Outcome::TimedOut);
    }

    /// The pause is over.
    pub(super) fn retry_change(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let OfferOut::Waiting(mut change) = std::mem::take(&mut call.services.offer_out) else { return };
        if call.may_change() {
            return self.send_change(now, id, change);
        }
        if change.tries >= MAX_GLARES && change.wish == Wish::Owner {
            let cause = Cause::new(491, "Request Pending", Side::Remote);
            return self.tell(id, CallEvent::ReofferFailed { cause });
        }
        change.tries = change.tries.saturating_add(1);
        call.services.offer_out = OfferOut::Waiting(change);
        call.timers.set(CallTimer::Glare, now + Duration::from_secs(1));
    }

    /// The call goes on in one dialog: what was going on in other branches is over.
    pub(super) fn leave_other_branches(&mut self, now: Instant, id: CallId, dialog: &DialogId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let services = &mut call.services;
        let is_other =
            |pending: &OfferIn| DialogId::of_request(&pending.request.headers).as_ref() != Some(dialog);
        let in_other = services.offer_in.as_ref().is_some_and(is_other);
        let out_other = match &services.offer_out {
            OfferOut::Sent(change) | OfferOut::Waiting(change) => !change.is_for(&dialog.remote_tag),
            OfferOut::Owed { .. } | OfferOut::None => false,
        };
        if out_other {
            services.offer_out = OfferOut::None;
            let cause = Cause::new(487, "Another branch answered", Side::Remote);
            self.tell(id, CallEvent::ReofferFailed { cause });
        }
        if in_other {
            self.refuse_reoffer(now, id, 487, "");
            self.tell_reoffer_withdrawn(id);
        }
    }
}
