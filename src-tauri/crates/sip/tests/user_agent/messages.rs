//! MESSAGE: RFC 3428, outside and inside of calls.

use std::time::Duration;

use sidetone_sip::message::HeaderName;
use sidetone_sip::{CallEvent, Config, Event, MessageId, MessageRequest, ReceivedMessage, Transport};

use super::kit::*;
use super::net::{Net, address};

fn text_to(to: &str) -> MessageRequest {
    MessageRequest::new(from(), to.parse().unwrap(), "text/plain", "Grüße".into())
}

fn received_message(net: &mut Net, node: usize) -> ReceivedMessage {
    let events = net.events(node);
    let found = events.into_iter().find_map(|event| match event {
        Event::MessageReceived(message) => Some(message),
        _ => None,
    });
    found.expect("no MESSAGE came")
}

fn outcome(net: &mut Net, node: usize, wanted: MessageId) -> (u16, String) {
    let told: Vec<_> = net
        .events(node)
        .into_iter()
        .filter_map(|event| match event {
            Event::MessageAnswered { id, status, reason } if id == wanted => Some((status, reason)),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 1, "told exactly once: {told:?}");
    told[0].clone()
}

/// A MESSAGE of PEER with a body.
fn message(branch: &str, cseq: u32, to_tag: &str, extra: &str, body: &str) -> String {
    let head = request("MESSAGE", "sip:alice@192.0.2.1", branch, cseq, to_tag, extra);
    format!("{}{body}", head.replace("Content-Length: 0", &format!("Content-Length: {}", body.len())))
}

#[test]
fn a_message_arrives_and_its_reply_is_told_to_the_sender() {
    let (mut net, a, b) = pair();
    let mut sent = text_to("sip:bob@192.0.2.2");
    sent.headers = vec![(HeaderName::SUBJECT, "hello".into()), (HeaderName::CONTACT, "<sip:evil@x>".into())];
    let id = net.with(a, |ua, now| ua.message(now, sent));
    net.settle();
    let got = received_message(&mut net, b);
    assert_eq!((got.content_type.as_str(), got.body.as_slice()), ("text/plain", "Grüße".as_bytes()));
    assert_eq!(got.from.display.as_deref(), Some("Alice"));
    assert_eq!(got.headers.get(&HeaderName::SUBJECT), Some("hello"));
    assert!(!got.headers.has(&HeaderName::CONTACT), "RFC 3428 section 4: no Contact");
    assert!(got.call.is_none());
    net.with(b, |ua, now| ua.reply_message(now, got.id, 200, ""));
    net.with(b, |ua, now| ua.reply_message(now, got.id, 500, "twice"));
    net.settle();
    assert_eq!(outcome(&mut net, a, id), (200, "OK".to_owned()));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_lost_reply_is_repeated_and_the_message_is_told_once() {
    let (mut net, a, _) = pair();
    let text = message("m1", 1, "", "Content-Type: text/plain\n", "hi");
    net.send(PEER, A, &text);
    net.settle();
    let id = received_message(&mut net, a).id;
    net.send(PEER, A, &text);
    net.settle();
    assert!(net.receive(PEER).is_none(), "nothing is said before the owner replies");
    net.with(a, |ua, now| ua.reply_message(now, id, 202, ""));
    net.send(PEER, A, &text);
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [202, 202]);
    assert!(net.events(a).is_empty());
}

#[test]
fn the_outcome_of_a_message_is_its_final_response_or_408_or_503() {
    let (mut net, a, _) = pair();
    for (status, phrase) in [(404, "Not Found"), (480, "Temporarily Unavailable"), (603, "Decline")] {
        let id = net.with(a, |ua, now| ua.message(now, text_to("sip:bob@192.0.2.9")));
        net.settle();
        let sent = received(&mut net);
        net.send(PEER, A, &reply(&sent, status, "t", ""));
        net.settle();
        assert_eq!(outcome(&mut net, a, id), (status, phrase.to_owned()));
    }
    let silent = net.with(a, |ua, now| ua.message(now, text_to("sip:bob@192.0.2.9")));
    net.run_for(Duration::from_secs(33));
    assert_eq!(outcome(&mut net, a, silent).0, 408);
    let nowhere = net.with(a, |ua, now| ua.message(now, text_to("sip:bob@nowhere.invalid")));
    assert_eq!(outcome(&mut net, a, nowhere).0, 503);
    let long = MessageRequest { body: vec![b'x'; 70_000], ..text_to("sip:bob@192.0.2.9") };
    let long = net.with(a, |ua, now| ua.message(now, long));
    assert_eq!(outcome(&mut net, a, long).0, 413);
    let typed = MessageRequest { content_type: "text\r\nVia: x".into(), ..text_to("sip:bob@192.0.2.9") };
    let typed = net.with(a, |ua, now| ua.message(now, typed));
    assert_eq!(outcome(&mut net, a, typed).0, 415);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_challenge_to_a_message_is_answered_for_our_own_server_only() {
    const CHALLENGE: &str =
        "Proxy-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\n";
    let (mut net, a, _) = pair();
    let mut home = text_to("sip:bob@far.example");
    home.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    home.way.credentials = login("alice", "secret");
    let id = net.with(a, |ua, now| ua.message(now, home));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let second = received(&mut net);
    assert_eq!(second.headers.authorizations().unwrap()[0].nonce, "n1");
    net.send(
        PEER,
        A,
        &reply(&second, 407, "t", &CHALLENGE.replace("n1", "n2").replace("Digest", "Digest stale=true,")),
    );
    net.settle();
    let third = received(&mut net);
    assert_eq!(third.headers.authorizations().unwrap()[0].nonce, "n2", "a stale nonce is replaced");
    assert_eq!((third.headers.cseq().unwrap().number, third.body.as_slice()), (3, "Grüße".as_bytes()));
    net.send(PEER, A, &reply(&third, 200, "t", ""));
    net.settle();
    assert_eq!(outcome(&mut net, a, id).0, 200);

    let (mut net, a, _) = pair();
    let stranger = MessageRequest { way: as_user("alice", "secret"), ..text_to("sip:bob@192.0.2.9") };
    let id = net.with(a, |ua, now| ua.message(now, stranger));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    assert_eq!(outcome(&mut net, a, id).0, 407);
    assert!(net.receive(PEER).is_none());
}

#[test]
fn messages_go_both_ways_inside_a_call() {
    let (mut net, a, b, ours, theirs) = connected();
    let there = net.with(a, |ua, now| ua.message_in_call(now, ours, "text/plain", b"one".to_vec()));
    net.settle();
    let got = received_message(&mut net, b);
    assert_eq!((got.call, got.body.as_slice()), (Some(theirs), &b"one"[..]));
    net.with(b, |ua, now| ua.reply_message(now, got.id, 200, ""));
    net.settle();
    assert_eq!(outcome(&mut net, a, there).0, 200);
    let back = net.with(b, |ua, now| ua.message_in_call(now, theirs, "text/html", b"<b>".to_vec()));
    net.settle();
    let got = received_message(&mut net, a);
    assert_eq!((got.call, got.content_type.as_str()), (Some(ours), "text/html"));
    net.with(a, |ua, now| ua.reply_message(now, got.id, 200, ""));
    net.settle();
    assert_eq!(outcome(&mut net, b, back).0, 200);
}

#[test]
fn a_message_needs_the_dialog_that_it_names() {
    let (mut net, a, _, ours, _) = connected();
    net.send(PEER, A, &message("m1", 1, "no-such-tag", "Content-Type: text/plain\n", "hi"));
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    let late = net.with(a, |ua, now| ua.message_in_call(now, ours, "text/plain", b"late".to_vec()));
    assert_eq!(outcome(&mut net, a, late).0, 481);
    net.settle();
    let unknown = sidetone_sip::CallId(4711);
    let id = net.with(a, |ua, now| ua.message_in_call(now, unknown, "text/plain", b"x".to_vec()));
    assert_eq!(outcome(&mut net, a, id).0, 481);
}

#[test]
fn a_call_that_is_hung_up_while_its_message_is_on_the_way_still_ends_and_leaves_nothing() {
    let (mut net, a, b, ours, _) = connected();
    let id = net.with(a, |ua, now| ua.message_in_call(now, ours, "text/plain", b"x".to_vec()));
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_for(Duration::from_secs(60));
    assert_eq!(outcome(&mut net, a, id).0, 500, "nobody replied to it");
    net.events(b);
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_message_that_nobody_replies_to_is_refused_with_500_in_time() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &message("m1", 1, "", "", "no type"));
    net.settle();
    assert_eq!(received_message(&mut net, a).content_type, "text/plain");
    net.run_for(Duration::from_secs(25));
    assert_eq!(statuses(&net.receive_all(PEER)), [500]);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_flood_of_messages_is_bounded_and_answered() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_messages: 10, ..Config::default() });
    for n in 0..1000 {
        net.send(PEER, A, &message(&format!("m{n}"), n + 1, "", "Content-Type: text/plain\n", "spam"));
    }
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(seen.len(), 990);
    assert!(statuses(&seen).iter().all(|status| *status == 503));
    assert!(seen[0].headers().has(&HeaderName::RETRY_AFTER));
    assert_eq!(net.events(a).len(), 10);
    net.run_out();
    assert_eq!(statuses(&net.receive_all(PEER)), [500; 10]);
    net.assert_empty(a);
}

