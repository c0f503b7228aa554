//! The SIP user agent: bytes and time go in, bytes, questions and events come out. It owns no socket, no clock, no thread.
//!
//! ```text
//!  handle_input ─▶ receive ─▶ servers ─▶ uas ─▶ offered, prack, reoffered, update, bye, cancel, options, registrar, refer, info
//!                     └─────▶ clients ─▶ attempt ─▶ invite, change, register, refer, info
//!  register, invite, … ─▶ attempt ─▶ Resolve ─▶ clients ─▶ Transmit
//!  poll_timeout, handle_timeout: one deadline over all of them
//! ```
//!
//! An *attempt* is one request on its way to its final response: found addresses, the next one after a failure, challenges answered.
//! After every call into the user agent, drain [`UserAgent::poll_output`], then ask [`UserAgent::poll_timeout`]. Every
//! [`Output::Resolve`] must be answered by an [`Input::Resolved`].
//!
//! What is done otherwise than the RFCs say, and why:
//!
//! - RFC 3261 section 18.2.2: `maddr` of a Via is obeyed for multicast groups only; a unicast one would let anybody aim our responses.
//! - Section 13.2.2.4: the ACK of a 2xx carries no credentials. They would reach the peer, who could guess the password from them.
//! - Section 22: a challenge is answered only where the server is ours; inside a dialog, where it accepted us before.
//! - Section 12.2.1.1: requests to a peer that called over a connection or from behind a NAT go back that way, not to its Contact.
//! - Section 11.2: OPTIONS is answered 200 whether an INVITE to that user would be taken or not: it asks whether we are there.
//! - Section 12.1.1: an INVITE without a Contact is taken; its From stands in.
//! - Section 10.3: a REGISTER response has no Date; there is no wall clock here.
//! - Section 8.2.7: refusals that need no state (400, 407, 416, 420, 482, 483, 503, 505) are sent without a transaction.
//! - A response over UDP is never moved to TCP, and a DNS answer is used for one request: the IO layer keeps what may be kept.
//! - RFC 4028 section 10: a refresh that nobody answers is tried again until the session expires; the network may come back.
//! - RFC 3515 section 2.4.2: REFER is obeyed only inside a call (403 elsewhere), one at a time (491).

mod ack;
mod answer;
mod attempt;
mod avoided;
mod bye;
mod call;
mod cancel;
mod capabilities;
mod challenge;
mod change;
mod config;
mod event;
mod failover;
mod headers;
mod hop;
mod in_dialog;
mod info;
mod invite;
mod io;
mod keep_alive;
mod message;
mod offered;
mod options;
mod outcome;
mod prack;
mod publish;
mod receive;
mod redirect;
mod refer;
mod register;
mod registrar;
mod reinvite;
mod relocate;
mod reoffered;
mod replaces;
pub(crate) mod request;
mod respond;
mod session;
mod subscribe;
mod terms;
mod timeout;
mod trust;
mod uas;
mod update;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::digest::Authorizer;
use crate::framing::StreamDecoder;
use crate::publication::Publication as PublicationUpkeep;
use crate::random::Random;
use crate::registrar::{Binding, Registrar};
use crate::registration::Registration as RegistrationState;
use crate::subscription::Subscription as SubscriptionDialog;
use crate::transaction::Deadlines;
use crate::transaction::clients::{ClientId, Clients};
use crate::transaction::servers::{ServerId, Servers};

use attempt::{Attempt, AttemptId, Purpose};
use call::Call;
use hop::Flow;

pub use crate::publication::PublicationState;
pub use crate::subscription::SubscriptionState;
pub use crate::transaction::Timers;
pub use config::Config;
pub use event::{
    CallEvent, CallId, Cause, Event, FailureKind, MessageId, OptionsId, PublicationId, ReceivedMessage,
    RegistrationId, Side, SubscriptionId,
};
pub use hop::{Authority, Hop, Transport};
pub use invite::Invite;
pub use io::{Input, Output, QueryId};
pub use message::MessageRequest;
pub use options::Options;
pub use prack::Reliable;
pub use publish::Publication;
pub use refer::Refer;
pub use register::Registration;
pub use replaces::DialogName;
pub use request::Way;
pub use subscribe::Subscription;
pub use terms::Terms;

pub(crate) use outcome::Outcome;

/// What has a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Due {
    Client(ClientId),
    Server(ServerId),
    Call(CallId),
    Registration(RegistrationId),
    Subscription(SubscriptionId),
    Publication(PublicationId),
    Bindings,
    KeepAlive(Flow),
    /// a MESSAGE that nobody replied to
    Message(MessageId),
}

/// Who waits for addresses.
#[derive(Debug)]
enum Query {
    Attempt(AttemptId),
    Ack { call: CallId, remote_tag: String, cseq: u32 },
}

