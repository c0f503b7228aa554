//! The transferee: the far end asks us to call somebody else. The new call reports to it how it goes, and takes its place once
//! it is answered.

use super::super::{
    Owner,
    call::{Call, Wish},
    target, text,
};
use crate::hooks::{Fields, Hook, Verdict};
use sidetone_api::{CallId, Event, Failure, FailureCode, IncomingTransfer, NoticeLevel, Reply};
use sidetone_sip::DialogName;
use sidetone_sip::message::{NameAddr, Uri};
use std::time::Instant;

const FORBIDDEN: u16 = 403;
const DECLINE: u16 = 603;

/// A REFER that waits for the user.
#[derive(Debug)]
pub(in super::super) struct Asked {
    target: Uri,
    replaces: Option<DialogName>,
    referred_by: Option<NameAddr>,
}

impl Asked {
    pub(in super::super) fn shown(&self) -> String {
        text::shown(&target::of_refer(&self.target))
    }
}

/// Why a call was placed: the far end of another one asked for it.
#[derive(Debug, Clone)]
pub(in super::super) struct Referred {
    pub(in super::super) by: CallId,
    /// Where the reports go, also after that call.
    sip: sidetone_sip::CallId,
}

impl Owner {
    pub(in super::super) fn on_refer_requested(
        &mut self,
        id: &CallId,
        target: Uri,
        replaces: Option<DialogName>,
        referred_by: Option<NameAddr>,
    ) {
        let Some(call) = self.calls.get(id) else { return };
        let Some(sip) = call.sip else { return };
        let session = self.sessions.get(&call.session_id);
        let policy = session.map_or(IncomingTransfer::Refuse, |session| session.account.incoming_transfer);
        if policy == IncomingTransfer::Refuse || call.hung_up || call.successor.is_some() {
            self.phone.ua.refuse_refer(Instant::now(), sip, DECLINE, "Decline");
            return;
        }
        let more = Fields::from_iter([("target".to_owned(), target::of_refer(&target).into())]);
        let ((session, fields), call) = (call.fields(more), id.clone());
        self.gate(
            Hook::OnTransferEvent,
            &session,
            id.as_str(),
            fields,
            move |owner, verdict| match verdict {
                Verdict::Go(_) => owner.ask_about_transfer(&call, policy, target, replaces, referred_by),
                Verdict::Refused { .. } => {
                    owner.phone.ua.refuse_refer(Instant::now(), sip, FORBIDDEN, "Forbidden");
                }
            },
        );
    }

    fn ask_about_transfer(
        &mut self,
        id: &CallId,
        policy: IncomingTransfer,
        target: Uri,
        replaces: Option<DialogName>,
        referred_by: Option<NameAddr>,
    ) {
        let now = Instant::now();
        let Some(call) = self.calls.get_mut(id) else { return };
        let by = referred_by.as_ref().map_or_else(|| call.far().uri.to_string(), |by| by.uri.to_string());
        let asked = Asked { target, replaces, referred_by };
        let on_transfer = Event::OnTransferEvent {
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            target: asked.shown(),
            referred_by: text::shown(&by),
        };
        call.asked = Some(asked);
        call.due.decide_from(now);
        self.publish(on_transfer);
        self.publish_call(id);
        if policy == IncomingTransfer::Allow
            && let Err(failure) = self.obey_transfer(id, false)
        {
            let info = format!("the transfer that the far end asked for failed: {failure}");
            self.notice(NoticeLevel::Warning, &info, Some(id));
        }
    }

    /// The user's yes is one to being seen there as here.
    pub(in super::super) fn accept_transfer(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let is_seen = self.calls.get(id).is_some_and(Call::is_seen);
        self.obey_transfer(id, is_seen)
    }

    fn obey_transfer(&mut self, id: &CallId, video: bool) -> Result<Reply, Failure> {
        let (sip, asked) = self.take_asked(id)?;
        let now = Instant::now();
        let placed = self.place_referred(id, sip, asked, video);
        match &placed {
            Ok(Reply::Call { call_id }) => {
                if !self.phone.ua.accept_refer(now, sip) {
                    let _ = self.hang_up(&call_id.clone());
                    if let Some(call) = self.calls.get_mut(id) {
                        call.successor = None;
                    }
                    return Err(wrong_state("the far end has taken its request back"));
                }
                self.sound(id);
            }
            Ok(_) => {}
            Err(_) => {
                self.phone.ua.refuse_refer(now, sip, DECLINE, "Decline");
            }
        }
        self.publish_call(id);
        placed
    }

    fn place_referred(
        &mut self,
        id: &CallId,
        sip: sidetone_sip::CallId,
        asked: Asked,
        video: bool,
    ) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let (session, held) = (call.session_id.clone(), call.is_held_here());
        let wish = Wish {
            session: Some(session),
            replaces: asked.replaces,
            referred_by: asked.referred_by,
            referred: Some(Referred { by: id.clone(), sip }),
            held,
            video,
            field: "target",
            ..Wish::of(&target::of_refer(&asked.target))
        };
        self.place(wish)
    }

    pub(in super::super) fn refuse_transfer(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let (sip, _) = self.take_asked(id)?;
        self.phone.ua.refuse_refer(Instant::now(), sip, DECLINE, "Decline");
        self.publish_call(id);
        Ok(Reply::Done)
    }

    fn take_asked(&mut self, id: &CallId) -> Result<(sidetone_sip::CallId, Asked), Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        call.due.decide = None;
        match (call.sip, call.asked.take()) {
            (Some(sip), Some(asked)) => Ok((sip, asked)),
            _ => Err(wrong_state("the far end asks for no transfer")),
        }
    }

    /// A call that was asked for by REFER has come further.
    pub(in super::super) fn report_transfer(&mut self, id: &CallId, status: u16, reason: &str) {
        let Some(referred) = self.calls.get(id).and_then(|call| call.referred.clone()) else { return };
        let now = Instant::now();
        self.phone.ua.notify_refer(now, referred.sip, status, reason);
        if status < 200 {
            return;
        }
        if let Some(call) = self.calls.get_mut(id) {
            call.referred = None;
        }
        let Some(old) = self.calls.get_mut(&referred.by) else { return };
        if status < 300 {
            // The transferor hangs up; where it does not, we do.
            old.due.leave_from(now);
        } else {
            old.successor = None;
            self.sound(&referred.by);
            let info = format!("the transfer came to nothing: {status} {reason}");
            self.notice(NoticeLevel::Warning, &info, Some(&referred.by));
        }
    }
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
