use serde::{Deserialize, Serialize};

/// Why a command was not carried out. `code` is for programs, `message` for people; `field` names the input that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Failure {
    pub code: FailureCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub field: Option<String>,
}

/// Codes exist only where a client acts on the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum FailureCode {
    /// The input is wrong; `field` says where.
    Invalid,
    /// The id names nothing that exists (any more).
    NotFound,
    /// The object exists but its state does not allow this.
    WrongState,
    /// The account needs a password that is not stored.
    PasswordNeeded,
    /// A limit of the engine is reached.
    Limit,
    /// A microphone, speaker or file cannot be opened.
    Device,
    /// No socket, address or route.
    Network,
    /// Settings or the key store cannot be read or written.
    Storage,
    /// The engine is stopping or has stopped.
    Stopped,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: FailureCode::Invalid, message: message.into(), field: Some(field.into()) }
    }

    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(FailureCode::NotFound, format!("there is no {what} {id:?}"))
    }
}
