//! The newest picture of a stream, for whoever shows it.

use super::{Counters, Own, encoded::Displays};
use crate::EncodedPictures;
use sidetone_api::Level;
use sidetone_media::video::Picture;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::sync::watch;

/// Pictures of one stream, published or played. Whoever is slow misses pictures and gains no delay: there is room for the newest
/// alone.
#[derive(Debug, Clone)]
pub struct Pictures {
    shown: watch::Receiver<Option<Picture>>,
    looking: Option<Looking>,
    lookers: Arc<AtomicUsize>,
    displays: Arc<Displays>,
    counters: Arc<Counters>,
}

/// One who wants decoded pictures, until it is dropped.
#[derive(Debug)]
struct Looking(Arc<AtomicUsize>);

impl Looking {
    fn new(lookers: &Arc<AtomicUsize>) -> Self {
        lookers.fetch_add(1, Relaxed);
        Self(Arc::clone(lookers))
    }
}

impl Clone for Looking {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Pictures {
    pub(crate) fn new(own: &Own) -> Self {
        let lookers = Arc::clone(&own.looking);
        Self {
            shown: own.shown.subscribe(),
            looking: Some(Looking::new(&lookers)),
            lookers,
            displays: Arc::clone(&own.displays),
            counters: Arc::clone(&own.counters),
        }
    }

    /// The same stream's encoded pictures, for one who decodes by themselves. What is published is only shown as it is: nothing
    /// comes of it.
    pub fn encoded(&self) -> EncodedPictures {
        self.displays.open()
    }

    /// Whether its pictures are wanted, as they are at first. Where nobody wants any, and somebody has [`Self::encoded`], nothing is
    /// decoded; a picture that is wanted later comes with the next key frame, which is asked for.
    pub fn look(&mut self, wanted: bool) {
        match (&self.looking, wanted) {
            (None, true) => self.looking = Some(Looking::new(&self.lookers)),
            (Some(_), false) => self.looking = None,
            _ => {}
        }
    }

    /// How loud each sound is that is mixed into a published stream, after its fader and before its mute, in the order of its sources;
    /// ten times a second a new measure.
    pub fn levels(&self) -> Vec<Level> {
        self.counters.levels()
    }

    /// The newest picture that was not given yet, as soon as there is one; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Picture> {
        self.shown.changed().await.ok()?;
        self.shown.borrow_and_update().clone()
    }

    /// Resolves when nothing of the stream is left that could give one: its sources are closed.
    pub(crate) async fn gone(mut self) {
        while self.shown.changed().await.is_ok() {}
    }

    /// The picture that is shown now.
    pub fn latest(&self) -> Option<Picture> {
        self.shown.borrow().clone()
    }
}
