//! Streams that are a whole room: what they show and say comes of no device, else they are published as any other; or of nowhere but a
//! file.

use super::{
    super::Owner,
    Stream,
    check::{Place, check_sources},
    preview::Looking,
    publish::{Publishing, encoding},
};
use crate::io::{
    media::{Ask, Fader, Input},
    streams::{
        send::{Control, Scene},
        stage::{Stage, StageDevices},
    },
};
use sidetone_api::{
    AudioInput, Failure, RecordingView, RoomId, Secret, StreamDirection, StreamId, StreamSources,
    StreamStatus, VideoSettings,
};
use sidetone_media::{Codec, Devices, Source};
use sidetone_peer::whip::Kind;
use std::{fmt, sync::Arc};

/// How its sources are called where they are told.
const ROOM: &str = "room";

/// What of a room is a stream.
pub(in super::super) struct Composed {
    pub(in super::super) room: RoomId,
    pub(in super::super) stage: Arc<Stage>,
    /// Until it is mixed.
    pub(in super::super) sound: Option<Box<dyn Source>>,
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composed").field("room", &self.room).finish_non_exhaustive()
    }
}

impl Composed {
    pub(super) fn devices(&self) -> Arc<dyn Devices> {
        Arc::new(StageDevices(Arc::clone(&self.stage)))
    }
}

fn sources() -> StreamSources {
    let sound = AudioInput { source: ROOM.into(), gain: 1.0 };
    StreamSources { video: Some(ROOM.into()), inset: None, audio: vec![sound] }
}

fn scene() -> Scene {
    Scene { main: StageDevices::selection(), inset: None }
}

impl Stream {
    /// What it shows; `None` where it is sound alone.
    pub(super) fn scene(&self) -> Option<Scene> {
        match &self.composed {
            Some(_) => Some(scene()),
            None => self.sources.as_ref().and_then(|sources| check_sources(sources).ok()).flatten(),
        }
    }
}

impl Owner {
    /// Under a name here, or to a WHIP endpoint.
    pub(in super::super) fn publish_composed(
        &mut self,
        name: String,
        token: Option<Secret>,
        composed: Composed,
        settings: VideoSettings,
    ) -> Result<StreamId, Failure> {
        let place = self.check_composed(&name, token.as_ref())?;
        self.begin_publishing(Publishing {
            place,
            name,
            sources: sources(),
            scene: Some(scene()),
            settings,
            room: None,
            composed: Some(composed),
        })
    }

    /// # Errors
    /// Names `name` or `token`.
    pub(in super::super) fn check_composed(
        &mut self,
        name: &str,
        token: Option<&Secret>,
    ) -> Result<Place, Failure> {
        self.place_of_stream(Kind::Whip, name, token, None)
    }

    /// Into a file alone, of which `name` is a part. It is no stream for anybody else.
    pub(in super::super) fn record_composed(
        &mut self,
        name: String,
        composed: Composed,
        settings: VideoSettings,
    ) -> Result<StreamId, Failure> {
        let encoding = encoding(&settings)?;
        let id = self.new_stream(StreamDirection::Published, name, Some(sources()), settings)?;
        let stream = self.stream(&id)?;
        (stream.preview, stream.composed) = (Some(Looking::nobody()), Some(composed));
        self.begin_sending(&id, Some((scene(), encoding)), Control::default());
        self.begin_sound(&id, Codec::Opus);
        match self.record_stream(&id, true) {
            Ok(_) => Ok(id),
            Err(failure) => {
                self.end_stream(&id, StreamStatus::Unpublished, "");
                Err(failure)
            }
        }
    }

    /// What a stream that is a room says. False for any other.
    pub(super) fn open_composed_sound(&mut self, id: &StreamId) -> bool {
        let Some(stream) = self.streams.all.get_mut(id) else { return false };
        let Some(composed) = &mut stream.composed else { return false };
        if let Some(sound) = composed.sound.take() {
            let fader = Fader { name: ROOM.into(), input: Input::Source(sound), gain: 1.0 };
            self.media.ask(Ask::Faders { stream: stream.key, faders: vec![fader] });
        }
        true
    }

    /// Of a stream, also of one that nobody else knows of.
    pub(in super::super) fn recording_of_stream(&self, id: &StreamId) -> Option<RecordingView> {
        self.streams.all.get(id)?.recording.clone()
    }

    /// Something about a stream has changed, which may be a room's.
    pub(super) fn composed_room(&self, id: &StreamId) -> Option<RoomId> {
        Some(self.streams.all.get(id)?.composed.as_ref()?.room.clone())
    }
}
