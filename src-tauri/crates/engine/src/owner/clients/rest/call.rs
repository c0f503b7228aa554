//! Calls that programs place, and what they do to any call. A call of a program has no client's leg: the far end hears what is injected,
//! else silence.

use super::{Answer, Rest};
use crate::{
    clients::LONGEST_CLIENT_ID,
    io::media::{Ask, Join},
    owner::{
        Errand, Owner,
        call::{Call, Wish},
        text,
    },
    rest::{RestCall, RestReply},
};
use serde_json::{Value, json};
use sidetone_api::{CallDirection, CallId, CallStatus, DtmfMode, Failure, FailureCode, Reply, SessionId};
use sidetone_media::{
    DeviceError,
    device::{OpenedSource, Selection},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};
use tokio::sync::oneshot;

/// Calls of programs, at a time.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Calls {
    all: BTreeMap<String, OwnCall>,
    by_call: HashMap<CallId, String>,
}

/// A call that a program has placed.
#[derive(Debug)]
struct OwnCall {
    /// `None` until its session stands.
    call: Option<CallId>,
    session: Option<SessionId>,
    visible_name: String,
    custom: Option<Value>,
    /// Under this name its far end is published.
    to_stream: Option<String>,
    /// Its session goes when this does.
    _present: oneshot::Sender<()>,
}

impl Calls {
    /// Also where it is yet to be placed.
    pub(super) fn has(&self, id: &str) -> bool {
        self.all.contains_key(id)
    }

    pub(super) fn call_of(&self, id: &str) -> Option<CallId> {
        self.all.get(id)?.call.clone()
    }
}

/// The session of a program's call stands, or does not.
#[derive(Debug)]
pub(in super::super::super) struct Opened {
    wanted: RestCall,
    session: Result<SessionId, String>,
    answer: Answer,
}

/// A file that a far end is to hear was opened, or not.
pub(in super::super::super) struct Injected {
    call: CallId,
    result: Result<OpenedSource, DeviceError>,
    answer: Answer,
}

