use std::time::Duration;

use sidetone_sip::message::HeaderName;
use sidetone_sip::{CallEvent, CallId, Hop, Input, Refer, Transport};

use super::kit::*;
use super::net::{LATENCY, Net, address, ended};

fn reoffer(net: &mut Net, node: usize, call: CallId, sdp: &str) {
    let sdp = sdp.as_bytes().to_vec();
    net.with(node, |ua, now| ua.reinvite(now, call, sdp));
}

#[test]
fn a_reoffer_is_answered_in_either_direction() {
    assert_offers_reach(|ua, now, call, sdp| ua.reinvite(now, call, sdp));
}

#[test]
fn a_refused_reoffer_leaves_the_call_as_it_was() {
    assert_refusal_keeps_the_call(|ua, now, call, sdp| ua.reinvite(now, call, sdp));
}

#[test]
fn two_reoffers_that_meet_get_491_and_both_come_through_in_the_end() {
    let (mut net, a, b, ours, theirs) = connected();
    reoffer(&mut net, a, ours, "v=0 from a");
    reoffer(&mut net, b, theirs, "v=0 from b");
    let (mut at_a, mut at_b) = (Vec::new(), Vec::new());
    let end = net.now + Duration::from_secs(20);
    while net.step(end) {
        for event in net.call_events(a, ours) {
            if matches!(event, CallEvent::Reoffer { .. }) {
                net.with(a, |ua, now| ua.answer(now, ours, b"v=0 a agrees".to_vec()));
            }
            at_a.push(event);
        }
        for event in net.call_events(b, theirs) {
            if matches!(event, CallEvent::Reoffer { .. }) {
                net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 b agrees".to_vec()));
            }
            at_b.push(event);
        }
    }
    let statuses: Vec<u16> = net
        .log
        .iter()
        .filter_map(|(_, _, bytes)| {
            String::from_utf8_lossy(bytes).strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
        })
        .collect();
    assert!(statuses.iter().filter(|status| **status == 491).count() >= 2);
    let answered =
        |events: &[CallEvent]| events.iter().any(|event| matches!(event, CallEvent::ReofferAnswered { .. }));
    assert!(answered(&at_a) && answered(&at_b), "{at_a:?} {at_b:?}");
    // the owner of the Call-ID waits longer (RFC 3261 section 14.1)
    let firsts: Vec<&str> = at_a
        .iter()
        .map(|event| if matches!(event, CallEvent::Reoffer { .. }) { "in" } else { "out" })
        .collect();
    assert_eq!(firsts, ["in", "out"]);
}

#[test]
fn a_second_own_reoffer_while_one_is_pending_fails_at_once() {
    let (mut net, a, _, ours, _) = connected();
    reoffer(&mut net, a, ours, "v=0 one");
    reoffer(&mut net, a, ours, "v=0 two");
    let events = net.call_events(a, ours);
    assert!(matches!(&events[..], [CallEvent::ReofferFailed { cause }] if cause.code == 491));
}

/// A peer that gets a request before the ACK that went before it, as over UDP through a proxy with several workers, refuses it:
/// JsSIP with 403, and takes no ACK of that 2xx any more.
#[test]
fn what_follows_an_ack_over_udp_does_not_overtake_it() {
    let (mut net, a, call, _) = calling();
    reoffer(&mut net, a, call, "v=0 one");
    net.settle();
    let one = received(&mut net);
    net.send(PEER, A, &accept(&one, "peertag"));
    net.run_for(LATENCY);
    // As soon as the first is answered.
    reoffer(&mut net, a, call, "v=0 two");
    let refer = Refer::blind("sip:carol@192.0.2.3".parse().unwrap());
    net.with(a, |ua, now| ua.refer(now, call, refer.clone()));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    net.send(PEER, A, &accept(&one, "peertag"));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"], "it had not come, and was asked for again");
    net.with(a, |ua, now| ua.refer(now, call, refer));
    let events = net.call_events(a, call);
    assert!(
        matches!(events.last(), Some(CallEvent::ReferRefused { cause }) if cause.code == 491),
        "{events:?}"
    );
    net.settle();
    let mut followed = methods(&net.receive_all(PEER));
    followed.sort();
    assert_eq!(followed, ["INVITE", "REFER"]);
}

