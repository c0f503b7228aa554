//! CANCEL: RFC 3261 section 9, out and in.

use std::time::Instant;

use crate::message::{HeaderName, Method, Request};
use crate::transaction::clients::{ClientId, Sent};

use super::bye::Reason;
use super::call::{CallTimer, State};
use super::event::CallId;
use super::hop::Hop;
use super::{Owner, UserAgent};

impl UserAgent {
    /// Stops our INVITE: at once if it has not been sent, by CANCEL if a provisional came, and otherwise when one comes.
    pub(super) fn cancel(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        call.timers.stop(CallTimer::Ring);
        let attempt_id = calling.attempt;
        let client = self.attempts.get(&attempt_id).and_then(|attempt| attempt.client);
        let Some(client) = client.and_then(|client| self.clients.get(client)) else {
            self.drop_attempt(attempt_id);
            if let Some(call) = self.calls.get_mut(&id) {
                call.state = State::Over;
            }
            return;
        };
        if calling.cancel_sent || !client.is_proceeding() {
            return;
        }
        calling.cancel_sent = true;
        call.timers.set(CallTimer::Cancelled, now + self.config.timers.transaction());
        let (hop, request) = (client.hop, cancel_request(&client.request, calling.cancel_reason.as_ref()));
        self.send_cancel(now, hop, request);
    }

    fn send_cancel(&mut self, now: Instant, hop: Hop, request: Request) {
        let Ok(via) = request.headers.top_via() else { return };
        let Some(branch) = via.branch().map(str::to_owned) else { return };
        let bytes = request.to_bytes();
        let sent = Sent { branch, hop, request, bytes: bytes.clone() };
        let client = self.clients.start(now, self.config.timers, sent, Owner::Nobody);
        self.transmit(hop, bytes);
        self.refresh_client(client);
    }

    /// Cancels a re-INVITE that got a provisional response.
    pub(super) fn cancel_client(&mut self, now: Instant, client: Option<ClientId>) {
        let client =
            client.and_then(|client| self.clients.get(client)).filter(|client| client.is_proceeding());
        let Some(client) = client else { return };
        let (hop, request) = (client.hop, cancel_request(&client.request, None));
        self.send_cancel(now, hop, request);
    }

    /// 64*T1 after the CANCEL, the INVITE counts as ended.
    pub(super) fn give_up_cancelled(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Calling(calling) = &call.state else { return };
        let attempt = calling.attempt;
        call.state = State::Over;
        let client = self.drop_attempt(attempt).and_then(|attempt| attempt.client);
        if let Some(client_id) = client
            && let Some(client) = self.clients.get_mut(client_id)
        {
            client.terminate();
            self.refresh_client(client_id);
        }
    }

    /// The peer's CANCEL. It is answered by itself; what it stops is answered 487.
    pub(super) fn on_cancel(&mut self, now: Instant, cancel: &Request, hop: Hop) {
        let Some(invite) = self.servers.find_cancelled(cancel) else {
            return self.respond_once(now, cancel, hop, 481);
        };
        let call = self.servers.get(invite).and_then(|server| server.call);
        self.respond_cancel(now, cancel, hop, call);
        let Some(id) = call else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &mut call.state {
            State::Offered(offered) if offered.server == invite => {
                self.refuse_offered(now, id, 487, "Request Terminated");
                let (code, text) = reason(cancel).unwrap_or((487, "Request Terminated".to_owned()));
                self.tell_ended_by(id, code, text, cancel);
            }
            _ if call.services.offer_in.as_ref().is_some_and(|pending| pending.server == invite) => {
                self.refuse_reoffer(now, id, 487, "Request Terminated");
                self.tell_reoffer_withdrawn(id);
            }
            _ => {}
        }
        self.settle(id);
    }
}

/// The CANCEL of a request that was sent: same branch, same hop (RFC 3261 section 9.1).
fn cancel_request(invite: &Request, reason: Option<&Reason>) -> Request {
    let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
    if let Ok(via) = invite.headers.top_via() {
        cancel.headers.push(HeaderName::VIA, via);
    }
    for route in invite.headers.get_all(&HeaderName::ROUTE) {
        cancel.headers.push(HeaderName::ROUTE, route);
    }
    cancel.headers.push(HeaderName::MAX_FORWARDS, 70);
    for name in [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID] {
        if let Some(value) = invite.headers.get(&name) {
            cancel.headers.push(name, value);
        }
    }
    let number = invite.headers.cseq().map_or(0, |cseq| cseq.number);
    cancel.headers.push(HeaderName::CSEQ, format_args!("{number} CANCEL"));
    if let Some(reason) = reason {
        cancel.headers.push(HeaderName::REASON, reason);
    }
    cancel
}

/// The SIP cause of a Reason header (RFC 3326), such as 200 "Call completed elsewhere".
pub(super) fn reason(request: &Request) -> Option<(u16, String)> {
    let value = request.headers.get(&HeaderName::REASON)?;
    let (protocol, params) = value.split_once(';')?;
    if !protocol.trim().eq_ignore_ascii_case("SIP") {
        return None;
    }
    let field = |name: &str| {
        params.split(';').find_map(|param| {
            let (key, value) = param.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let code = field("cause")?.parse().ok().filter(|code| (200..700).contains(code))?;
    let text = field("text").unwrap_or_else(|| crate::message::reason_phrase(code).to_owned());
    Some((code, text))
}
