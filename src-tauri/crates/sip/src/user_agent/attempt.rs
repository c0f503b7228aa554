//! One request on its way: addresses, transactions, and the response that ends it.

use std::collections::VecDeque;
use std::time::Instant;

use crate::message::{CSeq, HeaderName, Request, Uri, Via, ViaTransport};
use crate::transaction::clients::{ClientId, Sent};

use super::challenge::Login;
use super::event::{CallId, MessageId, OptionsId, PublicationId, RegistrationId, SubscriptionId};
use super::headers::Contact;
use super::hop::{Authority, Hop, Transport};
use super::io::{Output, QueryId};
use super::outcome::Outcome;
use super::{Owner, Query, UserAgent};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AttemptId(pub(super) u64);

/// Who wants the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Register(RegistrationId),
    Invite(CallId),
    Reinvite(CallId),
    Update(CallId),
    Prack(CallId),
    Bye(CallId),
    Refer(CallId),
    /// a report on the peer's REFER
    Notify(CallId),
    Info(CallId),
    Options(OptionsId),
    Subscribe(SubscriptionId),
    Publish(PublicationId),
    /// inside a call or outside any
    Message(MessageId, Option<CallId>),
}

impl Purpose {
    pub(super) fn call(self) -> Option<CallId> {
        match self {
            Self::Invite(call)
            | Self::Reinvite(call)
            | Self::Update(call)
            | Self::Prack(call)
            | Self::Bye(call)
            | Self::Refer(call)
            | Self::Notify(call)
            | Self::Info(call) => Some(call),
            Self::Message(_, call) => call,
            Self::Register(_) | Self::Options(_) | Self::Subscribe(_) | Self::Publish(_) => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) purpose: Purpose,
    /// without Via, Contact and credentials: those depend on the hop
    pub(super) request: Request,
    pub(super) contact: Option<Contact>,
    /// the hop of a Contact that this request replaces
    pub(super) retired: Option<Hop>,
    /// what is resolved if there is no hop left
    pub(super) next: Uri,
    pub(super) transport: Option<Transport>,
    /// on whose word its next hop is trusted; that of its call, where it belongs to one
    pub(super) authority: Authority,
    pub(super) hops: VecDeque<Hop>,
    pub(super) resolved: bool,
    /// the hop in use
    pub(super) hop: Option<Hop>,
    /// the UDP hop of a request that is tried over TCP for its size
    pub(super) udp_fallback: Option<Hop>,
    pub(super) client: Option<ClientId>,
    pub(super) login: Option<Login>,
    /// challenges answered
    pub(super) rounds: u8,
    /// who we are where From hides it
    pub(super) own: Option<Uri>,
    /// its first Route is one that the user configured
    pub(super) own_route: bool,
    /// it goes to a given hop, wherever its URI points
    pub(super) pinned: bool,
    /// TCP was tried for size and refused
    pub(super) tcp_refused: bool,
    /// a 2xx to INVITE came: the transaction still waits for others
    pub(super) accepted: bool,
    failure: Option<Outcome>,
}

impl Attempt {
    pub(super) fn new(purpose: Purpose, request: Request, next: Uri) -> Self {
        Self {
            purpose,
            request,
            contact: None,
            retired: None,
            next,
            transport: None,
            authority: Authority::default(),
            hops: VecDeque::new(),
            resolved: false,
            hop: None,
            udp_fallback: None,
            client: None,
            login: None,
            rounds: 0,
            own: None,
            own_route: false,
            pinned: false,
            tcp_refused: false,
            accepted: false,
            failure: None,
        }
    }

    pub(super) fn with_hop(mut self, hop: Option<Hop>) -> Self {
        self.hops = hop.into_iter().collect();
        self
    }

    /// The same request once more under its next number, for the same user; where it goes is found out from `next`.
    pub(super) fn again(mut self, next: Uri) -> Self {
        let sequence = CSeq::new(self.cseq() + 1, self.request.method.clone());
        self.request.headers.set(HeaderName::CSEQ, sequence);
        Self {
            contact: self.contact,
            transport: self.transport,
            login: self.login,
            own: self.own,
            own_route: self.own_route,
            ..Self::new(self.purpose, self.request, next)
        }
    }

    /// The address that its credentials belong to.
    pub(super) fn own(&self) -> Option<Uri> {
        self.own.clone().or_else(|| Some(self.request.headers.from().ok()?.uri))
    }

    /// The request is inside a dialog.
    pub(super) fn in_dialog(&self) -> bool {
        self.request.headers.to().is_ok_and(|to| to.tag().is_some())
    }

    pub(super) fn cseq(&self) -> u32 {
        self.request.headers.cseq().map_or(0, |cseq| cseq.number)
    }
}

impl UserAgent {
    pub(super) fn new_attempt_id(&mut self) -> AttemptId {
        AttemptId(self.new_id())
    }

