//! Why a part of the rig did not do what a test asked of it.

/// A failure of the rig, not of the product: a peer that does not start, a file that is no wav.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RigError(String);

/// Shorthand for what the rig gives.
pub type Result<T> = std::result::Result<T, RigError>;

impl RigError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An error of `source` while doing `what`.
    pub fn while_doing(what: impl std::fmt::Display, source: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {source}"))
    }
}

impl From<std::io::Error> for RigError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
