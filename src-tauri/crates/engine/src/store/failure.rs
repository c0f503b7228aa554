//! What SQLite says, in words.

use super::Database;
use rusqlite::{Error, ErrorCode};
use sidetone_api::{Failure, FailureCode};

impl Database {
    pub(super) fn failure(&self, error: &Error) -> Failure {
        Failure::new(FailureCode::Storage, format!("{}: {}", self.file().display(), in_words(error)))
    }
}

pub(super) fn in_words(error: &Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full, nothing more can be kept".into(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program uses it and does not let go".into()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "it may not be written".into(),
        Some(ErrorCode::CannotOpen) => "it cannot be opened".into(),
        Some(ErrorCode::SystemIoFailure) => format!("the disk fails ({error})"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "it is damaged; start Sidetone again, and it begins a new one".into()
        }
        _ => error.to_string(),
    }
}

/// The file's content is no database, or not any more.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
