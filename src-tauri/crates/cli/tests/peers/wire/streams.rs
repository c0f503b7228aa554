//! SIP over TCP: RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1. A bad connection harms nobody but itself.

use super::{
    PHONE, SOON, alice,
    peer::Peer,
    raw::{OFFER, Raw},
    reply::Reply,
};
use sidetone_testkit::{Needs, room};
use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

struct Stream {
    tcp: TcpStream,
    received: Vec<u8>,
}

impl Stream {
    fn open() -> Self {
        let tcp = TcpStream::connect(PHONE).expect("the phone takes connections");
        tcp.set_nodelay(true).expect("a socket option can be set");
        tcp.set_read_timeout(Some(SOON)).expect("a time-out can be set");
        tcp.set_write_timeout(Some(SOON)).expect("a time-out can be set");
        Self { tcp, received: Vec::new() }
    }

    fn address(&self) -> SocketAddr {
        self.tcp.local_addr().expect("a connection has an address")
    }

    fn request(&self, method: &str, serial: u64) -> Raw {
        let request = Raw::new(method, &format!("sip:alice@{PHONE}"), self.address(), serial);
        request.change("Via", |via| via.replace("UDP", "TCP"))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).expect("the phone reads");
    }

    /// `None`: the phone closed the connection.
    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        match self.tcp.read(&mut buffer) {
            Ok(0) => None,
            Ok(length) => {
                self.received.extend(&buffer[..length]);
                Some(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    fn next(&mut self, name: &str) -> Reply {
        loop {
            if let Some((reply, length)) = Reply::read(&self.received) {
                self.received.drain(..length);
                return reply;
            }
            self.more().unwrap_or_else(|| panic!("{name}: closed before the reply"));
        }
    }

    fn answer(&mut self, name: &str, request: &Raw) -> Reply {
        self.send(&request.bytes());
        let reply = self.next(name);
        reply.assert_answers(name, request, self.address());
        reply
    }

    fn assert_alive(&mut self, name: &str) {
        let request = self.request("OPTIONS", 1_000_000);
        assert_eq!(self.answer(name, &request).status, 200, "{name}");
    }

    /// Waits until the phone closes, and gives what it said before.
    fn end(mut self) -> Vec<Reply> {
        while self.more().is_some() {}
        let mut replies = Vec::new();
        while let Some((reply, length)) = Reply::read(&self.received) {
            self.received.drain(..length);
            replies.push(reply);
        }
        replies
    }
}

#[test]
fn a_message_may_arrive_in_any_pieces() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let mut stream = Stream::open();
    let invite = stream.request("INVITE", 1).sdp(OFFER).set("Content-Length", OFFER.len().to_string());
    for byte in stream.request("OPTIONS", 0).bytes() {
        stream.send(&[byte]);
    }
    assert_eq!(stream.next("byte by byte").status, 200);
    for byte in invite.bytes() {
        stream.send(&[byte]);
    }
    assert_eq!(stream.next("byte by byte").status, 100);
    assert_eq!(stream.next("byte by byte").status, 180);
    let length = stream.request("OPTIONS", 100).body("text/plain", "body").bytes().len();
    for cut in 1..length {
        let request = stream.request("OPTIONS", 100 + cut as u64).body("text/plain", "body");
        let bytes = request.bytes();
        stream.send(&bytes[..cut]);
        stream.send(&bytes[cut..]);
        let reply = stream.next("in two pieces");
        assert_eq!(reply.status, 200, "cut at {cut}");
        reply.assert_answers("in two pieces", &request, stream.address());
    }
}

#[test]
fn many_messages_may_arrive_in_one_piece() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let mut stream = Stream::open();
    let requests: Vec<Raw> = (0..300)
        .map(|n| match n % 3 {
            0 => stream.request("OPTIONS", n),
            1 => stream.request("OPTIONS", n).without("To"),
            _ => stream.request("OPTIONS", n).body("text/plain", "x".repeat(n as usize)).before("\r\n"),
        })
        .collect();
    let all: Vec<u8> = requests.iter().flat_map(Raw::bytes).collect();
    stream.send(&all);
    for (n, request) in requests.iter().enumerate() {
        let reply = stream.next("pipelined");
        reply.assert_answers("pipelined", request, stream.address());
        assert_eq!(reply.status, if n % 3 == 1 { 400 } else { 200 });
    }
}

