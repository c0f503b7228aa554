//! A client of one STUN or TURN server (RFC 8489, RFC 8656), as one of our addresses sees it.

mod far_end;
mod refusal;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::stun::message::TransactionId;

use super::stun::{Id, Message, Writer, attribute, channel_data, kind, long_term_key, read_channel_data};
use crate::transport::Provider;
use crate::{IceServer, IceServerKind, IceTransport};
use far_end::{FarEnd, Way};

/// Of a request over UDP (RFC 8489 section 6.2.1), and how often it is sent.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_millis(1_600);
const SENDINGS: u8 = 7;
/// Of a request over a stream.
const STREAM_WAIT: Duration = Duration::from_secs(10);
/// With nonces that go stale.
const TRIES: u8 = 4;
const FAR_ENDS: usize = 128;
/// Between two looks at what has to be renewed.
const UPKEEP: Duration = Duration::from_secs(20);
/// Of an allocation: what we believe of a server's word, in seconds.
const LIFETIMES: std::ops::RangeInclusive<u32> = 2..=3_600;
const UDP: u8 = 17;
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;

/// What comes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// How the server sees us.
    Mapped(SocketAddr),
    /// The address of our relay.
    Relayed(SocketAddr),
    Data(SocketAddr, Bytes),
    /// There is nothing more to be had of it, in words.
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bind,
    Allocate,
    Refresh,
    Release,
    Permit(SocketAddr),
    Channel(SocketAddr, u16),
}

struct Request {
    what: What,
    message: Bytes,
    /// With other credentials before.
    tries: u8,
    sendings: u8,
    wait: Duration,
    due: Instant,
}

pub(super) struct Client {
    provider: Provider,
    server: IceServer,
    realm: String,
    nonce: Vec<u8>,
    key: Option<Vec<u8>>,
    requests: HashMap<Id, Request>,
    relay: Option<SocketAddr>,
    refresh_at: Option<Instant>,
    upkeep_at: Option<Instant>,
    far_ends: HashMap<SocketAddr, FarEnd>,
    channels: HashMap<u16, SocketAddr>,
    next_channel: u16,
    out: VecDeque<Bytes>,
    found: VecDeque<Found>,
    is_over: bool,
}

impl Client {
    pub(super) fn new(now: Instant, provider: Provider, server: IceServer) -> Self {
        let what = if server.kind == IceServerKind::Turn { What::Allocate } else { What::Bind };
        let mut client = Self {
            provider,
            server,
            realm: String::new(),
            nonce: Vec::new(),
            key: None,
            requests: HashMap::new(),
            relay: None,
            refresh_at: None,
            upkeep_at: None,
            far_ends: HashMap::new(),
            channels: HashMap::new(),
            next_channel: *CHANNELS.start(),
            out: VecDeque::new(),
            found: VecDeque::new(),
            is_over: false,
        };
        client.ask(now, what, 1);
        client
    }

    pub(super) fn relay(&self) -> Option<SocketAddr> {
        self.relay
    }

    pub(super) fn has_asked(&self, id: &Id) -> bool {
        self.requests.contains_key(id)
    }

    pub(super) fn poll_found(&mut self) -> Option<Found> {
        self.found.pop_front()
    }

