//! The ACK of a 2xx: sent by the core, again for each repetition of the 2xx (RFC 3261 section 13.2.2.4); and the ACK that comes in.

use std::time::Instant;

use crate::dialog::{Dialog, DialogId};
use crate::message::{HeaderName, Request};

use super::attempt::via;
use super::bye::Reason;
use super::call::{Call, CallTimer, State};
use super::event::{CallEvent, CallId};
use super::headers;
use super::hop::Hop;
use super::{Query, UserAgent};

#[derive(Debug)]
pub(super) struct Ack {
    pub(super) cseq: u32,
    remote_tag: String,
    request: Request,
    /// what was sent, and where
    sent: Option<(Hop, Vec<u8>)>,
    /// follow it by a BYE with this reason: a branch that nobody wants
    bye: Option<(Box<Dialog>, Option<Reason>)>,
}

impl Ack {
    /// It waits for an address.
    pub(super) fn is_pending(&self) -> bool {
        self.sent.is_none()
    }
}

impl UserAgent {
    /// Acknowledges the 2xx of a dialog for the first time; with `bye`, the dialog is then ended.
    pub(super) fn acknowledge(
        &mut self,
        now: Instant,
        id: CallId,
        dialog: &Dialog,
        cseq: u32,
        bye: Option<Option<Reason>>,
    ) {
        self.acknowledge_with(now, id, dialog, cseq, bye, None);
    }

    /// With `answer`, the ACK carries the SDP that the 2xx asked for.
    pub(super) fn acknowledge_with(
        &mut self,
        now: Instant,
        id: CallId,
        dialog: &Dialog,
        cseq: u32,
        bye: Option<Option<Reason>>,
        answer: Option<Vec<u8>>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (mut request, next) = dialog.ack(cseq);
        if let Some(answer) = answer {
            request.set_body(headers::SDP, answer);
        }
        let hop = call.hop_for(&next);
        let (transport, authority) = (call.transport_to(&next), call.authority);
        let remote_tag = dialog.id.remote_tag.clone();
        let bye = bye.map(|reason| (Box::new(dialog.clone()), reason));
        call.acks.push(Ack { cseq, remote_tag: remote_tag.clone(), request, sent: None, bye });
        match hop {
            Some(hop) => self.send_ack(now, id, &remote_tag, cseq, hop),
            None => self.ask(Query::Ack { call: id, remote_tag, cseq }, next, transport, authority),
        }
    }

    pub(super) fn on_ack_resolved(
        &mut self,
        now: Instant,
        id: CallId,
        remote_tag: &str,
        cseq: u32,
        hop: Option<Hop>,
    ) {
        // without an address of its own, the way of the INVITE is the best guess
        let guess = self.calls.get(&id).and_then(|call| {
            let attempts = call.attempts.iter().filter_map(|attempt| self.attempts.get(attempt));
            attempts.filter(|attempt| attempt.cseq() == cseq).find_map(|attempt| attempt.hop)
        });
        match hop.or(guess) {
            Some(hop) => self.send_ack(now, id, remote_tag, cseq, hop),
            None => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.acks.retain(|ack| ack.cseq != cseq || ack.remote_tag != remote_tag);
                }
            }
        }
        self.settle(id);
    }

    fn send_ack(&mut self, now: Instant, id: CallId, remote_tag: &str, cseq: u32, hop: Hop) {
        let branch = self.random.branch();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(ack) = call.acks.iter_mut().find(|ack| ack.cseq == cseq && ack.remote_tag == remote_tag)
        else {
            return;
        };
        ack.request.headers.push_front(HeaderName::VIA, via(&hop, &branch));
        let bytes = ack.request.to_bytes();
        ack.sent = Some((hop, bytes.clone()));
        let bye = ack.bye.take();
        call.acked = (!hop.transport.is_reliable()).then_some(now);
        if call.flow.is_none()
            && let State::Up(up) = &call.state
            && up.dialog.id.remote_tag == remote_tag
        {
            let (_, next) = up.dialog.ack(cseq);
            call.known = Some((next, hop));
        }
        self.transmit(hop, bytes);
        if let Some((mut dialog, reason)) = bye {
            self.send_bye(now, id, &mut dialog, reason.as_ref(), Some(hop));
        }
    }

    /// Sends the ACK again if this 2xx had one. Whether it had.
    pub(super) fn repeat_ack(&mut self, now: Instant, id: CallId, remote_tag: &str, cseq: u32) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return true };
        let Some(ack) = call.acks.iter().find(|ack| ack.cseq == cseq && ack.remote_tag == remote_tag) else {
            return false;
        };
        if let Some((hop, bytes)) = ack.sent.clone() {
            call.acked = (!hop.transport.is_reliable()).then_some(now);
            self.transmit(hop, bytes);
        }
        true
    }

    /// When our last ACK has come, as far as can be told: it may wait for its address, and datagrams overtake each other, in proxies
    /// too. A peer that meets our next request before it refuses that one, and the ACK after it. `None`: it has come.
    pub(super) fn ack_settles(&self, now: Instant, call: &Call) -> Option<Instant> {
        let is_pending = call.acks.iter().any(Ack::is_pending);
        let sent = if is_pending { Some(now) } else { call.acked };
        sent.map(|sent| sent + self.config.timers.t1 / 2).filter(|settles| *settles > now)
    }

    /// Hung up before the ACK found its address: the BYE follows it. Whether there is such an ACK.
    pub(super) fn bye_after_ack(&mut self, id: CallId, dialog: &Dialog, reason: Option<Reason>) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let pending =
            call.acks.iter_mut().find(|ack| ack.is_pending() && ack.remote_tag == dialog.id.remote_tag);
        let Some(ack) = pending else { return false };
        ack.bye = Some((Box::new(dialog.clone()), reason));
        true
    }

    /// An ACK that belongs to a 2xx of ours.
    pub(super) fn on_ack(&mut self, now: Instant, ack: &Request) {
        let Some(dialog_id) = DialogId::of_request(&ack.headers) else { return };
        let Some(id) = self.call_of(&dialog_id) else { return };
        let Some(up) = self.calls.get_mut(&id).and_then(|call| call.up()) else { return };
        let Ok(cseq) = ack.headers.cseq() else { return };
        let Some(unacked) = up.unacked.take_if(|unacked| unacked.cseq == cseq.number) else { return };
        let first = !std::mem::replace(&mut up.confirmed, true);
        let bye = up.bye_on_ack.take();
        if let Some(call) = self.calls.get_mut(&id) {
            call.timers.stop(CallTimer::Repeat);
            call.timers.stop(CallTimer::NoAck);
        }
        if first || unacked.late_offer {
            self.tell(id, CallEvent::Confirmed { sdp: headers::sdp(&ack.headers, &ack.body) });
        }
        if let Some(reason) = bye {
            self.say_bye(now, id, reason);
        }
        self.settle(id);
    }

    /// The call of a dialog that a request names with both tags.
    pub(super) fn call_of(&mut self, dialog: &DialogId) -> Option<CallId> {
        let id = *self.dialogs.get(&(dialog.call_id.clone(), dialog.local_tag.clone()))?;
        let call = self.calls.get_mut(&id)?;
        match &call.state {
            State::Calling(calling) => {
                calling.early.iter().any(|early| early.dialog.id == *dialog).then_some(id)
            }
            State::Up(up) => (up.dialog.id == *dialog).then_some(id),
            State::Offered(offered) => (offered.dialog.id == *dialog).then_some(id),
            State::Over => Some(id),
        }
    }
}
