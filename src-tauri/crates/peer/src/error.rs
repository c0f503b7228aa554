/// Why a peer did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// A session description that cannot be used. `line` counts from 1; 0: the whole of it.
    #[error("line {line} of the session description ({field}): {reason}")]
    Description { line: usize, field: String, reason: String },
    /// In the words of the contract.
    #[error("No common codecs")]
    NoCommonCodecs,
    #[error("the candidate {candidate:?} is not usable: {reason}")]
    Candidate { candidate: String, reason: &'static str },
    /// Asked for out of turn, such as an answer without an offer.
    #[error("{0}")]
    State(&'static str),
    #[error("there is no track {0}")]
    NoTrack(u32),
    /// The track's codec was not negotiated, or nothing has been negotiated for it.
    #[error("payload type {0} was not negotiated")]
    PayloadType(u8),
    #[error("a payload of {0} bytes does not fit a packet")]
    TooLong(usize),
    #[error("the transport: {0}")]
    Transport(String),
}

impl PeerError {
    pub(crate) fn description(line: usize, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Description { line, field: field.into(), reason: reason.into() }
    }

    pub(crate) fn transport(error: impl std::fmt::Display) -> Self {
        Self::Transport(error.to_string())
    }
}
