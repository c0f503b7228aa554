//! Messages: `sendData`, and what others send.

use super::{
    super::{Owner, call::Call, hooks::of_data, session::Session, target::Target, text, view::new_id},
    Sent,
};
use crate::hooks::{Hook, Verdict};
use sidetone_api::{CallId, DataId, DataStatus, Event, Failure, FailureCode, Reply, SessionId};
use sidetone_sip::message::{HeaderName, Headers, Uri};
use sidetone_sip::{MessageId, MessageRequest, ReceivedMessage};
use std::time::{Duration, Instant};

/// Of one message, bytes.
const LONGEST_BODY: usize = 64 * 1024;
const LONGEST_TYPE: usize = 128;
/// Of a sender's URI: it is shown, and replied to.
const LONGEST_SENDER: usize = 1024;
/// Messages of ours without an answer.
const MAX_UNANSWERED: usize = 256;
/// Of them, those of clients of the gateway: the user can always write.
const MOST_OF_CLIENTS: usize = MAX_UNANSWERED / 4 * 3;
const PLAIN: &str = "text/plain";
/// Somebody is typing (RFC 3994): accepted, and nothing to read.
const COMPOSING: &str = "application/im-iscomposing+xml";

/// Messages that may be told in one second; more of them are refused.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    since: Option<Instant>,
    told: u32,
}

impl Allowance {
    const A_SECOND: u32 = 100;

    fn take(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            (self.since, self.told) = (Some(now), 0);
        }
        self.told += 1;
        self.told <= Self::A_SECOND
    }
}

/// A message to send.
struct Wanted {
    data_id: DataId,
    /// As it was typed.
    to: String,
    body: String,
    content_type: String,
}

/// A message that came.
struct Received {
    session_id: SessionId,
    from: String,
    to: String,
    content_type: String,
    body: String,
}

enum DataWay {
    Call(CallId),
    Address(Uri),
    /// By a Web Call Server, which knows who is meant.
    Server(String),
}

impl DataWay {
    /// The far end's URI.
    fn to(&self, owner: &Owner) -> String {
        match self {
            Self::Call(call) => {
                owner.calls.get(call).map(|call| call.far().uri.to_string()).unwrap_or_default()
            }
            Self::Address(to) => to.to_string(),
            Self::Server(to) => to.clone(),
        }
    }
}

impl Owner {
    /// Delivers by MESSAGE: inside a call where `to` is its id, else to an address.
    pub(in super::super) fn send_data(
        &mut self,
        to: &str,
        body: String,
        content_type: Option<String>,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
        let (wanted, session_id, from, way) = self.data_wanted(to, body, content_type, session)?;
        let (data_id, to) = (wanted.data_id.clone(), way.to(self));
        let fields = of_data(&data_id, false, &from, &to, &wanted.content_type, &wanted.body);
        // One after the other, as they were written.
        let object = format!("data of {session_id}");
        if self.hooks.is_full(&object) {
            return Err(Failure::new(FailureCode::Limit, "too many messages wait for the backend"));
        }
        let session = session_id.as_str().to_owned();
        self.gate(Hook::OnDataEvent, &session, &object, fields, move |owner, verdict| {
            let refused = match verdict {
                Verdict::Go(_) => owner.deliver(&wanted, &session_id, from, way).err().map(|it| it.message),
                Verdict::Refused { info } => Some(info),
            };
            if let Some(info) = refused {
                let (status, data_id, info) = (DataStatus::Failed, wanted.data_id, text::shown(&info));
                owner.publish(Event::DataStatusEvent { status, data_id, session_id, info });
            }
        });
        Ok(Reply::Data { data_id })
    }

    /// The same of what the backend has let go already.
    pub(in super::super) fn send_allowed_data(
        &mut self,
        to: &str,
        body: String,
        content_type: Option<String>,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
        let (wanted, session_id, from, way) = self.data_wanted(to, body, content_type, session)?;
        self.deliver(&wanted, &session_id, from, way)?;
        Ok(Reply::Data { data_id: wanted.data_id })
    }

