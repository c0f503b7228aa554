//! What it takes to decode a stream from here on.

use sidetone_media::video::Encoded;
use std::time::{Duration, Instant};

/// From a key frame on, so much is kept: 20 s of 30 pictures a second, or less where they are large.
const MAX_KEPT: usize = 600;
const MAX_KEPT_BYTES: usize = 8 << 20;

/// All pictures since the last key frame, as long as these are not too many.
#[derive(Debug, Default)]
pub(super) struct Recent {
    frames: Vec<Encoded>,
    octets: usize,
    last: Option<Instant>,
}

impl Recent {
    /// False where there have been too many: without another key frame nobody can decode.
    pub(super) fn keep(&mut self, now: Instant, encoded: &Encoded) -> bool {
        self.last = Some(now);
        if encoded.key {
            self.clear();
        } else if self.frames.is_empty() {
            return true;
        }
        self.octets += encoded.data.len();
        if self.frames.len() >= MAX_KEPT || self.octets > MAX_KEPT_BYTES {
            self.clear();
            return false;
        }
        self.frames.push(encoded.clone());
        true
    }

    /// From the key frame on; empty where that is not known any more.
    pub(super) fn frames(&self) -> Vec<Encoded> {
        self.frames.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How long ago the last picture came.
    pub(super) fn quiet(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::MAX, |last| now.saturating_duration_since(last))
    }

    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.octets = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_KEPT, MAX_KEPT_BYTES, Recent};
    use bytes::Bytes;
    use sidetone_media::video::{Encoded, Size, VideoCodec};
    use std::time::{Duration, Instant};

    fn frame(at: Instant, key: bool, octets: usize) -> Encoded {
        let data = Bytes::from(vec![0; octets]);
        Encoded { codec: VideoCodec::H264, data, key, timestamp: 0, size: Size::P360, captured: at }
    }

    #[test]
    fn pictures_are_kept_from_a_key_frame_on_while_they_are_few_and_small() {
        let (mut recent, now) = (Recent::default(), Instant::now());
        assert!(recent.keep(now, &frame(now, false, 10)) && recent.is_empty(), "without a key frame");
        assert_eq!(recent.quiet(now + Duration::from_secs(1)), Duration::from_secs(1));
        for count in 0..MAX_KEPT {
            assert!(recent.keep(now, &frame(now, count == 0, 10)));
        }
        assert_eq!(recent.frames().len(), MAX_KEPT);
        assert!(!recent.keep(now, &frame(now, false, 10)) && recent.is_empty(), "too many");
        assert!(recent.keep(now, &frame(now, true, 10)) && recent.frames().len() == 1);
        assert!(!recent.keep(now, &frame(now, false, MAX_KEPT_BYTES)) && recent.is_empty(), "too large");
    }
}
