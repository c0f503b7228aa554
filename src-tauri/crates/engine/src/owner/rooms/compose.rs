//! A room as one stream: published under a name or to a WHIP endpoint, or kept in a file. Both show the same picture, which is put
//! together once, and hear all that is said, each with a mix of its own.

mod tiles;

use super::{super::Owner, BY_USER, Whom, ears::Ears};
use crate::{
    io::streams::{Key, Tracks, router::IN_USE, stage::Stage},
    owner::streams::Composed,
};
use sidetone_api::{
    Failure, FailureCode, NoticeLevel, RecordingView, RoomId, Secret, StreamId, StreamStatus, VideoSettings,
};
use sidetone_media::video::Size;
use sidetone_peer::whip::Kind;
use std::{collections::HashMap, sync::Arc, time::Instant};
use tiles::{server_of, sizes, tiles_of};

/// What of a room goes out as one stream.
#[derive(Debug)]
pub(super) struct Composition {
    stage: Arc<Stage>,
    size: Size,
    published: Option<Output>,
    recorded: Option<Output>,
    /// How large the pictures are that it shows, by the names of their streams.
    tiles: HashMap<String, (u32, u32)>,
}

#[derive(Debug)]
struct Output {
    stream: StreamId,
    /// Where it is published.
    name: String,
    ears: Ears,
}

impl Composition {
    fn outputs(&mut self) -> impl Iterator<Item = &mut Output> {
        [&mut self.published, &mut self.recorded].into_iter().flatten()
    }

    pub(super) fn tile(&self, name: &str) -> Option<(u32, u32)> {
        self.tiles.get(name).copied()
    }
}

fn wrong_state(words: &str) -> Failure {
    Failure::new(FailureCode::WrongState, words)
}

