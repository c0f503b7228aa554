//! Addresses found with the help of servers, and the way by relays: STUN (RFC 8489) and TURN (RFC 8656).

mod client;
mod server;
mod stun;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::packet::Datagram;
use crate::sdp::{Candidate, CandidateKind};
use crate::transport::Provider;
use crate::{Config, IceServer, IceServerKind, IceTransport, PeerError, Role, Transmit};
use client::Found;
use server::Server;

/// How long servers have time to answer.
const PATIENCE: Duration = Duration::from_secs(5);
const SERVERS: usize = 8;
/// All servers of one peer.
pub(crate) struct Gather {
    provider: Provider,
    clients: Vec<Server>,
    relay_only: bool,
    /// Servers so far, for the rank of the next ones.
    asked: u16,
    until: Option<Instant>,
    done: bool,
    candidates: VecDeque<Candidate>,
    relayed: VecDeque<(SocketAddr, SocketAddr, Bytes)>,
    transmits: VecDeque<Transmit>,
    failures: VecDeque<Failure>,
}

/// A server that is of no use, or not any more.
pub(crate) struct Failure {
    pub(crate) url: String,
    /// In words.
    pub(crate) reason: String,
    /// The relay that went with it.
    pub(crate) relay: Option<SocketAddr>,
}

impl Gather {
    pub(crate) fn new(config: &Config) -> Result<Self, PeerError> {
        let relay_only = config.relay_only;
        let gather = Self {
            provider: rtc::crypto::default_provider().map_err(PeerError::transport)?,
            clients: Vec::new(),
            relay_only,
            asked: 0,
            until: None,
            done: true,
            candidates: VecDeque::new(),
            relayed: VecDeque::new(),
            transmits: VecDeque::new(),
            failures: VecDeque::new(),
        };
        Ok(gather)
    }

    /// Asks every server from every address of ours of its kind, anew.
    pub(crate) fn begin(&mut self, now: Instant, config: &Config) {
        for server in &mut self.clients {
            server.client.close(now);
        }
        self.collect();
        self.clients.clear();
        (self.asked, self.done, self.until) = (0, true, None);
        self.add(now, config, &config.ice_servers);
    }

    /// Asks more servers. True where there is anything to wait for.
    pub(crate) fn add(&mut self, now: Instant, config: &Config, servers: &[IceServer]) -> bool {
        let room = SERVERS.saturating_sub(usize::from(self.asked));
        if config.role == Role::Gateway || servers.is_empty() || room == 0 {
            return false;
        }
        let before = self.clients.len();
        for server in servers.iter().take(room) {
            let rank = self.asked;
            self.asked += 1;
            if server.kind == IceServerKind::Stun && self.relay_only {
                continue;
            }
            let of_kind = |host: &SocketAddr| host.is_ipv4() == server.address.is_ipv4();
            let hosts: Vec<SocketAddr> = match server.local {
                Some(local) => vec![local],
                None => config.hosts.iter().copied().filter(of_kind).take(4).collect(),
            };
            for host in hosts {
                let provider = Provider::clone(&self.provider);
                self.clients.push(Server::new(now, provider, server, host, rank));
            }
        }
        let is_asking = self.clients.len() > before;
        if is_asking {
            self.done = false;
            self.until = Some(now + PATIENCE);
        }
        self.collect();
        is_asking
    }

    pub(crate) fn is_gathering(&self) -> bool {
        !self.done
    }

    pub(crate) fn is_server(&self, remote: SocketAddr, transport: IceTransport) -> bool {
        self.clients.iter().any(|c| c.server.address == remote && c.server.transport == transport)
    }

    pub(crate) fn is_relay(&self, local: SocketAddr) -> bool {
        self.clients.iter().any(|server| server.client.relay() == Some(local))
    }

    /// Whether it was the server's and not of a far end at the same address.
    pub(crate) fn handle(&mut self, now: Instant, datagram: Datagram<'_>) -> bool {
        let Datagram { local, remote, bytes } = datagram;
        let mut handled = false;
        for server in self.clients.iter_mut().filter(|it| it.is_at(local, remote, IceTransport::Udp)) {
            if server.is_for(bytes) {
                server.client.handle(now, bytes);
                handled = true;
                break;
            }
        }
        self.collect();
        handled
    }

    pub(crate) fn handle_stream(
        &mut self,
        now: Instant,
        (local, remote, transport): (SocketAddr, SocketAddr, IceTransport),
        bytes: &[u8],
    ) {
        if let Some(server) = self.clients.iter_mut().find(|it| it.is_at(local, remote, transport)) {
            server.handle_stream(now, bytes);
        }
        self.collect();
    }