    fn data_wanted(
        &self,
        to: &str,
        body: String,
        content_type: Option<String>,
        session: Option<SessionId>,
    ) -> Result<(Wanted, SessionId, String, DataWay), Failure> {
        let content_type = content_type.unwrap_or_else(|| PLAIN.into());
        if !is_media_type(&content_type) {
            return Err(Failure::invalid("contentType", "a content type is type/subtype"));
        }
        if body.len() > LONGEST_BODY {
            return Err(Failure::invalid("body", format!("{LONGEST_BODY} bytes are the most")));
        }
        if self.services.sent.len() >= MAX_UNANSWERED {
            let message = format!("{MAX_UNANSWERED} messages wait for an answer already");
            return Err(Failure::new(FailureCode::Limit, message));
        }
        if session.as_ref().is_some_and(|id| self.is_session_of_client(id)) {
            let of_clients =
                self.services.sent.values().filter(|sent| self.is_session_of_client(&sent.session_id));
            if of_clients.count() >= MOST_OF_CLIENTS {
                let message = "too many messages of clients wait for an answer";
                return Err(Failure::new(FailureCode::Limit, message));
            }
        }
        let data_id = DataId::new(new_id("d")?);
        let wanted = Wanted { data_id, to: to.trim().to_owned(), body, content_type };
        let (session_id, from, way) = self.way_of_data(&wanted, session)?;
        Ok((wanted, session_id, from, way))
    }

    /// Or was: the messages of one that has been closed still wait.
    fn is_session_of_client(&self, session: &SessionId) -> bool {
        self.sessions.get(session).is_none_or(Session::is_of_client)
    }

    /// By which session, and from whom.
    fn way_of_data(
        &self,
        wanted: &Wanted,
        session: Option<SessionId>,
    ) -> Result<(SessionId, String, DataWay), Failure> {
        let call = CallId::new(&wanted.to);
        if let Some(call) = self.calls.get(&call) {
            if let Some(at_server) = &call.at_server {
                let (near, _) = call.parties();
                let way = DataWay::Server(at_server.clone());
                return Ok((call.session_id.clone(), near.uri.to_string(), way));
            }
            self.check_in_call(call)?;
            let (near, _) = call.parties();
            return Ok((call.session_id.clone(), near.uri.to_string(), DataWay::Call(call.id.clone())));
        }
        let session = match session {
            Some(id) => {
                self.check_allowed(&id)?;
                self.open_session(&id)?
            }
            None => self.session_for_calls()?,
        };
        if session.wcs.is_some() {
            let (id, from) = (session.id.clone(), session.aor.uri.to_string());
            return Ok((id, from, DataWay::Server(wanted.to.clone())));
        }
        let target = Target::read(&wanted.to, Some(&session.account.id), self.settings.dial_plan(), "to")?;
        let to = target.uri(&session.aor.uri, "to")?;
        Ok((session.id.clone(), session.aor.uri.to_string(), DataWay::Address(to)))
    }

    fn check_in_call(&self, call: &Call) -> Result<sidetone_sip::CallId, Failure> {
        match (call.sip, call.is_established()) {
            (Some(sip), true) => Ok(sip),
            _ => Err(Failure::new(FailureCode::WrongState, "messages go through established calls only")),
        }
    }

    fn deliver(
        &mut self,
        wanted: &Wanted,
        session_id: &SessionId,
        from: String,
        way: DataWay,
    ) -> Result<(), Failure> {
        let now = Instant::now();
        let Wanted { data_id, body, content_type, .. } = wanted;
        let bytes = body.clone().into_bytes();
        let to = way.to(self);
        let id = match way {
            DataWay::Call(call) => {
                let call = self.calls.get(&call).ok_or_else(|| Failure::not_found("call", call.as_str()))?;
                let sip = self.check_in_call(call)?;
                self.phone.ua.message_in_call(now, sip, content_type, bytes)
            }
            DataWay::Address(to) => {
                self.check_allowed(session_id)?;
                let session = self.open_session(session_id)?;
                let message = MessageRequest {
                    way: self.way_of(session),
                    anonymous: session.account.anonymous,
                    ..MessageRequest::new(session.aor.clone(), to, content_type, bytes)
                };
                self.phone.ua.message(now, message)
            }
            DataWay::Server(to) => return self.send_wcs_data(session_id, data_id, &to, body, content_type),
        };
        let sent = Sent { data_id: data_id.clone(), session_id: session_id.clone() };
        self.services.sent.insert(id, sent);
        let (session_id, content_type, body) = (session_id.clone(), content_type.clone(), body.clone());
        self.publish(Event::OnDataEvent { session_id, incoming: false, from, to, content_type, body });
        Ok(())
    }

