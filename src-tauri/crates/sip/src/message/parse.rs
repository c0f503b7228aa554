use crate::framing::FramingError;

use super::error::{Answerable, HeaderError};
use super::head::Fault;
use super::{
    Contacts, Head, HeaderName, Headers, Limits, Message, Method, ParseError, Place, Request, Response, Uri,
    date,
};

/// What RFC 3261 section 8.1.1 demands of every message, in the order in which a fault is reported.
const MANDATORY: [HeaderName; 5] =
    [HeaderName::VIA, HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ];

pub(super) fn datagram(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
    if super::head::leading_line_ends(bytes) == bytes.len() {
        let reason = "nothing but line ends".to_owned();
        return Err(ParseError { place: Place::Empty, reason, offset: 0, answer: None });
    }
    let head = Head::read(bytes, limits);
    let rest = bytes.get(head.body_at..).unwrap_or_default();
    let fault = |reason| Fault::bad(content_length(), reason, head.offset_of(&HeaderName::CONTENT_LENGTH));
    match head.headers.content_length() {
        // The check of all headers reports a Content-Length that is no number.
        Ok(None) | Err(_) if rest.len() > limits.body => {
            let fault = Fault::too_large(Place::Body, "too long", head.body_at);
            Err(refuse(&head, fault))
        }
        Ok(None) | Err(_) => assemble(head, rest.to_vec()),
        Ok(Some(length)) => match rest.get(..length) {
            Some(body) if length <= limits.body => assemble(head, body.to_vec()),
            Some(_) => Err(refuse(&head, Fault::too_large(Place::Body, "too long", head.body_at))),
            None => {
                let fault = fault(format!("{length} announced but {} bytes follow", rest.len()));
                Err(refuse(&head, fault))
            }
        },
    }
}

fn content_length() -> Place {
    Place::Header(HeaderName::CONTENT_LENGTH)
}

/// Makes the message of its head and body, or tells what is wrong with it.
pub(crate) fn assemble(head: Head, body: Vec<u8>) -> Result<Message, ParseError> {
    let message = read_start_line(&head);
    let fault = match message {
        // The version decides how all else is to be read.
        Err(fault) if fault.status == 505 => Some(fault),
        Err(fault) => Some(head.fault.clone().unwrap_or(fault)),
        Ok(_) => head.fault.clone(),
    };
    let start = match (fault, read_start_line(&head)) {
        (None, Ok(start)) => start,
        (Some(fault), _) | (None, Err(fault)) => return Err(refuse(&head, fault)),
    };
    let checked = match &start {
        StartLine::Request(..) => check_request(&head.headers),
        StartLine::Response(..) => check_all(&head.headers),
    };
    if let Err(error) = checked {
        let reason = error.fault.to_string();
        let offset = head.offset_of(&error.header);
        return Err(refuse(&head, Fault::bad(Place::Header(error.header), reason, offset)));
    }
    if !head.is_ended {
        let reason = "the empty line behind it is missing";
        return Err(refuse(&head, Fault::bad(Place::HeaderSection, reason, head.body_at)));
    }
    Ok(match start {
        StartLine::Request(method, uri) => {
            Message::Request(Request { method, uri, headers: head.headers, body })
        }
        StartLine::Response(status, reason) => {
            Message::Response(Response { status, reason, headers: head.headers, body })
        }
    })
}

pub(crate) fn refuse(head: &Head, fault: Fault) -> ParseError {
    let answer = answer(head, &fault).map(Box::new);
    ParseError { place: fault.place, reason: fault.reason, offset: fault.offset, answer }
}

enum StartLine {
    Request(Method, Uri),
    Response(u16, String),
}

fn is_response(start: &str) -> bool {
    start.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
}

fn read_start_line(head: &Head) -> Result<StartLine, Fault> {
    let bad = |reason: String| Fault::bad(Place::StartLine, reason, head.start_at);
    if is_response(&head.start) {
        let mut parts = head.start.splitn(3, ' ');
        let (version, code, reason) = (parts.next().unwrap_or(""), parts.next(), parts.next().unwrap_or(""));
        if version_of(version) != Some((2, 0)) {
            return Err(bad("a response of an unknown SIP version".to_owned()));
        }
        let status = code.filter(|code| code.len() == 3).and_then(super::numbers::unsigned);
        let status = status.filter(|status| (100..700).contains(status));
        let status = status.ok_or_else(|| bad("the status code must be from 100 to 699".to_owned()))?;
        return Ok(StartLine::Response(status, reason.to_owned()));
    }
    let version = head.start.trim_end().rsplit(' ').next().unwrap_or("");
    if version_of(version).is_some_and(|version| version != (2, 0)) {
        let reason = "a SIP version other than 2.0".to_owned();
        return Err(Fault { status: 505, place: Place::StartLine, reason, offset: head.start_at });
    }
    let parts: Vec<&str> = head.start.splitn(4, ' ').collect();
    let [method, uri, version] = parts[..] else {
        return Err(bad("not \"method URI version\" with single spaces".to_owned()));
    };
    let method = Method::parse(method).ok_or_else(|| bad("the method is not a token".to_owned()))?;
    if version_of(version).is_none() {
        return Err(bad("the version is not SIP/2.0".to_owned()));
    }
    let uri = Uri::parse(uri).map_err(|fault| bad(format!("Request-{fault}")))?;
    if !uri.headers.is_empty() {
        return Err(bad("Request-URI: headers are not allowed in it".to_owned()));
    }
    Ok(StartLine::Request(method, uri))
}

