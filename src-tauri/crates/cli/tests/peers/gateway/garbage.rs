//! Whatever comes in at any of the ports has a clear answer or a closed socket, and what stands goes on.

use super::{
    Gateway, SOON,
    socket::{HELLO, Said, Socket, TEXT},
};
use sidetone_testkit::{CertificateOptions, Needs, TestAuthority, room};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

/// Sends, and gives what was said until the end; `None` where it does not end.
fn said_to(address: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // A server that has read enough closes.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
        _ => Some(said),
    }
}

/// An error, or nothing at all; by TLS an alert.
fn is_clear(said: &[u8]) -> bool {
    said.is_empty()
        || said.starts_with(&[0x15, 3])
        || said.starts_with(b"HTTP/1.1 4")
        || said.starts_with(b"HTTP/1.1 5")
}

fn binary(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..length).map(|_| random.u8(..)).collect()
}

fn requests(host: SocketAddr) -> Vec<(&'static str, Vec<u8>)> {
    let post = |headers: &str, body: &str| {
        format!("POST /rest-api/call/find HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n{body}").into_bytes()
    };
    let head = |line: &str, headers: &str| format!("{line}\r\nHost: {host}\r\n{headers}\r\n").into_bytes();
    vec![
        ("text", b"hello, is anybody there?\r\n\r\n".to_vec()),
        ("nothing", Vec::new()),
        ("binary", binary(8_192)),
        ("zeros", vec![0; 100_000]),
        ("a TLS hello", [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &binary(500)].concat()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("HTTP/0.9", b"GET /\r\n".to_vec()),
        ("a long path", head(&format!("GET /{} HTTP/1.1", "a".repeat(200_000)), "")),
        ("a long header", head("GET /rest-api/x HTTP/1.1", &format!("X: {}\r\n", "b".repeat(2_000_000)))),
        ("many headers", head("GET /rest-api/x HTTP/1.1", &"X: y\r\n".repeat(5_000))),
        ("a zero in a header", head("GET /rest-api/x HTTP/1.1", "X: a\0b\r\n")),
        ("a folded header", head("GET /rest-api/x HTTP/1.1", "X: a\r\n b\r\n")),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 40\r\n", "{}GET / HTTP/1.1\r\n\r\n")),
        ("a negative length", post("Content-Length: -1\r\n", "{}")),
        ("a large length", post("Content-Length: 99999999999999999999\r\n", "{}")),
        (
            "a length and chunks",
            post("Content-Length: 9\r\nTransfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
        ),
        ("bad chunks", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n")),
        (
            "an endless chunk",
            post("Transfer-Encoding: chunked\r\n", &format!("{:x}\r\n{}", u32::MAX, " ".repeat(1 << 20))),
        ),
        ("an unknown encoding", post("Transfer-Encoding: gzip, chunked, smell\r\n", "2\r\n{}\r\n0\r\n\r\n")),
        ("a broken body", post("Content-Length: 100\r\n", "{\"callId\":")),
        ("a large body", post("Content-Length: 3000000\r\n", &"[".repeat(3_000_000))),
        ("two hosts", head("GET /rest-api/x HTTP/1.1", "Host: evil.example\r\n")),
        ("another host", b"GET /rest-api/call/find HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec()),
        ("another authority", head("GET http://evil.example/rest-api/call/find HTTP/1.1", "")),
        ("a tunnel", head("CONNECT evil.example:443 HTTP/1.1", "")),
        ("a way out", head("GET /rest-api/../../../../etc/passwd HTTP/1.1", "")),
        ("an encoded way out", head("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", "")),
        ("a half upgrade", head("GET / HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\n")),
        (
            "an old upgrade",
            head(
                "GET / HTTP/1.1",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n",
            ),
        ),
        ("SIP", b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n".to_vec()),
    ]
}

#[test]
fn garbage_at_every_port_has_a_clear_answer_or_a_closed_socket() {
    let Some(room) = room!(Needs::tools(&[]).network().within(Duration::from_secs(150))) else { return };
    let authority = TestAuthority::new("test").unwrap();
    let own = authority.issue(&CertificateOptions::default()).unwrap();
    let file = |name: &str, text: &str| {
        let path = room.dir().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("own.pem", &own.certificate), file("own.key", &own.key));
    let tls = ["--wss-listen", "127.0.0.1:0", "--tls-certificate", &certificate, "--tls-key", &key];
    let gateway = Gateway::start(&room, &tls);
    let mut standing = Socket::session(gateway.ws);
    let ports = [gateway.http, gateway.ws, gateway.rest];
    // Slow ones, one a port, while the others have their turn.
    let slow = [gateway.http, gateway.ws, gateway.rest, gateway.wss.unwrap()].map(|address| {
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            stream.write_all(b"GET /rest-api/call/fi").unwrap();
            let mut said = Vec::new();
            let ended = stream.read_to_end(&mut said);
            (address, ended.map(|_| said).map_err(|error| error.kind()))
        })
    });
    for (name, bytes) in requests(gateway.rest) {
        for address in &ports {
            let host = gateway.rest.to_string();
            let bytes = String::from_utf8(bytes.clone())
                .map_or(bytes.clone(), |text| text.replace(&host, &address.to_string()).into_bytes());
            let said =
                said_to(*address, &bytes).unwrap_or_else(|| panic!("{name} at {address}: nothing came"));
            assert!(is_clear(&said), "{name} at {address}: {}", String::from_utf8_lossy(&said));
        }
        let said = said_to(gateway.wss.unwrap(), &bytes).unwrap_or_else(|| panic!("{name} by TLS"));
        // Who asks in the open is told that he does.
        assert!(is_clear(&said), "{name} by TLS: {said:?}");
        goes_on(&mut standing);
    }
    sip(gateway.sip);
    goes_on(&mut standing);
    sockets(gateway.ws);
    goes_on(&mut standing);
    for slow in slow {
        let (address, said) = slow.join().unwrap();
        match said {
            Ok(said) => assert!(is_clear(&said), "{address}: {}", String::from_utf8_lossy(&said)),
            Err(kind) => assert_eq!(kind, std::io::ErrorKind::ConnectionReset, "{address}"),
        }
    }
    goes_on(&mut standing);
    let _another = Socket::session(gateway.ws);
    let request = format!(
        "REGISTER sip:{0} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:a@{0}>;tag=1\r\n\
        To: <sip:a@{0}>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        gateway.sip
    );
    let mut stream = TcpStream::connect(gateway.sip).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = [0; 11];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"SIP/2.0 200");
}

fn sip(address: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for bytes in
        [&b""[..], b"hello\r\n\r\n", &binary(1_400), &vec![b'a'; 60_000], b"REGISTER sip:x SIP/2.0\r\n\r\n"]
    {
        socket.send_to(bytes, address).unwrap();
    }
    for bytes in [binary(10_000), b"REGISTER sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n".to_vec()] {
        let said = said_to(address, &bytes).expect("it is closed");
        assert!(said.is_empty() || said.starts_with(b"SIP/2.0 4"), "{}", String::from_utf8_lossy(&said));
    }
}

/// What is no message, before the session stands and in it.
fn sockets(address: SocketAddr) {
    let long = "x".repeat(3 << 20);
    let deep = "[".repeat(50_000);
    for (name, first, payload) in [
        ("binary", 0x82, &b"\0\x01\x02"[..]),
        ("no UTF-8", TEXT, b"\xff\xfe"),
        ("a reserved kind", 0x83, b"x"),
        ("a reserved bit", 0xc1, b"x"),
        ("a long ping", 0x89, &[b'x'; 200]),
        ("the rest of nothing", 0x80, b"x"),
        ("a long message", TEXT, long.as_bytes()),
    ] {
        for stands in [false, true] {
            let mut socket = if stands { Socket::session(address) } else { upgraded(address) };
            let _ = socket.frame(first, payload);
            println!("{name}, stands: {stands}: told why: {}", socket.is_told_why());
        }
    }
    for text in [
        "",
        "hello",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"message":1,"data":[]}"#,
        r#"{"message":"publishStream"}"#,
        r#"{"message":"publishStream","data":[7]}"#,
        r#"{"message":"publishStream","data":[{"mediaSessionId":{},"name":[],"sdp":7}]}"#,
        r#"{"message":"call","data":[{"callId":"k","callee":{},"sdp":[]}]}"#,
        r#"{"message":"nonsense","data":[{}]}"#,
        &deep,
    ] {
        let mut socket = Socket::session(address);
        socket.say(text);
        assert!(socket.is_told_why(), "{text:.60}");
        let mut socket = upgraded(address);
        socket.say(text);
        assert!(socket.is_told_why(), "{text:.60} as the first");
    }
    let hello = r#"{"message":"connection","data":[{"appKey":{},"sipLogin":{},"custom":7,"keepAlive":"x","sipPort":[]}]}"#;
    let mut socket = upgraded(address);
    socket.say(hello);
    assert!(socket.is_told_why());
    // A frame that is not masked, and one that never ends.
    for bytes in
        [&[TEXT, 2, b'{', b'}'][..], &[TEXT, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]]
    {
        let mut socket = Socket::session(address);
        socket.bytes(bytes).unwrap();
        println!("{bytes:?}: told why: {}", socket.is_told_why());
    }
    let mut socket = Socket::session(address);
    socket.say(HELLO);
    assert!(socket.is_told_why());
}

/// A session that had no part in it.
fn goes_on(standing: &mut Socket) {
    standing.say(r#"{"message":"ping","data":[null]}"#);
    loop {
        match standing.heard() {
            Said::Message(message) if message["message"] == "pong" => return,
            Said::Message(message) => assert_eq!(message["message"], "ping"),
            other => panic!("{other:?}"),
        }
    }
}

fn upgraded(address: SocketAddr) -> Socket {
    let mut socket = Socket::ask(address);
    assert_eq!(socket.upgraded(), 101);
    socket
}
