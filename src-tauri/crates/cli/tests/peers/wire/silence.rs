//! Some things are never answered: what is no request, what names nobody to answer, and ACK.

use super::{
    PHONE, alice,
    peer::Peer,
    raw::{OFFER, Raw},
};
use sidetone_testkit::{Needs, room};

/// The most that a datagram over IPv4 holds.
const LARGEST: usize = 65_507;

/// Bytes without order, always the same.
fn noise(length: usize, mut state: u64) -> Vec<u8> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn garbage_keep_alives_and_empty_datagrams_get_no_reply_and_do_no_harm() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let stun = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty datagram", Vec::new()),
        ("one line end", b"\r\n".into()),
        ("a keep-alive", b"\r\n\r\n".into()),
        ("the keep-alive of old phones", b"\0\0\0\0".into()),
        ("another one", b"jaK".into()),
        ("a STUN request", stun.into()),
        ("a lone colon", b":".into()),
        ("one space", b" ".into()),
        ("half a request line", b"OPTIONS sip:al".into()),
        ("a request line alone", b"OPTIONS sip:alice@127.0.0.1 SIP/2.0\r\n\r\n".into()),
        ("65 kB of line ends", b"\r\n".repeat(LARGEST / 2)),
        ("65 kB of NUL", vec![0; LARGEST]),
        ("65 kB of letters", vec![b'A'; LARGEST]),
        ("65 kB of colons", vec![b':'; LARGEST]),
        ("65 kB of fields", b"a:b\r\n".repeat(LARGEST / 5)),
        ("65 kB of continuation lines", b" x\r\n".repeat(LARGEST / 4)),
        ("65 kB of noise", noise(LARGEST, 1)),
        ("bytes that are no UTF-8", vec![0xFF; 2000]),
        ("RTP", [&[0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4][..], &[0xD5; 160]].concat()),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: 127.0.0.1:5066\r\n\r\n".into()),
    ];
    for (name, bytes) in cases {
        peer.send(&bytes);
        peer.assert_nothing_but_200(name);
    }
    for round in 0..6 {
        // Not more at a time than a socket holds.
        (0..90).for_each(|length| peer.send(&noise(length, (round * 90 + length) as u64)));
        peer.assert_nothing_but_200("noise");
    }
}

#[test]
fn a_request_that_names_nobody_to_answer_gets_no_reply() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    for method in ["OPTIONS", "INVITE", "BYE", "REGISTER", "UNKNOWN"] {
        for via in [
            "",
            "SIP/2.0/UDP",
            "nonsense",
            "SIP/2.0 127.0.0.1",
            "SIP/2.0/UDP [::1;branch=z9hG4bKx",
            "\"",
            ",",
            ";",
        ] {
            peer.send(&peer.request(method).set("Via", via).bytes());
        }
        peer.send(&peer.request(method).without("Via").bytes());
        peer.assert_nothing_but_200(method);
    }
}

#[test]
fn an_ack_is_never_answered_whatever_is_wrong_with_it() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let ack = || peer.request("ACK");
    let cases: Vec<(&str, Raw)> = vec![
        ("of nothing", ack()),
        ("of an unknown dialog", ack().change("To", |to| format!("{to};tag=unknown"))),
        ("with an unknown requirement", ack().with("Require", "nothingSupportsThis")),
        ("without hops", ack().set("Max-Forwards", "0")),
        ("without Call-ID", ack().without("Call-ID")),
        ("with the CSeq of another method", ack().set("CSeq", "1 OPTIONS")),
        ("of an unknown scheme", ack().start("ACK http://127.0.0.1/ SIP/2.0")),
        ("of another version", ack().start("ACK sip:alice@127.0.0.1 SIP/7.0")),
        ("with a broken request line", ack().start("ACK  sip:alice@127.0.0.1  SIP/2.0")),
        ("with an offer", ack().sdp(OFFER)),
        ("with an unknown body", ack().body("text/x", "x")),
        ("longer than its datagram", ack().set("Content-Length", "500")),
        ("with a line of 20 kB", ack().with("Subject", "x".repeat(20_000))),
    ];
    for (name, request) in cases {
        peer.send(&request.bytes());
        peer.assert_nothing_but_200(name);
    }
}

#[test]
fn responses_to_nothing_are_dropped() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let own_via = format!("SIP/2.0/UDP {PHONE};branch=z9hG4bK-nobody-sent-this;rport");
    let starts = [
        "SIP/2.0 100 Trying",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 200 OK",
        "SIP/2.0 302 Moved Temporarily",
        "SIP/2.0 401 Unauthorized",
        "SIP/2.0 486 Busy Here",
        "SIP/2.0 699 ",
        "SIP/2.0 700 Too Much",
        "SIP/2.0 099 Too Little",
        "SIP/2.0 4294967301 Better Not",
        "SIP/2.0 20 Short",
        "SIP/2.0 200",
        "SIP/2.0",
        "SIP/7.0 200 OK",
    ];
    for method in ["INVITE", "BYE", "OPTIONS", "REGISTER", "CANCEL", "ACK", "UNKNOWN"] {
        for start in starts {
            let response = peer.request(method).set("Via", &*own_via).start(start);
            peer.send(&response.bytes());
            peer.send(&response.clone().under("Via", format!("SIP/2.0/UDP {}", peer.address())).bytes());
            peer.send(&response.without("CSeq").bytes());
        }
        peer.assert_nothing_but_200(method);
    }
}
