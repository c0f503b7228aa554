use openh264::decoder::{DecodedYUV, Decoder};
use openh264::formats::YUVSource;

use super::sps::Sps;
use super::{NAME, failed, nal};
use crate::video::codec::{Encoded, MAX_ENCODED, VideoCodec, VideoDecoder};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Size};

/// Most NAL units of one picture: a slice for each row of macroblocks is usual, one for each macroblock is not.
const MAX_UNITS: usize = 2_048;

/// H.264 by OpenH264. Only what it is known to handle reaches it: parameter sets that were checked, and slices.
pub(super) struct OpenH264Decoder {
    /// Made at a key frame, and anew after an error.
    decoder: Option<Decoder>,
    pool: FramePool,
}

impl OpenH264Decoder {
    pub(super) fn new() -> Self {
        Self { decoder: None, pool: FramePool::default() }
    }

    fn decoded(&mut self, stream: &[u8], encoded: &Encoded) -> Result<Option<Picture>, VideoError> {
        let Some(decoder) = &mut self.decoder else {
            return Err(VideoError::KeyFrameNeeded { codec: NAME });
        };
        let Some(decoded) = decoder.decode(stream).map_err(damaged)? else { return Ok(None) };
        copied(&decoded, encoded, &self.pool).map(Some)
    }
}

impl VideoDecoder for OpenH264Decoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::H264
    }

    fn decode(&mut self, encoded: &Encoded) -> Result<Option<Picture>, VideoError> {
        let checked = checked(&encoded.data).inspect_err(|_| self.decoder = None)?;
        if checked.key && self.decoder.is_none() {
            self.decoder = Some(Decoder::new().map_err(failed)?);
        }
        let result = self.decoded(&checked.stream, encoded);
        if result.as_ref().is_err_and(|error| !matches!(error, VideoError::PoolEmpty { .. })) {
            self.decoder = None;
        }
        result
    }
}

struct Checked {
    stream: Vec<u8>,
    key: bool,
}

/// Leaves out what is not needed for decoding, and refuses parameter sets that ask for too much.
fn checked(data: &[u8]) -> Result<Checked, VideoError> {
    let unusable = |problem: &str| VideoError::Bitstream { codec: NAME, problem: problem.into() };
    if data.len() > MAX_ENCODED {
        return Err(unusable("picture of more than 4 MiB"));
    }
    let mut checked = Checked { stream: Vec::with_capacity(data.len() + 16), key: false };
    let mut slices = false;
    for (count, unit) in nal::units(data).enumerate() {
        if count >= MAX_UNITS {
            return Err(unusable("too many NAL units in a picture"));
        }
        match nal::kind(unit) {
            Some(nal::SPS) => {
                Sps::parse(unit)?;
            }
            Some(nal::IDR_SLICE) => (checked.key, slices) = (true, true),
            Some(nal::SLICE) => slices = true,
            Some(nal::PPS) => {}
            _ => continue,
        }
        checked.stream.extend_from_slice(&nal::START_CODE);
        checked.stream.extend_from_slice(unit);
    }
    if !slices && checked.stream.is_empty() {
        return Err(unusable("no NAL unit that can be decoded"));
    }
    Ok(checked)
}

fn copied(decoded: &DecodedYUV<'_>, encoded: &Encoded, pool: &FramePool) -> Result<Picture, VideoError> {
    let (width, height) = decoded.dimensions();
    let size = Size::new(width as u32, height as u32)?;
    let (luma, chroma, _) = decoded.strides();
    let planes = [decoded.y(), decoded.u(), decoded.v()];
    Picture::from_planes(size, planes, [luma, chroma], encoded.captured, pool)
}

fn damaged(error: openh264::Error) -> VideoError {
    VideoError::Bitstream { codec: NAME, problem: error.to_string() }
}
