//! What programs ask for over the REST API, about clients' calls, streams and sessions and all others.

mod call;
mod inject;
mod session;
mod spoken;
mod stream;

pub(in super::super) use call::{Injected, Opened};

use crate::{
    owner::{Owner, text},
    rest::{RestAsk, RestFilter, RestReply},
};
use call::Calls;
use inject::Injections;
use serde_json::Value;
use sidetone_api::{CallId, Failure, FailureCode, Reply};
use spoken::Spoken;
use tokio::sync::oneshot;

/// Where an answer goes.
pub(in super::super::super) type Answer = oneshot::Sender<Result<RestReply, Failure>>;

/// What the API has open.
#[derive(Debug, Default)]
pub(super) struct Rest {
    calls: Calls,
    injections: Injections,
    spoken: Spoken,
}

impl Owner {
    pub(in super::super::super) fn on_rest(&mut self, ask: RestAsk, answer: Answer) {
        let result = match ask {
            _ if self.farewell.is_some() => Err(Failure::new(FailureCode::Stopped, "the engine is stopping")),
            RestAsk::Measure => Ok(RestReply::Measured(Box::new(self.metrics()))),
            RestAsk::StartCall(wanted) => return self.start_rest_call(*wanted, answer),
            RestAsk::FindCalls(filter) => found("call", self.call_views(), &filter),
            RestAsk::EndCall { id } => self.call_named(&id).and_then(|call| done(self.hang_up(&call))),
            RestAsk::SendDtmf { id, kind, dtmf } => {
                self.call_named(&id).and_then(|call| done(self.send_dtmf_of_kind(&call, &kind, &dtmf)))
            }
            RestAsk::InjectSound { id, file } => return self.inject_sound(&id, file, answer),
            RestAsk::InjectStream { id, name } => return self.inject_stream(&id, name, answer),
            RestAsk::StopInjectedStream { id } => self.stop_injected_stream(&id),
            RestAsk::FindStreams(filter) => found("stream", self.every_stream(), &filter),
            RestAsk::EndStreams { filter, ids } => self.end_found_streams(&filter, ids),
            RestAsk::Snapshot { name } => return self.take_snapshot_for(name, answer),
            RestAsk::Record { id, on } => self.record_named(&id, on),
            RestAsk::StreamEvent { name, payload } => self.send_stream_data(&name, &payload),
            RestAsk::SendData { sessions, operation_id, payload } => {
                self.send_rest_data(&sessions, operation_id, &payload)
            }
            RestAsk::FindSessions(filter) => found("session", self.session_views(), &filter),
            RestAsk::EndSession { id } => self.end_named_session(&id),
            RestAsk::LogSession { id, asks } => self.log_session(&id, asks),
        };
        let _ = answer.send(result);
    }

    /// A client, a program or the engine calls one of its own so.
    pub(in super::super) fn is_call_named(&self, id: &str) -> bool {
        let of_program = self.clients.rest.calls.has(id);
        of_program || self.clients.ids.contains_key(id) || self.calls.contains_key(&CallId::new(id))
    }

    /// A call by the id that its client or a program gave it, or by ours.
    fn call_named(&self, id: &str) -> Result<CallId, Failure> {
        let of_client = || {
            let client = self.clients.all.get(self.clients.ids.get(id)?)?;
            client.calls.get(id)?.call.clone()
        };
        let own = || Some(CallId::new(id)).filter(|call| self.calls.contains_key(call));
        let call = of_client().or_else(|| self.clients.rest.calls.call_of(id)).or_else(own);
        call.ok_or_else(|| Failure::not_found("call", &text::shown(id)))
    }
}

fn done(result: Result<Reply, Failure>) -> Result<RestReply, Failure> {
    result.map(|_| RestReply::Done)
}

/// Those that are as the filter wants them.
fn found(what: &str, all: Vec<Value>, filter: &RestFilter) -> Result<RestReply, Failure> {
    let found: Vec<_> = all.into_iter().filter(|view| fits(view, filter)).collect();
    if found.is_empty() {
        return Err(Failure::new(FailureCode::NotFound, format!("there is no such {what}")));
    }
    Ok(RestReply::Found(found))
}

fn fits(view: &Value, filter: &RestFilter) -> bool {
    filter.iter().all(|(key, wanted)| view.get(key) == Some(wanted))
}
