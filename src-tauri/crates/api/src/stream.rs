use crate::{CodecView, Level, RecordingView, RoomId, SessionId, StreamId, StreamStatus};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum StreamDirection {
    /// We send it.
    Published,
    /// We receive it.
    Played,
}

/// A stream that this engine publishes or plays, from the command to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StreamView {
    pub stream_id: StreamId,
    pub direction: StreamDirection,
    /// A name at the embedded gateway, or the URL of a WHIP or WHEP endpoint.
    pub name: String,
    /// Of the Web Call Server where the name is.
    pub session_id: Option<SessionId>,
    /// `null` until there is a verdict.
    pub status: Option<StreamStatus>,
    /// Why, in the contract's words where it has some.
    pub info: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub started_at: u64,
    /// When media flowed first.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub live_at: Option<u64>,
    /// What is published; `null` for a played one.
    pub sources: Option<StreamSources>,
    /// `null` until negotiated, and where there is none.
    pub video: Option<VideoView>,
    pub audio: Option<CodecView>,
    /// Muted by its publisher.
    pub audio_muted: bool,
    pub video_muted: bool,
    /// Of a played stream: 1.0 is as it was sent, at most 2.0.
    pub volume: f32,
    pub quality: QualityView,
    /// The connection was lost and is tried again at this time, milliseconds since 1970; `retryStream` does it now.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub retry_at: Option<u64>,
    pub recording: Option<RecordingView>,
    /// How many play what we publish at the embedded gateway; `null` elsewhere.
    pub players: Option<u32>,
    /// What is wrong with a source, in words: a camera that gives nothing, a screen that is not there.
    pub problem: Option<String>,
    pub statistics: Option<StreamStatistics>,
    /// Of a stream that is sent to a room, or played of one: the room's screen shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub room_id: Option<RoomId>,
}

/// What a published stream is made of. Pictures are named as `default`, `device:ID`, `screen:ID`, `window:ID`, `image:PATH`,
/// `file:PATH` or `bars`. A whole room is told as `room`, which cannot be asked for here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StreamSources {
    /// Absent: sound only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub video: Option<String>,
    /// Drawn over a corner of `video`, such as the camera over a screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub inset: Option<VideoInset>,
    /// Mixed; empty: no sound.
    pub audio: Vec<AudioInput>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VideoInset {
    pub source: String,
    #[serde(default)]
    pub corner: Corner,
    /// Of the picture's width, 0.1 to 0.5.
    #[serde(default = "quarter")]
    pub size: f32,
}

fn quarter() -> f32 {
    0.25
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    #[default]
    BottomRight,
}

/// One fader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AudioInput {
    /// As [`crate::AudioSettings`] names microphones, or `system`: what this machine plays.
    pub source: String,
    /// 1.0 leaves it as it is, 0.0 silences it, at most 2.0.
    #[serde(default = "unity")]
    pub gain: f32,
}

fn unity() -> f32 {
    1.0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct VideoView {
    /// As in SDP: `H264`, `VP8`, `VP9`.
    pub codec: String,
    /// Of the last picture.
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct QualityView {
    pub level: Quality,
    /// The cause in words, with what to do; empty while it is good.
    pub info: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Quality {
    /// Nothing has flowed yet.
    #[default]
    Unknown,
    Good,
    Fair,
    Poor,
}

/// Counters since the stream's media began, and rates of the last second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StreamStatistics {
    pub video_kbit: f32,
    pub audio_kbit: f32,
    pub frames_per_second: f32,
    /// What the bandwidth estimate allows, kbit/s; `null` for a played stream.
    pub available_kbit: Option<f32>,
    /// What the encoder is asked for, kbit/s; `null` for a played stream.
    pub target_kbit: Option<f32>,
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets: u64,
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_lost: u64,
    /// Sent again: by us where we publish, to us where we play.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_repaired: u64,
    /// Of the last second; what the far end reports where we publish.
    pub loss_percent: f32,
    pub round_trip_ms: Option<f32>,
    pub jitter_ms: f32,
    /// Depth of the video jitter buffer.
    pub buffer_ms: f32,
    /// Sound's lead over the picture, milliseconds; negative where it lags; `null` until both have come.
    pub skew_ms: Option<f32>,
    /// Pictures shown or encoded.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub frames: u64,
    /// Pictures that came too late or were too many.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub frames_dropped: u64,
    pub key_frames: u32,
    /// How often the picture stood still for longer than it should, and for how long in all.
    pub freezes: u32,
    pub frozen_ms: u32,
    /// Key frames asked for (PLI, FIR): by us where we play, of us where we publish.
    pub key_frame_requests: u32,
    pub level: Level,
}

/// A stream that somebody publishes at the embedded gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct GatewayStream {
    pub name: String,
    /// As in SDP; `null` where there is none.
    pub video_codec: Option<String>,
    pub audio_codec: Option<String>,
    pub players: u32,
    /// Published by this engine.
    pub own: bool,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub since: u64,
}

/// A camera, screen or window that can be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct VideoSourceView {
    /// What [`StreamSources::video`] takes.
    pub selection: String,
    pub name: String,
    pub kind: VideoSourceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum VideoSourceKind {
    Camera,
    Screen,
    Window,
    /// Made here: bars.
    Synthetic,
}

/// How pictures are encoded, for streams and calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VideoSettings {
    /// As [`StreamSources::video`].
    pub camera: String,
    /// In order of preference: `H264`, `VP8`. What this build does not have is left out and said.
    pub codecs: Vec<String>,
    /// The picture is scaled down to fit.
    pub width: u32,
    pub height: u32,
    pub frames_per_second: u32,
    /// kbit/s; the estimate moves between the first two, from the third.
    pub min_kbit: u32,
    pub max_kbit: u32,
    pub start_kbit: u32,
    pub hint: ContentHint,
    /// Three sizes at once where the endpoint takes them.
    pub simulcast: bool,
    /// Folder of stream recordings and snapshots; empty: `Sidetone` in the user's videos or documents.
    pub folder: String,
    /// STUN and TURN servers for streams, of the stored settings alone; at most 8.
    pub ice_servers: Vec<IceServer>,
    /// Streams go by TURN servers alone, so that the far end does not learn our addresses. Of the stored settings alone.
    pub relay_only: bool,
    /// Further authorities for WHIP, WHEP and TURN servers that speak TLS, as PEM text. Of the stored settings alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub trusted_ca: Option<String>,
}

/// What matters when there is not enough bandwidth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ContentHint {
    /// Detail for screens and windows, motion for everything else.
    #[default]
    Automatic,
    /// Keep the frame rate, give up resolution.
    Motion,
    /// Keep the resolution, give up frame rate.
    Detail,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IceServer {
    /// `stun:host:port`, `turn:host:port?transport=udp` (or `tcp`), or `turns:host:port`.
    pub url: String,
    /// Of a TURN server; `setSecret` gives its password.
    #[serde(default)]
    pub user: String,
    /// Whether the key store holds its password. Set by the engine alone.
    #[serde(default)]
    pub password_kept: bool,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self {
            camera: "default".into(),
            codecs: ["H264", "VP8"].map(String::from).into(),
            width: 1280,
            height: 720,
            frames_per_second: 30,
            min_kbit: 150,
            max_kbit: 2500,
            start_kbit: 1000,
            hint: ContentHint::Automatic,
            simulcast: false,
            folder: String::new(),
            ice_servers: Vec::new(),
            relay_only: false,
            trusted_ca: None,
        }
    }
}

/// What became of `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SnapshotFile {
    /// The PNG.
    pub path: String,
    pub width: u32,
    pub height: u32,
}
