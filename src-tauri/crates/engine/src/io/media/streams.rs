//! The sound of streams: what is published of the microphone and other sources, and what is played on the speaker.

mod far;
mod mix;
mod played;
mod published;

pub(crate) use far::FarSound;
pub(crate) use mix::{Change, RoomMix};
pub(crate) use played::PlayedSound;
pub(crate) use published::{Outlet, PublishedSound};
pub(crate) use sidetone_media::{Fader, FaderInput as Input};

use super::LegId;
use crate::io::streams::Key;
use sidetone_media::{FRAME_LEN, Frame, Source};
use std::{collections::BTreeMap, time::Instant};

#[derive(Default)]
pub(super) struct Sounds {
    published: BTreeMap<Key, PublishedSound>,
    played: BTreeMap<Key, PlayedSound>,
    /// What legs in rooms say.
    of_legs: BTreeMap<LegId, PublishedSound>,
}

impl Sounds {
    /// Gives back what the stream published before.
    pub(super) fn publish(&mut self, stream: Key, sound: PublishedSound) -> Option<PublishedSound> {
        self.published.insert(stream, sound)
    }

    /// Gives back what the leg published before.
    pub(super) fn publish_leg(
        &mut self,
        leg: LegId,
        sound: Option<PublishedSound>,
    ) -> Option<PublishedSound> {
        match sound {
            Some(sound) => self.of_legs.insert(leg, sound),
            None => self.of_legs.remove(&leg),
        }
    }

    /// What this leg says is a stream of a room.
    pub(super) fn is_of_room(&self, leg: LegId) -> bool {
        self.of_legs.contains_key(&leg)
    }

    /// Ten milliseconds of what a leg says.
    pub(super) fn say_of(&mut self, leg: LegId, now: Instant, frame: &Frame) {
        if let Some(sound) = self.of_legs.get_mut(&leg) {
            sound.push_frame(now, frame);
        }
    }

    /// What is wrong with a stream's inputs, where that has changed.
    pub(super) fn look(&mut self) -> impl Iterator<Item = (Key, Option<String>)> {
        self.published.iter_mut().filter_map(|(stream, sound)| Some((*stream, sound.look()?)))
    }

    /// Gives the faders back where the stream has ended meanwhile: closing them may block.
    pub(super) fn set_faders(&mut self, stream: Key, faders: Vec<Fader>) -> Option<Vec<Fader>> {
        match self.published.get_mut(&stream) {
            Some(sound) => {
                sound.set_faders(faders);
                None
            }
            None => Some(faders),
        }
    }

    /// A source that is mixed no more: closing it may block.
    pub(super) fn take_gone(&mut self) -> Option<Input> {
        self.published.values_mut().find_map(PublishedSound::take_gone)
    }

    pub(super) fn set_gains(&mut self, stream: Key, gains: &[f32]) {
        if let Some(sound) = self.published.get_mut(&stream) {
            sound.set_gains(gains);
        }
    }

    pub(super) fn mute(&mut self, stream: Key, muted: bool) {
        if let Some(sound) = self.published.get_mut(&stream) {
            sound.set_muted(muted);
        }
    }

    pub(super) fn play(&mut self, stream: Key, sound: PlayedSound) {
        self.played.insert(stream, sound);
    }

    pub(super) fn set_volume(&mut self, stream: Key, volume: f32) {
        if let Some(sound) = self.played.get_mut(&stream) {
            sound.set_volume(volume);
        }
    }

    pub(super) fn end(&mut self, stream: Key) -> Option<PublishedSound> {
        self.played.remove(&stream);
        self.published.remove(&stream)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.published.is_empty() && self.played.is_empty() && self.of_legs.is_empty()
    }

    /// Somebody publishes what the microphone hears.
    pub(super) fn listens(&self) -> bool {
        self.published.values().any(PublishedSound::listens)
    }

    /// Ten milliseconds of all that is played.
    pub(super) fn hear(&mut self, now: Instant, mut mix: impl FnMut(&Frame)) {
        let mut frame: Frame = [0.0; FRAME_LEN];
        for sound in self.played.values_mut() {
            if sound.pull(now, &mut frame) {
                mix(&frame);
            }
        }
    }

    /// Sends ten milliseconds of all that is published.
    pub(super) fn say(&mut self, now: Instant, microphone: &Frame) {
        for sound in self.published.values_mut() {
            sound.push(now, microphone);
        }
    }
}

/// A source that could not be opened: its fader stays, and gives nothing.
pub(crate) fn silence() -> Box<dyn Source> {
    Box::new(sidetone_media::synthetic::SilenceSource)
}
