//! The transferee: RFC 3515, RFC 4488.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Message, Request};
use sidetone_sip::{CallEvent, CallId, Refer};

use super::kit::*;
use super::net::{Net, ended};

fn refer(branch: &str, cseq: u32, tag: &str, refer_to: &str, extra: &str) -> String {
    let extra = format!("Refer-To: {refer_to}\n{extra}");
    request("REFER", "sip:alice@192.0.2.1", branch, cseq, tag, &extra)
}

/// PEER has asked A for a transfer: `Ok` if A was told.
fn asked(refer_to: &str, extra: &str) -> (Net, usize, CallId, String, Option<CallEvent>) {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &refer("2", 11, &tag, refer_to, extra));
    net.settle();
    let event = net.call_events(a, call).pop();
    (net, a, call, tag, event)
}

/// The status line that a NOTIFY carries, and its Subscription-State.
fn report(notify: &Request) -> (String, String) {
    assert_eq!(notify.method.as_str(), "NOTIFY");
    let line = String::from_utf8(notify.body.clone()).unwrap().trim().to_owned();
    (line, notify.headers.get(&HeaderName::SUBSCRIPTION_STATE).unwrap().to_owned())
}

/// Answers the NOTIFY that PEER has got, and gives what it said.
fn next_report(net: &mut Net, status: u16) -> (String, String) {
    let notify = received(net);
    net.send(PEER, A, &reply(&notify, status, "peertag", ""));
    net.settle();
    report(&notify)
}

#[test]
fn a_transfer_between_two_user_agents_is_reported_to_its_end() {
    let (mut net, a, b, ours, theirs) = connected();
    let carol = "sip:carol@192.0.2.3";
    net.with(a, |ua, now| ua.refer(now, ours, Refer::blind(carol.parse().unwrap())));
    net.settle();
    let events = net.call_events(b, theirs);
    assert!(
        matches!(&events[..], [CallEvent::ReferRequested { target, replaces: None, referred_by: None }] if target.to_string() == carol)
    );
    assert!(net.with(b, |ua, now| ua.accept_refer(now, theirs)));
    for (status, reason) in [(180, "Ringing"), (183, ""), (200, "OK")] {
        net.with(b, |ua, now| ua.notify_refer(now, theirs, status, reason));
    }
    net.settle();
    let events = net.call_events(a, ours);
    assert!(matches!(events.first(), Some(CallEvent::ReferAccepted { status: 202 })), "{events:?}");
    assert!(matches!(events.last(), Some(CallEvent::ReferFinal { status: 200, .. })), "{events:?}");
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn an_accepted_transfer_gets_202_and_its_reports_one_after_another() {
    let (mut net, a, call, _, event) = asked("<sip:carol@192.0.2.3>", "Referred-By: <sip:peer@192.0.2.9>\n");
    assert!(matches!(
        event,
        Some(CallEvent::ReferRequested { referred_by: Some(by), .. }) if by.uri.to_string() == "sip:peer@192.0.2.9"
    ));
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.with(a, |ua, now| ua.notify_refer(now, call, 180, "Ringing"));
    net.with(a, |ua, now| ua.notify_refer(now, call, 486, "Busy Here"));
    net.settle();
    let accepted = answered(&mut net);
    assert_eq!((accepted.status, accepted.headers.has(&HeaderName::CONTACT)), (202, true));
    assert_eq!(next_report(&mut net, 200), ("SIP/2.0 100 Trying".into(), "active;expires=180".into()));
    assert_eq!(
        next_report(&mut net, 200),
        ("SIP/2.0 486 Busy Here".into(), "terminated;reason=noresource".into())
    );
    assert!(net.receive_all(PEER).is_empty());
    assert!(!net.with(a, |ua, now| ua.accept_refer(now, call)), "there is none any more");
}

#[test]
fn an_attended_transfer_tells_the_dialog_to_replace() {
    let uri = "<sip:carol@192.0.2.3?Replaces=id%4012%3Bto-tag%3Dt%3Bfrom-tag%3Df&Require=replaces>";
    let (_, _, _, _, event) = asked(uri, "");
    let Some(CallEvent::ReferRequested { target, replaces: Some(name), .. }) = event else { panic!() };
    assert_eq!(target.to_string(), "sip:carol@192.0.2.3", "the headers of the URI go nowhere else");
    assert_eq!(
        (name.call_id.as_str(), name.to_tag.as_str(), name.from_tag.as_str(), name.early_only),
        ("id@12", "t", "f", false)
    );
}

#[test]
fn a_refused_transfer_gets_its_status_and_no_report() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    assert!(net.with(a, |ua, now| ua.refuse_refer(now, call, 603, "")));
    net.settle();
    assert_eq!(answered(&mut net).status, 603);
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, "OK"));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    net.send(PEER, A, &refer("3", 12, &tag, "<sip:dave@192.0.2.4>", ""));
    net.settle();
    assert_eq!(net.call_events(a, call).len(), 1, "another may follow");
}

