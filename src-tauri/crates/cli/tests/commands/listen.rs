//! `gateway` with listeners of its own and a file: what it prints, what it serves where, how it ends.

use crate::run::{Home, Running};
use serde_json::Value;
use sidetone_testkit::{CertificateOptions, TestAuthority};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];
/// `backend:open sesame`.
const SHOWN: &str = "Authorization: Basic YmFja2VuZDpvcGVuIHNlc2FtZQ==\r\n";

fn address(url: &Value) -> &str {
    url.as_str().unwrap().split("://").nth(1).unwrap().split('/').next().unwrap()
}

fn request(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{head}Host: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A session's socket, after its first answer.
fn session(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
    assert!(head.next().unwrap().unwrap().starts_with("HTTP/1.1 101 "));
    let hello = br#"{"message":"connection","data":[{"appKey":"defaultApp"}]}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(hello.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(hello);
    stream.write_all(&frame).unwrap();
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("getUserData") {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "it was closed: {}", String::from_utf8_lossy(&said));
        said.extend(&bytes[..length]);
    }
    stream
}

/// The code of the close frame that comes at the end.
fn close_code(stream: &mut TcpStream) -> u16 {
    let mut said = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        let length = stream.read(&mut bytes).unwrap();
        said.extend(&bytes[..length]);
        // Whatever precedes it is text.
        if let Some(at) = said.iter().position(|byte| *byte == 0x88)
            && let Some(code) = said.get(at + 2..at + 4)
        {
            return u16::from_be_bytes([code[0], code[1]]);
        }
        assert!(length > 0, "it ended without a word: {said:?}");
    }
}

fn start(home: &Home, arguments: &[&str]) -> (Running, Value) {
    let arguments = [&["gateway", "--json"][..], &SILENT, arguments].concat();
    let mut running = home.start_with(&arguments, &[("REST_PASSWORD", "open sesame")]);
    let first = running.until("its addresses", |line| line["login"].is_string());
    (running, first)
}

#[cfg(unix)]
#[test]
fn a_file_says_where_all_is_served_and_a_signal_ends_it_with_words_for_everybody() {
    let home = Home::new("listen");
    let authority = TestAuthority::new("test").unwrap();
    let own = authority.issue(&CertificateOptions::default()).unwrap();
    home.write("own.pem", &own.certificate);
    home.write("own.key", &own.key);
    let file = home.write(
        "gateway.toml",
        "[listen]\nhttp = \"127.0.0.1:0\"\nws = [\"127.0.0.1:0\", \"[::1]:0\"]\nwss = [\"127.0.0.1:0\"]\n\
         https = [\"127.0.0.1:0\"]\nrest = \"127.0.0.1:0\"\nsip = \"127.0.0.1:0\"\n\
         [tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\n\
         [rest]\nuser = \"backend\"\npassword-env = \"REST_PASSWORD\"\n[limits]\nsessions = 1\n",
    );
    let (gateway, first) = start(&home, &["--config", file.to_str().unwrap()]);
    let ws = first["ws"].as_array().unwrap();
    assert_eq!((ws.len(), first["wss"].as_array().unwrap().len()), (2, 1), "{first}");
    assert!(ws[1].as_str().unwrap().starts_with("ws://[::1]:"), "{first}");
    assert!(first["wss"][0].as_str().unwrap().starts_with("wss://127.0.0.1:"), "{first}");
    assert!(first["https"][0].as_str().unwrap().starts_with("https://127.0.0.1:"), "{first}");
    assert!(first["rest"].as_str().unwrap().starts_with("http://"), "{first}");
    assert!(first["rest"].as_str().unwrap().ends_with("/rest-api"), "{first}");
    assert!(first["sip"].as_str().unwrap().starts_with("127.0.0.1:"), "{first}");
    let (rest, http) = (address(&first["rest"]), address(&first["http"]));
    let find = "POST /rest-api/connection/find_all HTTP/1.1\r\n";
    assert!(request(rest, find, "").starts_with("HTTP/1.1 401 "));
    assert!(request(rest, &format!("{find}{SHOWN}"), "").starts_with("HTTP/1.1 404 "));
    assert!(request(http, "GET /healthz HTTP/1.1\r\n", "").starts_with("HTTP/1.1 200 "));
    assert!(!request(http, &format!("{find}{SHOWN}"), "").starts_with("HTTP/1.1 404 "));
    let mut socket = session(address(&ws[1]));
    let found = request(rest, &format!("{find}{SHOWN}"), "");
    assert!(found.starts_with("HTTP/1.1 200 ") && found.contains("\"sessionId\""), "{found}");
    let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert!(request(address(&ws[0]), upgrade, "").starts_with("HTTP/1.1 503 "));
    gateway.signal("-TERM");
    assert_eq!(close_code(&mut socket), 1001);
    assert_eq!(gateway.end().0, Some(0));
    assert!(TcpStream::connect(rest).is_err());
}

