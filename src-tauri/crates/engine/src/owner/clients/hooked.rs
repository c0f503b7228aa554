//! What the backend is asked and told of clients: in the names of their own sessions, streams and calls.

pub(super) use crate::owner::hooks::with_status;

use super::{
    Client,
    stream::{ClientLeg, EVENT},
};
use crate::{
    hooks::{Fields, Hook},
    owner::{Owner, session::CLIENT, text},
};
use serde_json::Value;
use sidetone_api::{CallId, ConnectionStatus, SessionId, StreamId, StreamStatus};

/// What the backend may say otherwise of a connection. The password is in no question.
const CHANGEABLE: [&str; 9] = [
    "sipLogin",
    "sipAuthenticationName",
    "sipDomain",
    "sipOutboundProxy",
    "sipProxy",
    "sipPort",
    "sipRegisterRequired",
    "sipVisibleName",
    "custom",
];
/// Those that say whose password it is, and who is shown it.
const IDENTITY: [&str; 6] =
    ["sipLogin", "sipAuthenticationName", "sipDomain", "sipOutboundProxy", "sipProxy", "sipPort"];
const PASSWORD: &str = "sipPassword";

/// A session that is over, while its SIP account leaves its registrar.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) app_key: String,
    pub(super) connection: Fields,
}

/// A client's call as its backend knows it.
#[derive(Debug, Clone)]
pub(in super::super) struct CallOfClient {
    pub(in super::super) session: SessionId,
    /// As the client calls it.
    pub(in super::super) id: String,
    pub(in super::super) caller: String,
    pub(in super::super) callee: String,
    pub(in super::super) visible_name: Option<String>,
    pub(in super::super) custom: Option<Value>,
    /// Its offer, for the first question.
    pub(in super::super) sdp: Option<String>,
}

impl CallOfClient {
    /// Puts its names into the place of the engine's own.
    pub(in super::super) fn rename(&self, fields: &mut Fields) {
        fields.insert("callId".into(), self.id.as_str().into());
        fields.insert("caller".into(), self.caller.as_str().into());
        fields.insert("callee".into(), self.callee.as_str().into());
        if let Some(name) = &self.visible_name {
            fields.insert("visibleName".into(), name.as_str().into());
        }
        if let Some(custom) = &self.custom {
            fields.insert("custom".into(), custom.clone());
        }
    }
}

/// What the backend is asked and told of about something that a page has named. Another page's name for it, or ours for something
/// else, is not the same, and nobody waits behind it.
pub(in super::super) fn object(session: &SessionId, id: &str) -> String {
    format!("{session}/{id}")
}

/// The page's name for it.
pub(in super::super) fn named<'a>(session: &str, object: &'a str) -> &'a str {
    object.strip_prefix(session).and_then(|id| id.strip_prefix('/')).unwrap_or(object)
}

/// The connection as the backend wants it: what the answer says otherwise than the question counts.
pub(super) fn changed_opening(fields: &mut Fields, asked: &Fields, answer: &Fields) {
    let mut is_another = false;
    for key in CHANGEABLE {
        let Some(value) = answer.get(key).filter(|value| !value.is_null() && asked.get(key) != Some(value))
        else {
            continue;
        };
        is_another |= IDENTITY.contains(&key);
        fields.insert(key.into(), value.clone());
    }
    match answer.get(PASSWORD).filter(|password| password.is_string()) {
        Some(password) => drop(fields.insert(PASSWORD.into(), password.clone())),
        // The client's own is for the user and the place that it was given for.
        None if is_another => drop(fields.remove(PASSWORD)),
        None => {}
    }
}

impl Owner {
    /// As hooks name it: the client's own session, where this is the one of its SIP account.
    pub(in super::super) fn hook_session(&self, session: &str) -> String {
        let of_account = |sip: &crate::owner::session::Session| {
            sip.account.id.as_str().strip_prefix(CLIENT).map(str::to_owned)
        };
        let sip = SessionId::new(session);
        let client = self.clients.by_sip.get(&sip).map(|client| client.as_str().to_owned());
        client.or_else(|| of_account(self.sessions.get(&sip)?)).unwrap_or_else(|| session.to_owned())
    }

    /// The `appKey` of a client's session.
    pub(in super::super) fn client_app_key(&self, session: &str) -> Option<&str> {
        let session = SessionId::new(session);
        let here = self.clients.all.get(&session).map(|client| client.app_key.as_str());
        let here = here.or_else(|| self.clients.arriving.get(&session).map(String::as_str));
        here.or_else(|| self.clients.leaving.get(&session).map(|left| left.app_key.as_str()))
    }

    /// The connection of a client whose SIP session this is.
    pub(in super::super) fn client_connection_fields(&self, sip: &SessionId) -> Option<(SessionId, Fields)> {
        let client = SessionId::new(self.hook_session(sip.as_str()));
        let here = self.clients.all.get(&client).map(|client| &client.connection);
        let connection = here.or_else(|| Some(&self.clients.leaving.get(&client)?.connection))?;
        Some((client, connection.clone()))
    }

    pub(super) fn tell_of_client(&mut self, session: &SessionId, status: ConnectionStatus, info: &str) {
        let Some(connection) = self.clients.all.get(session).map(|client| client.connection.clone()) else {
            return;
        };
        let fields = with_status(connection, status.as_str(), info);
        self.tell(Hook::ConnectionStatusEvent, session.as_str(), session.as_str(), fields);
    }

