//! The callee's side of reliable provisional responses: RFC 3262, RFC 6337.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Response};
use sidetone_sip::user_agent::Reliable;
use sidetone_sip::{CallEvent, CallId, Config};

use super::kit::*;
use super::net::{Net, ended};

const CAN: &str = "Supported: 100rel\nAllow: UPDATE\n";
const MUST: &str = "Require: 100rel\n";

/// PEER calls A with an offer.
fn called_with(extra: &str, config: Config) -> (Net, usize, CallId) {
    incoming(&with_sdp(&invitation(10, extra), "v=0 offer"), config)
}

fn early(net: &mut Net, a: usize, call: CallId) -> Response {
    net.with(a, |ua, now| ua.progress(now, call, 183, Some(b"v=0 early".to_vec())));
    net.settle();
    answered(net)
}

fn rseq(response: &Response) -> u32 {
    response.headers.get(&HeaderName::RSEQ).unwrap().parse().unwrap()
}

fn prack(branch: &str, cseq: u32, tag: &str, rack: &str) -> String {
    request("PRACK", "sip:alice@192.0.2.1", branch, cseq, tag, &format!("RAck: {rack}\n"))
}

/// The PRACK of PEER for a reliable response.
fn prack_for(response: &Response, cseq: u32) -> String {
    prack(&format!("p{cseq}"), cseq, &own_tag(response), &format!("{} 10 INVITE", rseq(response)))
}

/// PEER acknowledges a reliable response.
fn acknowledge(net: &mut Net, response: &Response, cseq: u32) {
    net.send(PEER, A, &prack_for(response, cseq));
    net.settle();
}

/// PEER acknowledges a reliable response with SDP in its PRACK.
fn acknowledge_with(net: &mut Net, response: &Response, sdp: &str) {
    net.send(PEER, A, &with_sdp(&prack_for(response, 11), sdp));
    net.settle();
}

#[test]
fn early_media_is_sent_reliably_to_a_caller_that_can() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let ringing = answered(&mut net);
    assert!(!ringing.headers.has(&HeaderName::RSEQ), "without SDP there is nothing to lose");
    let response = early(&mut net, a, call);
    assert_eq!(response.headers.require().unwrap(), ["100rel"]);
    assert!((1..1 << 31).contains(&rseq(&response)));
    acknowledge(&mut net, &response, 11);
    assert_eq!(answered(&mut net).status, 200);
    net.run_for(Duration::from_secs(30));
    assert!(net.receive_all(PEER).is_empty(), "it is not repeated");
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    net.settle();
    let accepted = answered(&mut net);
    assert_eq!((accepted.status, accepted.body.len()), (200, 0), "the answer has been given");
}

#[test]
fn a_caller_that_requires_it_gets_every_one_reliably_and_each_after_the_one_before() {
    let (mut net, a, call) = called_with(MUST, Config::default());
    net.with(a, |ua, now| ua.ring(now, call));
    net.with(a, |ua, now| ua.progress(now, call, 183, Some(b"v=0".to_vec())));
    net.settle();
    let first = answered(&mut net);
    assert_eq!(first.status, 180);
    assert!(net.receive_all(PEER).is_empty(), "one at a time");
    acknowledge(&mut net, &first, 11);
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [200, 183]);
    assert_eq!(rseq(seen[1].as_response().unwrap()), rseq(&first) + 1);
}

#[test]
fn who_cannot_gets_them_as_ever() {
    let (mut net, a, call) = called_with("", Config::default());
    assert!(!early(&mut net, a, call).headers.has(&HeaderName::RSEQ));
    let (mut net, a, call) = called_with(CAN, Config { prack: Reliable::Off, ..Config::default() });
    assert!(!early(&mut net, a, call).headers.has(&HeaderName::RSEQ));
}

#[test]
fn what_is_switched_off_cannot_be_required_and_what_we_require_must_be_there() {
    for (extra, prack, status) in [(MUST, Reliable::Off, 420), ("", Reliable::Required, 421)] {
        let mut net = Net::new();
        let a = net.add(A, Config { prack, ..Config::default() });
        net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 10, "", extra), "v=0"));
        net.settle();
        let response = answered(&mut net);
        assert_eq!(response.status, status);
        assert_eq!(response.headers.get(&HeaderName::REQUIRE) == Some("100rel"), status == 421);
        assert!(net.events(a).is_empty());
    }
}

