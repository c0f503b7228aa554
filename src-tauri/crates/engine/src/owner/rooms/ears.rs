//! What somebody without a speaker hears of a room: streams of it, mixed.

use crate::io::{
    media::{Change, PlayedSound, RoomMix},
    streams::{
        Ask, Door, Key, Own, Tracks,
        receive::{self, Outlets},
    },
};
use sidetone_media::Codec;
use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
};

/// Streams that are heard, until they are closed.
pub(super) struct Ears {
    mix: mpsc::Sender<Change>,
    plays: HashMap<Key, Play>,
}

struct Play {
    name: String,
    own: Own,
    outlets: Option<Outlets>,
}

impl Ears {
    /// And what they hear.
    pub(super) fn new() -> (Self, RoomMix) {
        let (mix, heard) = RoomMix::new();
        (Self { mix, plays: HashMap::new() }, heard)
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.plays.contains_key(&key)
    }

    pub(super) fn hears(&self, name: &str) -> bool {
        self.plays.values().any(|play| play.name == name)
    }

    pub(super) fn begin(&mut self, key: Key, name: String, door: &Door) {
        let (sink, outlets) = receive::sink();
        let own = Own::default();
        let play = Play { name: name.clone(), own: own.clone(), outlets: Some(outlets) };
        self.plays.insert(key, play);
        door.ask(Ask::Play { stream: key, name, own, sink });
        // Nobody looks.
        door.ask(Ask::Watch { stream: key, picture: None });
    }

    /// What comes is known.
    pub(super) fn on_tracks(&mut self, key: Key, tracks: &Tracks) {
        let Some(play) = self.plays.get_mut(&key) else { return };
        let Some(outlets) = play.outlets.take() else { return };
        let codec = tracks.audio.as_ref().and_then(|track| track.codec.parse::<Codec>().ok());
        let counters = Arc::clone(&play.own.counters);
        let sound = codec.map(|codec| PlayedSound::new(codec, outlets.sound, counters, 1.0));
        if let Some(Ok(sound)) = sound {
            let _ = self.mix.send(Change::Begin(key, Box::new(sound)));
        }
    }

    pub(super) fn end(&mut self, key: Key, door: &Door) {
        if let Some(play) = self.plays.remove(&key) {
            let _ = self.mix.send(Change::End(key));
            door.ask(Ask::End { stream: key });
            play.own.close();
        }
    }

    /// All but those that `stay`.
    pub(super) fn end_others(&mut self, stay: impl Fn(&str) -> bool, door: &Door) {
        let over = self.plays.iter().filter(|(_, play)| !stay(&play.name));
        for key in over.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.end(key, door);
        }
    }

    pub(super) fn close(mut self, door: &Door) {
        self.end_others(|_| false, door);
    }
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").field("plays", &self.plays.len()).finish_non_exhaustive()
    }
}
