use std::time::Duration;

use sidetone_sip::message::Message;
use sidetone_sip::{CallEvent, Side};

use super::kit::*;
use super::net::ended;

#[test]
fn cancelling_a_ringing_call_ends_both_sides_with_487() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.ring(now, theirs));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.settle();
    let (mine, other) =
        (ended(&net.call_events(a, ours)).unwrap(), ended(&net.call_events(b, theirs)).unwrap());
    assert_eq!((mine.code, mine.by, other.code, other.by), (487, Side::Local, 487, Side::Remote));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn the_reason_of_a_cancel_reaches_the_callee() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let theirs = net.incoming(b);
    net.with(a, |ua, now| ua.hang_up(now, ours, Some("Call completed elsewhere")));
    net.settle();
    let cause = ended(&net.call_events(b, theirs)).unwrap();
    assert_eq!((cause.code, cause.text.as_str()), (200, "Call completed elsewhere"));
}

#[test]
fn cancel_waits_for_a_provisional() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    assert_eq!(net.receive_all(PEER).len(), 0, "no CANCEL before a provisional");
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 487);
    net.send(PEER, A, &reply(&invite, 100, "", ""));
    net.settle();
    let cancel = received(&mut net);
    assert_eq!(cancel.method.as_str(), "CANCEL");
    assert_eq!(cancel.uri, invite.uri);
    assert_eq!(cancel.headers.top_via(), invite.headers.top_via());
    assert_eq!(cancel.headers.cseq().unwrap().number, invite.headers.cseq().unwrap().number);
    net.send(PEER, A, &reply(&cancel, 200, "t", ""));
    net.send(PEER, A, &reply(&invite, 487, "t", ""));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    net.run_out();
    net.assert_empty(a);
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &reply(&invite, 180, "t", "Contact: <sip:t@192.0.2.9:5060>"));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.send(PEER, A, &accept(&invite, "t"));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["CANCEL", "ACK", "BYE"]);
    let bye = requests(&seen)[2];
    assert_eq!(bye.headers.to().unwrap().tag(), Some("t"));
    net.send(PEER, A, &reply(requests(&seen)[0], 200, "t", ""));
    net.send(PEER, A, &reply(bye, 200, "t", ""));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 487);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn hanging_up_before_anything_was_sent_sends_nothing() {
    let (mut net, a, _) = pair();
    net.hold_questions = true;
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().by, Side::Local);
    let (_, query, ..) = net.questions.pop().unwrap();
    net.with(a, |ua, now| {
        ua.handle_input(now, sidetone_sip::Input::Resolved { query, result: Err("late".to_owned()) });
    });
    net.settle();
    assert!(net.log.is_empty());
    net.assert_empty(a);
}

#[test]
fn a_cancelled_invite_that_never_ends_is_given_up_after_64_t1() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &reply(&invite, 100, "", ""));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.run_for(Duration::from_secs(40));
    net.assert_empty(a);
}

#[test]
fn a_cancel_for_nothing_gets_481() {
    let (mut net, _, _) = pair();
    net.send(PEER, A, &request("CANCEL", "sip:alice@192.0.2.1", "none", 1, "", ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
}

#[test]
fn a_cancel_after_the_2xx_has_no_effect() {
    let (mut net, a, _) = pair();
    let invite = request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "");
    net.send(PEER, A, &invite);
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.send(PEER, A, &request("CANCEL", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [100, 200, 200]);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_cancel_gets_200_with_the_tag_of_the_invites_487() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.send(PEER, A, &request("CANCEL", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let seen: Vec<Message> = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [100, 200, 487]);
    let tag = |message: &Message| message.headers().to().unwrap().tag().map(str::to_owned);
    assert_eq!(tag(&seen[1]), tag(&seen[2]));
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::Ended { .. }]));
}
