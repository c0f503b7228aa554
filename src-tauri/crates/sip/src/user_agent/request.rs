//! Requests outside any dialog: RFC 3261 section 8.1.1.

use crate::digest::{Authorizer, Credentials};
use crate::message::{CSeq, HeaderName, Method, NameAddr, Request, Uri};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::headers;
use super::hop::{Authority, Hop, Transport};

/// What tells one request from all others, and what it counts up.
pub(crate) struct Thread<'a> {
    pub(crate) call_id: &'a str,
    pub(crate) from_tag: &'a str,
    pub(crate) cseq: u32,
}

/// By which way a request outside any dialog leaves, and with whose credentials. [`Way::default`] goes wherever its URI leads.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// outbound proxies, nearest first; taken as loose routers
    pub route: Vec<Uri>,
    pub transport: Option<Transport>,
    pub authority: Authority,
    /// the connection to use instead of looking for addresses, such as the flow of a binding
    pub flow: Option<Hop>,
    pub credentials: Option<Credentials>,
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
    /// The attempt for a request that has nothing yet but what [`outside`] and its owner wrote into it.
    pub(super) fn attempt_outside(
        &mut self,
        purpose: Purpose,
        request: Request,
        login: Login,
        way: &Way,
    ) -> Attempt {
        if let Some(credentials) = &way.credentials {
            self.logins.entry(login).or_insert_with(|| Authorizer::new(credentials.clone()));
        }
        let next = headers::next_hop(&request);
        let mut attempt = Attempt::new(purpose, request, next).with_hop(way.flow);
        attempt.transport = way.transport;
        attempt.authority = way.authority;
        attempt.own_route = !way.route.is_empty();
        attempt.pinned = way.flow.is_some();
        attempt.login = Some(login);
        attempt
    }
}
