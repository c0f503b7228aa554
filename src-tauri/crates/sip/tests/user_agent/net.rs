//! User agents on a network that exists in memory only: seeded loss, delay, reordering and duplication, and a clock that jumps from
//! deadline to deadline.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sidetone_sip::message::{Message, Uri};
use sidetone_sip::{
    CallEvent, CallId, Cause, Config, Event, Hop, Input, Load, Output, QueryId, Transport, UserAgent,
};

pub(crate) const LATENCY: Duration = Duration::from_millis(10);

/// What the network does to datagrams.
#[derive(Clone, Copy, Default)]
pub(crate) struct Link {
    /// percent
    pub(crate) loss: u64,
    /// percent
    pub(crate) duplicates: u64,
    /// up to so much on top of the latency, which reorders
    pub(crate) jitter: Duration,
}

pub(crate) struct Node {
    pub(crate) ua: UserAgent,
    pub(crate) address: SocketAddr,
    pub(crate) events: VecDeque<Event>,
}

struct Packet {
    hop: Hop,
    bytes: Vec<u8>,
}

pub(crate) struct Net {
    pub(crate) now: Instant,
    random: fastrand::Rng,
    pub(crate) link: Link,
    pub(crate) nodes: Vec<Node>,
    flying: BTreeMap<(Instant, u64), Packet>,
    sent: u64,
    /// what arrived at addresses that are no user agents
    inbox: HashMap<SocketAddr, VecDeque<(Transport, Message)>>,
    pub(crate) names: HashMap<String, Vec<(Transport, SocketAddr)>>,
    pub(crate) refused: HashSet<(Transport, SocketAddr)>,
    /// nothing leaves or reaches these
    pub(crate) unplugged: HashSet<SocketAddr>,
    /// everything transmitted, in order
    pub(crate) log: Vec<(SocketAddr, Hop, Vec<u8>)>,
    pub(crate) closed: Vec<Hop>,
    /// questions are kept instead of answered
    pub(crate) hold_questions: bool,
    pub(crate) questions: Vec<(usize, QueryId, Uri, Option<Transport>)>,
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Net {
    pub(crate) fn new() -> Self {
        Self {
            now: Instant::now(),
            random: fastrand::Rng::with_seed(7),
            link: Link::default(),
            nodes: Vec::new(),
            flying: BTreeMap::new(),
            sent: 0,
            inbox: HashMap::new(),
            names: HashMap::new(),
            refused: HashSet::new(),
            unplugged: HashSet::new(),
            log: Vec::new(),
            closed: Vec::new(),
            hold_questions: false,
            questions: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, at: &str, config: Config) -> usize {
        let seed = [self.nodes.len() as u8 + 1; 32];
        let ua = UserAgent::new(config, seed);
        self.nodes.push(Node { ua, address: address(at), events: VecDeque::new() });
        self.nodes.len() - 1
    }

    /// Does something with a user agent, then takes what comes out of it.
    pub(crate) fn with<T>(&mut self, node: usize, act: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.nodes[node].ua, now);
        self.drain(node);
        result
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].ua.poll_output() {
            match output {
                Output::Event(event) => self.nodes[node].events.push_back(event),
                Output::Close { hop } => self.closed.push(hop),
                Output::Transmit { hop, bytes } => {
                    let from = self.nodes[node].address;
                    self.log.push((from, hop, bytes.clone()));
                    if self.refused.contains(&(hop.transport, hop.remote)) {
                        let failed = Input::SendFailed { hop, reason: "refused".to_owned() };
                        let now = self.now;
                        self.nodes[node].ua.handle_input(now, failed);
                    } else {
                        self.post(from, hop.transport, hop.remote, bytes);
                    }
                }
                Output::Resolve { query, uri, transport, .. } if self.hold_questions => {
                    self.questions.push((node, query, uri, transport));
                }
                Output::Resolve { query, uri, transport, .. } => {
                    let result = self.resolve(node, &uri, transport);
                    let now = self.now;
                    self.nodes[node].ua.handle_input(now, Input::Resolved { query, result });
                }
            }
        }
    }

    fn resolve(&self, node: usize, uri: &Uri, wanted: Option<Transport>) -> Result<Vec<Hop>, String> {
        let local = self.nodes[node].address;
        let named = uri.transport().and_then(Transport::from_token);
        let transport = wanted.or(named).unwrap_or(Transport::Udp);
        if let Some(ip) = uri.host.ip() {
            let remote = SocketAddr::new(ip, uri.port.unwrap_or(transport.default_port()));
            return Ok(vec![Hop::new(transport, local, remote)]);
        }
        let found = self.names.get(&uri.host.to_string()).ok_or("no such name")?;
        Ok(found.iter().map(|(transport, remote)| Hop::new(*transport, local, *remote)).collect())
    }

