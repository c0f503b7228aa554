use super::{Authorities, Common, Door, Flows, Link, WebSocketUrl, open};
use crate::io::sip::{FromNetwork, Stack, inbox};
use futures_util::{Sink, Stream};
use sidetone_sip::{Hop, Transport};
use std::{future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        http::HeaderValue,
    },
};

const SOON: Duration = Duration::from_secs(10);
const ANYWHERE: &str = "127.0.0.1:0";

struct Rig {
    door: Door,
    news: mpsc::Receiver<(Stack, FromNetwork)>,
    authorities: Arc<Authorities>,
    flows: Arc<Flows>,
    address: SocketAddr,
}

/// The table with a listener; peers are idle after this time.
async fn rig(idle: Duration) -> Rig {
    let listener = TcpListener::bind(ANYWHERE).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (authorities, flows) = (Arc::new(Authorities::default()), Arc::new(Flows::default()));
    let (inbox, news) = inbox();
    let common = Common {
        stack: Stack::Phone,
        port: address.port(),
        bind: Some(address.ip()),
        inbox,
        authorities: Arc::clone(&authorities),
        flows: Arc::clone(&flows),
        idle,
    };
    Rig { door: open(vec![listener], common), news, authorities, flows, address }
}

impl Rig {
    async fn next(&mut self) -> FromNetwork {
        tokio::time::timeout(SOON, self.news.recv()).await.expect("something is told").unwrap().1
    }

    /// A hop to a WebSocket server of `path`.
    fn websocket(&self, remote: SocketAddr, path: &str) -> Hop {
        let url = WebSocketUrl::parse(&format!("ws://{remote}{path}")).unwrap();
        let account = self.authorities.of_account(Link { trusted_ca: None, websocket: Some(url) });
        let authority = self.authorities.of_server(account, "127.0.0.1");
        Hop { authority, ..Hop::new(Transport::Ws, self.address, remote) }
    }

