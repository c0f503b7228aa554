use bytes::Bytes;

use super::library::{Encoder, Options};
use crate::video::codec::{
    ContentHint, Encoded, EncoderOptions, MAX_BITRATE, MIN_BITRATE, VIDEO_CLOCK_RATE, VideoCodec,
    VideoEncoder, rate::FrameRateMeter,
};
use crate::video::error::VideoError;
use crate::video::picture::Picture;

/// Seconds between key frames that nobody asked for.
const KEY_FRAME_INTERVAL: u32 = 30;

/// Pixels from which a second thread encodes: one alone cannot keep up with 1080p.
const PIXELS_FOR_TWO_THREADS: usize = 1280 * 720 + 1;

/// VP8 by libvpx: one temporal layer, constant bitrate, no look-ahead.
pub(super) struct VpxEncoder {
    encoder: Encoder,
    options: EncoderOptions,
    rate: FrameRateMeter,
    /// Of the next picture, in ticks of the RTP clock, as the library is to see it: it gives a picture the bits of all the time since
    /// the last one.
    time: i64,
    key_wanted: bool,
}

impl VpxEncoder {
    pub(super) fn new(options: &EncoderOptions) -> Result<Self, VideoError> {
        options.check()?;
        let size = options.size;
        let settings = Options {
            width: size.width(),
            height: size.height(),
            frames_per_second: options.frames_per_second,
            kilobits: options.bitrate / 1_000,
            threads: if size.luma_len() < PIXELS_FOR_TWO_THREADS { 1 } else { 2 },
            screen: u32::from(options.hint == ContentHint::Detail),
            key_frame_interval: KEY_FRAME_INTERVAL * options.frames_per_second,
        };
        let encoder = Encoder::open(size, &settings)?;
        let rate = FrameRateMeter::new(options.frames_per_second);
        Ok(Self { encoder, options: options.clone(), rate, time: 0, key_wanted: true })
    }
}

impl VideoEncoder for VpxEncoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::Vp8
    }

    fn configure(&mut self, options: &EncoderOptions) -> Result<(), VideoError> {
        *self = Self::new(options)?;
        Ok(())
    }

    fn encode(&mut self, picture: &Picture, key: bool) -> Result<Option<Encoded>, VideoError> {
        self.options.check_picture(picture)?;
        self.key_wanted |= key;
        let clock = self.options.clock;
        self.rate.next(picture.captured());
        let duration = (VIDEO_CLOCK_RATE as f32 / self.rate.rate()) as u32;
        let encoded = self.encoder.encode(picture, self.time, duration, self.key_wanted)?;
        self.time += i64::from(duration.max(1));
        let Some((data, key)) = encoded else { return Ok(None) };
        if key {
            self.key_wanted = false;
        }
        Ok(Some(Encoded {
            codec: VideoCodec::Vp8,
            data: Bytes::from(data),
            key,
            timestamp: clock.timestamp(picture.captured()),
            size: self.options.size,
            captured: picture.captured(),
        }))
    }

    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), VideoError> {
        let bitrate = bits_per_second.clamp(MIN_BITRATE, MAX_BITRATE);
        if bitrate != self.options.bitrate {
            self.encoder.set_bitrate(bitrate / 1_000)?;
            self.options.bitrate = bitrate;
        }
        Ok(())
    }
}