    pub(super) fn on_message_answered(&mut self, id: MessageId, status: u16, reason: &str) {
        let Some(Sent { data_id, session_id }) = self.services.sent.remove(&id) else { return };
        let info = text::shown(&format!("{status} {reason}"));
        let status = if (200..300).contains(&status) { DataStatus::Accepted } else { DataStatus::Failed };
        self.publish(Event::DataStatusEvent { status, data_id, session_id, info });
    }

    /// Told, then answered 200; or refused by its reason.
    pub(super) fn on_message(&mut self, message: ReceivedMessage) {
        let id = message.id;
        let reply = move |owner: &mut Self, status, reason| {
            owner.phone.ua.reply_message(Instant::now(), id, status, reason);
        };
        let Received { session_id, from, to, content_type, body } = match self.take_message(message) {
            Ok(Some(received)) => received,
            Ok(None) => return reply(self, 200, ""),
            Err((status, reason)) => return reply(self, status, reason),
        };
        let data_id = match new_id("d") {
            Ok(id) => DataId::new(id),
            Err(_) => return reply(self, 500, ""),
        };
        let fields = of_data(&data_id, true, &from, &to, &content_type, &body);
        let (session, object) = (session_id.as_str().to_owned(), format!("data for {session_id}"));
        if self.hooks.is_full(&object) {
            return reply(self, 503, "too many messages");
        }
        self.gate(Hook::OnDataEvent, &session, &object, fields, move |owner, verdict| match verdict {
            Verdict::Go(_) => {
                owner.publish(Event::OnDataEvent {
                    session_id,
                    incoming: true,
                    from,
                    to,
                    content_type,
                    body,
                });
                reply(owner, 200, "");
            }
            Verdict::Refused { .. } => reply(owner, 403, "Forbidden"),
        });
    }

    /// From a Web Call Server: the same, but that nobody waits for an answer.
    pub(in super::super) fn receive_wcs_data(
        &mut self,
        session_id: &SessionId,
        from: String,
        to: String,
        content_type: String,
        body: String,
    ) {
        let Ok(id) = new_id("d") else { return };
        if !self.services.received.take(Instant::now()) {
            return;
        }
        let fields = of_data(&DataId::new(id), true, &from, &to, &content_type, &body);
        let (session, object) = (session_id.as_str().to_owned(), format!("data for {session_id}"));
        let session_id = session_id.clone();
        self.gate(Hook::OnDataEvent, &session, &object, fields, move |owner, verdict| {
            if let Verdict::Go(_) = verdict {
                let incoming = true;
                owner.publish(Event::OnDataEvent { session_id, incoming, from, to, content_type, body });
            }
        });
    }

    /// What is to be told; nothing of one who is typing.
    fn take_message(&mut self, message: ReceivedMessage) -> Result<Option<Received>, (u16, &'static str)> {
        if self.farewell.is_some() {
            return Err((480, ""));
        }
        let in_call = message.call.map(|sip| {
            let call = self.calls.values().find(|call| call.sip == Some(sip));
            call.map(|call| call.session_id.clone()).ok_or((481, ""))
        });
        let is_in_call = in_call.is_some();
        let session_id = match in_call {
            Some(found) => found?,
            None => self.session_called(&message.request_uri, message.registration).ok_or((404, ""))?,
        };
        let session = self.open_session(&session_id).map_err(|_| (403, ""))?;
        if session.refused && !is_in_call {
            return Err((403, ""));
        }
        let from = message.from.uri.to_string();
        if from.len() > LONGEST_SENDER {
            return Err((403, "From is too long"));
        }
        if message.content_type == COMPOSING {
            return Ok(None);
        }
        let body = String::from_utf8(message.body).map_err(|_| (415, "the body is not UTF-8"))?;
        let to = session.aor.uri.to_string();
        if !self.services.received.take(Instant::now()) {
            return Err((503, "too many messages"));
        }
        Ok(Some(Received { session_id, from, to, content_type: message.content_type, body }))
    }
}

fn is_media_type(text: &str) -> bool {
    let mut headers = Headers::new();
    headers.push(HeaderName::CONTENT_TYPE, text);
    text.len() <= LONGEST_TYPE
        && !text.chars().any(char::is_control)
        && matches!(headers.content_type(), Ok(Some(_)))
}
