//! Streams that are published or played here. Their packets and pictures never come by: the owner asks the stream thread
//! and the media thread, and hears what became of it.

mod change;
mod check;
mod composed;
mod connect;
mod guests;
mod hosts;
mod news;
mod patch;
mod place;
mod play;
mod preview;
mod publish;
mod quality;
mod readers;
mod record;
mod serve;
mod snapshot;
mod sound;
mod status;
mod wanted;

pub use check::check_video;
pub(super) use check::{
    Place, check_loudness as check_volume, check_name, check_sources as check_stream_sources,
};
pub(super) use composed::Composed;
pub(super) use connect::Dialling;
pub use hosts::addresses;
pub(super) use patch::Restarted;
pub(super) use record::Recorded;
pub(super) use serve::{Negotiated, answered, declined, role};
pub(super) use snapshot::{Taken, encode as encode_png, next_picture};
pub(super) use sound::OpenedSound;

use super::Owner;
use crate::io::streams::{Key, Own, Pictures, dial::Dialler, receive, send};
use sidetone_api::{
    CodecView, Failure, FailureCode, GatewayStream, Level, QualityView, RecordingView, RoomId, SessionId,
    StreamDirection, StreamId, StreamSources, StreamStatistics, StreamStatus, StreamView, VideoSettings,
    VideoView,
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

/// Streams of our own at a time: each has a thread.
const MOST: usize = 64;

/// One stream, from its command to its end.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    key: Key,
    direction: StreamDirection,
    name: String,
    /// Where the backend wants another one, of which the client does not know.
    real_name: Option<String>,
    /// It is sent to this room, or played of it.
    room: Option<RoomId>,
    /// The largest picture of it so far.
    largest: Option<(u32, u32)>,
    /// Whom it belongs to.
    session: Option<SessionId>,
    status: Option<StreamStatus>,
    info: String,
    started_at: u64,
    live_at: Option<u64>,
    sources: Option<StreamSources>,
    settings: VideoSettings,
    video: Option<VideoView>,
    audio: Option<CodecView>,
    /// The codec of its pictures, as far as it is known.
    video_codec: Option<String>,
    audio_muted: bool,
    video_muted: bool,
    volume: f32,
    paused: bool,
    quality: QualityView,
    retry_at: Option<u64>,
    recording: Option<RecordingView>,
    recorder: Option<record::Recording>,
    players: Option<u32>,
    picture_problem: Option<String>,
    /// Of sound that cannot be opened, and when that is tried again.
    sound_problem: Option<String>,
    sound_due: Option<Instant>,
    /// Of sound that was open.
    input_problem: Option<String>,
    statistics: Option<StreamStatistics>,
    own: Own,
    sending: Option<send::Sending>,
    /// What the stream thread will fill, until it is known what that is.
    outlets: Option<receive::Outlets>,
    /// Openings of sources that come back late are thrown away.
    generation: u64,
    /// What the media thread mixes, by the names of its faders.
    mixed: Vec<String>,
    /// It publishes the microphone that calls use.
    uses_microphone: bool,
    /// Of a stream at an endpoint.
    connection: Option<Box<connect::Connection>>,
    /// It is no stream yet: its sources are looked at before they are published, and nobody but who looks is told of it.
    preview: Option<preview::Looking>,
    /// It is a whole room.
    composed: Option<Composed>,
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    all: BTreeMap<StreamId, Stream>,
    by_key: HashMap<Key, StreamId>,
    next_key: u64,
    next_recording: u64,
    /// That are being written, also after their stream has ended.
    recordings: usize,
    /// What is published at the gateway.
    listed: Vec<(Key, GatewayStream)>,
    /// Sessions of the gateway.
    served: serve::Served,
    /// How the gateway's media goes over the network.
    place: crate::MediaPlace,
    dialler: Option<Dialler>,
}

impl Streams {
    /// Somebody publishes it.
    pub(super) fn is_listed(&self, name: &str) -> bool {
        self.listed.iter().any(|(_, stream)| stream.name == name)
    }

    /// By whom, and what it is.
    pub(super) fn published_as(&self, name: &str) -> Option<(Key, &GatewayStream)> {
        self.listed.iter().find(|(_, stream)| stream.name == name).map(|(key, stream)| (*key, stream))
    }

