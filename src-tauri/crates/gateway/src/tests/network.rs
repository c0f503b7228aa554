//! Listeners of their own, TLS, and who may come beyond loopback.

use super::{
    gateway_with,
    http::{get, raw},
};
use crate::{Access, GatewayError, Limits, Network, Purpose, RestUser, Running, TlsIdentity};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use sidetone_api::Secret;
use sidetone_testkit::{CertificateOptions, TestAuthority};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

const SOON: Duration = Duration::from_secs(10);

fn at(running: &Running, purpose: Purpose) -> SocketAddr {
    let mut places = running.places().iter();
    places.find(|(of, _)| *of == purpose).expect("it is open").1
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

async fn socket(address: SocketAddr, host: &str, origin: &str) -> Result<WebSocketStream<TcpStream>, u16> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("ws://{host}/").into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_has_a_listener_of_its_own_is_served_there_alone() {
    let network = Network { ws: vec![loopback()], rest: Some(loopback()), ..Network::default() };
    let (running, _) = gateway_with(network).await;
    let (ws, rest, http) = (at(&running, Purpose::Ws), at(&running, Purpose::Rest), running.address());
    assert_eq!(get(rest, "/rest-api/call/find_all", &[]).await.status, 200);
    for (address, path, status) in [
        (ws, "/", 426),
        (ws, "/rest-api/call/find_all", 426),
        (ws, "/healthz", 426),
        (rest, "/", 404),
        (rest, "/healthz", 404),
        (rest, "/whip/tv", 404),
        (http, "/rest-api/call/find_all", 401),
        (http, "/healthz", 200),
    ] {
        assert_eq!(get(address, path, &[]).await.status, status, "{address} {path}");
    }
    let origin = "http://localhost";
    assert!(socket(ws, &ws.to_string(), origin).await.is_ok());
    assert!(socket(http, &http.to_string(), origin).await.is_err());
    assert_eq!(socket(rest, &rest.to_string(), origin).await.err(), Some(404));
    running.stop().await;
    assert!(TcpStream::connect(ws).await.is_err() && TcpStream::connect(rest).await.is_err());
}

/// An authority, and who we are by it.
fn identity() -> (TestAuthority, TlsIdentity) {
    let authority = TestAuthority::new("test").unwrap();
    let own = authority.issue(&CertificateOptions::default()).unwrap();
    (authority, TlsIdentity { certificates: own.certificate, key: Secret::new(own.key) })
}

/// A connection of who trusts that authority alone.
async fn trusting(authority: &TestAuthority, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
    connected(&authority.pem(), ServerName::try_from("localhost").unwrap(), address).await
}

/// The same of who calls the server `name`.
pub(super) async fn connected(
    authority: &str,
    name: ServerName<'static>,
    address: SocketAddr,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// What is answered to a request by TLS: head and body.
async fn https(authority: &TestAuthority, address: SocketAddr, line: &str, headers: &[&str]) -> String {
    let mut stream = trusting(authority, address).await.unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let host = format!("Host: localhost:{}", address.port());
    let request = format!("{line} HTTP/1.1\r\n{host}\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Some end without a goodbye of TLS.
    let _ = timeout(SOON, stream.read_to_string(&mut answer)).await.expect("an answer");
    answer
}

#[tokio::test]
async fn pages_and_the_rest_api_are_had_by_tls_from_who_can_be_told_from_others() {
    let (authority, tls) = identity();
    let rest = Some(RestUser { user: "backend".into(), password: Secret::new("open sesame") });
    let access = Access { rest, ..Access::default() };
    let network = Network { https: vec![loopback()], access, tls: Some(tls), ..Network::default() };
    let with_own = Network { rest: Some(anywhere()), rest_tls: true, ..network.clone() };
    let (running, _) = gateway_with(network).await;
    let (both, _) = gateway_with(with_own).await;
    let pages = at(&running, Purpose::Https);
    let near = |address: SocketAddr| SocketAddr::from(([127, 0, 0, 1], address.port()));
    let own = near(at(&both, Purpose::RestTls));
    let shown = "Authorization: Basic YmFja2VuZDpvcGVuIHNlc2FtZQ==";
    let find = "GET /rest-api/call/find_all";
    for address in [pages, own] {
        assert!(https(&authority, address, find, &[]).await.starts_with("HTTP/1.1 401 "), "{address}");
        assert!(https(&authority, address, find, &[shown]).await.starts_with("HTTP/1.1 200 "), "{address}");
        // Who expects somebody else goes away.
        let (stranger, _) = identity();
        assert!(trusting(&stranger, address).await.is_err(), "{address}");
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(format!("{find} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = timeout(SOON, plain.read_to_end(&mut said)).await.expect("it is closed");
        assert!(said.starts_with(b"HTTP/1.1 400 "), "{said:?}");
    }
    // Where it has an address of its own it is there alone.
    let beside = https(&authority, at(&both, Purpose::Https), find, &[shown]).await;
    assert!(!beside.starts_with("HTTP/1.1 200 "), "{beside}");
    let link = running.login_url().unwrap();
    let path = link.split_once("/?").unwrap().1;
    let answer = https(&authority, pages, &format!("GET /?{path}"), &[]).await;
    assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("SameSite=Strict; Secure"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    let page = https(&authority, pages, "GET /", &[&cookie]).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<title>pages</title>"), "{page}");
    assert!(page.contains(&format!(" wss://localhost:{};", pages.port())), "{page}");
    let upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    for (scheme, status) in [("https", "101"), ("http", "403")] {
        let origin = format!("Origin: {scheme}://localhost:{}", pages.port());
        let mut stream = trusting(&authority, pages).await.unwrap();
        let headers = [&upgrade[..], &[key, &cookie, &origin]].concat().join("\r\n");
        let request =
            format!("GET /ui/socket HTTP/1.1\r\nHost: localhost:{}\r\n{headers}\r\n\r\n", pages.port());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        timeout(SOON, stream.read_exact(&mut head)).await.unwrap().unwrap();
        assert_eq!(std::str::from_utf8(&head).unwrap(), format!("HTTP/1.1 {status}"), "{scheme}");
    }
}

#[tokio::test]
async fn a_session_stands_by_tls_and_a_client_without_is_dropped() {
    let (authority, tls) = identity();
    let network = Network { wss: vec![loopback()], tls: Some(tls), ..Network::default() };
    let (running, _) = gateway_with(network).await;
    let wss = at(&running, Purpose::Wss);
    let stream = trusting(&authority, wss).await.unwrap();
    let (mut socket, _) = client_async(format!("wss://localhost:{}/", wss.port()), stream).await.unwrap();
    let hello = json!({ "message": "connection", "data": [{ "appKey": "a" }] }).to_string();
    socket.send(Message::text(hello)).await.unwrap();
    let answer = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains("getUserData"), "{answer}");
    // What does not speak TLS is told to, and closed.
    let mut plain = TcpStream::connect(wss).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = timeout(SOON, plain.read_to_end(&mut said)).await.expect("it is closed");
    assert!(said.starts_with(b"HTTP/1.1 400 "), "{said:?}");
}

#[tokio::test]
async fn beyond_loopback_names_and_pages_have_to_be_known() {
    let access = Access {
        hosts: vec!["gateway.example".into()],
        origins: vec!["https://app.example".into()],
        ..Access::default()
    };
    let network = Network { http: Some(anywhere()), ws: vec![anywhere()], access, ..Network::default() };
    let (running, _) = gateway_with(network).await;
    let port = running.address().port();
    let http = SocketAddr::from(([127, 0, 0, 1], port));
    let ask = async |host: &str, path: &str| {
        let host = format!("Host: {host}");
        raw(http, &format!("GET {path} HTTP/1.1"), &[&host]).await.status
    };
    assert_eq!(ask(&format!("192.0.2.1:{port}"), "/healthz").await, 200);
    assert_eq!(ask(&format!("gateway.example:{port}"), "/healthz").await, 200);
    assert_eq!(ask(&format!("evil.example:{port}"), "/healthz").await, 421);
    // Nobody set a user.
    assert_eq!(ask(&format!("192.0.2.1:{port}"), "/rest-api/call/find_all").await, 403);
    // There is one, and everybody would read the password.
    for (rest_in_the_open, status) in [(false, 403), (true, 401)] {
        let rest = Some(RestUser { user: "a".into(), password: Secret::new("b") });
        let access = Access { rest, rest_in_the_open, ..Access::default() };
        let (open, _) = gateway_with(Network { http: Some(anywhere()), access, ..Network::default() }).await;
        let host = format!("Host: 192.0.2.1:{}", open.address().port());
        let near = SocketAddr::from(([127, 0, 0, 1], open.address().port()));
        let answer = raw(near, "GET /rest-api/call/find_all HTTP/1.1", &[&host]).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let ws = SocketAddr::from(([127, 0, 0, 1], at(&running, Purpose::Ws).port()));
    let host = format!("192.0.2.1:{}", ws.port());
    for (origin, served) in [
        ("https://app.example", Ok(())),
        ("https://192.0.2.1", Ok(())),
        ("http://localhost:3000", Ok(())),
        ("https://evil.example", Err(403)),
        ("null", Err(403)),
    ] {
        assert_eq!(socket(ws, &host, origin).await.map(drop), served, "{origin}");
    }
    assert!(running.login_url().unwrap().starts_with(&format!("http://127.0.0.1:{port}/")));
}

#[tokio::test]
async fn what_cannot_be_opened_as_it_was_asked_is_an_error() {
    let taken = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let start = async |network: Network| {
        let fake = Arc::new(super::fake::Fake::default());
        let options = crate::Options { network, ..super::options(0) };
        crate::running::start(fake as _, options).await.err().map(|error| error.to_string())
    };
    let error = start(Network { ws: vec![address], ..Network::default() }).await.unwrap();
    assert!(error.starts_with(&format!("ws-listen: {address} cannot be opened")), "{error}");
    let error = start(Network { http: Some(address), ..Network::default() }).await.unwrap();
    assert!(error.starts_with("http-listen: "), "{error}");
    let open = start(Network { rest: Some(anywhere()), ..Network::default() }).await.unwrap();
    assert_eq!(open, "rest-listen: beyond loopback it needs a user and a password");
    let rest = Some(RestUser { user: "a".into(), password: Secret::new("b") });
    let access = Access { rest, ..Access::default() };
    let plain = Network { rest: Some(anywhere()), access, ..Network::default() };
    let refused = start(plain.clone()).await.unwrap();
    assert!(refused.starts_with("rest-listen: ") && refused.contains("rest-tls"), "{refused}");
    let access = Access { rest_in_the_open: true, ..plain.access.clone() };
    assert_eq!(start(Network { access, ..plain }).await, None);
    let wrong = GatewayError::Wrong { field: "x", words: "y".into() };
    assert_eq!(wrong.to_string(), "x: y");
}

#[tokio::test]
async fn there_are_no_more_sessions_than_the_limit_says() {
    let limits = Limits { sessions: 2, ..Limits::default() };
    let (running, _) = gateway_with(Network { limits, ..Network::default() }).await;
    let (address, origin) = (running.address(), "http://localhost");
    let host = address.to_string();
    let first = socket(address, &host, origin).await.unwrap();
    let _second = socket(address, &host, origin).await.unwrap();
    assert_eq!(socket(address, &host, origin).await.err(), Some(503));
    drop(first);
    let freed = timeout(SOON, async { while socket(address, &host, origin).await.is_err() {} });
    freed.await.expect("its place is free again");
}
