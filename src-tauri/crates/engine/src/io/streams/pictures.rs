//! The newest picture of a stream, for whoever shows it.

use sidetone_media::video::Picture;
use tokio::sync::watch;

/// Pictures of one stream, published or played. Whoever is slow misses pictures and gains no delay: there is room for the newest
/// alone.
#[derive(Debug, Clone)]
pub struct Pictures(watch::Receiver<Option<Picture>>);

impl Pictures {
    pub(crate) fn new(receiver: watch::Receiver<Option<Picture>>) -> Self {
        Self(receiver)
    }

    /// The newest picture that was not given yet, as soon as there is one; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Picture> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }

    /// The picture that is shown now.
    pub fn latest(&self) -> Option<Picture> {
        self.0.borrow().clone()
    }
}
