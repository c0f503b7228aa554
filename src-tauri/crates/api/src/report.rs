use serde::{Deserialize, Serialize};

/// A stored bug report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct ReportView {
    /// Its name in the folder of reports; empty where it is not stored yet.
    pub file: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub created_at: u64,
    /// What the user says.
    pub words: String,
    /// The session of the page that sent it; empty: this application.
    pub from: String,
    /// Bytes on disk.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub size: u64,
    /// What went wrong as far as can be told, the gravest first.
    pub verdicts: Vec<ReportVerdict>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReportVerdict {
    pub kind: VerdictKind,
    pub blame: Blame,
    /// When it began, milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// The call, stream or session.
    pub subject: String,
    /// In words: `no RTP from the far end after 12:03:07 UTC`.
    pub info: String,
    /// The one thing to do.
    pub advice: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum VerdictKind {
    WrongPassword,
    NoCommonCodec,
    OneWayAudio,
    StreamLost,
    BackendDead,
    MachineTooSlow,
    PacketLoss,
    WrongDevice,
    /// Refused or not reached for another reason, which `info` has.
    Refused,
}

/// Where the cause lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Blame {
    Settings,
    MyMachine,
    MyNetwork,
    Server,
    FarEnd,
    /// It cannot be told from here.
    Unknown,
}

/// A SIP message as it went over the network, without what is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReportMessage {
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// Of the embedded gateway, not of our accounts.
    pub gateway: bool,
    pub incoming: bool,
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    pub transport: String,
    pub local: String,
    pub remote: String,
    /// The method, or the code and reason of a response.
    pub summary: String,
    pub call_id: String,
    /// `2 INVITE`
    pub cseq: String,
    /// Sent before, word for word.
    pub repeated: bool,
    pub text: String,
}

/// A moment: a status, a notice, something that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReportEvent {
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// The event's name, or `CallProblem`, `DeviceProblem`, `HooksProblem`, `Late`.
    pub kind: String,
    /// The call, stream, session or room; empty where there is none.
    pub subject: String,
    /// Empty where there is none.
    pub status: String,
    pub info: String,
}

/// The media of a call or stream in one second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReportSample {
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// The call or stream.
    pub subject: String,
    /// Since the beginning; `null` for a stream that is played.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub packets_sent: Option<u64>,
    /// `null` for a stream that is published.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub packets_received: Option<u64>,
    /// Of what came, percent.
    pub loss_percent: Option<f32>,
    /// Of what went, as the far end reports it, percent.
    pub remote_loss_percent: Option<f32>,
    pub jitter_ms: f32,
    pub round_trip_ms: Option<f32>,
    /// dBFS
    pub microphone: Option<f32>,
    pub speaker: Option<f32>,
}

/// A view or a part of the settings as JSON, without what is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ReportFact {
    /// `settings`, `devices`, `sessions`, `calls`, `streams`, `rooms`, `gateway`, `hooks`, `page`.
    pub section: String,
    pub text: String,
}

/// All of a bug report. Times are in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct ReportContents {
    /// Of this layout: 1.
    pub format: u32,
    pub report: ReportView,
    /// Of the engine.
    pub version: String,
    /// Operating system and processor.
    pub system: String,
    pub messages: Vec<ReportMessage>,
    pub events: Vec<ReportEvent>,
    pub samples: Vec<ReportSample>,
    pub facts: Vec<ReportFact>,
    pub has_screenshot: bool,
}