/// As where a call is held to be transferred: nothing else wakes the user agent.
#[test]
fn a_refer_follows_the_ack_of_a_hold_by_itself() {
    let (mut net, a, call, _) = calling();
    reoffer(&mut net, a, call, "v=0 held");
    net.settle();
    let hold = received(&mut net);
    net.send(PEER, A, &accept(&hold, "peertag"));
    net.run_for(LATENCY);
    let refer = Refer::blind("sip:carol@192.0.2.3".parse().unwrap());
    net.with(a, |ua, now| ua.refer(now, call, refer));
    net.run_for(Duration::from_millis(400));
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK", "REFER"]);
}

/// As in a call that the peer placed, in which nothing has gone out before.
#[test]
fn what_follows_an_ack_waits_while_its_address_is_looked_up() {
    let (mut net, a, call, tag) = called();
    reoffer(&mut net, a, call, "v=0 one");
    net.settle();
    let one = received(&mut net);
    net.hold_questions = true;
    net.send(PEER, A, &accept(&one, &tag));
    net.run_for(LATENCY);
    reoffer(&mut net, a, call, "v=0 two");
    net.run_for(Duration::from_secs(1));
    assert!(net.receive_all(PEER).is_empty());
    let (_, query, ..) = net.questions.remove(0);
    assert!(net.questions.is_empty(), "it is asked once");
    let hop = Hop::new(Transport::Udp, address(A), address(PEER));
    net.with(a, |ua, now| ua.handle_input(now, Input::Resolved { query, result: Ok(vec![hop]) }));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["INVITE"]);
}

#[test]
fn a_connection_keeps_the_order_of_an_ack_and_what_follows_it() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9;transport=tcp");
    net.settle();
    let invite = received(&mut net);
    let answer = accept(&invite, "t").replace(&format!("@{PEER}>"), &format!("@{PEER};transport=tcp>"));
    net.send_over(Transport::Tcp, PEER, A, &answer);
    net.run_for(LATENCY);
    reoffer(&mut net, a, call, "v=0");
    net.run_for(2 * LATENCY);
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK", "INVITE"]);
}

#[test]
fn a_refusal_with_481_ends_the_call() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    net.receive_all(PEER);
    reoffer(&mut net, a, call, "v=0");
    net.settle();
    let again = received(&mut net);
    net.send(PEER, A, &reply(&again, 481, "t", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 481);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn an_overlapping_reinvite_gets_500_with_retry_after() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""), "v=0 one"));
    net.settle();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "3", 12, &tag, ""), "v=0 two"));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [100, 500]);
    assert!(seen[1].headers().retry_after().unwrap().unwrap() <= 10);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).contains(&200));
}

#[test]
fn an_out_of_order_cseq_gets_500() {
    let (mut net, a, call, tag) = called();
    for (method, branch) in [("INVITE", "2"), ("BYE", "3"), ("OPTIONS", "4")] {
        net.send(PEER, A, &request(method, "sip:alice@192.0.2.1", branch, 9, &tag, ""));
        net.settle();
        assert_eq!(answered(&mut net).status, 500, "{method}");
    }
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_reinvite_without_offer_gets_ours_and_its_ack_brings_the_answer() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Reoffer { offer: None }]));
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 our offer".to_vec()));
    net.settle();
    net.send(PEER, A, &with_sdp(&request("ACK", "sip:alice@192.0.2.1", "2a", 11, &tag, ""), "v=0 answer"));
    net.settle();
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::Confirmed { sdp: Some(sdp) }] if sdp == b"v=0 answer"));
}

