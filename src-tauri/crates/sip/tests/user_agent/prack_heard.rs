//! The caller's side of reliable provisional responses: RFC 3262, and UPDATE before the answer (RFC 3311).

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Request};
use sidetone_sip::user_agent::Reliable;
use sidetone_sip::{CallEvent, CallId, Invite};

use super::kit::*;
use super::net::{Net, ended};

/// A calls PEER: the call and its INVITE.
fn ringing(prack: Reliable) -> (Net, usize, CallId, Request) {
    let (mut net, a, _) = pair();
    let call = net.with(a, |ua, now| ua.invite(now, Invite { prack, ..invite("sip:peer@192.0.2.9") }));
    net.settle();
    let invite = received(&mut net);
    (net, a, call, invite)
}

fn progress(invite: &Request, tag: &str, rseq: &str, sdp: Option<&str>) -> String {
    let extra = format!("Contact: <sip:{tag}@{PEER}>\nRequire: 100rel\nRSeq: {rseq}\nAllow: UPDATE, PRACK");
    let text = reply(invite, 183, tag, &extra).replace("\r\n", "\n");
    sdp.map_or(text.clone(), |sdp| with_sdp(&text, sdp))
}

fn told(net: &mut Net, a: usize, call: CallId) -> Vec<CallEvent> {
    net.call_events(a, call).into_iter().filter(|event| !matches!(event, CallEvent::Trying)).collect()
}

/// PEER has answered the offer by a reliable response, and the PRACK for it has come.
fn answered_early() -> (Net, usize, CallId, Request) {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    net.send(PEER, A, &progress(&invite, "t", "1", Some("v=0 early")));
    net.settle();
    let prack = received(&mut net);
    net.send(PEER, A, &reply(&prack, 200, "t", ""));
    net.settle();
    net.call_events(a, call);
    (net, a, call, invite)
}

#[test]
fn a_reliable_response_is_acknowledged_once_and_told_once() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    assert!(invite.headers.supported().unwrap().contains(&"100rel".to_owned()));
    for _ in 0..3 {
        net.send(PEER, A, &progress(&invite, "t", "776656", Some("v=0 early")));
    }
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["PRACK"]);
    let prack = requests(&seen)[0];
    assert_eq!(prack.headers.get(&HeaderName::RACK), Some("776656 1 INVITE"));
    assert_eq!((prack.headers.cseq().unwrap().number, prack.uri.to_string()), (2, format!("sip:t@{PEER}")));
    assert_eq!(prack.headers.to().unwrap().tag(), Some("t"));
    let events = told(&mut net, a, call);
    assert!(matches!(&events[..], [CallEvent::Provisional { sdp: Some(sdp), .. }] if sdp == b"v=0 early"));
}

#[test]
fn responses_out_of_order_are_neither_acknowledged_nor_told() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    for rseq in ["5", "7", "4", "6", "7"] {
        net.send(PEER, A, &progress(&invite, "t", rseq, None));
    }
    net.settle();
    let seen = net.receive_all(PEER);
    let racks: Vec<_> =
        requests(&seen).iter().map(|prack| prack.headers.get(&HeaderName::RACK).unwrap()).collect();
    assert_eq!(racks, ["5 1 INVITE", "6 1 INVITE", "7 1 INVITE"]);
    assert_eq!(told(&mut net, a, call).len(), 3);
}

#[test]
fn each_branch_counts_for_itself() {
    let (mut net, _, _, invite) = ringing(Reliable::Supported);
    for (tag, rseq) in [("t1", "9"), ("t2", "1"), ("t1", "10"), ("t2", "2")] {
        net.send(PEER, A, &progress(&invite, tag, rseq, None));
        net.settle();
        let prack = received(&mut net);
        assert_eq!(prack.headers.to().unwrap().tag(), Some(tag));
        assert_eq!(prack.headers.get(&HeaderName::RACK).unwrap(), format!("{rseq} 1 INVITE"));
        net.send(PEER, A, &reply(&prack, 200, tag, ""));
    }
}

#[test]
fn a_number_that_is_none_makes_no_reliable_response() {
    for rseq in ["", "0", "-1", "x", "99999999999999999999"] {
        let (mut net, a, call, invite) = ringing(Reliable::Supported);
        net.send(PEER, A, &progress(&invite, "t", rseq, None));
        net.settle();
        assert!(net.receive_all(PEER).is_empty(), "{rseq}");
        assert_eq!(told(&mut net, a, call).len(), 1);
    }
    let (mut net, _, _, invite) = ringing(Reliable::Supported);
    for rseq in ["4294967295", "0", "4294967295"] {
        net.send(PEER, A, &progress(&invite, "t", rseq, None));
    }
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["PRACK"], "the largest number has no next one");
}

#[test]
fn a_flood_of_reliable_responses_is_not_acknowledged_for_ever() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    for n in 1..1000 {
        net.send(PEER, A, &progress(&invite, "t", &n.to_string(), None));
    }
    net.settle();
    assert_eq!(told(&mut net, a, call).len(), 100);
    assert!(net.load(a).client_transactions <= 101);
}

#[test]
fn thousands_of_early_dialogs_are_followed_up_to_the_limit() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    for n in 0..3000 {
        net.send(PEER, A, &progress(&invite, &format!("tag{n}"), "1", None));
    }
    net.settle();
    assert_eq!(told(&mut net, a, call).len(), 16);
    assert!(net.load(a).client_transactions <= 17);
}

