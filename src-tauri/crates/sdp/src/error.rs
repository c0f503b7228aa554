/// Why a text is not a session description. `line` counts from 1; `field` is the type letter, with the part of the
/// value that is wrong ("m= port", "a=rtpmap clock rate").
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SDP line {line}, {field}: {reason}")]
pub struct ParseError {
    pub line: usize,
    pub field: String,
    pub reason: String,
}

impl ParseError {
    pub(crate) fn new(line: usize, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { line, field: field.into(), reason: reason.into() }
    }
}

/// A field and what is wrong with it; becomes a [`ParseError`] once the line is known.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) fn fault<T>(field: &'static str, reason: &'static str) -> Result<T, Fault> {
    Err(Fault { field, reason })
}
