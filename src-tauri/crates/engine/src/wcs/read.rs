//! What clients say.

use super::fields::Fields;
use crate::{ClientCall, ClientStream, Json, LONGEST_CLIENT_ID};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Characters of a name that is told back to who sent it.
const SHOWN: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    /// The first one: all that the client says of itself.
    Connection(Map<String, Value>),
    Ping,
    Pong,
    PublishStream(ClientStream),
    PlayStream(ClientStream),
    PauseStream {
        id: String,
    },
    UnPublishStream {
        id: String,
    },
    StopStream {
        id: String,
    },
    AvailableStream {
        id: String,
        name: String,
    },
    Snapshot {
        id: String,
        name: String,
    },
    SendStreamEvent {
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
        kind: String,
        dtmf: String,
    },
    Transfer {
        id: String,
        target: String,
    },
    /// Lines of the client's log.
    PushLogs {
        logs: String,
    },
    SubmitBugReport(Map<String, Value>),
    SessionDebug {
        start: bool,
    },
    /// What browsers measure; nobody asked for it.
    Metrics,
    /// Of another time, or of none.
    Unknown {
        name: String,
    },
}

/// Why something is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("this is not JSON: {0}")]
    NotJson(String),
    #[error("a message is an object with \"message\" and \"data\"")]
    NoMessage,
    #[error("{0} needs an object as its data")]
    NoObject(&'static str),
    #[error("{0}: {1} is longer than {LONGEST_CLIENT_ID} bytes")]
    LongId(&'static str, &'static str),
}

/// Whether this is a message that nothing comes of here: lines of a log, or what browsers measure. No value of it is made.
pub fn is_log(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    let envelope = serde_json::from_str::<Envelope<'_>>(text);
    envelope.is_ok_and(|envelope| {
        matches!(&*envelope.message, "pushLogs" | "webRTCMetricsClientDescription" | "webRTCMetricsBatch")
    })
}

const CALLS: [&str; 7] = ["call", "answer", "hangup", "hold", "unhold", "sendDtmf", "transfer"];

/// Reads one message.
///
/// # Errors
/// [`Malformed`], in words that are for its sender.
pub fn parse(text: &str) -> Result<ClientMessage, Malformed> {
    use ClientMessage as M;
    let value: Value = serde_json::from_str(text).map_err(|error| Malformed::NotJson(error.to_string()))?;
    let Value::Object(mut envelope) = value else { return Err(Malformed::NoMessage) };
    let Some(Value::String(name)) = envelope.remove("message") else { return Err(Malformed::NoMessage) };
    let first = match envelope.remove("data") {
        Some(Value::Array(mut data)) if !data.is_empty() => Some(data.swap_remove(0)),
        // As a socket for media writes its pongs.
        Some(value @ Value::Object(_)) => Some(value),
        _ => None,
    };
    let object = |name: &'static str| match first {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(Malformed::NoObject(name)),
    };
    if let Some(name) = CALLS.into_iter().find(|call| *call == name) {
        return call(name, &object(name)?);
    }
    match name.as_str() {
        "connection" => object("connection").map(M::Connection),
        "ping" => Ok(M::Ping),
        "pong" => Ok(M::Pong),
        "publishStream" => stream("publishStream", &object("publishStream")?).map(M::PublishStream),
        "playStream" => stream("playStream", &object("playStream")?).map(M::PlayStream),
        "pauseStream" => named("pauseStream", &object("pauseStream")?).map(|(id, _)| M::PauseStream { id }),
        "unPublishStream" => {
            named("unPublishStream", &object("unPublishStream")?).map(|(id, _)| M::UnPublishStream { id })
        }
        "stopStream" => named("stopStream", &object("stopStream")?).map(|(id, _)| M::StopStream { id }),
        "availableStream" => named("availableStream", &object("availableStream")?)
            .map(|(id, name)| M::AvailableStream { id, name }),
        "snapshot" => named("snapshot", &object("snapshot")?).map(|(id, name)| M::Snapshot { id, name }),
        "sendStreamEvent" => {
            let object = object("sendStreamEvent")?;
            let (id, fields) = (id("sendStreamEvent", &object, "mediaSessionId")?, Fields(&object));
            Ok(M::SendStreamEvent { id, kind: fields.text("type"), payload: fields.value("payload").into() })
        }
        "sendData" => {
            let object = object("sendData")?;
            let operation_id = id("sendData", &object, "operationId")?;
            Ok(M::SendData { operation_id, payload: Fields(&object).value("payload") })
        }
        "pushLogs" => Ok(M::PushLogs { logs: Fields(&object("pushLogs")?).text("logs") }),
        "submitBugReport" => object("submitBugReport").map(M::SubmitBugReport),
        "sessionDebug" => {
            let start = Fields(&object("sessionDebug")?).text("command") == "start";
            Ok(M::SessionDebug { start })
        }
        "webRTCMetricsClientDescription" | "webRTCMetricsBatch" => Ok(M::Metrics),
        _ => Ok(M::Unknown { name: shown(&name) }),
    }
}

fn call(name: &'static str, object: &Map<String, Value>) -> Result<ClientMessage, Malformed> {
    use ClientMessage as M;
    let (id, fields) = (id(name, object, "callId")?, Fields(object));
    Ok(match name {
        "call" => M::Call(ClientCall {
            id,
            callee: fields.text("callee"),
            sdp: fields.text("sdp"),
            visible_name: fields.text("visibleName"),
            custom: fields.present("custom"),
        }),
        "answer" => M::Answer { id, sdp: fields.text("sdp") },
        "hangup" => M::Hangup { id },
        "hold" => M::Hold { id },
        "unhold" => M::Unhold { id },
        "sendDtmf" => M::SendDtmf { id, kind: fields.text("type"), dtmf: fields.text("dtmf") },
        _ => M::Transfer { id, target: fields.text("target") },
    })
}

fn id(name: &'static str, object: &Map<String, Value>, key: &'static str) -> Result<String, Malformed> {
    let id = Fields(object).text(key);
    if id.len() > LONGEST_CLIENT_ID { Err(Malformed::LongId(name, key)) } else { Ok(id) }
}

fn named(name: &'static str, object: &Map<String, Value>) -> Result<(String, String), Malformed> {
    Ok((id(name, object, "mediaSessionId")?, Fields(object).text("name")))
}

fn stream(name: &'static str, object: &Map<String, Value>) -> Result<ClientStream, Malformed> {
    let (id, stream_name) = named(name, object)?;
    let fields = Fields(object);
    Ok(ClientStream {
        id,
        name: stream_name,
        sdp: fields.text("sdp"),
        provider: fields.text("mediaProvider"),
        has_audio: fields.flag("hasAudio"),
        has_video: fields.flag("hasVideo"),
        bitrate: fields.number("bitrate"),
        min_bitrate: fields.number("minBitrate"),
        max_bitrate: fields.number("maxBitrate"),
        width: fields.number("width"),
        height: fields.number("height"),
        quality: fields.number("quality"),
        record: fields.flag("record"),
        custom: fields.present("custom"),
    })
}

fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(SHOWN).collect()
}
