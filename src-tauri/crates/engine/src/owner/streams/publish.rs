//! Publishing.

use super::{
    super::Owner,
    Stream,
    check::{Place, check_sources, check_video},
    composed::Composed,
    wrong_state,
};
use crate::hooks::Hook;
use crate::io::{
    clock, media,
    streams::{
        self, Tracks,
        router::{AudioTrack, IN_USE, VideoTrack},
        send::{Control, Encoding, Plan, Scene, Sending},
    },
};
use sidetone_api::{
    ContentHint as Hint, Failure, NoticeLevel, Reply, RoomId, Secret, SessionId, StreamDirection, StreamId,
    StreamSources, StreamStatus, VideoSettings,
};
use sidetone_media::{
    Codec,
    device::VideoSelection,
    video::{ContentHint, MediaClock, PacketizationMode, VideoCodec},
};
use sidetone_peer::whip::Kind;
use std::{sync::Arc, time::Instant};

/// What is to be published, and where; all of it is checked.
pub(super) struct Publishing {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) sources: StreamSources,
    pub(super) scene: Option<Scene>,
    pub(super) settings: VideoSettings,
    pub(super) room: Option<RoomId>,
    pub(super) composed: Option<Composed>,
}

impl Owner {
    pub(in super::super) fn publish_stream(
        &mut self,
        name: String,
        token: Option<Secret>,
        sources: StreamSources,
        settings: Option<VideoSettings>,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
        self.publish_stream_in(name, token, sources, settings, session, None)
    }

    /// To a room, or to nobody in particular.
    pub(in super::super) fn publish_stream_in(
        &mut self,
        name: String,
        token: Option<Secret>,
        sources: StreamSources,
        settings: Option<VideoSettings>,
        session: Option<SessionId>,
        room: Option<RoomId>,
    ) -> Result<Reply, Failure> {
        let place = self.place_of_stream(Kind::Whip, &name, token.as_ref(), session)?;
        let scene = check_sources(&sources)?;
        if let Some(settings) = &settings {
            check_video(settings)?;
        }
        let settings = settings.unwrap_or_else(|| self.settings.get().video.clone());
        let publishing = Publishing { place, name, sources, scene, settings, room, composed: None };
        self.begin_publishing(publishing).map(|stream_id| Reply::Stream { stream_id })
    }

    pub(super) fn begin_publishing(&mut self, publishing: Publishing) -> Result<StreamId, Failure> {
        let Publishing { place, name, sources, scene, settings, room, composed } = publishing;
        let encoding = scene.as_ref().map(|_| encoding(&settings)).transpose()?;
        if let Place::Url(endpoint) = &place
            && endpoint.exposes_token()
        {
            let info = format!("the token of {} goes over the network unprotected", endpoint.place());
            self.notice(NoticeLevel::Warning, &info, None);
        }
        let id = self.new_stream(StreamDirection::Published, name, Some(sources), settings)?;
        if let Some(stream) = self.streams.get_mut(&id) {
            (stream.room, stream.composed) = (room, composed);
            if let Place::Server(session) = &place {
                stream.belongs_to(session.clone());
            }
        }
        self.publish_stream_view(&id);
        self.gate_new_stream(Hook::PublishStream, &id, move |owner, id| match place {
            Place::Name => owner.publish_name(id, scene, encoding),
            Place::Url(endpoint) => owner.publish_url(id, endpoint),
            Place::Server(session) => owner.begin_at_server(id, session),
        });
        Ok(id)
    }

