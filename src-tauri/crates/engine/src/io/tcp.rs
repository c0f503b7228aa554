//! The TCP connections of one user agent, in and out. One task owns the table; each connection has a reader and a writer.

use super::{
    names,
    sip::{FromNetwork, Inbox, Stack},
};
use sidetone_sip::{Hop, Transport};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Bytes that wait for one connection; a peer that lets it come to that does not read.
const MAX_UNSENT: usize = 1024 * 1024;
const MAX_CONNECTIONS: usize = 512;
/// Those that others opened: they leave room for ours.
const MAX_ACCEPTED: usize = MAX_CONNECTIONS - 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A peer that does not read is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const READ_BUFFER: usize = 16 * 1024;
/// How long a connection that we close is still read: a reset would take our last words from the peer.
const LINGER: Duration = Duration::from_secs(1);

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

pub(crate) fn open(
    listeners: Vec<TcpListener>,
    stack: Stack,
    port: u16,
    bind: Option<IpAddr>,
    inbox: Inbox,
) -> Door {
    let (asks, inward) = mpsc::unbounded_channel();
    let (accepted, accepts) = mpsc::channel(16);
    for listener in listeners {
        tokio::spawn(accept(listener, accepted.clone()));
    }
    let (ended, ends) = mpsc::channel(64);
    let table = Table { stack, port, bind, inbox, ended, connections: HashMap::new(), next: 0 };
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
    stack: Stack,
    port: u16,
    bind: Option<IpAddr>,
    inbox: Inbox,
    ended: mpsc::Sender<(SocketAddr, u64)>,
    connections: HashMap<SocketAddr, Connection>,
    next: u64,
}

struct Connection {
    number: u64,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
}

impl Connection {
    /// `false` where too much waits already, or the connection has ended.
    fn send(&self, bytes: Vec<u8>) -> bool {
        let unsent = self.unsent.fetch_add(bytes.len(), Ordering::Relaxed);
        unsent <= MAX_UNSENT && self.outbox.send(bytes).is_ok()
    }
}

impl Table {
    async fn run(
        mut self,
        mut asks: mpsc::UnboundedReceiver<Ask>,
        mut accepts: mpsc::Receiver<(TcpStream, SocketAddr)>,
        mut ends: mpsc::Receiver<(SocketAddr, u64)>,
    ) {
        loop {
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(Ask::Send(hop, bytes)) => self.send(hop, bytes),
                    Some(Ask::Close(hop)) => { self.connections.remove(&hop.remote); }
                    None => return,
                },
                Some((stream, remote)) = accepts.recv() => self.accepted(stream, remote),
                Some((remote, number)) = ends.recv() => {
                    if self.connections.get(&remote).is_some_and(|connection| connection.number == number) {
                        self.connections.remove(&remote);
                    }
                }
            }
        }
    }

    fn send(&mut self, hop: Hop, bytes: Vec<u8>) {
        if !self.connections.contains_key(&hop.remote) {
            if self.connections.len() >= MAX_CONNECTIONS {
                return self.failed(hop, "too many connections");
            }
            self.start(hop, None);
        }
        if !self.connections.get(&hop.remote).is_some_and(|connection| connection.send(bytes)) {
            // On a stream nothing comes after what is lost.
            self.connections.remove(&hop.remote);
            self.failed(hop, "the peer does not read");
        }
    }

    fn accepted(&mut self, stream: TcpStream, remote: SocketAddr) {
        let Ok(ip) = names::local_address_towards(remote, self.bind) else { return };
        if self.connections.len() < MAX_ACCEPTED {
            self.start(Hop::new(Transport::Tcp, SocketAddr::new(ip, self.port), remote), Some(stream));
        }
    }

    fn start(&mut self, hop: Hop, stream: Option<TcpStream>) {
        self.next += 1;
        let (outbox, queue) = mpsc::unbounded_channel();
        let unsent = Arc::new(AtomicUsize::new(0));
        let queue = Queue { queue, unsent: Arc::clone(&unsent) };
        self.connections.insert(hop.remote, Connection { number: self.next, outbox, unsent });
        let (number, remote) = (self.next, hop.remote);
        let (stack, inbox, ended) = (self.stack, self.inbox.clone(), self.ended.clone());
        tokio::spawn(async move {
            let message = match connected(stream, remote).await {
                Ok(stream) => {
                    let reason = carry(stream, &hop, stack, queue, &inbox).await;
                    FromNetwork::StreamClosed { hop, reason }
                }
                Err(reason) => FromNetwork::SendFailed { hop, reason },
            };
            let _ = ended.send((remote, number)).await;
            let _ = inbox.send((stack, message)).await;
        });
    }

    fn failed(&self, hop: Hop, reason: &str) {
        let (inbox, stack, reason) = (self.inbox.clone(), self.stack, reason.to_owned());
        tokio::spawn(async move {
            let _ = inbox.send((stack, FromNetwork::SendFailed { hop, reason })).await;
        });
    }
}

async fn connected(stream: Option<TcpStream>, remote: SocketAddr) -> Result<TcpStream, String> {
    let stream = match stream {
        Some(stream) => stream,
        None => tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(remote))
            .await
            .map_err(|_| format!("{remote} did not answer within {} s", CONNECT_TIMEOUT.as_secs()))?
            .map_err(|error| format!("{remote}: {error}"))?,
    };
    let _ = stream.set_nodelay(true);
    Ok(stream)
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

/// Carries bytes until either side ends it; returns why. Who does not read our replies is not read either.
async fn carry(mut stream: TcpStream, hop: &Hop, stack: Stack, mut queue: Queue, inbox: &Inbox) -> String {
    let (mut reader, mut writer) = stream.split();
    let mut buffer = vec![0; READ_BUFFER];
    loop {
        tokio::select! {
            biased;
            bytes = queue.recv() => {
                let Some(bytes) = bytes else {
                    let _ = writer.shutdown().await;
                    let rest = async { while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {} };
                    let _ = tokio::time::timeout(LINGER, rest).await;
                    return "closed by us".into();
                };
                match tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(&bytes)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "the peer does not read".into(),
                }
            }
            result = reader.read(&mut buffer) => match result {
                Ok(0) => return "closed by the peer".into(),
                Ok(length) => {
                    let message = FromNetwork::Stream { hop: *hop, bytes: buffer[..length].to_vec() };
                    if inbox.send((stack, message)).await.is_err() {
                        return "stopping".into();
                    }
                }
                Err(error) => return error.to_string(),
            },
        }
    }
}
