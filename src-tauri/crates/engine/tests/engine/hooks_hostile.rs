//! Backends that mean harm, or know no better: calls go on, sound flows, and nothing of it piles up here.

use crate::kit::{Phone, gateway, options};
use sidetone_api::{CallStatus, Command, Event, HookSettings, SettingsChange};
use sidetone_engine::Options;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What a backend does to whoever asks, by the path of its URL.
const WAYS: [&str; 12] = [
    "endless-body",
    "endless-headers",
    "endless-continue",
    "drip-headers",
    "drip-body",
    "redirect",
    "too-long",
    "too-short",
    "no-json",
    "deep-json",
    "gzip",
    "reset",
];

/// All of them on one port.
struct Hostile {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Hostile {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        let of_server = Arc::clone(&open);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let open = Arc::clone(&of_server);
                connections.spawn(async move {
                    open.fetch_add(1, Ordering::Relaxed);
                    harm(stream).await;
                    open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, open, _serving: serving }
    }
}

/// As long as the other side bears it.
async fn endlessly(stream: &mut TcpStream, bytes: &[u8], pause: Duration) {
    while stream.write_all(bytes).await.is_ok() {
        if pause.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(pause).await;
        }
    }
}

async fn harm(mut stream: TcpStream) {
    let mut head = [0; 64];
    if stream.read(&mut head).await.is_err() {
        return;
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let way = head.split('/').nth(1).unwrap_or_default().to_owned();
    let (slow, fast) = (Duration::from_millis(40), Duration::ZERO);
    let whole = |body: &[u8], more: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{more}Content-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let answer = match way.as_str() {
        "endless-body" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            return endlessly(&mut stream, format!("400\r\n{}\r\n", "{".repeat(1_024)).as_bytes(), fast)
                .await;
        }
        "endless-headers" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            return endlessly(&mut stream, format!("X-A: {}\r\n", "a".repeat(1_000)).as_bytes(), fast).await;
        }
        "endless-continue" => {
            return endlessly(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(1)).await;
        }
        "drip-headers" => return endlessly(&mut stream, b"H", slow).await,
        "drip-body" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await;
            return endlessly(&mut stream, b"{", slow).await;
        }
        "redirect" => {
            let place = format!("Location: http://{}/redirect/again\r\n", stream.local_addr().unwrap());
            format!("HTTP/1.1 307 Temporary Redirect\r\n{place}Content-Length: 0\r\n\r\n").into_bytes()
        }
        "too-long" => b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}".to_vec(),
        "too-short" => b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{\"callee\":\"eve\"}".to_vec(),
        "no-json" => whole(b"\xff\xfe<html>", "Content-Type: application/json\r\n"),
        "deep-json" => whole("[".repeat(200_000).as_bytes(), ""),
        // What would be 1 GB, where somebody unpacked it.
        "gzip" => whole(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "Content-Encoding: gzip\r\n"),
        _ => {
            let _ = stream.set_zero_linger();
            return;
        }
    };
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_with_sound_whatever_the_backend_does() {
    let hostile = Hostile::start().await;
    let mut settings = gateway();
    settings.audio.microphone = "tone".into();
    let mut phone = Phone::with(Options { one_at_a_time: false, ..options(settings) }).await;
    phone.is_registered().await;
    let lasting = phone.call("echo").await;
    phone.status(&lasting, CallStatus::Established).await;
    for way in WAYS {
        let hooks = HookSettings {
            url: format!("http://{}/{way}", hostile.address),
            timeout_ms: 300,
            ..HookSettings::default()
        };
        phone
            .done(Command::ChangeSettings(SettingsChange { hooks: Some(hooks), ..Default::default() }))
            .await;
        let began = Instant::now();
        let call = phone.call("echo").await;
        phone.status(&call, CallStatus::Established).await;
        println!("{way}: up after {} ms", began.elapsed().as_millis());
        // Sound that came after this call began.
        let heard = |event: &Event| match event {
            Event::CallMeasured { call_id, statistics } if *call_id == call => {
                (statistics.packets_received > 10).then_some(())
            }
            _ => None,
        };
        phone.wait("sound", heard).await;
        phone.hang_up(&call).await;
        phone.status(&call, CallStatus::Finish).await;
    }
    let mut lost = None;
    for envelope in &phone.seen {
        if let Event::CallMeasured { call_id, statistics } = &envelope.event
            && *call_id == lasting
        {
            lost = Some(statistics.packets_lost);
        }
    }
    assert_eq!(lost, Some(0), "of the call that lasted all the while");
    // Deliveries at a time, with a question and a probe: the others wait their turn.
    assert!(
        hostile.open.load(Ordering::Relaxed) <= 16,
        "{} connections",
        hostile.open.load(Ordering::Relaxed)
    );
    phone.handle.shut_down().await;
}
