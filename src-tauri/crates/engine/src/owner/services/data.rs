//! Messages: `sendData`, and what others send.

use super::{
    super::{Owner, target::Target, text, view::new_id},
    Sent,
};
use sidetone_api::{CallId, DataId, DataStatus, Event, Failure, FailureCode, Reply, SessionId};
use sidetone_sip::message::{HeaderName, Headers};
use sidetone_sip::{MessageId, MessageRequest, ReceivedMessage};
use std::time::{Duration, Instant};

/// Of one message, bytes.
const LONGEST_BODY: usize = 64 * 1024;
const LONGEST_TYPE: usize = 128;
/// Of a sender's URI: it is shown, and replied to.
const LONGEST_SENDER: usize = 1024;
/// Messages of ours without an answer.
const MAX_UNANSWERED: usize = 256;
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

impl Owner {
    /// Delivers by MESSAGE: inside a call where `to` is its id, else to an address.
    pub(in super::super) fn send_data(
        &mut self,
        to: &str,
        body: String,
        content_type: Option<String>,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
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
        let data_id = DataId::new(new_id("d")?);
        let now = Instant::now();
        let call = CallId::new(to.trim());
        let (id, session_id, from, to) = if let Some(call) = self.calls.get(&call) {
            let (Some(sip), true) = (call.sip, call.is_established()) else {
                return Err(Failure::new(
                    FailureCode::WrongState,
                    "messages go through established calls only",
                ));
            };
            let (near, far) = call.parties();
            let (session_id, from, to) = (call.session_id.clone(), near.uri.to_string(), far.uri.to_string());
            let id = self.phone.ua.message_in_call(now, sip, &content_type, body.clone().into_bytes());
            (id, session_id, from, to)
        } else {
            let session = match session {
                Some(id) => self.open_session(&id)?,
                None => self.session_for_calls()?,
            };
            let target = Target::read(to, Some(&session.account.id), self.settings.dial_plan(), "to")?;
            let to = target.uri(&session.aor.uri, "to")?;
            let (from, session_id) = (session.aor.clone(), session.id.clone());
            let message = MessageRequest {
                way: self.way_of(session),
                anonymous: session.account.anonymous,
                ..MessageRequest::new(from.clone(), to.clone(), &content_type, body.clone().into_bytes())
            };
            (self.phone.ua.message(now, message), session_id, from.uri.to_string(), to.to_string())
        };
        let sent = Sent { data_id: data_id.clone(), session_id: session_id.clone() };
        self.services.sent.insert(id, sent);
        self.publish(Event::OnDataEvent { session_id, incoming: false, from, to, content_type, body });
        Ok(Reply::Data { data_id })
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
        let (status, reason) = match self.take_message(message) {
            Ok(()) => (200, ""),
            Err(refused) => refused,
        };
        self.phone.ua.reply_message(Instant::now(), id, status, reason);
    }

    fn take_message(&mut self, message: ReceivedMessage) -> Result<(), (u16, &'static str)> {
        if self.farewell.is_some() {
            return Err((480, ""));
        }
        let in_call = message.call.map(|sip| {
            let call = self.calls.values().find(|call| call.sip == Some(sip));
            call.map(|call| call.session_id.clone()).ok_or((481, ""))
        });
        let session_id = match in_call {
            Some(found) => found?,
            None => self.session_called(&message.request_uri, message.registration).ok_or((404, ""))?,
        };
        let session = self.open_session(&session_id).map_err(|_| (403, ""))?;
        let from = message.from.uri.to_string();
        if from.len() > LONGEST_SENDER {
            return Err((403, "From is too long"));
        }
        if message.content_type == COMPOSING {
            return Ok(());
        }
        let body = String::from_utf8(message.body).map_err(|_| (415, "the body is not UTF-8"))?;
        let to = session.aor.uri.to_string();
        if !self.services.received.take(Instant::now()) {
            return Err((503, "too many messages"));
        }
        let content_type = message.content_type;
        self.publish(Event::OnDataEvent { session_id, incoming: true, from, to, content_type, body });
        Ok(())
    }
}

fn is_media_type(text: &str) -> bool {
    let mut headers = Headers::new();
    headers.push(HeaderName::CONTENT_TYPE, text);
    text.len() <= LONGEST_TYPE
        && !text.chars().any(char::is_control)
        && matches!(headers.content_type(), Ok(Some(_)))
}
