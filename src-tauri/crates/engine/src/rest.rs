//! What programs ask of the engine over the gateway's REST API: to look at everybody's calls, streams and sessions, and to take part
//! in them. Who may, the gateway knows.

use crate::ClientOpening;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Fields that are to be as they are here; none: everything.
pub type RestFilter = Map<String, Value>;

/// What a program asks for.
#[derive(Debug, Clone)]
pub enum RestAsk {
    /// What is counted.
    Measure,
    /// A call of a session of its own, which ends with it.
    StartCall(Box<RestCall>),
    FindCalls(RestFilter),
    EndCall {
        id: String,
    },
    SendDtmf {
        id: String,
        /// `RFC2833`, `INFO` or `INFO_RELAY`.
        kind: String,
        dtmf: String,
    },
    /// The far end of a call hears a file once, instead of who it speaks with.
    InjectSound {
        id: String,
        file: PathBuf,
    },
    /// The far end of a call hears a stream, instead of who it speaks with.
    InjectStream {
        id: String,
        name: String,
    },
    StopInjectedStream {
        id: String,
    },
    FindStreams(RestFilter),
    /// All that the filter finds, of these ids where there are any.
    EndStreams {
        filter: RestFilter,
        ids: Vec<String>,
    },
    Snapshot {
        name: String,
    },
    Record {
        id: String,
        on: bool,
    },
    /// `data`, for all who have to do with the stream.
    StreamEvent {
        name: String,
        payload: Value,
    },
    /// To all of these sessions, or to none.
    SendData {
        sessions: Vec<String>,
        operation_id: Option<String>,
        payload: Value,
    },
    FindSessions(RestFilter),
    EndSession {
        id: String,
    },
    /// Whether what the session asks for is logged.
    LogSession {
        id: String,
        asks: bool,
    },
}

/// A call that a program wants.
#[derive(Debug, Clone)]
pub struct RestCall {
    /// Chosen by the program.
    pub id: String,
    pub callee: String,
    /// Of the caller, for the callee.
    pub visible_name: String,
    pub custom: Option<Value>,
    /// Under this name what the callee says is published.
    pub to_stream: Option<String>,
    /// Of the session, with its SIP account.
    pub opening: ClientOpening,
}

/// What a program is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum RestReply {
    Done,
    Measured(Box<crate::Metrics>),
    /// Calls, streams or sessions, in the words of the wire; at least one.
    Found(Vec<Value>),
    /// A PNG.
    Picture(Vec<u8>),
}
