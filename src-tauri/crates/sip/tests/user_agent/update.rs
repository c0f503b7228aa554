//! UPDATE in answered calls: RFC 3311. Before the answer: see `prack`.

use std::time::Duration;

use sidetone_sip::message::HeaderName;
use sidetone_sip::{CallEvent, CallId};

use super::kit::*;
use super::net::{Net, ended};

const ALLOW: &str = "Allow: INVITE, ACK, BYE, UPDATE\n";

fn update(branch: &str, cseq: u32, tag: &str, extra: &str) -> String {
    request("UPDATE", "sip:alice@192.0.2.1", branch, cseq, tag, extra)
}

/// PEER, whose calls say that it takes UPDATE, has called A.
fn called_by_updater() -> (Net, usize, CallId, String) {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &update("first", 11, &tag, ALLOW));
    net.settle();
    assert_eq!(answered(&mut net).status, 200);
    (net, a, call, tag)
}

fn failed(events: &[CallEvent]) -> Option<u16> {
    events.iter().find_map(|event| match event {
        CallEvent::ReofferFailed { cause } => Some(cause.code),
        _ => None,
    })
}

#[test]
fn an_update_with_an_offer_is_answered_in_either_direction() {
    assert_offers_reach(|ua, now, call, sdp| ua.update(now, call, Some(sdp)));
}

#[test]
fn an_update_without_an_offer_is_answered_by_itself() {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(a, |ua, now| ua.update(now, ours, None));
    net.settle();
    assert!(matches!(&net.call_events(a, ours)[..], [CallEvent::ReofferAnswered { sdp }] if sdp.is_empty()));
    assert!(net.call_events(b, theirs).is_empty());
}

#[test]
fn a_refused_update_leaves_the_call_as_it_was() {
    assert_refusal_keeps_the_call(|ua, now, call, sdp| ua.update(now, call, Some(sdp)));
}

#[test]
fn a_peer_that_does_not_allow_update_gets_none() {
    let (mut net, a, call, _) = called();
    net.with(a, |ua, now| ua.update(now, call, None));
    net.settle();
    assert_eq!(failed(&net.call_events(a, call)), Some(405));
    assert!(net.receive_all(PEER).is_empty());
}

#[test]
fn an_offer_that_nobody_answers_gets_504_and_is_withdrawn() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&update("2", 11, &tag, ""), "v=0"));
    net.run_for(Duration::from_secs(21));
    assert_eq!(answered(&mut net).status, 504);
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::Reoffer { .. }, CallEvent::ReofferFailed { .. }]));
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 late".to_vec()));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
}

#[test]
fn an_update_that_crosses_our_reinvite_gets_491() {
    let (mut net, a, call, tag) = called();
    net.with(a, |ua, now| ua.reinvite(now, call, b"v=0 ours".to_vec()));
    net.settle();
    net.receive_all(PEER);
    net.send(PEER, A, &with_sdp(&update("2", 11, &tag, ""), "v=0 theirs"));
    net.settle();
    assert_eq!(answered(&mut net).status, 491);
    net.send(PEER, A, &update("3", 12, &tag, ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 200, "without an offer there is nothing to meet");
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_reinvite_that_crosses_our_update_gets_491() {
    let (mut net, a, call, tag) = called_by_updater();
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0 ours".to_vec())));
    net.settle();
    net.receive_all(PEER);
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 12, &tag, ""), "v=0"));
    net.settle();
    assert_eq!(answered(&mut net).status, 491);
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn an_update_while_one_is_pending_gets_500_with_retry_after() {
    let (mut net, _, _, tag) = called();
    net.send(PEER, A, &with_sdp(&update("2", 11, &tag, ""), "v=0"));
    net.send(PEER, A, &with_sdp(&update("3", 12, &tag, ""), "v=0"));
    net.settle();
    let response = answered(&mut net);
    assert_eq!(response.status, 500);
    assert!(response.headers.retry_after().unwrap().unwrap() <= 10);
}

