//! What sessions that do nothing cost. Alone in its process, whose memory it measures.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sidetone_api::Settings;
use sidetone_engine::{Engine, Options as OfEngine};
use sidetone_gateway::{Gateway, Network, Options, Ui};
use sidetone_media::Synthetic;
use std::{net::IpAddr, net::Ipv4Addr, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const SOON: Duration = Duration::from_secs(15);
const SESSIONS: usize = 250;
/// kB.
const MOST_OF_EACH: usize = 64;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Without a library, whose buffers would be in the same memory.
async fn session(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut socket, "\r\n\r\n").await;
    let message = br#"{"message":"connection","data":[{}]}"#;
    // A text frame, masked by zeros.
    let mut frame = vec![0x81, 0x80 | u8::try_from(message.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(message);
    socket.write_all(&frame).await.unwrap();
    read_until(&mut socket, "getUserData").await;
    socket
}

async fn read_until(socket: &mut TcpStream, wanted: &str) {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(wanted) {
            assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0, "it is closed");
        }
    };
    timeout(SOON, reading).await.expect("in time");
}

#[tokio::test]
async fn an_idle_session_takes_little_memory() {
    let mut settings = Settings::default();
    (settings.gateway.enabled, settings.gateway.sip_port) = (true, 0);
    let handle = Engine::start(OfEngine::in_memory(Arc::new(Synthetic), settings)).await.unwrap();
    let (bind, ui) = (IpAddr::V4(Ipv4Addr::LOCALHOST), Ui::embedded(|_| None));
    let options = Options { bind, port: 0, ui, runtime: None, data: None, network: Network::default() };
    let running = Gateway::start(handle.clone(), options).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..10 {
        sessions.push(session(running.address()).await);
    }
    let before = resident();
    for _ in 0..SESSIONS {
        sessions.push(session(running.address()).await);
    }
    let each = resident().saturating_sub(before) / SESSIONS;
    eprintln!("an idle session: {each} kB");
    assert!(each < MOST_OF_EACH, "{each} kB each");
    drop(sessions);
    running.stop().await;
    handle.shut_down().await;
}
