//! What clients ask of calls and streams, and what becomes of it.

use super::super::Owner;
use crate::hooks::{Fields, Hook, Verdict};
use sidetone_api::{CallId, Event, Failure, Reply, SessionId, StreamId};

/// About whom clients are told.
#[derive(Debug, Clone)]
enum Object {
    Call(CallId),
    Stream(StreamId),
}

impl Owner {
    /// Does what was asked of a call, once the backend lets it; who asked is answered at once, and told of a refusal by an
    /// [`Event::ErrorEvent`]. Emergency calls wait for nobody. What is being asked already is not asked twice, but keys are.
    pub(in super::super) fn gate_call(
        &mut self,
        hook: Hook,
        id: &CallId,
        more: Fields,
        go: impl FnOnce(&mut Self, Fields) -> Result<Reply, Failure> + 'static,
    ) -> Result<Reply, Failure> {
        let Some((session, fields)) = self.call_fields(id, more) else {
            return Err(Failure::not_found("call", id.as_str()));
        };
        if self.calls.get(id).is_some_and(|call| call.emergency) {
            self.tell(hook, &session, id.as_str(), fields);
            return go(self, Fields::new());
        }
        self.gate_object(hook, &session, Object::Call(id.clone()), fields, go)
    }

    /// The same of a stream.
    pub(in super::super) fn gate_stream(
        &mut self,
        hook: Hook,
        id: &StreamId,
        go: impl FnOnce(&mut Self, Fields) -> Result<Reply, Failure> + 'static,
    ) -> Result<Reply, Failure> {
        let Some((session, fields)) = self.stream_fields(id) else {
            return Err(Failure::not_found("stream", id.as_str()));
        };
        self.gate_object(hook, &session, Object::Stream(id.clone()), fields, go)
    }

    fn gate_object(
        &mut self,
        hook: Hook,
        session: &str,
        object: Object,
        fields: Fields,
        go: impl FnOnce(&mut Self, Fields) -> Result<Reply, Failure> + 'static,
    ) -> Result<Reply, Failure> {
        if !self.must_ask(hook, session) {
            return go(self, Fields::new());
        }
        let id = match &object {
            Object::Call(id) => id.as_str().to_owned(),
            Object::Stream(id) => id.as_str().to_owned(),
        };
        if hook != Hook::SendDtmf && self.hooks.is_asking(&id, hook) {
            return Ok(Reply::Done);
        }
        self.gate(hook, session, &id, fields, move |owner, verdict| {
            if owner.is_gone(&object) {
                return;
            }
            let failed = match verdict {
                Verdict::Go(fields) => go(owner, fields).err().map(|failure| failure.message),
                Verdict::Refused { info } => Some(info),
            };
            if let Some(info) = failed {
                owner.tell_error(hook, &object, &info);
            }
        });
        Ok(Reply::Done)
    }

    /// It has ended, or was ended, meanwhile: nobody waits for anything of it.
    fn is_gone(&self, object: &Object) -> bool {
        match object {
            Object::Call(id) => self.calls.get(id).is_none_or(|call| call.hung_up),
            Object::Stream(id) => self.streams.get(id).is_none(),
        }
    }

    fn tell_error(&mut self, hook: Hook, object: &Object, info: &str) {
        let (call, stream) = match object {
            Object::Call(id) => (Some(id.clone()), None),
            Object::Stream(id) => (None, Some(id.clone())),
        };
        let session = call.as_ref().and_then(|id| self.calls.get(id)).map(|call| call.session_id.clone());
        self.tell_error_of(hook, session, call, stream, info);
    }

    pub(super) fn tell_error_of(
        &mut self,
        hook: Hook,
        session_id: Option<SessionId>,
        call_id: Option<CallId>,
        stream_id: Option<StreamId>,
        info: &str,
    ) {
        let info = super::super::text::shown(info);
        self.publish(Event::ErrorEvent { hook: hook.name().into(), info, session_id, call_id, stream_id });
    }

    /// Of what is done whatever the backend says.
    pub(in super::super) fn tell_of_call(&mut self, hook: Hook, id: &CallId) {
        if let Some((session, fields)) = self.call_fields(id, Fields::new()) {
            self.tell(hook, &session, id.as_str(), fields);
        }
    }

    pub(in super::super) fn tell_of_stream(&mut self, hook: Hook, id: &StreamId) {
        if let Some((session, fields)) = self.stream_fields(id) {
            self.tell(hook, &session, id.as_str(), fields);
        }
    }
}

/// The text of a field that the backend has changed.
pub(in super::super) fn changed<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(serde_json::Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}
