//! What can be wrong with a message, and what is left of it to answer with.

use std::fmt;

use thiserror::Error;

use super::{HeaderName, Headers, Method};

/// What is wrong inside one value (a URI, a Via, ...).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {reason} (at byte {offset} of the value)")]
pub struct SyntaxError {
    pub field: &'static str,
    pub reason: &'static str,
    /// Bytes from the start of the value.
    pub offset: usize,
}

/// A header field that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{header}: {fault}")]
pub struct HeaderError {
    pub header: HeaderName,
    pub fault: HeaderFault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderFault {
    Missing,
    Repeated,
    Syntax(SyntaxError),
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderFault::Missing => f.write_str("is missing"),
            HeaderFault::Repeated => f.write_str("may appear only once"),
            HeaderFault::Syntax(fault) if fault.field == "URI" => fault.fmt(f),
            HeaderFault::Syntax(SyntaxError { reason, offset, .. }) => {
                write!(f, "{reason} (at byte {offset} of the value)")
            }
        }
    }
}

/// Where in a message a [`ParseError`] lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nothing but line ends: a keep-alive, not a message.
    Empty,
    StartLine,
    /// The header section as a whole or a line in it that names no header.
    HeaderSection,
    Header(HeaderName),
    Body,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Empty => f.write_str("message"),
            Place::StartLine => f.write_str("start line"),
            Place::HeaderSection => f.write_str("header section"),
            Place::Header(name) => write!(f, "{name}"),
            Place::Body => f.write_str("body"),
        }
    }
}

/// Why bytes are not an acceptable SIP message. `Display` is one line that begins with the header or the part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {reason} (line at byte {offset})")]
pub struct ParseError {
    pub place: Place,
    pub reason: String,
    /// Bytes from the start of the input to the start of the faulty line.
    pub offset: usize,
    pub(crate) answer: Option<Box<Answerable>>,
}

impl ParseError {
    /// What a server needs to refuse this message; `None` for a response, an ACK and a request without a Via, which
    /// are dropped without a word.
    pub fn answerable(&self) -> Option<&Answerable> {
        self.answer.as_deref()
    }
}

/// A request that is refused although not all of it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerable {
    /// 400, 505 or 513.
    pub status: u16,
    /// The reason phrase, which names the fault.
    pub reason: String,
    /// That of the start line, or of the CSeq if the start line shows none.
    pub method: Option<Method>,
    /// The Via, From, To, Call-ID and CSeq fields that were found, as they came.
    pub headers: Headers,
}
