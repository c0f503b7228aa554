//! Addresses found with the help of servers, and the way by relays: STUN (RFC 8489) and TURN (RFC 8656).

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::turn::client::{Client, ClientConfig, Event as TurnEvent};

use crate::sdp::{Candidate, CandidateKind};
use crate::{Config, IceServer, IceServerKind, IceTransport, PeerError, Role, Transmit};

/// How long servers have time to answer.
const PATIENCE: Duration = Duration::from_secs(5);
const SERVERS: usize = 8;
/// Of one TCP connection: the longest message and what waits of the next.
const BUFFER: usize = 128 * 1024;
/// What waits for permission to go by a relay, for each far end.
const WAITING: usize = 32;
const FAR_ENDS: usize = 128;

/// All servers of one peer.
pub(crate) struct Gather {
    clients: Vec<Server>,
    relay_only: bool,
    until: Option<Instant>,
    done: bool,
    candidates: VecDeque<Candidate>,
    relayed: VecDeque<(SocketAddr, SocketAddr, Bytes)>,
    transmits: VecDeque<Transmit>,
}

/// One server as one of our addresses sees it.
struct Server {
    client: Client,
    server: IceServer,
    host: SocketAddr,
    rank: u16,
    answered: bool,
    relay: Option<SocketAddr>,
    permitted: HashSet<SocketAddr>,
    waiting: HashMap<SocketAddr, Vec<Bytes>>,
    stream: BytesMut,
}

impl Gather {
    pub(crate) fn new(config: &Config) -> Result<Self, PeerError> {
        let relay_only = config.relay_only;
        let gather = Self {
            clients: Vec::new(),
            relay_only,
            until: None,
            done: true,
            candidates: VecDeque::new(),
            relayed: VecDeque::new(),
            transmits: VecDeque::new(),
        };
        Ok(gather)
    }

    /// Asks every server from every address of ours of its kind, anew.
    pub(crate) fn begin(&mut self, now: Instant, config: &Config) {
        for server in &mut self.clients {
            server.close(now);
        }
        self.collect(now);
        self.clients.clear();
        if config.role == Role::Gateway {
            return;
        }
        for (rank, server) in (0..).zip(config.ice_servers.iter().take(SERVERS)) {
            if server.kind == IceServerKind::Stun && self.relay_only {
                continue;
            }
            for host in config.hosts.iter().filter(|host| host.is_ipv4() == server.address.is_ipv4()).take(4)
            {
                if let Some(client) = Server::new(now, server, *host, rank) {
                    self.clients.push(client);
                }
            }
        }
        self.done = self.clients.is_empty();
        self.until = (!self.done).then_some(now + PATIENCE);
        self.collect(now);
    }

    pub(crate) fn is_gathering(&self) -> bool {
        !self.done
    }

    pub(crate) fn is_server(&self, remote: SocketAddr, transport: IceTransport) -> bool {
        self.clients.iter().any(|c| c.server.address == remote && c.server.transport == transport)
    }

    pub(crate) fn is_relay(&self, local: SocketAddr) -> bool {
        self.clients.iter().any(|client| client.relay == Some(local))
    }

