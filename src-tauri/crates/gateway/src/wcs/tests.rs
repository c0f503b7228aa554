//! The socket over real connections, with a fake of the engine behind it.

use crate::{
    Running,
    tests::{fake::Fake, gateway},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sidetone_engine::{ClientAsk, ClientNews};
use std::time::{Duration, Instant};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

const SOON: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(running: &Running, path: &str, origin: Option<&str>) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{}{path}", running.address()).into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn say(socket: &mut Socket, message: &str, object: Value) {
    let text = json!({ "message": message, "data": [object] }).to_string();
    socket.send(Message::text(text)).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Message {
    timeout(SOON, socket.next()).await.expect("in time").expect("it is open").unwrap()
}

async fn told(socket: &mut Socket) -> Value {
    match hear(socket).await {
        Message::Text(text) => serde_json::from_str(text.as_str()).unwrap(),
        other => panic!("{other:?} is no text"),
    }
}

async fn closed(socket: &mut Socket) -> CloseFrame {
    loop {
        if let Message::Close(Some(frame)) = hear(socket).await {
            return frame;
        }
    }
}

async fn session(running: &Running) -> Socket {
    let mut socket = open(running, "/", None).await.unwrap();
    say(&mut socket, "connection", json!({ "appKey": "defaultApp", "sipLogin": "1001" })).await;
    assert_eq!(told(&mut socket).await["message"], "getUserData");
    socket
}

async fn asked(fake: &Fake) -> ClientAsk {
    timeout(SOON, async {
        loop {
            if let Some(ask) = fake.asks.lock().unwrap().pop() {
                return ask;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it was asked")
}

#[tokio::test]
async fn a_session_begins_at_any_path_with_the_first_message() {
    let (running, fake) = gateway().await;
    for path in ["/", "/websocket", "/any/path?x=1"] {
        let mut socket = open(&running, path, Some("http://localhost:3000")).await.unwrap();
        say(&mut socket, "pushLogs", json!({ "logs": "before\n" })).await;
        say(&mut socket, "connection", json!({ "appKey": "a", "authToken": "t0", "keepAlive": true })).await;
        let answer = told(&mut socket).await;
        let wanted = json!({ "message": "getUserData", "data": [{ "authToken": "t1", "sipLogin": "1001" }] });
        assert_eq!(answer, wanted, "{path}");
    }
    let opening = fake.openings.lock().unwrap().pop().unwrap();
    assert_eq!((opening.app_key.as_str(), opening.auth_token.as_deref()), ("a", Some("t0")));
    assert!(opening.keep_alive && opening.remote.ip().is_loopback() && opening.remote != opening.local);
    assert_eq!(opening.origin.as_deref(), Some("http://localhost:3000"));
}

#[tokio::test]
async fn a_page_from_elsewhere_is_not_let_in() {
    let (running, _) = gateway().await;
    for origin in ["https://example.org", "null", "http://127.0.0.1.example.org"] {
        match open(&running, "/", Some(origin)).await {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status().as_u16(), 403, "{origin}"),
            other => panic!("{origin}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refused_session_is_told_why_and_closed() {
    let (running, _) = gateway().await;
    let mut socket = open(&running, "/", None).await.unwrap();
    say(&mut socket, "connection", json!({ "appKey": "refused" })).await;
    let fail = told(&mut socket).await;
    let wanted = json!({ "status": "FAILED", "info": "Forbidden", "apiMethod": "ConnectionStatusEvent" });
    assert_eq!((fail["message"].as_str(), &fail["data"][0]), (Some("fail"), &wanted));
    closed(&mut socket).await;
}

/// A first message, of which what its page says for its backend has so many bytes, and a hundred times as many in memory.
fn many_values(bytes: usize) -> String {
    let custom = vec![r#"{"":0}"#; bytes / 7].join(",");
    format!(r#"{{"message":"connection","data":[{{"appKey":"a","custom":[{custom}]}}]}}"#)
}

#[tokio::test]
async fn whoever_does_not_begin_with_a_connection_is_told_so_and_closed() {
    let (running, fake) = gateway().await;
    for (garbage, word) in [
        (Message::text("GET / HTTP/1.1"), "JSON"),
        (Message::text("{}"), "message"),
        (Message::text(r#"{"message":"publishStream","data":[{}]}"#), "Session not ready"),
        (Message::binary(vec![0; 100]), "text"),
        (Message::text("[".repeat(60_000)), "JSON"),
        (Message::text("[".repeat(200_000)), "mostly text"),
        (Message::text(many_values(70_000)), "mostly text"),
    ] {
        let mut socket = open(&running, "/", None).await.unwrap();
        socket.send(garbage).await.unwrap();
        let fail = told(&mut socket).await;
        let info = fail["data"][0]["info"].as_str().unwrap_or_default();
        assert!(fail["message"] == "fail" && info.contains(word), "{fail}");
        closed(&mut socket).await;
    }
    assert!(fake.openings.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_asked_reaches_the_engine_and_what_it_tells_the_client() {
    let (running, fake) = gateway().await;
    let mut socket = session(&running).await;
    let stream = json!({ "mediaSessionId": "m1", "name": "s1", "sdp": "v=0", "mediaProvider": "WebRTC" });
    say(&mut socket, "publishStream", stream).await;
    let ClientAsk::Publish(stream) = asked(&fake).await else { panic!("it is another one") };
    assert_eq!((stream.id.as_str(), stream.sdp.as_str()), ("m1", "v=0"));
    say(&mut socket, "pauseStream", json!({ "mediaSessionId": "m1" })).await;
    assert!(matches!(asked(&fake).await, ClientAsk::Pause { id } if id == "m1"));
    let news = fake.news.lock().unwrap()[0].clone();
    news.send(ClientNews::Description { id: "m1".into(), sdp: "v=0".into(), is_answer: true }).await.unwrap();
    news.send(ClientNews::VideoRate { id: "m1".into(), inbound: true, bits: 800 }).await.unwrap();
    assert_eq!(told(&mut socket).await, json!({ "message": "setRemoteSDP", "data": ["m1", "v=0", true] }));
    let rate =
        json!({ "message": "inboundVideoRate", "data": [{ "mediaSessionId": "m1", "videoRate": 800 }] });
    assert_eq!(told(&mut socket).await, rate);
}

#[tokio::test]
async fn garbage_in_a_session_is_told_and_does_no_more() {
    let (running, fake) = gateway().await;
    let mut socket = session(&running).await;
    for garbage in
        ["", "{", "[]", r#"{"message":"stopStream","data":[7]}"#, r#"{"message":"x\u0000","data":[{}]}"#]
    {
        socket.send(Message::text(garbage)).await.unwrap();
        assert_eq!(told(&mut socket).await["message"], "fail", "{garbage}");
    }
    say(&mut socket, "ping", Value::Null).await;
    assert_eq!(told(&mut socket).await, json!({ "message": "pong", "data": [] }));
    assert!(fake.asks.lock().unwrap().is_empty());
}

#[tokio::test]
async fn many_values_in_a_long_message_close_it() {
    let (running, _) = gateway().await;
    let mut socket = session(&running).await;
    say(&mut socket, "sendData", json!(vec![1; 60_000])).await;
    assert_eq!(u16::from(closed(&mut socket).await.code), 1009);
    let mut socket = session(&running).await;
    let _ = socket.send(Message::text("x".repeat(300_000))).await;
    assert_eq!(u16::from(closed(&mut socket).await.code), 1002);
}

/// At most so much less than the time that a client is kept waiting for what it says above its burst.
const NEARLY: f64 = 0.95;

#[tokio::test]
async fn a_client_that_floods_is_slowed_down_and_loses_nothing() {
    let (running, fake) = gateway().await;
    let mut socket = session(&running).await;
    let begun = Instant::now();
    for _ in 0..2_500 {
        say(&mut socket, "pushLogs", json!({ "logs": "a line\n" })).await;
    }
    say(&mut socket, "ping", Value::Null).await;
    assert_eq!(told(&mut socket).await["message"], "pong");
    // 500 above the burst of 2,000, and 500 a second.
    assert!(begun.elapsed().as_secs_f64() >= NEARLY, "{:?}", begun.elapsed());
    let begun = Instant::now();
    for n in 0..250 {
        say(&mut socket, "stopStream", json!({ "mediaSessionId": n })).await;
    }
    say(&mut socket, "ping", Value::Null).await;
    assert_eq!(told(&mut socket).await["message"], "pong");
    // 51 above the burst of 200, and 50 a second.
    assert!(begun.elapsed().as_secs_f64() >= NEARLY, "{:?}", begun.elapsed());
    let asks = fake.asks.lock().unwrap();
    let lines = asks.iter().filter_map(|ask| match ask {
        ClientAsk::PushLogs { logs, left_out } => Some(logs.lines().count() + *left_out as usize),
        _ => None,
    });
    // A batch a second, and nothing of it uncounted.
    let lines: Vec<_> = lines.collect();
    assert!(lines.iter().sum::<usize>() <= 2_500 && (1..10).contains(&lines.len()), "{lines:?}");
    assert_eq!(asks.len() - lines.len(), 250);
}

#[tokio::test]
async fn long_messages_count_by_their_bytes() {
    let (running, fake) = gateway().await;
    let long = "x".repeat(60_000);
    let mut socket = session(&running).await;
    let begun = Instant::now();
    for _ in 0..17 {
        let data = json!({ "operationId": "1", "payload": long });
        say(&mut socket, "sendData", data).await;
    }
    say(&mut socket, "ping", Value::Null).await;
    assert_eq!(told(&mut socket).await["message"], "pong");
    // Each for 15.
    assert!(begun.elapsed().as_secs_f64() >= NEARLY, "{:?}", begun.elapsed());
    assert_eq!(fake.asks.lock().unwrap().len(), 17);
    let begun = Instant::now();
    for _ in 0..167 {
        say(&mut socket, "pushLogs", json!({ "logs": long })).await;
    }
    say(&mut socket, "ping", Value::Null).await;
    assert_eq!(told(&mut socket).await["message"], "pong");
    assert!(begun.elapsed().as_secs_f64() >= NEARLY, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn whoever_reads_is_told_all_that_comes_at_once() {
    const ALL: usize = 400;
    let (running, fake) = gateway().await;
    let mut socket = session(&running).await;
    let news = fake.news.lock().unwrap()[0].clone();
    let (told_all, body) = (tokio::sync::Semaphore::new(0), "x".repeat(64 * 1024));
    let telling = async {
        for n in 0..ALL {
            let news_of_it = ClientNews::Data { operation_id: n.to_string(), payload: json!(body).into() };
            if n == ALL / 2 {
                told_all.add_permits(1);
            }
            news.send(news_of_it).await.expect("it is not closed");
        }
    };
    let reading = async {
        // More has come by now than a queue and the buffers of the system hold, or the writer waits.
        let _ = timeout(Duration::from_secs(1), told_all.acquire()).await;
        for n in 0..ALL {
            assert_eq!(told(&mut socket).await["data"][0]["operationId"], n.to_string());
        }
    };
    tokio::join!(telling, reading);
}

#[tokio::test]
async fn the_engine_hears_of_the_end_and_ends_sessions() {
    let (running, fake) = gateway().await;
    let socket = session(&running).await;
    let news = fake.news.lock().unwrap().pop().unwrap();
    drop(socket);
    timeout(SOON, news.closed()).await.expect("nobody reads any more");
    let mut socket = session(&running).await;
    fake.news.lock().unwrap().clear();
    assert_eq!(u16::from(closed(&mut socket).await.code), 1001);
    let mut socket = session(&running).await;
    running.stop().await;
    assert_eq!(u16::from(closed(&mut socket).await.code), 1001);
}

#[tokio::test]
async fn the_sockets_of_our_own_pages_stay_theirs() {
    let (running, fake) = gateway().await;
    for path in ["/ui/socket", "/frames"] {
        let refused = open(&running, path, Some(&format!("http://{}", running.address()))).await;
        assert!(matches!(refused, Err(tungstenite::Error::Http(answer)) if answer.status().as_u16() == 401));
    }
    assert!(fake.openings.lock().unwrap().is_empty());
}
