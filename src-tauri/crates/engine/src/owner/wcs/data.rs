//! Data by way of the server: to others there, to SIP addresses, or to the server's backend.

use super::{
    super::{Owner, text},
    PATIENCE,
};
use crate::wcs::ServerAsk;
use serde_json::{Value, json};
use sidetone_api::{DataId, DataStatus, Event, SessionId};
use std::time::Instant;

const PLAIN: &str = "text/plain";
const JSON: &str = "application/json";
/// Bytes of what comes.
const LONGEST_BODY: usize = 64 * 1024;

impl Owner {
    /// # Errors
    /// The server is not connected.
    pub(in super::super) fn send_wcs_data(
        &mut self,
        session: &SessionId,
        data: &DataId,
        to: &str,
        body: &str,
        content_type: &str,
    ) -> Result<(), sidetone_api::Failure> {
        let connection = self.standing_wcs(session)?;
        connection.sent.insert(data.clone(), Instant::now() + PATIENCE);
        let payload = if to.is_empty() {
            serde_json::from_str(body).unwrap_or_else(|_| json!(body))
        } else {
            json!({ "to": to, "body": body, "contentType": content_type })
        };
        let ask = ServerAsk::Data { operation_id: data.as_str().to_owned(), payload };
        self.say_to_server(session, &ask);
        let (session_id, incoming) = (session.clone(), false);
        let from = self.sessions.get(session).map(|session| session.aor.uri.to_string()).unwrap_or_default();
        let (to, body, content_type) = (to.to_owned(), body.to_owned(), content_type.to_owned());
        self.publish(Event::OnDataEvent { session_id, incoming, from, to, content_type, body });
        Ok(())
    }

    pub(super) fn on_wcs_data_status(
        &mut self,
        session: &SessionId,
        operation: String,
        status: &str,
        info: &str,
    ) {
        let accepted = status == DataStatus::Accepted.as_str();
        if self.on_far_answer(session, &operation, accepted, &text::shown(info)) {
            return;
        }
        let data_id = DataId::new(operation);
        let Some(connection) = self.wcs(session) else { return };
        if connection.sent.remove(&data_id).is_none() {
            return;
        }
        let status = if accepted { DataStatus::Accepted } else { DataStatus::Failed };
        let (session_id, info) = (session.clone(), text::shown(info));
        self.publish(Event::DataStatusEvent { status, data_id, session_id, info });
    }

    pub(super) fn tell_data_failed(&mut self, session: &SessionId, data_id: DataId, info: &str) {
        let (status, session_id, info) = (DataStatus::Failed, session.clone(), text::shown(info));
        self.publish(Event::DataStatusEvent { status, data_id, session_id, info });
    }

    pub(super) fn give_up_data(&mut self, session: &SessionId, now: Instant) {
        let Some(connection) = self.wcs(session) else { return };
        let late: Vec<_> = connection.sent.extract_if(.., |_, due| *due <= now).collect();
        for (data, _) in late {
            let words = format!("the server did not answer within {} s", PATIENCE.as_secs());
            self.tell_data_failed(session, data, &words);
        }
    }

    /// A message that says from whom it is, or anything else as JSON.
    pub(super) fn on_wcs_data(&mut self, session: &SessionId, payload: Value) {
        if self.on_far_told(session, &payload) {
            return;
        }
        let field = |key: &str| payload.get(key).and_then(Value::as_str).map(text::shown);
        let message = payload.get("body").filter(|_| payload.get("from").is_some());
        let (body, content_type) = match message {
            Some(Value::String(body)) => (body.clone(), field("contentType").unwrap_or_else(|| PLAIN.into())),
            Some(body) => (body.to_string(), field("contentType").unwrap_or_else(|| JSON.into())),
            None => (payload.to_string(), JSON.into()),
        };
        if body.len() > LONGEST_BODY {
            return self.complain(session, "OnDataEvent: payload is longer than is taken");
        }
        let (from, to) = match message {
            Some(_) => (field("from").unwrap_or_default(), field("to").unwrap_or_default()),
            None => Default::default(),
        };
        self.receive_wcs_data(session, from, to, content_type, body);
    }
}
