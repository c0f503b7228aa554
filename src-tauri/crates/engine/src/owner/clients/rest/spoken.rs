//! What the far end of a program's call says, as a stream of its own (`toStream`).

use super::call::wrong_state;
use crate::{
    check_stream_name,
    hooks::Hook,
    io::{
        clock,
        media::{Ask as MediaAsk, Fader, FarSound, Input, Outlet, PublishedSound},
        streams::{Ask, Key, Own, Tracks, send::Control, tracks_of_sound},
    },
    owner::{Owner, text},
};
use serde_json::{Value, json};
use sidetone_api::{CallId, Failure, StreamStatus};
use sidetone_media::Codec;
use std::collections::HashMap;

const BY_END: &str = "Stopped by user";
const IN_USE: &str = "Stream name is already in use";

#[derive(Debug, Default)]
pub(super) struct Spoken(HashMap<CallId, Saying>);

/// A call whose far end is published.
#[derive(Debug)]
struct Saying {
    key: Key,
    name: String,
    session: String,
    own: Own,
    status: Option<StreamStatus>,
    /// Milliseconds since 1970.
    created: u64,
}

impl Spoken {
    fn of_key(&self, key: Key) -> Option<CallId> {
        self.0.iter().find(|(_, saying)| saying.key == key).map(|(call, _)| call.clone())
    }
}

impl Saying {
    /// As hooks and programs are told of it.
    fn view(&self, node: &str) -> Value {
        json!({
            "nodeId": node,
            "appKey": "",
            "sessionId": self.session,
            "mediaSessionId": self.id(),
            "name": self.name,
            "published": true,
            "hasVideo": false,
            "hasAudio": true,
            "status": self.status.map_or("PENDING", |status| status.as_str()),
            "info": "",
            "audioCodec": Codec::Opus.name(),
            "videoCodec": null,
            "record": false,
            "createDate": self.created,
            "mediaType": "publish",
            "audioState": { "muted": false },
            "videoState": { "muted": false },
            "mediaProvider": "WebRTC",
        })
    }

    fn id(&self) -> String {
        format!("call-{}", self.key.0)
    }
}

impl Owner {
    /// # Errors
    /// Names `toStream`.
    pub(super) fn check_to_stream(&self, name: Option<&str>) -> Result<(), Failure> {
        let Some(name) = name else { return Ok(()) };
        check_stream_name(name)
            .map_err(|words| Failure::invalid("toStream", format!("toStream: {words}")))?;
        if self.streams.is_listed(name) {
            return Err(wrong_state(&format!("toStream: {IN_USE}")));
        }
        Ok(())
    }

    /// The call stands: from now on its far end is published.
    pub(super) fn publish_far_end(&mut self, call_id: &CallId, name: &str) {
        let leg = self.calls.get(call_id).and_then(|call| call.leg.as_ref()).map(|leg| leg.id);
        let Some(leg) = leg.filter(|_| !self.clients.rest.spoken.0.contains_key(call_id)) else { return };
        let (key, own) = (self.streams.new_key(), Own::default());
        let outlet = Outlet::of(self.stream_door.inlet(key), &own, false);
        let sound = match PublishedSound::new(Codec::Opus, outlet, false) {
            Ok(sound) => Box::new(sound),
            Err(error) => return tracing::error!("the far end of a call is not published: {error}"),
        };
        let session = self.clients.rest.session_of(call_id).unwrap_or_default();
        let saying = Saying {
            key,
            name: name.to_owned(),
            session,
            own: own.clone(),
            status: None,
            created: clock::wallclock_ms(),
        };
        self.clients.rest.spoken.0.insert(call_id.clone(), saying);
        let tracks: Tracks = tracks_of_sound(Codec::Opus);
        let control = Control::default();
        self.stream_door.ask(Ask::Publish { stream: key, name: name.to_owned(), tracks, own, control });
        let far = FarSound::default();
        let fader = Fader { name: "call".into(), input: Input::Source(Box::new(far.clone())), gain: 1.0 };
        self.media.ask(MediaAsk::Publish { stream: key, sound });
        self.media.ask(MediaAsk::Faders { stream: key, faders: vec![fader] });
        self.media.ask(MediaAsk::Tee { leg, to: far });
    }

    /// False where no call is published by it.
    pub(in super::super::super) fn on_spoken_flowing(&mut self, key: Key) -> bool {
        let Some(call) = self.clients.rest.spoken.of_key(key) else { return false };
        self.tell_of_spoken(&call, StreamStatus::Publishing, "");
        true
    }

    /// It could not be had, or is over: so is the call that was to be heard. False where no call is published by it.
    pub(in super::super::super) fn on_spoken_ended(&mut self, key: Key, info: &str) -> bool {
        let Some(call) = self.clients.rest.spoken.of_key(key) else { return false };
        self.tell_of_spoken(&call, StreamStatus::Failed, info);
        self.forget_spoken(&call);
        let _ = self.hang_up(&call);
        true
    }

    /// The call is over, or somebody does not want the stream any more.
    pub(super) fn end_spoken(&mut self, call: &CallId, info: &str) {
        self.tell_of_spoken(call, StreamStatus::Unpublished, info);
        self.forget_spoken(call);
    }

    pub(super) fn end_spoken_with_call(&mut self, call: &CallId) {
        self.end_spoken(call, BY_END);
    }

    fn forget_spoken(&mut self, call: &CallId) {
        let Some(saying) = self.clients.rest.spoken.0.remove(call) else { return };
        self.stream_door.ask(Ask::End { stream: saying.key });
        self.media.ask(MediaAsk::EndStream { stream: saying.key });
        saying.own.close();
    }

    fn tell_of_spoken(&mut self, call: &CallId, status: StreamStatus, info: &str) {
        let Some(saying) = self.clients.rest.spoken.0.get_mut(call) else { return };
        if saying.status.replace(status) == Some(status) {
            return;
        }
        let (session, id) = (saying.session.clone(), saying.id());
        let Value::Object(mut fields) = saying.view(self.hooks.node_id()) else { return };
        fields.insert("info".into(), text::shown(info).into());
        self.tell(Hook::StreamStatusEvent, &session, &id, fields);
    }

    /// For programs.
    pub(super) fn spoken_views(&self) -> Vec<(CallId, Value)> {
        let all = self.clients.rest.spoken.0.iter();
        all.map(|(call, saying)| (call.clone(), saying.view(self.hooks.node_id()))).collect()
    }
}
