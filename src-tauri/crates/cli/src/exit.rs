//! How a run ends.

use sidetone_api::{CallStatus, Failure, FailureCode};
use std::{fmt, process::ExitCode};

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Usage = 1,
    Network = 2,
    Registration = 3,
    Busy = 4,
    CallFailed = 5,
    Device = 6,
    Internal = 7,
    Interrupted = 130,
}

impl Exit {
    /// Of a call that has ended by itself.
    pub(crate) fn of_call(status: CallStatus, was_established: bool) -> Self {
        match status {
            CallStatus::Busy => Self::Busy,
            CallStatus::Finish if was_established => Self::Done,
            _ => Self::CallFailed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a run ends before its work is done: one line for the user and the exit code.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) exit: Exit,
    message: String,
}

impl Error {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let exit = match failure.code {
            FailureCode::Invalid => Exit::Usage,
            FailureCode::PasswordNeeded => Exit::Registration,
            FailureCode::Network => Exit::Network,
            FailureCode::Device => Exit::Device,
            FailureCode::NotFound
            | FailureCode::WrongState
            | FailureCode::Limit
            | FailureCode::Storage
            | FailureCode::Stopped => Exit::Internal,
        };
        let message = match &failure.field {
            Some(field) if !failure.message.starts_with(field.as_str()) => {
                format!("{field}: {}", failure.message)
            }
            _ => failure.message.clone(),
        };
        Self { exit, message }
    }
}
