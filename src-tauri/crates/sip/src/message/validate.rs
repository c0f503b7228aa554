use super::{HeaderName, Method, Request, Scheme, reason_phrase};

/// Why a request that could be read is refused before anyone looks at what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub status: u16,
    pub reason: String,
    /// What the response says besides (Unsupported, Warning, ...).
    pub headers: Vec<(HeaderName, String)>,
}

/// [`validate_with`] for a server that supports no option tag.
pub fn validate(request: &Request) -> Result<(), Rejection> {
    validate_with(request, &[])
}

/// Checks what RFC 3261 sections 8.2.1, 8.2.2 and 16.3 have a server check whatever the method is: 400 (or 501 for an
/// unknown method) if the CSeq names another method, 416 for a scheme that is none of sip, sips and tel, 483, and 420
/// with Unsupported for a Require beyond `supported`. What cannot be read at all is refused by the parser
/// (400, 505, 513); whether the method is allowed (405, 501) is the caller's to say.
///
/// 483 is for requests that an element may have to pass on; ACK, CANCEL and requests inside a dialog end here.
pub fn validate_with(request: &Request, supported: &[&str]) -> Result<(), Rejection> {
    let headers = &request.headers;
    let bad = |fault: super::HeaderError| Rejection::bad_request(&fault.to_string());
    if headers.cseq().map_err(bad)?.method != request.method {
        return Err(match request.method {
            Method::Extension(_) => Rejection::new(501),
            _ => Rejection::bad_request("CSeq: the method is not that of the request line"),
        });
    }
    if matches!(request.uri.scheme, Scheme::Other(_)) {
        return Err(Rejection::new(416));
    }
    let ends_here = matches!(request.method, Method::Ack | Method::Cancel);
    let in_dialog = headers.to().map_err(bad)?.tag().is_some();
    if !ends_here && !in_dialog && headers.max_forwards().map_err(bad)? == Some(0) {
        return Err(Rejection::new(483));
    }
    if ends_here {
        return Ok(());
    }
    let is_known = |tag: &String| supported.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let unknown: Vec<String> =
        headers.require().map_err(bad)?.into_iter().filter(|tag| !is_known(tag)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Rejection { headers: vec![(HeaderName::UNSUPPORTED, unknown.join(", "))], ..Rejection::new(420) })
}

impl Rejection {
    pub fn new(status: u16) -> Rejection {
        Rejection { status, reason: reason_phrase(status).to_owned(), headers: Vec::new() }
    }

    fn bad_request(why: &str) -> Rejection {
        Rejection { reason: format!("{} ({why})", reason_phrase(400)), ..Rejection::new(400) }
    }
}
