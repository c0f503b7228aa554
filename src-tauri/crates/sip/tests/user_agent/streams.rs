//! TCP and TLS: cutting, keep-alives, broken streams.

use sidetone_sip::{Hop, Input, Output, Transport};

use super::kit::*;
use super::net::{Net, address};

fn stream(net: &mut Net, bytes: &[u8]) {
    let hop = Hop::new(Transport::Tcp, address(A), address(PEER));
    net.with(0, |ua, now| ua.handle_input(now, Input::Stream { hop, bytes }));
}

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").replace("/UDP", "/TCP").into_bytes()
}

#[test]
fn a_request_cut_into_single_bytes_is_answered_once() {
    let (mut net, _, _) = pair();
    for byte in crlf(&request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "")) {
        stream(&mut net, &[byte]);
    }
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [200]);
}

#[test]
fn two_requests_in_one_read_are_both_answered() {
    let (mut net, _, _) = pair();
    let mut bytes = crlf(&request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", ""));
    bytes.extend(crlf(&request("OPTIONS", "sip:alice@192.0.2.1", "2", 2, "", "")));
    stream(&mut net, &bytes);
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200]);
}

#[test]
fn a_ping_is_answered_by_a_pong() {
    let (mut net, _, _) = pair();
    let hop = Hop::new(Transport::Tcp, address(A), address(PEER));
    net.nodes[0].ua.handle_input(net.now, Input::Stream { hop, bytes: b"\r\n\r\n" });
    match net.nodes[0].ua.poll_output() {
        Some(Output::Transmit { bytes, .. }) => assert_eq!(bytes, b"\r\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_without_content_length_is_answered_400_and_closed() {
    let (mut net, a, _) = pair();
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "").replace("Content-Length: 0\n", "");
    stream(&mut net, &crlf(&text));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [400]);
    assert_eq!((net.closed.len(), net.load(a).streams), (1, 0));
}

#[test]
fn connections_over_the_limit_are_closed() {
    let mut net = Net::new();
    let a = net.add(A, sidetone_sip::Config { max_connections: 2, ..Default::default() });
    for port in 1..=5 {
        let hop = Hop::new(Transport::Tcp, address(A), format!("192.0.2.9:{port}").parse().unwrap());
        net.with(a, |ua, now| ua.handle_input(now, Input::Stream { hop, bytes: b"O" }));
    }
    assert_eq!((net.closed.len(), net.load(a).streams), (3, 2));
}
