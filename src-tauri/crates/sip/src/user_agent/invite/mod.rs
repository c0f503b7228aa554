//! INVITE out: RFC 3261 section 13.2.

mod response;

use std::time::{Duration, Instant};

use crate::message::{HeaderName, Method, NameAddr, Request, Uri};

use super::UserAgent;
use super::attempt::Purpose;
use super::call::{Call, CallTimer, Calling, State};
use super::challenge::Login;
use super::event::{CallId, Side};
use super::headers;
use super::prack::{self, Reliable};
use super::replaces::DialogName;
use super::request::{Thread, Way, outside};
use super::session::Session;
use super::terms::Terms;
use super::trust;

/// A call to place.
#[derive(Debug, Clone)]
pub struct Invite {
    pub from: NameAddr,
    /// goes into To, and into the Request-URI unless `target` says otherwise
    pub to: Uri,
    /// the Request-URI where it is not `to`, such as the Contact of a binding
    pub target: Option<Uri>,
    pub way: Way,
    /// hide who calls (RFC 3323): an anonymous From, `Privacy: id`, and who we are (RFC 3325) for our own servers only
    pub anonymous: bool,
    /// further fields; those that the user agent writes itself are passed over, but Max-Forwards replaces ours
    pub headers: Vec<(HeaderName, String)>,
    /// the SDP offer
    pub offer: Vec<u8>,
    /// the call at the peer that this one takes the place of (RFC 3891); a peer that cannot do it refuses with 420
    pub replaces: Option<DialogName>,
    /// who asked for this call by a transfer (RFC 3892)
    pub referred_by: Option<NameAddr>,
    /// how long the session may last without a refresh, at least 90 s (RFC 4028); without, only the peer decides
    pub session_expires: Option<Duration>,
    /// reliable provisional responses (RFC 3262)
    pub prack: Reliable,
}

impl Invite {
    pub fn new(from: NameAddr, to: Uri, offer: Vec<u8>) -> Self {
        Self {
            from,
            to,
            target: None,
            way: Way::default(),
            anonymous: false,
            headers: Vec::new(),
            offer,
            replaces: None,
            referred_by: None,
            session_expires: None,
            prack: Reliable::default(),
        }
    }
}

impl UserAgent {
    /// Places a call. Over the limit of calls it ends at once with 503.
    pub fn invite(&mut self, now: Instant, mut invite: Invite) -> CallId {
        let own = trust::disguise(&mut invite.from, invite.anonymous);
        let id = CallId(self.new_id());
        let attempt_id = self.new_attempt_id();
        let local_tag = self.random.token();
        let sip_id = self.random.token();
        let contact = self.contact_of(own.as_ref().unwrap_or(&invite.from), own.is_some());
        let over_limit = self.is_full();
        let state = State::Calling(Calling::new(attempt_id, self.config.max_redirects));
        let session = Session::wanting(invite.session_expires);
        let mut call = Call {
            transport: invite.way.transport,
            authority: invite.way.authority,
            flow: invite.way.flow,
            ..Call::new(sip_id.clone(), local_tag.clone(), contact.clone(), state, session)
        };
        call.timers.set(CallTimer::Ring, now + self.config.ring_limit);
        self.calls.insert(id, call);
        if over_limit {
            self.end_over_limit(id);
            return id;
        }
        self.dialogs.insert((sip_id.clone(), local_tag.clone()), id);
        let mut request = self.initial_invite(&invite, &sip_id, &local_tag);
        if let Some(call) = self.calls.get_mut(&id) {
            call.session.terms = Some(Terms { prack: invite.prack, session_expires: invite.session_expires });
            call.session.put_into(&mut request);
            call.session.local_sdp = Some(invite.offer.clone());
        }
        let mut attempt = self.attempt_outside(Purpose::Invite(id), request, Login::Call(id), &invite.way);
        attempt.contact = Some(contact);
        self.hide_identity(&mut attempt, own);
        self.launch(now, attempt_id, attempt);
        self.settle(id);
        id
    }

    fn end_over_limit(&mut self, id: CallId) {
        self.tell_ended(id, 503, "Too many calls", Side::Local);
        if let Some(call) = self.calls.get_mut(&id) {
            call.state = State::Over;
        }
        self.settle(id);
    }

    fn initial_invite(&mut self, invite: &Invite, sip_id: &str, local_tag: &str) -> Request {
        let thread = Thread { call_id: sip_id, from_tag: local_tag, cseq: 1 };
        let mut request = outside(Method::Invite, &invite.from, &invite.to, &invite.way.route, &thread);
        if let Some(target) = &invite.target {
            request.uri = headers::request_uri(target);
        }
        request.headers.push(HeaderName::ALLOW, self.allow());
        request.headers.push(HeaderName::SUPPORTED, self.supported_by_invite(invite.prack));
        if invite.prack == Reliable::Required {
            request.headers.push(HeaderName::REQUIRE, prack::TAG);
        }
        if let Some(replaces) = &invite.replaces {
            request.headers.push(HeaderName::REQUIRE, "replaces");
            request.headers.push(HeaderName::REPLACES, replaces);
        }
        if let Some(by) = &invite.referred_by {
            request.headers.push(HeaderName::REFERRED_BY, by);
        }
        headers::add_extra(&mut request.headers, &invite.headers);
        request.set_body(headers::SDP, invite.offer.clone());
        request
    }
}