    fn publish_name(&mut self, id: &StreamId, scene: Option<Scene>, encoding: Option<Encoding>) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let has_sound = stream.sources.as_ref().is_some_and(|sources| !sources.audio.is_empty());
        let tracks = Tracks {
            video: encoding
                .as_ref()
                .map(|it| VideoTrack { codec: it.codec.name().into(), layers: it.layers }),
            audio: has_sound.then(|| AudioTrack {
                codec: Codec::Opus.name().into(),
                clock_rate: Codec::Opus.clock_rate(),
            }),
        };
        let control = Control::default();
        let (name, own, key) = (stream.real_name(), stream.own.clone(), stream.key);
        let room = stream.room.clone();
        if !self.claim_for_stay(room.as_ref(), &name, key) {
            return self.end_stream(id, StreamStatus::Failed, IN_USE);
        }
        self.stream_door.ask(streams::Ask::Publish {
            stream: key,
            name,
            tracks,
            own,
            control: control.clone(),
        });
        self.begin_sending(id, scene.zip(encoding), control);
        if has_sound {
            self.begin_sound(id, Codec::Opus);
        }
    }

    /// Starts the pictures.
    pub(super) fn begin_sending(
        &mut self,
        id: &StreamId,
        pictures: Option<(Scene, Encoding)>,
        control: Control,
    ) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let Some((scene, encoding)) = pictures else { return };
        stream.video_codec = Some(encoding.codec.name().into());
        let composed = stream.composed.as_ref().map(Composed::devices);
        let devices = composed.unwrap_or_else(|| Arc::clone(&self.desk.devices));
        let started = Sending::start(Plan {
            stream: stream.key,
            devices,
            scene: with_camera(scene, &stream.settings.camera),
            encoding,
            clock: MediaClock::new(Instant::now(), u32::from_be_bytes(clock::random().unwrap_or_default())),
            muted: stream.video_muted,
            shown_only: stream.is_shown_only(),
            inlet: self.stream_door.inlet(stream.key),
            own: stream.own.clone(),
            control,
            news: self.stream_door.news(),
        });
        match started {
            Ok(sending) => stream.sending = Some(sending),
            Err(error) => self.end_stream(id, StreamStatus::Failed, &format!("no thread for it: {error}")),
        }
    }

    pub(in super::super) fn unpublish_stream(&mut self, id: &StreamId) -> Result<Reply, Failure> {
        self.stream_of(id, StreamDirection::Published)?;
        self.tell_of_stream(Hook::UnPublishStream, id);
        self.end_stream(id, StreamStatus::Unpublished, "Stopped by user");
        Ok(Reply::Done)
    }

    /// Shows and mixes something else; what is the same goes on untouched.
    pub(super) fn change_sources(&mut self, id: &StreamId, sources: StreamSources) -> Result<(), Failure> {
        let scene = check_sources(&sources)?;
        let stream = self.stream_of(id, StreamDirection::Published)?;
        if stream.composed.is_some() {
            return Err(wrong_state("this stream is a room: it shows and says what is in the room"));
        }
        let before = stream.sources.replace(sources.clone()).unwrap_or_default();
        let refused = match &stream.sending {
            None if sources.video.is_some() => Some("a stream that began without a picture cannot get one"),
            _ if before.audio.is_empty() && stream.audio.is_none() && !sources.audio.is_empty() => {
                Some("a stream that began without sound cannot get any")
            }
            _ => None,
        };
        if let Some(refused) = refused {
            stream.sources = Some(before);
            return Err(wrong_state(refused));
        }
        match (scene, &stream.sending) {
            (Some(scene), Some(sending)) => {
                if (&before.video, &before.inset) != (&sources.video, &sources.inset) {
                    sending.show(with_camera(scene, &stream.settings.camera));
                }
                sending.mute(stream.video_muted);
            }
            (None, Some(sending)) => sending.mute(true),
            (_, None) => {}
        }
        let named =
            |sources: &StreamSources| sources.audio.iter().map(|it| it.source.clone()).collect::<Vec<_>>();
        if stream.audio.is_some() && named(&before) == named(&sources) {
            let gains = sources.audio.iter().map(|input| input.gain).collect();
            let ask = media::Ask::Gains { stream: stream.key, gains };
            self.media.ask(ask);
        } else if stream.audio.is_some() {
            self.open_sound(id);
        }
        Ok(())
    }

    pub(super) fn mute_stream(
        &mut self,
        id: &StreamId,
        audio: Option<bool>,
        video: Option<bool>,
    ) -> Result<(), Failure> {
        let stream = self.stream_of(id, StreamDirection::Published)?;
        stream.audio_muted = audio.unwrap_or(stream.audio_muted);
        stream.video_muted = video.unwrap_or(stream.video_muted);
        let Stream { key, audio_muted, video_muted, .. } = *stream;
        // What has lost its picture shows nothing, whatever is said of it.
        let has_picture = stream.sources.as_ref().is_some_and(|sources| sources.video.is_some());
        if let Some(sending) = stream.sending.as_ref().filter(|_| video.is_some()) {
            sending.mute(video_muted || !has_picture);
        }
        if audio.is_some() {
            self.media.ask(media::Ask::MuteStream { stream: key, muted: audio_muted });
        }
        self.stream_door.ask(streams::Ask::Mute { stream: key, audio: audio_muted, video: video_muted });
        self.tell_server_of_mute(id, audio, video);
        Ok(())
    }
}

/// `default` is the camera of the settings.
fn with_camera(scene: Scene, camera: &str) -> Scene {
    let named = |selection: VideoSelection| match selection {
        VideoSelection::Default => camera.parse().unwrap_or(VideoSelection::Default),
        other => other,
    };
    let inset = scene.inset.map(|inset| streams::send::Inset { source: named(inset.source), ..inset });
    Scene { main: named(scene.main), inset }
}

/// # Errors
/// This build encodes none of the codecs.
pub(super) fn encoding(settings: &VideoSettings) -> Result<Encoding, Failure> {
    let codecs = || settings.codecs.iter().filter_map(|name| name.parse::<VideoCodec>().ok());
    let codec = codecs().find(|codec| codec.info().encode).ok_or_else(|| {
        let reasons: Vec<_> = codecs().map(|codec| codec.absent().to_string()).collect();
        Failure::invalid("video.codecs", format!("video.codecs: {}", reasons.join("; ")))
    })?;
    Ok(Encoding {
        codec,
        width: settings.width,
        height: settings.height,
        frames_per_second: settings.frames_per_second,
        min_kbit: settings.min_kbit,
        max_kbit: settings.max_kbit,
        start_kbit: settings.start_kbit,
        hint: match settings.hint {
            Hint::Automatic => None,
            Hint::Motion => Some(ContentHint::Motion),
            Hint::Detail => Some(ContentHint::Detail),
        },
        packetization: PacketizationMode::NonInterleaved,
        layers: if settings.simulcast { 3 } else { 1 },
    })
}