#[test]
fn who_takes_long_to_decide_is_answered_for_and_decides_by_a_report() {
    for accept in [true, false] {
        let (mut net, a, call, _, _) = asked("<sip:carol@192.0.2.3>", "");
        net.run_for(Duration::from_millis(20_200));
        assert_eq!(answered(&mut net).status, 202);
        assert_eq!(next_report(&mut net, 200), ("SIP/2.0 100 Trying".into(), "pending;expires=180".into()));
        if accept {
            net.with(a, |ua, now| ua.accept_refer(now, call));
            net.settle();
            assert_eq!(next_report(&mut net, 200).1, "active;expires=180");
        } else {
            net.with(a, |ua, now| ua.refuse_refer(now, call, 603, "Decline"));
            net.settle();
            let refused = ("SIP/2.0 603 Decline".into(), "terminated;reason=rejected".into());
            assert_eq!(next_report(&mut net, 200), refused);
        }
    }
}

#[test]
fn a_transfer_that_nobody_decides_on_or_reports_ends_by_itself() {
    let (mut net, a, call, _, _) = asked("<sip:carol@192.0.2.3>", "");
    net.run_for(Duration::from_millis(20_200));
    answered(&mut net);
    next_report(&mut net, 200);
    net.run_for(Duration::from_secs(181));
    assert_eq!(next_report(&mut net, 200).0, "SIP/2.0 408 Request Timeout");
    assert!(!net.with(a, |ua, now| ua.accept_refer(now, call)));
}

#[test]
fn a_transferor_that_wants_no_reports_gets_none() {
    let (mut net, a, call, tag, _) =
        asked("<sip:carol@192.0.2.3>", "Refer-Sub: false\nRequire: norefersub\n");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, "OK"));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.headers.get(&HeaderName::REFER_SUB)), (202, Some("false")));
    assert!(net.receive_all(PEER).is_empty());
    net.send(PEER, A, &refer("3", 12, &tag, "<sip:dave@192.0.2.4>", ""));
    net.settle();
    assert_eq!(net.call_events(a, call).len(), 1);
}

#[test]
fn reports_that_are_refused_stop() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.settle();
    answered(&mut net);
    next_report(&mut net, 481);
    net.with(a, |ua, now| ua.notify_refer(now, call, 180, ""));
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, ""));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    net.send(PEER, A, &refer("3", 12, &tag, "<sip:dave@192.0.2.4>", ""));
    net.settle();
    assert_eq!(net.call_events(a, call).len(), 1, "the transfer is over");
}

#[test]
fn the_reports_of_a_second_transfer_say_which_it_is() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.refuse_refer(now, call, 603, ""));
    net.send(PEER, A, &refer("3", 12, &tag, "<sip:dave@192.0.2.4>", ""));
    net.settle();
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.settle();
    let notify = net.receive_all(PEER).into_iter().find_map(|message| match message {
        Message::Request(request) => Some(request),
        Message::Response(_) => None,
    });
    assert_eq!(notify.unwrap().headers.get(&HeaderName::EVENT), Some("refer;id=12"));
}

#[test]
fn a_transfer_outlives_the_call_that_it_was_asked_in() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.settle();
    answered(&mut net);
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 200, "peertag", ""));
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "9", 12, &tag, ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 200);
    assert!(ended(&net.call_events(a, call)).is_some());
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, "OK"));
    net.settle();
    assert_eq!(next_report(&mut net, 200).1, "terminated;reason=noresource");
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_transfer_that_is_never_finished_does_not_keep_its_call() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "9", 12, &tag, ""));
    net.run_for(Duration::from_secs(300));
    net.assert_empty(a);
}

