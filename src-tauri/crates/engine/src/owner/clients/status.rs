//! The statuses of clients' streams, and what the stream thread tells of them.

use super::{hooked::with_status, stream::ClientLeg};
use crate::{
    check_stream_name,
    clients::{ClientNews, ClientStream, ClientStreamView, Json},
    hooks::Hook,
    io::streams::{Key, Tracks},
    owner::{Owner, text},
};
use serde_json::json;
use sidetone_api::{SessionId, StreamStatus};
use sidetone_peer::whip::Kind;

/// How a stream ends.
pub(super) struct Verdict<'a> {
    failed: bool,
    info: &'a str,
}

impl<'a> Verdict<'a> {
    pub(super) fn failed(info: &'a str) -> Self {
        Self { failed: true, info }
    }

    pub(super) fn ended(info: &'a str) -> Self {
        Self { failed: false, info }
    }

    fn status(&self, kind: Kind) -> StreamStatus {
        match (self.failed, kind) {
            (true, _) => StreamStatus::Failed,
            (false, Kind::Whip) => StreamStatus::Unpublished,
            (false, Kind::Whep) => StreamStatus::Stopped,
        }
    }
}

impl Owner {
    /// The one place where statuses of clients' streams are told.
    pub(super) fn set_client_status(
        &mut self,
        session: &SessionId,
        id: &str,
        status: StreamStatus,
        info: &str,
    ) {
        let Some(leg) = self.client_leg(session, id) else { return };
        if leg.status.replace(status) == Some(status) {
            return;
        }
        leg.due = None;
        let media = (leg.audio_codec.is_some(), leg.video_codec.is_some());
        let (key, video_muted) = (leg.key, leg.video.muted);
        self.on_client_room_stream(key, status, media, video_muted);
        self.tell_client_stream_status(session, id, status.as_str(), &text::shown(info));
        let Some(view) = self.client_stream_view(session, id, info) else { return };
        self.tell_client(session, ClientNews::Stream(Box::new(view)));
    }

    /// The one place where clients' streams end.
    pub(super) fn end_client_stream(&mut self, session: &SessionId, id: &str, verdict: Verdict<'_>) {
        let Some(kind) = self.client_leg(session, id).map(|leg| leg.kind) else { return };
        self.set_client_status(session, id, verdict.status(kind), verdict.info);
        self.forget_client_stream(session, id);
    }

    /// Of a stream that never was.
    pub(super) fn refuse_client_stream(
        &mut self,
        session: &SessionId,
        kind: Kind,
        mut wanted: ClientStream,
        info: &str,
    ) {
        // What is told of it is kept for the backend.
        if check_stream_name(&wanted.name).is_err() {
            wanted.name = text::shown(&wanted.name);
        }
        wanted.custom = wanted.custom.filter(|custom| super::check_kept(Some(custom)).is_ok());
        // Nothing is ever heard of its key.
        let never = ClientLeg::new(self.streams.new_key(), kind, wanted);
        let leg = ClientLeg { status: Some(StreamStatus::Failed), ..never };
        let Some(view) = self.view_of(session, &leg, info) else { return };
        if !self.clients.ids.contains_key(&leg.wanted.id) {
            let fields = self.stream_fields_of_client(session, &leg, None);
            let fields = with_status(fields, StreamStatus::Failed.as_str(), &view.info);
            let object = super::hooked::object(session, &leg.wanted.id);
            self.tell(Hook::StreamStatusEvent, session.as_str(), &object, fields);
        }
        self.tell_client(session, ClientNews::Stream(Box::new(view)));
    }

    pub(super) fn client_stream_view(
        &self,
        session: &SessionId,
        id: &str,
        info: &str,
    ) -> Option<ClientStreamView> {
        self.view_of(session, self.clients.all.get(session)?.streams.get(id)?, info)
    }

    pub(super) fn view_of(
        &self,
        session: &SessionId,
        leg: &ClientLeg,
        info: &str,
    ) -> Option<ClientStreamView> {
        let client = self.clients.all.get(session)?;
        let wanted = &leg.wanted;
        Some(ClientStreamView {
            node_id: self.hooks.node_id().to_owned(),
            app_key: client.app_key.clone(),
            session_id: session.as_str().to_owned(),
            media_session_id: wanted.id.clone(),
            name: wanted.name.clone(),
            published: leg.is_published(),
            has_video: wanted.has_video,
            has_audio: wanted.has_audio,
            status: leg.status.unwrap_or(StreamStatus::Failed),
            info: text::shown(info),
            audio_codec: leg.audio_codec.clone(),
            video_codec: leg.video_codec.clone(),
            record: false,
            width: wanted.width,
            height: wanted.height,
            bitrate: wanted.bitrate,
            min_bitrate: wanted.min_bitrate,
            max_bitrate: wanted.max_bitrate,
            quality: wanted.quality,
            history: false,
            gop: 0,
            fps: 0,
            audio_bitrate: 0,
            codec_impl: "",
            transport: "UDP",
            cvo_extension: false,
            create_date: leg.created,
            media_type: if leg.is_published() { "publish" } else { "play" },
            audio_state: leg.audio,
            video_state: leg.video,
            media_provider: "WebRTC",
            custom: wanted.custom.clone(),
        })
    }