    /// Whether it was the server's and not of a far end at the same address.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let is = |c: &&mut Server| {
            c.server.address == remote && c.host == local && c.server.transport == IceTransport::Udp
        };
        let mut handled = false;
        for client in self.clients.iter_mut().filter(is) {
            if client.is_for(datagram) {
                client.handle(now, datagram);
                handled = true;
                break;
            }
        }
        self.collect(now);
        handled
    }

    pub(crate) fn handle_stream(
        &mut self,
        now: Instant,
        _local: SocketAddr,
        remote: SocketAddr,
        bytes: &[u8],
    ) {
        let is = |c: &&mut Server| c.server.address == remote && c.server.transport == IceTransport::Tcp;
        if let Some(client) = self.clients.iter_mut().find(is) {
            client.handle_stream(now, bytes);
        }
        self.collect(now);
    }

    /// Sends by the relay whose address is `local`.
    pub(crate) fn relay(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, data: &Bytes) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.relay == Some(local)) {
            client.send(now, remote, data);
        }
        self.collect(now);
    }

    pub(crate) fn poll_relayed(&mut self) -> Option<(SocketAddr, SocketAddr, Bytes)> {
        self.relayed.pop_front()
    }

    pub(crate) fn poll_candidate(&mut self) -> Option<Candidate> {
        self.candidates.pop_front()
    }

    /// True once, when every server has answered or had its time.
    pub(crate) fn poll_done(&mut self) -> bool {
        let is_done = !self.done && self.until.is_none();
        self.done |= is_done;
        is_done
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for server in &mut self.clients {
            if server.client.poll_timeout().is_some_and(|at| at <= now) {
                // What became of it comes as an event.
                let _ = server.client.handle_timeout(now);
            }
        }
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
        }
        self.collect(now);
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        let clients = self.clients.iter_mut().filter_map(|server| server.client.poll_timeout());
        clients.chain(self.until).min()
    }

    pub(crate) fn close(&mut self, now: Instant) {
        for server in &mut self.clients {
            server.close(now);
        }
        self.collect(now);
    }

    fn collect(&mut self, now: Instant) {
        for server in &mut self.clients {
            while let Some(event) = server.client.poll_event() {
                server.on_event(now, event, &mut self.candidates, &mut self.relayed);
            }
            while let Some(sent) = server.client.poll_write() {
                self.transmits.push_back(Transmit {
                    local: server.host,
                    remote: sent.transport.peer_addr,
                    transport: server.server.transport,
                    data: framed(server.server.transport, sent.message.freeze()),
                });
            }
        }
        if self.clients.iter().all(|server| server.answered) {
            self.until = None;
        }
    }
}

/// Over a stream, channel data is padded to four bytes (RFC 8656 section 12.5).
fn framed(transport: IceTransport, message: Bytes) -> Bytes {
    let padding = message.len().next_multiple_of(4) - message.len();
    if transport == IceTransport::Udp || padding == 0 {
        return message;
    }
    let mut padded = BytesMut::from(&message[..]);
    padded.resize(message.len() + padding, 0);
    padded.freeze()
}

impl Server {
    fn new(now: Instant, server: &IceServer, host: SocketAddr, rank: u16) -> Option<Self> {
        let address = server.address.to_string();
        let is_turn = server.kind == IceServerKind::Turn;
        let config = ClientConfig {
            stun_serv_addr: address.clone(),
            turn_serv_addr: if is_turn { address } else { String::new() },
            local_addr: host,
            transport_protocol: match server.transport {
                IceTransport::Udp => TransportProtocol::UDP,
                IceTransport::Tcp => TransportProtocol::TCP,
            },
            username: server.username.clone(),
            password: server.credential.clone(),
            rto_in_ms: 250,
            ..Default::default()
        };
        let mut client = Client::new(config, rtc::crypto::default_provider().ok()?).ok()?;
        let asked = if is_turn { client.allocate(now) } else { client.send_binding_request(now) };
        asked.ok()?;
        Some(Self {
            client,
            server: server.clone(),
            host,
            rank,
            answered: false,
            relay: None,
            permitted: HashSet::new(),
            waiting: HashMap::new(),
            stream: BytesMut::new(),
        })
    }

    /// Checks of a far end at the server's own address are requests, or carry user names; the server's are neither.
    fn is_for(&self, datagram: &[u8]) -> bool {
        match datagram {
            [0x40..=0x7f, ..] => self.server.kind == IceServerKind::Turn,
            // Data indications.
            [0, 0x17, ..] => self.server.kind == IceServerKind::Turn,
            [1, ..] => datagram.get(8..20).is_some_and(|id| {
                let mut transaction = rtc::stun::message::TransactionId::default();
                transaction.0.copy_from_slice(id);
                self.client.has_transaction(&transaction)
            }),
            _ => false,
        }
    }

