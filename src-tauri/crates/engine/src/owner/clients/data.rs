//! What clients tell others: events of streams, and data.

use super::{
    hooked::{object, with_status},
    open::RESTRICTED,
    stream::EVENT,
};
use crate::{
    check_stream_name,
    clients::{ClientNews, Json},
    hooks::{Fields, Hook, Verdict},
    io::streams::Ask,
    owner::{
        Errand, Owner,
        rooms::{Done, Whom},
        text::shown,
    },
};
use serde_json::{Value, json};
use sidetone_api::{CallId, DataId, DataStatus, Reply, SessionId};
use sidetone_peer::whip::Kind;
use std::borrow::Cow;
use tokio::sync::oneshot;

/// Bytes of what one event or message carries, as JSON.
pub(super) const LONGEST_PAYLOAD: usize = 64 * 1024;

/// Messages of one client that wait for an answer.
const MOST_SENT: usize = 16;

/// How far a message has come.
enum Delivery {
    Done,
    Sent,
}

/// Whether there is a stream of a name, for the client that asked.
#[derive(Debug)]
pub(in super::super) struct Looked {
    session: SessionId,
    id: String,
    available: bool,
}

fn fields_of(operation_id: &str, incoming: bool, payload: &Value) -> Fields {
    let fields =
        [("operationId", operation_id.into()), ("incoming", incoming.into()), ("payload", payload.clone())];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Owner {
    pub(super) fn client_looks(&mut self, session: &SessionId, id: String, name: String) {
        if !self.may_stream(session) {
            let news = ClientNews::Available { id, available: false, info: RESTRICTED.into() };
            return self.tell_client(session, news);
        }
        if check_stream_name(&name).is_err() {
            return self.on_client_looked(Looked { session: session.clone(), id, available: false });
        }
        let fields = json!({ "mediaSessionId": id, "name": name, "mediaProvider": "WebRTC" });
        let fields = fields.as_object().cloned().unwrap_or_default();
        let (object, session) = (object(session, &id), session.clone());
        let of = session.as_str().to_owned();
        self.gate(Hook::AvailableStream, &of, &object, fields, move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.look_for_client(&session, id, name),
            Verdict::Refused { info } => {
                let info = shown(&info);
                owner.tell_client(&session, ClientNews::Available { id, available: false, info });
            }
        });
    }

    fn look_for_client(&mut self, session: &SessionId, id: String, name: String) {
        if !self.may_have_name(Kind::Whep, &name, Whom::Client(session)) {
            return self.on_client_looked(Looked { session: session.clone(), id, available: false });
        }
        let (done, found) = oneshot::channel();
        self.stream_door.ask(Ask::Look { name, done });
        let (errands, session) = (self.errands.clone(), session.clone());
        tokio::spawn(async move {
            let available = matches!(found.await, Ok(Some(_)));
            let _ = errands.send(Errand::ClientLooked(Looked { session, id, available })).await;
        });
    }

    pub(in super::super) fn on_client_looked(&mut self, looked: Looked) {
        let Looked { session, id, available } = looked;
        let info = if available { "" } else { "Stream not found" }.to_owned();
        self.tell_client(&session, ClientNews::Available { id, available, info });
    }

    /// Of its publisher alone. What it mutes is known to those who play it, later too; `data` goes to all of them.
    pub(super) fn client_sends_event(&mut self, session: &SessionId, id: &str, kind: &str, payload: &Json) {
        let Some(leg) = self.client_leg(session, id) else {
            return self.tell_client_failed(session, EVENT, None, "Stream not found");
        };
        let published = leg.is_published();
        // The name may be another one's.
        if kind == "data" && published && !leg.stands {
            return self.tell_client_failed(session, EVENT, None, "Publish stream is not ready");
        }
        match kind {
            "audioMuted" | "audioUnmuted" if published => leg.audio.muted = kind == "audioMuted",
            "videoMuted" | "videoUnmuted" if published => leg.video.muted = kind == "videoMuted",
            "data" if published && payload.as_str().len() <= LONGEST_PAYLOAD => {
                let name = leg.name().to_owned();
                return self.pass_stream_data(session, id, &name, payload);
            }
            "data" if published => {
                let info = format!("data of a stream has {LONGEST_PAYLOAD} bytes at most");
                return self.tell_client_failed(session, EVENT, None, &info);
            }
            _ => {
                let info = "such an event cannot be sent to this stream";
                return self.tell_client_failed(session, EVENT, None, info);
            }
        }
        let (stream, audio, video) = (leg.key, leg.audio.muted, leg.video.muted);
        self.on_room_stream_muted(stream, audio, video);
        self.stream_door.ask(Ask::Mute { stream, audio, video });
    }

    fn pass_stream_data(&mut self, from: &SessionId, from_id: &str, name: &str, payload: &Json) {
        let legs = self.clients.all.iter().flat_map(|(session, client)| {
            client.legs_of(name).map(move |id| (session.clone(), id.to_owned()))
        });
        let others: Vec<_> = legs.filter(|(session, id)| (session, id.as_str()) != (from, from_id)).collect();
        for (session, id) in others {
            let news = ClientNews::StreamEvent { id, kind: "data".into(), payload: payload.clone() };
            self.tell_client(&session, news);
        }
    }

    /// A payload that says to whom goes there; any other is for the backend.
    pub(super) fn client_sends_data(&mut self, session: &SessionId, operation_id: String, payload: Value) {
        if is_longer(&payload, LONGEST_PAYLOAD) {
            let info = format!("a message has {LONGEST_PAYLOAD} bytes at most");
            return self.tell_client_data(session, operation_id, Err(info));
        }
        let fields = fields_of(&operation_id, false, &shown_to_backend(&payload));
        // One after the other, as they were sent.
        let (object, session) = (format!("data of {session}"), session.clone());
        self.gate(Hook::OnDataEvent, session.clone().as_str(), &object, fields, move |owner, verdict| {
            let done = match verdict {
                Verdict::Go(_) => match owner.on_room_command(&session, &operation_id, &payload) {
                    Some(done) => done.map(|done| match done {
                        Done::Now => Delivery::Done,
                        Done::Later => Delivery::Sent,
                    }),
                    None => owner.deliver_client_data(&session, &operation_id, &payload),
                },
                Verdict::Refused { info } => Err(info),
            };
            match done {
                Ok(Delivery::Done) => owner.tell_client_data(&session, operation_id, Ok(())),
                // Others have not said yet.
                Ok(Delivery::Sent) => {}
                Err(info) => owner.tell_client_data(&session, operation_id, Err(info)),
            }
        });
    }

    pub(in super::super) fn tell_client_data(
        &mut self,
        session: &SessionId,
        operation_id: String,
        done: Result<(), String>,
    ) {
        let (accepted, info) = (done.is_ok(), done.err().map(|info| shown(&info)).unwrap_or_default());
        let status = if accepted { DataStatus::Accepted } else { DataStatus::Failed };
        let named = Fields::from_iter([("operationId".to_owned(), operation_id.as_str().into())]);
        let fields = with_status(named, status.as_str(), &info);
        self.tell(Hook::DataStatusEvent, session.as_str(), &object(session, &operation_id), fields);
        self.tell_client(session, ClientNews::DataStatus { operation_id, accepted, info });
    }

    /// What the client called a message.
    pub(in super::super) fn client_operation(&self, sip: &SessionId, data: &DataId) -> Option<&str> {
        let client = self.clients.all.get(self.clients.by_sip.get(sip)?)?;
        client.sent.get(data).map(String::as_str)
    }

    fn deliver_client_data(
        &mut self,
        from: &SessionId,
        sent_id: &str,
        payload: &Value,
    ) -> Result<Delivery, String> {
        let Some(to) = payload.get("to").and_then(Value::as_str) else { return Ok(Delivery::Done) };
        let text = to;
        let to = SessionId::new(to);
        if !self.is_client_here(&to) {
            return self.send_client_message(from, sent_id, text, payload);
        }
        let mut passed = json!({ "from": from.as_str(), "to": to.as_str() });
        for key in ["body", "contentType"] {
            if let (Some(value), Some(passed)) = (payload.get(key), passed.as_object_mut()) {
                passed.insert(key.to_owned(), value.clone());
            }
        }
        let operation_id = crate::owner::view::new_id("d").map_err(|failure| failure.message)?;
        let fields = fields_of(&operation_id, true, &passed);
        let (object, receiver) = (format!("data for {to}"), to.as_str().to_owned());
        let (from, sent) = (from.clone(), sent_id.to_owned());
        self.gate(Hook::OnDataEvent, &receiver, &object, fields, move |owner, verdict| {
            let done = match verdict {
                Verdict::Refused { info } => Err(info),
                // It may have gone meanwhile.
                Verdict::Go(_) if !owner.is_client_here(&to) => Err("Session does not exist".into()),
                Verdict::Go(_) => {
                    owner.tell_client(&to, ClientNews::Data { operation_id, payload: passed.into() });
                    Ok(())
                }
            };
            owner.tell_client_data(&from, sent, done);
        });
        Ok(Delivery::Sent)
    }

    fn is_client_here(&self, session: &SessionId) -> bool {
        self.clients.all.get(session).is_some_and(|client| client.news.is_some())
    }

    /// To a SIP address, or to the far end of one of the client's calls.
    fn send_client_message(
        &mut self,
        from: &SessionId,
        operation_id: &str,
        to: &str,
        payload: &Value,
    ) -> Result<Delivery, String> {
        let client = self.clients.all.get(from).ok_or("Session does not exist")?;
        let nobody = || format!("there is no session {:?} here, and this one has no SIP account", shown(to));
        let sip = client.sip.clone().ok_or_else(nobody)?;
        if client.sent.len() >= MOST_SENT {
            return Err(format!(
                "{MOST_SENT} messages of this session wait for an answer, which is the most"
            ));
        }
        let call = client.calls.get(to).and_then(|own| own.call.clone());
        if call.is_none() && self.calls.contains_key(&CallId::new(to.trim())) {
            // Of somebody else.
            return Err(format!("there is no call {:?} here", shown(to)));
        }
        let to = call.map_or_else(|| to.to_owned(), |call| call.as_str().to_owned());
        let body = match payload.get("body") {
            Some(Value::String(body)) => body.clone(),
            Some(body) => body.to_string(),
            None => String::new(),
        };
        let content_type = payload.get("contentType").and_then(Value::as_str).map(str::to_owned);
        let sent =
            self.send_allowed_data(&to, body, content_type, Some(sip)).map_err(|failure| failure.message)?;
        if let (Reply::Data { data_id }, Some(client)) = (sent, self.clients.all.get_mut(from)) {
            client.sent.insert(data_id, operation_id.to_owned());
        }
        Ok(Delivery::Sent)
    }
}

/// Whether it has more bytes as JSON; nothing is written for it.
pub(super) fn is_longer(value: &impl serde::Serialize, most: usize) -> bool {
    struct Room(usize);
    impl std::io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(most), value).is_err()
}

/// Without what lets somebody into a room.
fn shown_to_backend(payload: &Value) -> Cow<'_, Value> {
    if payload.get("command").and_then(Value::as_str) != Some("join") {
        return Cow::Borrowed(payload);
    }
    let mut shown = payload.clone();
    if let Some(options) = shown.get_mut("options").and_then(Value::as_object_mut) {
        options.retain(|field, _| !["password", "invite"].contains(&field.as_str()));
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::shown_to_backend;
    use serde_json::json;

    #[test]
    fn what_lets_somebody_into_a_room_is_in_no_hook() {
        let join = json!({ "command": "join", "options": { "name": "tea", "password": "p", "invite": "i" } });
        let shown = json!({ "command": "join", "options": { "name": "tea" } });
        assert_eq!(*shown_to_backend(&join), shown);
        let other = json!({ "to": "x", "body": { "password": "of theirs" } });
        assert_eq!(*shown_to_backend(&other), other);
    }
}
