//! Nothing that comes in may panic, and nothing of it may stay.

use std::path::Path;

use sidetone_sip::message::Message;
use sidetone_sip::{Config, Hop, Input, RegistrarConfig, Transport};

use super::kit::*;
use super::net::{Net, address};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = Vec::new();
    for folder in ["valid", "invalid"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    assert!(files.len() > 50, "the corpus is gone");
    files
}

fn target() -> (Net, usize) {
    let mut net = Net::new();
    let config = Config { registrar: Some(RegistrarConfig::default()), ..Config::default() };
    let a = net.add(A, config);
    (net, a)
}

fn feed(net: &mut Net, transport: Transport, bytes: &[u8]) {
    let hop = Hop::new(transport, address(A), address(PEER));
    net.with(0, |ua, now| match transport {
        Transport::Tcp => ua.handle_input(now, Input::Stream { hop, bytes }),
        _ => ua.handle_input(now, Input::Datagram { hop, bytes }),
    });
    if transport == Transport::Tcp {
        net.with(0, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason: "done".into() }));
    }
}

#[test]
fn the_whole_corpus_leaves_nothing_behind_over_any_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        let (mut net, a) = target();
        for (_, bytes) in corpus() {
            feed(&mut net, transport, &bytes);
        }
        net.run_out();
        net.run_out();
        net.run_for(std::time::Duration::from_secs(4000));
        net.assert_empty(a);
    }
}

#[test]
fn what_is_sent_in_reply_to_a_valid_message_can_be_read() {
    let (mut net, _) = target();
    for (name, bytes) in corpus().into_iter().filter(|(name, _)| !name.contains("invalid")) {
        net.log.clear();
        feed(&mut net, Transport::Udp, &bytes);
        for (_, _, reply) in &net.log {
            let parsed = Message::parse(reply);
            assert!(parsed.is_ok(), "{name}: {parsed:?}\n{}", String::from_utf8_lossy(reply));
        }
    }
}

#[test]
fn broken_requests_never_reach_the_application() {
    let (mut net, a) = target();
    for (name, bytes) in corpus().into_iter().filter(|(name, _)| name.contains("invalid")) {
        feed(&mut net, Transport::Udp, &bytes);
        let events = net.events(a);
        assert!(events.is_empty(), "{name}: {events:?}");
    }
}

#[test]
fn mutated_messages_in_every_state_of_a_call_do_no_harm() {
    let mut state = 99u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let files = corpus();
    for round in 0..60 {
        let (mut net, a, b, ours, theirs) = connected();
        let messages: Vec<Vec<u8>> = net.log.iter().map(|(_, _, bytes)| bytes.clone()).collect();
        let ringing = place(&mut net, a, "sip:bob@192.0.2.2");
        net.settle();
        for _ in 0..50 {
            let own = random() % 2 == 0;
            let source =
                if own { &messages[random() % messages.len()] } else { &files[random() % files.len()].1 };
            let mut bytes = source.clone();
            for _ in 0..random() % 4 {
                if bytes.is_empty() {
                    break;
                }
                let at = random() % bytes.len();
                match random() % 3 {
                    0 => bytes[at] = random() as u8,
                    1 => drop(bytes.drain(at..(at + random() % 20).min(bytes.len()))),
                    _ => bytes.insert(at, b"\r\n;,<>\"=:@0"[random() % 11]),
                }
            }
            let remote = address(if random() % 2 == 0 { PEER } else { B });
            for node in [a, b] {
                let local = net.nodes[node].address;
                let hop = Hop::new(Transport::Udp, local, remote);
                net.with(node, |ua, now| ua.handle_input(now, Input::Datagram { hop, bytes: &bytes }));
            }
        }
        net.with(a, |ua, now| ua.reinvite(now, ours, b"v=0".to_vec()));
        net.settle();
        net.with(a, |ua, now| ua.hang_up(now, ours, None));
        net.with(a, |ua, now| ua.hang_up(now, ringing, None));
        net.with(b, |ua, now| ua.hang_up(now, theirs, None));
        net.run_for(std::time::Duration::from_secs(700));
        for node in [a, b] {
            let load = net.load(node);
            assert_eq!((load.calls, load.attempts, load.client_transactions), (0, 0, 0), "round {round}");
        }
    }
}

#[test]
fn calls_on_ids_that_do_not_exist_do_nothing() {
    let (mut net, a, _) = pair();
    let call = sidetone_sip::CallId(77);
    net.with(a, |ua, now| {
        ua.ring(now, call);
        ua.progress(now, call, 183, None);
        ua.answer(now, call, Vec::new());
        ua.reject(now, call, 486, "");
        ua.reinvite(now, call, Vec::new());
        ua.hang_up(now, call, None);
        ua.refresh(now, sidetone_sip::RegistrationId(3));
        ua.unregister(now, sidetone_sip::RegistrationId(3));
        ua.handle_input(now, Input::Resolved { query: sidetone_sip::QueryId(9), result: Ok(Vec::new()) });
        ua.handle_timeout(now);
    });
    assert!(net.log.is_empty() && net.events(a).is_empty());
}
