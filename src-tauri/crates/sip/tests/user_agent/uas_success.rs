//! The 2xx that the callee's core repeats until its ACK: RFC 3261 section 13.3.1.4.

use std::time::Duration;

use sidetone_sip::{CallEvent, CallId, Config, Side};

use super::kit::*;
use super::net::{Net, ended};

fn answered_call() -> (Net, usize, CallId, String) {
    let (mut net, a, call) = incoming(&with_sdp(&invitation(1, ""), "v=0"), Config::default());
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.run_for(Duration::from_millis(20));
    let tag = own_tag(&answered(&mut net));
    (net, a, call, tag)
}

#[test]
fn the_2xx_is_repeated_until_its_ack() {
    let (mut net, a, call, tag) = answered_call();
    net.run_for(Duration::from_secs(8));
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200, 200, 200], "after 0.5, 1.5, 3.5 and 7.5 seconds");
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2", 1, &tag, ""));
    net.run_for(Duration::from_secs(20));
    assert!(net.receive_all(PEER).is_empty());
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Confirmed { .. }]));
}

#[test]
fn without_ack_the_call_is_ended_by_bye_after_64_t1() {
    let (mut net, a, call, _) = answered_call();
    net.run_for(Duration::from_millis(31_800));
    assert!(methods(&net.receive_all(PEER)).is_empty());
    net.run_for(Duration::from_millis(400));
    assert_eq!(methods(&net.receive_all(PEER)), ["BYE"]);
    let cause = ended(&net.call_events(a, call)).unwrap();
    assert_eq!((cause.code, cause.by), (408, Side::Network));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_callee_that_hangs_up_waits_for_the_ack_with_its_bye() {
    let (mut net, a, call, tag) = answered_call();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    assert!(ended(&net.call_events(a, call)).is_some());
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2", 1, &tag, ""));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["BYE"]);
    net.send(PEER, A, &reply(requests(&seen)[0], 200, "", ""));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_repeated_invite_after_the_2xx_makes_no_second_call() {
    let (mut net, a, _, _) = answered_call();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""), "v=0"));
    net.settle();
    assert_eq!(net.load(a).calls, 1);
    assert!(net.events(a).is_empty());
}

#[test]
fn an_ack_with_another_cseq_does_not_confirm() {
    let (mut net, a, call, tag) = answered_call();
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2", 2, &tag, ""));
    net.settle();
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_failure_is_repeated_until_its_ack() {
    let (mut net, a, call) = incoming(&invitation(1, ""), Config::default());
    net.with(a, |ua, now| ua.reject(now, call, 486, ""));
    net.run_for(Duration::from_secs(2));
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [486, 486, 486]);
    let tag = own_tag(seen[0].as_response().unwrap());
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1", 1, &tag, ""));
    net.run_for(Duration::from_secs(10));
    assert!(net.receive_all(PEER).is_empty());
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_provisional_is_repeated_every_minute() {
    let (mut net, _, _, _) = ringing_here();
    net.run_for(Duration::from_secs(130));
    assert_eq!(statuses(&net.receive_all(PEER)), [180, 180]);
}

#[test]
fn a_bye_before_the_final_response_ends_the_invite_with_487() {
    let (mut net, a, call, tag) = ringing_here();
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "2", 2, &tag, ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 487]);
    assert_eq!(ended(&net.call_events(a, call)).unwrap().by, Side::Remote);
}
