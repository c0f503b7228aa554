//! SIP messages: reading, checking and writing (RFC 3261 sections 7, 19, 20 and 25).

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
pub use uri::{Scheme, Uri};
pub use validate::{Rejection, validate, validate_with};
pub use via::{BRANCH_COOKIE, Via, ViaTransport};

pub(crate) use head::{Head, HeadEnd, head_end};
pub(crate) use parse::{assemble, refuse};

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
