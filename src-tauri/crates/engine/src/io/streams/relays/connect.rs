//! Opening connections to TURN servers, off the stream thread.

use super::Line;
use crate::io::{
    streams::{Ask, Asker, trusts::Trusts},
    tls::Rules,
};
use rustls::ClientConnection;
use sidetone_peer::IceTransport;
use std::{
    fmt,
    io::ErrorKind,
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use tokio::{net::TcpSocket, runtime::Handle};

/// Shorter than gathering waits for a server.
const CONNECTING: Duration = Duration::from_secs(4);

/// A connection that stands, its TLS handshake done.
pub(crate) struct Opened {
    pub(super) stream: TcpStream,
    pub(super) tls: Option<Box<ClientConnection>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// Opens connections on the engine's runtime and gives them to the stream thread.
#[derive(Clone)]
pub(crate) struct Connector {
    asker: Asker,
    trusts: Trusts,
    runtime: Handle,
}

impl Connector {
    /// Inside of the runtime.
    pub(crate) fn new(asker: Asker, trusts: Trusts) -> Self {
        Self { asker, trusts, runtime: Handle::current() }
    }

    pub(super) fn connect(&self, line: Line, attempt: u64, name: String) {
        let connector = self.clone();
        self.runtime.spawn(async move {
            let opening = connector.open(line, &name);
            let late = |_| Err("it does not answer".to_owned());
            let result = tokio::time::timeout(CONNECTING, opening).await.unwrap_or_else(late);
            connector.asker.ask(Ask::Connected { line, attempt, result });
        });
    }

    async fn open(&self, line: Line, name: &str) -> Result<Opened, String> {
        let words = |error: std::io::Error| match error.kind() {
            ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
            ErrorKind::TimedOut => "it does not answer".to_owned(),
            _ => format!("there is no way to it: {error}"),
        };
        let is_v4 = line.remote.is_ipv4();
        let socket = if is_v4 { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(words)?;
        // From where media goes, so that both take the same way.
        socket.bind(SocketAddr::new(line.local.ip(), 0)).map_err(words)?;
        let stream = socket.connect(line.remote).await.map_err(words)?;
        stream.set_nodelay(true).map_err(words)?;
        if line.transport != IceTransport::Tls {
            return Ok(Opened { stream: stream.into_std().map_err(words)?, tls: None });
        }
        let (stream, _) = self.trusts.trust().shake_hands(name, Rules::Web, stream).await?;
        let (stream, tls) = stream.into_inner();
        Ok(Opened { stream: stream.into_std().map_err(words)?, tls: Some(Box::new(tls)) })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
