//! Addresses found with the help of servers, and the way by relays: STUN (RFC 8489) and TURN (RFC 8656).

mod server;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::sansio::Protocol as _;

use crate::packet::Datagram;
use crate::sdp::Candidate;
use crate::{Config, IceServer, IceServerKind, IceTransport, PeerError, Role, Transmit};
use server::{Server, framed};

/// How long servers have time to answer.
const PATIENCE: Duration = Duration::from_secs(5);
const SERVERS: usize = 8;
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
    pub(crate) fn handle(&mut self, now: Instant, datagram: Datagram<'_>) -> bool {
        let Datagram { local, remote, bytes } = datagram;
        let is = |c: &&mut Server| {
            c.server.address == remote && c.host == local && c.server.transport == IceTransport::Udp
        };
        let mut handled = false;
        for client in self.clients.iter_mut().filter(is) {
            if client.is_for(bytes) {
                client.handle(now, bytes);
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

impl std::fmt::Debug for Gather {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let servers: Vec<&IceServer> = self.clients.iter().map(|client| &client.server).collect();
        f.debug_struct("Gather").field("servers", &servers).field("done", &self.done).finish()
    }
}