#[test]
fn without_a_prack_it_is_repeated_and_then_the_call_fails() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let start = net.now;
    early(&mut net, a, call);
    let mut times = Vec::new();
    while net.step(start + Duration::from_secs(40)) {
        for message in net.receive_all(PEER) {
            times.push((message.as_response().unwrap().status, (net.now - start).as_millis()));
        }
    }
    let repeated: Vec<u128> =
        times.iter().filter(|(status, _)| *status == 183).map(|(_, at)| at - 10).collect();
    assert_eq!(repeated, [500, 1500, 3500, 7500, 15500, 31500]);
    assert!(times.iter().any(|(status, at)| *status == 504 && *at == 32_010), "{times:?}");
    assert_eq!(ended(&net.call_events(a, call)).unwrap().text, "No PRACK");
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_prack_for_something_else_gets_481() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    let (number, tag) = (rseq(&response), own_tag(&response));
    for (n, (rack, status)) in [
        (format!("{} 10 INVITE", number + 1), 481),
        (format!("{number} 9 INVITE"), 481),
        (format!("{number} 10 UPDATE"), 400),
        (format!("{number}"), 400),
        ("9".repeat(10_000), 400),
        (format!("{number} 10 INVITE"), 200),
        (format!("{number} 10 INVITE"), 481),
    ]
    .into_iter()
    .enumerate()
    {
        let cseq = 11 + u32::try_from(n).unwrap();
        net.send(PEER, A, &prack(&format!("p{n}"), cseq, &tag, &rack));
        net.settle();
        let seen = statuses(&net.receive_all(PEER));
        let others: Vec<u16> = seen.into_iter().filter(|status| *status != 183).collect();
        assert_eq!(others, [status], "{rack:.60}");
    }
    let outside = prack("px", 90, "", "1 10 INVITE");
    net.send(PEER, A, &outside);
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn the_2xx_waits_for_the_prack_of_the_answer() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    acknowledge(&mut net, &response, 11);
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200]);
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1a", 10, &own_tag(&response), ""));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Confirmed { sdp: None }]));
}

#[test]
fn the_2xx_does_not_wait_for_a_prack_without_sdp() {
    let (mut net, a, call) = called_with(MUST, Config::default());
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let ringing = answered(&mut net);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    let accepted = answered(&mut net);
    assert_eq!((accepted.status, accepted.body.as_slice()), (200, &b"v=0"[..]));
    acknowledge(&mut net, &ringing, 11);
    assert!(statuses(&net.receive_all(PEER)).contains(&200), "its PRACK is taken late");
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_cancel_that_crosses_the_prack_ends_the_call() {
    for prack_first in [true, false] {
        let (mut net, a, call) = called_with(CAN, Config::default());
        let response = early(&mut net, a, call);
        net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
        let cancel = request("CANCEL", "sip:alice@192.0.2.1", "1", 10, "", "");
        if !prack_first {
            net.send(PEER, A, &cancel);
        }
        acknowledge(&mut net, &response, 11);
        if prack_first {
            net.send(PEER, A, &cancel);
        }
        net.settle();
        let seen = statuses(&net.receive_all(PEER));
        let cause = ended(&net.call_events(a, call));
        match prack_first {
            // the 2xx went out with the answer to the PRACK: the CANCEL comes too late
            true => assert_eq!((&seen[..], cause.is_none()), (&[200, 200, 200][..], true)),
            false => {
                assert_eq!((seen.contains(&487), seen.contains(&481), cause.unwrap().code), (true, true, 487))
            }
        }
    }
}

#[test]
fn a_refusal_does_not_wait_for_the_prack() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    early(&mut net, a, call);
    net.with(a, |ua, now| ua.reject(now, call, 486, ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 486);
}

#[test]
fn an_invite_without_offer_gets_ours_reliably_and_the_prack_brings_the_answer() {
    let (mut net, a, call) = incoming(&invitation(10, CAN), Config::default());
    let response = early(&mut net, a, call);
    acknowledge_with(&mut net, &response, "v=0 answer");
    assert_eq!(answered(&mut net).status, 200);
    assert!(
        matches!(&net.call_events(a, call)[..], [CallEvent::ReofferAnswered { sdp }] if sdp == b"v=0 answer")
    );
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    net.settle();
    assert!(answered(&mut net).body.is_empty());
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1a", 10, &own_tag(&response), ""));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Confirmed { sdp: None }]));
}

#[test]
fn a_prack_may_offer_anew_and_is_answered_by_the_owner() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    acknowledge_with(&mut net, &response, "v=0 anew");
    assert!(
        matches!(&net.call_events(a, call)[..], [CallEvent::Reoffer { offer: Some(sdp) }] if sdp == b"v=0 anew")
    );
    assert!(net.receive_all(PEER).is_empty());
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 agreed".to_vec()));
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 agreed".to_vec()));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [200, 200]);
    assert_eq!((seen[0].body(), seen[1].body()), (&b"v=0 agreed"[..], &b""[..]));
}

