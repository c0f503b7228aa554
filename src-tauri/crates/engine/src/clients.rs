//! What clients of the gateway ask of the engine over a connection of their own, such as browsers with the Web SDK, and what
//! they are told.
//!
//! The gateway knows the wire. Here are sessions, streams by the ids that their clients gave them, and statuses in the contract's
//! words. A client's ids are its own: what another one names by them is not there.

use serde::Serialize;
use serde_json::{Map, Value};
use sidetone_api::{CallStatus, SessionId, StreamStatus};
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// News that wait for one client. One that has more waiting is closed: it does not read them.
pub(crate) const MOST_NEWS: usize = 256;
/// Bytes of an id that a client gives to a stream, a call or a message.
pub const LONGEST_CLIENT_ID: usize = 128;

/// JSON as it is written, to be passed on: what is read of it may take a hundred times as much memory, for each who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

/// How a client introduces itself.
#[derive(Clone)]
pub struct ClientOpening {
    /// All that it said, for its backend. There may be a password among it.
    pub fields: Map<String, Value>,
    pub app_key: String,
    /// Of the session that it had before, which it wants back.
    pub auth_token: Option<String>,
    /// Its session is to outlive its connection for a while.
    pub keep_alive: bool,
    pub remote: SocketAddr,
    pub local: SocketAddr,
    pub origin: Option<String>,
    /// A program with the rights of the REST API opens it: no token of streams is asked for.
    pub trusted: bool,
    /// Comes from another machine by an invite, and may do what that says alone.
    pub is_guest: bool,
}

impl fmt::Debug for ClientOpening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOpening").field("app_key", &self.app_key).field("remote", &self.remote).finish()
    }
}

/// A session that was opened. It ends when nobody receives its news any more.
#[derive(Debug)]
pub struct ClientOpened {
    pub session_id: SessionId,
    /// Which of the session's connections this is: what is asked by another one is not carried out.
    pub connected: u64,
    /// What the client hears of itself, passwords left out: `authToken`, `sipLogin`, …
    pub connection: Map<String, Value>,
    pub news: ClientNewsReader,
}

/// What a client is told. Dropped, its connection has ended.
#[derive(Debug)]
pub struct ClientNewsReader {
    told: mpsc::Receiver<ClientNews>,
    _present: Option<oneshot::Sender<()>>,
}

impl ClientNewsReader {
    /// Of whoever stands in for the engine.
    pub fn of(told: mpsc::Receiver<ClientNews>) -> Self {
        Self { told, _present: None }
    }

    /// With `present`, whose other side hears of the end.
    pub(crate) fn watched(told: mpsc::Receiver<ClientNews>, present: oneshot::Sender<()>) -> Self {
        Self { told, _present: Some(present) }
    }

    /// `None` when the engine has closed the session, or another connection has taken it.
    pub async fn next(&mut self) -> Option<ClientNews> {
        self.told.recv().await
    }

    /// The engine tells no more than what waits here.
    pub fn is_over(&self) -> bool {
        self.told.is_closed()
    }
}

/// Why a session was not opened, for the client to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{info}")]
pub struct ClientRefused {
    pub info: String,
}

/// A stream that a client wants to publish or to play, as it describes it.
#[derive(Clone, Default, PartialEq)]
pub struct ClientStream {
    /// Chosen by the client.
    pub id: String,
    pub name: String,
    /// Its offer.
    pub sdp: String,
    /// `WebRTC`; others are refused.
    pub provider: String,
    pub has_audio: bool,
    pub has_video: bool,
    /// kbit/s, 0 where it did not say.
    pub bitrate: u32,
    pub min_bitrate: u32,
    pub max_bitrate: u32,
    pub width: u32,
    pub height: u32,
    pub quality: u32,
    pub record: bool,
    /// The page's own, for its backend.
    pub custom: Option<Value>,
}

impl fmt::Debug for ClientStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A call that a client wants to place.
#[derive(Clone, Default, PartialEq)]
pub struct ClientCall {
    /// Chosen by the client.
    pub id: String,
    pub callee: String,
    /// Its offer.
    pub sdp: String,
    /// Of the caller, for the callee.
    pub visible_name: String,
    pub custom: Option<Value>,
}

