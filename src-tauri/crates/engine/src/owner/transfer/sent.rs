//! The transferor: holds the call, sends the REFER, follows the reports, and hangs up or takes the call back.

use super::super::{Owner, call::Call, hooks, target::Target, text};
use crate::hooks::{Fields, Hook, Verdict};
use sidetone_api::{
    CallDirection, CallId, Event, Failure, FailureCode, NoticeLevel, Reply, TransferStatus, TransferView,
};
use sidetone_sip::message::Uri;
use sidetone_sip::{Cause, Refer};
use std::time::Instant;

/// A transfer that we asked the far end of a call for.
#[derive(Debug)]
pub(in super::super) struct Sent {
    target: String,
    status: Option<TransferStatus>,
    info: String,
    /// Waits until the far end has been put on hold.
    waiting: Option<Refer>,
    /// The call that the far end takes over.
    consultation: Option<CallId>,
    /// It was held before: then it stays so where the transfer fails.
    was_held: bool,
}

impl Sent {
    pub(in super::super) fn view(&self) -> TransferView {
        TransferView { target: self.target.clone(), status: self.status, info: self.info.clone() }
    }

    fn is_pending(&self) -> bool {
        !matches!(self.status, Some(TransferStatus::Completed | TransferStatus::Failed))
    }
}

impl Owner {
    /// Blind transfer.
    pub(in super::super) fn transfer(&mut self, id: &CallId, target: &str) -> Result<Reply, Failure> {
        let call = self.transferable(id)?;
        let session = self.open_session(&call.session_id)?;
        let account = session.account.id.clone();
        let target = Target::read(target, Some(&account), self.settings.dial_plan(), "target")?;
        let to = target.uri(&session.aor.uri, "target")?;
        let refer = Refer { referred_by: Some(session.aor.clone()), ..Refer::blind(to.clone()) };
        self.ask_to_transfer(id, to, refer, None);
        Ok(Reply::Done)
    }

    /// Attended transfer: the far end of `id` takes our place in `consultation`.
    pub(in super::super) fn transfer_attended(
        &mut self,
        id: &CallId,
        consultation: &CallId,
    ) -> Result<Reply, Failure> {
        if id == consultation {
            let message = "a call cannot be transferred to itself";
            return Err(Failure::invalid("consultationCallId", message));
        }
        let call = self.transferable(id)?;
        let session = self.open_session(&call.session_id)?;
        let referred_by = Some(session.aor.clone());
        let other = self
            .transferable(consultation)
            .map_err(|failure| Failure { field: Some("consultationCallId".into()), ..failure })?;
        let sip = other.sip.ok_or_else(|| wrong_state("the consultation call has no far end yet"))?;
        let replaces = self.phone.ua.dialog_name(sip);
        let replaces = replaces.ok_or_else(|| wrong_state("the consultation call is not up any more"))?;
        let to = self.address_of(other, sip);
        let refer = Refer { to: to.clone(), replaces: Some(replaces), referred_by };
        self.ask_to_transfer(id, to, refer, Some(consultation.clone()));
        Ok(Reply::Done)
    }

    /// Where the far end of a call is reached by others: the address that was called, or that called by way of our own domain;
    /// else its Contact.
    fn address_of(&self, call: &Call, sip: sidetone_sip::CallId) -> Uri {
        let far = call.far().uri.clone();
        let session = self.sessions.get(&call.session_id);
        let is_ours = session.is_some_and(|session| session.aor.uri.host == far.host);
        match call.direction {
            CallDirection::Incoming if !is_ours => self.phone.ua.remote_target(sip).unwrap_or(far),
            _ => far,
        }
    }

