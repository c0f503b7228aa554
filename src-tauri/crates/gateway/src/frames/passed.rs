//! Encoded pictures of a stream that a page decodes by itself, and when it is shown decoded ones all the same.

use crate::door::{EncodedSource, PictureSource};
use sidetone_media::video::{Encoded, VideoCodec};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// A page that can take pictures waits so long for a key frame, which is asked for. Then it is asked for again, and decoded ones are
/// shown until it comes.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a page can decode.
pub(super) type Decoders = Arc<HashSet<VideoCodec>>;

pub(super) struct Passed {
    encoded: Box<dyn EncodedSource>,
    decoders: Decoders,
    /// The page has had a key frame and all that followed.
    flows: bool,
    waits: Option<Instant>,
}

impl Passed {
    /// Nothing where the page decodes nothing, or the source has nothing else than pictures.
    pub(super) fn of(source: &dyn PictureSource, decoders: Decoders) -> Option<Self> {
        if decoders.is_empty() {
            return None;
        }
        Some(Self { encoded: source.encoded()?, decoders, flows: false, waits: None })
    }

    pub(super) fn flows(&self) -> bool {
        self.flows
    }

    pub(super) fn restart(&mut self) {
        self.encoded.restart();
    }

    /// The next one that is not too late.
    ///
    /// # Errors
    /// The page cannot decode it.
    pub(super) fn take(&mut self, source: &mut dyn PictureSource) -> Result<Option<Encoded>, VideoCodec> {
        let Some(encoded) = self.encoded.take() else { return Ok(None) };
        if !self.decoders.contains(&encoded.codec) {
            source.look(true);
            return Err(encoded.codec);
        }
        if !std::mem::replace(&mut self.flows, true) {
            source.look(false);
        }
        self.waits = None;
        Ok(Some(encoded))
    }

    /// The page could take one now.
    pub(super) fn look(&mut self, now: Instant, source: &mut dyn PictureSource) {
        if !self.encoded.waits_for_key() {
            return self.waits = None;
        }
        let Some(since) = self.waits else {
            self.encoded.ask_again();
            return self.waits = Some(now);
        };
        if now.saturating_duration_since(since) >= PATIENCE {
            self.waits = Some(now);
            self.encoded.ask_again();
            if std::mem::take(&mut self.flows) {
                source.look(true);
            }
        }
    }
}

/// Returns where there is one to take.
pub(super) async fn ready(passed: &mut Option<Passed>) {
    match passed {
        Some(passed) => passed.encoded.ready().await,
        None => std::future::pending().await,
    }
}