    /// What a call is called by the client whose SIP session this is.
    pub(in super::super) fn call_of_client(&self, sip: &SessionId, id: &CallId) -> Option<CallOfClient> {
        let session = self.clients.by_sip.get(sip)?;
        Some(CallOfClient {
            session: session.clone(),
            id: id.as_str().to_owned(),
            caller: String::new(),
            callee: String::new(),
            visible_name: None,
            custom: None,
            sdp: None,
        })
    }

    /// The offer is part of the question alone.
    pub(super) fn stream_fields_of_client(
        &self,
        session: &SessionId,
        leg: &ClientLeg,
        sdp: Option<&str>,
    ) -> Fields {
        let mut fields =
            self.view_of(session, leg, "").map(|view| serde_json::to_value(view).unwrap_or_default());
        let Some(Value::Object(fields)) = &mut fields else { return Fields::new() };
        let mut fields = std::mem::take(fields);
        fields.insert("name".into(), leg.name().into());
        if let Some(sdp) = sdp {
            fields.insert("sdp".into(), sdp.into());
        }
        if leg.status.is_none() {
            fields.insert("status".into(), "PENDING".into());
        }
        fields
    }

    fn client_stream_fields(&self, session: &SessionId, id: &str) -> Option<Fields> {
        let leg = self.clients.all.get(session)?.streams.get(id)?;
        Some(self.stream_fields_of_client(session, leg, None))
    }

    pub(super) fn tell_of_client_stream(&mut self, hook: Hook, session: &SessionId, id: &str) {
        if let Some(fields) = self.client_stream_fields(session, id) {
            self.tell(hook, session.as_str(), &object(session, id), fields);
        }
    }

    pub(super) fn tell_client_stream_status(
        &mut self,
        session: &SessionId,
        id: &str,
        status: &str,
        info: &str,
    ) {
        if let Some(fields) = self.client_stream_fields(session, id) {
            let fields = with_status(fields, status, info);
            self.tell(Hook::StreamStatusEvent, session.as_str(), &object(session, id), fields);
        }
    }

    /// A stream that the backend does not let be. The page hears of it as of what failed in its session.
    pub(super) fn forbid_client_stream(&mut self, session: &SessionId, id: &str, info: &str) {
        let info = text::shown(info);
        if let Some(leg) = self.client_leg(session, id) {
            leg.status = Some(StreamStatus::Failed);
        }
        self.tell_client_stream_status(session, id, StreamStatus::Failed.as_str(), &info);
        self.tell_client_failed(session, EVENT, Some(id.to_owned()), &info);
        self.forget_client_stream(session, id);
    }

    /// A sign of life of each stream of clients that flows.
    pub(in super::super) fn tell_that_client_streams_live(&mut self) {
        let flows =
            |leg: &ClientLeg| matches!(leg.status, Some(StreamStatus::Publishing | StreamStatus::Playing));
        let of_client = |(session, client): (&SessionId, &Client)| {
            let flowing = client.streams.iter().filter(|(_, leg)| flows(leg));
            flowing.map(|(id, _)| (session.clone(), id.clone())).collect::<Vec<_>>()
        };
        for (session, id) in self.clients.all.iter().flat_map(of_client).collect::<Vec<_>>() {
            self.tell_of_client_stream(Hook::StreamKeepAliveEvent, &session, &id);
        }
    }

    pub(in super::super) fn is_client(&self, session: &str) -> bool {
        self.clients.all.contains_key(&SessionId::new(session))
    }

    /// The backend has refused a sign of life.
    pub(in super::super) fn end_client_stream_by_backend(
        &mut self,
        session: &str,
        id: &StreamId,
        info: &str,
    ) {
        let session = SessionId::new(session);
        self.end_client_stream(&session, id.as_str(), super::status::Verdict::failed(info));
    }

    /// Of an event that the backend would not hear of.
    pub(in super::super) fn tell_client_error(&mut self, session: &str, info: &str) {
        let info = text::shown(info);
        let news = crate::clients::ClientNews::Failed { event: None, id: None, info };
        self.tell_client(&SessionId::new(session), news);
    }
}

#[cfg(test)]
mod tests {
    use super::changed_opening;
    use crate::hooks::Fields;
    use serde_json::{Value, json};

    fn changed(said: &Value, answer: &Value) -> Value {
        let mut fields: Fields = said.as_object().cloned().unwrap();
        let mut asked = fields.clone();
        asked.remove("sipPassword");
        changed_opening(&mut fields, &asked, answer.as_object().unwrap());
        Value::Object(fields)
    }

    #[test]
    fn what_the_backend_says_otherwise_counts_and_a_password_goes_nowhere_else() {
        let said = json!({ "sipLogin": "a", "sipDomain": "one", "sipPassword": "x", "custom": { "k": 1 } });
        let echo = json!({ "sipLogin": "a", "sipDomain": "one", "custom": { "k": 1 }, "status": "x" });
        assert_eq!(changed(&said, &echo), said);
        let other = changed(&said, &json!({ "sipLogin": "b" }));
        assert_eq!(other, json!({ "sipLogin": "b", "sipDomain": "one", "custom": { "k": 1 } }));
        let given = changed(&said, &json!({ "sipDomain": "two", "sipPassword": "y", "authToken": "z" }));
        let wanted = json!({ "sipLogin": "a", "sipDomain": "two", "sipPassword": "y", "custom": { "k": 1 } });
        assert_eq!(given, wanted);
        let custom = changed(&said, &json!({ "custom": { "k": 2 } }));
        assert_eq!((&custom["sipPassword"], &custom["custom"]["k"]), (&json!("x"), &json!(2)));
    }
}