impl fmt::Debug for ClientCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCall").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a client asks for. Nothing is answered at once: what comes of it is among its news.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientAsk {
    Publish(ClientStream),
    /// Play a name; or go on with what is paused, by the same id.
    Play(ClientStream),
    Pause {
        id: String,
    },
    UnPublish {
        id: String,
    },
    Stop {
        id: String,
    },
    /// Is there a stream of this name?
    Available {
        id: String,
        name: String,
    },
    Snapshot {
        id: String,
        name: String,
    },
    /// For all who have to do with the stream: `audioMuted`, `data`, …
    StreamEvent {
        id: String,
        kind: String,
        payload: Json,
    },
    SendData {
        operation_id: String,
        payload: Value,
    },
    Call(ClientCall),
    Answer {
        id: String,
        /// Its answer.
        sdp: String,
    },
    Hangup {
        id: String,
    },
    Hold {
        id: String,
    },
    Unhold {
        id: String,
    },
    SendDtmf {
        id: String,
        /// `RFC2833`, `INFO` or `INFO_RELAY`.
        kind: String,
        dtmf: String,
    },
    Transfer {
        id: String,
        target: String,
    },
    /// What a page says of a trouble that it had, in fields of its own.
    SubmitBugReport(Map<String, Value>),
    /// Lines of the client's log since the last ones, and how many there were besides.
    PushLogs {
        logs: String,
        left_out: u32,
    },
    /// Begin to keep logs of the session, or end it.
    SessionDebug {
        start: bool,
    },
}

impl ClientAsk {
    /// As the message of the wire is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Publish(_) => "publishStream",
            Self::Play(_) => "playStream",
            Self::Pause { .. } => "pauseStream",
            Self::UnPublish { .. } => "unPublishStream",
            Self::Stop { .. } => "stopStream",
            Self::Available { .. } => "availableStream",
            Self::Snapshot { .. } => "snapshot",
            Self::StreamEvent { .. } => "sendStreamEvent",
            Self::SendData { .. } => "sendData",
            Self::Call(_) => "call",
            Self::Answer { .. } => "answer",
            Self::Hangup { .. } => "hangup",
            Self::Hold { .. } => "hold",
            Self::Unhold { .. } => "unhold",
            Self::SendDtmf { .. } => "sendDtmf",
            Self::Transfer { .. } => "transfer",
            Self::SubmitBugReport(_) => "submitBugReport",
            Self::PushLogs { .. } => "pushLogs",
            Self::SessionDebug { .. } => "sessionDebug",
        }
    }
}

/// What a client is told, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientNews {
    /// Our description for the client's leg of this id; there is one, and no other follows.
    Description {
        id: String,
        sdp: String,
        is_answer: bool,
    },
    /// A status of a stream.
    Stream(Box<ClientStreamView>),
    StreamEvent {
        id: String,
        kind: String,
        payload: Json,
    },
    Available {
        id: String,
        available: bool,
        info: String,
    },
    /// A PNG of the stream's picture, or why there is none.
    Snapshot {
        id: String,
        png: Result<Vec<u8>, String>,
    },
    /// Bits a second of video that came from the client (`inbound`), or went to it.
    VideoRate {
        id: String,
        inbound: bool,
        bits: u64,
    },
    DataStatus {
        operation_id: String,
        accepted: bool,
        info: String,
    },
    /// Data from elsewhere.
    Data {
        operation_id: String,
        payload: Json,
    },
    /// The session's SIP account is registered.
    Registered,
    /// After the description of its leg, and before its first status.
    IncomingCall(Box<ClientCallView>),
    /// A status of a call.
    Call(Box<ClientCallView>),
    /// The far end of a call has become somebody else's.
    Transferred {
        id: String,
        target: String,
    },
    /// The client's bug report is stored as this file.
    Reported {
        file: String,
    },
    /// Whether logs of the session are kept, and why not.
    Debug {
        started: bool,
        info: String,
    },
    /// An ask came to nothing, and there is no object whose status could say it; or the backend would not hear of an event.
    Failed {
        /// The event that would have told of it.
        event: Option<&'static str>,
        id: Option<String>,
        info: String,
    },
}

/// A client's stream as it is told to the client and to its backend, in the words of the wire.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientStreamView {
    pub node_id: String,
    pub app_key: String,
    pub session_id: String,
    pub media_session_id: String,
    pub name: String,
    pub published: bool,
    pub has_video: bool,
    pub has_audio: bool,
    pub status: StreamStatus,
    pub info: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_codec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_codec: Option<String>,
    pub record: bool,
    pub width: u32,
    pub height: u32,
    pub bitrate: u32,
    pub min_bitrate: u32,
    pub max_bitrate: u32,
    pub quality: u32,
    pub history: bool,
    pub gop: u32,
    pub fps: u32,
    pub audio_bitrate: u32,
    pub codec_impl: &'static str,
    pub transport: &'static str,
    pub cvo_extension: bool,
    /// Milliseconds since 1970.
    pub create_date: u64,
    pub media_type: &'static str,
    pub audio_state: Muted,
    pub video_state: Muted,
    pub media_provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

/// A client's call, in the same words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCallView {
    pub node_id: String,
    pub app_key: String,
    pub session_id: String,
    pub call_id: String,
    pub incoming: bool,
    pub status: CallStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    pub info: String,
    pub caller: String,
    pub callee: String,
    pub visible_name: String,
    pub has_audio: bool,
    pub has_video: bool,
    pub media_provider: &'static str,
    pub is_msrp: bool,
    pub hold_for_transfer: bool,
    /// The far end's message that ended it, without credentials and body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_message_raw: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Muted {
    pub muted: bool,
}