#[test]
fn without_flags_all_has_one_port_and_flags_win_over_the_file() {
    let home = Home::new("one-port");
    let (gateway, first) = start(&home, &[]);
    let http = address(&first["http"]);
    assert_eq!((address(&first["ws"][0]), address(&first["rest"])), (http, http), "{first}");
    assert_eq!(first["wss"], Value::Array(Vec::new()));
    assert!(request(http, "GET /rest-api/stream/find_all HTTP/1.1\r\n", "").starts_with("HTTP/1.1 404 "));
    assert!(request(http, "GET /rest-api/openapi.json HTTP/1.1\r\n", "").contains("\"openapi\": \"3.1.0\""));
    session(http);
    drop(gateway);
    // Nobody has the address of the file, so that only the flag can be had.
    let file = home.write("file.toml", "[listen]\nrest = \"192.0.2.1:1\"\n[rest]\nuser = \"nobody\"\n");
    let config = ["--config", file.to_str().unwrap()];
    let flags =
        ["--rest-listen", "127.0.0.1:0", "--rest-user", "backend", "--rest-password-env", "REST_PASSWORD"];
    let (_gateway, first) = start(&home, &[&config[..], &flags].concat());
    let find = format!("GET /rest-api/stream/find_all HTTP/1.1\r\n{SHOWN}");
    assert!(request(address(&first["rest"]), &find, "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn each_address_is_a_line_of_its_own() {
    let home = Home::new("lines");
    let arguments = [&["gateway", "--ws-listen", "127.0.0.1:0,127.0.0.1:0"][..], &SILENT].concat();
    let mut child = home.command(&arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("open ")).collect();
    let _ = child.kill();
    let _ = child.wait();
    let listening: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("listening ")).collect();
    let names: Vec<_> = listening.iter().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(names, ["http", "ws", "ws", "rest", "sip"], "{lines:#?}");
    let begins =
        ["http://127.0.0.1:", "ws://127.0.0.1:", "ws://127.0.0.1:", "http://127.0.0.1:", "sip:127.0.0.1:"];
    for (line, begin) in listening.iter().zip(begins) {
        assert!(line.split_once(' ').unwrap().1.starts_with(begin), "{lines:#?}");
    }
}

#[test]
fn what_is_wrong_is_named_before_anything_is_opened() {
    let home = Home::new("wrong");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = |name: &str, text: &str| home.write(name, text).to_str().unwrap().to_owned();
    let unknown = file("unknown.toml", "[listen]\nhttp = \"127.0.0.1:0\"\n\n[rest]\nusr = \"x\"\n");
    let kind = file("kind.toml", "[listen]\nhttp = \"somewhere\"\n");
    let no_key = file("no-key.toml", "[tls]\ncertificate = \"nothing.pem\"\nkey = \"nothing.key\"\n");
    let no_env = file("no-env.toml", "[sip.users]\nalice = \"NOT_SET_ANYWHERE\"\n");
    let limits = file("limits.toml", "[limits]\nsessions = 0\n");
    let advertise = file("advertise.toml", "[media]\nadvertise = [\"203.0.113.7\", \"::1\"]\n");
    let name = file("name.toml", "[media]\nadvertise = [\"gateway.example\"]\n");
    let kbit = file("kbit.toml", "[limits]\nsession-kbit = 99\n");
    let in_the_open =
        file("open.toml", "[listen]\nrest = \"0.0.0.0:0\"\n[rest]\nuser = \"a\"\npassword-env = \"PATH\"\n");
    let busy = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let busy_port = busy.local_addr().unwrap().port().to_string();
    let hooks = file("hooks.toml", "[hooks]\nurl = \"ftp://x\"\n");
    for (arguments, code, words) in [
        (&["--config", &unknown][..], 1, &["unknown.toml", "line 5", "`usr`"][..]),
        (&["--config", &kind], 1, &["line 2", "http"]),
        (&["--config", "there-is-none.toml"], 1, &["there-is-none.toml"]),
        (&["--config", &no_key], 1, &["tls-certificate", "nothing.pem"]),
        (&["--config", &no_env], 1, &["sip.users.alice", "NOT_SET_ANYWHERE"]),
        (&["--config", &limits], 1, &["limits.sessions"]),
        (&["--config", &hooks], 1, &["hooks.url"]),
        (&["--config", &advertise], 1, &["advertise: ::1"]),
        (&["--config", &name], 1, &["advertise", "line 2"]),
        (&["--advertise", "0.0.0.0"], 1, &["advertise: 0.0.0.0"]),
        (&["--config", &kbit], 1, &["limits.session-kbit", "100"]),
        (&["--config", &in_the_open], 1, &["rest-listen", "rest-tls"]),
        (&["--rest-listen", "127.0.0.1:0", "--rest-tls"], 1, &["rest-tls", "certificate"]),
        (&["--https-listen", "127.0.0.1:0"], 1, &["https-listen", "certificate"]),
        (&["--udp-port", &busy_port], 2, &["UDP port", &busy_port]),
        (&["--wss-listen", "127.0.0.1:0"], 1, &["wss-listen", "certificate"]),
        (&["--rest-listen", "0.0.0.0:0"], 1, &["rest-listen", "user"]),
        (&["--rest-user", "x"], 1, &["rest-password-env"]),
        (&["--tls-key", "x"], 1, &["tls-certificate"]),
        (&["--ws-listen", "nowhere"], 1, &["--ws-listen"]),
        (&["--origin", "app.example"], 1, &["origins"]),
        (&["--http-listen", &taken], 2, &["http-listen", &taken]),
        (&["--sip-listen", "192.0.2.1:5060"], 2, &["sip-listen", "192.0.2.1:5060"]),
    ] {
        let ended = home.run(&[&["gateway"][..], &SILENT, arguments].concat(), b"");
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{arguments:?} {word}: {ended:?}");
        }
        assert!(!ended.stdout.contains("listening"), "{ended:?}");
    }
}
