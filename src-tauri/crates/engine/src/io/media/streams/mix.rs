//! What a call in a room hears: the streams of all the others, mixed.

use super::PlayedSound;
use crate::io::streams::Key;
use sidetone_media::{Flow, Frame, Mixer, SILENCE, Source};
use std::{collections::BTreeMap, sync::mpsc, time::Instant};

/// Streams that come and go between two beats.
const MOST_AT_ONCE: usize = 64;

pub(crate) enum Change {
    Begin(Key, Box<PlayedSound>),
    End(Key),
}

/// Never ends: where nobody says anything it is silent.
pub(crate) struct RoomMix {
    changes: mpsc::Receiver<Change>,
    all: BTreeMap<Key, PlayedSound>,
    mixer: Mixer,
}

impl RoomMix {
    pub(crate) fn new() -> (mpsc::Sender<Change>, Self) {
        let (sender, changes) = mpsc::channel();
        (sender, Self { changes, all: BTreeMap::new(), mixer: Mixer::default() })
    }
}

impl Source for RoomMix {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        for change in self.changes.try_iter().take(MOST_AT_ONCE) {
            match change {
                Change::Begin(key, sound) => drop(self.all.insert(key, *sound)),
                Change::End(key) => drop(self.all.remove(&key)),
            }
        }
        let now = Instant::now();
        let mut heard = SILENCE;
        for sound in self.all.values_mut() {
            if sound.pull(now, &mut heard) {
                self.mixer.add(&heard);
            }
        }
        self.mixer.take(frame);
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}