    pub(super) fn place(&self) -> &crate::MediaPlace {
        &self.place
    }

    pub(super) fn new_key(&mut self) -> Key {
        self.next_key += 1;
        Key(self.next_key)
    }

    fn new_recording(&mut self) -> u64 {
        self.next_recording += 1;
        self.next_recording
    }

    pub(super) fn id_of(&self, key: Key) -> Option<StreamId> {
        self.by_key.get(&key).cloned()
    }

    /// Some file is not whole yet.
    pub(super) fn are_recorded(&self) -> bool {
        self.recordings > 0
    }

    pub(super) fn get(&self, id: &StreamId) -> Option<&Stream> {
        self.all.get(id).filter(|stream| stream.preview.is_none())
    }

    /// Those whose media flows.
    pub(super) fn flowing(&self) -> Vec<StreamId> {
        let flows = |stream: &&Stream| {
            stream.retry_at.is_none()
                && matches!(stream.status, Some(StreamStatus::Publishing | StreamStatus::Playing))
        };
        self.all.values().filter(flows).map(|stream| stream.id.clone()).collect()
    }

    fn of_key(&mut self, key: Key) -> Option<&mut Stream> {
        self.all.get_mut(self.by_key.get(&key)?)
    }

    pub(super) fn get_mut(&mut self, id: &StreamId) -> Option<&mut Stream> {
        self.all.get_mut(id).filter(|stream| stream.preview.is_none())
    }

    /// Those at the server of this session.
    pub(super) fn at_server(&self, session: &SessionId) -> Vec<StreamId> {
        let is_there = |stream: &&Stream| stream.at_server().is_some_and(|server| server.session == *session);
        self.all.values().filter(is_there).map(|stream| stream.id.clone()).collect()
    }

    pub(super) fn views(&self) -> Vec<StreamView> {
        self.all.values().filter(|stream| stream.preview.is_none()).map(Stream::view).collect()
    }

    pub(super) fn listed(&self) -> Vec<GatewayStream> {
        self.listed.iter().map(|(_, stream)| stream.clone()).collect()
    }

    /// Something is played, or about to be.
    pub(super) fn plays(&self) -> bool {
        self.all.values().any(|stream| stream.direction == StreamDirection::Played)
    }

    /// Nothing is left to be ended at endpoints.
    pub(super) fn is_idle(&self) -> bool {
        self.all.is_empty() && self.dialler.as_ref().is_none_or(Dialler::is_idle)
    }

    pub(super) fn uses_microphone(&self) -> bool {
        self.all.values().any(|stream| stream.uses_microphone)
    }
}

impl Stream {
    pub(super) fn settings(&self) -> &VideoSettings {
        &self.settings
    }

    /// Belongs to the session at whose server it is.
    pub(super) fn belongs_to(&mut self, session: SessionId) {
        self.session = Some(session);
    }

