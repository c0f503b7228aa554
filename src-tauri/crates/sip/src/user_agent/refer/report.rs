//! The transferee's reports: NOTIFY out, one at a time so that none overtakes another (RFC 3515 section 2.4.4).

use std::time::Instant;

use crate::message::{HeaderName, Method};

use super::super::UserAgent;
use super::super::attempt::Purpose;
use super::super::call::CallTimer;
use super::super::event::CallId;
use super::super::outcome::Outcome;
use super::asked::LIFE;
use super::sipfrag::{self, SIPFRAG};

/// A report that met a server error is sent again this often: one that was overtaken by our own re-INVITE gets 500 (RFC 3261
/// section 12.2.2), and without its final report the transferor would wait for nothing.
const REPEATS: u8 = 3;

#[derive(Debug, Clone)]
pub(super) struct Report {
    status: u16,
    reason: String,
}

impl Report {
    pub(super) fn is_final(&self) -> bool {
        self.status >= 200
    }
}

impl UserAgent {
    /// Tells the transferor how the call goes that `accept_refer` promised: 101 to 199 any number of times, then once 200 to 699. It
    /// may outlive the call that the REFER came in.
    pub fn notify_refer(&mut self, now: Instant, call: CallId, status: u16, reason: &str) {
        let accepted = self.calls.get(&call).and_then(|call| call.services.refer_in.as_ref());
        if accepted.is_some_and(|asked| asked.accepted) && (100..700).contains(&status) {
            self.report(now, call, status, reason);
            self.settle(call);
        }
    }

    pub(super) fn report(&mut self, now: Instant, id: CallId, status: u16, reason: &str) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asked) = &mut call.services.refer_in else { return };
        // nothing follows a final report
        if asked.next.iter().chain(&asked.sent).any(Report::is_final) {
            return;
        }
        asked.next = Some(Report { status, reason: reason.to_owned() });
        call.timers.set(CallTimer::ReferIn, now + LIFE);
        self.send_report(now, id);
    }

    fn send_report(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asked) = call.services.refer_in.as_mut().filter(|asked| !asked.in_flight) else { return };
        let Some(report) = asked.next.take() else { return };
        let is_final = report.is_final();
        let (silent, accepted) = (asked.silent, asked.accepted);
        let event = match asked.event_id {
            Some(id) => format!("refer;id={id}"),
            None => "refer".to_owned(),
        };
        asked.in_flight = !silent;
        asked.sent = (!silent).then(|| report.clone());
        if is_final {
            call.timers.stop(CallTimer::ReferIn);
        }
        if silent {
            if is_final {
                call.services.refer_in = None;
            }
            return;
        }
        let Some((mut request, next)) = self.request_in_dialog(id, Method::Notify) else { return };
        let state = match (is_final, accepted) {
            (true, true) => "terminated;reason=noresource".to_owned(),
            (true, false) => "terminated;reason=rejected".to_owned(),
            (false, true) => format!("active;expires={}", LIFE.as_secs()),
            (false, false) => format!("pending;expires={}", LIFE.as_secs()),
        };
        request.headers.push(HeaderName::EVENT, event);
        request.headers.push(HeaderName::SUBSCRIPTION_STATE, state);
        request.headers.push(HeaderName::ALLOW, self.allow());
        request.set_body(&format!("{SIPFRAG};version=2.0"), sipfrag::body(report.status, &report.reason));
        self.send_in_dialog(now, Purpose::Notify(id), request, next);
    }

    /// A report was answered: the next one may go. If it was refused, nobody wants to know (RFC 6665 section 4.2.2).
    pub(in super::super) fn on_report_outcome(&mut self, now: Instant, id: CallId, outcome: &Outcome) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(asked) = &mut call.services.refer_in else { return };
        asked.in_flight = false;
        let sent = asked.sent.take();
        match outcome {
            Outcome::Response(response)
                if (500..600).contains(&response.status) && asked.repeats < REPEATS && sent.is_some() =>
            {
                asked.repeats += 1;
                asked.next = asked.next.take().or(sent);
                self.send_report(now, id);
            }
            _ if sent.is_some_and(|sent| sent.is_final()) => {
                call.services.refer_in = None;
                self.settle(id);
            }
            Outcome::Response(response) if response.is_success() => {
                asked.repeats = 0;
                self.send_report(now, id);
            }
            _ if asked.accepted => {
                // the owner may report on: it goes nowhere
                asked.silent = true;
                self.send_report(now, id);
            }
            _ => {}
        }
    }
}
