//! The newest picture of a stream, for whoever shows it.

use super::Counters;
use sidetone_api::Level;
use sidetone_media::video::Picture;
use std::sync::Arc;
use tokio::sync::watch;

/// Pictures of one stream, published or played. Whoever is slow misses pictures and gains no delay: there is room for the newest
/// alone.
#[derive(Debug, Clone)]
pub struct Pictures {
    shown: watch::Receiver<Option<Picture>>,
    counters: Arc<Counters>,
}

impl Pictures {
    pub(crate) fn new(shown: watch::Receiver<Option<Picture>>, counters: Arc<Counters>) -> Self {
        Self { shown, counters }
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
