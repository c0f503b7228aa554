//! Playing.

use super::{
    super::{Owner, rooms::Whom},
    check::Place,
};
use crate::hooks::Hook;
use crate::io::{
    media::{self, PlayedSound},
    streams::{self, Key, Tracks, receive, receive::Received, router::NOT_FOUND},
};
use sidetone_api::{
    CodecView, Failure, Reply, RoomId, Secret, SessionId, StreamDirection, StreamId, StreamStatus,
};
use sidetone_media::{Codec, video::VideoCodec};
use sidetone_peer::whip::Kind;
use std::sync::Arc;

impl Owner {
    pub(in super::super) fn play_stream(
        &mut self,
        name: String,
        token: Option<Secret>,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
        self.play_stream_in(name, token, session, None)
    }

    /// Of a room, so loud; or of nobody in particular.
    pub(in super::super) fn play_stream_in(
        &mut self,
        name: String,
        token: Option<Secret>,
        session: Option<SessionId>,
        room: Option<(RoomId, f32)>,
    ) -> Result<Reply, Failure> {
        let place = self.place_of_stream(Kind::Whep, &name, token.as_ref(), session)?;
        let settings = self.settings.get().video.clone();
        let id = self.new_stream(StreamDirection::Played, name, None, settings)?;
        if let Some(stream) = self.streams.get_mut(&id) {
            if let Some((room, volume)) = room {
                (stream.room, stream.volume) = (Some(room), volume);
            }
            if let Place::Server(session) = &place {
                stream.belongs_to(session.clone());
            }
        }
        self.publish_stream_view(&id);
        self.gate_new_stream(Hook::PlayStream, &id, move |owner, id| match place {
            Place::Name => owner.play_name(id),
            Place::Url(endpoint) => owner.play_url(id, endpoint),
            Place::Server(session) => owner.begin_at_server(id, session),
        });
        self.want_devices();
        Ok(Reply::Stream { stream_id: id })
    }

    fn play_name(&mut self, id: &StreamId) {
        let Some(stream) = self.streams.all.get(id) else { return };
        if !self.may_have_name(Kind::Whep, &stream.real_name(), Whom::Own) {
            return self.end_stream(id, StreamStatus::Failed, NOT_FOUND);
        }
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let (sink, outlets) = receive::sink();
        stream.outlets = Some(outlets);
        let (stream, name, own) = (stream.key, stream.real_name(), stream.own.clone());
        self.stream_door.ask(streams::Ask::Play { stream, name, own, sink });
    }

    /// What comes is known: decoders can be made.
    pub(super) fn on_stream_tracks(&mut self, key: Key, tracks: &Tracks) {
        let inlet = self.stream_door.inlet(key);
        let Some(stream) = self.streams.of_key(key) else { return };
        let Some(outlets) = stream.outlets.take() else { return };
        let id = stream.id.clone();
        let mut failure = None;
        let audio = tracks.audio.as_ref().and_then(|track| track.codec.parse::<Codec>().ok());
        if let Some(codec) = audio {
            let (counters, volume) = (Arc::clone(&stream.own.counters), stream.volume);
            match PlayedSound::new(codec, outlets.sound, counters, volume) {
                Ok(sound) => {
                    stream.audio =
                        Some(CodecView { name: codec.name().into(), sample_rate: codec.sample_rate() });
                    self.media.ask(media::Ask::Play { stream: key, sound: Box::new(sound) });
                }
                Err(error) => failure = Some(error.to_string()),
            }
        }
        let Some(stream) = self.streams.of_key(key) else { return };
        if let Some(track) = &tracks.video {
            stream.video_codec = Some(track.codec.clone());
            let codec = track.codec.parse::<VideoCodec>().ok();
            match codec.filter(|codec| codec.info().decode) {
                Some(codec) => {
                    let sound_clock = audio.map(Codec::clock_rate);
                    let received =
                        Received { codec, sound_clock, repair: true, parameter_sets: Arc::default() };
                    let own = stream.own.clone();
                    if let Err(error) = receive::start(received, outlets.video, inlet, own) {
                        failure = Some(format!("no thread for it: {error}"));
                    }
                }
                None if audio.is_none() => failure = Some("No common codecs".into()),
                None => {
                    let reason = codec.map(|codec| format!(": {}", codec.info().info)).unwrap_or_default();
                    stream.picture_problem =
                        Some(format!("its picture is {}, which is not shown here{reason}", track.codec));
                }
            }
        }
        match failure {
            Some(failure) => self.end_stream(&id, StreamStatus::Failed, &failure),
            None => self.publish_stream_view(&id),
        }
    }

    pub(in super::super) fn stop_stream(&mut self, id: &StreamId) -> Result<Reply, Failure> {
        self.stream_of(id, StreamDirection::Played)?;
        self.tell_of_stream(Hook::StopStream, id);
        self.end_stream(id, StreamStatus::Stopped, "Stopped by user");
        Ok(Reply::Done)
    }

    pub(in super::super) fn pause_stream(&mut self, id: &StreamId, paused: bool) -> Result<Reply, Failure> {
        let is_so = self.stream_of(id, StreamDirection::Played)?.paused == paused;
        if !paused {
            self.withdraw(Hook::PauseStream, id.as_str());
        }
        if is_so {
            return Ok(Reply::Done);
        }
        if !paused {
            return self.pause_now(id, false);
        }
        let stream = id.clone();
        self.gate_stream(Hook::PauseStream, id, move |owner, _| owner.pause_now(&stream, true))
    }

    fn pause_now(&mut self, id: &StreamId, paused: bool) -> Result<Reply, Failure> {
        let stream = self.stream_of(id, StreamDirection::Played)?;
        if std::mem::replace(&mut stream.paused, paused) == paused {
            return Ok(Reply::Done);
        }
        let key = stream.key;
        self.stream_door.ask(streams::Ask::Pause { stream: key, paused });
        self.pause_connection(id, paused);
        if paused {
            self.set_stream_status(id, StreamStatus::Paused, "");
        }
        Ok(Reply::Done)
    }
}
