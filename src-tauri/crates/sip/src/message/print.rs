use std::fmt;

use super::{HeaderName, Headers, Message, Request, Response};

impl Message {
    /// The message as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

impl Request {
    /// The request as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes(self.head(), &self.body)
    }

    fn head(&self) -> String {
        let mut head = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        write_headers(&mut head, &self.headers, self.body.len());
        head
    }
}

impl Response {
    /// The response as it goes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes(self.head(), &self.body)
    }

    fn head(&self) -> String {
        let reason = self.reason.replace(['\r', '\n'], " ");
        let mut head = format!("SIP/2.0 {} {reason}\r\n", self.status.clamp(100, 699));
        write_headers(&mut head, &self.headers, self.body.len());
        head
    }
}

fn bytes(head: String, body: &[u8]) -> Vec<u8> {
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The Content-Length stands where it stood, once, with the length that is true.
fn write_headers(head: &mut String, headers: &Headers, length: usize) {
    let mut has_length = false;
    let mut field = |name: &HeaderName, value: &str| {
        head.push_str(name.as_str());
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    };
    for (name, value) in headers.iter() {
        if *name != HeaderName::CONTENT_LENGTH {
            field(name, value);
        } else if !std::mem::replace(&mut has_length, true) {
            field(name, &length.to_string());
        }
    }
    if !has_length {
        field(&HeaderName::CONTENT_LENGTH, &length.to_string());
    }
    head.push_str("\r\n");
}

impl fmt::Display for Message {
    /// A body that is not UTF-8 loses what is not; [`Message::to_bytes`] is exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Request(request) => request.fmt(f),
            Message::Response(response) => response.fmt(f),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.head(), String::from_utf8_lossy(&self.body))
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.head(), String::from_utf8_lossy(&self.body))
    }
}