#[test]
fn a_reinvite_moves_the_target_of_later_requests() {
    let (mut net, a, call, tag) = called();
    let moved = with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""), "v=0")
        .replace("Contact: <sip:peer@192.0.2.9:5060>", "Contact: <sip:peer@192.0.2.44:5066>");
    net.send(PEER, A, &moved);
    net.settle();
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2a", 11, &tag, ""));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let seen = net.receive_all("192.0.2.44:5066");
    assert_eq!(methods(&seen), ["BYE"]);
    assert_eq!(requests(&seen)[0].uri.to_string(), "sip:peer@192.0.2.44:5066");
}

#[test]
fn a_reinvite_in_an_unknown_dialog_gets_481() {
    let (mut net, _, _, _) = called();
    for method in ["INVITE", "BYE", "OPTIONS"] {
        net.send(PEER, A, &request(method, "sip:alice@192.0.2.1", &format!("x{method}"), 20, "unknown", ""));
        net.settle();
        assert_eq!(answered(&mut net).status, 481, "{method}");
    }
}

#[test]
fn a_bye_refuses_the_reinvite_that_is_pending() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""), "v=0 one"));
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "3", 12, &tag, ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100, 200, 487]);
    assert!(ended(&net.call_events(a, call)).is_some());
}

#[test]
fn a_cancelled_reinvite_leaves_the_call_as_it_was() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""), "v=0 one"));
    net.settle();
    net.send(PEER, A, &request("CANCEL", "sip:alice@192.0.2.1", "2", 11, &tag, ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100, 200, 487]);
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::Reoffer { .. }, CallEvent::ReofferFailed { .. }]));
}

#[test]
fn a_reinvite_that_nobody_answers_is_refused_and_gives_way() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "2", 11, &tag, ""), "v=0 one"));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Reoffer { .. }]));
    net.run_for(Duration::from_secs(59));
    assert_eq!(statuses(&net.receive_all(PEER)), [100]);
    net.run_for(Duration::from_secs(2));
    assert_eq!(statuses(&net.receive_all(PEER))[0], 504);
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::ReofferFailed { .. }]), "{events:?}");
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2", 11, &tag, ""));
    // The call is as it was, and another offer can come.
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "3", 12, &tag, ""), "v=0 two"));
    net.settle();
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).contains(&200));
}

#[test]
fn options_in_a_dialog_is_answered() {
    let (mut net, _, _, tag) = called();
    net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "2", 11, &tag, ""));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.headers.has(&HeaderName::ALLOW)), (200, true));
}

#[test]
fn a_reinvite_that_gets_nothing_but_100_is_cancelled_and_gives_way() {
    let (mut net, a, call, _) = calling();
    reoffer(&mut net, a, call, "v=0 one");
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 100, "peertag", ""));
    net.run_for(Duration::from_secs(61));
    assert_eq!(methods(&net.receive_all(PEER))[0], "CANCEL");
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::ReofferFailed { cause }] if cause.code == 408), "{events:?}");
    reoffer(&mut net, a, call, "v=0 two");
    net.settle();
    assert!(methods(&net.receive_all(PEER)).contains(&"INVITE".to_owned()));
    net.send(PEER, A, &reply(&first, 487, "peertag", ""));
    net.settle();
    assert!(net.call_events(a, call).is_empty(), "the late refusal is that of the first");
}

#[test]
fn a_2xx_to_our_reinvite_that_crosses_our_bye_is_acknowledged() {
    let (mut net, a, call, _) = calling();
    reoffer(&mut net, a, call, "v=0 hold");
    net.settle();
    let again = received(&mut net);
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.send(PEER, A, &accept(&again, "peertag"));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["BYE", "ACK"]);
    for request in requests(&seen).iter().filter(|request| request.method.as_str() == "BYE") {
        net.send(PEER, A, &reply(request, 200, "peertag", ""));
    }
    net.run_out();
    net.assert_empty(a);
}