#[test]
fn a_message_that_cannot_be_taken_is_refused_by_its_fault() {
    let (mut net, a, _) = pair();
    for (extra, body, expected) in [
        ("Content-Encoding: gzip\nContent-Type: text/plain\n", "x", 415),
        ("Content-Type: nonsense\n", "x", 400),
        ("Require: recipient-list-message\n", "", 420),
    ] {
        net.send(PEER, A, &message(&format!("b{expected}"), 1, "", extra, body));
        net.settle();
        let response = answered(&mut net);
        assert_eq!(response.status, expected);
        if expected == 415 {
            assert_eq!(response.headers.get(&HeaderName::ACCEPT_ENCODING), Some("identity"));
            assert_eq!(response.headers.get(&HeaderName::ACCEPT), Some("*/*"));
        }
    }
    let mut net = Net::new();
    let b = net.add(A, Config { max_message_body: 100, ..Config::default() });
    net.send(PEER, A, &message("big", 1, "", "Content-Type: text/plain\n", &"x".repeat(101)));
    net.settle();
    assert_eq!(answered(&mut net).status, 413);
    assert!(net.events(a).is_empty() && net.events(b).is_empty());
}

#[test]
fn a_long_message_goes_over_tcp() {
    let (mut net, a, _) = pair();
    let long = MessageRequest { body: vec![b'x'; 5000], ..text_to("sip:bob@192.0.2.9") };
    net.with(a, |ua, now| ua.message(now, long));
    let (_, hop, _) = net.log.last().unwrap();
    assert_eq!((hop.transport, hop.remote), (Transport::Tcp, address(PEER)));
}

#[test]
fn the_call_goes_on_whatever_becomes_of_its_messages() {
    let (mut net, a, b, ours, _) = connected();
    net.unplugged.insert(address(B));
    let id = net.with(a, |ua, now| ua.message_in_call(now, ours, "text/plain", b"lost".to_vec()));
    net.run_for(Duration::from_secs(33));
    assert_eq!(outcome(&mut net, a, id).0, 408);
    net.unplugged.clear();
    net.with(a, |ua, now| ua.reinvite(now, ours, b"v=0 again".to_vec()));
    net.settle();
    assert!(
        net.events(b)
            .iter()
            .any(|event| matches!(event, Event::Call { event: CallEvent::Reoffer { .. }, .. }))
    );
}
