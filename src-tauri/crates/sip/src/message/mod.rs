//! SIP messages: reading, checking and writing (RFC 3261 sections 7, 19, 20 and 25).
//!
//! A request is checked in three steps. [`Message::parse`] refuses what cannot be read (400, 505, 513) and tells by
//! [`ParseError::answerable`] whom to answer; [`validate`] refuses what no server may accept (400, 416, 420, 483, 501);
//! the method and all that follows is the business of whoever takes the request.
//!
//! # Deliberate deviations
//!
//! Taken although the grammar does not have it, since equipment sends it and it cannot be misunderstood:
//!
//! - RFC 3261 section 7: a line may end with LF alone; 7.2: the space before an empty reason phrase may be missing.
//! - Section 7.3.1: header text that is not UTF-8 is read as ISO 8859-1. It is written as UTF-8.
//! - Section 25.1, `generic-param`: an unquoted value may hold every visible ASCII character but `"(),;<>\`.
//! - Section 25.1, `display-name`: characters beyond ASCII need no quotes.
//! - Section 25.1, `hostname`: a label may begin with a digit (RFC 1123 section 2.1) and hold underscores.
//! - Section 25.1, `user`: a bare `#` is read as `%23`.
//! - Section 25.1: lists of tokens (Supported, Require, Allow) may have empty elements.
//! - RFC 5118 sections 4.5 and 4.10: brackets around an IPv6 address in `received`, and three colons in an address.
//! - Section 8.1.1: a From without tag, a Via without branch and a request without Max-Forwards are those of RFC 2543.
//!
//! Stricter than required:
//!
//! - Section 19.1.1: a Request-URI with headers is refused with 400 instead of being used without them.
//! - Section 17.2.3: a branch that is nothing but `z9hG4bK` is refused with 400 (RFC 4475 section 3.2.1 allows both).
//! - Section 20.17: a request with a Date that is not in GMT is refused.
//! - Section 16.3: 483 is answered by a user agent server too, since it may pass the call on; requests inside a
//!   dialog, ACK and CANCEL are excepted.
//! - [`Limits`]: beyond them 513 is answered (section 21.5.7), and a stream is closed.
//!
//! More lenient than required:
//!
//! - Responses: only Via, From, To, Call-ID, CSeq and Content-Length must be sound, as nobody could be told.
//! - Section 20.15: a body without Content-Type is left to whoever needs it.
//!
//! # Text set by code
//!
//! Every type writes only what its parser accepts: URIs and their parameters escape with `%HH`, display names and
//! parameter values are quoted, characters that a token or a host cannot hold are dropped or replaced by `-`, and a
//! line end in a header value, a display name or a reason phrase becomes a space. Nothing can add a line.

mod contacts;
mod cseq;
mod date;
mod error;
mod head;
mod header_name;
mod headers;
mod host;
mod json;
pub(crate) mod lex;
mod limits;
mod list;
mod method;
mod name_addr;
mod numbers;
mod params;
mod parse;
mod print;
mod reply;
mod tel;
mod told;
mod typed;
mod uri;
mod validate;
mod via;

pub use contacts::Contacts;
pub use cseq::CSeq;
pub use error::{Answerable, HeaderError, HeaderFault, ParseError, Place, SyntaxError};
pub use header_name::HeaderName;
pub use headers::Headers;
pub use host::Host;
pub use json::to_json;
pub use limits::Limits;
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::Params;
pub use reply::reason_phrase;
pub use tel::{PostDial, Tel};
pub use uri::{Scheme, Uri};
pub use validate::{Rejection, validate, validate_with};
pub use via::{BRANCH_COOKIE, Via, ViaTransport};

pub(crate) use head::{Head, HeadEnd, head_end};
pub(crate) use parse::{assemble, refuse};
pub(crate) use typed::event_type;

/// A SIP message. `Display` and [`Message::to_bytes`] write it with long header names and the Content-Length that
/// its body has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Request(Request),
    Response(Response),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: Headers,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    pub reason: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one datagram or WebSocket message. A body longer than its Content-Length is cut, a shorter one is an
    /// error, and without Content-Length the body is all that follows (RFC 3261 section 18.3).
    pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
        Message::parse_with(bytes, &Limits::default())
    }

    pub fn parse_with(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
        parse::datagram(bytes, limits)
    }

    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        }
    }

    pub fn body(&self) -> &[u8] {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    pub fn as_request(&self) -> Option<&Request> {
        match self {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    pub fn as_response(&self) -> Option<&Response> {
        match self {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }
}

impl Request {
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::new(), body: Vec::new() }
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.headers.set(HeaderName::CONTENT_TYPE, content_type);
        self.body = body;
    }
}

impl Response {
    /// With the phrase that the RFC gives to that status.
    pub fn new(status: u16) -> Response {
        let reason = reason_phrase(status).to_owned();
        Response { status, reason, headers: Headers::new(), body: Vec::new() }
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.headers.set(HeaderName::CONTENT_TYPE, content_type);
        self.body = body;
    }

    pub fn is_provisional(&self) -> bool {
        self.status < 200
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Message::Response(response)
    }
}
