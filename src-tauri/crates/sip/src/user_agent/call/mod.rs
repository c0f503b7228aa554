//! One call: its dialogs, its way to the peer, and its end.

mod state;
mod timer;

use std::time::Instant;

use crate::dialog::{Dialog, DialogId};
use crate::message::{Request, Uri};
use crate::transaction::TimerTable;

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

pub(super) use state::{Calling, Early, Offered, State, Unacked, Up};
pub(super) use timer::CallTimer;

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
    /// when an ACK of ours went out that may be lost, or overtaken by what follows it
    pub(super) acked: Option<Instant>,
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

impl Call {
    /// The name of its side of the dialog, its Contact, and where it stands; it goes wherever the peer's URI leads.
    pub(super) fn new(
        sip_id: String,
        local_tag: String,
        contact: Contact,
        state: State,
        session: Session,
    ) -> Self {
        Self {
            sip_id,
            local_tag,
            contact,
            transport: None,
            authority: Authority::default(),
            flow: None,
            known: None,
            is_caller: matches!(state, State::Calling(_)),
            state,
            acks: Vec::new(),
            acked: None,
            attempts: Vec::new(),
            timers: TimerTable::new(),
            services: Services::default(),
            session,
            afterlife: None,
            ended: false,
        }
    }

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

    /// By a request of the peer.
    pub(super) fn tell_ended_by(&mut self, id: CallId, code: u16, text: impl Into<String>, by: &Request) {
        let cause = Cause::new(code, text, Side::Remote).said_by(by.told());
        self.tell(id, CallEvent::Ended { cause });
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
