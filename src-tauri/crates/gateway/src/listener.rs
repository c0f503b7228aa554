//! The TCP side: a free port, and a bounded number of connections that have to hurry.

use crate::GatewayError;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

/// How many ports after the preferred one are tried.
const MORE_PORTS: u16 = 20;
const MAX_CONNECTIONS: usize = 128;
/// A request's head must be here within this, also on a connection that idles.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_HEAD: usize = 32 * 1024;

/// Who has connected, in the requests of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote(pub(crate) SocketAddr);

/// Listens on `port`, else on one of the next, else on any.
pub(crate) async fn listen(ip: IpAddr, port: u16) -> Result<TcpListener, GatewayError> {
    if !ip.is_loopback() {
        return Err(GatewayError::NotLoopback(ip));
    }
    let next = port..=port.saturating_add(MORE_PORTS);
    for port in next.chain([0]) {
        match TcpListener::bind(SocketAddr::new(ip, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if port != 0 && is_taken(&error) => {
                tracing::debug!(port, %error, "port cannot be had")
            }
            Err(source) => return Err(GatewayError::Listen { ip, source }),
        }
    }
    Err(GatewayError::Listen { ip, source: io::ErrorKind::AddrInUse.into() })
}

/// Windows reserves ranges of ports and refuses them with "permission denied".
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// Serves connections until dropped, which closes them; an upgraded one lives on in its own task.
pub(crate) async fn serve(listener: TcpListener, routes: Router) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, remote)) => {
                let routes = routes.clone().layer(Extension(Remote(remote)));
                connections.spawn(async move {
                    connection(stream, routes).await;
                    drop(permit);
                });
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

async fn connection(stream: TcpStream, routes: Router) {
    let _ = stream.set_nodelay(true);
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
