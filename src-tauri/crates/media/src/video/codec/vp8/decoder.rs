use super::NAME;
use super::header::FrameHeader;
use super::library::Decoder;
use crate::video::codec::{Encoded, MAX_ENCODED, VideoCodec, VideoDecoder};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture};

/// VP8 by libvpx.
pub(super) struct VpxDecoder {
    /// Made at a key frame, and anew after an error.
    decoder: Option<Decoder>,
    pool: FramePool,
}

impl VpxDecoder {
    pub(super) fn new() -> Self {
        Self { decoder: None, pool: FramePool::default() }
    }
}

impl VideoDecoder for VpxDecoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::Vp8
    }

    fn decode(&mut self, encoded: &Encoded) -> Result<Option<Picture>, VideoError> {
        if encoded.data.len() > MAX_ENCODED {
            let problem = "picture of more than 4 MiB".into();
            return Err(VideoError::Bitstream { codec: NAME, problem });
        }
        let header = FrameHeader::parse(&encoded.data).inspect_err(|_| self.decoder = None)?;
        if self.decoder.is_none() && matches!(header, FrameHeader::Key(_)) {
            self.decoder = Some(Decoder::open()?);
        }
        let Some(decoder) = &mut self.decoder else {
            return Err(VideoError::KeyFrameNeeded { codec: NAME });
        };
        let result = decoder.decode(&encoded.data, encoded.captured, &self.pool);
        if result.as_ref().is_err_and(|error| !matches!(error, VideoError::PoolEmpty { .. })) {
            self.decoder = None;
        }
        result
    }
}
