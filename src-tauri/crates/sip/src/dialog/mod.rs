//! Dialogs: RFC 3261 section 12. An early dialog is the same value before its 2xx; each branch of a forked INVITE makes its own.

mod route;

use crate::message::{CSeq, HeaderError, HeaderName, Headers, Method, NameAddr, Request, Response, Uri};

pub(crate) use route::next_hop;

/// CSeq numbers must stay below 2^31 (RFC 3261 section 8.1.1.5).
const CSEQ_LIMIT: u32 = 1 << 31;

/// What a message shows of its dialog, seen from our side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DialogId {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    /// empty for a peer from before RFC 3261 that sends none
    pub(crate) remote_tag: String,
}

impl DialogId {
    /// Of a request that we received. `None` without a To tag: it is outside any dialog.
    pub(crate) fn of_request(headers: &Headers) -> Option<Self> {
        let to = headers.to().ok()?;
        let from = headers.from().ok()?;
        Some(Self {
            call_id: headers.call_id().ok()?.to_owned(),
            local_tag: to.tag()?.to_owned(),
            remote_tag: from.tag().unwrap_or_default().to_owned(),
        })
    }
}

impl DialogId {
    /// Of a response to a request that we sent.
    pub(crate) fn of_response(headers: &Headers) -> Option<Self> {
        let (to, from) = (headers.to().ok()?, headers.from().ok()?);
        Some(Self {
            call_id: headers.call_id().ok()?.to_owned(),
            local_tag: from.tag()?.to_owned(),
            remote_tag: to.tag().unwrap_or_default().to_owned(),
        })
    }
}

/// The state that lets both sides send requests to each other for as long as a call lasts.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) id: DialogId,
    /// our address with our tag
    pub(crate) local: NameAddr,
    /// the peer's address with its tag
    pub(crate) remote: NameAddr,
    /// the peer's Contact: where requests end up
    pub(crate) remote_target: Uri,
    /// the proxies between, nearest first
    pub(crate) route_set: Vec<NameAddr>,
    pub(crate) local_cseq: u32,
    pub(crate) remote_cseq: Option<u32>,
}

/// A request in a dialog came after a later one (RFC 3261 section 12.2.2): answer 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

impl Dialog {
    /// From a request and our response to it, in which we set `local_tag`.
    pub(crate) fn of_uas(request: &Request, local_tag: &str) -> Result<Self, HeaderError> {
        let mut local = request.headers.to()?;
        local.set_tag(local_tag);
        let remote = request.headers.from()?;
        let target = contact_uri(&request.headers)?;
        let cseq = request.headers.cseq()?.number;
        Ok(Self {
            id: DialogId {
                call_id: request.headers.call_id()?.to_owned(),
                local_tag: local_tag.to_owned(),
                remote_tag: remote.tag().unwrap_or_default().to_owned(),
            },
            remote_target: target.unwrap_or_else(|| remote.uri.clone()),
            route_set: request.headers.record_routes()?,
            local,
            remote,
            local_cseq: 0,
            remote_cseq: Some(cseq),
        })
    }

    /// From our request and a response that carries a tag. Without a Contact that can be read, its target is where the request went.
    pub(crate) fn of_uac(request: &Request, response: &Response) -> Result<Self, HeaderError> {
        let local = request.headers.from()?;
        let remote = response.headers.to()?;
        let target = contact_uri(&response.headers).ok().flatten();
        let mut route_set = response.headers.record_routes()?;
        route_set.reverse();
        Ok(Self {
            id: DialogId {
                call_id: request.headers.call_id()?.to_owned(),
                local_tag: local.tag().unwrap_or_default().to_owned(),
                remote_tag: remote.tag().unwrap_or_default().to_owned(),
            },
            remote_target: target.unwrap_or_else(|| request.uri.clone()),
            route_set,
            local,
            remote,
            local_cseq: request.headers.cseq()?.number,
            remote_cseq: None,
        })
    }

    /// The 2xx has the last word on an early dialog's route set and target (RFC 3261 section 13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &Response) -> Result<(), HeaderError> {
        let mut route_set = response.headers.record_routes()?;
        route_set.reverse();
        self.route_set = route_set;
        self.refresh_target(&response.headers);
        Ok(())
    }

    /// A target refresh (re-INVITE or its 2xx) may move the peer; the route set stays (RFC 3261 section 12.2).
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Ok(Some(target)) = contact_uri(headers) {
            self.remote_target = target;
        }
    }

    /// Takes the CSeq of a request that the peer sent in this dialog.
    pub(crate) fn accept_cseq(&mut self, number: u32) -> Result<(), OutOfOrder> {
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(number);
        Ok(())
    }

    /// A new request in this dialog, without Via and Contact, and the URI it goes to next.
    pub(crate) fn request(&mut self, method: Method) -> (Request, Uri) {
        self.local_cseq = if self.local_cseq + 1 < CSEQ_LIMIT { self.local_cseq + 1 } else { 1 };
        let number = self.local_cseq;
        self.request_numbered(method, number)
    }

    /// The ACK of a 2xx carries the number of its INVITE (RFC 3261 section 13.2.2.4).
    pub(crate) fn ack(&self, cseq: u32) -> (Request, Uri) {
        self.request_numbered(Method::Ack, cseq)
    }

    fn request_numbered(&self, method: Method, number: u32) -> (Request, Uri) {
        let (uri, routes, next) = route::apply(&self.remote_target, &self.route_set);
        let mut headers = Headers::new();
        for route in routes {
            headers.push(HeaderName::ROUTE, route);
        }
        headers.push(HeaderName::MAX_FORWARDS, 70);
        headers.push(HeaderName::FROM, &self.local);
        headers.push(HeaderName::TO, &self.remote);
        headers.push(HeaderName::CALL_ID, &self.id.call_id);
        headers.push(HeaderName::CSEQ, CSeq::new(number, method.clone()));
        (Request { method, uri, headers, body: Vec::new() }, next)
    }
}

/// The Contact of a peer, if requests can be sent there.
fn contact_uri(headers: &Headers) -> Result<Option<Uri>, HeaderError> {
    let contacts = headers.contacts()?;
    Ok(contacts.first().map(|contact| &contact.uri).filter(|uri| uri.is_sip()).cloned())
}

#[cfg(test)]
mod tests;