    /// The stream to a server could not be opened, or has ended.
    pub(crate) fn lose_stream(
        &mut self,
        (local, remote, transport): (SocketAddr, SocketAddr, IceTransport),
        reason: &str,
    ) {
        for server in self.clients.iter_mut().filter(|it| it.is_at(local, remote, transport)) {
            server.client.fail(reason.to_owned());
        }
        self.collect();
    }

    /// The name of a server that is reached by a stream, for TLS.
    pub(crate) fn host_name(&self, remote: SocketAddr, transport: IceTransport) -> Option<&str> {
        let servers = self.clients.iter().map(|client| &client.server);
        let mut found = servers.filter(|it| it.address == remote && it.transport == transport);
        found.next().map(|server| server.host.as_str())
    }

    pub(crate) fn poll_failure(&mut self) -> Option<Failure> {
        self.failures.pop_front()
    }

    /// Sends by the relay whose address is `local`.
    pub(crate) fn relay(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, data: &Bytes) {
        if let Some(server) = self.clients.iter_mut().find(|it| it.client.relay() == Some(local)) {
            server.client.send(now, remote, data);
        }
        self.collect();
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
                server.client.handle_timeout(now);
            }
        }
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            for server in self.clients.iter_mut().filter(|server| !server.answered) {
                server.client.fail("it does not answer".to_owned());
            }
        }
        self.collect();
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        let clients = self.clients.iter().filter_map(|server| server.client.poll_timeout());
        clients.chain(self.until).min()
    }

    pub(crate) fn close(&mut self, now: Instant) {
        for server in &mut self.clients {
            server.client.close(now);
        }
        self.collect();
    }

    fn collect(&mut self) {
        for server in &mut self.clients {
            while let Some(found) = server.poll_found() {
                match found {
                    Found::Mapped(mapped) if mapped != server.host && !self.relay_only => {
                        let kind = CandidateKind::ServerReflexive;
                        let candidate = Candidate::local(kind, mapped, Some(server.host), server.rank);
                        self.candidates.push_back(candidate);
                    }
                    Found::Mapped(_) => {}
                    Found::Relayed(relay) => {
                        let kind = CandidateKind::Relay;
                        self.candidates.push_back(Candidate::local(kind, relay, Some(relay), server.rank));
                    }
                    Found::Data(remote, data) => {
                        if let Some(relay) = server.client.relay() {
                            self.relayed.push_back((relay, remote, data));
                        }
                    }
                    Found::Failed(reason) => {
                        let (url, relay) = (server.server.url.clone(), server.relay.take());
                        self.failures.push_back(Failure { url, reason, relay });
                    }
                }
            }
            while let Some(data) = server.poll_transmit() {
                self.transmits.push_back(Transmit {
                    local: server.host,
                    remote: server.server.address,
                    transport: server.server.transport,
                    data,
                });
            }
        }
        if self.clients.iter().all(|server| server.answered) {
            self.until = None;
        }
    }
}

impl std::fmt::Debug for Gather {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers: Vec<&IceServer> = self.clients.iter().map(|client| &client.server).collect();
        f.debug_struct("Gather").field("servers", &servers).field("done", &self.done).finish()
    }
}

/// See [`crate::noise::server`].
pub(crate) fn noise(mut bytes: &[u8]) {
    let Ok(provider) = rtc::crypto::default_provider() else { return };
    let address = SocketAddr::from(([192, 0, 2, 1], 3478));
    let server = IceServer {
        url: String::new(),
        host: String::new(),
        kind: IceServerKind::Turn,
        transport: IceTransport::Tcp,
        address,
        local: None,
        username: "u".to_owned(),
        credential: "p".to_owned(),
    };
    let mut now = Instant::now();
    let mut server = Server::new(now, provider, &server, address, 0);
    let mut id = [0; 12];
    for _ in 0..1_000 {
        while let Some(sent) = server.poll_transmit() {
            if let Some(last) = sent.get(8..20).and_then(|last| last.try_into().ok()) {
                id = last;
            }
        }
        let Some(([high, low], rest)) = bytes.split_first_chunk() else { break };
        let (message, behind) = rest.split_at(usize::from(*low).min(rest.len()));
        bytes = behind;
        let mut message = message.to_vec();
        if high & 0x80 != 0
            && let Some(place) = message.get_mut(8..20)
        {
            place.copy_from_slice(&id);
        }
        if high & 0x40 == 0 {
            server.client.handle(now, &message)
        } else {
            server.handle_stream(now, &message)
        }
        server.client.send(now, SocketAddr::from(([192, 0, 2, 2], u16::from(*high))), &Bytes::new());
        now += Duration::from_secs(u64::from(high & 0x3f));
        server.client.handle_timeout(now);
        while server.poll_found().is_some() {}
    }
}