#[test]
fn an_update_of_ours_that_meets_another_is_sent_again() {
    for (status, extra, shortest, longest) in [
        (491, "", Duration::ZERO, Duration::from_millis(2000)),
        (500, "Retry-After: 3", Duration::from_secs(3), Duration::from_secs(3)),
    ] {
        let (mut net, a, call, _) = called_by_updater();
        net.with(a, |ua, now| ua.update(now, call, Some(b"v=0".to_vec())));
        net.settle();
        let first = received(&mut net);
        let since = net.now;
        net.send(PEER, A, &reply(&first, status, "peertag", extra));
        let again = loop {
            assert!(net.step(since + Duration::from_secs(10)), "{status} is tried again");
            if let Some(message) = net.receive(PEER) {
                break message;
            }
        };
        let waited = net.now - since;
        assert!(waited >= shortest && waited <= longest + Duration::from_millis(50), "{waited:?}");
        let again = again.as_request().unwrap().clone();
        assert_eq!((again.method.as_str(), again.body.as_slice()), ("UPDATE", &b"v=0"[..]));
        net.send(PEER, A, &with_sdp(&reply(&again, 200, "peertag", "").replace("\r\n", "\n"), "v=0 answer"));
        net.settle();
        assert!(matches!(net.call_events(a, call)[..], [CallEvent::ReofferAnswered { .. }]));
    }
}

#[test]
fn an_update_that_always_meets_another_is_given_up_with_491() {
    let (mut net, a, call, _) = called_by_updater();
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0".to_vec())));
    let end = net.now + Duration::from_secs(60);
    let mut tries = 0;
    while net.step(end) {
        if let Some(message) = net.receive(PEER) {
            tries += 1;
            net.send(PEER, A, &reply(message.as_request().unwrap(), 491, "peertag", ""));
        }
    }
    assert_eq!((tries, failed(&net.call_events(a, call))), (5, Some(491)));
}

#[test]
fn a_bye_refuses_the_update_that_is_pending() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&update("2", 11, &tag, ""), "v=0"));
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "3", 12, &tag, ""));
    net.settle();
    let mut statuses = statuses(&net.receive_all(PEER));
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 487]);
    assert!(ended(&net.call_events(a, call)).is_some());
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn an_update_moves_the_target_of_later_requests() {
    let (mut net, a, call, tag) = called();
    let moved = update("2", 11, &tag, "")
        .replace("Contact: <sip:peer@192.0.2.9:5060>", "Contact: <sip:peer@192.0.2.44:5066>");
    net.send(PEER, A, &moved);
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    assert_eq!(methods(&net.receive_all("192.0.2.44:5066")), ["BYE"]);
}

