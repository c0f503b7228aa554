//! What we say.

use crate::{ClientCallView, ClientNews, ClientStreamView, Json};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use sidetone_api::CallStatus;

#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage {
    Ping,
    Pong,
    /// The session stands.
    UserData(Map<String, Value>),
    /// The session's SIP account is registered. The SDK creates no streams after it.
    Registered,
    /// Something failed; with `id` it is the end of that stream.
    Fail {
        event: Option<&'static str>,
        id: Option<String>,
        info: String,
    },
    RemoteSdp {
        id: String,
        sdp: String,
        is_answer: bool,
    },
    StreamStatus(Box<ClientStreamView>),
    IncomingCall(Box<ClientCallView>),
    CallStatus(Box<ClientCallView>),
    /// A transfer has come to its end.
    Transferred {
        id: String,
        target: String,
    },
    StreamEvent {
        id: String,
        kind: String,
        payload: Json,
    },
    AvailableStream {
        id: String,
        available: bool,
        info: String,
    },
    /// Bits a second.
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
    Data {
        operation_id: String,
        payload: Json,
    },
    SessionDebug {
        started: bool,
    },
}

impl ServerMessage {
    /// One line of JSON.
    pub fn text(&self) -> String {
        let (name, data) = match self {
            Self::StreamEvent { id, kind, payload } => {
                let event = json!({ "mediaSessionId": id, "type": kind });
                return carrying("notifyStreamEvent", &event, payload);
            }
            Self::Data { operation_id, payload } => {
                return carrying("OnDataEvent", &json!({ "operationId": operation_id }), payload);
            }
            Self::Ping => ("ping", json!([])),
            Self::Pong => ("pong", json!([])),
            Self::UserData(connection) => ("getUserData", json!([connection])),
            Self::Registered => ("registered", json!([{}])),
            Self::Fail { event, id, info } => {
                let mut fail = json!({ "status": "FAILED", "info": info });
                if let (Some(fail), Some(event)) = (fail.as_object_mut(), event) {
                    fail.insert("apiMethod".into(), json!(event));
                }
                if let (Some(fail), Some(id)) = (fail.as_object_mut(), id) {
                    fail.insert("id".into(), json!(id));
                }
                ("fail", json!([fail]))
            }
            // By position: native clients read the third, "this answers your offer", too.
            Self::RemoteSdp { id, sdp, is_answer } => ("setRemoteSDP", json!([id, sdp, is_answer])),
            Self::StreamStatus(view) => ("notifyStreamStatusEvent", json!([view])),
            Self::IncomingCall(view) => ("notifyIncomingCall", json!([view])),
            // The name only leads to the call: the page hears the status.
            Self::CallStatus(view) => (call_message(view.status), json!([view])),
            Self::Transferred { id, target } => {
                let event = json!({ "callId": id, "target": target, "status": "COMPLETED" });
                ("notifyTransferEvent", json!([event]))
            }
            Self::AvailableStream { id, available, info } => {
                // A text: the SDK takes `true` for a no.
                let status = if *available { "true" } else { "false" };
                ("availableStream", json!([{ "id": id, "status": status, "info": info }]))
            }
            Self::VideoRate { id, inbound, bits } => {
                let name = if *inbound { "inboundVideoRate" } else { "outboundVideoRate" };
                (name, json!([{ "mediaSessionId": id, "videoRate": bits }]))
            }
            Self::DataStatus { operation_id, accepted, info } => {
                let status = if *accepted { "ACCEPTED" } else { "FAILED" };
                let mut event = json!({ "operationId": operation_id, "status": status });
                if let (Some(event), false) = (event.as_object_mut(), info.is_empty()) {
                    event.insert("info".into(), json!(info));
                }
                ("DataStatusEvent", json!([event]))
            }
            Self::SessionDebug { started } => {
                let status = if *started { "STARTED" } else { "STOPPED" };
                ("notifySessionDebugEvent", json!([{ "status": status }]))
            }
        };
        json!({ "message": name, "data": data }).to_string()
    }

    /// Figures, of which a client that is late loses some.
    pub fn is_measurement(&self) -> bool {
        matches!(self, Self::VideoRate { .. })
    }
}

/// With what is passed on as it is, and never read.
fn carrying(name: &str, event: &Value, payload: &Json) -> String {
    let event = event.to_string();
    let fields = event.strip_suffix('}').unwrap_or_default();
    let payload = payload.as_str();
    format!(r#"{{"message":"{name}","data":[{fields},"payload":{payload}}}]}}"#)
}

fn call_message(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Trying => "notifyTryingResponse",
        CallStatus::Ring | CallStatus::SessionProgress => "ring",
        CallStatus::Established => "talk",
        CallStatus::Hold => "hold",
        CallStatus::Finish | CallStatus::Busy | CallStatus::Failed => "finish",
    }
}

impl From<ClientNews> for ServerMessage {
    fn from(news: ClientNews) -> Self {
        match news {
            ClientNews::Description { id, sdp, is_answer } => Self::RemoteSdp { id, sdp, is_answer },
            ClientNews::Stream(view) => Self::StreamStatus(view),
            ClientNews::StreamEvent { id, kind, payload } => Self::StreamEvent { id, kind, payload },
            ClientNews::Available { id, available, info } => Self::AvailableStream { id, available, info },
            ClientNews::Snapshot { id, png: Ok(png) } => {
                let payload = json!({ "snapshot": BASE64_STANDARD.encode(png) });
                Self::StreamEvent { id, kind: "snapshotCompleted".into(), payload: payload.into() }
            }
            ClientNews::Snapshot { id, png: Err(info) } => Self::StreamEvent {
                id,
                kind: "snapshotFailed".into(),
                payload: json!({ "info": info }).into(),
            },
            ClientNews::VideoRate { id, inbound, bits } => Self::VideoRate { id, inbound, bits },
            ClientNews::DataStatus { operation_id, accepted, info } => {
                Self::DataStatus { operation_id, accepted, info }
            }
            ClientNews::Data { operation_id, payload } => Self::Data { operation_id, payload },
            ClientNews::Registered => Self::Registered,
            ClientNews::IncomingCall(view) => Self::IncomingCall(view),
            ClientNews::Call(view) => Self::CallStatus(view),
            ClientNews::Transferred { id, target } => Self::Transferred { id, target },
            ClientNews::Failed { event, id, info } => Self::Fail { event, id, info },
        }
    }
}

/// Why a connection is not a session: the client is told, and then closed.
pub fn refusal(info: impl Into<String>) -> ServerMessage {
    ServerMessage::Fail { event: Some("ConnectionStatusEvent"), id: None, info: info.into() }
}
