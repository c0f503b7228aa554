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
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
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

#[tokio::test]
async fn a_session_stands_by_tls_and_a_client_without_is_dropped() {
    let authority = TestAuthority::new("test").unwrap();
    let own = authority.issue(&CertificateOptions::default()).unwrap();
    let tls = TlsIdentity { certificates: own.certificate, key: Secret::new(own.key) };
    let network = Network { wss: vec![loopback()], tls: Some(tls), ..Network::default() };
    let (running, _) = gateway_with(network).await;
    let wss = at(&running, Purpose::Wss);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(wss).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (mut socket, _) = client_async(format!("wss://localhost:{}/", wss.port()), stream).await.unwrap();
    let hello = json!({ "message": "connection", "data": [{ "appKey": "a" }] }).to_string();
    socket.send(Message::text(hello)).await.unwrap();
    let answer = timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains("getUserData"), "{answer}");
    // What does not speak TLS is closed without an answer in the open.
    let mut plain = TcpStream::connect(wss).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = timeout(SOON, plain.read_to_end(&mut said)).await.expect("it is closed");
    assert!(!said.starts_with(b"HTTP/1.1 200"), "{said:?}");
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
    assert_eq!(start(Network { rest: Some(anywhere()), access, ..Network::default() }).await, None);
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