#[test]
fn the_last_report_and_our_bye_have_numbers_of_their_own() {
    let (mut net, a, call, _, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, "OK"));
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let seen = net.receive_all(PEER);
    let first = requests(&seen)[0].clone();
    net.send(PEER, A, &reply(&first, 200, "peertag", ""));
    net.settle();
    let mut all: Vec<u32> =
        requests(&seen).iter().map(|request| request.headers.cseq().unwrap().number).collect();
    all.push(received(&mut net).headers.cseq().unwrap().number);
    assert_eq!(all, [1, 2, 3], "NOTIFY, BYE, NOTIFY");
}

#[test]
fn a_bye_refuses_the_transfer_that_nobody_decided_on() {
    let (mut net, a, call, tag, _) = asked("<sip:carol@192.0.2.3>", "");
    net.send(PEER, A, &request("BYE", "sip:alice@192.0.2.1", "9", 12, &tag, ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 487]);
    assert!(!net.with(a, |ua, now| ua.accept_refer(now, call)));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_refer_outside_a_call_gets_403_and_before_the_answer_491() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &refer("1", 1, "", "<sip:carol@192.0.2.3>", ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 403);
    net.send(PEER, A, &refer("2", 1, "unknown", "<sip:carol@192.0.2.3>", ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "3", 2, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let tag = net.receive_all(PEER)[1].headers().to().unwrap().tag().unwrap().to_owned();
    net.send(PEER, A, &refer("4", 3, &tag, "<sip:carol@192.0.2.3>", ""));
    net.settle();
    assert_eq!(answered(&mut net).status, 491);
}

#[test]
fn a_refer_to_nowhere_is_refused() {
    let long = format!("<sip:{}@x>", "y".repeat(15_000));
    for (target, status) in [
        ("", 400),
        ("<sip:a@b>, <sip:c@d>", 400),
        ("<sip:a@b>\nRefer-To: <sip:c@d>", 400),
        ("<http://example.com>", 416),
        ("<sip:a@b;method=BYE>", 403),
        ("<sip:a@b?Replaces=broken>", 400),
        ("<sip:a@b?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=x>", 400),
        ("\\", 400),
        ("\"\\", 400),
        (&long, 0),
    ] {
        let (mut net, _, _, _, event) = asked(target, "");
        match status {
            // long, but it is an address
            0 => assert!(event.is_some()),
            _ => assert_eq!((answered(&mut net).status, event.is_none()), (status, true), "{target:.50}"),
        }
    }
}

#[test]
fn a_flood_of_refers_is_asked_about_once() {
    let (mut net, a, call, tag) = called();
    for n in 0..1000 {
        net.send(PEER, A, &refer(&format!("f{n}"), 100 + n, &tag, "<sip:carol@192.0.2.3>", ""));
    }
    net.settle();
    assert_eq!(net.call_events(a, call).len(), 1);
    let seen = statuses(&net.receive_all(PEER));
    assert_eq!(seen.len(), 999);
    assert!(seen.iter().all(|status| matches!(status, 491 | 500)));
    assert!(net.load(a).server_transactions < 110);
}

#[test]
fn a_report_that_was_overtaken_is_sent_again_and_the_final_one_arrives() {
    let (mut net, a, call, _, _) = asked("<sip:carol@192.0.2.3>", "");
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.settle();
    assert_eq!(answered(&mut net).status, 202);
    // Our own re-INVITE was faster (RFC 3261 section 12.2.2): 500 is no refusal of the reports.
    let trying = ("SIP/2.0 100 Trying".to_owned(), "active;expires=180".to_owned());
    assert_eq!(next_report(&mut net, 500), trying);
    net.with(a, |ua, now| ua.notify_refer(now, call, 200, "OK"));
    assert_eq!(next_report(&mut net, 200), trying);
    let done = ("SIP/2.0 200 OK".to_owned(), "terminated;reason=noresource".to_owned());
    for status in [500, 503, 500, 500] {
        assert_eq!(next_report(&mut net, status), done);
    }
    // It has been said often enough.
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.run_out();
    net.assert_empty(a);
}