    async fn failure(&mut self) -> String {
        match self.next().await {
            FromNetwork::SendFailed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_silent_connection_is_asked_about_and_closed_where_nobody_needs_it() {
    let mut rig = rig(Duration::from_millis(40)).await;
    let mut peer = TcpStream::connect(rig.address).await.unwrap();
    peer.write_all(b"x").await.unwrap();
    assert!(matches!(rig.next().await, FromNetwork::Stream { .. }));
    let FromNetwork::Idle { hop } = rig.next().await else { panic!("not idle") };
    assert_eq!(hop.remote, peer.local_addr().unwrap());
    rig.door.close(hop);
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, peer.read_to_end(&mut rest)).await.expect("the connection ends").unwrap();
}

#[tokio::test]
async fn the_port_that_the_first_message_over_tls_names_is_the_one_it_comes_from() {
    let rig = rig(SOON).await;
    let server = TcpListener::bind(ANYWHERE).await.unwrap();
    let remote = server.local_addr().unwrap();
    let mut hop = Hop::new(Transport::Tls, rig.address, remote);
    hop.authority = rig.authorities.of_server(hop.authority, "pbx.example");
    hop.local = rig.flows.local(super::flow(&hop), rig.address.ip()).unwrap();
    assert_eq!(rig.flows.local(super::flow(&hop), rig.address.ip()).unwrap(), hop.local);
    rig.door.send(hop, b"hello".to_vec());
    let (_, from) = tokio::time::timeout(SOON, server.accept()).await.unwrap().unwrap();
    assert_eq!(from, hop.local);
}

type Accepted = WebSocketStream<TcpStream>;

/// A server that speaks `protocol`; the path that was asked for.
async fn accept(listener: &TcpListener, protocol: Option<&'static str>) -> (Accepted, String) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    let answer = |request: &Request, mut response: Response| {
        path = request.uri().to_string();
        assert_eq!(request.headers()["sec-websocket-protocol"], "sip");
        if let Some(protocol) = protocol {
            let value = HeaderValue::from_static(protocol);
            response.headers_mut().insert("sec-websocket-protocol", value);
        }
        Ok(response)
    };
    let accepted = accept_hdr_async(stream, answer).await.unwrap();
    (accepted, path)
}

async fn say(peer: &mut Accepted, message: Message) {
    poll_fn(|context| Pin::new(&mut *peer).poll_ready(context)).await.unwrap();
    Pin::new(&mut *peer).start_send(message).unwrap();
    let _ = poll_fn(|context| Pin::new(&mut *peer).poll_flush(context)).await;
}

async fn hear(peer: &mut Accepted) -> Message {
    let next = poll_fn(|context| Pin::new(&mut *peer).poll_next(context));
    tokio::time::timeout(SOON, next).await.expect("something is said").unwrap().unwrap()
}

#[tokio::test]
async fn a_websocket_carries_one_message_a_frame_and_answers_pings_of_either_kind() {
    let mut rig = rig(SOON).await;
    let server = TcpListener::bind(ANYWHERE).await.unwrap();
    let hop = rig.websocket(server.local_addr().unwrap(), "/sip?x=1");
    rig.door.send(hop, b"REGISTER".to_vec());
    let (mut peer, path) = accept(&server, Some("sip")).await;
    assert_eq!(path, "/sip?x=1");
    assert_eq!(hear(&mut peer).await, Message::text("REGISTER"));
    say(&mut peer, Message::text("SIP/2.0 200 OK")).await;
    say(&mut peer, Message::binary(b"INVITE".to_vec())).await;
    for expected in [&b"SIP/2.0 200 OK"[..], b"INVITE"] {
        let FromNetwork::Datagram { hop: from, bytes } = rig.next().await else { panic!("no message") };
        assert_eq!((from, bytes.as_slice()), (hop, expected));
    }
    say(&mut peer, Message::text("\r\n\r\n")).await;
    assert_eq!(hear(&mut peer).await, Message::text("\r\n"));
    // The user agent's ping goes as the protocol's, and its pong comes back as one.
    rig.door.send(hop, b"\r\n\r\n".to_vec());
    assert!(hear(&mut peer).await.is_ping());
    let _ = tokio::time::timeout(Duration::from_millis(50), hear(&mut peer)).await;
    let FromNetwork::Stream { bytes, .. } = rig.next().await else { panic!("no pong") };
    assert_eq!(bytes, b"\r\n");
    assert_eq!(rig.flows.info(&hop).as_deref(), Some("not encrypted"));
}

#[tokio::test]
async fn a_websocket_message_that_is_too_long_ends_the_connection() {
    let mut rig = rig(SOON).await;
    let server = TcpListener::bind(ANYWHERE).await.unwrap();
    let hop = rig.websocket(server.local_addr().unwrap(), "/");
    rig.door.send(hop, b"x".to_vec());
    let (mut peer, _) = accept(&server, Some("sip")).await;
    say(&mut peer, Message::binary(vec![b'x'; 70_000])).await;
    let FromNetwork::StreamClosed { reason, .. } = rig.next().await else { panic!("not closed") };
    assert!(reason.contains("long") || reason.contains("large") || reason.contains("size"), "{reason}");
}

#[tokio::test]
async fn a_web_server_that_does_not_speak_sip_is_said_to() {
    let mut rig = rig(SOON).await;
    let server = TcpListener::bind(ANYWHERE).await.unwrap();
    let hop = rig.websocket(server.local_addr().unwrap(), "/ws");
    rig.door.send(hop, b"x".to_vec());
    let (_peer, _) = accept(&server, None).await;
    assert!(rig.failure().await.contains("is a WebSocket server, but not for SIP"));
    rig.door.send(hop, b"x".to_vec());
    let (mut stream, _) = server.accept().await.unwrap();
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let reason = rig.failure().await;
    assert!(reason.contains("/ws answered the WebSocket request with 404"), "{reason}");
}
