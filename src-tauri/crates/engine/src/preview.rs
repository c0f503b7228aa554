//! Sources that are looked at before they are published.

use crate::{handle::Handle, io::streams::Pictures};
use sidetone_api::{Failure, Level, StreamId, StreamSources};
use sidetone_media::video::Picture;
use tokio::sync::{oneshot, watch};

/// What the owner gives out.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) id: StreamId,
    pub(crate) pictures: Pictures,
    pub(crate) problem: watch::Receiver<Option<String>>,
    /// The owner closes the sources when this is dropped.
    pub(crate) looking: oneshot::Sender<()>,
}

/// Pictures and levels of sources that are open for their owner alone. They are closed when this is dropped.
#[derive(Debug)]
pub struct SourcePreview {
    handle: Handle,
    preview: Preview,
}

impl SourcePreview {
    pub(crate) fn new(preview: Preview, handle: Handle) -> Self {
        Self { handle, preview }
    }

    /// As [`Pictures::next`].
    pub async fn next(&mut self) -> Option<Picture> {
        self.preview.pictures.next().await
    }

    /// As [`Pictures::latest`].
    pub fn latest(&self) -> Option<Picture> {
        self.preview.pictures.latest()
    }

    /// As [`Pictures::levels`].
    pub fn levels(&self) -> Vec<Level> {
        self.preview.pictures.levels()
    }

    /// What is wrong with a source, in words.
    pub fn problem(&self) -> Option<String> {
        self.preview.problem.borrow().clone()
    }

    /// Looks at these from now on. What stays the same goes on untouched, what is new is seen as soon as it gives pictures.
    ///
    /// # Errors
    /// Names the source that cannot be; what was open goes on then.
    pub async fn change(&self, sources: StreamSources) -> Result<(), Failure> {
        self.handle.change_preview(self.preview.id.clone(), sources).await
    }

    /// Returns when the pictures' devices are closed, so that somebody else can open them.
    pub async fn close(self) {
        let Preview { pictures, looking, .. } = self.preview;
        drop(looking);
        pictures.gone().await;
    }
}
