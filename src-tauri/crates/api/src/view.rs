use crate::{
    AccountId, CallId, CallStatus, ConnectionStatus, Contact, ContactState, GatewayStream, HistoryEntry,
    HooksView, RegistrationStatus, RoomView, SessionId, Settings, StreamView, TransferStatus, Transport,
    VideoView,
};
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
    /// Streams that have not ended.
    pub streams: Vec<StreamView>,
    /// Rooms that we are in or wait for.
    pub rooms: Vec<RoomView>,
    /// The latest ended calls, newest first; `getHistory` has the others.
    pub history: Vec<HistoryEntry>,
    /// Missed calls that nobody has looked at.
    pub missed_calls: u32,
    pub contacts: Vec<Contact>,
    /// Of the watched contacts.
    pub contact_states: Vec<ContactState>,
    pub devices: DevicesView,
    pub gateway: GatewayView,
    pub hooks: HooksView,
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
    /// How the link is spoken to; `null` until it has answered.
    pub signalling: Option<SignallingView>,
    /// `null` where the mailbox says nothing.
    pub messages_waiting: Option<MessagesWaiting>,
    /// URL of the Web Call Server that it is at.
    pub server: Option<String>,
    /// The server was lost and is tried again at this time, milliseconds since 1970; `register` does it now.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub retry_at: Option<u64>,
}

/// The first hop of the signalling: what is beyond it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SignallingView {
    pub transport: Transport,
    /// The next hop's address.
    pub remote: String,
    /// Protected by TLS and its certificate verified.
    pub secure: bool,
    /// In words: `TLS 1.3, certificate of pbx.example by Example CA`, `not encrypted`.
    pub info: String,
}

/// RFC 3842.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MessagesWaiting {
    pub waiting: bool,
    pub new: u32,
    pub old: u32,
    /// Whom to call for them.
    pub mailbox: Option<String>,
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
    pub hold: HoldView,
    /// Part of the local conference, where all parties hear each other.
    pub in_conference: bool,
    /// Our transfer of this call.
    pub transfer: Option<TransferView>,
    /// The far end asks us to call this instead; `acceptTransfer` or `refuseTransfer`.
    pub transfer_requested: Option<String>,
    pub recording: Option<RecordingView>,
    /// What is wrong with the call's sound, in words, with what to do; `null` while all is well.
    pub problem: Option<CallProblem>,
    /// SRTP suite, as in `AES_CM_128_HMAC_SHA1_80`; `null` for plain RTP.
    pub suite: Option<String>,
    pub signalling: Option<SignallingView>,
    /// Who sent the call here, a URI (Diversion, History-Info); empty where nobody did.
    pub diverted_by: String,
    /// Answers itself at this time, milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub auto_answer_at: Option<u64>,
    /// An emergency call.
    pub emergency: bool,
    /// `null` where neither side has video.
    pub video: Option<CallVideoView>,
}

/// The video of a call. Its pictures are read as a stream's are: the far end's under the call's id, our own under that with
/// `.self` behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CallVideoView {
    /// The far end has added video, and we have not decided; `setCallVideo` does, or `answer` where it rings.
    pub requested: bool,
    pub sending: bool,
    pub receiving: bool,
    /// The far end takes no picture just now.
    pub held: bool,
    /// What is sent, as in SDP; `null` until negotiated.
    pub codec: Option<String>,
    /// What is seen of the far end; `null` before the first picture.
    pub picture: Option<VideoView>,
    /// Why there is no picture, or none of ours, in words.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HoldView {
    /// We hold.
    pub local: bool,
    /// The far end holds.
    pub remote: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TransferView {
    /// To whom.
    pub target: String,
    /// `null` until the far end has answered.
    pub status: Option<TransferStatus>,
    pub info: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RecordingView {
    pub path: String,
    pub paused: bool,
    /// Written so far, seconds.
    pub seconds: u32,
    /// Why it ended early, in words.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CallProblem {
    pub kind: CallProblemKind,
    /// In words, with the fix.
    pub info: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CallProblemKind {
    /// The microphone gives digital silence or nothing.
    SilentMicrophone,
    /// We are muted and speak.
    SpeakingWhileMuted,
    /// Nothing arrives from the far end.
    NothingReceived,
    /// The far end says that nothing of ours arrives.
    NothingArrives,
    /// Address or route has changed; the call is being moved.
    Reconnecting,
    /// The far end does not answer any more.
    PeerGone,
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
    /// SRTP with keys in the SDP: as safe as the signalling on every hop.
    Sdes,
    /// SRTP with keys from DTLS whose fingerprint the signalling carried.
    Dtls,
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
    /// `null` without video.
    pub video: Option<CallVideoStatistics>,
}

/// Of a call's video: counters since it was added, rates of the last half second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CallVideoStatistics {
    /// Pictures encoded.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub frames_sent: u64,
    /// Pictures of the far end that were shown.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub frames_shown: u64,
    pub frames_per_second_sent: f32,
    pub frames_per_second_shown: f32,
    pub kbit_sent: f32,
    pub kbit_received: f32,
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub packets_lost: u64,
    /// Lost of what the far end sent, percent of the last report interval.
    pub loss_percent: f32,
    /// What the far end reports of our packets, percent; `null` before its first report.
    pub remote_loss_percent: Option<f32>,
    /// How often the picture stood still for longer than it should.
    pub freezes: u32,
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
    pub ringer: DeviceChoice,
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
    /// What others of this network reach; `null`: nothing.
    pub sharing: Option<SharingView>,
    /// Why it does not run, or that another port was taken.
    pub info: String,
    pub extensions: Vec<RegisteredExtension>,
    /// Names that can always be called: `echo`, `tone`.
    pub services: Vec<String>,
    /// What can be played here by name.
    pub streams: Vec<GatewayStream>,
    /// Browsers with a session here, the last hundred.
    pub clients: Vec<GatewayClient>,
    /// All of them.
    pub client_count: u32,
}

/// Where guests come in from other machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SharingView {
    /// `https://192.0.2.1:8443`, for each of our addresses; none where it could not be opened.
    pub urls: Vec<String>,
    /// Ours; 0 where it could not be opened.
    pub port: u16,
    /// The same for the world, where the settings say how it reaches us.
    pub public: Option<String>,
    /// SHA-256 of our own authority's certificate, which guests may compare; `null` where another one signed.
    pub fingerprint: Option<String>,
    /// Why it could not be opened, or that another port was taken.
    pub info: String,
}

/// A client of the embedded gateway with a session of its own, such as a page with the Web SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct GatewayClient {
    pub session_id: SessionId,
    /// The application that it names.
    pub app_key: String,
    /// `192.0.2.1:50000`.
    pub address: String,
    /// Where its page is from.
    pub origin: Option<String>,
    /// False while its session waits for it to come back.
    pub connected: bool,
    /// Milliseconds since 1970.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub since: u64,
    pub published: u32,
    pub played: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegisteredExtension {
    pub user: String,
    pub contact: String,
}