#[test]
fn a_ping_gets_a_pong_and_a_line_end_nothing() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let mut stream = Stream::open();
    stream.send(b"\r\n\r\n");
    while stream.received.len() < 2 {
        stream.more().expect("a pong");
    }
    assert_eq!(std::mem::take(&mut stream.received), b"\r\n");
    stream.send(b"\r\n");
    stream.assert_alive("after a lone line end");
    let request = stream.request("OPTIONS", 5);
    stream.send(&[b"\r\n\r\n", &request.bytes()[..], b"\r\n\r\n"].concat());
    while stream.received.windows(4).filter(|four| four == b"\r\n\r\n").count() < 1
        || !stream.received.ends_with(b"\r\n\r\n\r\n")
    {
        stream.more().expect("pong, reply, pong");
    }
    assert!(
        stream.received.starts_with(b"\r\nSIP/2.0 200 OK\r\n"),
        "{}",
        String::from_utf8_lossy(&stream.received)
    );
}

#[test]
fn a_message_that_is_wrong_but_ends_where_it_says_costs_no_connection() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let mut stream = Stream::open();
    let request = |n: u64| stream.request("OPTIONS", n);
    let cases = [
        ("no From", 400, request(1).without("From")),
        ("a broken CSeq", 400, request(2).set("CSeq", "x")),
        ("a broken request line", 400, request(3).start("OPTIONS")),
        ("another version", 505, request(4).start("OPTIONS sip:alice@127.0.0.1 SIP/9.0")),
        ("an unknown method", 501, stream.request("NOVEL", 5)),
        ("an unknown scheme", 416, request(6).start("OPTIONS x:y SIP/2.0")),
        ("an extension", 420, request(7).with("Require", "x").body("text/plain", "a body to skip")),
        ("a dialog that is not there", 481, stream.request("BYE", 8)),
    ];
    for (name, status, request) in cases {
        assert_eq!(stream.answer(name, &request).status, status, "{name}");
        stream.assert_alive(name);
    }
    // What is not answered leaves the stream in order too.
    stream.send(&stream.request("ACK", 20).bytes());
    stream.send(&stream.request("OPTIONS", 21).without("Via").bytes());
    stream.send(&stream.request("OPTIONS", 22).start("SIP/2.0 200 OK").bytes());
    stream.assert_alive("silence");
}

#[test]
fn a_content_length_that_lies_misleads_only_its_own_connection() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let mut neighbour = Stream::open();
    // Too short: what is left over is the start of a message that is none.
    let mut short = Stream::open();
    let first = short.request("OPTIONS", 1).body("text/plain", "0123456789").set("Content-Length", "4");
    assert_eq!(short.answer("too short", &first).status, 200);
    let swallowed = short.request("OPTIONS", 2);
    short.send(&swallowed.bytes());
    assert_eq!(short.next("what was left over").status, 501, "456789OPTIONS is a method of its own");
    short.assert_alive("and the next message is read right");
    // Too long: the next message is taken for the body.
    let mut long = Stream::open();
    let eaten = long.request("OPTIONS", 4);
    let first = long.request("OPTIONS", 3).set("Content-Length", eaten.bytes().len().to_string());
    long.send(&[first.bytes(), eaten.bytes()].concat());
    let reply = long.next("too long");
    reply.assert_answers("too long", &first, long.address());
    long.assert_alive("the message inside of a body was not answered");
    neighbour.assert_alive("the neighbour");
    peer.assert_nothing_but_200("UDP");
}

