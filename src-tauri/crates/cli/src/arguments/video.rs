//! What pictures are made of, of streams and of calls.

use super::{
    streams::{Camera, Screen},
    values,
};
use crate::exit::Error;
use clap::Args;
use sidetone_api::VideoSettings;
use sidetone_engine::check_video;

/// How large and how often.
#[derive(Debug, Args)]
pub(crate) struct Encoding {
    /// Largest picture, WIDTHxHEIGHT
    #[arg(long, value_name = "SIZE", default_value = "1280x720", value_parser = values::size)]
    pub(crate) size: (u32, u32),
    /// Pictures a second
    #[arg(long, value_name = "NUMBER", default_value_t = 30)]
    pub(crate) fps: u32,
    /// Most that the pictures may take, kbit/s
    #[arg(long, value_name = "KBIT", default_value_t = 2500)]
    pub(crate) bitrate: u32,
}

impl Encoding {
    /// A wrong value is told before anything starts.
    pub(crate) fn check(&self, codecs: &[values::VideoCodec]) -> Result<(), Error> {
        check_video(&self.settings(codecs)).map_err(|failure| {
            let option = match failure.field.as_deref() {
                Some("video.width" | "video.height") => "--size",
                Some("video.framesPerSecond") => "--fps",
                Some("video.minKbit" | "video.startKbit" | "video.maxKbit") => "--bitrate",
                _ => return failure.into(),
            };
            let problem = failure.message.strip_prefix("video.").unwrap_or(&failure.message);
            Error::usage(format!("{option}: {problem}"))
        })
    }

    /// With these codecs; without any, those of the product.
    pub(crate) fn settings(&self, codecs: &[values::VideoCodec]) -> VideoSettings {
        let stored = VideoSettings::default();
        let max_kbit = self.bitrate;
        let mut codecs: Vec<String> = codecs.iter().map(|codec| codec.name().to_owned()).collect();
        codecs.dedup();
        VideoSettings {
            codecs: if codecs.is_empty() { stored.codecs.clone() } else { codecs },
            width: self.size.0,
            height: self.size.1,
            frames_per_second: self.fps,
            min_kbit: stored.min_kbit.min(max_kbit),
            start_kbit: stored.start_kbit.min(max_kbit),
            max_kbit,
            ..stored
        }
    }
}

/// Pictures of a call.
#[derive(Debug, Args)]
#[command(next_help_heading = "Video")]
pub(crate) struct CallVideo {
    /// With video, both ways, where the far end has it; also when it adds it later
    #[arg(long)]
    pub(crate) video: bool,
    /// default, device:ID, screen, screen:ID, window:ID, file:X, image:X or bars
    #[arg(long, value_name = "SOURCE", default_value = "default", value_parser = values::camera, requires = "video")]
    pub(crate) camera: Camera,
    /// file:Y.y4m (every picture of the far end that is shown, uncompressed) or null
    #[arg(long, value_name = "SINK", default_value = "null", value_parser = values::screen, requires = "video")]
    pub(crate) video_out: Screen,
    /// Video codecs in order of preference: H264, VP8 (repeat, or separate by commas)
    #[arg(long, value_enum, value_delimiter = ',', ignore_case = true, requires = "video")]
    pub(crate) video_codec: Vec<values::VideoCodec>,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
}
