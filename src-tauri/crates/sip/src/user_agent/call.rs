//! The state of one call. Each state owns exactly what exists in it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::dialog::{Dialog, DialogId};
use crate::message::{Request, Uri};
use crate::transaction::TimerTable;
use crate::transaction::servers::ServerId;

use super::ack::Ack;
use super::attempt::AttemptId;
use super::bye::Reason;
use super::challenge::Login;
use super::event::{CallEvent, CallId, Cause, Event, Side};
use super::headers::Contact;
use super::hop::{Authority, Hop, Transport};
use super::in_dialog::Services;
use super::session::Session;
use super::{Due, UserAgent};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallTimer {
    /// repeat the 2xx that has no ACK yet
    Repeat,
    /// no ACK came for the 2xx
    NoAck,
    /// it has rung long enough
    Ring,
    /// repeat the provisional so that proxies do not time out (RFC 3261 section 13.3.1.1)
    Minute,
    /// try the re-INVITE or UPDATE again after 491
    Glare,
    /// nobody answered the peer's offer
    OfferIn,
    /// nobody answered the offer in the peer's 2xx
    AckOwed,
    /// refresh the session
    Refresh,
    /// nobody refreshed the session
    Expired,
    /// our reliable provisional response has no PRACK
    Prack,
    /// our re-INVITE has no final response
    Change,
    /// the INVITE did not end after CANCEL (RFC 3261 section 9.1)
    Cancelled,
    /// no final report on our REFER
    ReferOut,
    /// the peer's REFER has no answer, or its outcome has not been told
    ReferIn,
}

#[derive(Debug)]
pub(super) struct Call {
    /// the Call-ID header
    pub(super) sip_id: String,
    pub(super) local_tag: String,
    pub(super) contact: Contact,
    pub(super) transport: Option<Transport>,
    /// what its next hops must prove: the account's, or what the caller's connection had proved
    pub(super) authority: Authority,
    /// the connection or NAT binding that reaches the peer, whatever its Contact says
    pub(super) flow: Option<Hop>,
    /// where the next hop of the dialog was found before
    pub(super) known: Option<(Uri, Hop)>,
    pub(super) state: State,
    pub(super) acks: Vec<Ack>,
    pub(super) attempts: Vec<AttemptId>,
    pub(super) timers: TimerTable<CallTimer>,
    pub(super) services: Services,
    pub(super) session: Session,
    /// the dialog of a call that is over, for the reports that are still owed in it
    pub(super) afterlife: Option<Box<Dialog>>,
    /// we sent the first INVITE, so the Call-ID is ours
    pub(super) is_caller: bool,
    /// `Ended` was told
    pub(super) ended: bool,
}

#[derive(Debug)]
pub(super) enum State {
    /// our INVITE has no final response
    Calling(Calling),
    /// the peer's INVITE has no final response
    Offered(Offered),
    /// there was a 2xx
    Up(Box<Up>),
    /// only leftovers: repeated 2xx to acknowledge, a BYE on its way
    Over,
}

#[derive(Debug)]
pub(super) struct Calling {
    pub(super) attempt: AttemptId,
    pub(super) early: Vec<Early>,
    pub(super) trying_told: bool,
    pub(super) cancel_sent: bool,
    /// why, for the CANCEL
    pub(super) cancel_reason: Option<Reason>,
    pub(super) redirects: VecDeque<Uri>,
    pub(super) redirects_left: usize,
}

/// One branch of a forked INVITE.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    pub(super) sdp: Option<Vec<u8>>,
    /// our offer was answered reliably (RFC 3262)
    pub(super) answered: bool,
    /// RSeq of the last reliable response, and how many there were
    pub(super) rseq: Option<u32>,
    pub(super) reliable: u8,
}

#[derive(Debug)]
pub(super) struct Offered {
    pub(super) server: ServerId,
    pub(super) request: Request,
    pub(super) dialog: Dialog,
    /// source of the INVITE
    pub(super) hop: Hop,
    /// the caller's Expires runs out before our own patience
    pub(super) expires: bool,
    /// of the last provisional response
    pub(super) last_status: u16,
    /// offer and answer have been exchanged reliably (RFC 3262)
    pub(super) answered: bool,
}

#[derive(Debug)]
pub(super) struct Up {
    pub(super) dialog: Dialog,
    pub(super) unacked: Option<Unacked>,
    /// CSeq of the peer's first INVITE
    pub(super) invite_cseq: Option<u32>,
    /// the first ACK came, or we are the caller
    pub(super) confirmed: bool,
    /// hung up before the ACK came: a callee must wait for it (RFC 3261 section 15)
    pub(super) bye_on_ack: Option<Option<Reason>>,
}

