//! The decoder of a played stream, which rests while all who look decode by themselves.

use super::recent::Recent;
use sidetone_media::video::codec::h264::nal;
use sidetone_media::video::{Encoded, Picture, VideoCodec, VideoDecoder, VideoError};
use std::time::{Duration, Instant};

/// Between two requests for the key frame with which decoding begins again.
const BETWEEN_KEYS: Duration = Duration::from_millis(500);
/// The longest wait for it. Then all since the last one is decoded.
const PATIENCE: Duration = Duration::from_secs(1);
/// A stream of which nothing came for so long stands still: no key frame will come.
const STILL: Duration = Duration::from_millis(300);

pub(super) struct Decoding {
    codec: VideoCodec,
    /// What the signalling said of H.264, in Annex B.
    parameter_sets: Vec<u8>,
    decoder: Option<Box<dyn VideoDecoder>>,
    rests: bool,
    /// While it rests: since when somebody wants pictures, and when a key frame was asked for.
    wanted: Option<Instant>,
    asked: Option<Instant>,
}

impl Decoding {
    /// `parameter_sets`: NAL units.
    pub(super) fn new(codec: VideoCodec, parameter_sets: &[Vec<u8>]) -> Self {
        let sets = parameter_sets.iter().flat_map(|set| [nal::START_CODE.as_slice(), set]);
        Self {
            codec,
            parameter_sets: sets.collect::<Vec<_>>().concat(),
            decoder: None,
            rests: false,
            wanted: None,
            asked: None,
        }
    }

    /// With what a decoder needs to begin here, which the signalling may have said alone.
    pub(super) fn complete(&self, mut encoded: Encoded) -> Encoded {
        let has_sets = || nal::units(&encoded.data).any(|unit| nal::kind(unit) == Some(nal::SPS));
        if encoded.key && !self.parameter_sets.is_empty() && !has_sets() {
            encoded.data = [self.parameter_sets.as_slice(), &encoded.data].concat().into();
        }
        encoded
    }

    pub(super) fn rests(&self) -> bool {
        self.rests
    }

    /// Nobody wants pictures.
    pub(super) fn rest(&mut self) {
        (self.rests, self.decoder) = (true, None);
        (self.wanted, self.asked) = (None, None);
    }

    pub(super) fn decode(&mut self, encoded: &Encoded) -> Result<Option<Picture>, VideoError> {
        if self.rests {
            if !encoded.key {
                return Ok(None);
            }
            self.wake();
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(self.codec.decoder()?),
        };
        decoder.decode(encoded)
    }

    fn wake(&mut self) {
        self.rests = false;
        (self.wanted, self.asked) = (None, None);
    }

    /// Somebody wants pictures while it rests. True where a key frame is to be asked for now.
    pub(super) fn wants_key(&mut self, now: Instant) -> bool {
        self.wanted.get_or_insert(now);
        let is_early = |asked: Instant| now.saturating_duration_since(asked) < BETWEEN_KEYS;
        if self.asked.is_some_and(is_early) {
            return false;
        }
        self.asked = Some(now);
        true
    }

    /// The newest picture, where a key frame is not to be expected: all since the last one is decoded.
    pub(super) fn catch_up(
        &mut self,
        now: Instant,
        recent: &mut Recent,
    ) -> Result<Option<Picture>, VideoError> {
        let waited = self.wanted.map_or(Duration::ZERO, |wanted| now.saturating_duration_since(wanted));
        if recent.is_empty() || (waited < PATIENCE && recent.quiet(now) < STILL) {
            return Ok(None);
        }
        let mut newest = None;
        for encoded in recent.frames() {
            match self.decode(&encoded) {
                Ok(picture) => newest = picture.or(newest),
                Err(error) => {
                    recent.clear();
                    return Err(error);
                }
            }
        }
        Ok(newest)
    }
}