#[test]
fn off_is_not_offered_and_required_is_required() {
    let (_, _, _, off) = ringing(Reliable::Off);
    assert!(!off.headers.supported().unwrap().contains(&"100rel".to_owned()));
    let (_, _, _, required) = ringing(Reliable::Required);
    assert_eq!(required.headers.require().unwrap(), ["100rel"]);
}

#[test]
fn the_answer_that_came_reliably_is_the_one_that_counts() {
    let (mut net, a, call, invite) = answered_early();
    net.send(PEER, A, &progress(&invite, "t", "2", Some("v=0 another")));
    net.send(PEER, A, &with_sdp(&reply(&invite, 180, "t", "").replace("\r\n", "\n"), "v=0 another"));
    net.settle();
    let events = told(&mut net, a, call);
    let without = |event: &CallEvent| matches!(event, CallEvent::Provisional { sdp: None, .. });
    assert!(events.len() == 2 && events.iter().all(without), "{events:?}");
    assert_eq!(methods(&net.receive_all(PEER)), ["PRACK"]);
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    let events = told(&mut net, a, call);
    assert!(matches!(&events[..], [CallEvent::Answered { sdp, .. }] if sdp == b"v=0 early"), "{events:?}");
    let ack = received(&mut net);
    assert_eq!(ack.method.as_str(), "ACK");
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    assert!(received(&mut net).headers.cseq().unwrap().number > 2, "the PRACK has used a number");
}

#[test]
fn a_cancel_while_the_prack_is_on_its_way_ends_the_call() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    net.send(PEER, A, &progress(&invite, "t", "1", None));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["PRACK", "CANCEL"]);
    for request in requests(&seen) {
        let status = if request.method.as_str() == "PRACK" { 481 } else { 200 };
        net.send(PEER, A, &reply(request, status, "t", ""));
    }
    net.send(PEER, A, &reply(&invite, 487, "t", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 487);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_prack_without_an_answer_does_not_end_the_call() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    net.send(PEER, A, &progress(&invite, "t", "1", None));
    net.run_for(Duration::from_secs(40));
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    assert!(told(&mut net, a, call).iter().any(|event| matches!(event, CallEvent::Answered { .. })));
}

#[test]
fn an_early_update_needs_an_answer_that_came_reliably() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    net.send(PEER, A, &progress(&invite, "t", "1", None));
    net.settle();
    net.receive_all(PEER);
    told(&mut net, a, call);
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0".to_vec())));
    assert!(
        matches!(&told(&mut net, a, call)[..], [CallEvent::ReofferFailed { cause }] if cause.code == 491)
    );
    net.send(PEER, A, &progress(&invite, "t", "2", Some("v=0 early")));
    net.settle();
    net.receive_all(PEER);
    told(&mut net, a, call);
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0 two".to_vec())));
    net.settle();
    let update = received(&mut net);
    assert_eq!((update.method.as_str(), update.headers.to().unwrap().tag()), ("UPDATE", Some("t")));
    net.send(PEER, A, &with_sdp(&reply(&update, 200, "t", "").replace("\r\n", "\n"), "v=0 newer"));
    net.settle();
    assert!(
        matches!(&told(&mut net, a, call)[..], [CallEvent::ReofferAnswered { sdp }] if sdp == b"v=0 newer")
    );
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    assert!(
        matches!(&told(&mut net, a, call)[..], [CallEvent::Answered { sdp, .. }] if sdp == b"v=0 newer"),
        "the call goes on with what was agreed last"
    );
}

fn early_update(invite: &Request, branch: &str, cseq: u32) -> String {
    let text = request_back(invite, "UPDATE", branch, cseq, "").replace("tag=peertag", "tag=t");
    with_sdp(&text, "v=0 update")
}

#[test]
fn the_peers_early_update_is_asked_about() {
    let (mut net, a, call, invite) = answered_early();
    net.send(PEER, A, &early_update(&invite, "u1", 1));
    net.settle();
    assert!(matches!(told(&mut net, a, call)[..], [CallEvent::Reoffer { offer: Some(_) }]));
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 agreed".to_vec()));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.body.as_slice()), (200, &b"v=0 agreed"[..]));
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    assert!(
        matches!(&told(&mut net, a, call)[..], [CallEvent::Answered { sdp, .. }] if sdp == b"v=0 update")
    );
}

#[test]
fn an_early_update_before_our_offer_was_answered_gets_491() {
    let (mut net, a, call, invite) = ringing(Reliable::Supported);
    net.send(PEER, A, &progress(&invite, "t", "1", None));
    net.settle();
    net.receive_all(PEER);
    told(&mut net, a, call);
    net.send(PEER, A, &early_update(&invite, "u1", 1));
    net.settle();
    assert_eq!(answered(&mut net).status, 491);
    assert!(told(&mut net, a, call).is_empty());
}

#[test]
fn an_update_of_a_branch_that_did_not_win_is_withdrawn() {
    let (mut net, a, call, invite) = answered_early();
    net.send(PEER, A, &early_update(&invite, "u1", 1));
    net.settle();
    told(&mut net, a, call);
    net.send(PEER, A, &accept(&invite, "winner"));
    net.settle();
    let events = told(&mut net, a, call);
    assert!(
        matches!(&events[..], [CallEvent::ReofferFailed { .. }, CallEvent::Answered { .. }]),
        "{events:?}"
    );
    assert!(statuses(&net.receive_all(PEER)).contains(&487));
}
