use crate::{AccountId, CallId, CallStatus, ConnectionStatus, RegistrationStatus, SessionId, Settings};
use serde::{Deserialize, Serialize};

/// The whole state, taken between two events: apply those with a higher number than `seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seq: u64,
    /// Version of the engine.
    pub version: String,
    pub sessions: Vec<SessionView>,
    /// Calls that have not ended.
    pub calls: Vec<CallView>,
    /// Ended calls of this run, newest first.
    pub history: Vec<HistoryEntry>,
    pub devices: DevicesView,
    pub gateway: GatewayView,
    pub settings: Settings,
}

/// One connection to one link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    pub session_id: SessionId,
    pub account_id: AccountId,
    pub name: String,
    pub aor: String,
    /// The registrar's URI.
    pub registrar: String,
    /// `null` until the link has answered or failed to.
    pub connection: Option<ConnectionStatus>,
    pub connection_info: String,
    /// `null` until the registrar has decided, and for accounts that do not register.
    pub registration: Option<RegistrationStatus>,
    pub registration_info: String,
    /// The account has no password yet and the registrar asked for one.
    pub password_needed: bool,
    /// Lives at the embedded gateway.
    pub local: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CallDirection {
    Outgoing,
    Incoming,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    pub call_id: CallId,
    pub session_id: SessionId,
    pub direction: CallDirection,
    /// Who calls, a URI.
    pub caller: String,
    /// Who is called, a URI.
    pub callee: String,
    /// The far end's display name; empty where it gave none.
    pub remote_name: String,
    pub status: CallStatus,
    pub info: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub started_at: u64,
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub established_at: Option<u64>,
    pub muted: bool,
    /// `null` until negotiated.
    pub codec: Option<CodecView>,
    pub encryption: Encryption,
    /// Digits sent so far.
    pub dtmf: String,
    pub statistics: Option<CallStatistics>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CodecView {
    /// As in SDP: `opus`, `G722`, `PCMA`, `PCMU`.
    pub name: String,
    /// What it carries, Hz (16000 for G722, whatever its RTP clock says).
    pub sample_rate: u32,
}

/// What protects the media on the next hop. Plain RTP is not protected, and the UI says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    None,
    /// The media does not leave this machine.
    Loopback,
}

/// Counters since the call's media began, and levels of the last half second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CallStatistics {
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_sent: u64,
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_received: u64,
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_lost: u64,
    /// Lost of what the far end sent, percent of the last report interval.
    pub loss_percent: f32,
    /// What the far end reports of our packets, percent; `null` before its first report.
    pub remote_loss_percent: Option<f32>,
    /// Interarrival jitter, RFC 3550 6.4.1, milliseconds.
    pub jitter_ms: f32,
    /// From receiver reports; `null` before the first.
    pub round_trip_ms: Option<f32>,
    /// Depth of the jitter buffer now.
    pub buffer_ms: f32,
    /// Of what was played in the last half second, percent that had to be made up.
    pub concealed_percent: f32,
    pub kbit_sent: f32,
    pub kbit_received: f32,
    pub microphone: Level,
    pub speaker: Level,
}

/// dBFS: 0 is full scale, -100 is the floor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Level {
    pub rms: f32,
    pub peak: f32,
}

impl Default for Level {
    fn default() -> Self {
        Self { rms: -100.0, peak: -100.0 }
    }
}

/// Devices belong to the machine that runs the engine, also where the UI is in a browser elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DevicesView {
    pub microphones: Vec<DeviceView>,
    pub speakers: Vec<DeviceView>,
    pub microphone: DeviceChoice,
    pub speaker: DeviceChoice,
    /// Name of the machine that they belong to.
    pub machine: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// What `selectDevices` takes: `default`, `device:ID`, `tone`, `silence`, `null`.
    pub selection: String,
    pub name: String,
    /// The system's default at present.
    pub is_default: bool,
    /// Real hardware, as opposed to a tone, a file or silence.
    pub hardware: bool,
}

/// What was asked for and what is in use are two facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeviceChoice {
    pub selection: String,
    /// Name of the device in use, or of the one that would be; `null` where there is none.
    pub effective: Option<String>,
    /// What is wrong, in words; `null` while all is well.
    pub problem: Option<String>,
}

/// The embedded server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct GatewayView {
    pub running: bool,
    /// `127.0.0.1:5060`, UDP and TCP.
    pub sip_address: Option<String>,
    /// Where a browser finds the UI, without its token.
    pub http_address: Option<String>,
    /// Why it does not run, or that another port was taken.
    pub info: String,
    pub extensions: Vec<RegisteredExtension>,
    /// Names that can always be called: `echo`, `tone`.
    pub services: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegisteredExtension {
    pub user: String,
    pub contact: String,
}

/// An ended call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub call_id: CallId,
    pub account_id: AccountId,
    pub direction: CallDirection,
    /// The far end's URI: call it to call back.
    pub remote: String,
    pub remote_name: String,
    /// How it ended.
    pub status: CallStatus,
    pub info: String,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub started_at: u64,
    /// Talking time; `null` where it was never established.
    pub seconds: Option<u32>,
}