    pub(super) fn launch(&mut self, now: Instant, id: AttemptId, mut attempt: Attempt) {
        if let Some(call) = attempt.purpose.call().and_then(|call| self.calls.get_mut(&call)) {
            attempt.authority = call.authority;
            call.attempts.push(id);
        }
        self.attempts.insert(id, attempt);
        self.proceed(now, id);
    }

    /// Sends to the next hop, asks for hops, or gives up.
    fn proceed(&mut self, now: Instant, id: AttemptId) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        attempt.udp_fallback = None;
        attempt.tcp_refused = false;
        if let Some(hop) = attempt.hops.pop_front() {
            return self.send_over(now, id, hop, true);
        }
        if !attempt.resolved {
            attempt.resolved = true;
            let (uri, transport, authority) = (attempt.next.clone(), attempt.transport, attempt.authority);
            return self.ask(Query::Attempt(id), uri, transport, authority);
        }
        let failure =
            attempt.failure.take().unwrap_or_else(|| Outcome::Unreachable("no address found".to_owned()));
        self.finish(now, id, failure);
    }

    pub(super) fn ask(&mut self, query: Query, uri: Uri, transport: Option<Transport>, authority: Authority) {
        let id = QueryId(self.new_id());
        self.queries.insert(id, query);
        self.outputs.push_back(Output::Resolve { query: id, uri, transport, authority });
    }

    pub(super) fn on_resolved(&mut self, now: Instant, query: QueryId, result: Result<Vec<Hop>, String>) {
        match self.queries.remove(&query) {
            Some(Query::Attempt(id)) => {
                let Some(attempt) = self.attempts.get_mut(&id) else { return };
                match result {
                    Ok(mut hops) => {
                        self.avoided.sort(now, &mut hops);
                        attempt.hops.extend(hops.into_iter().take(16));
                    }
                    Err(reason) => {
                        attempt.failure.get_or_insert(Outcome::Unreachable(reason));
                    }
                }
                self.proceed(now, id);
            }
            Some(Query::Ack { call, remote_tag, cseq }) => {
                let hop = result.ok().and_then(|hops| hops.first().copied());
                self.on_ack_resolved(now, call, &remote_tag, cseq, hop);
            }
            None => {}
        }
    }

    /// `may_switch`: a request that is too large for UDP goes over TCP (RFC 3261 section 18.1.1).
    pub(super) fn send_over(&mut self, now: Instant, id: AttemptId, hop: Hop, may_switch: bool) {
        if self.clients.len() >= self.config.max_transactions {
            return self.finish(now, id, Outcome::Unreachable("too many transactions".to_owned()));
        }
        let branch = self.random.branch();
        let Some(attempt) = self.attempts.get(&id) else { return };
        let mut request = attempt.request.clone();
        if self.may_authenticate(attempt, &hop)
            && let Some(login) = attempt.login.and_then(|login| self.logins.get_mut(&login))
        {
            login.authorize(&mut request);
        }
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if let Some(contact) = &attempt.contact {
            let address = contact.address(&hop, &request.uri);
            let old = attempt.retired.map(|retired| contact.address(&retired, &request.uri));
            if let Some(mut old) = old.filter(|old| *old != address) {
                old.params.set("expires", "0");
                request.headers.push(HeaderName::CONTACT, old);
            }
            request.headers.push(HeaderName::CONTACT, address);
        }
        if !self.config.product.is_empty() {
            request.headers.push(HeaderName::USER_AGENT, &self.config.product);
        }
        request.headers.push_front(HeaderName::VIA, via(&hop, &branch));
        let mut bytes = request.to_bytes();
        let mut hop = hop;
        if may_switch && hop.transport == Transport::Udp && bytes.len() > self.config.udp_limit {
            attempt.udp_fallback = Some(hop);
            hop.transport = Transport::Tcp;
            request.headers.replace_first_element(&HeaderName::VIA, via(&hop, &branch));
            bytes = request.to_bytes();
        }
        attempt.hop = Some(hop);
        let sent = Sent { branch, hop, request, bytes: bytes.clone() };
        let client = self.clients.start(now, self.config.timers, sent, Owner::Attempt(id));
        attempt.client = Some(client);
        self.transmit(hop, bytes);
        self.refresh_client(client);
    }

    /// Keeps what failed, so that the last failure can be told if every hop fails.
    pub(super) fn try_next_hop(&mut self, now: Instant, id: AttemptId, failure: Outcome) {
        if let Some(attempt) = self.attempts.get_mut(&id) {
            attempt.failure = Some(failure);
        }
        self.proceed(now, id);
    }
}

pub(super) fn via(hop: &Hop, branch: &str) -> Via {
    let transport = ViaTransport::from(hop.transport.via_token());
    let (host, port) = hop.sent_by();
    let mut via = Via::new(transport, host, port);
    via.request_rport();
    via.set_branch(branch);
    via
}