#[test]
fn an_answer_that_waits_goes_out_after_an_offer_in_the_prack_was_answered() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    acknowledge_with(&mut net, &response, "v=0 anew");
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 agreed".to_vec()));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [200, 200]);
    assert_eq!(seen[0].headers().cseq().unwrap().method.as_str(), "PRACK");
}

#[test]
fn an_answer_that_waits_goes_out_too_where_the_offer_in_the_prack_is_refused() {
    for nobody_decides in [true, false] {
        let (mut net, a, call) = called_with(CAN, Config::default());
        let response = early(&mut net, a, call);
        net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
        acknowledge_with(&mut net, &response, "v=0 anew");
        assert!(net.receive_all(PEER).is_empty());
        if nobody_decides {
            net.run_for(Duration::from_secs(20));
        } else {
            net.with(a, |ua, now| ua.reject(now, call, 488, ""));
            net.settle();
        }
        let refused = if nobody_decides { 504 } else { 488 };
        assert_eq!(statuses(&net.receive_all(PEER)), [refused, 200]);
        assert!(ended(&net.call_events(a, call)).is_none());
    }
}

#[test]
fn a_prack_that_cannot_be_read_leaves_the_response_to_be_acknowledged() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    net.send(PEER, A, &with_body(&prack_for(&response, 11), "text/plain", "hello"));
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).contains(&415));
    acknowledge(&mut net, &response, 12);
    let seen = statuses(&net.receive_all(PEER));
    assert_eq!(seen.iter().filter(|status| **status == 200).count(), 2, "{seen:?}");
}

#[test]
fn the_callee_may_update_once_its_answer_was_acknowledged() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0 two".to_vec())));
    assert!(
        matches!(&net.call_events(a, call)[..], [CallEvent::ReofferFailed { cause }] if cause.code == 491)
    );
    acknowledge(&mut net, &response, 11);
    net.receive_all(PEER);
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0 two".to_vec())));
    net.settle();
    let update = received(&mut net);
    net.send(PEER, A, &with_sdp(&reply(&update, 200, "peertag", "").replace("\r\n", "\n"), "v=0 answer"));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::ReofferAnswered { .. }]));
}

#[test]
fn a_callers_early_update_is_taken_after_the_answer_and_gets_500_before() {
    let (mut net, a, call) = called_with(CAN, Config::default());
    let response = early(&mut net, a, call);
    let update = |branch: &str, cseq| {
        with_sdp(&request("UPDATE", "sip:alice@192.0.2.1", branch, cseq, &own_tag(&response), ""), "v=0 two")
    };
    net.send(PEER, A, &update("u1", 11));
    net.settle();
    assert_eq!(answered(&mut net).status, 500);
    acknowledge(&mut net, &response, 12);
    answered(&mut net);
    net.send(PEER, A, &update("u2", 13));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Reoffer { .. }]));
    net.with(a, |ua, now| ua.reject(now, call, 488, ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 488, "that was about the UPDATE");
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 early".to_vec()));
    net.settle();
    assert_eq!(answered(&mut net).status, 200);
}

#[test]
fn a_long_ring_is_repeated_under_a_number_of_its_own() {
    let (mut net, a, call) = called_with(MUST, Config::default());
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let first = answered(&mut net);
    acknowledge(&mut net, &first, 11);
    net.receive_all(PEER);
    net.run_for(Duration::from_secs(60));
    let again = answered(&mut net);
    assert_eq!((again.status, rseq(&again)), (180, rseq(&first) + 1));
}

#[test]
fn progress_without_end_is_not_kept_without_end() {
    let (mut net, a, call) = called_with(MUST, Config::default());
    for _ in 0..1000 {
        net.with(a, |ua, now| ua.progress(now, call, 183, None));
    }
    net.settle();
    let mut sent = 0;
    while let Some(message) = net.receive(PEER) {
        let Some(response) = message.as_response().filter(|response| response.status == 183) else {
            continue;
        };
        sent += 1;
        acknowledge(&mut net, &response.clone(), 10 + sent);
    }
    assert!(sent <= 10, "{sent}");
}

#[test]
fn two_user_agents_do_it_all_under_loss() {
    let (mut net, a, b) = pair();
    net.link.loss = 30;
    net.link.duplicates = 20;
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.run_for(Duration::from_secs(5));
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.progress(now, theirs, 183, Some(b"v=0 early".to_vec())));
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 early".to_vec()));
    net.run_for(Duration::from_secs(20));
    let events = net.call_events(a, ours);
    let early = events.iter().filter(|event| matches!(event, CallEvent::Provisional { sdp: Some(_), .. }));
    assert_eq!(early.count(), 1);
    assert!(
        matches!(events.last(), Some(CallEvent::Answered { sdp, .. }) if sdp == b"v=0 early"),
        "{events:?}"
    );
    net.link.loss = 0;
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}
