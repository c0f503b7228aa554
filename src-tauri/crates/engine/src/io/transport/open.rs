//! New connections: TCP, then TLS, then WebSocket, as far as the transport wants it.

use super::{
    authority::Authorities,
    websocket::{self, Messages},
};
use crate::io::tls::Rules;
use sidetone_sip::{Hop, Transport};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
};

const CONNECT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed after so long a silence, and a few questions more.
const KEEPALIVE: Duration = Duration::from_secs(45);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

pub(in crate::io) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// What carries messages to and fro.
pub(super) enum Wire {
    Bytes(Box<dyn Io>),
    Messages(Box<Messages>),
}

pub(super) struct Opened {
    pub(super) wire: Wire,
    /// Our end of it.
    pub(super) local: SocketAddr,
    /// What is told about it.
    pub(super) info: String,
}

/// Said of connections that anybody on the way can read.
pub(super) const NOT_ENCRYPTED: &str = "not encrypted";

/// One that came in. TLS and WebSockets are not listened for.
pub(super) fn accepted(stream: TcpStream, local: SocketAddr) -> Opened {
    tune(&stream);
    Opened { wire: Wire::Bytes(Box::new(stream)), local, info: NOT_ENCRYPTED.into() }
}

/// Opens the connection that `hop` names, from `socket` where that was bound before.
///
/// # Errors
/// The reason in words.
pub(super) async fn open(
    hop: &Hop,
    socket: Option<Socket>,
    authorities: &Authorities,
) -> Result<Opened, String> {
    let terms = authorities
        .terms(hop.authority)
        .ok_or_else(|| format!("what {} must prove is not known any more; try again", hop.remote))?;
    let stream = connect(hop.remote, socket).await?;
    let local = stream.local_addr().map_err(|error| format!("{}: {error}", hop.remote))?;
    let host = terms.host.clone().unwrap_or_else(|| hop.remote.ip().to_string());
    let rules = if hop.transport == Transport::Wss { Rules::Web } else { Rules::Sip };
    let (stream, info): (Box<dyn Io>, String) = if hop.transport.is_secure() {
        let (stream, proof) = terms.trust.shake_hands(&host, rules, stream).await?;
        (Box::new(stream), proof.info)
    } else {
        (Box::new(stream), NOT_ENCRYPTED.into())
    };
    let wire = match hop.transport {
        Transport::Ws | Transport::Wss => {
            let path = terms.link.websocket.as_ref().map_or("/", |url| url.path.as_str());
            Wire::Messages(Box::new(
                websocket::open(&host, hop.remote.port(), path, hop.transport, stream).await?,
            ))
        }
        _ => Wire::Bytes(stream),
    };
    Ok(Opened { wire, local, info })
}

pub(in crate::io) async fn connect(remote: SocketAddr, socket: Option<Socket>) -> Result<TcpStream, String> {
    let connecting = async {
        match socket {
            Some(socket) => TcpSocket::from_std_stream(socket.into()).connect(remote).await,
            None => TcpStream::connect(remote).await,
        }
    };
    let stream = tokio::time::timeout(CONNECT, connecting)
        .await
        .map_err(|_| format!("{remote} did not answer within {} s", CONNECT.as_secs()))?
        .map_err(|error| format!("{remote}: {error}"))?;
    tune(&stream);
    Ok(stream)
}

fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!("no keep-alive on a connection: {error}");
    }
}

/// A socket with a port of its own, for a connection whose first message names that port.
pub(super) fn bound(local: std::net::IpAddr) -> io::Result<(Socket, SocketAddr)> {
    let address = SocketAddr::new(local, 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, bound))
}