/// Whose request a client transaction carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Attempt(AttemptId),
    /// a CANCEL: its response changes nothing
    Nobody,
}

/// Both halves of RFC 3261's user agent, its registration client, and a registrar where configured.
#[derive(Debug)]
pub struct UserAgent {
    config: Config,
    random: Random,
    /// for the tags of responses that leave no state behind
    secret: u64,
    last_id: u64,
    outputs: VecDeque<Output>,
    deadlines: Deadlines<Due>,
    clients: Clients<Owner>,
    servers: Servers,
    attempts: HashMap<AttemptId, Attempt>,
    queries: HashMap<QueryId, Query>,
    calls: HashMap<CallId, Call>,
    /// calls by Call-ID and our tag
    dialogs: HashMap<(String, String), CallId>,
    /// MESSAGEs that wait for `reply_message`
    messages: HashMap<MessageId, message::Waiting>,
    registrations: HashMap<RegistrationId, RegistrationState>,
    publications: HashMap<PublicationId, PublicationUpkeep>,
    subscriptions: HashMap<SubscriptionId, SubscriptionDialog>,
    /// subscriptions by Call-ID and our tag
    subscription_dialogs: HashMap<(String, String), SubscriptionId>,
    registrar: Option<Registrar>,
    /// those that are kept alive
    flows: HashMap<Flow, keep_alive::KeepAlive>,
    streams: HashMap<Flow, StreamDecoder>,
    avoided: avoided::Avoided,
    trusted: trust::Trusted,
    logins: HashMap<challenge::Login, Authorizer>,
}

impl UserAgent {
    /// All branches, tags, Call-IDs and nonces come from `seed`, which must be secret and new for each process.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut random = Random::new(seed);
        let secret = random.number();
        let registrar = config.registrar.clone().map(|settings| Registrar::new(settings, random.bytes()));
        Self {
            config,
            random,
            secret,
            last_id: 0,
            outputs: VecDeque::new(),
            deadlines: Deadlines::new(),
            clients: Clients::new(),
            servers: Servers::new(),
            attempts: HashMap::new(),
            queries: HashMap::new(),
            calls: HashMap::new(),
            dialogs: HashMap::new(),
            messages: HashMap::new(),
            registrations: HashMap::new(),
            publications: HashMap::new(),
            avoided: avoided::Avoided::default(),
            subscriptions: HashMap::new(),
            subscription_dialogs: HashMap::new(),
            registrar,
            flows: HashMap::new(),
            streams: HashMap::new(),
            trusted: trust::Trusted::default(),
            logins: HashMap::new(),
        }
    }

    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { hop, bytes } => self.on_datagram(now, hop, bytes),
            Input::Stream { hop, bytes } => self.on_stream(now, hop, bytes),
            Input::StreamClosed { hop, reason } => self.on_stream_closed(now, &hop, &reason),
            Input::Resolved { query, result } => self.on_resolved(now, query, result),
            Input::SendFailed { hop, reason } => self.on_send_failed(now, &hop, &reason),
        }
    }

    /// The next thing to do; drain it after every call into the user agent.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`UserAgent::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The registrar's bindings of a user that are SIP or SIPS URIs, best first.
    pub fn bindings(&self, user: &str) -> Vec<Binding> {
        self.registrar.as_ref().map(|registrar| registrar.bindings(user)).unwrap_or_default()
    }

    /// Nothing waits for an answer that changes anything: what is left absorbs repetitions, or asked by OPTIONS.
    pub fn is_idle(&self) -> bool {
        let waits = |attempt: &Attempt| !attempt.accepted && !matches!(attempt.purpose, Purpose::Options(_));
        !self.calls.values().any(Call::is_open) && !self.attempts.values().any(waits)
    }

    /// How many calls, transactions and other things are alive: all zero once everything has ended and timed out.
    pub fn load(&self) -> Load {
        Load {
            calls: self.calls.len(),
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            attempts: self.attempts.len(),
            queries: self.queries.len(),
            dialogs: self.dialogs.len(),
            deadlines: self.deadlines.len(),
            streams: self.streams.len(),
            messages: self.messages.len(),
            publications: self.publications.len(),
            subscriptions: self.subscriptions.len() + self.subscription_dialogs.len(),
        }
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn transmit(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.outputs.push_back(Output::Transmit { hop, bytes });
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// See [`UserAgent::load`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    pub calls: usize,
    pub client_transactions: usize,
    pub server_transactions: usize,
    pub attempts: usize,
    pub queries: usize,
    pub dialogs: usize,
    pub deadlines: usize,
    pub streams: usize,
    pub messages: usize,
    pub publications: usize,
    pub subscriptions: usize,
}