    fn handle(&mut self, now: Instant, message: &[u8]) {
        let transport = TransportContext {
            local_addr: self.host,
            peer_addr: self.server.address,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        // A malformed message is passed over.
        let _ = self.client.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(message) });
    }

    /// Cuts messages out of the stream (RFC 8656 section 12.5, RFC 8489 section 6.2.2).
    fn handle_stream(&mut self, now: Instant, bytes: &[u8]) {
        self.stream.extend_from_slice(bytes);
        while let [kind, _, high, low, ..] = self.stream[..] {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let (used, padded) = match kind {
                0..=0x3f => (length + 20, length + 20),
                0x40..=0x7f => (length + 4, (length + 4).next_multiple_of(4)),
                _ => {
                    // It cannot be found again where the next one begins.
                    self.stream.clear();
                    self.answered = true;
                    return;
                }
            };
            if self.stream.len() < padded {
                break;
            }
            let message = self.stream.split_to(padded);
            self.handle(now, message.get(..used).unwrap_or_default());
        }
        if self.stream.len() > BUFFER {
            self.stream.clear();
        }
    }

    fn on_event(
        &mut self,
        now: Instant,
        event: TurnEvent,
        candidates: &mut VecDeque<Candidate>,
        relayed: &mut VecDeque<(SocketAddr, SocketAddr, Bytes)>,
    ) {
        match event {
            TurnEvent::BindingResponse(_, mapped) => {
                self.answered = true;
                if mapped != self.host && !mapped.ip().is_unspecified() && mapped.port() != 0 {
                    let kind = CandidateKind::ServerReflexive;
                    candidates.push_back(Candidate::local(kind, mapped, Some(self.host), self.rank));
                }
            }
            TurnEvent::AllocateResponse(_, address) => {
                self.answered = true;
                self.relay = Some(address);
                candidates.push_back(Candidate::local(
                    CandidateKind::Relay,
                    address,
                    Some(address),
                    self.rank,
                ));
            }
            TurnEvent::BindingError(..) | TurnEvent::AllocateError(..) => self.answered = true,
            TurnEvent::TransactionTimeout(_) => self.answered |= self.relay.is_none(),
            TurnEvent::CreatePermissionResponse(_, remote) => {
                self.permitted.insert(remote);
                for data in self.waiting.remove(&remote).unwrap_or_default() {
                    self.send(now, remote, &data);
                }
            }
            TurnEvent::CreatePermissionError(..) => {
                // A stale nonce has been replaced: ask again with what waits.
                let waiting: Vec<SocketAddr> = self.waiting.keys().copied().collect();
                for remote in waiting {
                    self.permit(now, remote);
                }
            }
            TurnEvent::DataIndicationOrChannelData(_, remote, data) => {
                if let Some(relay) = self.relay {
                    relayed.push_back((relay, remote, data.freeze()));
                }
            }
            _ => {}
        }
    }

    fn permit(&mut self, now: Instant, remote: SocketAddr) {
        let Some(relay) = self.relay else { return };
        if let Ok(mut relay) = self.client.relay(relay) {
            // Where it fails, the next packet asks again.
            let _ = relay.create_permission(now, remote);
        }
    }

    fn send(&mut self, now: Instant, remote: SocketAddr, data: &Bytes) {
        let Some(relay) = self.relay else { return };
        if self.permitted.contains(&remote) {
            if let Ok(mut relay) = self.client.relay(relay)
                && relay.send_to(now, data, remote).is_err()
            {
                self.permitted.remove(&remote);
            }
            return;
        }
        if !self.waiting.contains_key(&remote) {
            if self.waiting.len() >= FAR_ENDS {
                return;
            }
            self.permit(now, remote);
        }
        let waiting = self.waiting.entry(remote).or_default();
        if waiting.len() < WAITING {
            waiting.push(data.clone());
        }
    }

    /// Gives the allocation back.
    fn close(&mut self, now: Instant) {
        if let Some(relay) = self.relay.take()
            && let Ok(mut relay) = self.client.relay(relay)
        {
            // The server forgets it by itself otherwise.
            let _ = relay.close(now);
        }
    }
}

impl std::fmt::Debug for Gather {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers: Vec<&IceServer> = self.clients.iter().map(|client| &client.server).collect();
        f.debug_struct("Gather").field("servers", &servers).field("done", &self.done).finish()
    }
}
