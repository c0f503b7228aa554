//! What others of this network reach: nothing until the user wants it, then guests' pages and sockets by TLS alone.

use super::{fake::Fake, http::Answer, network::connected, options};
use crate::{Options, Running, running::start};
use sidetone_api::{Event, Settings, SharingSettings, SharingView};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::rustls::pki_types::ServerName;

struct Shared {
    fake: Arc<Fake>,
    _running: Running,
    folder: TempDir,
}

async fn gateway() -> Shared {
    let (fake, folder) = (Arc::new(Fake::default()), tempfile::tempdir().unwrap());
    let options = Options { data: Some(folder.path().into()), ..options(0) };
    let running = start(Arc::clone(&fake) as _, options).await.unwrap();
    Shared { fake, _running: running, folder }
}

impl Shared {
    /// Once the gateway has carried it out.
    async fn set(&self, sharing: SharingSettings) -> Option<SharingView> {
        let mut shared = self.fake.shared.subscribe();
        shared.mark_unchanged();
        let mut settings = Settings::default();
        settings.gateway.sharing = sharing;
        *self.fake.settings.lock().unwrap() = settings.clone();
        self.fake.publish(9, Event::SettingsChanged { settings });
        shared.changed().await.unwrap();
        shared.borrow().clone()
    }
}

fn at(view: &SharingView) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], view.port))
}

fn on(port: u16) -> SharingSettings {
    SharingSettings { on: true, port, ..SharingSettings::default() }
}

/// A device that trusts our authority.
async fn trusting(address: SocketAddr, authority: &str) -> impl AsyncRead + AsyncWrite + Unpin {
    connected(authority, ServerName::from(address.ip()), address).await.unwrap()
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str) -> Answer {
    let request = format!("{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A peer that closes without the last word of TLS has still said all.
    let _ = stream.read_to_end(&mut answer).await;
    Answer::parse(&answer)
}

fn authority(folder: &Path) -> String {
    crate::sharing::authority::Authority::open(folder, "any").unwrap().pem().to_owned()
}

#[tokio::test]
async fn guests_get_their_pages_by_tls_and_nothing_else() {
    let shared = gateway().await;
    assert!(shared.fake.shared.borrow().is_none());
    let view = shared.set(on(28443)).await.unwrap();
    let address = at(&view);
    let authority = authority(shared.folder.path());
    let get = async |path: &str| {
        let stream = trusting(address, &authority).await;
        ask(stream, &format!("GET {path} HTTP/1.1\r\nHost: {address}")).await
    };
    let join = get("/guest/").await;
    assert_eq!((join.status, join.body.contains("guest")), (200, true), "{join:?}");
    assert_eq!(get("/guest/assets/main-1a2b.js").await.status, 200);
    assert_eq!(get("/authority.crt").await.body, authority);
    assert!(get("/trust").await.body.contains(view.fingerprint.as_deref().unwrap()));
    for path in [
        "/index.html",
        "/assets/main-1a2b.js",
        "/guest/index.html",
        "/guest/assets/../index.html",
        "/healthz",
        "/whip/tv",
        "/rest-api/stream/find_all",
        "/ui/socket",
        "/login-link",
    ] {
        assert_eq!(get(path).await.status, 404, "{path}");
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let plain = ask(stream, &format!("GET /guest/ HTTP/1.1\r\nHost: {address}")).await;
    assert_eq!((plain.status, plain.body.contains("https")), (400, true), "{plain:?}");
}

#[tokio::test]
async fn a_guests_socket_is_for_our_own_page_and_with_an_invite() {
    let shared = gateway().await;
    let address = at(&shared.set(on(28444)).await.unwrap());
    let authority = authority(shared.folder.path());
    let upgrade = async |origin: &str| {
        let stream = trusting(address, &authority).await;
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {origin}"
        );
        ask(stream, &head).await.status
    };
    assert_eq!(upgrade("https://evil.example").await, 403);
    assert_eq!(upgrade("null").await, 403);
    assert_eq!(upgrade(&format!("http://{address}")).await, 403);
    assert_eq!(upgrade("http://localhost:3000").await, 403);
}

#[tokio::test]
async fn sharing_ends_at_once_and_a_port_that_is_busy_gives_the_next() {
    let shared = gateway().await;
    let busy = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = busy.local_addr().unwrap().port();
    let view = shared.set(on(port)).await.unwrap();
    let address = at(&view);
    assert!(address.port() != port && view.info.contains(&port.to_string()), "{view:?}");
    assert!(TcpStream::connect(address).await.is_ok());
    assert_eq!(shared.set(SharingSettings { port, ..SharingSettings::default() }).await, None);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_said_and_nothing_is_opened() {
    let shared = gateway().await;
    let settings =
        SharingSettings { certificate: "/nowhere.pem".into(), key: "/nowhere.key".into(), ..on(28446) };
    let view = shared.set(settings).await.unwrap();
    assert!(view.urls.is_empty() && view.info.contains("/nowhere.pem"), "{view:?}");
}
