//! The caller: PRACK out.

use std::time::Instant;

use crate::message::{HeaderName, Method, Response};

use super::super::UserAgent;
use super::super::attempt::Purpose;
use super::super::call::{Early, State};
use super::super::event::CallId;
use super::super::headers;
use super::{is_required, rseq};

/// Reliable responses of one branch that are acknowledged.
const MAX_RESPONSES: u8 = 100;

/// What becomes of a provisional response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Heard {
    Unreliable,
    /// the next in order: it has to be acknowledged with this number
    Reliable(u32),
    /// it came before, or one before it is missing
    Ignored,
}

impl Early {
    pub(in super::super) fn hear(&mut self, response: &Response) -> Heard {
        let Some(number) = rseq(&response.headers).filter(|_| is_required(&response.headers)) else {
            return Heard::Unreliable;
        };
        let is_next = self.rseq.is_none_or(|last| last.checked_add(1) == Some(number));
        if !is_next || self.reliable >= MAX_RESPONSES {
            return Heard::Ignored;
        }
        self.rseq = Some(number);
        self.reliable += 1;
        if headers::sdp(&response.headers, &response.body).is_some() {
            self.answered = true;
        }
        Heard::Reliable(number)
    }
}

impl UserAgent {
    /// Acknowledges a reliable response of one branch.
    pub(in super::super) fn send_prack(
        &mut self,
        now: Instant,
        id: CallId,
        early_dialog: usize,
        number: u32,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        let Some(invite) = self.attempts.get(&calling.attempt).map(|attempt| attempt.cseq()) else { return };
        let Some(early) = calling.early.get_mut(early_dialog) else { return };
        let (mut request, next) = early.dialog.request(Method::Prack);
        request.headers.push(HeaderName::RACK, format_args!("{number} {invite} INVITE"));
        self.send_in_dialog(now, Purpose::Prack(id), request, next);
    }
}
