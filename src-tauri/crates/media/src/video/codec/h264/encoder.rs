use bytes::Bytes;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp};

use super::{LONG_SIDE, NAME, SHORT_SIDE, encodable, failed, pad};
use crate::video::codec::{
    ContentHint, Encoded, EncoderOptions, MAX_BITRATE, MIN_BITRATE, VideoCodec, VideoEncoder,
    rate::FrameRateMeter,
};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Size};

/// Seconds between key frames that nobody asked for.
const KEY_FRAME_INTERVAL: u32 = 30;

/// Smallest side that the library encodes well.
const LEAST_SIDE: u32 = 16;

/// H.264 by OpenH264: constrained baseline, one slice (or slices of a limited size), CAVLC, one reference.
pub(super) struct OpenH264Encoder {
    encoder: Encoder,
    options: EncoderOptions,
    coded: Size,
    pool: FramePool,
    rate: FrameRateMeter,
    /// Of the library.
    bitrate: u32,
    started: bool,
    key_wanted: bool,
}

impl OpenH264Encoder {
    pub(super) fn new(options: &EncoderOptions) -> Result<Self, VideoError> {
        let coded = coded_size(options)?;
        Ok(Self {
            encoder: open(options)?,
            options: options.clone(),
            coded,
            pool: FramePool::new(2),
            rate: FrameRateMeter::new(options.frames_per_second),
            bitrate: options.bitrate,
            started: false,
            key_wanted: true,
        })
    }
}

fn coded_size(options: &EncoderOptions) -> Result<Size, VideoError> {
    options.check()?;
    let size = options.size.even();
    if encodable(size) != size {
        return Err(VideoError::Option {
            option: "size",
            problem: format!(
                "{} is more than H.264 is encoded in here, {LONG_SIDE}x{SHORT_SIDE}",
                options.size
            ),
        });
    }
    Ok(Size::clamped(size.width().max(LEAST_SIDE), size.height().max(LEAST_SIDE)))
}

fn open(options: &EncoderOptions) -> Result<Encoder, VideoError> {
    let usage = match options.hint {
        ContentHint::Motion => UsageType::CameraVideoRealTime,
        ContentHint::Detail => UsageType::ScreenContentRealTime,
    };
    let mut config = EncoderConfig::new()
        .usage_type(usage)
        .bitrate(BitRate::from_bps(options.bitrate))
        .max_frame_rate(FrameRate::from_hz(options.frames_per_second as f32))
        .rate_control_mode(RateControlMode::Bitrate)
        .skip_frames(true)
        .profile(Profile::Baseline)
        .complexity(Complexity::Low)
        .scene_change_detect(false)
        .background_detection(true)
        .adaptive_quantization(true)
        .intra_frame_period(IntraFramePeriod::from_num_frames(KEY_FRAME_INTERVAL * options.frames_per_second))
        .num_threads(1)
        .vui(VuiConfig::bt601());
    if let Some(max_nal) = options.max_nal {
        config = config.max_slice_len(max_nal);
    }
    Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)
}

impl VideoEncoder for OpenH264Encoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::H264
    }

    fn configure(&mut self, options: &EncoderOptions) -> Result<(), VideoError> {
        *self = Self::new(options)?;
        Ok(())
    }

    fn encode(&mut self, picture: &Picture, key: bool) -> Result<Option<Encoded>, VideoError> {
        self.options.check_picture(picture)?;
        self.key_wanted |= key;
        if self.key_wanted {
            self.encoder.force_intra_frame();
        }
        if let Some(frames_per_second) = self.rate.next(picture.captured()) {
            tuning::set_frame_rate(&mut self.encoder, frames_per_second);
        }
        let padded = pad::to_size(picture, self.coded, &self.pool)?;
        let since = picture.captured().saturating_duration_since(self.options.clock.epoch).as_millis();
        let at = Timestamp::from_millis(u64::try_from(since).unwrap_or(0) & i64::MAX as u64);
        let stream = self.encoder.encode_at(&Planes(&padded), at).map_err(failed)?;
        let key = match stream.frame_type() {
            FrameType::Skip | FrameType::Invalid => return Ok(None),
            kind => kind == FrameType::IDR,
        };
        let data = stream.to_vec();
        if !self.started {
            self.started = true;
            // It begins with no room above the aim, and so stays below it.
            tuning::set_bitrate(&mut self.encoder, self.bitrate, true)?;
        }
        if data.is_empty() {
            return Ok(None);
        }
        if key {
            self.key_wanted = false;
        }
        Ok(Some(Encoded {
            codec: VideoCodec::H264,
            data: Bytes::from(data),
            key,
            timestamp: self.options.clock.timestamp(picture.captured()),
            size: self.coded,
            captured: picture.captured(),
        }))
    }

    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), VideoError> {
        let bitrate = bits_per_second.clamp(MIN_BITRATE, MAX_BITRATE);
        if bitrate == self.bitrate {
            return Ok(());
        }
        self.options.bitrate = bitrate;
        if self.started {
            tuning::set_bitrate(&mut self.encoder, bitrate, bitrate > self.bitrate)?;
        } else {
            self.encoder = open(&self.options)?;
        }
        self.bitrate = bitrate;
        Ok(())
    }
}

struct Planes<'a>(&'a Picture);

impl YUVSource for Planes<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.width() as usize, self.0.height() as usize)
    }
    fn strides(&self) -> (usize, usize, usize) {
        let chroma = self.0.size().chroma_width() as usize;
        (self.0.width() as usize, chroma, chroma)
    }
    fn y(&self) -> &[u8] {
        self.0.y()
    }
    fn u(&self) -> &[u8] {
        self.0.u()
    }
    fn v(&self) -> &[u8] {
        self.0.v()
    }
}

/// What the library can change while it runs but its safe face does not offer.
#[allow(unsafe_code)]
mod tuning {
    use std::ffi::c_int;

    use openh264::encoder::Encoder;
    use openh264_sys2::{
        ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_MAX_BITRATE, SBitrateInfo,
        SPATIAL_LAYER_0, SPATIAL_LAYER_ALL,
    };

    use super::{NAME, VideoError};

    /// For an encoder that has encoded before; `up` from what it had. Peaks may be a quarter above.
    pub(super) fn set_bitrate(encoder: &mut Encoder, bitrate: u32, up: bool) -> Result<(), VideoError> {
        let aim = (ENCODER_OPTION_BITRATE, SPATIAL_LAYER_ALL, bitrate);
        let most = (ENCODER_OPTION_MAX_BITRATE, SPATIAL_LAYER_0, bitrate.saturating_add(bitrate / 4));
        // The aim is never above the most.
        for (option, layer, bitrate) in if up { [most, aim] } else { [aim, most] } {
            let mut info = SBitrateInfo { iLayer: layer, iBitrate: bitrate as c_int };
            // SAFETY: both options read one `SBitrateInfo` and keep no pointer to it.
            let answer = unsafe { encoder.raw_api().set_option(option, (&raw mut info).cast()) };
            if answer != 0 {
                let reason = format!("bitrate {bitrate} refused, code {answer}");
                return Err(VideoError::Codec { codec: NAME, reason });
            }
        }
        Ok(())
    }

    pub(super) fn set_frame_rate(encoder: &mut Encoder, mut frames_per_second: f32) {
        // SAFETY: the option reads one `f32` and keeps no pointer to it. It only tunes the rate control: where the
        // library does not take it, the rate that was configured holds.
        let _ = unsafe {
            encoder.raw_api().set_option(ENCODER_OPTION_FRAME_RATE, (&raw mut frames_per_second).cast())
        };
    }
}
