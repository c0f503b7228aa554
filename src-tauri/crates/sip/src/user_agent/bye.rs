//! BYE: RFC 3261 section 15, out and in.

use std::fmt::{self, Write};
use std::time::Instant;

use crate::dialog::{Dialog, DialogId};
use crate::message::{HeaderName, Method, Request};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::call::State;
use super::cancel::reason;
use super::challenge::Login;
use super::event::CallId;
use super::hop::Hop;

impl UserAgent {
    /// Ends the dialog of an answered call, waiting for its ACK where that has to come first.
    pub(super) fn say_bye(&mut self, now: Instant, id: CallId, reason: Option<Reason>) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.services.queued = None;
        }
        self.answer_in_ack(now, id, None);
        self.refuse_reoffer(now, id, 487, "Request Terminated");
        self.drop_refer(now, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up() else { return };
        if !up.confirmed && up.unacked.is_some() {
            up.bye_on_ack = Some(reason);
            return;
        }
        let mut dialog = up.dialog.clone();
        call.bury();
        if !self.bye_after_ack(id, &dialog, reason.clone()) {
            self.send_bye(now, id, &mut dialog, reason.as_ref(), None);
        }
        // the number of the BYE is taken, whether it has been sent or waits for the ACK
        if let Some(afterlife) = self.calls.get_mut(&id).and_then(|call| call.afterlife.as_mut()) {
            afterlife.local_cseq += 1;
        }
    }

    pub(super) fn send_bye(
        &mut self,
        now: Instant,
        id: CallId,
        dialog: &mut Dialog,
        reason: Option<&Reason>,
        hop: Option<Hop>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let (mut request, next) = dialog.request(Method::Bye);
        if let Some(reason) = reason {
            request.headers.push(HeaderName::REASON, reason);
        }
        let hop = hop.or_else(|| call.hop_for(&next));
        let transport = call.transport_to(&next);
        let mut attempt = Attempt::new(Purpose::Bye(id), request, next).with_hop(hop);
        attempt.transport = transport;
        attempt.login = Some(Login::Call(id));
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn on_bye(&mut self, now: Instant, bye: &Request, hop: Hop) {
        let known = DialogId::of_request(&bye.headers).and_then(|dialog| self.call_of(&dialog));
        let Some(id) = known else { return self.respond_once(now, bye, hop, 481) };
        if let Err(status) = self.accept_in_dialog(id, bye) {
            return self.respond_once(now, bye, hop, status);
        }
        self.respond_once(now, bye, hop, 200);
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &mut call.state {
            State::Up(_) => {
                self.refuse_reoffer(now, id, 487, "Request Terminated");
                self.drop_refer(now, id);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.bury();
                }
                let (code, text) = reason(bye).unwrap_or((200, "Call ended".to_owned()));
                self.tell_ended_by(id, code, text, bye);
            }
            State::Offered(_) => {
                self.refuse_offered(now, id, 487, "Request Terminated");
                self.tell_ended_by(id, 487, "Request Terminated", bye);
            }
            // a callee may not do this: only its branch goes, the INVITE will still have its final response
            State::Calling(calling) => {
                if let Some(dialog) = DialogId::of_request(&bye.headers) {
                    calling.early.retain(|early| early.dialog.id != dialog);
                }
            }
            State::Over => {}
        }
        self.settle(id);
    }
}

/// Why a BYE or CANCEL is sent: RFC 3326.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) code: u16,
    pub(super) text: String,
}

impl Reason {
    /// The user's words for an end that is none's fault.
    pub(super) fn done(text: &str) -> Self {
        Self { code: 200, text: text.to_owned() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP;cause={};text=\"", self.code)?;
        for character in self.text.chars().filter(|character| !character.is_control()) {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}