    /// A message to the server, padded for its transport.
    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.values().map(|request| request.due);
        requests.chain(self.refresh_at).chain(self.upkeep_at).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let due: Vec<Id> = self.requests.iter().filter(|(_, it)| it.due <= now).map(|(id, _)| *id).collect();
        for id in due {
            let is_stream = self.is_stream();
            let Some(request) = self.requests.get_mut(&id) else { continue };
            if is_stream || request.sendings >= SENDINGS {
                let what = request.what;
                self.requests.remove(&id);
                self.unanswered(what);
                continue;
            }
            request.sendings += 1;
            request.wait = (request.wait * 2).min(LONGEST_WAIT);
            request.due = now + request.wait;
            self.out.push_back(request.message.clone());
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            self.ask(now, What::Refresh, 1);
        }
        if self.upkeep_at.is_some_and(|at| at <= now) {
            self.upkeep_at = Some(now + UPKEEP);
            self.renew(now);
        }
    }

    pub(super) fn handle(&mut self, now: Instant, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        if matches!(bytes.first(), Some(0x40..=0x7f)) {
            if let Some((number, data)) = read_channel_data(bytes)
                && let Some(remote) = self.channels.get(&number)
            {
                self.found.push_back(Found::Data(*remote, Bytes::copy_from_slice(data)));
            }
            return;
        }
        let Some(message) = Message::parse(bytes) else { return };
        if message.kind == kind::DATA {
            if let (Some(remote), Some(data), true) = (
                message.address(attribute::XOR_PEER_ADDRESS),
                message.get(attribute::DATA),
                self.relay.is_some(),
            ) {
                self.found.push_back(Found::Data(remote, Bytes::copy_from_slice(data)));
            }
            return;
        }
        let Some(request) = self.requests.get(&message.id) else { return };
        let (what, tries) = (request.what, request.tries);
        let is_success = message.kind == what.kind() | kind::SUCCESS;
        if !is_success && message.kind != what.kind() | kind::ERROR {
            return;
        }
        // What is not the server's is passed over; its own answer may still come (RFC 8489 section 9.2.5).
        let is_authentic = || self.key.as_ref().is_none_or(|key| message.is_signed(&self.provider, key));
        if is_success && what != What::Bind && !is_authentic() {
            return;
        }
        self.requests.remove(&message.id);
        if is_success {
            self.on_success(now, what, &message);
        } else {
            self.on_error(now, what, tries, &message);
        }
    }

    fn on_success(&mut self, now: Instant, what: What, message: &Message<'_>) {
        let usable = |address: &SocketAddr| !address.ip().is_unspecified() && address.port() != 0;
        let mapped = message.address(attribute::XOR_MAPPED_ADDRESS).filter(usable);
        match what {
            What::Bind => match mapped {
                Some(mapped) => self.found.push_back(Found::Mapped(mapped)),
                None => self.fail("it does not say how it sees us".into()),
            },
            What::Allocate => {
                let Some(relay) = message.address(attribute::XOR_RELAYED_ADDRESS).filter(usable) else {
                    return self.fail("it does not say where its relay is".into());
                };
                if let Some(mapped) = mapped.filter(|_| !self.is_stream()) {
                    self.found.push_back(Found::Mapped(mapped));
                }
                self.relay = Some(relay);
                self.found.push_back(Found::Relayed(relay));
                self.upkeep_at = Some(now + UPKEEP);
                self.lives(now, message);
            }
            What::Refresh => self.lives(now, message),
            What::Release => {}
            What::Permit(remote) => {
                let Some(far_end) = self.far_ends.get_mut(&remote) else { return };
                for data in far_end.permitted(now) {
                    self.send(now, remote, &data);
                }
            }
            What::Channel(remote, number) => {
                if let Some(far_end) = self.far_ends.get_mut(&remote) {
                    far_end.bound(now, number);
                }
            }
        }
    }

    fn on_error(&mut self, now: Instant, what: What, tries: u8, message: &Message<'_>) {
        let (code, reason) = message.error().unwrap_or_default();
        let nonce = message.get(attribute::NONCE).map(<[u8]>::to_vec);
        let is_first = code == 401 && self.key.is_none() && what == What::Allocate;
        if let Some(nonce) = nonce.filter(|_| (is_first || code == 438) && tries < TRIES) {
            self.nonce = nonce;
            if is_first {
                self.realm = message.text(attribute::REALM).unwrap_or_default().to_owned();
                let (user, password) = (&self.server.username, &self.server.credential);
                self.key = long_term_key(&self.provider, user, &self.realm, password);
            }
            return self.ask(now, what, tries + 1);
        }
        let words = refusal::words(code, &reason);
        match what {
            What::Bind | What::Allocate => self.fail(words),
            What::Refresh => self.fail(format!("it gives up the relay: {words}")),
            What::Release => {}
            What::Permit(remote) => {
                if let Some(far_end) = self.far_ends.get_mut(&remote) {
                    far_end.refused();
                }
            }
            What::Channel(remote, _) => {
                if let Some(far_end) = self.far_ends.get_mut(&remote) {
                    far_end.not_bound();
                }
            }
        }
    }

    fn unanswered(&mut self, what: What) {
        match what {
            What::Bind | What::Allocate => self.fail("it does not answer".into()),
            What::Refresh => self.fail("it does not answer any more".into()),
            What::Release => {}
            What::Permit(remote) => {
                if let Some(far_end) = self.far_ends.get_mut(&remote) {
                    far_end.unanswered();
                }
            }
            What::Channel(remote, _) => {
                if let Some(far_end) = self.far_ends.get_mut(&remote) {
                    far_end.not_bound();
                }
            }
        }
    }

    /// Nothing comes of it any more.
    pub(super) fn fail(&mut self, reason: String) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.requests.clear();
        self.far_ends.clear();
        self.channels.clear();
        (self.relay, self.refresh_at, self.upkeep_at) = (None, None, None);
        self.found.push_back(Found::Failed(reason));
    }

    /// Gives the relay back.
    pub(super) fn close(&mut self, now: Instant) {
        if self.relay.take().is_some() && !self.is_over {
            self.ask(now, What::Release, TRIES);
        }
        self.is_over = true;
        self.requests.clear();
        (self.refresh_at, self.upkeep_at) = (None, None);
    }

    pub(super) fn send(&mut self, now: Instant, remote: SocketAddr, data: &Bytes) {
        if self.relay.is_none() || (!self.far_ends.contains_key(&remote) && self.far_ends.len() >= FAR_ENDS) {
            return;
        }
        let is_stream = self.is_stream();
        match self.far_ends.entry(remote).or_default().send(now, data) {
            Way::Channel(number) => self.out.push_back(channel_data(number, data, is_stream)),
            Way::Indication { bind } => {
                let writer = Writer::new(kind::SEND, &TransactionId::new().0);
                let writer = writer.add_address(attribute::XOR_PEER_ADDRESS, remote);
                self.out.push_back(writer.add(attribute::DATA, data).done());
                if bind {
                    self.bind(now, remote);
                }
            }
            Way::Ask => self.ask(now, What::Permit(remote), 1),
            Way::Wait => {}
        }
    }

    fn bind(&mut self, now: Instant, remote: SocketAddr) {
        let number = self.next_channel;
        self.next_channel = if number == *CHANNELS.end() { *CHANNELS.start() } else { number + 1 };
        // Data may come through it before the answer.
        self.channels.insert(number, remote);
        self.ask(now, What::Channel(remote, number), 1);
    }

    /// Permissions last for five minutes, channels for ten (RFC 8656 sections 9 and 12).
    fn renew(&mut self, now: Instant) {
        self.far_ends.retain(|_, far_end| !far_end.is_forgotten(now));
        let far_ends = &self.far_ends;
        self.channels.retain(|_, remote| far_ends.contains_key(remote));
        let due: Vec<What> = self
            .far_ends
            .iter_mut()
            .flat_map(|(remote, far_end)| {
                let channel = far_end.renew_channel(now).map(|number| What::Channel(*remote, number));
                let permission = far_end.renew_permission(now).then_some(What::Permit(*remote));
                channel.into_iter().chain(permission)
            })
            .collect();
        for what in due {
            self.ask(now, what, 1);
        }
    }

    fn lives(&mut self, now: Instant, message: &Message<'_>) {
        let seconds = message.number(attribute::LIFETIME).unwrap_or(600);
        let seconds = seconds.clamp(*LIFETIMES.start(), *LIFETIMES.end());
        self.refresh_at = Some(now + Duration::from_secs(u64::from(seconds)) / 2);
    }

    fn is_stream(&self) -> bool {
        self.server.transport != IceTransport::Udp
    }

    fn ask(&mut self, now: Instant, what: What, tries: u8) {
        let id = TransactionId::new().0;
        let mut writer = Writer::new(what.kind(), &id);
        writer = match what {
            What::Bind => writer,
            What::Allocate => writer.add(attribute::REQUESTED_TRANSPORT, &[UDP, 0, 0, 0]),
            What::Refresh => writer,
            What::Release => writer.add(attribute::LIFETIME, &[0; 4]),
            What::Permit(remote) => writer.add_address(attribute::XOR_PEER_ADDRESS, remote),
            What::Channel(remote, number) => {
                let [high, low] = number.to_be_bytes();
                let writer = writer.add(attribute::CHANNEL_NUMBER, &[high, low, 0, 0]);
                writer.add_address(attribute::XOR_PEER_ADDRESS, remote)
            }
        };
        if let Some(key) = self.key.as_ref().filter(|_| what != What::Bind) {
            let writer_with_user = writer
                .add(attribute::USERNAME, self.server.username.as_bytes())
                .add(attribute::REALM, self.realm.as_bytes())
                .add(attribute::NONCE, &self.nonce);
            let Some(signed) = writer_with_user.sign(&self.provider, key) else {
                return self.fail("its kind of password cannot be used here".into());
            };
            writer = signed;
        }
        let message = writer.done();
        self.out.push_back(message.clone());
        let wait = if self.is_stream() { STREAM_WAIT } else { FIRST_WAIT };
        let request = Request { what, message, tries, sendings: 1, wait, due: now + wait };
        self.requests.insert(id, request);
    }
}

impl What {
    fn kind(self) -> u16 {
        match self {
            Self::Bind => kind::BINDING,
            Self::Allocate => kind::ALLOCATE,
            Self::Refresh | Self::Release => kind::REFRESH,
            Self::Permit(_) => kind::CREATE_PERMISSION,
            Self::Channel(..) => kind::CHANNEL_BIND,
        }
    }
}
