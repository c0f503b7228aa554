//! What servers say. One of another time or maker is understood as far as it can be: unknown fields and messages are passed over,
//! numbers may be texts; what is needed and cannot be read is named.

use super::fields::Fields;
use serde_json::{Map, Value};
use sidetone_api::CallStatus;

/// Bytes of one message: a snapshot comes as a text.
pub const LONGEST_OF_SERVER: usize = 12 * 1024 * 1024;
/// Of an id, a name, a reason.
const LONGEST_TEXT: usize = 4 * 1024;
/// Of a description.
const LONGEST_SDP: usize = 128 * 1024;
/// A longer message must be mostly text.
const LONGEST_OF_VALUES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub enum ServerSaid {
    Ping,
    /// The session stands.
    Accepted(Map<String, Value>),
    /// The session's SIP account is registered.
    Registered,
    /// Something failed; with `id` it is the end of that stream or call.
    Failed {
        event: String,
        id: String,
        info: String,
    },
    /// The server's description for the leg of this id; `None`: it does not say whether it is an answer.
    Description {
        id: String,
        sdp: String,
        is_answer: Option<bool>,
    },
    Stream {
        id: String,
        status: String,
        info: String,
    },
    StreamEvent {
        id: String,
        kind: String,
        payload: Value,
    },
    IncomingCall(SaidOfCall),
    Call(SaidOfCall),
    Transfer {
        id: String,
        status: String,
        target: String,
        info: String,
    },
    DataStatus {
        operation_id: String,
        status: String,
        info: String,
    },
    Data {
        operation_id: String,
        payload: Value,
    },
    Debug {
        status: String,
        /// Where the logs are, or why there are none.
        info: String,
    },
    /// What is known and of no use here: rates, codecs, answers to pings.
    Nothing,
    Unknown {
        name: String,
    },
}

/// What a message says of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidOfCall {
    pub id: String,
    pub status: Option<CallStatus>,
    pub info: String,
    pub sip_status: Option<u16>,
    pub caller: String,
    pub callee: String,
    pub visible_name: String,
}

/// What cannot be read, in words that name the message and its field; with the id of what it was about, where it had one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's message cannot be read: {words}")]
pub struct Unreadable {
    pub words: String,
    pub id: Option<String>,
}

impl Unreadable {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), id: None }
    }
}

/// Reads one message of a server.
///
/// # Errors
/// [`Unreadable`].
pub fn hear(text: &str) -> Result<ServerSaid, Unreadable> {
    use ServerSaid as S;
    if text.len() > LONGEST_OF_VALUES && !super::is_mostly_text(text) {
        return Err(Unreadable::new(format!(
            "{} bytes are too many for one that is not mostly text",
            text.len()
        )));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| Unreadable::new(format!("it is no JSON: {error}")))?;
    let Value::Object(mut envelope) = value else { return Err(Unreadable::new("it is no object")) };
    let name = match envelope.remove("message") {
        Some(Value::String(name)) if name.len() <= LONGEST_TEXT => name,
        Some(_) => return Err(Unreadable::new("message: it is no name")),
        None => return Err(Unreadable::new("message: it is absent")),
    };
    let data = match envelope.remove("data") {
        Some(Value::Array(data)) => data,
        Some(Value::Null) | None => Vec::new(),
        Some(value) => vec![value],
    };
    match name.as_str() {
        "ping" => return Ok(S::Ping),
        "pong"
        | "getVersion"
        | "notifyAudioCodec"
        | "notifyVideoFormat"
        | "outboundVideoRate"
        | "inboundVideoRate"
        | "notifyBugReport"
        | "notifyRecordComplete"
        | "notifyMessage"
        | "availableStream"
        | "binaryData"
        | "webRTCMetricsTokenRefresh"
        | "webRTCMetricsDescriptionUpdate" => return Ok(S::Nothing),
        "registered" => return Ok(S::Registered),
        "setRemoteSDP" => return description(&data),
        _ => {}
    }
    let known = [
        "getUserData",
        "fail",
        "notifyStreamStatusEvent",
        "notifyStreamEvent",
        "notifyIncomingCall",
        "notifyTryingResponse",
        "ring",
        "talk",
        "hold",
        "finish",
        "busy",
        "sessionProgress",
        "callbackHold",
        "notifyTransferEvent",
        "DataStatusEvent",
        "OnDataEvent",
        "notifySessionDebugEvent",
    ];
    let Some(name) = known.into_iter().find(|known| *known == name) else {
        return Ok(S::Unknown { name: name.chars().filter(|it| !it.is_control()).take(64).collect() });
    };
    let Some(Value::Object(object)) = data.into_iter().next() else {
        return Err(Unreadable::new(format!("{name}: data[0] is no object")));
    };
    let said = Said { name, fields: Fields(&object) };
    match name {
        "getUserData" => Ok(S::Accepted(object)),
        "fail" => Ok(S::Failed {
            event: said.optional("apiMethod")?,
            id: said.optional("id")?,
            info: said.optional("info")?,
        }),
        "notifyStreamStatusEvent" => {
            let id = said.text("mediaSessionId")?;
            let rest = || Ok((said.text("status")?, said.optional("info")?));
            let (status, info) = rest().map_err(|error| of(error, &id))?;
            Ok(S::Stream { id, status, info })
        }
        "notifyStreamEvent" => {
            let id = said.text("mediaSessionId")?;
            let kind = said.text("type").map_err(|error| of(error, &id))?;
            Ok(S::StreamEvent { id, kind, payload: said.fields.value("payload") })
        }
        "notifyIncomingCall" => said.call().map(S::IncomingCall),
        "notifyTransferEvent" => {
            let id = said.text("callId")?;
            let rest = || Ok((said.text("status")?, said.optional("target")?, said.optional("info")?));
            let (status, target, info) = rest().map_err(|error| of(error, &id))?;
            Ok(S::Transfer { id, status, target, info })
        }
        "DataStatusEvent" => Ok(S::DataStatus {
            operation_id: said.text("operationId")?,
            status: said.text("status")?,
            info: said.optional("info")?,
        }),
        "OnDataEvent" => {
            let operation_id = said.optional("operationId")?;
            Ok(S::Data { operation_id, payload: said.fields.value("payload") })
        }
        "notifySessionDebugEvent" => {
            let file = said.optional("file")?;
            let info = if file.is_empty() { said.optional("info")? } else { file };
            Ok(S::Debug { status: said.text("status")?, info })
        }
        _ => said.call().map(S::Call),
    }
}