/// A 2xx of ours that is repeated until its ACK comes.
#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) cseq: u32,
    pub(super) server: ServerId,
    pub(super) hop: Hop,
    pub(super) bytes: Vec<u8>,
    pub(super) interval: Duration,
    /// the ACK must bring the answer
    pub(super) late_offer: bool,
}

impl Up {
    pub(super) fn new(dialog: Dialog, confirmed: bool) -> Box<Self> {
        Box::new(Self { dialog, unacked: None, invite_cseq: None, confirmed, bye_on_ack: None })
    }
}

impl Call {
    pub(super) fn up(&mut self) -> Option<&mut Up> {
        match &mut self.state {
            State::Up(up) => Some(up),
            _ => None,
        }
    }

    pub(super) fn dialog(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Up(up) => Some(&mut up.dialog),
            State::Offered(offered) => Some(&mut offered.dialog),
            State::Over => self.afterlife.as_deref_mut(),
            State::Calling(_) => None,
        }
    }

    /// The dialog of this name, early or not.
    pub(super) fn dialog_by(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Calling(calling) => {
                calling.early.iter_mut().map(|early| &mut early.dialog).find(|dialog| dialog.id == *id)
            }
            State::Up(up) => Some(&mut up.dialog).filter(|dialog| dialog.id == *id),
            State::Offered(offered) => Some(&mut offered.dialog).filter(|dialog| dialog.id == *id),
            State::Over => None,
        }
    }

    /// The timers of a call that has no final response yet.
    pub(super) fn stop_setup_timers(&mut self) {
        for timer in [CallTimer::Ring, CallTimer::Minute, CallTimer::Cancelled, CallTimer::Prack] {
            self.timers.stop(timer);
        }
    }

    /// The peer's SDP that is in force in one of its dialogs.
    pub(super) fn note_remote_sdp(&mut self, dialog: &DialogId, sdp: &[u8]) {
        self.session.remote_sdp = Some(sdp.to_vec());
        if let State::Calling(calling) = &mut self.state
            && let Some(early) = calling.early.iter_mut().find(|early| early.dialog.id == *dialog)
        {
            early.sdp = Some(sdp.to_vec());
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_)) && !self.ended
    }

    /// The end of an answered call. Its dialog stays for as long as a transfer has to be reported on.
    pub(super) fn bury(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Over);
        let owed = self.services.refer_in.is_some();
        if let (State::Up(up), true) = (state, owed) {
            self.afterlife = Some(Box::new(up.dialog));
        }
        self.timers.keep_only(CallTimer::ReferIn);
    }

    /// A challenge was answered with this CSeq.
    pub(super) fn raise_cseq(&mut self, number: u32) {
        if let State::Calling(calling) = &mut self.state {
            for early in &mut calling.early {
                early.dialog.local_cseq = early.dialog.local_cseq.max(number);
            }
        } else if let Some(dialog) = self.dialog() {
            dialog.local_cseq = dialog.local_cseq.max(number);
        }
    }

    /// Where `next` is, if that needs no question.
    pub(super) fn hop_for(&self, next: &Uri) -> Option<Hop> {
        let known = self.known.as_ref().filter(|(uri, _)| uri == next).map(|(_, hop)| *hop);
        self.flow.or(known)
    }

    /// The transport to insist on: the user's, unless the peer or a proxy named one for this address.
    pub(super) fn transport_to(&self, next: &Uri) -> Option<Transport> {
        self.transport.filter(|_| next.transport().is_none())
    }

    pub(super) fn forget_hop(&mut self, failed: &Hop) {
        if self.flow.is_some_and(|hop| hop.same_flow(failed)) && failed.transport.is_reliable() {
            self.flow = None;
        }
        if self.known.as_ref().is_some_and(|(_, hop)| hop.same_flow(failed)) {
            self.known = None;
        }
    }

    /// Its next request would go this way, or its INVITE came by it.
    pub(super) fn uses(&self, hop: &Hop) -> bool {
        let known = self.known.as_ref().map(|(_, hop)| *hop);
        let came_by = match &self.state {
            State::Offered(offered) => Some(offered.hop),
            _ => None,
        };
        [self.flow, known, came_by].into_iter().flatten().any(|own| own.same_flow(hop))
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Over) || self.acks.iter().any(Ack::is_pending)
    }

    fn is_finished(&self) -> bool {
        self.ended
            && matches!(self.state, State::Over)
            && self.attempts.is_empty()
            && self.services.refer_in.is_none()
            && self.acks.iter().all(|ack| !ack.is_pending())
    }
}

