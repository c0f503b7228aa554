//! INFO: RFC 6086 without packages, as it carries DTMF (`application/dtmf-relay`, `application/dtmf`) and requests for key frames
//! (`application/media_control+xml`, RFC 5168).

use std::time::Instant;

use crate::message::{HeaderName, Method, Request, Response};

use super::UserAgent;
use super::attempt::Purpose;
use super::event::{CallEvent, CallId};
use super::hop::Hop;
use super::outcome::Outcome;

/// What an INFO may carry here.
const ACCEPTED: [&str; 3] = ["application/dtmf-relay", "application/dtmf", "application/media_control+xml"];
const MAX_BODY: usize = 1024;
/// Our INFOs of one call that wait for those before them.
const MAX_WAITING: usize = 64;

/// An INFO of ours that waits for its turn.
#[derive(Debug)]
pub(super) struct InfoOut {
    content_type: String,
    body: Vec<u8>,
}

impl UserAgent {
    /// Whether the peer's Allow has INFO.
    pub fn takes_info(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.session.peer_takes_info)
    }

    /// Sends an INFO, after those before it have been answered. One [`CallEvent::InfoAnswered`] follows for each, in order; over the
    /// limit of waiting ones it comes at once with 503, without a dialog to send it in with 481.
    pub fn info(&mut self, now: Instant, call: CallId, content_type: &str, body: Vec<u8>) {
        let Some(state) = self.calls.get_mut(&call) else { return };
        if state.services.info_out.len() >= MAX_WAITING {
            let reason = "Too many INFO requests are waiting".to_owned();
            return self.tell(call, CallEvent::InfoAnswered { status: 503, reason });
        }
        state.services.info_out.push_back(InfoOut { content_type: content_type.to_owned(), body });
        self.send_next_info(now, call);
        self.settle(call);
    }

    fn send_next_info(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.ended {
            return call.services.info_out.clear();
        }
        if call.services.info_busy {
            return;
        }
        let Some(info) = call.services.info_out.pop_front() else { return };
        let Some((mut request, next)) = self.request_in_dialog(id, Method::Info) else {
            let reason = "No dialog yet".to_owned();
            return self.tell(id, CallEvent::InfoAnswered { status: 481, reason });
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.services.info_busy = true;
        }
        request.set_body(&info.content_type, info.body);
        self.send_in_dialog(now, Purpose::Info(id), request, next);
    }

    pub(super) fn on_info_outcome(&mut self, now: Instant, id: CallId, outcome: &Outcome) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.services.info_busy = false;
        let cause = outcome.cause();
        self.tell(id, CallEvent::InfoAnswered { status: cause.code, reason: cause.text });
        self.send_next_info(now, id);
    }

    pub(super) fn on_info(&mut self, now: Instant, request: &Request, hop: Hop) {
        let Some(id) = self.enter_dialog(now, request, hop) else { return };
        if request.headers.has(&HeaderName::INFO_PACKAGE) {
            let mut response = Response::to(request, 469, None);
            response.headers.push(HeaderName::RECV_INFO, "");
            return self.respond_with(now, request, hop, response);
        }
        // without a body it only asks whether the dialog is there (RFC 2976 section 2.2)
        if request.body.is_empty() {
            return self.respond_once(now, request, hop, 200);
        }
        let kind = match request.headers.content_type() {
            Ok(Some(kind)) => kind,
            Ok(None) | Err(_) => return self.respond_once(now, request, hop, 400),
        };
        if !ACCEPTED.contains(&kind.as_str()) || !request.headers.is_plain() {
            let mut response = Response::to(request, 415, None);
            response.headers.push(HeaderName::ACCEPT, ACCEPTED.join(", "));
            return self.respond_with(now, request, hop, response);
        }
        if request.body.len() > MAX_BODY {
            return self.respond_once(now, request, hop, 413);
        }
        self.respond_once(now, request, hop, 200);
        self.tell(id, CallEvent::Info { content_type: kind, body: request.body.clone() });
    }
}
