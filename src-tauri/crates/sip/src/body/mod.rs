//! Bodies of event packages: what a mailbox holds (RFC 3842), which calls a line has (RFC 4235), whether somebody is there (RFC 3863).
//!
//! They come from the network: every reader is bounded in size, depth and number, and an error names what is wrong. Elements,
//! attributes and lines that are not known are passed over.

mod dialog_info;
mod line;
mod message_summary;
mod pidf;
mod xml;

use thiserror::Error;

pub use dialog_info::{DialogInfo, DialogState, Initiator, LineDialog, Party};
pub use line::{Applied, Line, Lit};
pub use message_summary::{MessageCounts, MessageSummary};
pub use pidf::{Presence, Tuple};

/// Longest body that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// Why a body cannot be used. `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct BodyError {
    /// the element, the attribute, the line, or the body as a whole
    pub place: String,
    pub reason: String,
}

impl BodyError {
    fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}
