//! OPTIONS: RFC 3261 section 11, out and in.

use std::time::Instant;

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, NameAddr, Request, Response, Uri};

use super::UserAgent;
use super::attempt::Purpose;
use super::challenge::Login;
use super::event::{Event, OptionsId};
use super::headers::{self, Contact};
use super::hop::Hop;
use super::outcome::Outcome;
use super::request::{Thread, Way, outside};

/// A question for what a peer can do, or whether it is there.
#[derive(Debug, Clone)]
pub struct Options {
    pub from: NameAddr,
    pub to: Uri,
    pub way: Way,
}

impl Options {
    pub fn new(from: NameAddr, to: Uri) -> Self {
        Self { from, to, way: Way::default() }
    }
}

impl UserAgent {
    /// Asks; the answer is [`Event::OptionsAnswered`].
    pub fn options(&mut self, now: Instant, options: Options) -> OptionsId {
        let id = OptionsId(self.new_id());
        let (call_id, from_tag) = (self.random.token(), self.random.token());
        let thread = Thread { call_id: &call_id, from_tag: &from_tag, cseq: 1 };
        let mut request = outside(Method::Options, &options.from, &options.to, &options.way.route, &thread);
        request.headers.push(HeaderName::ACCEPT, headers::SDP);
        let login = Login::Options(id);
        let mut attempt = self.attempt_outside(Purpose::Options(id), request, login, &options.way);
        attempt.contact = Some(Contact::of(&options.from));
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
