//! The REST API of a gateway that runs: calls, streams and sessions for real.

use super::{
    super::streams::publish,
    Gateway, SOON,
    socket::{Said, Socket},
};
use serde_json::{Value, json};
use sidetone_testkit::{Needs, room};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

fn needs(tools: &[&'static str]) -> Needs {
    Needs::tools(tools).network().within(Duration::from_secs(150))
}

/// The status, and what is in the body.
pub(crate) fn ask(rest: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(rest).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let body = body.to_string();
    write!(
        stream,
        "POST /rest-api{path} HTTP/1.1\r\nHost: {rest}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

impl Gateway {
    fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        ask(self.rest, path, body)
    }

    /// Asks until the status is this.
    fn until(&self, path: &str, body: &Value, status: u16) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let (now, answer) = self.ask(path, body);
            if now == status {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} {body}: {now} {answer}");
        }
    }
}

/// The next message of this name.
fn message(socket: &mut Socket, name: &str) -> Value {
    loop {
        match socket.heard() {
            Said::Message(message) if message["message"] == name => return message["data"].clone(),
            Said::Message(_) => {}
            other => panic!("{name} did not come: {other:?}"),
        }
    }
}

#[test]
fn a_program_calls_speaks_presses_keys_and_hangs_up() {
    let Some(room) = room!(needs(&[])) else { return };
    let sounds = room.dir().join("sounds");
    std::fs::create_dir(&sounds).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(sounds.join("hello.wav"), spec).unwrap();
    (0..8_000).for_each(|n| wav.write_sample(if n % 20 < 10 { 8_000_i16 } else { -8_000 }).unwrap());
    wav.finalize().unwrap();
    let gateway = Gateway::start(&room, &["--sounds", sounds.to_str().unwrap()]);
    let call = json!({ "callId": "k1", "callee": "tone", "sipLogin": "robot", "sipDomain": gateway.sip.to_string(),
        "toStream": "hotline" });
    assert_eq!(gateway.ask("/call/startup", &call).0, 200);
    assert_eq!(gateway.ask("/call/startup", &call).0, 409);
    let found = gateway.until("/call/find", &json!({ "callId": "k1", "status": "ESTABLISHED" }), 200);
    assert_eq!(found[0]["callee"], "tone", "{found}");
    let heard = json!({ "name": "hotline", "status": "PUBLISHING" });
    let stream = gateway.until("/stream/find", &heard, 200);
    assert_eq!(
        (&stream[0]["hasAudio"], &stream[0]["audioCodec"]),
        (&json!(true), &json!("opus")),
        "{stream}"
    );
    let sound =
        |file: &str| gateway.ask("/call/inject_sound", &json!({ "callId": "k1", "fileName": file })).0;
    assert_eq!((sound("hello.wav"), sound("none.wav"), sound("../hello.wav")), (200, 404, 400));
    let keys = json!({ "callId": "k1", "dtmf": "1#", "type": "RFC2833" });
    assert_eq!(gateway.ask("/call/send_dtmf", &keys).0, 200);
    assert_eq!(gateway.ask("/call/terminate", &json!({ "callId": "k1" })).0, 200);
    gateway.until("/call/find_all", &json!({}), 404);
    gateway.until("/stream/find_all", &json!({}), 404);
    gateway.until("/connection/find_all", &json!({}), 404);
    assert_eq!(gateway.ask("/call/terminate", &json!({ "callId": "k1" })).0, 404);
}

