//! Sessions of clients, for programs.

use super::super::data::LONGEST_PAYLOAD;
use crate::{
    clients::{ClientNews, Json},
    owner::{Owner, text::shown, view::new_id},
    rest::RestReply,
};
use serde_json::{Value, json};
use sidetone_api::{Failure, SessionId};

impl Owner {
    /// What was said of each when it was opened, without what opens it again.
    pub(super) fn session_views(&self) -> Vec<Value> {
        let views = self.clients.all.values().map(|client| {
            let mut view = client.connection.clone();
            view.remove("authToken");
            view.insert("createDate".into(), json!(client.since));
            view.insert("address".into(), json!(client.address));
            view.insert("connected".into(), json!(client.news.is_some()));
            Value::Object(view)
        });
        views.collect()
    }

    fn session_named(&self, id: &str) -> Result<SessionId, Failure> {
        let session = SessionId::new(id);
        let known = self.clients.all.contains_key(&session);
        if known { Ok(session) } else { Err(Failure::not_found("session", &shown(id))) }
    }

    pub(super) fn end_named_session(&mut self, id: &str) -> Result<RestReply, Failure> {
        let session = self.session_named(id)?;
        self.close_client(&session);
        Ok(RestReply::Done)
    }

    pub(super) fn log_session(&mut self, id: &str, asks: bool) -> Result<RestReply, Failure> {
        let session = self.session_named(id)?;
        if let Some(client) = self.clients.all.get_mut(&session) {
            client.is_logged = asks;
        }
        Ok(RestReply::Done)
    }

    pub(super) fn send_rest_data(
        &mut self,
        sessions: &[String],
        operation_id: Option<String>,
        payload: &Value,
    ) -> Result<RestReply, Failure> {
        let payload = Json::from(payload.clone());
        if payload.as_str().len() > LONGEST_PAYLOAD {
            let words = format!("payload: a message has {LONGEST_PAYLOAD} bytes at most");
            return Err(Failure::invalid("payload", words));
        }
        let named = sessions.iter().map(|id| {
            let session = self.session_named(id)?;
            let is_there = self.clients.all.get(&session).is_some_and(|client| client.news.is_some());
            if is_there { Ok(session) } else { Err(Failure::not_found("session", &shown(id))) }
        });
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        for session in named {
            let operation_id = operation_id.clone().map_or_else(|| new_id("d"), Ok)?;
            self.tell_client(&session, ClientNews::Data { operation_id, payload: payload.clone() });
        }
        Ok(RestReply::Done)
    }
}