/// `SIP/major.minor` in any case (RFC 3261 section 7.1).
fn version_of(text: &str) -> Option<(u32, u32)> {
    let (name, number) = text.split_once('/')?;
    let (major, minor) = number.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !name.eq_ignore_ascii_case("SIP") || !is_number(major) || !is_number(minor) {
        return None;
    }
    Some((major.parse().unwrap_or(u32::MAX), minor.parse().unwrap_or(u32::MAX)))
}

/// What must hold in requests and responses.
fn check_all(headers: &Headers) -> Result<(), HeaderError> {
    headers.via()?;
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq()?;
    headers.content_length()?;
    Ok(())
}

/// A request can be refused, so all that a server will look at is checked; in a response a broken field that is not
/// needed must not cost the whole response.
fn check_request(headers: &Headers) -> Result<(), HeaderError> {
    check_all(headers)?;
    for via in headers.via()? {
        if via.branch() == Some(super::BRANCH_COOKIE) {
            let reason = "the branch is nothing but its prefix";
            let fault = super::SyntaxError { field: "Via value", reason, offset: 0 };
            return Err(super::typed::broken(HeaderName::VIA, fault));
        }
    }
    headers.max_forwards()?;
    headers.expires()?;
    headers.content_type()?;
    if let Contacts::List(list) = headers.contacts()? {
        for contact in list {
            check_contact(&contact)?;
        }
    }
    headers.routes()?;
    headers.record_routes()?;
    headers.require()?;
    headers.proxy_require()?;
    headers.supported()?;
    headers.allow()?;
    match headers.single(&HeaderName::DATE)? {
        Some(text) => date::check(text).map_err(|fault| super::typed::broken(HeaderName::DATE, fault)),
        None => Ok(()),
    }
}

fn check_contact(contact: &super::NameAddr) -> Result<(), HeaderError> {
    let broken = |reason| {
        let fault = super::SyntaxError { field: "address", reason, offset: 0 };
        Err(super::typed::broken(HeaderName::CONTACT, fault))
    };
    if contact.params.get("q").is_some_and(|q| super::numbers::qvalue(q).is_none()) {
        return broken("q must be from 0 to 1 with up to three decimals");
    }
    Ok(())
}

/// The parts that a response copies (RFC 3261 section 8.2.6.2), if there is anyone to send it to.
fn answer(head: &Head, fault: &Fault) -> Option<Answerable> {
    if is_response(&head.start) || !head.headers.has(&HeaderName::VIA) {
        return None;
    }
    let first_word = head.start.trim_start().split([' ', '\t']).next().and_then(Method::parse);
    let method = first_word.or_else(|| head.headers.cseq().ok().map(|cseq| cseq.method));
    if method == Some(Method::Ack) {
        return None;
    }
    let mut headers = Headers::new();
    for name in &MANDATORY {
        let count = if *name == HeaderName::VIA { usize::MAX } else { 1 };
        head.headers.get_all(name).take(count).for_each(|value| headers.push(name, value));
    }
    let phrase = super::reason_phrase(fault.status);
    let reason = match fault.status {
        400 => format!("{phrase} ({}: {})", fault.place, fault.reason),
        _ => phrase.to_owned(),
    };
    Some(Answerable { status: fault.status, reason, method, headers })
}

impl Head {
    /// The error for a stream on which this head tells no usable Content-Length.
    pub(crate) fn lost(&self, status: u16, reason: &str) -> FramingError {
        self.lost_at(content_length(), status, reason)
    }

    pub(crate) fn lost_at(&self, place: Place, status: u16, reason: &str) -> FramingError {
        let offset = self.offset_of(&HeaderName::CONTENT_LENGTH);
        FramingError(refuse(self, Fault { status, place, reason: reason.to_owned(), offset }))
    }
}
