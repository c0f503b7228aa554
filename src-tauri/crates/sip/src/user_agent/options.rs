//! OPTIONS: RFC 3261 section 11, out and in.

use std::time::Instant;

use crate::dialog::DialogId;
use crate::digest::{Authorizer, Credentials};
use crate::message::{CSeq, HeaderName, Method, NameAddr, Request, Response, Uri};

use super::UserAgent;
use super::attempt::{Attempt, Outcome, Purpose};
use super::challenge::Login;
use super::event::{Event, OptionsId};
use super::headers::{self, Contact};
use super::hop::{Authority, Hop, Transport};

/// A question for what a peer can do, or whether it is there.
#[derive(Debug, Clone)]
pub struct Options {
    pub from: NameAddr,
    pub to: Uri,
    /// outbound proxies, nearest first; taken as loose routers
    pub route: Vec<Uri>,
    pub transport: Option<Transport>,
    pub authority: Authority,
    /// the connection to use instead of looking for addresses
    pub flow: Option<Hop>,
    pub credentials: Option<Credentials>,
}

impl Options {
    pub fn new(from: NameAddr, to: Uri) -> Self {
        Self {
            from,
            to,
            route: Vec::new(),
            transport: None,
            authority: Authority::default(),
            flow: None,
            credentials: None,
        }
    }
}

impl UserAgent {
    /// Asks; the answer is [`Event::OptionsAnswered`].
    pub fn options(&mut self, now: Instant, options: Options) -> OptionsId {
        let id = OptionsId(self.new_id());
        let mut request = Request::new(Method::Options, headers::request_uri(&options.to));
        let contact = Contact::of(&options.from);
        let mut from = options.from;
        from.set_tag(self.random.token());
        for route in &options.route {
            request.headers.push(HeaderName::ROUTE, headers::loose_route(route));
        }
        request.headers.push(HeaderName::MAX_FORWARDS, 70);
        request.headers.push(HeaderName::FROM, from);
        request.headers.push(HeaderName::TO, NameAddr::new(headers::request_uri(&options.to)));
        request.headers.push(HeaderName::CALL_ID, self.random.token());
        request.headers.push(HeaderName::CSEQ, CSeq::new(1, Method::Options));
        request.headers.push(HeaderName::ACCEPT, headers::SDP);
        let next = headers::next_hop(&request);
        let mut attempt = Attempt::new(Purpose::Options(id), request, next).with_hop(options.flow);
        attempt.contact = Some(contact);
        attempt.transport = options.transport;
        attempt.authority = options.authority;
        attempt.own_route = !options.route.is_empty();
        attempt.pinned = options.flow.is_some();
        attempt.login = Some(Login::Options(id));
        if let Some(credentials) = options.credentials {
            self.logins.insert(Login::Options(id), Authorizer::new(credentials));
        }
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
        id
    }

    pub(super) fn on_options_outcome(&mut self, id: OptionsId, outcome: Outcome, hop: Option<Hop>) {
        self.logins.remove(&Login::Options(id));
        let cause = outcome.cause();
        self.emit(Event::OptionsAnswered { id, status: cause.code, reason: cause.text, hop });
    }

    pub(super) fn on_options(&mut self, now: Instant, request: &Request, hop: Hop, in_dialog: bool) {
        if in_dialog {
            let known = DialogId::of_request(&request.headers).and_then(|dialog| self.call_of(&dialog));
            let accepted = known.ok_or(481).and_then(|call| self.accept_in_dialog(call, request));
            if let Err(status) = accepted {
                return self.respond_once(now, request, hop, status);
            }
        }
        let tag = self.stateless_tag(&request.headers);
        let mut response = Response::to(request, 200, Some(&tag));
        let contact = Contact { user: request.uri.user.clone(), ..Contact::default() };
        response.headers.push(HeaderName::CONTACT, contact.address(&hop, &request.uri));
        response.headers.push(HeaderName::ALLOW, self.allow());
        response.headers.push(HeaderName::ACCEPT, headers::SDP);
        response.headers.push(HeaderName::ACCEPT_ENCODING, "identity");
        response.headers.push(HeaderName::ACCEPT_LANGUAGE, "en");
        response.headers.push(HeaderName::SUPPORTED, self.supported_by_invite(self.config.prack));
        self.respond_with(now, request, hop, response);
    }
}