    fn transferable(&self, id: &CallId) -> Result<&Call, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.is_established() || call.hung_up || call.successor.is_some() {
            return Err(wrong_state("only a call that has been answered can be transferred"));
        }
        if call.transfer.as_ref().is_some_and(Sent::is_pending) {
            return Err(wrong_state("this call is being transferred already"));
        }
        Ok(call)
    }

    /// Before the far end is put on hold for it.
    fn ask_to_transfer(&mut self, id: &CallId, to: Uri, mut refer: Refer, consultation: Option<CallId>) {
        let more = Fields::from_iter([("target".to_owned(), to.to_string().into())]);
        let Some((session, fields)) = self.call_fields(id, more) else { return };
        if self.hooks.is_asking(id.as_str(), Hook::Transfer) {
            return;
        }
        if self.calls.get(id).is_some_and(|call| call.emergency) {
            self.tell(Hook::Transfer, &session, id.as_str(), fields);
            return self.begin_transfer(id, &to, refer, consultation);
        }
        let (call, of_session) = (id.clone(), session.clone());
        self.gate(Hook::Transfer, &session, id.as_str(), fields, move |owner, verdict| {
            let changed = match verdict {
                Verdict::Go(fields) => owner.change_transfer(&call, &fields, to.clone()),
                Verdict::Refused { info } => Err(info),
            };
            let gone = owner.transferable(&call).err();
            match changed.and_then(|to| gone.map_or(Ok(to), |failure| Err(failure.message))) {
                Ok(target) => {
                    if target != to {
                        // Another target is not the far end of the consultation call.
                        refer =
                            Refer { referred_by: refer.referred_by.take(), ..Refer::blind(target.clone()) };
                    }
                    let consultation = consultation.filter(|_| target == to);
                    let hides = owner.hooks.hides(&of_session, Hook::Transfer, "target");
                    owner.begin_transfer(&call, if hides { &to } else { &target }, refer, consultation);
                }
                Err(info) => owner.refuse_transfer_of_ours(&call, &to, &info),
            }
        });
    }

    fn change_transfer(&self, id: &CallId, fields: &Fields, to: Uri) -> Result<Uri, String> {
        let target = hooks::changed(fields, "target").filter(|target| *target != to.to_string());
        let (Some(target), Some(call)) = (target, self.calls.get(id)) else { return Ok(to) };
        let read = || {
            let session = self.open_session(&call.session_id)?;
            let account = session.account.id.clone();
            Target::read(target, Some(&account), self.settings.dial_plan(), "target")?
                .uri(&session.aor.uri, "target")
        };
        read().map_err(|failure: Failure| failure.message)
    }

    /// Nothing was asked of the far end.
    fn refuse_transfer_of_ours(&mut self, id: &CallId, to: &Uri, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.transfer.as_ref().is_some_and(Sent::is_pending) {
            return;
        }
        call.transfer = Some(Sent {
            target: text::shown(&to.to_string()),
            status: None,
            info: String::new(),
            waiting: None,
            was_held: call.is_held_here(),
            consultation: None,
        });
        self.set_transfer(id, TransferStatus::Failed, info);
    }

    /// `to`: as the client sees it.
    fn begin_transfer(&mut self, id: &CallId, to: &Uri, refer: Refer, consultation: Option<CallId>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.transfer = Some(Sent {
            target: text::shown(&to.to_string()),
            status: None,
            info: String::new(),
            waiting: Some(refer),
            was_held: call.is_held_here(),
            consultation: consultation.clone(),
        });
        self.leave_conference(id);
        if self.transfer_at_server(id, to) {
            return;
        }
        if let Some(consultation) = consultation {
            self.leave_conference(&consultation);
        }
        self.want_hold(id, true);
        self.go_on_with_transfer(id);
    }

    /// Sends the REFER, once the far end hears no voice of ours any more.
    pub(in super::super) fn go_on_with_transfer(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_hold_settled()) else { return };
        let (Some(sip), Some(sent)) = (call.sip, call.transfer.as_mut()) else { return };
        if let Some(refer) = sent.waiting.take() {
            self.phone.ua.refer(Instant::now(), sip, refer);
        }
    }

    pub(in super::super) fn on_refer_accepted(&mut self, id: &CallId, status: u16) {
        self.set_transfer(id, TransferStatus::Accepted, &format!("{status} Accepted"));
    }

    pub(in super::super) fn on_refer_progress(&mut self, id: &CallId, status: u16, reason: &str) {
        self.set_transfer(id, TransferStatus::Trying, &format!("{status} {reason}"));
    }

    pub(in super::super) fn on_refer_final(&mut self, id: &CallId, status: u16, reason: &str) {
        let info = format!("{status} {reason}");
        if !(200..300).contains(&status) {
            return self.fail_transfer(id, &info);
        }
        self.set_transfer(id, TransferStatus::Completed, &info);
        let consultation = self.calls.get(id).and_then(|call| call.transfer.as_ref()?.consultation.clone());
        let _ = self.hang_up(id);
        if let Some(consultation) = consultation {
            let _ = self.hang_up(&consultation);
        }
    }

    pub(in super::super) fn on_refer_refused(&mut self, id: &CallId, cause: &Cause) {
        self.fail_transfer(id, &cause.to_string());
    }

    /// Its outcome is still to be told.
    pub(in super::super) fn is_transferring(&self, id: &CallId) -> bool {
        self.calls.get(id).and_then(|call| call.transfer.as_ref()).is_some_and(Sent::is_pending)
    }

    /// The far end is ours again, as it was.
    pub(in super::super) fn fail_transfer(&mut self, id: &CallId, info: &str) {
        self.set_transfer(id, TransferStatus::Failed, info);
        let Some(sent) = self.calls.get(id).and_then(|call| call.transfer.as_ref()) else { return };
        let (was_held, target) = (sent.was_held, sent.target.clone());
        let words = format!("the transfer to {target} failed: {}", text::shown(info));
        self.notice(NoticeLevel::Warning, &words, Some(id));
        // Where another call is spoken in by now, it stays held.
        let is_of_client = self.calls.get(id).is_some_and(|call| !call.is_ours());
        let others_speak =
            self.calls.values().any(|call| call.id != *id && call.is_ours() && call.is_active())
                && !is_of_client;
        if !was_held && !others_speak {
            let _ = self.unhold(id);
        }
    }

    /// A call ends, and with it the reports on its transfer.
    pub(in super::super) fn end_transfer(&mut self, id: &CallId) {
        if self.is_transferring(id) {
            self.set_transfer(id, TransferStatus::Failed, "the call ended before the outcome was told");
        }
    }

    pub(in super::super) fn set_transfer(&mut self, id: &CallId, status: TransferStatus, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(sent) = call.transfer.as_mut().filter(|sent| sent.is_pending()) else { return };
        let news = sent.status != Some(status);
        sent.status = Some(status);
        sent.info = text::shown(info);
        let event = Event::TransferStatusEvent {
            status,
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            target: sent.target.clone(),
            info: sent.info.clone(),
        };
        if news {
            self.publish(event);
        }
        self.publish_call(id);
    }
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
