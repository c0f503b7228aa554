use super::{fake::Fake, gateway, http, log_in};
use crate::{Running, close_code, socket::MAX_COMMAND, socket::MAX_IMPORT, socket::MAX_SOCKETS};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sidetone_api::{CallId, CallStatistics, Command, Event, NoticeLevel};
use sidetone_engine::Next;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

type Client = WebSocketStream<TcpStream>;

async fn open(running: &Running, cookie: Option<&str>, origin: Option<&str>) -> Result<Client, u16> {
    let address = running.address();
    let mut request = format!("ws://{address}/ui/socket").into_client_request().unwrap();
    let own = format!("http://{address}");
    for (name, value) in
        [("Cookie", cookie), ("Origin", origin.map(|text| if text == "own" { &own } else { text }))]
    {
        if let Some(value) = value {
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    let stream = TcpStream::connect(address).await.unwrap();
    match client_async(request, stream).await {
        Ok((client, _)) => Ok(client),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// A client that has had its snapshot.
async fn client() -> (Running, Arc<Fake>, Client) {
    let (running, fake) = gateway().await;
    let cookie = log_in(&running).await;
    let mut client = open(&running, Some(&cookie), Some("own")).await.unwrap();
    let first = next(&mut client).await;
    assert_eq!(first["snapshot"]["seq"], 7, "{first}");
    (running, fake, client)
}

async fn next(client: &mut Client) -> Value {
    match timeout(Duration::from_secs(5), client.next()).await.expect("nothing came").unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Reads to the end: how many texts there were, and how it was closed.
async fn closed(client: &mut Client) -> (Vec<String>, u16, String) {
    let mut texts = Vec::new();
    loop {
        match timeout(Duration::from_secs(5), client.next()).await.expect("not closed") {
            Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
            Some(Ok(Message::Close(Some(frame)))) => {
                return (texts, frame.code.into(), frame.reason.to_string());
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?} after {} texts", texts.len()),
        }
    }
}

async fn ask(client: &mut Client, text: &str) -> Value {
    client.send(Message::text(text)).await.unwrap();
    next(client).await
}

fn notice(info: &str) -> Event {
    Event::Notice { level: NoticeLevel::Info, info: info.into(), call_id: None }
}

#[tokio::test]
async fn a_client_gets_the_snapshot_the_events_after_it_and_the_answers_to_its_commands() {
    let (_running, fake, mut client) = client().await;
    fake.publish(8, notice("hello"));
    let event = next(&mut client).await;
    assert_eq!(
        (&event["seq"], &event["event"], &event["info"]),
        (&json!(8), &json!("Notice"), &json!("hello"))
    );
    let reply = ask(&mut client, r#"{"id":1,"command":{"command":"call","callee":"echo"}}"#).await;
    assert_eq!(reply, json!({"id": 1, "reply": {"reply": "call", "callId": "c1"}}));
    let failure = ask(&mut client, r#"{"id":2,"command":{"command":"answer","callId":"c9"}}"#).await;
    assert_eq!((&failure["id"], &failure["failure"]["code"]), (&json!(2), &json!("notFound")));
    assert_eq!(fake.commands.lock().unwrap()[0], Command::call("echo", None));
}

#[tokio::test]
async fn a_bad_command_is_answered_by_name_and_the_socket_stays_open() {
    let (_running, _fake, mut client) = client().await;
    for (text, id, field) in [
        ("nonsense", Value::Null, "request"),
        (r#"{"id":1,"command":{"command":"explode"}}"#, json!(1), "command"),
        (r#"{"id":2,"command":{"command":"call","calee":"echo"}}"#, json!(2), "calee"),
        (r#"{"id":3}"#, json!(3), "command"),
    ] {
        let answer = ask(&mut client, text).await;
        assert_eq!((&answer["id"], &answer["failure"]["field"]), (&id, &json!(field)), "{answer}");
    }
    assert_eq!(
        ask(&mut client, r#"{"id":9,"command":{"command":"testSpeaker"}}"#).await["reply"]["reply"],
        "done"
    );
}

#[tokio::test]
async fn a_socket_wants_the_cookie_and_the_origin_of_our_own_pages() {
    let (running, _) = gateway().await;
    let cookie = log_in(&running).await;
    assert_eq!(open(&running, None, Some("own")).await.err(), Some(401));
    assert_eq!(open(&running, Some("sidetone-1=2"), Some("own")).await.err(), Some(401));
    for origin in [
        None,
        Some("http://evil.example"),
        Some("null"),
        Some("http://127.0.0.1:1"),
        Some("http://localhost"),
    ] {
        assert_eq!(open(&running, Some(&cookie), origin).await.err(), Some(403), "{origin:?}");
    }
    let origin = format!("Origin: http://{}", running.address());
    let plain = http::get(running.address(), "/ui/socket", &[&origin, &format!("Cookie: {cookie}")]).await;
    assert!(plain.status == 400 || plain.status == 426, "{plain:?}");
    assert!(open(&running, Some(&cookie), Some("own")).await.is_ok());
}

#[tokio::test]
async fn a_flood_is_closed_with_its_reason() {
    let (_running, fake, mut client) = client().await;
    for _ in 0..200 {
        client.feed(Message::text(r#"{"command":"testSpeaker"}"#)).await.unwrap();
    }
    client.flush().await.unwrap();
    let (_, code, reason) = closed(&mut client).await;
    assert_eq!(code, close_code::FLOOD);
    assert!(reason.contains("50"), "{reason}");
    let carried_out = fake.commands.lock().unwrap().len();
    assert!((100..150).contains(&carried_out), "{carried_out}");
}

#[tokio::test]
async fn an_oversize_command_is_closed_with_its_reason() {
    for size in [MAX_COMMAND + 1, 700_000] {
        let (_running, _fake, mut client) = client().await;
        client.send(Message::text("x".repeat(size))).await.unwrap();
        assert_eq!(closed(&mut client).await.1, close_code::TOO_BIG);
    }
    let (_running, _fake, mut client) = client().await;
    let answer = ask(&mut client, &"x".repeat(MAX_COMMAND)).await;
    assert_eq!(answer["failure"]["field"], "request");
}

#[tokio::test]
async fn a_file_of_ten_mebibytes_is_imported_and_nothing_else_may_be_as_long() {
    let (_running, fake, mut client) = client().await;
    // Twelve bytes a line: many line ends for their length.
    let vcard = "N:Müller;\"x\r\n".repeat(10 * 1024 * 1024 / 14);
    let import =
        |vcard: &str| json!({"id": 1, "command": {"command": "importContacts", "vcard": vcard}}).to_string();
    assert!(import(&vcard).len() > 10 * 1024 * 1024);
    client.send(Message::text(import(&vcard))).await.unwrap();
    let answer = next(&mut client).await;
    assert_eq!((&answer["id"], &answer["reply"]["reply"]), (&json!(1), &json!("done")), "{answer}");
    assert_eq!(fake.commands.lock().unwrap().last(), Some(&Command::ImportContacts { vcard }));

    let long = "x".repeat(2 * MAX_COMMAND);
    let others = [
        json!({"command": "call", "callee": long}).to_string(),
        json!({"command": "importContacts", "vcard": "", "x": vec![1; 2 * MAX_COMMAND]}).to_string(),
        format!(r#"{{"command":"importContacts","vcard":"{long}"#),
    ];
    for text in others {
        let (_running, _fake, mut client) = self::client().await;
        client.send(Message::text(text)).await.unwrap();
        assert_eq!(closed(&mut client).await.1, close_code::TOO_BIG);
    }
}

#[tokio::test]
async fn a_frame_beyond_all_reason_ends_the_socket_and_a_binary_one_too() {
    let (_running, fake, mut client) = client().await;
    let before = fake.readers();
    let _ = client.send(Message::text("x".repeat(MAX_IMPORT + 1))).await;
    while let Some(Ok(_)) = client.next().await {}
    assert_eq!(fake.readers(), before - 1);
    let (_running, _fake, mut client) = self::client().await;
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(closed(&mut client).await.1, close_code::NOT_TEXT);
}

#[tokio::test]
async fn a_reader_that_is_too_slow_loses_measurements_first_and_is_then_closed_with_a_reason() {
    let (_running, fake, mut client) = client().await;
    let measured =
        || Event::CallMeasured { call_id: CallId::new("c1"), statistics: CallStatistics::default() };
    let text = "x".repeat(60_000);
    let before = fake.readers();
    let mut seq = 8;
    // Nothing is read here until the server has given up on this client: first the system's buffers fill, then ours.
    while fake.readers() == before {
        fake.publish(seq, notice(&text));
        fake.publish(seq + 1, measured());
        seq += 2;
        tokio::task::yield_now().await;
        assert!(seq < 4_000, "never too slow");
    }
    let (texts, code, reason) = closed(&mut client).await;
    assert_eq!(code, close_code::TOO_SLOW, "{reason}");
    let kept = |name: &str| texts.iter().filter(|text| text.contains(name)).count();
    assert!(kept("CallMeasured") <= kept("Notice"), "{} {}", kept("CallMeasured"), kept("Notice"));
}

#[tokio::test]
async fn a_lagging_engine_queue_closes_the_socket_and_a_new_one_begins_with_a_snapshot() {
    let (running, fake, mut client) = client().await;
    fake.send(&Next::Lagged);
    assert_eq!(closed(&mut client).await.1, close_code::TOO_SLOW);
    let cookie = log_in(&running).await;
    let mut again = open(&running, Some(&cookie), Some("own")).await.unwrap();
    assert!(next(&mut again).await["snapshot"].is_object());
}

#[tokio::test]
async fn the_end_of_the_engine_and_of_the_gateway_are_told() {
    let (_running, fake, mut client) = client().await;
    fake.end();
    assert_eq!(closed(&mut client).await.1, close_code::GOING_AWAY);
    let (running, _fake, mut client) = self::client().await;
    let (stopped, (_, code, reason)) = tokio::join!(running.stop(), closed(&mut client));
    assert_eq!(((), code), (stopped, close_code::GOING_AWAY), "{reason}");
}

#[tokio::test]
async fn the_number_of_sockets_is_bounded() {
    let (running, _) = gateway().await;
    let cookie = log_in(&running).await;
    let mut clients = Vec::new();
    for _ in 0..MAX_SOCKETS {
        let mut client = open(&running, Some(&cookie), Some("own")).await.unwrap();
        next(&mut client).await;
        clients.push(client);
    }
    assert_eq!(open(&running, Some(&cookie), Some("own")).await.err(), Some(503));
    clients.pop().unwrap().close(None).await.unwrap();
    let again = timeout(Duration::from_secs(5), async {
        while open(&running, Some(&cookie), Some("own")).await.is_err() {}
    });
    again.await.expect("the place was not given back");
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let (_running, _fake, mut client) = client().await;
    // The client's side answers pings only while it is read, so time runs on alone.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(20)).await;
    tokio::time::resume();
    let message = timeout(Duration::from_secs(5), client.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(message, Message::Ping(_)), "{message:?}");
}