impl Owner {
    /// In place of where it was published before.
    pub(super) fn publish_room(
        &mut self,
        id: &RoomId,
        name: Option<String>,
        token: Option<Secret>,
    ) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        let Some(name) = name else {
            self.end_published_room(id);
            return Ok(());
        };
        if name.strip_prefix(&room).is_some_and(|rest| rest.starts_with('-')) {
            let words = format!(
                "name: {room}-… is for the streams in the room; what it is published as needs another"
            );
            return Err(Failure::invalid("name", words));
        }
        if self.rooms.inserted.get(&room).is_some_and(|inserted| inserted.name == name) {
            return Err(wrong_state("this stream is played in the room"));
        }
        self.check_composed(&name, token.as_ref())?;
        let before = self.rooms.composed.get(id).and_then(|it| it.published.as_ref());
        let is_ours = before.is_some_and(|output| output.name == name);
        if !self.may_have_name(Kind::Whip, &name, Whom::Own) || (self.streams.is_listed(&name) && !is_ours) {
            return Err(wrong_state(IN_USE));
        }
        self.end_published_room(id);
        let settings = self.settings.get().video.clone();
        let (composed, ears) = self.composed(id, &settings);
        match self.publish_composed(name.clone(), token, composed, settings) {
            Ok(stream) => {
                let output = Output { stream: stream.clone(), name, ears };
                if self.streams.get(&stream).is_none() {
                    self.drop_composition(id);
                    return Err(wrong_state("the room could not be published"));
                }
                self.note_output(id, |composition| composition.published = Some(output));
                Ok(())
            }
            Err(failure) => {
                self.drop_composition(id);
                Err(failure)
            }
        }
    }

    pub(super) fn record_room(&mut self, id: &RoomId, on: bool) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        let recorded = self.rooms.composed.get_mut(id).and_then(|composition| composition.recorded.take());
        match (on, recorded) {
            (true, Some(output)) => {
                self.note_output(id, |composition| composition.recorded = Some(output));
                Err(wrong_state("this room is being recorded"))
            }
            (false, None) => Err(wrong_state("this room is not being recorded")),
            (false, Some(output)) => {
                self.end_recorded(id, output);
                Ok(())
            }
            (true, None) => {
                // It goes over no network: one layer in full.
                let settings = VideoSettings { simulcast: false, ..self.settings.get().video.clone() };
                let (composed, ears) = self.composed(id, &settings);
                match self.record_composed(room.clone(), composed, settings) {
                    Ok(stream) => {
                        let output = Output { stream, name: room, ears };
                        self.note_output(id, |composition| composition.recorded = Some(output));
                        Ok(())
                    }
                    Err(failure) => {
                        self.drop_composition(id);
                        Err(failure)
                    }
                }
            }
        }
    }

    /// What a stream shows and says that is this room.
    fn composed(&mut self, id: &RoomId, settings: &VideoSettings) -> (Composed, Ears) {
        let composition = self.rooms.composed.entry(id.clone()).or_insert_with(|| {
            let size = Size::clamped(settings.width, settings.height).even();
            let stage = Arc::new(Stage::new(size, settings.frames_per_second, Instant::now()));
            Composition { stage, size, published: None, recorded: None, tiles: HashMap::new() }
        });
        let stage = Arc::clone(&composition.stage);
        let (ears, mix) = Ears::new();
        (Composed { room: id.clone(), stage, sound: Some(Box::new(mix)) }, ears)
    }

    fn note_output(&mut self, id: &RoomId, note: impl FnOnce(&mut Composition)) {
        if let Some(composition) = self.rooms.composed.get_mut(id) {
            note(composition);
        }
        self.follow_composition(id);
        self.on_composed_changed(id);
    }

    /// Nobody wants it any more, if so.
    fn drop_composition(&mut self, id: &RoomId) {
        let is_over = |it: &Composition| it.published.is_none() && it.recorded.is_none();
        if self.rooms.composed.get(id).is_some_and(is_over)
            && let Some(composition) = self.rooms.composed.remove(id)
        {
            for name in composition.tiles.into_keys() {
                self.show_picture(id, &name);
            }
        }
        self.on_composed_changed(id);
    }

    fn end_published_room(&mut self, id: &RoomId) {
        let published = self.rooms.composed.get_mut(id).and_then(|composition| composition.published.take());
        let Some(Output { stream, ears, .. }) = published else { return };
        ears.close(&self.stream_door);
        let _ = self.unpublish_stream(&stream);
        self.drop_composition(id);
    }

    fn end_recorded(&mut self, id: &RoomId, Output { stream, ears, .. }: Output) {
        ears.close(&self.stream_door);
        let _ = self.record_stream(&stream, false);
        self.end_stream(&stream, StreamStatus::Unpublished, BY_USER);
        self.drop_composition(id);
    }

    /// The room is left, or over.
    pub(super) fn end_composition(&mut self, id: &RoomId) {
        self.end_published_room(id);
        let recorded = self.rooms.composed.get_mut(id).and_then(|composition| composition.recorded.take());
        if let Some(output) = recorded {
            self.end_recorded(id, output);
        }
    }

    pub(in super::super) fn on_composed_changed(&mut self, id: &RoomId) {
        if let Some(stay) = self.rooms.stays.get_mut(id) {
            stay.changed = true;
        }
        // The others are told that it is published or recorded.
        if let Some(room) = self.rooms.stays.get(id).map(|stay| stay.room.clone())
            && let Some(room) = self.rooms.all.get_mut(&room)
        {
            room.touch();
        }
    }

    /// What was published is over, and not by us.
    pub(in super::super) fn on_composed_ended(&mut self, id: &RoomId, stream: &StreamId) {
        let Some(composition) = self.rooms.composed.get_mut(id) else { return };
        let Some(output) = composition.published.take_if(|output| output.stream == *stream) else { return };
        output.ears.close(&self.stream_door);
        let info = self.streams.get(stream).map(|stream| stream.info().to_owned()).unwrap_or_default();
        let words = format!("the room is not published any more: {info}");
        self.notice(NoticeLevel::Warning, &words, None);
        self.drop_composition(id);
    }

    /// The file is whole, or cannot be written any more.
    pub(in super::super) fn on_composed_recorded(&mut self, id: &RoomId, stream: &StreamId) {
        let Some(composition) = self.rooms.composed.get_mut(id) else { return };
        if let Some(output) = composition.recorded.take_if(|output| output.stream == *stream) {
            output.ears.close(&self.stream_door);
            self.end_stream(stream, StreamStatus::Unpublished, "");
            self.drop_composition(id);
        }
    }

    /// As it is told to those who are in the room, and to ourselves.
    pub(super) fn composition_view(
        &self,
        room: &str,
        is_ours: bool,
    ) -> (Option<String>, Option<RecordingView>) {
        let of_room = |id: &RoomId| self.rooms.stays.get(id).is_some_and(|stay| stay.room == room);
        let found = self.rooms.composed.iter().find(|(id, _)| of_room(id));
        let Some((_, composition)) = found else { return (None, None) };
        let published = composition.published.as_ref().map(|output| match is_ours {
            true => output.name.clone(),
            // What else is in it may be for us alone.
            false => server_of(&output.name).to_owned(),
        });
        let recording = composition.recorded.as_ref();
        let recording = recording.and_then(|output| self.recording_of_stream(&output.stream));
        let recording = recording.map(|view| match is_ours {
            true => view,
            false => RecordingView { path: String::new(), problem: None, ..view },
        });
        (published, recording)
    }

    /// Who is there, who speaks, and what there is to be seen and heard.
    pub(super) fn follow_composition(&mut self, id: &RoomId) {
        let Some(composition) = self.rooms.composed.get(id) else { return };
        let (size, stage) = (composition.size, Arc::clone(&composition.stage));
        let Some(stay) = self.rooms.stays.get(id) else { return };
        let Some(room) = self.rooms.all.get(&stay.room) else { return };
        let wanted: Vec<_> = room
            .members()
            .iter()
            .flat_map(|member| tiles_of(member, stay.voices.is_speaking(&member.id)))
            .collect();
        let heard = room.members().iter().flat_map(|member| &member.streams);
        let heard: Vec<_> =
            heard.filter(|stream| stream.has_audio).map(|stream| stream.name.clone()).collect();
        let wanted = wanted.into_iter().map(|(mut shown, stream)| {
            let id = stream.as_deref().and_then(|name| self.stream_in_room(id, name));
            let found = id.as_ref().and_then(|id| self.streams.get(id));
            let is_seen = found.is_some_and(|found| !found.is_video_muted());
            shown.pictures = found.filter(|_| is_seen).map(|found| found.pictures());
            (shown, stream.filter(|_| is_seen))
        });
        let (shown, seen): (Vec<_>, Vec<_>) = wanted.unzip();
        let tiles = sizes(&shown, &seen, size);
        stage.show(shown);
        self.hear_composition(id, &heard);
        let Some(composition) = self.rooms.composed.get_mut(id) else { return };
        let before = std::mem::replace(&mut composition.tiles, tiles.clone());
        let other = |name: &&String| before.get(*name) != tiles.get(*name);
        let names = before.keys().chain(tiles.keys()).filter(other);
        for name in names.cloned().collect::<std::collections::BTreeSet<_>>() {
            self.show_picture(id, &name);
        }
    }

    fn hear_composition(&mut self, id: &RoomId, heard: &[String]) {
        let (streams, door) = (&mut self.streams, &self.stream_door);
        let Some(composition) = self.rooms.composed.get_mut(id) else { return };
        for output in composition.outputs() {
            output.ears.end_others(|name| heard.iter().any(|other| other == name), door);
            for name in heard.iter().filter(|name| !output.ears.hears(name)).cloned().collect::<Vec<_>>() {
                output.ears.begin(streams.new_key(), name, door);
            }
        }
    }

    /// Our stream that plays or sends this one.
    fn stream_in_room(&self, id: &RoomId, name: &str) -> Option<StreamId> {
        let stay = self.rooms.stays.get(id)?;
        let played = stay.played.get(name).and_then(|played| played.stream.clone());
        let claim = self.rooms.claims.get(name).filter(|claim| claim.of == stay.own);
        played.or_else(|| self.streams.id_of(claim?.key))
    }

    /// False where it hears no room that is one stream.
    pub(super) fn on_composition_tracks(&mut self, key: Key, tracks: &Tracks) -> bool {
        let Some(ears) = self.ears_of_composition(key) else { return false };
        ears.on_tracks(key, tracks);
        true
    }

    /// The same.
    pub(super) fn on_composition_stream_ended(&mut self, key: Key) -> bool {
        let all = self.rooms.composed.values_mut().flat_map(Composition::outputs);
        let Some(ears) = all.map(|output| &mut output.ears).find(|ears| ears.has(key)) else { return false };
        ears.end(key, &self.stream_door);
        true
    }

    pub(super) fn ears_of_composition(&mut self, key: Key) -> Option<&mut Ears> {
        let all = self.rooms.composed.values_mut().flat_map(Composition::outputs);
        all.map(|output| &mut output.ears).find(|ears| ears.has(key))
    }
}