    fn post(&mut self, from: SocketAddr, transport: Transport, to: SocketAddr, bytes: Vec<u8>) {
        if self.unplugged.contains(&from) || self.unplugged.contains(&to) {
            return;
        }
        let datagram = transport == Transport::Udp;
        if datagram && self.random.u64(..100) < self.link.loss {
            return;
        }
        let copies = if datagram && self.random.u64(..100) < self.link.duplicates { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = u64::try_from(self.link.jitter.as_micros()).unwrap();
            let extra = if datagram && jitter > 0 { self.random.u64(..jitter) } else { 0 };
            let at = self.now + LATENCY + Duration::from_micros(extra);
            self.sent += 1;
            let hop = Hop::new(transport, to, from);
            self.flying.insert((at, self.sent), Packet { hop, bytes: bytes.clone() });
        }
    }

    /// Sends text from an address that is no user agent; line ends become CRLF.
    pub(crate) fn send(&mut self, from: &str, to: &str, text: &str) {
        self.send_over(Transport::Udp, from, to, text);
    }

    pub(crate) fn send_over(&mut self, transport: Transport, from: &str, to: &str, text: &str) {
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        self.post(address(from), transport, address(to), bytes);
    }

    /// The next message that arrived at an address that is no user agent.
    pub(crate) fn receive(&mut self, at: &str) -> Option<Message> {
        Some(self.inbox.get_mut(&address(at))?.pop_front()?.1)
    }

    pub(crate) fn receive_all(&mut self, at: &str) -> Vec<Message> {
        std::iter::from_fn(|| self.receive(at)).collect()
    }

    fn next_event(&self) -> Option<Instant> {
        let packet = self.flying.first_key_value().map(|((at, _), _)| *at);
        self.nodes.iter().filter_map(|node| node.ua.poll_timeout()).chain(packet).min()
    }

    /// Jumps to the next packet or deadline before `limit`. Whether there was one.
    pub(crate) fn step(&mut self, limit: Instant) -> bool {
        let Some(at) = self.next_event().filter(|at| *at <= limit) else { return false };
        self.now = self.now.max(at);
        while let Some(entry) = self.flying.first_entry()
            && entry.key().0 <= self.now
        {
            let packet = entry.remove();
            self.deliver(packet);
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].ua.poll_timeout().is_some_and(|at| at <= self.now) {
                self.with(node, |ua, now| ua.handle_timeout(now));
            }
        }
        true
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet { hop, bytes } = packet;
        match self.nodes.iter().position(|node| node.address == hop.local) {
            Some(node) => self.with(node, |ua, now| match hop.transport {
                Transport::Tcp | Transport::Tls => ua.handle_input(now, Input::Stream { hop, bytes: &bytes }),
                _ => ua.handle_input(now, Input::Datagram { hop, bytes: &bytes }),
            }),
            None => {
                // the refusal of a broken request repeats its broken fields
                let Ok(message) = Message::parse(&bytes) else { return };
                self.inbox.entry(hop.local).or_default().push_back((hop.transport, message));
            }
        }
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let limit = self.now + time;
        while self.step(limit) {}
        self.now = limit;
    }

    /// Long enough for every message on its way, too short for retransmissions to matter.
    pub(crate) fn settle(&mut self) {
        self.run_for(Duration::from_millis(200));
    }

    /// Until no transaction of any kind is left.
    pub(crate) fn run_out(&mut self) {
        self.run_for(Duration::from_secs(200));
    }

    pub(crate) fn load(&self, node: usize) -> Load {
        self.nodes[node].ua.load()
    }

    pub(crate) fn assert_empty(&self, node: usize) {
        let load = self.load(node);
        assert_eq!(load, Load { streams: load.streams, ..Load::default() }, "node {node}");
    }

    pub(crate) fn events(&mut self, node: usize) -> Vec<Event> {
        self.nodes[node].events.drain(..).collect()
    }

    /// The events of one call; others are dropped.
    pub(crate) fn call_events(&mut self, node: usize, wanted: CallId) -> Vec<CallEvent> {
        let of_call = |event| match event {
            Event::Call { call, event } if call == wanted => Some(event),
            _ => None,
        };
        self.events(node).into_iter().filter_map(of_call).collect()
    }

    /// The call that came in; earlier events are dropped.
    pub(crate) fn incoming(&mut self, node: usize) -> CallId {
        while let Some(event) = self.nodes[node].events.pop_front() {
            if let Event::Incoming { call, .. } = event {
                return call;
            }
        }
        panic!("no call came in");
    }
}

/// The causes of the `Ended` events: there must be one at most.
pub(crate) fn ended(events: &[CallEvent]) -> Option<Cause> {
    let causes: Vec<&Cause> = events
        .iter()
        .filter_map(|event| match event {
            CallEvent::Ended { cause } => Some(cause),
            _ => None,
        })
        .collect();
    assert!(causes.len() <= 1, "ended more than once: {causes:?}");
    if !causes.is_empty() {
        assert!(
            matches!(events.last(), Some(CallEvent::Ended { .. })),
            "something came after the end: {events:?}"
        );
    }
    causes.first().map(|cause| (*cause).clone())
}
