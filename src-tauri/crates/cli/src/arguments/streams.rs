//! What `publish`, `play` and `snapshot` take.

use super::{Hooks, Ways, time, values, video::Encoding};
use clap::Args;
use sidetone_api::Secret;
use sidetone_media::{Selection, device::VideoSelection};
use std::{path::PathBuf, time::Duration};

/// Where a stream is, and how we report.
#[derive(Debug, Args)]
pub(crate) struct Endpoint {
    /// A name at the gateway, the URL of an endpoint (WHIP to publish, WHEP to play), or wss://host:port/NAME at a Web Call Server
    pub(crate) stream: String,
    /// Web Call Server where a NAME is: wss://host:port or ws://host:port
    #[arg(long, value_name = "URL", conflicts_with = "gateway")]
    pub(crate) wcs: Option<String>,
    /// Which app of the Web Call Server decides
    #[arg(long, value_name = "KEY")]
    pub(crate) app_key: Option<String>,
    /// Gateway where a NAME is, http://host:port; without it the one of this machine, else one of this run
    #[arg(long, value_name = "URL", value_parser = values::gateway)]
    pub(crate) gateway: Option<String>,
    /// Bearer token of the endpoint; a Web Call Server is shown it as custom.token
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_env", hide_default_value = true, value_parser = secret)]
    pub(crate) token: Option<Secret>,
    /// Environment variable that holds the token, which other users of this machine then cannot see
    #[arg(long, value_name = "VAR")]
    pub(crate) token_env: Option<String>,
    /// Events as JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ways: Ways,
    #[command(flatten)]
    pub(crate) hooks: Hooks,
}

/// How long a stream goes on, and what is kept of it.
#[derive(Debug, Args)]
pub(crate) struct Course {
    /// Record to this file too, as it is sent (.mp4 for H264, .webm for VP8); it plays even if this program is killed
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// End after this time (10s, 1m30s, 500ms), counted from PUBLISHING or PLAYING; exit 0
    #[arg(long = "for", value_name = "TIME", value_parser = time::parse)]
    pub(crate) duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// default, device:ID, screen, screen:ID, window:ID, file:X, image:X, bars or none
    #[arg(long, value_name = "SOURCE", default_value = "default", value_parser = values::camera)]
    pub(crate) camera: Camera,
    /// default, device:ID, file:X.wav, loop:X.wav, tone, tone:HZ, silence, system (what this machine plays) or none; repeat to mix
    #[arg(long, value_name = "SOURCE", default_value = "default", value_parser = values::input)]
    pub(crate) mic: Vec<Input>,
    /// Video codecs in order of preference: H264, VP8 (repeat, or separate by commas)
    #[arg(long, value_enum, value_delimiter = ',', ignore_case = true)]
    pub(crate) codec: Vec<values::VideoCodec>,
    #[command(flatten)]
    pub(crate) encoding: Encoding,
    #[command(flatten)]
    pub(crate) course: Course,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug, Args)]
pub(crate) struct Play {
    /// file:Y.y4m (every picture that is shown, uncompressed) or null
    #[arg(long, value_name = "SINK", default_value = "null", value_parser = values::screen)]
    pub(crate) video: Screen,
    /// default, device:ID, file:Y.wav or null
    #[arg(long, value_name = "SINK", default_value = "default", value_parser = values::speaker)]
    pub(crate) speaker: Selection,
    #[command(flatten)]
    pub(crate) course: Course,
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug, Args)]
pub(crate) struct Snapshot {
    // Its STREAM comes before FILE.
    #[command(flatten)]
    pub(crate) endpoint: Endpoint,
    /// Where the picture is written, at its full resolution; a file that is there is replaced
    pub(crate) file: PathBuf,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Camera {
    None,
    /// The first screen.
    Screen,
    Source(VideoSelection),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    None,
    System,
    Source(Selection),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Screen {
    Null,
    File(PathBuf),
}

fn secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("a token is not empty".into()) } else { Ok(Secret::new(text)) }
}