impl UserAgent {
    /// Tells an event of a call, but nothing after `Ended`.
    pub(super) fn tell(&mut self, id: CallId, event: CallEvent) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.ended {
            return;
        }
        call.ended = matches!(event, CallEvent::Ended { .. });
        self.emit(Event::Call { call: id, event });
    }

    pub(super) fn tell_ended(&mut self, id: CallId, code: u16, text: impl Into<String>, by: Side) {
        self.tell(id, CallEvent::Ended { cause: Cause::new(code, text, by) });
    }

    /// To be called after whatever may have changed a call: takes over its deadline, or removes it if nothing is left of it.
    pub(super) fn settle(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if !call.is_finished() {
            let deadline = call.timers.next();
            return self.deadlines.set(Due::Call(id), deadline);
        }
        self.dialogs.remove(&(call.sip_id.clone(), call.local_tag.clone()));
        self.logins.remove(&Login::Call(id));
        self.deadlines.set(Due::Call(id), None);
        self.calls.remove(&id);
    }

    pub(super) fn on_call_timer(&mut self, now: Instant, id: CallId) {
        while let Some(timer) = self.calls.get_mut(&id).and_then(|call| call.timers.expired(now)) {
            match timer {
                CallTimer::Repeat => self.repeat_success(now, id),
                CallTimer::NoAck => self.on_no_ack(now, id),
                CallTimer::Ring => self.on_ring_limit(now, id),
                CallTimer::Minute => self.repeat_provisional(now, id),
                CallTimer::Glare => self.retry_change(now, id),
                CallTimer::OfferIn => self.on_offer_in_timer(now, id),
                CallTimer::AckOwed => {
                    self.refuse_in_ack(now, id, 504, "No answer to the peer's offer");
                }
                CallTimer::Prack => self.on_prack_timer(now, id),
                CallTimer::Change => self.give_up_change(now, id),
                CallTimer::Refresh => self.on_refresh_timer(now, id),
                CallTimer::Expired => self.on_session_expired(now, id),
                CallTimer::Cancelled => self.give_up_cancelled(id),
                CallTimer::ReferOut => self.on_refer_patience_over(id),
                CallTimer::ReferIn => self.on_refer_in_timer(now, id),
            }
        }
        self.settle(id);
    }

    fn on_ring_limit(&mut self, now: Instant, id: CallId) {
        match self.calls.get(&id).map(|call| &call.state) {
            Some(State::Calling(_)) => {
                self.tell_ended(id, 408, "No answer", Side::Network);
                self.cancel(now, id);
            }
            // an invitation that expires gets 487 (RFC 3261 section 13.3.1)
            Some(State::Offered(offered)) => {
                let status = if offered.expires { 487 } else { 480 };
                self.refuse_offered(now, id, status, "No answer");
                self.tell_ended(id, status, "No answer", Side::Network);
            }
            _ => {}
        }
    }

    /// Ended calls that wait for the end of their transactions count less, or a busy hour would refuse calls for nothing.
    pub(super) fn is_full(&self) -> bool {
        let limit = self.config.max_calls;
        self.calls.len() >= limit.saturating_mul(4)
            || (self.calls.len() >= limit && self.calls.values().filter(|call| !call.ended).count() >= limit)
    }

    /// Hangs up in whatever way the state of the call wants: CANCEL, BYE, or a refusal (603). `reason` goes into the Reason header.
    pub fn hang_up(&mut self, now: Instant, call: CallId, reason: Option<&str>) {
        let Some(state) = self.calls.get(&call).filter(|call| !call.ended).map(|call| &call.state) else {
            return;
        };
        match state {
            State::Calling(_) => {
                self.tell_ended(call, 487, "Request Terminated", Side::Local);
                if let Some(State::Calling(calling)) = self.calls.get_mut(&call).map(|call| &mut call.state) {
                    calling.cancel_reason = reason.map(Reason::done);
                }
                self.cancel(now, call);
            }
            State::Offered(_) => {
                self.refuse_offered(now, call, 603, "Decline");
                self.tell_ended(call, 603, "Decline", Side::Local);
            }
            State::Up(_) => {
                self.tell_ended(call, 200, reason.unwrap_or("Call ended"), Side::Local);
                self.say_bye(now, call, reason.map(Reason::done));
            }
            State::Over => {}
        }
        self.settle(call);
    }
}
