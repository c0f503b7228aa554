//! Streams at the server: what is offered there, what it says of them, and what is asked of them later.

use super::{
    super::{Owner, text},
    OfferReply, PATIENCE,
};
use crate::{
    ClientStream, check_stream_name,
    io::{clock, streams::Ask},
    wcs::ServerAsk,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sidetone_api::{
    Event, Failure, FailureCode, NoticeLevel, Reply, Secret, SessionId, StreamId, StreamStatus,
};
use sidetone_peer::whip::Kind;
use std::{net::SocketAddr, time::Instant};

use super::super::streams::{Place, Stream, check_name};

/// Bytes of what one event carries, as JSON.
const LONGEST_PAYLOAD: usize = 64 * 1024;
/// What the server says of paths that broke: another attempt may find one.
const MAY_PASS: [&str; 5] = [
    "Failed by ICE error",
    "Failed by ICE timeout",
    "Failed by ICE keep alive",
    "Failed by RTP activity",
    "Stream name is already in use",
];

impl Owner {
    /// # Errors
    /// Names `name`, `token` or `sessionId`.
    pub(in super::super) fn place_of_stream(
        &mut self,
        kind: Kind,
        name: &str,
        token: Option<&Secret>,
        session: Option<SessionId>,
    ) -> Result<Place, Failure> {
        let Some(session) = session else { return check_name(kind, name, token) };
        self.standing_wcs(&session)?;
        check_stream_name(name).map_err(|problem| Failure::invalid("name", format!("name: {problem}")))?;
        if token.is_some() {
            let message = "token: a Web Call Server is shown the account's password or what is custom of it";
            return Err(Failure::invalid("token", message));
        }
        Ok(Place::Server(session))
    }

    /// Where the server of this session is, while it stands.
    pub(in super::super) fn place_of_wcs(&self, session: &SessionId) -> Option<SocketAddr> {
        let connection = self.sessions.get(session)?.wcs.as_deref()?;
        connection.place().map(|(remote, _)| remote)
    }

    pub(super) fn streams_of_session(&self, session: &SessionId) -> Vec<(StreamId, bool)> {
        let all = self.streams.at_server(session).into_iter();
        all.filter_map(|id| Some((id.clone(), self.streams.get(&id)?.is_published()))).collect()
    }

    /// The peer has made its offer: it goes to the server.
    pub(in super::super) fn offer_to_server(
        &mut self,
        id: &StreamId,
        attempt: u64,
        sdp: String,
        reply: OfferReply,
    ) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let (name, is_published) = (stream.real_name(), stream.is_published());
        let settings = stream.settings().clone();
        let room = stream.room().cloned();
        let (has_audio, has_video) = (sdp.contains("m=audio"), sdp.contains("m=video"));
        let Some(server) = stream.at_server_mut() else { return };
        let media = format!("{id}-{attempt}");
        (server.id, server.offer) = (Some(media.clone()), sdp.clone());
        let session = server.session.clone();
        let custom = room.and_then(|room| self.name_of_room(&room)).map(|name| json!({ "name": name }));
        let limit = |kbit: u32| if is_published { kbit } else { 0 };
        let wanted = ClientStream {
            id: media.clone(),
            name,
            sdp,
            has_audio,
            has_video,
            min_bitrate: limit(settings.min_kbit),
            max_bitrate: limit(settings.max_kbit),
            custom,
            ..ClientStream::default()
        };
        let ask = if is_published { ServerAsk::Publish(wanted) } else { ServerAsk::Play(wanted) };
        let Some(connection) = self.wcs(&session) else { return };
        connection.streams.insert(media.clone(), id.clone());
        connection.offers.insert(media, reply);
        self.say_to_server(&session, &ask);
    }

    pub(super) fn on_server_stream(&mut self, session: &SessionId, media: &str, status: &str, info: &str) {
        let Some(connection) = self.wcs(session) else { return };
        let Some(id) = connection.streams.get(media).cloned() else { return };
        let end = match status {
            "UNPUBLISHED" | "STOPPED" | "FAILED" => status,
            // That it flows is seen where it does.
            _ => return,
        };
        connection.streams.remove(media);
        let reply = connection.offers.remove(media);
        let info = if info.is_empty() { "the server ended it and gives no reason" } else { info };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (is_published, was_live) = (stream.is_published(), stream.has_been_live());
        let Some(server) = stream.at_server_mut().filter(|it| it.id.as_deref() == Some(media)) else {
            return;
        };
        server.id = None;
        if end == "FAILED" && was_live && MAY_PASS.contains(&info) {
            return self.lose_stream(&id, info, true, None);
        }
        if let Some(reply) = reply {
            let _ = reply.send(Err(info.to_owned()));
            return;
        }
        let status = match (end, is_published) {
            ("FAILED", _) => StreamStatus::Failed,
            (_, true) => StreamStatus::Unpublished,
            (_, false) => StreamStatus::Stopped,
        };
        self.end_stream(&id, status, info);
    }

    /// What an attempt left at the server is ended there.
    pub(in super::super) fn leave_server(&mut self, id: &StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let (name, is_published) = (stream.real_name(), stream.is_published());
        let Some(server) = stream.at_server_mut() else { return };
        let (Some(media), session) = (server.id.take(), server.session.clone()) else { return };
        let Some(connection) = self.wcs(&session) else { return };
        connection.offers.remove(&media);
        if connection.streams.remove(&media).is_none() {
            return;
        }
        let ask = if is_published {
            ServerAsk::UnPublish { id: media, name }
        } else {
            ServerAsk::Stop { id: media, name }
        };
        connection.say(&ask);
    }

    /// Until the session stands again.
    pub(in super::super) fn wait_for_server(&mut self, id: &StreamId, info: &str) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        if !stream.has_been_live() {
            return self.end_stream(id, StreamStatus::Failed, info);
        }
        let session = stream.at_server().map(|server| server.session.clone());
        let retry_at = session.and_then(|session| self.wcs(&session)?.retry_at);
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.stop_dialling();
        stream.waits_until(retry_at.unwrap_or_else(clock::wallclock_ms), info);
        let key = stream.key();
        if let Some(server) = stream.at_server_mut() {
            server.id = None;
        }
        self.stream_door.ask(Ask::Disconnect { stream: key });
        self.publish_stream_view(id);
    }

    /// The connection to the server is lost: so is what was agreed on there.
    pub(super) fn lose_streams_of(&mut self, session: &SessionId, info: &str) {
        if let Some(connection) = self.wcs(session) {
            connection.streams.clear();
        }
        let streams = self.streams.at_server(session);
        for id in &streams {
            self.wait_for_server(id, info);
        }
        if !streams.is_empty() {
            self.notice(NoticeLevel::Warning, &format!("streams wait for their server: {info}"), None);
        }
    }

    /// The server refuses us, and is not asked again.
    pub(super) fn fail_streams_of(&mut self, session: &SessionId, info: &str) {
        for id in self.streams.at_server(session) {
            self.end_stream(&id, StreamStatus::Failed, info);
        }
    }

    pub(super) fn reconnect_streams_of(&mut self, session: &SessionId) {
        for id in self.streams.at_server(session) {
            // Those of a room wait until we are in it.
            if self.streams.get(&id).is_some_and(|it| it.room().is_none()) {
                self.reconnect_at_server(&id);
            }
        }
    }

    /// Where it waits for its server.
    pub(in super::super) fn reconnect_at_server(&mut self, id: &StreamId) {
        let waits = |it: &Stream| it.at_server().is_some() && !it.is_dialled() && !it.is_paused();
        if self.streams.get(id).is_some_and(waits) {
            self.connect_stream(id);
            self.publish_stream_view(id);
        }
    }

    /// The peer stays as it is: the server sends nothing for a while.
    pub(in super::super) fn pause_at_server(&mut self, id: &StreamId, paused: bool) {
        let Some(stream) = self.streams.get(id) else { return };
        let name = stream.real_name();
        let Some(server) = stream.at_server() else { return };
        let (Some(media), session) = (server.id.clone(), server.session.clone()) else { return };
        let sdp = server.offer.clone();
        let (has_audio, has_video) = (sdp.contains("m=audio"), sdp.contains("m=video"));
        let ask = if paused {
            ServerAsk::Pause { id: media, name }
        } else {
            ServerAsk::Play(ClientStream {
                id: media,
                name,
                sdp,
                has_audio,
                has_video,
                ..ClientStream::default()
            })
        };
        self.say_to_server(&session, &ask);
    }

    pub(in super::super) fn tell_server_of_mute(
        &mut self,
        id: &StreamId,
        audio: Option<bool>,
        video: Option<bool>,
    ) {
        let Some((session, media)) = self.at_server(id) else { return };
        let word = |kind: &str, muted: bool| format!("{kind}{}", if muted { "Muted" } else { "Unmuted" });
        let kinds = [audio.map(|muted| word("audio", muted)), video.map(|muted| word("video", muted))];
        for kind in kinds.into_iter().flatten() {
            let ask = ServerAsk::StreamEvent { id: media.clone(), kind, payload: None };
            self.say_to_server(&session, &ask);
        }
    }

    /// The session, and the id that its server knows the stream by.
    fn at_server(&self, id: &StreamId) -> Option<(SessionId, String)> {
        let server = self.streams.get(id)?.at_server()?;
        Some((server.session.clone(), server.id.clone()?))
    }

    pub(in super::super) fn send_stream_event(
        &mut self,
        id: &StreamId,
        payload: &str,
    ) -> Result<Reply, Failure> {
        let stream = self.streams.get(id).ok_or_else(|| Failure::not_found("stream", id.as_str()))?;
        let wrong = |message: &str| Failure::new(FailureCode::WrongState, message);
        if stream.at_server().is_none() || !stream.is_published() {
            return Err(wrong("only a stream that we publish at a Web Call Server has somebody to be told"));
        }
        if payload.len() > LONGEST_PAYLOAD {
            let message = format!("payload: {LONGEST_PAYLOAD} bytes are the most");
            return Err(Failure::invalid("payload", message));
        }
        let (session, media) =
            self.at_server(id).ok_or_else(|| wrong("this stream is not at its server now"))?;
        let payload = serde_json::from_str(payload).unwrap_or_else(|_| json!(payload));
        let ask = ServerAsk::StreamEvent { id: media, kind: "data".into(), payload: Some(payload) };
        self.say_to_server(&session, &ask);
        Ok(Reply::Done)
    }

    pub(super) fn on_server_stream_event(
        &mut self,
        session: &SessionId,
        media: &str,
        kind: &str,
        payload: &Value,
    ) {
        let Some(connection) = self.wcs(session) else { return };
        if matches!(kind, "snapshotCompleted" | "snapshotFailed") {
            let Some((id, _)) = connection.snapshots.remove(media) else { return };
            return self.on_wcs_snapshot(&id, picture(kind, payload));
        }
        let Some(id) = connection.streams.get(media).cloned() else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (is_played, is_of_room) = (!stream.is_published(), stream.room().is_some());
        let (audio, video) = stream.muted();
        match kind {
            "audioMuted" if !is_played && is_of_room => return self.on_muted_by_far(&id),
            "audioMuted" | "audioUnmuted" if is_played => *audio = kind == "audioMuted",
            "videoMuted" | "videoUnmuted" if is_played => *video = kind == "videoMuted",
            // What a picture's size is, the picture says.
            "resize" => return,
            _ => {
                let (kind, payload) = (text::shown(kind), payload.to_string());
                if payload.len() <= LONGEST_PAYLOAD {
                    self.publish(Event::OnStreamEvent { stream_id: id, kind, payload });
                }
                return;
            }
        }
        self.publish_stream_view(&id);
    }

    /// The server takes it, and sends it.
    pub(in super::super) fn take_snapshot_at_server(&mut self, id: &StreamId) -> Result<(), Failure> {
        let wrong = |message: &str| Failure::new(FailureCode::WrongState, message);
        let name = self.streams.get(id).map(|stream| stream.real_name()).unwrap_or_default();
        let (session, media) =
            self.at_server(id).ok_or_else(|| wrong("this stream is not at its server now"))?;
        let connection = self.standing_wcs(&session)?;
        if connection.snapshots.contains_key(&media) {
            return Err(wrong("a snapshot of this stream is being taken already"));
        }
        connection.snapshots.insert(media.clone(), (id.clone(), Instant::now() + PATIENCE));
        self.say_to_server(&session, &ServerAsk::Snapshot { id: media, name });
        Ok(())
    }

    pub(super) fn on_wcs_snapshot(&mut self, id: &StreamId, taken: Result<Vec<u8>, String>) {
        self.keep_snapshot(id, taken);
    }

    pub(super) fn give_up_snapshots(&mut self, session: &SessionId, now: Instant) {
        let Some(connection) = self.wcs(session) else { return };
        let late = connection.snapshots.extract_if(.., |_, (_, due)| *due <= now);
        for (_, (id, _)) in late.collect::<Vec<_>>() {
            let words = format!("the server sent no picture within {} s", PATIENCE.as_secs());
            self.on_wcs_snapshot(&id, Err(words));
        }
    }
}

/// # Errors
/// The server has none, or sent something else.
fn picture(kind: &str, payload: &Value) -> Result<Vec<u8>, String> {
    if kind == "snapshotFailed" {
        let info = payload.get("info").and_then(Value::as_str).filter(|info| !info.is_empty());
        return Err(info.unwrap_or("the server has no picture of it").to_owned());
    }
    let text = payload.get("snapshot").and_then(Value::as_str);
    let text =
        text.ok_or("the server's message cannot be read: notifyStreamEvent: payload.snapshot is no text")?;
    // Some put `data:image/png;base64,` before it.
    let text = text.rsplit(',').next().unwrap_or_default().trim();
    BASE64_STANDARD.decode(text).map_err(|error| {
        format!(
            "the server's message cannot be read: notifyStreamEvent: payload.snapshot is no base64: {error}"
        )
    })
}
