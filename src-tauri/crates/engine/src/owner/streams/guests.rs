//! What the backend hears of WHIP and WHEP clients at the embedded gateway: the same of each as of a stream of ours.

use super::{
    super::{
        Owner,
        hooks::{as_streams_are, with_status},
    },
    Streams,
    serve::Session,
};
use crate::{
    hooks::{Fields, Hook},
    io::{
        clock,
        streams::{Ask, Key, Tracks},
    },
};
use serde_json::{Value, json};
use sidetone_api::{ConnectionStatus, StreamStatus};
use sidetone_peer::whip::Kind;

pub(super) const BY_USER: &str = "Stopped by user";
pub(super) const BY_END: &str = "Stopped by session disconnect";

/// A client's stream, as hooks tell of it. Its connection and its stream are one and have one id.
#[derive(Debug)]
pub(super) struct Guest {
    id: String,
    kind: Kind,
    /// As the client knows it.
    name: String,
    status: Option<StreamStatus>,
    tracks: Tracks,
    /// Milliseconds since 1970.
    created: u64,
}

impl Guest {
    pub(super) fn new(id: String, kind: Kind, name: String) -> Self {
        Self { id, kind, name, status: None, tracks: Tracks::default(), created: clock::wallclock_ms() }
    }

    pub(super) fn with(mut self, tracks: Tracks) -> Self {
        self.tracks = tracks;
        self
    }

    fn flows(&self) -> bool {
        matches!(self.status, Some(StreamStatus::Publishing | StreamStatus::Playing))
    }

    fn ended(&self, failed: bool) -> StreamStatus {
        match self.kind {
            _ if failed => StreamStatus::Failed,
            Kind::Whip => StreamStatus::Unpublished,
            Kind::Whep => StreamStatus::Stopped,
        }
    }

    fn fields(&self) -> Fields {
        let published = self.kind == Kind::Whip;
        let audio = self.tracks.audio.as_ref().map(|track| track.codec.clone());
        let video = self.tracks.video.as_ref().map(|track| track.codec.clone());
        as_streams_are(json!({
            "mediaSessionId": self.id,
            "name": self.name,
            "published": published,
            "hasVideo": video.is_some(),
            "hasAudio": audio.is_some(),
            "status": self.status.map_or("PENDING", |status| status.as_str()),
            "record": false,
            "width": 0,
            "height": 0,
            "bitrate": 0,
            "minBitrate": 0,
            "maxBitrate": 0,
            "mediaProvider": "WebRTC",
            "audioCodec": audio,
            "videoCodec": video,
            "createDate": self.created,
            "mediaType": if published { "publish" } else { "play" },
            "audioState": { "muted": false },
            "videoState": { "muted": false },
        }))
    }
}

impl Streams {
    /// As programs are told of them, by their ids.
    pub(in super::super) fn guest_views(&self) -> Vec<(String, Value)> {
        let views = self.served.sessions().map(|session| {
            let mut fields = session.guest.fields();
            for (key, text) in [("appKey", ""), ("sessionId", &session.guest.id), ("info", "")] {
                fields.insert(key.into(), text.into());
            }
            (session.guest.id.clone(), Value::Object(fields))
        });
        views.collect()
    }
}

impl Owner {
    /// Of one that was let in.
    pub(super) fn tell_of_connection(&mut self, guest: &Guest, status: ConnectionStatus, info: &str) {
        let all = json!({ "mediaProviders": ["WebRTC"], "keepAlive": false });
        let fields = all.as_object().cloned().unwrap_or_default();
        let fields = with_status(fields, status.as_str(), info);
        self.tell(Hook::ConnectionStatusEvent, &guest.id, &guest.id, fields);
    }

    /// Of one whose offer came to nothing, after the backend was asked.
    pub(super) fn tell_of_declined(&mut self, guest: &Guest, info: &str) {
        let fields = with_status(guest.fields(), StreamStatus::Failed.as_str(), info);
        self.tell(Hook::StreamStatusEvent, &guest.id, &guest.id, fields);
    }

    pub(super) fn on_guest_flowing(&mut self, key: Key) {
        let found = self.streams.served.sessions_mut().find(|session| session.key == key);
        let Some(Session { guest, .. }) = found.filter(|session| !session.guest.flows()) else { return };
        guest.status = Some(match guest.kind {
            Kind::Whip => StreamStatus::Publishing,
            Kind::Whep => StreamStatus::Playing,
        });
        let (id, mut fields) = (guest.id.clone(), guest.fields());
        fields.insert("info".into(), "".into());
        self.tell(Hook::StreamStatusEvent, &id, &id, fields);
    }

    /// The client has asked for it.
    pub(super) fn tell_of_leaving(&mut self, guest: Guest) {
        let hook = match guest.kind {
            Kind::Whip => Hook::UnPublishStream,
            Kind::Whep => Hook::StopStream,
        };
        self.tell(hook, &guest.id, &guest.id, guest.fields());
        self.tell_of_end(guest, BY_USER, false);
    }

    pub(super) fn tell_of_end(&mut self, mut guest: Guest, info: &str, failed: bool) {
        guest.status = Some(guest.ended(failed));
        let fields = with_status(guest.fields(), guest.ended(failed).as_str(), info);
        self.tell(Hook::StreamStatusEvent, &guest.id, &guest.id, fields);
        self.tell_of_connection(&guest, ConnectionStatus::Disconnected, info);
    }

    /// A sign of life of each whose media flows.
    pub(in super::super) fn tell_that_guests_live(&mut self) {
        let flowing = self.streams.served.sessions_mut().filter(|session| session.guest.flows());
        let all: Vec<_> = flowing.map(|session| (session.guest.id.clone(), session.guest.fields())).collect();
        for (id, fields) in all {
            self.tell(Hook::StreamKeepAliveEvent, &id, &id, fields);
        }
    }

    /// As the backend wants it. False where it is no client's stream.
    pub(in super::super) fn end_guest(&mut self, id: &str, info: &str) -> bool {
        self.end_guest_as(id, info, true)
    }

    /// The same, where it is no failure.
    pub(in super::super) fn end_guest_as(&mut self, id: &str, info: &str, failed: bool) -> bool {
        let key = self.streams.served.sessions_mut().find(|session| session.guest.id == id);
        let Some(key) = key.map(|session| session.key) else { return false };
        self.stream_door.ask(Ask::End { stream: key });
        self.on_session_left(key, info, failed);
        true
    }
}
