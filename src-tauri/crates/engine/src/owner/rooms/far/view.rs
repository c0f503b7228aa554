//! A room at another server as our user sees it: the server's view, with what we hear and see of it ourselves.

use super::{Far, Stay};
use crate::{
    owner::{Owner, rooms::view::worse},
    rooms::Sound,
};
use sidetone_api::{Level, ParticipantId, Quality, RoomStatus, RoomStream, RoomView};

impl Owner {
    pub(in super::super) fn far_view(&self, stay: &Stay, far: &Far) -> RoomView {
        let mut room = far.mirror.room.clone();
        room.session_id = Some(far.session.clone());
        (room.status, room.info) = (stay.status, stay.info.clone());
        room.joined_at = (stay.joined_at > 0 && stay.status != RoomStatus::Lobby).then_some(stay.joined_at);
        for participant in &mut room.participants {
            let id = participant.participant_id.clone();
            if id == stay.own {
                participant.audio_muted = stay.audio_muted;
                self.add_own_streams(stay, &mut participant.streams);
            }
            for stream in &mut participant.streams {
                self.complete_far_stream(stay, far, stream);
            }
            if id != stay.own && !far.mirror.is_whole {
                participant.audio_muted = self.is_far_muted(&participant.streams);
            }
            let qualities = participant.streams.iter().filter_map(|stream| self.quality_of(stream));
            let quality = qualities.max_by_key(|quality| worse(quality.level));
            participant.quality = quality.unwrap_or_default();
            let hearing = stay.heard.get(&id).copied().unwrap_or_default();
            (participant.volume, participant.muted_here) = (hearing.volume, hearing.muted);
            participant.speaking = stay.voices.is_speaking(&id);
            participant.active = stay.voices.is_active(&id);
            participant.heard = stay.voices.is_heard(&id);
        }
        room
    }

    /// What we send is known here before the server says so.
    fn add_own_streams(&self, stay: &Stay, streams: &mut Vec<RoomStream>) {
        for (id, screen) in [(&stay.camera, false), (&stay.screen, true)] {
            let Some(stream) = id.as_ref().and_then(|id| self.streams.get(id)) else { continue };
            let name = stream.real_name();
            if !stream.has_been_live() || streams.iter().any(|known| known.name == name) {
                continue;
            }
            let (has_audio, has_video) = stream.media();
            streams.push(RoomStream {
                name,
                screen,
                has_video,
                has_audio,
                video_muted: stream.is_video_muted(),
                stream_id: None,
                info: String::new(),
                level: Quality::Unknown,
            });
        }
    }

    fn complete_far_stream(&self, stay: &Stay, far: &Far, stream: &mut RoomStream) {
        let played = stay.played.get(&stream.name);
        let sent = [&stay.camera, &stay.screen].into_iter().flatten();
        let sent = sent
            .into_iter()
            .find(|id| self.streams.get(id).is_some_and(|sent| sent.real_name() == stream.name));
        let id = played.and_then(|played| played.stream.as_ref()).or(sent);
        stream.info = played.map(|played| played.info.clone()).unwrap_or_default();
        stream.stream_id = id.cloned();
        let Some(found) = id.and_then(|id| self.streams.get(id)) else { return };
        (stream.level, stream.video_muted) = (found.quality().level, found.is_video_muted());
        if let (false, Some((has_audio, has_video))) = (far.mirror.is_whole, found.received()) {
            (stream.has_audio, stream.has_video) = (has_audio, has_video);
        }
    }

    fn is_far_muted(&self, streams: &[RoomStream]) -> bool {
        let camera = streams.iter().filter(|stream| !stream.screen);
        let mut muted =
            camera.filter_map(|stream| Some(self.streams.get(stream.stream_id.as_ref()?)?.is_audio_muted()));
        muted.any(|muted| muted)
    }

    /// How loud everybody is.
    pub(in super::super) fn far_sounds(&self, stay: &Stay, far: &Far) -> Vec<(ParticipantId, Sound)> {
        let view = self.far_view(stay, far);
        let sounds = view.participants.into_iter().map(|participant| {
            let levels = participant.streams.iter().filter_map(|stream| self.level_of_stream(stream));
            let level = levels.reduce(|a, b| if b.rms > a.rms { b } else { a });
            (participant.participant_id, Sound { level, muted: participant.audio_muted })
        });
        sounds.collect()
    }

    fn level_of_stream(&self, stream: &RoomStream) -> Option<Level> {
        self.streams.get(stream.stream_id.as_ref()?)?.level()
    }
}
