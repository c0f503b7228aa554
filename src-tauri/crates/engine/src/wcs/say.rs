//! What we say.

use crate::{ClientNews, Json};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use sidetone_api::CallStatus;

#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage {
    Ping,
    Pong,
    /// The session stands.
    UserData(Map<String, Value>),
    /// What becomes of what was asked, and what comes from elsewhere.
    News(ClientNews),
}

impl ServerMessage {
    /// One line of JSON.
    pub fn text(&self) -> String {
        let (name, data) = match self {
            Self::News(news) => return told(news),
            Self::Ping => ("ping", json!([])),
            Self::Pong => ("pong", json!([])),
            Self::UserData(connection) => ("getUserData", json!([connection])),
        };
        json!({ "message": name, "data": data }).to_string()
    }

    /// What was said came to nothing.
    pub fn failed(event: Option<&'static str>, info: impl Into<String>) -> Self {
        Self::News(ClientNews::Failed { event, id: None, info: info.into() })
    }

    /// Figures, of which a client that is late loses some.
    pub fn is_measurement(&self) -> bool {
        matches!(self, Self::News(ClientNews::VideoRate { .. }))
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

/// One line of JSON.
fn told(news: &ClientNews) -> String {
    use ClientNews as N;
    let (name, data) = match news {
        N::StreamEvent { id, kind, payload } => return event(id, kind, payload),
        N::Snapshot { id, png: Ok(png) } => {
            let payload = json!({ "snapshot": BASE64_STANDARD.encode(png) });
            return event(id, "snapshotCompleted", &payload.into());
        }
        N::Snapshot { id, png: Err(info) } => {
            return event(id, "snapshotFailed", &json!({ "info": info }).into());
        }
        N::Data { operation_id, payload } => {
            return carrying("OnDataEvent", &json!({ "operationId": operation_id }), payload);
        }
        // The SDK creates no streams after it.
        N::Registered => ("registered", json!([{}])),
        N::Failed { event, id, info } => {
            let mut fail = json!({ "status": "FAILED", "info": info });
            if let (Some(fail), Some(event)) = (fail.as_object_mut(), event) {
                fail.insert("apiMethod".into(), json!(event));
            }
            // The end of that stream.
            if let (Some(fail), Some(id)) = (fail.as_object_mut(), id) {
                fail.insert("id".into(), json!(id));
            }
            ("fail", json!([fail]))
        }
        // By position: native clients read the third, "this answers your offer", too.
        N::Description { id, sdp, is_answer } => ("setRemoteSDP", json!([id, sdp, is_answer])),
        N::Stream(view) => ("notifyStreamStatusEvent", json!([view])),
        N::IncomingCall(view) => ("notifyIncomingCall", json!([view])),
        // The name only leads to the call: the page hears the status.
        N::Call(view) => (call_message(view.status), json!([view])),
        N::Transferred { id, target } => {
            let event = json!({ "callId": id, "target": target, "status": "COMPLETED" });
            ("notifyTransferEvent", json!([event]))
        }
        N::Available { id, available, info } => {
            // A text: the SDK takes `true` for a no.
            let status = if *available { "true" } else { "false" };
            ("availableStream", json!([{ "id": id, "status": status, "info": info }]))
        }
        N::VideoRate { id, inbound, bits } => {
            let name = if *inbound { "inboundVideoRate" } else { "outboundVideoRate" };
            (name, json!([{ "mediaSessionId": id, "videoRate": bits }]))
        }
        N::DataStatus { operation_id, accepted, info } => {
            let status = if *accepted { "ACCEPTED" } else { "FAILED" };
            let mut event = json!({ "operationId": operation_id, "status": status });
            if let (Some(event), false) = (event.as_object_mut(), info.is_empty()) {
                event.insert("info".into(), json!(info));
            }
            ("DataStatusEvent", json!([event]))
        }
        N::Reported { file } => ("notifyBugReport", json!([file])),
        N::Debug { started, info } => {
            let status = if *started { "STARTED" } else { "STOPPED" };
            ("notifySessionDebugEvent", json!([{ "status": status, "info": info }]))
        }
    };
    json!({ "message": name, "data": data }).to_string()
}

fn event(id: &str, kind: &str, payload: &Json) -> String {
    carrying("notifyStreamEvent", &json!({ "mediaSessionId": id, "type": kind }), payload)
}

impl From<ClientNews> for ServerMessage {
    fn from(news: ClientNews) -> Self {
        Self::News(news)
    }
}

/// Why a connection is not a session: the client is told, and then closed.
pub fn refusal(info: impl Into<String>) -> ServerMessage {
    ServerMessage::failed(Some("ConnectionStatusEvent"), info)
}