impl std::fmt::Debug for Injected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Injected").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Owner {
    pub(super) fn start_rest_call(&mut self, wanted: RestCall, answer: Answer) {
        if let Err(failure) = self.check_rest_call(&wanted) {
            return drop(answer.send(Err(failure)));
        }
        let (present, mut over) = oneshot::channel();
        let own = OwnCall {
            call: None,
            session: None,
            visible_name: wanted.visible_name.clone(),
            custom: wanted.custom.clone(),
            to_stream: wanted.to_stream.clone(),
            _present: present,
        };
        self.clients.rest.calls.all.insert(wanted.id.clone(), own);
        let (opening, opened) = oneshot::channel();
        self.open_client(wanted.opening.clone(), opening);
        let errands = self.errands.clone();
        tokio::spawn(async move {
            let (session, news) = match opened.await {
                Ok(Ok(opened)) => (Ok(opened.session_id), Some(opened.news)),
                Ok(Err(refused)) => (Err(refused.info), None),
                Err(_) => (Err("the engine has stopped".to_owned()), None),
            };
            let _ = errands.send(Errand::RestCall(Box::new(Opened { wanted, session, answer }))).await;
            // Nobody reads what such a session is told; it stands as long as its call.
            let Some(mut news) = news else { return };
            let read = async { while news.next().await.is_some() {} };
            tokio::select! {
                () = read => {}
                _ = &mut over => {}
            }
        });
    }

    fn check_rest_call(&self, wanted: &RestCall) -> Result<(), Failure> {
        let id = &wanted.id;
        if id.is_empty() || id.len() > LONGEST_CLIENT_ID || id.chars().any(char::is_control) {
            let words = format!("callId: it is a line of 1 to {LONGEST_CLIENT_ID} bytes");
            return Err(Failure::invalid("callId", words));
        }
        self.check_to_stream(wanted.to_stream.as_deref())?;
        if self.is_call_named(id) {
            return Err(wrong_state("this callId is in use"));
        }
        if self.clients.rest.calls.all.len() >= MOST {
            return Err(Failure::new(FailureCode::Limit, format!("{MOST} calls of programs are the most")));
        }
        Ok(())
    }

    /// Its session stands, and its backend has not refused it.
    pub(in super::super::super) fn on_rest_call(&mut self, opened: Opened) {
        let Opened { wanted, session, answer } = opened;
        let placed = match session {
            Ok(session) => self.place_for_rest(&wanted, &session),
            Err(info) => Err(Failure::new(FailureCode::Invalid, info)),
        };
        if placed.is_err() {
            self.clients.rest.calls.all.remove(&wanted.id);
        }
        let _ = answer.send(placed.map(|()| RestReply::Done));
    }

    fn place_for_rest(&mut self, wanted: &RestCall, session: &SessionId) -> Result<(), Failure> {
        let client = self.clients.all.get(session);
        let sip = client.and_then(|client| client.sip.clone());
        let sip = sip.ok_or_else(|| wrong_state("its session has ended"))?;
        let name = wanted.visible_name.trim();
        let caller_name = (!name.is_empty()).then(|| name.to_owned());
        let wish = Wish { session: Some(sip), caller_name, ..Wish::of(&wanted.callee) };
        let Reply::Call { call_id } = self.place(wish)? else {
            return Err(Failure::new(FailureCode::WrongState, "Failed by error"));
        };
        let calls = &mut self.clients.rest.calls;
        calls.by_call.insert(call_id.clone(), wanted.id.clone());
        if let Some(own) = calls.all.get_mut(&wanted.id) {
            (own.call, own.session) = (Some(call_id), Some(session.clone()));
        }
        Ok(())
    }

    /// The sound of a call that has no client's leg.
    pub(in super::super) fn sound_for_rest(&mut self, call_id: &CallId, join: Join) {
        if !self.clients.rest.calls.by_call.contains_key(call_id) {
            return;
        }
        let join = match join {
            Join::Devices | Join::Conference => Join::Injected,
            other => other,
        };
        let Some(call) = self.calls.get_mut(call_id).filter(|call| call.leg.is_some()) else { return };
        let stands = call.is_established();
        if call.is_joined_anew(join) {
            call.leg.iter().for_each(|leg| leg.join(join, &self.media));
        }
        let name = self.clients.rest.own(call_id).and_then(|(_, own)| own.to_stream.clone());
        if let Some(name) = name.filter(|_| stands) {
            self.publish_far_end(call_id, &name);
        }
    }

    pub(super) fn send_dtmf_of_kind(
        &mut self,
        call: &CallId,
        kind: &str,
        dtmf: &str,
    ) -> Result<Reply, Failure> {
        match kind {
            "INFO_RELAY" => self.send_dtmf_by(call, dtmf, DtmfMode::Info),
            "INFO" => self.send_plain_info(call, dtmf),
            _ => self.send_dtmf_by(call, dtmf, DtmfMode::Rfc4733),
        }
    }

    pub(super) fn inject_sound(&mut self, id: &str, file: PathBuf, answer: Answer) {
        let call = match self.call_named(id).and_then(|call| self.injectable(call)) {
            Ok(call) => call,
            Err(failure) => return drop(answer.send(Err(failure))),
        };
        let (devices, errands) = (Arc::clone(&self.desk.devices), self.errands.clone());
        tokio::task::spawn_blocking(move || {
            let result = devices.open_source(&Selection::File(file));
            let _ = errands.blocking_send(Errand::RestSound(Injected { call, result, answer }));
        });
    }

    pub(super) fn injectable(&self, call: CallId) -> Result<CallId, Failure> {
        let is_up = self
            .calls
            .get(&call)
            .is_some_and(|call| call.is_established() && call.leg.is_some() && !call.in_room);
        if is_up { Ok(call) } else { Err(wrong_state("only a call that has been answered hears sounds")) }
    }

    pub(in super::super::super) fn on_rest_sound(&mut self, injected: Injected) {
        let Injected { call, result, answer } = injected;
        let leg = self.calls.get(&call).and_then(|call| call.leg.as_ref()).map(|leg| leg.id);
        let outcome = match (result, leg) {
            (Ok(opened), Some(leg)) => {
                self.media.ask(Ask::Inject { leg, source: Some(opened.source) });
                Ok(RestReply::Done)
            }
            (Ok(_), None) => Err(wrong_state("the call has ended")),
            (Err(error), _) => {
                Err(Failure::invalid("fileName", format!("fileName: {}", text::shown(&error.to_string()))))
            }
        };
        let _ = answer.send(outcome);
    }

    /// Of clients, of programs, and our own.
    pub(super) fn call_views(&self) -> Vec<Value> {
        let views = self.calls.iter().map(|(call, own)| {
            let of_client = self.clients.by_call.get(call);
            match of_client.and_then(|(session, id)| self.client_call_now(session, id)) {
                Some(view) => serde_json::to_value(view).unwrap_or_default(),
                None => self.plain_call_view(call, own),
            }
        });
        views.collect()
    }

    fn plain_call_view(&self, id: &CallId, call: &Call) -> Value {
        let own = self.clients.rest.own(id);
        let session = own.and_then(|(_, own)| own.session.clone());
        let client = session.as_ref().and_then(|session| self.clients.all.get(session));
        let (caller, callee) = call.parties_shown();
        let view = call.view();
        let visible_name = own.map_or(view.remote_name.as_str(), |(_, own)| own.visible_name.as_str());
        json!({
            "nodeId": self.hooks.node_id(),
            "appKey": client.map(|client| client.app_key.as_str()).unwrap_or_default(),
            "sessionId": session.as_ref().unwrap_or(&view.session_id),
            "callId": own.map_or(id.as_str(), |(id, _)| id),
            "incoming": view.direction == CallDirection::Incoming,
            "status": view.status,
            "info": view.info,
            "caller": caller,
            "callee": callee,
            "visibleName": visible_name,
            "hasAudio": true,
            "hasVideo": false,
            "mediaProvider": "SIP",
            "isMsrp": false,
            "holdForTransfer": false,
            "custom": own.and_then(|(_, own)| own.custom.clone()),
        })
    }

    /// True where the call is a program's.
    pub(in super::super) fn on_rest_call_status(&mut self, call: &CallId, status: CallStatus) -> bool {
        let calls = &mut self.clients.rest.calls;
        let is_over = matches!(status, CallStatus::Finish | CallStatus::Busy | CallStatus::Failed);
        if !is_over {
            return calls.by_call.contains_key(call);
        }
        let Some(id) = calls.by_call.remove(call) else { return false };
        calls.all.remove(&id);
        self.end_spoken_with_call(call);
        true
    }
}

impl Rest {
    /// Of the call of a program.
    pub(super) fn session_of(&self, call: &CallId) -> Option<String> {
        self.own(call)?.1.session.as_ref().map(|session| session.as_str().to_owned())
    }

    fn own(&self, call: &CallId) -> Option<(&str, &OwnCall)> {
        let id = self.calls.by_call.get(call)?;
        Some((id, self.calls.all.get(id)?))
    }
}

pub(super) fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
