//! The sockets of one SIP user agent: UDP and a TCP listener on the same port, IPv4 and (where there is one) IPv6, and the
//! connections that go out.

use super::{
    dns::Names,
    names::{self, Finder},
    transport::{self, Authorities, Flows, Link},
};
use sidetone_sip::message::Uri;
use sidetone_sip::{Authority, Hop, QueryId, Transport};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::mpsc,
    task::JoinHandle,
};

/// Messages from the network that nobody has read yet; beyond it datagrams wait in the socket and connections in TCP.
const INBOX: usize = 256;
/// RFC 3261 18.1.1: implementations must be able to receive datagrams of the largest size.
const LARGEST_DATAGRAM: usize = 65_535;

/// Which of the owner's user agents a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stack {
    /// The accounts' user agent.
    Phone,
    /// The embedded registrar.
    Gateway,
}

/// What the network says to a user agent.
#[derive(Debug)]
pub(crate) enum FromNetwork {
    Datagram {
        hop: Hop,
        bytes: Vec<u8>,
    },
    Stream {
        hop: Hop,
        bytes: Vec<u8>,
    },
    StreamClosed {
        hop: Hop,
        reason: String,
    },
    SendFailed {
        hop: Hop,
        reason: String,
    },
    /// The peer of this connection has been silent for long.
    Idle {
        hop: Hop,
    },
    Resolved {
        query: QueryId,
        result: Result<Vec<Hop>, String>,
    },
}

pub(crate) type Inbox = mpsc::Sender<(Stack, FromNetwork)>;

pub(crate) fn inbox() -> (Inbox, mpsc::Receiver<(Stack, FromNetwork)>) {
    mpsc::channel(INBOX)
}

pub(crate) struct SipSockets {
    stack: Stack,
    udp: Vec<Arc<UdpSocket>>,
    connections: transport::Door,
    finder: Finder,
    inbox: Inbox,
    tasks: Vec<JoinHandle<()>>,
}

impl SipSockets {
    /// Opens UDP and TCP on one port of `address` (all addresses where absent); port 0 lets the system choose.
    pub(crate) async fn open(
        stack: Stack,
        address: Option<IpAddr>,
        port: u16,
        names: Arc<Names>,
        inbox: Inbox,
    ) -> io::Result<Self> {
        let (udp, tcp) = bind(address, port).await?;
        let port = udp.first().ok_or(io::ErrorKind::AddrNotAvailable)?.local_addr()?.port();
        let udp: Vec<_> = udp.into_iter().map(Arc::new).collect();
        let tasks = udp
            .iter()
            .map(|socket| tokio::spawn(receive(Arc::clone(socket), stack, address, inbox.clone())))
            .collect();
        let (authorities, flows) = (Arc::new(Authorities::default()), Arc::new(Flows::default()));
        let common = transport::Common {
            stack,
            port,
            bind: address,
            inbox: inbox.clone(),
            authorities: Arc::clone(&authorities),
            flows: Arc::clone(&flows),
            idle: transport::IDLE,
        };
        let connections = transport::open(tcp, common);
        let finder = Finder { names, authorities, flows, port, bind: address };
        Ok(Self { stack, udp, connections, finder, inbox, tasks })
    }

    pub(crate) fn port(&self) -> u16 {
        self.finder.port
    }

    /// The local address that was asked for; `None` for all.
    pub(crate) fn bound_to(&self) -> Option<IpAddr> {
        self.finder.bind
    }

    /// For errands of the owner's own.
    pub(crate) fn finder(&self) -> Finder {
        self.finder.clone()
    }

    /// Under what an account's requests go out.
    pub(crate) fn authority(&self, link: Link) -> Authority {
        self.finder.authorities.of_account(link)
    }

    /// What is known of a connection, in words; `None` over UDP and plain TCP, and where there was none.
    pub(crate) fn info(&self, hop: &Hop) -> Option<String> {
        self.finder.flows.info(hop)
    }