#[test]
fn a_stream_without_a_usable_content_length_is_answered_and_closed() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let mut neighbour = Stream::open();
    let request = |stream: &Stream| stream.request("OPTIONS", 1);
    type Change = fn(Raw) -> Raw;
    let cases: [(&str, u16, Change); 9] = [
        ("none", 400, |raw| raw.without("Content-Length")),
        ("no number", 400, |raw| raw.set("Content-Length", "many")),
        ("negative", 400, |raw| raw.set("Content-Length", "-1")),
        ("empty", 400, |raw| raw.set("Content-Length", "")),
        ("twice", 400, |raw| raw.with("l", "5")),
        ("more than fits anywhere", 400, |raw| raw.set("Content-Length", "99999999999999999999999999")),
        ("a gigabyte", 513, |raw| raw.set("Content-Length", "1073741824")),
        ("a line of 20 kB", 513, |raw| raw.with("Subject", "x".repeat(20_000))),
        ("three hundred fields", 513, |raw| (0..300).fold(raw, |raw, n| raw.with(&format!("X-{n}"), "y"))),
    ];
    for (name, status, change) in cases {
        let mut stream = Stream::open();
        let request = change(request(&stream));
        stream.send(&request.bytes());
        let source = stream.address();
        let replies = stream.end();
        assert_eq!(replies.len(), 1, "{name}: {replies:#?}");
        assert_eq!(replies[0].status, status, "{name}");
        replies[0].assert_answers(name, &request, source);
        neighbour.assert_alive(name);
    }
}

#[test]
fn a_flood_of_garbage_closes_its_own_connection_and_no_other() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let mut neighbour = Stream::open();
    let floods: [(&str, &[u8]); 6] = [
        ("letters", b"A"),
        ("NUL", &[0]),
        ("fields", b"a: b\r\n"),
        ("continuation lines", b" x\r\n"),
        ("TLS", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    ];
    for (name, piece) in floods {
        let mut stream = Stream::open();
        let flood = piece.repeat(1_000_000 / piece.len());
        // The phone closes before all of it is sent.
        let _ = stream.tcp.write_all(&flood);
        neighbour.assert_alive(name);
        peer.assert_nothing_but_200(name);
        stream.end();
    }
    // A megabyte of pings is no crime, but nobody else waits for it.
    let mut pings = Stream::open();
    let mut sending = pings.tcp.try_clone().unwrap();
    let flood = std::thread::spawn(move || sending.write_all(&b"\r\n\r\n".repeat(250_000)).is_ok());
    neighbour.assert_alive("pings");
    peer.assert_nothing_but_200("pings");
    while flood_runs(&flood) && pings.more().is_some() {
        pings.received.clear();
    }
    drop(pings);
    let _ = flood.join();
    neighbour.assert_alive("after the pings");
}

fn flood_runs(flood: &std::thread::JoinHandle<bool>) -> bool {
    !flood.is_finished()
}

#[test]
fn connections_that_break_off_or_idle_harm_nobody() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let mut neighbour = Stream::open();
    for n in 0..50 {
        let mut stream = Stream::open();
        let bytes = stream.request("INVITE", n).sdp(OFFER).bytes();
        stream.send(&bytes[..(n as usize * 13) % bytes.len()]);
    }
    neighbour.assert_alive("half messages");
    // Gone before its reply.
    for n in 0..20 {
        let mut stream = Stream::open();
        let request = stream.request("OPTIONS", n);
        stream.send(&request.bytes());
    }
    neighbour.assert_alive("replies to nobody");
    let idle: Vec<TcpStream> = (0..700).map_while(|_| TcpStream::connect(PHONE).ok()).collect();
    peer.assert_nothing_but_200("700 connections");
    neighbour.assert_alive("700 connections");
    drop(idle);
    sidetone_testkit::until("room for a connection", SOON, || {
        let mut stream = Stream::open();
        let request = stream.request("OPTIONS", 1);
        let sent = stream.tcp.write_all(&request.bytes()).is_ok();
        (sent && stream.more().is_some() && Reply::read(&stream.received).is_some()).then_some(())
    })
    .unwrap();
    peer.assert_nothing_but_200("the end");
}
