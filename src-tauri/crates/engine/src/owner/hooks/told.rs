//! Events for the backend.

use super::{super::Owner, fields::with_status};
use crate::{
    hooks::{Entry, Fields, Hook, Outcome},
    io::clock,
};
use sidetone_api::{CallId, Event, SessionId, StreamId, StreamStatus};
use std::time::Instant;

/// What became of a snapshot, as the Web Call Server names it.
const SNAPSHOT_COMPLETE: &str = "SNAPSHOT_COMPLETE";
const SNAPSHOT_FAILED: &str = "SNAPSHOT_FAILED";

impl Owner {
    /// Into the outbox, where the backend is to hear of it.
    pub(in super::super) fn tell(&mut self, hook: Hook, session: &str, object: &str, fields: Fields) {
        let session = &self.hook_session(session);
        if !self.hears_of(hook, session) {
            return;
        }
        let policy = self.hooks.gates.config(session).policy(hook);
        let fields = policy.without_excluded(self.whole(session, fields));
        let body = serde_json::to_string(&fields).unwrap_or_default();
        match super::super::view::new_id("h") {
            Ok(id) => {
                let entry = Entry {
                    id,
                    hook,
                    session: session.clone(),
                    object: object.into(),
                    at: clock::wallclock_ms(),
                    body: body.into(),
                };
                self.hooks.outbox.add(Instant::now(), entry);
            }
            Err(failure) => tracing::error!(%hook, "an event is not told: {failure}"),
        }
    }

    /// What clients hear of and the backend too.
    pub(in super::super) fn tell_backend(&mut self, event: &Event) {
        if self.hooks.door.is_none() {
            return;
        }
        match event {
            Event::ConnectionStatusEvent { status, session_id, info } => {
                self.tell_of_session(Hook::ConnectionStatusEvent, session_id, status.as_str(), info);
            }
            Event::RegistrationStatusEvent { status, session_id, info } => {
                self.tell_of_session(Hook::RegistrationStatusEvent, session_id, status.as_str(), info);
            }
            Event::CallStatusEvent { status, call_id, info, .. } => {
                if let Some((session, fields)) = self.call_status_fields(call_id, status.as_str(), info) {
                    self.tell(Hook::CallStatusEvent, &session, call_id.as_str(), fields);
                }
            }
            Event::TransferStatusEvent { status, call_id, session_id, target, info } => {
                let mut fields = with_status(Fields::new(), status.as_str(), info);
                let of_client = self.calls.get(call_id).and_then(|call| call.client.as_ref());
                let named = of_client.map_or(call_id.as_str(), |client| client.id.as_str());
                fields.insert("callId".into(), named.into());
                fields.insert("target".into(), target.as_str().into());
                self.tell(Hook::TransferStatusEvent, session_id.as_str(), call_id.as_str(), fields);
            }
            Event::StreamStatusEvent { status, stream_id, info, .. } => {
                if let Some((session, fields)) = self.stream_fields(stream_id) {
                    let fields = with_status(fields, status.as_str(), info);
                    self.tell(Hook::StreamStatusEvent, &session, stream_id.as_str(), fields);
                }
            }
            Event::SnapshotTaken { stream_id, file, info } => {
                if let Some((session, fields)) = self.stream_fields(stream_id) {
                    let status = if file.is_some() { SNAPSHOT_COMPLETE } else { SNAPSHOT_FAILED };
                    let fields = with_status(fields, status, info);
                    self.tell(Hook::StreamStatusEvent, &session, stream_id.as_str(), fields);
                }
            }
            Event::DataStatusEvent { status, data_id, session_id, info } => {
                let mut fields = with_status(Fields::new(), status.as_str(), info);
                let named = self.client_operation(session_id, data_id).unwrap_or(data_id.as_str());
                fields.insert("operationId".into(), named.into());
                self.tell(Hook::DataStatusEvent, session_id.as_str(), data_id.as_str(), fields);
            }
            Event::SessionDebugStatusEvent { status, session_id, info } => {
                let object = format!("debug of {session_id}");
                let fields = with_status(Fields::new(), status.as_str(), info);
                self.tell(Hook::SessionDebugStatusEvent, session_id.as_str(), &object, fields);
            }
            Event::BugReportStatusEvent { status, info } => {
                let mut fields = with_status(Fields::new(), status, info);
                if status != "FAILED" {
                    fields.insert("filename".into(), status.as_str().into());
                }
                self.tell(Hook::BugReportStatusEvent, "", super::super::report::OBJECT, fields);
            }
            _ => {}
        }
    }

    fn tell_of_session(&mut self, hook: Hook, id: &SessionId, status: &str, info: &str) {
        let (id, fields) = match self.client_connection_fields(id) {
            // Of a client's connection its own session tells.
            Some(_) if hook == Hook::ConnectionStatusEvent => return,
            Some(of_client) => of_client,
            None => (id.clone(), self.session_fields(id)),
        };
        self.tell(hook, id.as_str(), id.as_str(), with_status(fields, status, info));
    }

    /// A sign of life of each stream that flows.
    pub(super) fn tell_that_streams_live(&mut self, now: Instant) {
        let every = self.hooks.door.as_ref().and_then(|door| door.keep_alive);
        self.hooks.keep_alive = every.map(|every| now + every);
        for id in self.streams.flowing() {
            self.tell_of_stream(Hook::StreamKeepAliveEvent, &id);
        }
        self.tell_that_guests_live();
        self.tell_that_client_streams_live();
    }

    /// What came of an attempt to deliver an event.
    pub(super) fn on_event_told(
        &mut self,
        hook: Hook,
        session: &str,
        object: &str,
        outcome: &Outcome,
        first: bool,
    ) {
        let Some(words) = crate::hooks::in_words(outcome).filter(|_| !is_taken(outcome)) else { return };
        tracing::info!(%hook, %object, "the backend: {}", super::super::text::shown(&words));
        if !self.hooks.gates.config(session).policy(hook).fails() {
            return;
        }
        let stream = StreamId::new(super::super::clients::named(session, object));
        let refusal = outcome.as_ref().ok().filter(|answer| (400..500).contains(&answer.status));
        if let (Hook::StreamKeepAliveEvent, Some(answer)) = (hook, refusal) {
            let info = answer.info();
            if self.is_client(session) {
                return self.end_client_stream_by_backend(session, &stream, &info);
            }
            if !self.end_guest(object, &info) {
                self.end_stream(&stream, StreamStatus::Failed, &info);
            }
            return;
        }
        // Of logs nothing follows: a page would log that, too.
        if !first || hook == Hook::PushLogs {
            return;
        }
        if self.is_client(session) {
            return self.tell_client_error(session, &words);
        }
        let call = Some(CallId::new(object)).filter(|id| self.calls.contains_key(id));
        let stream = Some(stream).filter(|id| self.streams.get(id).is_some());
        let session = Some(SessionId::new(session)).filter(|id| !id.as_str().is_empty());
        self.tell_error_of(hook, session, call, stream, &words);
    }
}

fn is_taken(outcome: &Outcome) -> bool {
    outcome.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status))
}