    /// Sends, or reports `SendFailed` through the inbox. Never waits.
    pub(crate) fn transmit(&self, hop: Hop, bytes: Vec<u8>) {
        match hop.transport {
            Transport::Udp => self.send_datagram(hop, &bytes),
            _ => self.connections.send(hop, bytes),
        }
    }

    pub(crate) fn close(&self, hop: Hop) {
        self.connections.close(hop);
    }

    /// Answers with `Resolved` through the inbox.
    pub(crate) fn resolve(
        &self,
        query: QueryId,
        uri: Uri,
        transport: Option<Transport>,
        authority: Authority,
    ) {
        let (inbox, stack, finder) = (self.inbox.clone(), self.stack, self.finder.clone());
        tokio::spawn(async move {
            let result = finder.find(&uri, transport, authority).await;
            let _ = inbox.send((stack, FromNetwork::Resolved { query, result })).await;
        });
    }

    fn send_datagram(&self, hop: Hop, bytes: &[u8]) {
        let socket = self
            .udp
            .iter()
            .find(|socket| socket.local_addr().is_ok_and(|local| local.is_ipv4() == hop.remote.is_ipv4()));
        let result = match socket {
            Some(socket) => socket.try_send_to(bytes, hop.remote).map(|_| ()),
            None => Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no socket of this address family")),
        };
        match result {
            // A full socket buffer loses the datagram like any network; the transaction's timers repair it.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.failed(hop, error.to_string()),
            _ => {}
        }
    }

    fn failed(&self, hop: Hop, reason: String) {
        let (inbox, stack) = (self.inbox.clone(), self.stack);
        tokio::spawn(async move {
            let _ = inbox.send((stack, FromNetwork::SendFailed { hop, reason })).await;
        });
    }
}

impl Drop for SipSockets {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn bind(address: Option<IpAddr>, port: u16) -> io::Result<(Vec<UdpSocket>, Vec<TcpListener>)> {
    const TRIES: usize = 20;
    let mut tries = if port == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        match bind_once(address, port).await {
            Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

async fn bind_once(address: Option<IpAddr>, port: u16) -> io::Result<(Vec<UdpSocket>, Vec<TcpListener>)> {
    let first = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let udp = UdpSocket::bind((first, port)).await?;
    let port = udp.local_addr()?.port();
    let mut sockets = (vec![udp], vec![TcpListener::bind((first, port)).await?]);
    if address.is_none()
        && let Ok((udp, tcp)) = bind_v6_only(port)
    {
        sockets.0.push(udp);
        sockets.1.push(tcp);
    }
    Ok(sockets)
}

fn bind_v6_only(port: u16) -> io::Result<(UdpSocket, TcpListener)> {
    use socket2::{Domain, Socket, Type};
    let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into();
    let open = |kind| -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV6, kind, None)?;
        socket.set_only_v6(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address)?;
        Ok(socket)
    };
    let (udp, tcp) = (open(Type::DGRAM)?, open(Type::STREAM)?);
    tcp.listen(128)?;
    Ok((UdpSocket::from_std(udp.into())?, TcpListener::from_std(tcp.into())?))
}

async fn receive(socket: Arc<UdpSocket>, stack: Stack, bind: Option<IpAddr>, inbox: Inbox) {
    let Ok(listening) = socket.local_addr() else { return };
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else {
            // An ICMP error of an earlier send; the socket itself lives on.
            tokio::task::yield_now().await;
            continue;
        };
        let Ok(ip) = names::local_address_towards(remote, bind) else { continue };
        let hop = Hop::new(Transport::Udp, SocketAddr::new(ip, listening.port()), remote);
        let message = FromNetwork::Datagram { hop, bytes: buffer[..length].to_vec() };
        if inbox.send((stack, message)).await.is_err() {
            return;
        }
    }
}
