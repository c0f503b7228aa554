//! How loud everybody in our rooms is.

use super::{super::Owner, own::Stay};
use crate::rooms::{LOOK, Sound};
use sidetone_api::{Event, Level, ParticipantId, RoomId};
use std::time::Instant;

impl Owner {
    pub(super) fn next_look_at_voices(&self) -> Option<Instant> {
        self.rooms.stays.values().filter_map(|stay| stay.look).min()
    }

    pub(in super::super) fn look_at_voices(&mut self, now: Instant) {
        let due = |stay: &&Stay| stay.look.is_some_and(|look| look <= now);
        for id in self.rooms.stays.values().filter(due).map(|stay| stay.id.clone()).collect::<Vec<_>>() {
            self.look_at_voices_of(&id, now);
        }
    }

    fn look_at_voices_of(&mut self, id: &RoomId, now: Instant) {
        let Some(sounds) = self.sounds_of(id) else { return };
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        stay.look = Some(now + LOOK);
        stay.changed |= stay.voices.look(now, &sounds);
        let levels = sounds.into_iter().filter_map(|(id, sound)| Some((id, sound.level?)));
        let levels: Vec<_> = levels.collect();
        if !levels.is_empty() {
            self.publish(Event::RoomMeasured { room_id: id.clone(), levels });
        }
    }

    fn sounds_of(&self, id: &RoomId) -> Option<Vec<(ParticipantId, Sound)>> {
        let stay = self.rooms.stays.get(id)?;
        if let Some(far) = &stay.far {
            return Some(self.far_sounds(stay, far));
        }
        let room = self.rooms.all.get(&stay.room)?;
        let sounds = room.members().iter().map(|member| {
            let streams = member.streams.iter().filter(|stream| stream.has_audio);
            let levels = streams.filter_map(|stream| self.level_of(stay, &stream.name));
            let level = levels.reduce(|a, b| if b.rms > a.rms { b } else { a });
            (member.id.clone(), Sound { level, muted: member.audio_muted })
        });
        Some(sounds.collect())
    }

    /// Of what we send or play by this name.
    fn level_of(&self, stay: &Stay, name: &str) -> Option<Level> {
        let played = stay.played.get(name).and_then(|played| played.stream.clone());
        let claim = self.rooms.claims.get(name).filter(|claim| claim.of == stay.own);
        let id = played.or_else(|| self.streams.id_of(claim?.key))?;
        self.streams.get(&id)?.level()
    }
}
