use super::{fake::Fake, gateway, log_in};
use crate::{
    close_code,
    frames::{
        FrameDoor, FrameLink, MAX_SOCKETS, header,
        request::{LONGEST, MOST_CHANNELS, MOST_CREDITS},
        window_of,
    },
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sidetone_api::Level;
use sidetone_media::video::{Canvas, Picture, Size};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

pub(super) type Client = WebSocketStream<TcpStream>;
const OWN: &str = "tauri://localhost";

async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
    let mut request = url.into_client_request().unwrap();
    let address = request.uri().authority().unwrap().to_string();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    match client_async(request, stream).await {
        Ok((client, _)) => Ok(client),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub(super) async fn window() -> (FrameDoor, Arc<Fake>, Client) {
    let fake = Arc::new(Fake::default());
    let door = window_of(Arc::clone(&fake) as _).await.unwrap();
    let client = connect(&door.ticket().unwrap(), &[("Origin", OWN)]).await.unwrap();
    (door, fake, client)
}

pub(super) async fn ask(client: &mut Client, request: Value) {
    client.send(Message::text(request.to_string())).await.unwrap();
}

pub(super) fn open(width: u32, height: u32, credits: usize) -> Value {
    json!({"ask": "open", "channel": 5, "stream": "st1", "width": width, "height": height, "credits": credits})
}

pub(super) async fn message(client: &mut Client) -> Message {
    timeout(Duration::from_secs(5), client.next()).await.expect("nothing came").unwrap().unwrap()
}

async fn said(client: &mut Client) -> Value {
    match message(client).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Channel, width, height, number and the first pixel.
pub(super) async fn shown(client: &mut Client) -> (u32, u32, u32, u64, u8) {
    let Message::Binary(frame) = message(client).await else { panic!("no picture") };
    let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
    let number = u64::from_le_bytes(frame[32..40].try_into().unwrap());
    let size = Size::new(word(8), word(12)).unwrap();
    assert_eq!(frame.len(), header::LEN + size.i420_len());
    (word(0), word(8), word(12), number, frame[header::LEN])
}

pub(super) fn picture(luma: u8) -> Picture {
    let mut canvas = Canvas::black(Size::P360);
    canvas.fill([luma, 128, 128]);
    canvas.finish(Instant::now())
}

pub(super) async fn until(what: &str, mut check: impl FnMut() -> bool) {
    let come_true = async {
        while !check() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), come_true).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_page_sees_the_newest_picture_at_the_size_that_it_has_room_for() {
    let (_door, fake, mut client) = window().await;
    fake.show(picture(40));
    ask(&mut client, open(320, 320, 1)).await;
    assert_eq!(shown(&mut client).await, (5, 320, 180, 0, 40));
    for luma in 50..90 {
        fake.show(picture(luma));
    }
    ask(&mut client, json!({"ask": "credit", "channel": 5, "credits": 1})).await;
    assert_eq!(shown(&mut client).await, (5, 320, 180, 1, 89), "all that came between is left out");
    ask(&mut client, json!({"ask": "credit", "channel": 5, "credits": 1})).await;
    ask(&mut client, json!({"ask": "size", "channel": 5, "width": 4000, "height": 4000})).await;
    assert_eq!(shown(&mut client).await, (5, 640, 360, 2, 89), "never larger than it is");
}

#[tokio::test]
async fn nothing_is_sent_without_credit_and_no_more_than_was_granted() {
    let (_door, fake, mut client) = window().await;
    ask(&mut client, open(64, 64, 100)).await;
    until("the stream is watched", || fake.watchers() == 1).await;
    for luma in 0..u8::try_from(MOST_CREDITS).unwrap() {
        fake.show(picture(100 + luma));
        assert_eq!(shown(&mut client).await.4, 100 + luma);
    }
    fake.show(picture(200));
    let silence = timeout(Duration::from_millis(200), client.next()).await;
    assert!(silence.is_err(), "{silence:?}");
}

#[tokio::test]
async fn the_end_of_a_stream_and_one_that_is_not_there_are_told_on_their_channel() {
    let (_door, fake, mut client) = window().await;
    ask(&mut client, open(64, 64, 1)).await;
    until("the stream is watched", || fake.watchers() == 1).await;
    *fake.pictures.lock().unwrap() = None;
    assert_eq!(said(&mut client).await, json!({"channel": 5, "ended": true}));
    ask(&mut client, open(64, 64, 1)).await;
    let failure = said(&mut client).await;
    assert_eq!((&failure["channel"], &failure["failure"]["code"]), (&json!(5), &json!("notFound")));
}

#[tokio::test]
async fn a_channel_that_is_closed_stops_and_its_number_is_free() {
    let (_door, fake, mut client) = window().await;
    ask(&mut client, open(64, 64, 1)).await;
    until("the stream is watched", || fake.watchers() == 1).await;
    ask(&mut client, open(64, 64, 1)).await;
    assert_eq!(said(&mut client).await["failure"]["field"], "channel");
    ask(&mut client, json!({"ask": "close", "channel": 5})).await;
    until("nobody watches", || fake.watchers() == 0).await;
    ask(&mut client, open(64, 64, 1)).await;
    fake.show(picture(40));
    assert_eq!(shown(&mut client).await.4, 40);
    client.close(None).await.unwrap();
    until("nobody watches after the page has gone", || fake.watchers() == 0).await;
}

#[tokio::test]
async fn the_levels_of_what_is_published_are_told_when_they_change() {
    let (_door, fake, mut client) = window().await;
    *fake.levels.lock().unwrap() = vec![Level { rms: -20.0, peak: -9.5 }];
    ask(&mut client, open(64, 64, 1)).await;
    let levels = json!({"channel": 5, "levels": [{"rms": -20.0, "peak": -9.5}]});
    assert_eq!(said(&mut client).await, levels);
    let silence = timeout(Duration::from_millis(400), client.next()).await;
    assert!(silence.is_err(), "{silence:?}");
}

#[tokio::test]
async fn sources_are_seen_before_they_are_published_change_and_are_closed_before_that_is_told() {
    let (_door, fake, mut client) = window().await;
    let preview = |ask: &str, video: &str| {
        let sources = json!({"video": video, "audio": []});
        json!({"ask": ask, "channel": 5, "sources": sources, "width": 64, "height": 64, "credits": 1})
    };
    let change =
        |video: &str| json!({"ask": "sources", "channel": 5, "sources": {"video": video, "audio": []}});
    ask(&mut client, preview("preview", "nonsense")).await;
    assert_eq!(said(&mut client).await["failure"]["field"], "sources.video");
    ask(&mut client, preview("preview", "bars")).await;
    until("it is watched", || fake.watchers() == 1).await;
    fake.show(picture(40));
    assert_eq!(shown(&mut client).await.4, 40);
    ask(&mut client, change("device:taken")).await;
    assert_eq!(said(&mut client).await, json!({"channel": 5, "problem": "device:taken is taken"}));
    ask(&mut client, change("nonsense")).await;
    let refused = said(&mut client).await;
    assert!(refused["problem"].as_str().unwrap().contains("nonsense"), "{refused}");
    ask(&mut client, change("bars")).await;
    assert_eq!(said(&mut client).await, json!({"channel": 5, "problem": ""}));
    let seen: Vec<_> = fake.preview.seen.lock().unwrap().iter().filter_map(|it| it.video.clone()).collect();
    assert_eq!(seen, ["bars", "device:taken", "bars"]);
    assert!(!fake.preview.closed.load(Relaxed));
    ask(&mut client, json!({"ask": "close", "channel": 5})).await;
    assert_eq!(said(&mut client).await, json!({"channel": 5, "ended": true}));
    assert!(fake.preview.closed.load(Relaxed));
    until("nobody watches", || fake.watchers() == 0).await;
    ask(&mut client, preview("preview", "bars")).await;
    until("it is watched again", || fake.watchers() == 1).await;
    client.close(None).await.unwrap();
    until("nobody watches after the page has gone", || fake.watchers() == 0).await;
}

#[tokio::test]
async fn bad_requests_are_named_and_what_is_open_goes_on() {
    let (_door, fake, mut client) = window().await;
    ask(&mut client, open(0, 0, 2)).await;
    for bad in ["nonsense", r#"{"ask":"explode"}"#, r#"{"ask":"size","channel":5}"#] {
        client.send(Message::text(bad)).await.unwrap();
        assert_eq!(said(&mut client).await["failure"]["field"], "request", "{bad}");
    }
    ask(&mut client, json!({"ask": "credit", "channel": 77, "credits": 1})).await;
    fake.show(picture(40));
    let (_, width, height, ..) = shown(&mut client).await;
    assert_eq!((width, height), (1, 1));
    for channel in 100..100 + u32::try_from(MOST_CHANNELS).unwrap() {
        let open = json!({"ask": "open", "channel": channel, "stream": "st1", "width": 1, "height": 1, "credits": 0});
        ask(&mut client, open).await;
    }
    assert_eq!(said(&mut client).await["failure"]["code"], "limit");
    client.send(Message::text("x".repeat(LONGEST + 1))).await.unwrap();
    let Message::Close(Some(frame)) = message(&mut client).await else { panic!("not closed") };
    assert_eq!(u16::from(frame.code), close_code::PROTOCOL);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_only_for_our_own_window() {
    let fake = Arc::new(Fake::default());
    let door = window_of(Arc::clone(&fake) as _).await.unwrap();
    for origin in
        ["http://evil.example", "null", "http://localhost", "tauri://evil", "http://tauri.localhost.evil"]
    {
        assert_eq!(
            connect(&door.ticket().unwrap(), &[("Origin", origin)]).await.err(),
            Some(403),
            "{origin}"
        );
    }
    assert_eq!(connect(&door.ticket().unwrap(), &[]).await.err(), Some(403));
    let rebound = [("Origin", OWN), ("Host", "evil.example")];
    assert_eq!(connect(&door.ticket().unwrap(), &rebound).await.err(), Some(421));
    for origin in [OWN, "http://tauri.localhost", "https://tauri.localhost"] {
        let ticket = door.ticket().unwrap();
        assert!(connect(&ticket, &[("Origin", origin)]).await.is_ok(), "{origin}");
        assert_eq!(connect(&ticket, &[("Origin", origin)]).await.err(), Some(401), "a second time");
    }
    let url = door.ticket().unwrap();
    let (place, _) = url.rsplit_once('/').unwrap();
    assert_eq!(connect(&format!("{place}/{}", "0".repeat(64)), &[("Origin", OWN)]).await.err(), Some(401));
}

#[tokio::test]
async fn the_number_of_sockets_is_bounded_and_all_are_told_of_the_end() {
    let (door, _fake, mut first) = window().await;
    let mut clients = Vec::new();
    for _ in 1..MAX_SOCKETS {
        clients.push(connect(&door.ticket().unwrap(), &[("Origin", OWN)]).await.unwrap());
    }
    assert_eq!(connect(&door.ticket().unwrap(), &[("Origin", OWN)]).await.err(), Some(503));
    drop(door);
    let Message::Close(Some(frame)) = message(&mut first).await else { panic!("not closed") };
    assert_eq!(u16::from(frame.code), close_code::GOING_AWAY);
}

#[tokio::test]
async fn a_browser_wants_its_login_and_the_origin_of_our_own_pages() {
    let (running, fake) = gateway().await;
    let (url, own) = (format!("ws://{}/frames", running.address()), format!("http://{}", running.address()));
    let cookie = log_in(&running).await;
    assert_eq!(connect(&url, &[("Origin", &own)]).await.err(), Some(401));
    for origin in ["http://evil.example", OWN] {
        assert_eq!(connect(&url, &[("Origin", origin), ("Cookie", &cookie)]).await.err(), Some(403));
    }
    assert_eq!(connect(&url, &[("Cookie", &cookie)]).await.err(), Some(403));
    let mut client = connect(&url, &[("Origin", &own), ("Cookie", &cookie)]).await.unwrap();
    fake.show(picture(40));
    ask(&mut client, open(64, 64, 1)).await;
    assert_eq!(shown(&mut client).await.4, 40);
}

#[tokio::test]
async fn a_window_without_a_socket_gets_the_newest_picture_for_its_credit_too() {
    let fake = Arc::new(Fake::default());
    let link = FrameLink::of(Arc::clone(&fake) as _);
    let next = async || timeout(Duration::from_secs(5), link.next()).await.expect("nothing came").unwrap();
    link.ask(&open(320, 320, 1).to_string()).await;
    fake.show(picture(40));
    let first = next().await;
    assert_eq!((first[4], first.len(), first[header::LEN]), (1, header::LEN + 320 * 180 * 3 / 2, 40));
    for luma in 50..90 {
        fake.show(picture(luma));
    }
    assert!(timeout(Duration::from_millis(200), link.next()).await.is_err(), "without credit");
    link.ask(r#"{"ask":"credit","channel":5,"credits":1}"#).await;
    assert_eq!(next().await[header::LEN], 89, "all that came between is left out");
    let (next, ()) = tokio::join!(link.next(), async { link.close() });
    assert_eq!(next, None, "who still asks is told");
    link.ask(&open(64, 64, 1).to_string()).await;
    until("nobody watches", || fake.watchers() == 0).await;
}

#[tokio::test]
async fn a_window_without_a_socket_is_told_what_is_wrong_with_its_requests() {
    let link = FrameLink::of(Arc::new(Fake::default()) as _);
    for bad in ["nonsense".to_owned(), " ".repeat(LONGEST + 1)] {
        link.ask(&bad).await;
        let told: Value = serde_json::from_slice(&link.next().await.unwrap()).unwrap();
        assert_eq!(told["failure"]["field"], "request", "{told}");
    }
}
