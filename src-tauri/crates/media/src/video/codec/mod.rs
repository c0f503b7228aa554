//! Video codecs behind one pair of traits, which encoders in hardware can join.

pub mod h264;
#[cfg(any(feature = "h264", sidetone_vp8))]
mod rate;
#[cfg(test)]
mod tests;
pub mod vp8;

use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use bytes::Bytes;

use super::error::VideoError;
use super::picture::{Picture, Size};

/// RTP clock of every video codec, ticks a second (RFC 6184, 8.2.1; RFC 7741, 6.1).
pub const VIDEO_CLOCK_RATE: u32 = 90_000;

/// Largest encoded picture that we make or take, in bytes. A key frame of 4096x4096 in good quality has about half.
pub const MAX_ENCODED: usize = 4 << 20;

/// A video codec. VP9 is only passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    H264,
    Vp8,
    Vp9,
}

impl VideoCodec {
    pub const ALL: [Self; 3] = [Self::H264, Self::Vp8, Self::Vp9];

    /// Encoding name of RTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "H264",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        }
    }
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of [`VideoCodec::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown video codec {0:?}: expected H264, VP8 or VP9")]
pub struct UnknownVideoCodec(String);

impl FromStr for VideoCodec {
    type Err = UnknownVideoCodec;

    /// Case-insensitive, as encoding names are (RFC 4855, 3).
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownVideoCodec(name.chars().take(40).collect()))
    }
}

/// What matters when there are not enough bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContentHint {
    /// Cameras and films: keep the frame rate.
    #[default]
    Motion,
    /// Screens and slides: keep the edges.
    Detail,
}

/// One encoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    pub codec: VideoCodec,
    /// H.264: an access unit in Annex B form, with SPS and PPS before each IDR. VP8 and VP9: a frame.
    pub data: Bytes,
    /// It can be decoded without what was before.
    pub key: bool,
    /// Of RTP, [`VIDEO_CLOCK_RATE`] ticks a second.
    pub timestamp: u32,
    /// As encoded.
    pub size: Size,
    /// When its picture was captured; of a received one, when it arrived complete.
    pub captured: Instant,
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("codec", &self.codec)
            .field("len", &self.data.len())
            .field("key", &self.key)
            .field("timestamp", &self.timestamp)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Turns capture instants into RTP timestamps. All encoders of a stream share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaClock {
    pub epoch: Instant,
    /// The timestamp at `epoch`; random where it goes out to others (RFC 3550, 5.1).
    pub offset: u32,
}

impl MediaClock {
    pub fn new(epoch: Instant, offset: u32) -> Self {
        Self { epoch, offset }
    }

    /// The timestamp of `captured`; what was before the epoch counts back.
    pub fn timestamp(&self, captured: Instant) -> u32 {
        let ticks = |span: std::time::Duration| (span.as_nanos() * 9 / 100_000) as u32;
        match captured.checked_duration_since(self.epoch) {
            Some(after) => self.offset.wrapping_add(ticks(after)),
            None => self.offset.wrapping_sub(ticks(self.epoch.saturating_duration_since(captured))),
        }
    }
}

/// What an encoder is to make.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderOptions {
    /// Every picture has to have it.
    pub size: Size,
    /// 1 to 120.
    pub frames_per_second: u32,
    /// Bits a second, from [`MIN_BITRATE`] to [`MAX_BITRATE`].
    pub bitrate: u32,
    pub hint: ContentHint,
    /// Largest NAL unit in bytes, for H.264 in packetization mode 0 (RFC 6184, 6.2); `None`: as they come.
    pub max_nal: Option<u32>,
    pub clock: MediaClock,
}

/// Least and most bits a second that an encoder takes.
pub const MIN_BITRATE: u32 = 30_000;
pub const MAX_BITRATE: u32 = 50_000_000;

impl EncoderOptions {
    /// 30 pictures a second of motion.
    pub fn new(size: Size, bitrate: u32, clock: MediaClock) -> Self {
        Self { size, frames_per_second: 30, bitrate, hint: ContentHint::Motion, max_nal: None, clock }
    }

    /// Whether an encoder can work with it; the error names the field.
    pub fn check(&self) -> Result<(), VideoError> {
        let range = |option, value: u32, from: u32, to: u32| {
            if (from..=to).contains(&value) {
                return Ok(());
            }
            let problem = format!("{value} is not between {from} and {to}");
            Err(VideoError::Option { option, problem })
        };
        range("framesPerSecond", self.frames_per_second, 1, 120)?;
        range("bitrate", self.bitrate, MIN_BITRATE, MAX_BITRATE)?;
        range("maxNal", self.max_nal.unwrap_or(1_200), 200, 60_000)
    }

    /// Whether `picture` has the size that an encoder was made for.
    #[cfg(any(feature = "h264", feature = "vp8"))]
    fn check_picture(&self, picture: &Picture) -> Result<(), VideoError> {
        if picture.size() == self.size {
            return Ok(());
        }
        let problem = format!("{} came, {} is configured", picture.size(), self.size);
        Err(VideoError::Option { option: "size", problem })
    }
}

/// Makes a bitstream out of pictures, one in, at most one out. Key frames come where they are asked for, at the first
/// picture, and else every half minute at least.
pub trait VideoEncoder: Send {
    fn codec(&self) -> VideoCodec;

    /// Starts anew; the next picture becomes a key frame.
    fn configure(&mut self, options: &EncoderOptions) -> Result<(), VideoError>;

    /// Encodes a picture of the configured size, as a key frame where `key`. `None` where the rate control leaves it
    /// out; then the next one becomes the key frame that was asked for.
    fn encode(&mut self, picture: &Picture, key: bool) -> Result<Option<Encoded>, VideoError>;

    /// Aims at `bits_per_second` from the next picture on, without a key frame; brought into
    /// [`MIN_BITRATE`]..=[`MAX_BITRATE`].
    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), VideoError>;
}

/// Makes pictures out of a bitstream. No input makes it panic, and none makes it allocate more than pictures of
/// 4096x4096 take: the size is read and checked before the library sees the bitstream.
pub trait VideoDecoder: Send {
    fn codec(&self) -> VideoCodec;

    /// Decodes one [`Encoded`]; `None` where it shows no picture. After an error the decoder waits for a key frame.
    fn decode(&mut self, encoded: &Encoded) -> Result<Option<Picture>, VideoError>;
}

/// A codec and whether this build has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecInfo {
    pub codec: VideoCodec,
    pub encode: bool,
    pub decode: bool,
    /// The library that does it, or why there is none.
    pub info: &'static str,
}

/// What this build can do, best first.
pub fn available_codecs() -> [CodecInfo; 3] {
    let vp9 = CodecInfo {
        codec: VideoCodec::Vp9,
        encode: false,
        decode: false,
        info: "passed through to players, not decoded",
    };
    [h264::INFO, vp8::INFO, vp9]
}

impl VideoCodec {
    /// What this build can do with it.
    pub fn info(self) -> CodecInfo {
        let [h264, vp8, vp9] = available_codecs();
        match self {
            Self::H264 => h264,
            Self::Vp8 => vp8,
            Self::Vp9 => vp9,
        }
    }

    /// An encoder that was configured.
    pub fn encoder(self, options: &EncoderOptions) -> Result<Box<dyn VideoEncoder>, VideoError> {
        match self {
            Self::H264 => h264::encoder(options),
            Self::Vp8 => vp8::encoder(options),
            Self::Vp9 => Err(self.absent()),
        }
    }

    /// The largest size of the same shape that this build encodes; `size` itself where it can.
    #[must_use]
    pub fn encodable(self, size: Size) -> Size {
        match self {
            Self::H264 => h264::encodable(size),
            Self::Vp8 | Self::Vp9 => size,
        }
    }

    pub fn decoder(self) -> Result<Box<dyn VideoDecoder>, VideoError> {
        match self {
            Self::H264 => h264::decoder(),
            Self::Vp8 => vp8::decoder(),
            Self::Vp9 => Err(self.absent()),
        }
    }

    /// What is said of it where this build lacks it.
    pub fn absent(self) -> VideoError {
        VideoError::Absent { codec: self.name(), reason: self.info().info }
    }
}
