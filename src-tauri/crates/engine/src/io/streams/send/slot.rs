//! One source of pictures of a stream.

use sidetone_media::{
    device::{Devices, VideoSelection, VideoWish},
    video::{ContentHint, Picture, VideoSource, Watched},
};
use std::{sync::Arc, time::Instant};

/// A source that is opened, watched and opened again.
pub(super) struct Slot {
    pub(super) selection: VideoSelection,
    watched: Watched,
}

impl Slot {
    pub(super) fn new(
        now: Instant,
        devices: Arc<dyn Devices>,
        selection: VideoSelection,
        wish: VideoWish,
    ) -> Self {
        let watched = Watched::of(now, devices, &selection, wish);
        Self { selection, watched }
    }

    /// What its pictures are like; `None` while that is not known.
    pub(super) fn content(&self) -> Option<ContentHint> {
        self.watched.known_content()
    }

    /// Takes the newest picture. True where there was a new one.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let is_new = self.watched.advance(now);
        while let Some(fault) = self.watched.fault() {
            tracing::info!("{}: {fault}", self.watched.name());
        }
        is_new
    }

    /// Waits for a picture, at most until `until`.
    pub(super) fn wait(&self, until: Instant) {
        self.watched.wait(until);
    }

    /// The last one that it gave.
    pub(super) fn last(&self) -> Option<&Picture> {
        self.watched.last()
    }

    pub(super) fn has_pictures(&self) -> bool {
        self.watched.has_pictures()
    }

    /// In words, with what to do; `None` while all is well.
    pub(super) fn problem(&self) -> Option<String> {
        self.watched.problem()
    }
}