#[test]
fn data_and_events_reach_sessions_and_a_session_that_is_ended_is_told() {
    let Some(room) = room!(needs(&[])) else { return };
    let gateway = Gateway::start(&room, &[]);
    let mut socket = Socket::session(gateway.ws);
    let found = gateway.until("/connection/find_all", &json!({}), 200);
    let session = found[0]["sessionId"].clone();
    assert_eq!((found[0]["appKey"].as_str(), found[0].get("authToken")), (Some("defaultApp"), None));
    let data = json!({ "sessionId": session, "operationId": "o1", "payload": { "a": [1] } });
    assert_eq!(gateway.ask("/data/send", &data).0, 200);
    let told = message(&mut socket, "OnDataEvent");
    assert_eq!(told[0], json!({ "operationId": "o1", "payload": { "a": [1] } }));
    assert_eq!(gateway.ask("/data/send", &json!({ "sessionId": "nobody", "payload": 1 })).0, 404);
    socket.publish("m1", "cam");
    message(&mut socket, "setRemoteSDP");
    let event = json!({ "streamName": "cam", "payload": { "b": 2 } });
    assert_eq!(gateway.ask("/stream/event/send", &event).0, 200);
    let told = message(&mut socket, "notifyStreamEvent");
    assert_eq!(told[0], json!({ "mediaSessionId": "m1", "type": "data", "payload": { "b": 2 } }));
    let log = json!({ "sessionId": session, "logLevel": "DEBUG" });
    assert_eq!(gateway.ask("/connection/set_log_level", &log).0, 200);
    assert_eq!(gateway.ask("/connection/terminate", &json!({ "sessionId": session })).0, 200);
    while let Said::Message(_) = socket.heard() {}
    assert_eq!(gateway.ask("/connection/terminate", &json!({ "sessionId": session })).0, 404);
}

#[test]
fn a_stream_is_found_pictured_and_ended() {
    let Some(room) = room!(needs(&[])) else { return };
    let gateway = Gateway::start(&room, &[]);
    let _publisher = publish(&room, "tv", &["--mic", "tone"]);
    let found = gateway.until("/stream/find", &json!({ "name": "tv", "status": "PUBLISHING" }), 200);
    assert_eq!((&found[0]["published"], &found[0]["audioCodec"]), (&json!(true), &json!("opus")), "{found}");
    let (status, picture) = gateway.ask("/stream/snapshot", &json!({ "streamName": "tv" }));
    assert!(
        status == 200 && picture["data"].as_str().unwrap().starts_with("iVBORw0KGgo"),
        "{status} {picture}"
    );
    assert_eq!(gateway.ask("/stream/snapshot", &json!({ "streamName": "none" })).0, 404);
    let this = json!({ "mediaSessionId": found[0]["mediaSessionId"] });
    assert_eq!(gateway.ask("/stream/terminate", &json!({ "mediaSessionIds": ["none"] })).0, 404);
    assert_eq!(gateway.ask("/stream/terminate", &this).0, 200);
    gateway.until("/stream/find", &this, 404);
    assert_eq!(gateway.ask("/stream/terminate", &this).0, 404);
}

#[test]
fn every_address_of_the_machine_is_told_with_one_port() {
    let Some(room) = room!(needs(&["ip"])) else { return };
    for address in ["198.51.100.7/32", "198.51.100.8/32", "2001:db8::7/128"] {
        let status = Command::new("ip").args(["address", "add", address, "dev", "lo"]).status().unwrap();
        assert!(status.success(), "{address}");
    }
    let gateway = Gateway::start(&room, &[]);
    let mut socket = Socket::session(gateway.ws);
    socket.publish("m1", "cam");
    let answer = message(&mut socket, "setRemoteSDP");
    let candidates: Vec<_> =
        answer[1].as_str().unwrap().lines().filter(|line| line.starts_with("a=candidate:")).collect();
    let place = |line: &str| {
        let mut words = line.split(' ').skip(4);
        (words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
    };
    let places: Vec<_> = candidates.iter().map(|line| place(line)).collect();
    for address in ["127.0.0.1", "198.51.100.7", "198.51.100.8", "2001:db8::7"] {
        assert!(places.iter().any(|(ip, _)| ip == address), "{address}: {candidates:#?}");
    }
    assert!(places.iter().all(|(_, port)| *port == places[0].1), "{candidates:#?}");
}
