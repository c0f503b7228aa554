//! The connections of one user agent, in and out: TCP, TLS, WebSocket. One task owns the table; each connection has a task that
//! reads and writes.

mod authority;
mod flows;
mod open;
mod stream;
#[cfg(test)]
mod tests;
mod url;
mod websocket;

pub(crate) use authority::{Authorities, Link};
pub(crate) use flows::Flows;
pub(super) use open::{Io, connect};
pub(crate) use url::WebSocketUrl;

use super::{
    names,
    sip::{FromNetwork, Inbox, Stack},
};
use open::{Opened, Wire};
use sidetone_sip::{Authority, Hop, Transport};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Bytes that wait for one connection; a peer that lets it come to that does not read.
const MAX_UNSENT: usize = 1024 * 1024;
const MAX_CONNECTIONS: usize = 512;
/// Those that others opened: they leave room for ours.
const MAX_ACCEPTED: usize = MAX_CONNECTIONS - 64;
/// A message of a WebSocket: as much as a datagram could carry.
const MAX_MESSAGE: usize = 65_535;
/// A peer that does not read is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// After so long a silence of the peer the user agent is asked whether the connection is of use.
pub(crate) const IDLE: Duration = Duration::from_secs(120);

/// What tells one connection from the others.
pub(crate) type Flow = (Transport, SocketAddr, Authority);

pub(crate) fn flow(hop: &Hop) -> Flow {
    (hop.transport, hop.remote, hop.authority)
}

/// The owner's side of the table. Dropping it closes everything. What waits in it is bounded by what the owner does before the
/// table has its turn.
#[derive(Debug)]
pub(crate) struct Door(mpsc::UnboundedSender<Ask>);

#[derive(Debug)]
enum Ask {
    Send(Hop, Vec<u8>),
    Close(Hop),
}

impl Door {
    pub(crate) fn send(&self, hop: Hop, bytes: Vec<u8>) {
        let _ = self.0.send(Ask::Send(hop, bytes));
    }

    pub(crate) fn close(&self, hop: Hop) {
        let _ = self.0.send(Ask::Close(hop));
    }
}

/// What all connections of a user agent have in common.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) stack: Stack,
    /// Where we listen for TCP.
    pub(crate) port: u16,
    pub(crate) bind: Option<IpAddr>,
    pub(crate) inbox: Inbox,
    pub(crate) authorities: Arc<Authorities>,
    pub(crate) flows: Arc<Flows>,
    pub(crate) idle: Duration,
}

pub(crate) fn open(listeners: Vec<TcpListener>, common: Common) -> Door {
    let (asks, inward) = mpsc::unbounded_channel();
    let (accepted, accepts) = mpsc::channel(16);
    for listener in listeners {
        tokio::spawn(accept(listener, accepted.clone()));
    }
    let (ended, ends) = mpsc::channel(64);
    let table = Table { common, ended, connections: HashMap::new(), next: 0 };
    tokio::spawn(table.run(inward, accepts, ends));
    Door(asks)
}

