//! What the requests inside a call's dialog have in common: out, in, and how many of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, Request, Response, Uri};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::call::State;
use super::challenge::Login;
use super::change::{Change, OfferOut};
use super::event::CallId;
use super::hop::Hop;
use super::info::InfoOut;
use super::prack::ReliableOut;
use super::refer::{Refer, ReferIn, ReferOut};
use super::reoffered::OfferIn;

/// Requests that one peer may send at once in one call, and how fast that fills up again.
const BURST: u32 = 100;
const REFILL: Duration = Duration::from_millis(20);

/// What goes on in the dialog of a call besides the call.
#[derive(Debug, Default)]
pub(super) struct Services {
    pub(super) refer_out: Option<ReferOut>,
    /// a REFER that follows an ACK
    pub(super) refer_waits: Option<Box<Refer>>,
    pub(super) refer_in: Option<ReferIn>,
    /// there was a REFER before
    pub(super) was_referred: bool,
    pub(super) info_out: VecDeque<InfoOut>,
    /// an INFO of ours has no answer yet
    pub(super) info_busy: bool,
    /// the peer's INVITE, UPDATE or PRACK with an offer that the owner has to answer
    pub(super) offer_in: Option<OfferIn>,
    pub(super) offer_out: OfferOut,
    /// our reliable provisional responses
    pub(super) reliable: Option<ReliableOut>,
    /// a change that waits for the refresh that is under way
    pub(super) queued: Option<Change>,
    allowance: Allowance,
}

impl Services {
    /// The change that the request with this number was sent for, if it still waits for its answer.
    pub(super) fn take_sent(&mut self, cseq: u32) -> Option<Change> {
        match std::mem::take(&mut self.offer_out) {
            OfferOut::Sent(change) if change.is_of(cseq) => Some(change),
            other => {
                self.offer_out = other;
                None
            }
        }
    }
}

/// A token bucket against floods inside a dialog.
#[derive(Debug, Default)]
struct Allowance {
    used: u32,
    since: Option<Instant>,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let earned = now.saturating_duration_since(since).as_millis() / REFILL.as_millis();
        if earned > 0 {
            self.used = self.used.saturating_sub(u32::try_from(earned).unwrap_or(u32::MAX));
            self.since = Some(now);
        }
        let is_free = self.used < BURST;
        self.used += u32::from(is_free);
        is_free
    }
}

impl UserAgent {
    /// A new request in the dialog of a call, without Via and Contact, and the URI it goes to next. Before the answer it goes to the
    /// branch that was heard last.
    pub(super) fn request_in_dialog(&mut self, id: CallId, method: Method) -> Option<(Request, Uri)> {
        let call = self.calls.get_mut(&id)?;
        let dialog = match &mut call.state {
            State::Up(up) => &mut up.dialog,
            State::Offered(offered) => &mut offered.dialog,
            State::Calling(calling) => &mut calling.early.last_mut()?.dialog,
            State::Over => call.afterlife.as_deref_mut()?,
        };
        Some(dialog.request(method))
    }

    /// Sends it with our Contact, on the way that leads to the peer of that call.
    pub(super) fn send_in_dialog(&mut self, now: Instant, purpose: Purpose, request: Request, next: Uri) {
        let Some(id) = purpose.call() else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let hop = call.hop_for(&next);
        let transport = call.transport_to(&next);
        let contact = call.contact.clone();
        let mut attempt = Attempt::new(purpose, request, next).with_hop(hop);
        attempt.contact = Some(contact);
        attempt.transport = transport;
        attempt.login = Some(Login::Call(id));
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    /// The call that a request in its dialog is for, its CSeq taken. `None`: it has been refused.
    pub(super) fn enter_dialog(&mut self, now: Instant, request: &Request, hop: Hop) -> Option<CallId> {
        let known = DialogId::of_request(&request.headers).and_then(|dialog| self.call_of(&dialog));
        let known = known.filter(|id| self.calls.get(id).is_some_and(|call| !call.ended));
        let Some(id) = known else {
            self.respond_once(now, request, hop, 481);
            return None;
        };
        if !self.calls.get_mut(&id)?.services.allowance.take(now) {
            // a flood gets answers but no memory
            let tag = self.stateless_tag(&request.headers);
            let mut response = Response::to(request, 500, Some(&tag));
            response.headers.push(HeaderName::RETRY_AFTER, 1);
            self.respond_stateless(hop, response);
            return None;
        }
        if let Err(status) = self.accept_in_dialog(id, request) {
            self.respond_once(now, request, hop, status);
            return None;
        }
        Some(id)
    }
}
