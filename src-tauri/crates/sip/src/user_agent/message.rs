//! MESSAGE, out and in, outside and inside of calls: RFC 3428.

use std::time::Instant;

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, NameAddr, Request, Response, Uri};
use crate::transaction::servers::ServerId;

use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::event::{CallId, Event, MessageId, ReceivedMessage};
use super::hop::Hop;
use super::offered::phrase;
use super::outcome::Outcome;
use super::request::{Thread, Way, outside};
use super::{Due, UserAgent, headers, trust};

/// A text, or whatever else, to deliver outside of any call.
#[derive(Debug, Clone)]
pub struct MessageRequest {
    pub from: NameAddr,
    pub to: Uri,
    /// the Request-URI where it is not `to`, such as the Contact of a binding
    pub target: Option<Uri>,
    pub way: Way,
    /// hide who writes (RFC 3323), as in a call
    pub anonymous: bool,
    /// further fields; those that the user agent writes itself are passed over, but Max-Forwards replaces ours
    pub headers: Vec<(HeaderName, String)>,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl MessageRequest {
    pub fn new(from: NameAddr, to: Uri, content_type: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            from,
            to,
            target: None,
            way: Way::default(),
            anonymous: false,
            headers: Vec::new(),
            content_type: content_type.into(),
            body,
        }
    }
}

/// A MESSAGE whose response the owner decides on.
#[derive(Debug)]
pub(super) struct Waiting {
    server: ServerId,
    request: Request,
    local_tag: String,
}

impl UserAgent {
    /// Sends a MESSAGE; what becomes of it is [`Event::MessageAnswered`], exactly once.
    pub fn message(&mut self, now: Instant, mut message: MessageRequest) -> MessageId {
        let id = MessageId(self.new_id());
        if let Err((status, reason)) = self.check_outgoing(&message.content_type, &message.body) {
            self.emit(Event::MessageAnswered { id, status, reason: reason.to_owned() });
            return id;
        }
        let own = trust::disguise(&mut message.from, message.anonymous);
        let (call_id, from_tag) = (self.random.token(), self.random.token());
        let thread = Thread { call_id: &call_id, from_tag: &from_tag, cseq: 1 };
        let mut request = outside(Method::Message, &message.from, &message.to, &message.way.route, &thread);
        if let Some(target) = &message.target {
            request.uri = headers::request_uri(target);
        }
        headers::add_extra(&mut request.headers, &message.headers);
        request.set_body(&message.content_type, message.body);
        let purpose = Purpose::Message(id, None);
        let mut attempt = self.attempt_outside(purpose, request, Login::Message(id), &message.way);
        self.hide_identity(&mut attempt, own);
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
        id
    }

    /// Sends a MESSAGE to the peer of an answered call, in its dialog. Answered like [`UserAgent::message`]; 481 where there is no
    /// such call.
    pub fn message_in_call(
        &mut self,
        now: Instant,
        call: CallId,
        content_type: &str,
        body: Vec<u8>,
    ) -> MessageId {
        let id = MessageId(self.new_id());
        let refused = self.check_outgoing(content_type, &body).err();
        let state = self.calls.get_mut(&call).filter(|call| !call.ended);
        let Some((state, None)) = state.map(|state| (state, refused)) else {
            let (status, reason) = refused.unwrap_or((481, "the call is not established"));
            self.emit(Event::MessageAnswered { id, status, reason: reason.to_owned() });
            return id;
        };
        let Some(up) = state.up() else {
            let reason = "the call is not established".to_owned();
            self.emit(Event::MessageAnswered { id, status: 481, reason });
            return id;
        };
        let (mut request, next) = up.dialog.request(Method::Message);
        request.set_body(content_type, body);
        let (hop, transport) = (state.hop_for(&next), state.transport_to(&next));
        let mut attempt = Attempt::new(Purpose::Message(id, Some(call)), request, next).with_hop(hop);
        attempt.transport = transport;
        attempt.login = Some(Login::Call(call));
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
        id
    }

    fn check_outgoing(&self, content_type: &str, body: &[u8]) -> Result<(), (u16, &'static str)> {
        if body.len() > self.config.max_message_body {
            return Err((413, "the message is too long"));
        }
        if !headers::is_media_type(content_type) {
            return Err((415, "the content type is not type/subtype"));
        }
        Ok(())
    }

    pub(super) fn on_message_outcome(&mut self, id: MessageId, outcome: Outcome) {
        self.logins.remove(&Login::Message(id));
        let cause = outcome.cause();
        self.emit(Event::MessageAnswered { id, status: cause.code, reason: cause.text });
    }

    pub(super) fn on_message_request(&mut self, now: Instant, request: Request, hop: Hop, in_dialog: bool) {
        let mut call = None;
        if in_dialog {
            let known = DialogId::of_request(&request.headers).and_then(|dialog| self.call_of(&dialog));
            let accepted = known.filter(|call| self.calls.get(call).is_some_and(|call| !call.ended));
            let accepted = accepted.ok_or(481).and_then(|call| self.accept_in_dialog(call, &request));
            if let Err(status) = accepted {
                return self.respond_once(now, &request, hop, status);
            }
            call = known;
        }
        let registration = self.registration_called(&request.uri);
        let believed = registration.is_some() || in_dialog;
        let Ok(authenticated) = self.authenticate_invite(now, &request, hop, believed) else { return };
        let content_type = match self.check_message(&request) {
            Ok(content_type) => content_type,
            Err(status) => return self.respond_once(now, &request, hop, status),
        };
        if self.messages.len() >= self.config.max_messages {
            return self.respond_full(&request, hop);
        }
        let (Ok(from), Ok(to)) = (request.headers.from(), request.headers.to()) else {
            return self.respond_once(now, &request, hop, 400);
        };
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        let id = MessageId(self.new_id());
        let local_tag = self.random.token();
        let received = ReceivedMessage {
            id,
            from,
            to,
            request_uri: request.uri.clone(),
            headers: request.headers.clone(),
            content_type,
            body: request.body.clone(),
            call,
            registration,
            authenticated,
            hop,
        };
        // the body is told, not kept
        let request = Request { body: Vec::new(), ..request };
        self.messages.insert(id, Waiting { server, request, local_tag });
        self.deadlines.set(Due::Message(id), Some(now + self.config.reply_limit));
        self.emit(Event::MessageReceived(received));
    }

    /// The content type; the status to refuse with otherwise.
    fn check_message(&self, request: &Request) -> Result<String, u16> {
        if request.body.len() > self.config.max_message_body {
            return Err(413);
        }
        if !request.headers.is_plain() {
            return Err(415);
        }
        let kind = request.headers.content_type().map_err(|_| 400u16)?;
        Ok(kind.unwrap_or_else(|| "text/plain".to_owned()))
    }

    /// Replies to a MESSAGE with a final status; another one becomes 500. A message that has its reply already is passed over.
    pub fn reply_message(&mut self, now: Instant, id: MessageId, status: u16, reason: &str) {
        let Some(waiting) = self.messages.remove(&id) else { return };
        self.deadlines.set(Due::Message(id), None);
        let status = if (200..700).contains(&status) { status } else { 500 };
        let mut response = Response::to(&waiting.request, status, Some(&waiting.local_tag));
        response.reason = phrase(status, reason);
        self.send_response(now, waiting.server, response);
    }

    pub(super) fn on_message_timer(&mut self, now: Instant, id: MessageId) {
        self.reply_message(now, id, 500, "");
    }
}
