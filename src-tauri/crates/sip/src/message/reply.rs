use super::{Answerable, HeaderName, Headers, NameAddr, Rejection, Request, Response};

impl Response {
    /// The response to `request` with the fields that RFC 3261 section 8.2.6.2 has copied (Via, From, To, Call-ID,
    /// CSeq), the Timestamp for 100, and `to_tag` if the To has none yet. No tag belongs into a 100.
    pub fn to(request: &Request, status: u16, to_tag: Option<&str>) -> Response {
        let mut response = Response { headers: copied(&request.headers, to_tag), ..Response::new(status) };
        if let Some(timestamp) = request.headers.get(&HeaderName::TIMESTAMP).filter(|_| status == 100) {
            response.headers.push(HeaderName::TIMESTAMP, timestamp);
        }
        response
    }
}

impl Rejection {
    pub fn response(&self, request: &Request, to_tag: &str) -> Response {
        let mut response = Response::to(request, self.status, Some(to_tag));
        response.reason.clone_from(&self.reason);
        for (name, value) in &self.headers {
            response.headers.push(name, value);
        }
        response
    }
}

impl Answerable {
    pub fn response(&self, to_tag: &str) -> Response {
        Response {
            reason: self.reason.clone(),
            headers: copied(&self.headers, Some(to_tag)),
            ..Response::new(self.status)
        }
    }
}

fn copied(source: &Headers, to_tag: Option<&str>) -> Headers {
    let mut headers = Headers::new();
    source.get_all(&HeaderName::VIA).for_each(|value| headers.push(HeaderName::VIA, value));
    for name in [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ] {
        let Some(value) = source.get(&name) else { continue };
        let untagged = (name == HeaderName::TO).then(|| NameAddr::parse(value).ok()).flatten();
        match (untagged.filter(|to| to.tag().is_none()), to_tag) {
            (Some(mut to), Some(tag)) => {
                to.set_tag(tag);
                headers.push(name, to);
            }
            _ => headers.push(name, value),
        }
    }
    headers
}

/// The phrase that RFC 3261 section 21 and the RFCs behind it give to a status; its class's where there is none.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Unknown Resource-Priority",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        440 => "Max-Breadth Exceeded",
        469 => "Bad Info Package",
        470 => "Consent Needed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => match status / 100 {
            0 | 1 => "Session Progress",
            2 => "OK",
            3 => "Multiple Choices",
            4 => "Bad Request",
            5 => "Server Internal Error",
            _ => "Busy Everywhere",
        },
    }
}
