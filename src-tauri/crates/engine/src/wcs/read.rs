//! What clients say.

use super::fields::Fields;
use crate::{ClientAsk, ClientCall, ClientStream, LONGEST_CLIENT_ID};
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
    /// What the session is asked for.
    Ask(ClientAsk),
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

/// What comes in floods beside the messages.
#[derive(Debug, PartialEq, Eq)]
pub enum Flood {
    /// Lines of the client's log.
    Logs(String),
    /// What browsers measure; nobody asked for it.
    Metrics,
}

/// `None` where it is something else. No value is made of it but the lines.
pub fn flood(text: &str) -> Option<Flood> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Logs<'a> {
        #[serde(borrow)]
        data: (Lines<'a>,),
    }
    #[derive(Deserialize)]
    struct Lines<'a> {
        #[serde(borrow)]
        logs: Cow<'a, str>,
    }
    match &*serde_json::from_str::<Envelope<'_>>(text).ok()?.message {
        "pushLogs" => {
            let logs = serde_json::from_str::<Logs<'_>>(text);
            Some(Flood::Logs(logs.map(|logs| logs.data.0.logs.into_owned()).unwrap_or_default()))
        }
        "webRTCMetricsClientDescription" | "webRTCMetricsBatch" => Some(Flood::Metrics),
        _ => None,
    }
}

const CALLS: [&str; 7] = ["call", "answer", "hangup", "hold", "unhold", "sendDtmf", "transfer"];

/// Reads one message.
///
/// # Errors
/// [`Malformed`], in words that are for its sender.
pub fn parse(text: &str) -> Result<ClientMessage, Malformed> {
    use {ClientAsk as A, ClientMessage as M};
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
        return call(name, &object(name)?).map(M::Ask);
    }
    match name.as_str() {
        "connection" => object("connection").map(M::Connection),
        "ping" => Ok(M::Ping),
        "pong" => Ok(M::Pong),
        "publishStream" => stream("publishStream", &object("publishStream")?).map(A::Publish).map(M::Ask),
        "playStream" => stream("playStream", &object("playStream")?).map(A::Play).map(M::Ask),
        "pauseStream" => named("pauseStream", &object("pauseStream")?).map(|(id, _)| M::Ask(A::Pause { id })),
        "unPublishStream" => {
            named("unPublishStream", &object("unPublishStream")?).map(|(id, _)| M::Ask(A::UnPublish { id }))
        }
        "stopStream" => named("stopStream", &object("stopStream")?).map(|(id, _)| M::Ask(A::Stop { id })),
        "availableStream" => named("availableStream", &object("availableStream")?)
            .map(|(id, name)| M::Ask(A::Available { id, name })),
        "snapshot" => {
            named("snapshot", &object("snapshot")?).map(|(id, name)| M::Ask(A::Snapshot { id, name }))
        }
        "sendStreamEvent" => {
            let object = object("sendStreamEvent")?;
            let (id, fields) = (id("sendStreamEvent", &object, "mediaSessionId")?, Fields(&object));
            let payload = fields.value("payload").into();
            Ok(M::Ask(A::StreamEvent { id, kind: fields.text("type"), payload }))
        }
        "sendData" => {
            let object = object("sendData")?;
            let operation_id = id("sendData", &object, "operationId")?;
            Ok(M::Ask(A::SendData { operation_id, payload: Fields(&object).value("payload") }))
        }
        "submitBugReport" => object("submitBugReport").map(A::SubmitBugReport).map(M::Ask),
        "sessionDebug" => {
            let start = Fields(&object("sessionDebug")?).text("command") == "start";
            Ok(M::Ask(A::SessionDebug { start }))
        }
        _ => Ok(M::Unknown { name: shown(&name) }),
    }
}

fn call(name: &'static str, object: &Map<String, Value>) -> Result<ClientAsk, Malformed> {
    use ClientAsk as A;
    let (id, fields) = (id(name, object, "callId")?, Fields(object));
    Ok(match name {
        "call" => A::Call(ClientCall {
            id,
            callee: fields.text("callee"),
            sdp: fields.text("sdp"),
            visible_name: fields.text("visibleName"),
            custom: fields.present("custom"),
        }),
        "answer" => A::Answer { id, sdp: fields.text("sdp") },
        "hangup" => A::Hangup { id },
        "hold" => A::Hold { id },
        "unhold" => A::Unhold { id },
        "sendDtmf" => A::SendDtmf { id, kind: fields.text("type"), dtmf: fields.text("dtmf") },
        _ => A::Transfer { id, target: fields.text("target") },
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
