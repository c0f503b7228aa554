//! Encoded pictures in RTP payloads and back (RFC 6184, RFC 7741, RFC 9628).
//!
//! Payloads of others are hostile: nothing here panics, trusts a length, or allocates more than it was given.

pub mod h264;
pub mod vp8;
pub mod vp9;

use bytes::Bytes;

use super::codec::{Encoded, VideoCodec};
use super::error::VideoError;

/// Payload bytes that fit in a datagram of 1200 bytes with RTP header, extensions, SRTP and RTX.
pub const MAX_PAYLOAD: usize = 1_120;

/// Least that a packetizer can be limited to.
pub const MIN_PAYLOAD_LIMIT: usize = 64;

/// One RTP payload of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub data: Bytes,
    /// The last of its picture (RFC 3550, 5.1).
    pub marker: bool,
}

/// How H.264 may be packed (RFC 6184, 6.2 and 6.3). Interleaved mode 2 is not offered by anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PacketizationMode {
    /// Mode 0: each NAL unit in a packet of its own; the encoder has to keep them short.
    Single,
    /// Mode 1: small units together, large ones in fragments.
    #[default]
    NonInterleaved,
}

/// Cuts encoded pictures to payloads; one for each stream that is sent.
#[derive(Debug)]
pub enum Packetizer {
    H264(h264::H264Packetizer),
    Vp8(vp8::Vp8Packetizer),
}

impl Packetizer {
    /// `limit` is the most bytes of a payload, usually [`MAX_PAYLOAD`]; `mode` is of H.264 only. `random` starts VP8's
    /// picture id. An error for VP9, which is only passed through.
    pub fn new(
        codec: VideoCodec,
        mode: PacketizationMode,
        limit: usize,
        random: u16,
    ) -> Result<Self, VideoError> {
        let limit = limit.max(MIN_PAYLOAD_LIMIT);
        match codec {
            VideoCodec::H264 => Ok(Self::H264(h264::H264Packetizer::new(mode, limit))),
            VideoCodec::Vp8 => Ok(Self::Vp8(vp8::Vp8Packetizer::new(limit, random))),
            VideoCodec::Vp9 => {
                Err(VideoError::Absent { codec: codec.name(), reason: "it is passed through, not packed" })
            }
        }
    }

    /// The payloads of one picture, in order; the last has the marker. An error where the picture is of another codec
    /// or, in mode 0, has a NAL unit above the limit.
    pub fn packetize(&mut self, encoded: &Encoded) -> Result<Vec<Payload>, VideoError> {
        match self {
            Self::H264(packetizer) if encoded.codec == VideoCodec::H264 => packetizer.packetize(encoded),
            Self::Vp8(packetizer) if encoded.codec == VideoCodec::Vp8 => Ok(packetizer.packetize(encoded)),
            _ => Err(VideoError::Option {
                option: "codec",
                problem: format!("a picture in {} came to another packetizer", encoded.codec),
            }),
        }
    }
}

/// What one payload tells without its picture. For the router, which forwards and does not decode, and for putting
/// pictures together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PayloadInfo {
    /// Certainly the first of its picture. H.264 cannot always tell: then it is false.
    pub begins_picture: bool,
    /// It is the first of a key frame, or carries what makes its picture one.
    pub key: bool,
}

/// Looks at a payload; default for one that is damaged or empty.
pub fn inspect(codec: VideoCodec, payload: &[u8]) -> PayloadInfo {
    match codec {
        VideoCodec::H264 => h264::inspect(payload),
        VideoCodec::Vp8 => vp8::inspect(payload),
        VideoCodec::Vp9 => vp9::inspect(payload),
    }
}

/// Whether a player can begin with this payload.
pub fn begins_key_frame(codec: VideoCodec, payload: &[u8]) -> bool {
    let info = inspect(codec, payload);
    info.key && (info.begins_picture || codec == VideoCodec::H264)
}

/// Puts the payloads of one picture, in order and without a gap, together as a decoder takes them. Damaged ones give an
/// error that says what is wrong.
pub fn depacketize(codec: VideoCodec, payloads: &[Bytes]) -> Result<Bytes, VideoError> {
    match codec {
        VideoCodec::H264 => h264::depacketize(payloads),
        VideoCodec::Vp8 => vp8::depacketize(payloads),
        VideoCodec::Vp9 => vp9::depacketize(payloads),
    }
}

fn damaged(codec: VideoCodec, problem: &str) -> VideoError {
    VideoError::Bitstream { codec: codec.name(), problem: problem.into() }
}