async fn accept(listener: TcpListener, accepted: mpsc::Sender<(TcpStream, SocketAddr)>) {
    loop {
        tokio::select! {
            () = accepted.closed() => return,
            result = listener.accept() => match result {
                Ok(connection) => {
                    if accepted.send(connection).await.is_err() {
                        return;
                    }
                }
                // Out of file descriptors, or the peer has gone again: give the system a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

struct Table {
    common: Common,
    ended: mpsc::Sender<(Flow, u64)>,
    connections: HashMap<Flow, Connection>,
    next: u64,
}

struct Connection {
    number: u64,
    hop: Hop,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
    heard: Arc<Mutex<Instant>>,
}

impl Connection {
    /// `false` where too much waits already, or the connection has ended.
    fn send(&self, bytes: Vec<u8>) -> bool {
        let unsent = self.unsent.fetch_add(bytes.len(), Ordering::Relaxed);
        unsent <= MAX_UNSENT && self.outbox.send(bytes).is_ok()
    }

    fn is_silent_since(&self, moment: Instant) -> bool {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) <= moment
    }
}

/// The connection's side of its outbox.
struct Queue {
    queue: mpsc::UnboundedReceiver<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
}

impl Queue {
    async fn recv(&mut self) -> Option<Vec<u8>> {
        let bytes = self.queue.recv().await?;
        self.unsent.fetch_sub(bytes.len(), Ordering::Relaxed);
        Some(bytes)
    }
}

/// The connection's way to the owner.
struct Ends {
    hop: Hop,
    stack: Stack,
    inbox: Inbox,
    heard: Arc<Mutex<Instant>>,
}

impl Ends {
    /// Hands over what came; `false` where nobody wants it any more.
    async fn tell(&self, message: impl FnOnce(Hop) -> FromNetwork) -> bool {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.inbox.send((self.stack, message(self.hop))).await.is_ok()
    }
}

impl Table {
    async fn run(
        mut self,
        mut asks: mpsc::UnboundedReceiver<Ask>,
        mut accepts: mpsc::Receiver<(TcpStream, SocketAddr)>,
        mut ends: mpsc::Receiver<(Flow, u64)>,
    ) {
        let mut looks = tokio::time::interval(self.common.idle / 4);
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(Ask::Send(hop, bytes)) => self.send(hop, bytes),
                    Some(Ask::Close(hop)) => { self.connections.remove(&flow(&hop)); }
                    None => return,
                },
                Some((stream, remote)) = accepts.recv() => self.accepted(stream, remote),
                Some((flow, number)) = ends.recv() => {
                    if self.connections.get(&flow).is_some_and(|connection| connection.number == number) {
                        self.connections.remove(&flow);
                    }
                }
                _ = looks.tick() => self.ask_about_idle(),
            }
        }
    }

    fn send(&mut self, hop: Hop, bytes: Vec<u8>) {
        if !self.connections.contains_key(&flow(&hop)) {
            if self.connections.len() >= MAX_CONNECTIONS {
                return self.failed(hop, "too many connections");
            }
            self.start(hop, None);
        }
        if !self.connections.get(&flow(&hop)).is_some_and(|connection| connection.send(bytes)) {
            // On a stream nothing comes after what is lost.
            self.connections.remove(&flow(&hop));
            self.failed(hop, "the peer does not read");
        }
    }

    fn accepted(&mut self, stream: TcpStream, remote: SocketAddr) {
        let Ok(ip) = names::local_address_towards(remote, self.common.bind) else { return };
        if self.connections.len() < MAX_ACCEPTED {
            self.start(Hop::new(Transport::Tcp, SocketAddr::new(ip, self.common.port), remote), Some(stream));
        }
    }

    fn start(&mut self, hop: Hop, stream: Option<TcpStream>) {
        self.next += 1;
        let (outbox, queue) = mpsc::unbounded_channel();
        let unsent = Arc::new(AtomicUsize::new(0));
        let heard = Arc::new(Mutex::new(Instant::now()));
        let queue = Queue { queue, unsent: Arc::clone(&unsent) };
        let (number, ended) = (self.next, self.ended.clone());
        let Common { stack, inbox, authorities, flows, .. } = self.common.clone();
        let mut ends = Ends { hop, stack, inbox, heard: Arc::clone(&heard) };
        self.connections.insert(flow(&hop), Connection { number, hop, outbox, unsent, heard });
        tokio::spawn(async move {
            let opened = match stream {
                Some(stream) => Ok(open::accepted(stream, hop.local)),
                None => open::open(&hop, flows.take_reserved(&flow(&hop)), &authorities).await,
            };
            let message = match opened {
                Ok(opened) => {
                    ends.hop = named(hop, &opened);
                    flows.opened(&ends.hop, opened.local, opened.info.clone());
                    authorities.proved(&ends.hop);
                    let reason = carry(opened.wire, queue, &ends).await;
                    flows.closed(&ends.hop);
                    FromNetwork::StreamClosed { hop: ends.hop, reason }
                }
                Err(reason) => FromNetwork::SendFailed { hop, reason },
            };
            let _ = ended.send((flow(&hop), number)).await;
            let _ = ends.inbox.send((stack, message)).await;
        });
    }

    /// Peers that have been silent: whether their connections are of use, the user agent knows.
    fn ask_about_idle(&self) {
        let Some(moment) = Instant::now().checked_sub(self.common.idle) else { return };
        for connection in self.connections.values().filter(|connection| connection.is_silent_since(moment)) {
            // A full inbox means that there is more to do than this; the next look asks again.
            let _ =
                self.common.inbox.try_send((self.common.stack, FromNetwork::Idle { hop: connection.hop }));
        }
    }

    fn failed(&self, hop: Hop, reason: &str) {
        let (inbox, stack, reason) = (self.common.inbox.clone(), self.common.stack, reason.to_owned());
        tokio::spawn(async move {
            let _ = inbox.send((stack, FromNetwork::SendFailed { hop, reason })).await;
        });
    }
}

/// TLS is not listened for: what we name in Via and Contact is our end of the connection.
fn named(hop: Hop, opened: &Opened) -> Hop {
    if hop.transport == Transport::Tls { Hop { local: opened.local, ..hop } } else { hop }
}

async fn carry(wire: Wire, queue: Queue, ends: &Ends) -> String {
    match wire {
        Wire::Bytes(bytes) => stream::carry(bytes, queue, ends).await,
        Wire::Messages(messages) => websocket::carry(*messages, queue, ends).await,
    }
}
