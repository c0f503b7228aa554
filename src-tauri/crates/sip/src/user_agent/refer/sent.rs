//! The transferor: REFER out, NOTIFY in.

use std::time::{Duration, Instant};

use crate::message::{HeaderName, Method, NameAddr, Request, Response};

use super::super::UserAgent;
use super::super::attempt::{Attempt, Purpose};
use super::super::call::CallTimer;
use super::super::event::{CallEvent, CallId, Cause, Side};
use super::super::hop::Hop;
use super::super::outcome::Outcome;
use super::Refer;
use super::sipfrag::{self, SIPFRAG};

/// How long the outcome of an accepted transfer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Provisional reports on one transfer that are told.
const MAX_REPORTS: u8 = 32;
const MAX_BODY: usize = 16 * 1024;

#[derive(Debug)]
pub(in super::super) struct ReferOut {
    /// CSeq of the first try; a challenge raises it
    first_cseq: u32,
    accepted: bool,
    reports: u8,
}

impl UserAgent {
    /// Asks the peer of an answered call to call somebody else. The call itself stays until somebody hangs up.
    ///
    /// [`CallEvent::ReferAccepted`], [`CallEvent::ReferProgress`] and [`CallEvent::ReferFinal`] follow, or
    /// [`CallEvent::ReferRefused`]; `Ended` may come instead of any of them. One transfer at a time: 491.
    pub fn refer(&mut self, now: Instant, call: CallId, refer: Refer) {
        let Some(state) = self.calls.get(&call) else { return };
        let is_pending = state.services.refer_out.is_some() || state.services.refer_waits.is_some();
        let refusal = match (state.is_up(), is_pending) {
            (false, _) => Some((481, "The call is not answered")),
            (true, true) => Some((491, "A transfer is pending")),
            (true, false) => None,
        };
        if let Some((code, text)) = refusal {
            let cause = Cause::new(code, text, Side::Local);
            return self.tell(call, CallEvent::ReferRefused { cause });
        }
        let settles = self.ack_settles(now, state);
        if let (Some(settles), Some(state)) = (settles, self.calls.get_mut(&call)) {
            state.services.refer_waits = Some(Box::new(refer));
            state.timers.set(CallTimer::ReferSoon, settles);
            return self.settle(call);
        }
        let Some((mut request, next)) = self.request_in_dialog(call, Method::Refer) else { return };
        let mut target = refer.to;
        target.headers.clear();
        if let Some(replaces) = &refer.replaces {
            replaces.put_into(&mut target);
        }
        request.headers.push(HeaderName::REFER_TO, NameAddr::new(target));
        if let Some(by) = &refer.referred_by {
            request.headers.push(HeaderName::REFERRED_BY, by);
        }
        request.headers.push(HeaderName::ALLOW, self.allow());
        request.headers.push(HeaderName::SUPPORTED, self.supported());
        if let Some(state) = self.calls.get_mut(&call) {
            let first_cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
            state.services.refer_out = Some(ReferOut { first_cseq, accepted: false, reports: 0 });
        }
        self.send_in_dialog(now, Purpose::Refer(call), request, next);
        self.settle(call);
    }

    /// The ACK before it has come.
    pub(in super::super) fn send_waiting_refer(&mut self, now: Instant, id: CallId) {
        let waiting = self.calls.get_mut(&id).and_then(|call| call.services.refer_waits.take());
        if let Some(refer) = waiting {
            self.refer(now, id, *refer);
        }
    }

