//! The TCP side: a free port, and a bounded number of connections that have to hurry.

use crate::{GatewayError, Purpose, guard::Hosts};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// How many ports after the preferred one are tried.
const MORE_PORTS: u16 = 20;
const MAX_CONNECTIONS: usize = 128;
/// Of one address beyond loopback, sockets that stand not counted: nobody takes all of them.
const MOST_OF_ONE: usize = 48;
/// Connections that the system holds for us.
const MOST_WAITING: u32 = 1_024;
/// A TLS handshake is done within this.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A request's head must be here within this, also on a connection that idles.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long who speaks no TLS may take to read that it is wanted, and how many kB of what he says are read.
const GOODBYE: Duration = Duration::from_secs(2);
const MOST_UNREAD: usize = 32;
const MAX_HEAD: usize = 32 * 1024;

/// Who has connected, in the requests of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote(pub(crate) SocketAddr);

/// Where a request came in, in the requests of the connection.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) hosts: Arc<Hosts>,
    /// By TLS.
    pub(crate) is_secure: bool,
}

/// Listens exactly there.
pub(crate) async fn listen_at(purpose: Purpose, address: SocketAddr) -> Result<TcpListener, GatewayError> {
    let taken = |source| GatewayError::Taken { what: purpose.name(), address, source };
    bind(address).map_err(taken)
}

/// Listens on `port`, else on one of the next, else on any.
pub(crate) async fn listen(ip: IpAddr, port: u16) -> Result<TcpListener, GatewayError> {
    if !ip.is_loopback() {
        return Err(GatewayError::NotLoopback(ip));
    }
    let next = port..=port.saturating_add(MORE_PORTS);
    for port in next.chain([0]) {
        match bind(SocketAddr::new(ip, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if port != 0 && is_taken(&error) => {
                tracing::debug!(port, %error, "port cannot be had")
            }
            Err(source) => return Err(GatewayError::Listen { ip, source }),
        }
    }
    Err(GatewayError::Listen { ip, source: io::ErrorKind::AddrInUse.into() })
}

/// As others listen, but with room for those who come while we are at work: past it they try again after a second.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Windows it would let others take the port, too.
    if cfg!(not(windows)) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    socket.listen(MOST_WAITING)
}

/// Windows reserves ranges of ports and refuses them with "permission denied".
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// Serves connections until dropped, which closes them; an upgraded one lives on in its own task.
pub(crate) async fn serve(listener: TcpListener, routes: Router, tls: Option<TlsAcceptor>) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let guests = Guests::default();
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, remote)) => {
                if let Some(guest) = guests.admit(remote.ip()) {
                    let routes = routes.clone().layer(Extension(Remote(remote)));
                    let tls = tls.clone();
                    connections.spawn(async move {
                        connection(stream, routes, tls).await;
                        drop((permit, guest));
                    });
                }
            }
            // Out of file descriptors: those that are open will end.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, routes: Router, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return requests(stream, routes).await };
    match timeout(HANDSHAKE, speaks_plain(&stream)).await {
        Ok(false) => {}
        Ok(true) => return refuse_plain(stream).await,
        Err(_) => return tracing::debug!("who has connected says nothing"),
    }
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, routes).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS with who has connected"),
        Err(_) => tracing::debug!("a TLS handshake takes too long"),
    }
}

/// Whether it begins as a request does: a handshake begins with 0x16 (RFC 8446, section 5.1).
async fn speaks_plain(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1) if first[0].is_ascii_uppercase())
}

/// A browser that was told `http://` shows why it gets nothing.
async fn refuse_plain(mut stream: TcpStream) {
    let words = "this port speaks TLS alone: use https";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What is left unread would make the system reset the connection, and the answer would be lost.
        let mut rest = [0; 1024];
        for _ in 0..MOST_UNREAD {
            if stream.read(&mut rest).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    let _ = timeout(GOODBYE, said).await;
}

async fn requests(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: Router) {
    let routes = TowerToHyperService::new(routes);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), routes)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Who has how many connections.
#[derive(Debug, Clone, Default)]
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address.
#[derive(Debug)]
struct Guest {
    of: Guests,
    /// `None`: on loopback they are not counted.
    ip: Option<IpAddr>,
}

impl Guests {
    fn admit(&self, ip: IpAddr) -> Option<Guest> {
        if ip.is_loopback() {
            return Some(Guest { of: self.clone(), ip: None });
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(ip).or_default();
        if *count >= MOST_OF_ONE {
            tracing::debug!(%ip, "it has too many connections");
            return None;
        }
        *count += 1;
        Some(Guest { of: self.clone(), ip: Some(ip) })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(ip) = self.ip else { return };
        let mut counts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Guests, MOST_OF_ONE};

    #[test]
    fn no_address_takes_all_connections() {
        let guests = Guests::default();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let mut held: Vec<_> = (0..MOST_OF_ONE).map(|_| guests.admit(one).unwrap()).collect();
        assert!(guests.admit(one).is_none() && guests.admit(other).is_some());
        held.pop();
        assert!(guests.admit(one).is_some());
        drop(held);
        assert!(guests.0.lock().unwrap().is_empty());
    }
}