    pub(super) fn has_been_live(&self) -> bool {
        self.live_at.is_some()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn waits_until(&mut self, retry_at: u64, info: &str) {
        (self.retry_at, self.status) = (Some(retry_at), None);
        self.info = super::text::shown(info);
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    pub(super) fn muted(&mut self) -> (&mut bool, &mut bool) {
        (&mut self.audio_muted, &mut self.video_muted)
    }

    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_ref().map(SessionId::as_str)
    }

    /// As it is called at the gateway.
    pub(super) fn real_name(&self) -> String {
        self.real_name.clone().unwrap_or_else(|| self.name.clone())
    }

    pub(super) fn view(&self) -> StreamView {
        let problems: Vec<_> = self.problems().collect();
        StreamView {
            stream_id: self.id.clone(),
            direction: self.direction,
            name: self.name.clone(),
            session_id: self.at_server().map(|server| server.session.clone()),
            status: self.status,
            info: self.info.clone(),
            started_at: self.started_at,
            live_at: self.live_at,
            sources: self.sources.clone(),
            video: self.video.clone(),
            audio: self.audio.clone(),
            audio_muted: self.audio_muted,
            video_muted: self.video_muted,
            volume: self.volume,
            quality: self.quality.clone(),
            retry_at: self.retry_at,
            recording: self.recording.clone(),
            players: self.players,
            problem: (!problems.is_empty()).then(|| problems.join("; ")),
            statistics: self.statistics,
            room_id: self.room.clone(),
        }
    }

    /// What is wrong with its sources, in words.
    fn problems(&self) -> impl Iterator<Item = &str> {
        let all = [&self.picture_problem, &self.sound_problem, &self.input_problem];
        all.into_iter().filter_map(|problem| problem.as_deref())
    }

    pub(super) fn room(&self) -> Option<&RoomId> {
        self.room.as_ref()
    }

    pub(super) fn info(&self) -> &str {
        &self.info
    }

    pub(super) fn quality(&self) -> &QualityView {
        &self.quality
    }

    pub(super) fn pictures(&self) -> Pictures {
        self.own.pictures()
    }

    /// How loud its sound is, before its volume here.
    pub(super) fn level(&self) -> Option<Level> {
        self.own.counters.level().map(|(rms, peak)| Level { rms, peak })
    }

    pub(super) fn is_video_muted(&self) -> bool {
        self.video_muted
    }

    pub(super) fn is_audio_muted(&self) -> bool {
        self.audio_muted
    }

    /// Sound and pictures of what is played, once it is known.
    pub(super) fn received(&self) -> Option<(bool, bool)> {
        let known = (self.audio.is_some(), self.video_codec.is_some());
        (!self.is_published() && known != (false, false)).then_some(known)
    }

    pub(super) fn largest_picture(&self) -> Option<(u32, u32)> {
        self.largest
    }

    /// Sound and pictures, of what is published.
    pub(super) fn media(&self) -> (bool, bool) {
        (self.audio.is_some(), self.sending.is_some())
    }

    /// Notes the size of its pictures. True where they became larger.
    fn is_larger(&mut self) -> bool {
        let now = self.video.as_ref().map(|video| (video.width, video.height));
        let is_larger = now > self.largest;
        self.largest = self.largest.max(now);
        is_larger
    }

    pub(super) fn is_published(&self) -> bool {
        self.direction == StreamDirection::Published
    }
}

impl Owner {
    fn stream(&mut self, id: &StreamId) -> Result<&mut Stream, Failure> {
        self.streams.all.get_mut(id).ok_or_else(|| Failure::not_found("stream", id.as_str()))
    }

    fn stream_of(&mut self, id: &StreamId, direction: StreamDirection) -> Result<&mut Stream, Failure> {
        let stream = self.stream(id)?;
        if stream.direction == direction {
            return Ok(stream);
        }
        Err(wrong_state(match direction {
            StreamDirection::Published => "this stream is played, not published",
            StreamDirection::Played => "this stream is published, not played",
        }))
    }

    fn new_stream(
        &mut self,
        direction: StreamDirection,
        name: String,
        sources: Option<StreamSources>,
        settings: VideoSettings,
    ) -> Result<StreamId, Failure> {
        if self.streams.all.len() >= MOST {
            let message = format!("{MOST} streams are published or played here, which is the most");
            return Err(Failure::new(FailureCode::Limit, message));
        }
        let id = StreamId::new(super::view::new_id("st")?);
        let key = self.streams.new_key();
        self.streams.by_key.insert(key, id.clone());
        let stream = Stream {
            id: id.clone(),
            key,
            direction,
            name,
            real_name: None,
            room: None,
            largest: None,
            session: self.session_of_streams(),
            status: None,
            info: String::new(),
            started_at: crate::io::clock::wallclock_ms(),
            live_at: None,
            sources,
            settings,
            video: None,
            audio: None,
            video_codec: None,
            audio_muted: false,
            video_muted: false,
            volume: 1.0,
            paused: false,
            quality: QualityView::default(),
            retry_at: None,
            recording: None,
            recorder: None,
            players: None,
            picture_problem: None,
            sound_problem: None,
            sound_due: None,
            input_problem: None,
            statistics: None,
            own: Own::default(),
            sending: None,
            outlets: None,
            generation: 0,
            mixed: Vec::new(),
            uses_microphone: false,
            connection: None,
            preview: None,
            composed: None,
        };
        self.streams.all.insert(id.clone(), stream);
        Ok(id)
    }
}

fn wrong_state(message: &str) -> Failure {
    Failure::new(FailureCode::WrongState, message)
}