    pub(in super::super) fn on_refer_outcome(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: &Attempt,
        outcome: Outcome,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let sent = call.services.refer_out.as_mut().filter(|sent| attempt.cseq() >= sent.first_cseq);
        let Some(sent) = sent else { return };
        let told = std::mem::replace(&mut sent.accepted, true);
        match outcome {
            Outcome::Response(response) if response.is_success() => {
                if !told {
                    call.timers.set(CallTimer::ReferOut, now + PATIENCE);
                    self.tell(id, CallEvent::ReferAccepted { status: response.status });
                }
                let no_reports = HeaderName::REFER_SUB;
                if response.headers.get(&no_reports).is_some_and(|value| value.trim().starts_with("false")) {
                    self.end_refer(id, 408, "The peer does not report the outcome");
                }
            }
            // NOTIFY came first and its 202 never
            outcome if told => {
                let cause = outcome.cause();
                self.end_refer(id, cause.code, &cause.text);
            }
            outcome => {
                call.services.refer_out = None;
                self.tell(id, CallEvent::ReferRefused { cause: outcome.cause() });
            }
        }
    }

    pub(in super::super) fn on_refer_patience_over(&mut self, id: CallId) {
        self.end_refer(id, 408, "No report on the transfer");
    }

    fn end_refer(&mut self, id: CallId, status: u16, reason: &str) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.stop(CallTimer::ReferOut);
        if call.services.refer_out.take().is_some() {
            self.tell(id, CallEvent::ReferFinal { status, reason: reason.to_owned() });
        }
    }

    /// NOTIFY in the dialog of a call: it can only report on a REFER.
    pub(in super::super) fn on_refer_notify(&mut self, now: Instant, notify: &Request, hop: Hop) {
        let Some(id) = self.enter_dialog(now, notify, hop) else { return };
        let (package, event_id) = notify.headers.event();
        if package != "refer" {
            let mut response = Response::to(notify, 489, None);
            response.headers.push(HeaderName::ALLOW_EVENTS, "refer");
            return self.respond_with(now, notify, hop, response);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let last_cseq = call.dialog().map_or(0, |dialog| dialog.local_cseq);
        let sent = call.services.refer_out.as_mut().filter(|sent| {
            event_id.is_none_or(|id| id.parse().is_ok_and(|id| (sent.first_cseq..=last_cseq).contains(&id)))
        });
        let Some(sent) = sent else { return self.respond_once(now, notify, hop, 481) };
        let report = match read_report(notify) {
            Ok(report) => report,
            Err(415) => {
                let mut response = Response::to(notify, 415, None);
                response.headers.push(HeaderName::ACCEPT, SIPFRAG);
                return self.respond_with(now, notify, hop, response);
            }
            Err(status) => return self.respond_once(now, notify, hop, status),
        };
        let told = std::mem::replace(&mut sent.accepted, true);
        sent.reports = sent.reports.saturating_add(1);
        let is_told = sent.reports <= MAX_REPORTS;
        self.respond_once(now, notify, hop, 200);
        if !told {
            if let Some(call) = self.calls.get_mut(&id) {
                call.timers.set(CallTimer::ReferOut, now + PATIENCE);
            }
            self.tell(id, CallEvent::ReferAccepted { status: 202 });
        }
        match report {
            Some((status, reason)) if status >= 200 => self.end_refer(id, status, &reason),
            Some((status, reason)) if is_told => self.tell(id, CallEvent::ReferProgress { status, reason }),
            _ => {}
        }
        let state = notify.headers.get(&HeaderName::SUBSCRIPTION_STATE).unwrap_or_default();
        let state = state.split(';').next().unwrap_or_default().trim();
        if state.eq_ignore_ascii_case("terminated") {
            self.end_refer(id, 408, "The peer stopped reporting on the transfer");
        }
        self.settle(id);
    }
}

/// The status line in the body of a NOTIFY, or the status to refuse it with.
fn read_report(notify: &Request) -> Result<Option<(u16, String)>, u16> {
    if notify.body.is_empty() {
        return Ok(None);
    }
    if notify.body.len() > MAX_BODY {
        return Err(413);
    }
    match notify.headers.content_type() {
        Ok(Some(kind)) if kind == SIPFRAG => sipfrag::status(&notify.body).map(Some).ok_or(400),
        Ok(Some(_)) => Err(415),
        Ok(None) | Err(_) => Err(400),
    }
}
