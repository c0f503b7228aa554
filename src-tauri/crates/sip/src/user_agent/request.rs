//! Requests outside any dialog: RFC 3261 section 8.1.1.

use std::time::Instant;

use crate::digest::{Authorizer, Credentials};
use crate::message::{CSeq, HeaderName, Method, NameAddr, Request, Uri};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::headers::{self, Contact};
use super::hop::{Authority, Hop, Transport};

/// What tells one request from all others, and what it counts up.
pub(crate) struct Thread<'a> {
    pub(crate) call_id: &'a str,
    pub(crate) from_tag: &'a str,
    pub(crate) cseq: u32,
}

/// How a request gets to its first hop.
pub(super) struct Way {
    pub(super) transport: Option<Transport>,
    pub(super) authority: Authority,
    pub(super) flow: Option<Hop>,
    pub(super) own_route: bool,
    /// who we are, where From does not say it
    pub(super) own: Option<NameAddr>,
}

/// Without Via, Contact, credentials and body.
pub(crate) fn outside(
    method: Method,
    from: &NameAddr,
    to: &Uri,
    route: &[Uri],
    thread: &Thread<'_>,
) -> Request {
    let mut request = Request::new(method.clone(), headers::request_uri(to));
    let mut from = NameAddr { params: Default::default(), ..from.clone() };
    from.set_tag(thread.from_tag);
    for route in route {
        request.headers.push(HeaderName::ROUTE, headers::loose_route(route));
    }
    request.headers.push(HeaderName::MAX_FORWARDS, 70);
    request.headers.push(HeaderName::FROM, from);
    request.headers.push(HeaderName::TO, NameAddr::new(headers::request_uri(to)));
    request.headers.push(HeaderName::CALL_ID, thread.call_id);
    request.headers.push(HeaderName::CSEQ, CSeq::new(thread.cseq, method));
    request
}

impl UserAgent {
    /// Sends it, with the login that was opened for it before.
    pub(super) fn send_outside(
        &mut self,
        now: Instant,
        purpose: Purpose,
        request: Request,
        contact: Option<Contact>,
        login: Login,
        way: Way,
    ) {
        let next = headers::next_hop(&request);
        let mut attempt = Attempt::new(purpose, request, next).with_hop(way.flow);
        attempt.contact = contact;
        attempt.transport = way.transport;
        attempt.authority = way.authority;
        attempt.own_route = way.own_route;
        attempt.pinned = way.flow.is_some();
        attempt.login = Some(login);
        self.hide_identity(&mut attempt, way.own);
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn open_login(&mut self, login: Login, credentials: Option<&Credentials>) {
        if let Some(credentials) = credentials {
            self.logins.insert(login, Authorizer::new(credentials.clone()));
        }
    }
}
