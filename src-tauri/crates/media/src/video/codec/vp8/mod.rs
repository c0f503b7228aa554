//! VP8 (RFC 6386) by libvpx, where the build found it.

#[cfg(sidetone_vp8)]
mod decoder;
#[cfg(sidetone_vp8)]
mod encoder;
pub mod header;
#[cfg(sidetone_vp8)]
mod library;
#[cfg(test)]
mod tests;

use super::{CodecInfo, EncoderOptions, VideoCodec, VideoDecoder, VideoEncoder};
use crate::video::error::VideoError;

const NAME: &str = "VP8";

#[cfg(sidetone_vp8)]
pub(super) const INFO: CodecInfo =
    CodecInfo { codec: VideoCodec::Vp8, encode: true, decode: true, info: "libvpx" };

#[cfg(not(sidetone_vp8))]
pub(super) const INFO: CodecInfo = CodecInfo {
    codec: VideoCodec::Vp8,
    encode: false,
    decode: false,
    info: "this build was made without libvpx",
};

#[cfg(sidetone_vp8)]
pub(super) fn encoder(options: &EncoderOptions) -> Result<Box<dyn VideoEncoder>, VideoError> {
    Ok(Box::new(encoder::VpxEncoder::new(options)?))
}

#[cfg(sidetone_vp8)]
pub(super) fn decoder() -> Result<Box<dyn VideoDecoder>, VideoError> {
    Ok(Box::new(decoder::VpxDecoder::new()))
}

#[cfg(not(sidetone_vp8))]
pub(super) fn encoder(_options: &EncoderOptions) -> Result<Box<dyn VideoEncoder>, VideoError> {
    Err(VideoCodec::Vp8.absent())
}

#[cfg(not(sidetone_vp8))]
pub(super) fn decoder() -> Result<Box<dyn VideoDecoder>, VideoError> {
    Err(VideoCodec::Vp8.absent())
}
