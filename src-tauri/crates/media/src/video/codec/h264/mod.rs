//! H.264 (ITU-T H.264), sent in constrained baseline as WebRTC and SIP phones take it (RFC 7742, 6.2).

#[cfg(feature = "h264")]
mod decoder;
#[cfg(feature = "h264")]
mod encoder;
pub mod nal;
#[cfg(feature = "h264")]
mod pad;
pub mod sps;
#[cfg(test)]
mod tests;

use super::{CodecInfo, EncoderOptions, VideoCodec, VideoDecoder, VideoEncoder};
use crate::video::error::VideoError;
use crate::video::picture::Size;

const NAME: &str = "H264";

/// Largest sides that OpenH264 encodes, either way up.
const LONG_SIDE: u32 = 3840;
const SHORT_SIDE: u32 = 2160;

pub(super) fn encodable(size: Size) -> Size {
    if size.width() >= size.height() {
        size.within(Size::clamped(LONG_SIDE, SHORT_SIDE))
    } else {
        size.within(Size::clamped(SHORT_SIDE, LONG_SIDE))
    }
}

#[cfg(feature = "h264")]
pub(super) const INFO: CodecInfo =
    CodecInfo { codec: VideoCodec::H264, encode: true, decode: true, info: "OpenH264" };

#[cfg(not(feature = "h264"))]
pub(super) const INFO: CodecInfo =
    CodecInfo { codec: VideoCodec::H264, encode: false, decode: false, info: "this build leaves H.264 out" };

#[cfg(feature = "h264")]
pub(super) fn encoder(options: &EncoderOptions) -> Result<Box<dyn VideoEncoder>, VideoError> {
    Ok(Box::new(encoder::OpenH264Encoder::new(options)?))
}

#[cfg(feature = "h264")]
pub(super) fn decoder() -> Result<Box<dyn VideoDecoder>, VideoError> {
    Ok(Box::new(decoder::OpenH264Decoder::new()))
}

#[cfg(not(feature = "h264"))]
pub(super) fn encoder(_options: &EncoderOptions) -> Result<Box<dyn VideoEncoder>, VideoError> {
    Err(VideoCodec::H264.absent())
}

#[cfg(not(feature = "h264"))]
pub(super) fn decoder() -> Result<Box<dyn VideoDecoder>, VideoError> {
    Err(VideoCodec::H264.absent())
}

#[cfg(feature = "h264")]
fn failed(error: openh264::Error) -> VideoError {
    VideoError::Codec { codec: NAME, reason: error.to_string() }
}