fn of(error: Unreadable, id: &str) -> Unreadable {
    Unreadable { id: Some(id.to_owned()), ..error }
}

/// By position: the id, the description, whether it is an answer.
fn description(data: &[Value]) -> Result<ServerSaid, Unreadable> {
    let Some(Value::String(id)) = data.first().filter(|id| id.as_str().is_some_and(is_short)) else {
        return Err(Unreadable::new("setRemoteSDP: data[0] (whose description it is) is no id"));
    };
    let Some(sdp) = data.get(1).and_then(Value::as_str).filter(|sdp| sdp.len() <= LONGEST_SDP) else {
        return Err(of(
            Unreadable::new("setRemoteSDP: data[1] (the description) is no text, or too long"),
            id,
        ));
    };
    let is_answer = data.get(2).and_then(Value::as_bool);
    Ok(ServerSaid::Description { id: id.clone(), sdp: sdp.to_owned(), is_answer })
}

fn is_short(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_TEXT
}

/// A message with an object.
struct Said<'a> {
    name: &'static str,
    fields: Fields<'a>,
}

impl Said<'_> {
    /// What must be there.
    fn text(&self, key: &str) -> Result<String, Unreadable> {
        let text = self.optional(key)?;
        if text.is_empty() {
            return Err(Unreadable::new(format!("{}: {key} is absent", self.name)));
        }
        Ok(text)
    }

    /// Empty where it is absent.
    fn optional(&self, key: &str) -> Result<String, Unreadable> {
        let wrong = |what: &str| Err(Unreadable::new(format!("{}: {key} is {what}", self.name)));
        match self.fields.0.get(key) {
            None | Some(Value::Null) => return Ok(String::new()),
            Some(Value::String(_) | Value::Number(_)) => {}
            Some(_) => return wrong("no text"),
        }
        let text = self.fields.text(key);
        if text.len() > LONGEST_TEXT { wrong("too long") } else { Ok(text) }
    }

    /// The message's name says what has become of it where its status does not.
    fn call(&self) -> Result<SaidOfCall, Unreadable> {
        let id = self.text("callId")?;
        self.rest_of_call(&id).map_err(|error| of(error, &id))
    }

    fn rest_of_call(&self, id: &str) -> Result<SaidOfCall, Unreadable> {
        let status = self.optional("status")?;
        let sip_status = u16::try_from(self.fields.number("sipStatus")).ok();
        Ok(SaidOfCall {
            id: id.to_owned(),
            status: status_of(&status).or_else(|| status_by_name(self.name)),
            info: self.optional("info")?,
            sip_status: sip_status.filter(|status| (100..700).contains(status)),
            caller: self.optional("caller")?,
            callee: self.optional("callee")?,
            visible_name: self.optional("visibleName")?,
        })
    }
}

fn status_of(text: &str) -> Option<CallStatus> {
    use CallStatus as C;
    let all =
        [C::Trying, C::Ring, C::SessionProgress, C::Busy, C::Established, C::Hold, C::Finish, C::Failed];
    all.into_iter().find(|status| status.as_str() == text)
}

fn status_by_name(name: &str) -> Option<CallStatus> {
    Some(match name {
        "notifyTryingResponse" => CallStatus::Trying,
        "ring" => CallStatus::Ring,
        "sessionProgress" => CallStatus::SessionProgress,
        "talk" => CallStatus::Established,
        "hold" | "callbackHold" => CallStatus::Hold,
        "busy" => CallStatus::Busy,
        "finish" => CallStatus::Finish,
        _ => return None,
    })
}