    fn client_stream_of(&self, key: Key) -> Option<(SessionId, String)> {
        self.clients.by_key.get(&key).cloned()
    }

    /// Media has flowed. False where it is no stream of a client's.
    pub(in super::super) fn on_client_flowing(&mut self, key: Key) -> bool {
        let Some((session, id)) = self.client_stream_of(key) else { return false };
        let Some(leg) = self.client_leg(&session, &id).filter(|leg| !leg.paused) else { return true };
        let status = if leg.is_published() { StreamStatus::Publishing } else { StreamStatus::Playing };
        if leg.status == Some(StreamStatus::Publishing) {
            // It was lost for a while, and who played it was stopped.
            let media = (leg.audio_codec.is_some(), leg.video_codec.is_some());
            let video_muted = leg.video.muted;
            self.on_client_room_stream(key, status, media, video_muted);
        }
        self.set_client_status(&session, &id, status, "");
        if let Some(name) = self.name_of_client_play(key).filter(|_| status == StreamStatus::Playing) {
            self.show_client(&session, key, &name);
        }
        true
    }

    /// A peer of the gateway has gone.
    pub(in super::super) fn on_client_stream_left(&mut self, key: Key, info: &str, failed: bool) {
        let Some((session, id)) = self.client_stream_of(key) else { return };
        let verdict = if failed { Verdict::failed(info) } else { Verdict::ended(info) };
        self.end_client_stream(&session, &id, verdict);
    }

    /// What is known of a stream's codecs.
    pub(super) fn set_client_tracks(&mut self, session: &SessionId, id: &str, tracks: &Tracks) {
        let Some(leg) = self.client_leg(session, id) else { return };
        leg.audio_codec = tracks.audio.as_ref().map(|track| track.codec.clone());
        leg.video_codec = tracks.video.as_ref().map(|track| track.codec.clone());
    }

    /// A publisher has muted something that a client plays. False where it is no stream of a client's.
    pub(in super::super) fn on_client_muted(&mut self, key: Key, audio: bool, video: bool) -> bool {
        let Some((session, id)) = self.client_stream_of(key) else { return false };
        let Some(leg) = self.client_leg(&session, &id) else { return true };
        let changes = [
            (leg.audio.muted, audio, "audioMuted", "audioUnmuted"),
            (leg.video.muted, video, "videoMuted", "videoUnmuted"),
        ];
        (leg.audio.muted, leg.video.muted) = (audio, video);
        let payload = Json::from(json!({ "streamName": leg.wanted.name }));
        for (_, now, muted, unmuted) in changes.into_iter().filter(|(before, now, ..)| before != now) {
            let kind = if now { muted } else { unmuted }.to_owned();
            let news = ClientNews::StreamEvent { id: id.clone(), kind, payload: payload.clone() };
            self.tell_client(&session, news);
        }
        true
    }

    /// More is published of what a client plays than it may be sent.
    pub(in super::super) fn on_client_narrow(&mut self, key: Key, kbit: u32, most: u32) {
        let Some((session, id)) = self.client_stream_of(key) else { return };
        let payload = Json::from(json!({ "info": format!("{kbit}/{most}") }));
        let kind = "notEnoughBandwidth".to_owned();
        self.tell_client(&session, ClientNews::StreamEvent { id, kind, payload });
    }

    pub(in super::super) fn on_client_video_rates(&mut self, rates: Vec<(Key, u64)>) {
        for (key, octets) in rates {
            let Some((session, id)) = self.client_stream_of(key) else { continue };
            let Some(leg) = self.client_leg(&session, &id).filter(|leg| leg.wanted.has_video) else {
                continue;
            };
            if matches!(leg.status, Some(StreamStatus::Publishing | StreamStatus::Playing)) {
                let inbound = leg.is_published();
                self.tell_client(&session, ClientNews::VideoRate { id, inbound, bits: octets * 8 });
            }
        }
    }
}
