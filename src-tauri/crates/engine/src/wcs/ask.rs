//! What a client of another server says, as the Web SDK writes it: each message has one argument.

use crate::{ClientCall, ClientStream};
use serde_json::{Map, Value, json};

/// The version of the protocol that every client names.
const VERSION: &str = "2.0";
const PROVIDER: &str = "WebRTC";

/// What a client asks of a server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerAsk {
    /// The first message; see [`introduction`].
    Connect(Map<String, Value>),
    Ping,
    Pong,
    Publish(ClientStream),
    /// Play a name; or go on with what is paused, by the same id.
    Play(ClientStream),
    Pause {
        id: String,
        name: String,
    },
    UnPublish {
        id: String,
        name: String,
    },
    Stop {
        id: String,
        name: String,
    },
    Snapshot {
        id: String,
        name: String,
    },
    StreamEvent {
        id: String,
        kind: String,
        payload: Option<Value>,
    },
    Data {
        operation_id: String,
        payload: Value,
    },
    Call {
        call: ClientCall,
        caller: String,
    },
    Answer {
        id: String,
        callee: String,
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
    Dtmf {
        id: String,
        /// `RFC2833`, `INFO` or `INFO_RELAY`.
        kind: &'static str,
        dtmf: String,
    },
    Transfer {
        id: String,
        target: String,
    },
    Logs {
        /// With their line ends.
        logs: String,
    },
    Debug {
        start: bool,
    },
}

impl ServerAsk {
    /// One line of JSON.
    pub fn text(&self) -> String {
        let (name, argument) = self.parts();
        json!({ "message": name, "data": [argument] }).to_string()
    }

    /// As logs name it: there are no secrets in it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connection",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Publish(_) => "publishStream",
            Self::Play(_) => "playStream",
            Self::Pause { .. } => "pauseStream",
            Self::UnPublish { .. } => "unPublishStream",
            Self::Stop { .. } => "stopStream",
            Self::Snapshot { .. } => "snapshot",
            Self::StreamEvent { .. } => "sendStreamEvent",
            Self::Data { .. } => "sendData",
            Self::Call { .. } => "call",
            Self::Answer { .. } => "answer",
            Self::Hangup { .. } => "hangup",
            Self::Hold { .. } => "hold",
            Self::Unhold { .. } => "unhold",
            Self::Dtmf { .. } => "sendDtmf",
            Self::Transfer { .. } => "transfer",
            Self::Logs { .. } => "pushLogs",
            Self::Debug { .. } => "sessionDebug",
        }
    }

    fn parts(&self) -> (&'static str, Value) {
        let named = |id: &str, name: &str| json!({ "mediaSessionId": id, "name": name });
        let argument = match self {
            Self::Connect(fields) => json!(fields),
            Self::Ping | Self::Pong => Value::Null,
            Self::Publish(stream) => offered(stream, true),
            Self::Play(stream) => offered(stream, false),
            Self::Pause { id, name } | Self::Stop { id, name } => ended(id, name, false),
            Self::UnPublish { id, name } => ended(id, name, true),
            Self::Snapshot { id, name } => named(id, name),
            Self::StreamEvent { id, kind, payload } => {
                let mut event = json!({ "mediaSessionId": id, "type": kind });
                put(&mut event, "payload", payload.clone());
                event
            }
            Self::Data { operation_id, payload } => {
                json!({ "operationId": operation_id, "payload": payload })
            }
            Self::Call { call, caller } => {
                let mut argument = json!({
                    "callId": call.id, "incoming": false, "hasVideo": false, "hasAudio": true, "status": "PENDING",
                    "mediaProvider": PROVIDER, "sdp": call.sdp, "caller": caller, "callee": call.callee,
                    "visibleName": call.visible_name,
                });
                put(&mut argument, "custom", call.custom.clone());
                argument
            }
            Self::Answer { id, callee, sdp } => json!({
                "callId": id, "incoming": true, "hasVideo": false, "hasAudio": true, "status": "PENDING",
                "mediaProvider": PROVIDER, "sdp": sdp, "callee": callee,
            }),
            Self::Hangup { id } | Self::Hold { id } | Self::Unhold { id } => json!({ "callId": id }),
            Self::Dtmf { id, kind, dtmf } => json!({ "callId": id, "type": kind, "dtmf": dtmf }),
            Self::Transfer { id, target } => json!({ "callId": id, "target": target }),
            Self::Logs { logs } => json!({ "logs": logs }),
            Self::Debug { start } => json!({ "command": if *start { "start" } else { "stop" } }),
        };
        (self.name(), argument)
    }
}

/// What every first message has.
pub fn introduction(app_key: &str) -> Map<String, Value> {
    let said = [
        ("appKey", json!(app_key)),
        ("mediaProviders", json!([PROVIDER])),
        ("keepAlive", json!(true)),
        ("clientVersion", json!(VERSION)),
        ("clientOSVersion", json!(std::env::consts::OS)),
        ("clientBrowserVersion", json!(concat!("Sidetone/", env!("CARGO_PKG_VERSION")))),
    ];
    said.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn offered(stream: &ClientStream, published: bool) -> Value {
    let mut argument = json!({
        "mediaSessionId": stream.id, "name": stream.name, "published": published, "hasVideo": stream.has_video,
        "hasAudio": stream.has_audio, "status": "PENDING", "record": stream.record, "mediaProvider": PROVIDER,
        "sdp": stream.sdp, "bitrate": stream.bitrate, "minBitrate": stream.min_bitrate,
        "maxBitrate": stream.max_bitrate, "transport": "UDP",
    });
    if !published {
        for (key, value) in [("width", stream.width), ("height", stream.height), ("quality", stream.quality)]
        {
            put(&mut argument, key, Some(json!(value)));
        }
    }
    put(&mut argument, "custom", stream.custom.clone());
    argument
}

fn ended(id: &str, name: &str, published: bool) -> Value {
    let status = if published { "PUBLISHING" } else { "PLAYING" };
    json!({
        "mediaSessionId": id, "name": name, "published": published, "hasVideo": true, "hasAudio": true,
        "status": status, "record": false, "mediaProvider": PROVIDER,
    })
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value);
    }
}