#[test]
fn an_update_with_a_body_that_is_no_sdp_gets_415_and_outside_a_call_481() {
    let (mut net, _, _, tag) = called();
    net.send(PEER, A, &with_body(&update("2", 11, &tag, ""), "text/plain", "hello"));
    net.send(PEER, A, &update("3", 12, "unknown", ""));
    net.send(PEER, A, &update("4", 13, "", ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [415, 481, 481]);
}

#[test]
fn a_flood_of_updates_is_answered_without_memory() {
    let (mut net, a, call, tag) = called();
    for n in 0..1000 {
        net.send(PEER, A, &with_sdp(&update(&format!("u{n}"), 100 + n, &tag, ""), "v=0"));
    }
    net.settle();
    let seen = statuses(&net.receive_all(PEER));
    assert_eq!((seen.len(), net.call_events(a, call).len()), (999, 1));
    assert!(seen.iter().all(|status| *status == 500));
    assert!(net.load(a).server_transactions < 110);
}

#[test]
fn a_reinvite_without_an_offer_asks_for_the_peers_and_answers_it_in_the_ack() {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(a, |ua, now| ua.reinvite(now, ours, None));
    net.settle();
    assert!(matches!(net.call_events(b, theirs)[..], [CallEvent::Reoffer { offer: None }]));
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 b offers".to_vec()));
    net.settle();
    let events = net.call_events(a, ours);
    assert!(matches!(&events[..], [CallEvent::Reoffer { offer: Some(sdp) }] if sdp == b"v=0 b offers"));
    net.with(a, |ua, now| ua.answer(now, ours, b"v=0 a answers".to_vec()));
    net.settle();
    let events = net.call_events(b, theirs);
    assert!(matches!(&events[..], [CallEvent::Confirmed { sdp: Some(sdp) }] if sdp == b"v=0 a answers"));
    net.run_for(Duration::from_secs(40));
    assert!(ended(&net.call_events(b, theirs)).is_none(), "the 2xx was acknowledged");
    net.with(a, |ua, now| ua.reinvite(now, ours, b"v=0 next".to_vec()));
    net.settle();
    assert!(matches!(net.call_events(b, theirs)[..], [CallEvent::Reoffer { .. }]));
}

#[test]
fn an_offer_in_a_2xx_that_nobody_answers_ends_the_call() {
    for refuse in [true, false] {
        let (mut net, a, call, _) = calling();
        net.with(a, |ua, now| ua.reinvite(now, call, None));
        net.settle();
        let invite = received(&mut net);
        assert!(invite.body.is_empty());
        net.send(PEER, A, &accept(&invite, "peertag"));
        net.send(PEER, A, &accept(&invite, "peertag"));
        net.settle();
        assert!(net.receive_all(PEER).is_empty(), "the ACK waits for the answer");
        if refuse {
            net.with(a, |ua, now| ua.reject(now, call, 488, ""));
        }
        net.run_for(Duration::from_secs(21));
        let seen = methods(&net.receive_all(PEER));
        assert_eq!(seen[..2], ["ACK", "BYE"]);
        let code = ended(&net.call_events(a, call)).unwrap().code;
        assert_eq!(code, if refuse { 488 } else { 504 });
    }
}

#[test]
fn hanging_up_while_the_ack_waits_for_an_answer_acknowledges_first() {
    let (mut net, a, call, _) = calling();
    net.with(a, |ua, now| ua.reinvite(now, call, None));
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &accept(&invite, "peertag"));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK", "BYE"]);
}

#[test]
fn allow_tells_of_update() {
    let (mut net, _, _, _) = called();
    net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "o", 1, "", ""));
    net.settle();
    let response = answered(&mut net);
    assert!(response.headers.allow().unwrap().contains(&"UPDATE".to_owned()));
    assert!(response.headers.get(&HeaderName::SUPPORTED).unwrap().contains("timer"));
}

#[test]
fn two_updates_that_meet_both_come_through_in_the_end() {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(a, |ua, now| ua.update(now, ours, Some(b"v=0 from a".to_vec())));
    net.with(b, |ua, now| ua.update(now, theirs, Some(b"v=0 from b".to_vec())));
    let mut answered = 0;
    let end = net.now + Duration::from_secs(20);
    while net.step(end) {
        for (node, call) in [(a, ours), (b, theirs)] {
            for event in net.call_events(node, call) {
                match event {
                    CallEvent::Reoffer { .. } => {
                        net.with(node, |ua, now| ua.answer(now, call, b"v=0 agreed".to_vec()));
                    }
                    CallEvent::ReofferAnswered { .. } => answered += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(answered, 2);
}

#[test]
fn an_update_that_crosses_a_bye_ends_with_the_call() {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(a, |ua, now| ua.update(now, ours, Some(b"v=0".to_vec())));
    net.with(b, |ua, now| ua.hang_up(now, theirs, None));
    net.settle();
    assert!(ended(&net.call_events(a, ours)).is_some());
    assert!(ended(&net.call_events(b, theirs)).is_some());
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}
