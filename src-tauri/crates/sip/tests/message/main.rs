//! Tests of the message layer through its public face.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod corpus;
mod framing;
mod generator;
mod json;
mod printing;
mod round_trip;
mod second_reader;
mod values;

use sidetone_sip::message::{HeaderName, Message, Method, Request, Uri};

/// A request with all that is mandatory.
fn request(method: Method) -> Request {
    let mut request = Request::new(method.clone(), Uri::parse("sip:desk@office.example").unwrap());
    request.headers.push(HeaderName::VIA, "SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-1;rport");
    request.headers.push(HeaderName::FROM, "\"Mara\" <sip:mara@office.example>;tag=a1");
    request.headers.push(HeaderName::TO, "<sip:desk@office.example>");
    request.headers.push(HeaderName::CALL_ID, "7f3a@192.0.2.30");
    request.headers.push(HeaderName::CSEQ, format!("1 {method}"));
    request.headers.push(HeaderName::MAX_FORWARDS, 70);
    request
}

/// The message without its Content-Length, which printing makes true.
fn without_length(mut message: Message) -> Message {
    message.headers_mut().remove(&HeaderName::CONTENT_LENGTH);
    message
}
