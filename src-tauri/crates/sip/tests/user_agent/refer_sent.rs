//! The transferor: RFC 3515, RFC 3892.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Message, NameAddr, Request};
use sidetone_sip::{CallEvent, CallId, DialogName, Refer, Side};

use super::kit::*;
use super::net::{Net, ended};

fn blind() -> Refer {
    Refer::blind("sip:carol@192.0.2.3".parse().unwrap())
}

/// A call of A to PEER, with a REFER that PEER has seen.
fn referring(refer: Refer) -> (Net, usize, CallId, Request, Request) {
    let (mut net, a, call, invite) = calling();
    net.with(a, |ua, now| ua.refer(now, call, refer));
    net.settle();
    let request = received(&mut net);
    assert_eq!(request.method.as_str(), "REFER");
    (net, a, call, invite, request)
}

fn notify(invite: &Request, cseq: u32, state: &str, line: &str) -> String {
    let extra = format!("Event: refer\nSubscription-State: {state}\n");
    let text = request_back(invite, "NOTIFY", &format!("n{cseq}"), cseq, &extra);
    with_body(&text, "message/sipfrag;version=2.0", &format!("{line}\r\n"))
}

fn told(net: &mut Net, node: usize, call: CallId) -> Vec<String> {
    net.call_events(node, call)
        .iter()
        .map(|event| match event {
            CallEvent::ReferAccepted { status } => format!("accepted {status}"),
            CallEvent::ReferRefused { cause } => format!("refused {cause}"),
            CallEvent::ReferProgress { status, reason } => format!("progress {status} {reason}"),
            CallEvent::ReferFinal { status, reason } => format!("final {status} {reason}"),
            CallEvent::Ended { cause } => format!("ended {cause}"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_blind_transfer_is_told_step_by_step() {
    let (mut net, a, call, invite, refer) = referring(blind());
    assert_eq!(refer.headers.get(&HeaderName::REFER_TO), Some("<sip:carol@192.0.2.3>"));
    assert!(refer.headers.has(&HeaderName::CONTACT));
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.settle();
    for (cseq, state, line) in [
        (1, "active;expires=60", "SIP/2.0 100 Trying"),
        (2, "active;expires=59", "SIP/2.0 180 Ringing"),
        (3, "terminated;reason=noresource", "SIP/2.0 200 OK"),
    ] {
        net.send(PEER, A, &notify(&invite, cseq, state, line));
        net.settle();
    }
    assert_eq!(
        told(&mut net, a, call),
        ["accepted 202", "progress 100 Trying", "progress 180 Ringing", "final 200 OK"]
    );
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200, 200]);
    net.send(PEER, A, &notify(&invite, 4, "active", "SIP/2.0 200 OK"));
    net.settle();
    assert_eq!(answered(&mut net).status, 481, "the subscription is over");
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn an_attended_transfer_names_the_dialog_in_refer_to() {
    let name = DialogName {
        call_id: "a%b;c@192.0.2.3".replace(';', "!"),
        to_tag: "t=1".to_owned(),
        from_tag: "f1".to_owned(),
        early_only: false,
    };
    let refer = Refer {
        to: "sip:carol@192.0.2.3?Subject=x".parse().unwrap(),
        replaces: Some(name.clone()),
        referred_by: Some(NameAddr::parse("<sip:alice@192.0.2.1>").unwrap()),
    };
    let (_, _, _, _, refer) = referring(refer);
    let value = refer.headers.get(&HeaderName::REFER_TO).unwrap();
    assert!(value.starts_with("<sip:carol@192.0.2.3?Replaces=a%25b!c%40192.0.2.3%3B"), "{value}");
    let uri = NameAddr::parse(value).unwrap().uri;
    assert_eq!(uri.headers.len(), 1, "no other header is handed over");
    assert_eq!(refer.headers.get(&HeaderName::REFERRED_BY), Some("<sip:alice@192.0.2.1>"));
}

#[test]
fn a_refusal_is_told_and_the_call_goes_on() {
    for status in [403, 481, 501, 603] {
        let (mut net, a, call, _, refer) = referring(blind());
        net.send(PEER, A, &reply(&refer, status, "peertag", ""));
        net.settle();
        assert!(
            matches!(&net.call_events(a, call)[..], [CallEvent::ReferRefused { cause }] if cause.code == status)
        );
        net.with(a, |ua, now| ua.refer(now, call, blind()));
        net.settle();
        assert_eq!(methods(&net.receive_all(PEER)), ["REFER"], "it may be tried again");
    }
}

#[test]
fn a_refer_without_an_answer_is_refused_with_408() {
    let (mut net, a, call, _, _) = referring(blind());
    net.run_for(Duration::from_secs(40));
    assert!(matches!(
        &net.call_events(a, call)[..],
        [CallEvent::ReferRefused { cause }] if cause.code == 408 && cause.by == Side::Network
    ));
}

#[test]
fn an_accepted_transfer_without_a_report_for_60_s_failed() {
    let (mut net, a, call, _, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.run_for(Duration::from_secs(59));
    assert_eq!(told(&mut net, a, call), ["accepted 202"]);
    net.run_for(Duration::from_secs(2));
    assert_eq!(told(&mut net, a, call), ["final 408 No report on the transfer"]);
}

#[test]
fn reports_without_a_final_one_for_60_s_failed_too() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    for cseq in 1..7 {
        net.run_for(Duration::from_secs(10));
        net.send(PEER, A, &notify(&invite, cseq, "active", "SIP/2.0 180 Ringing"));
    }
    net.run_for(Duration::from_secs(5));
    assert_eq!(told(&mut net, a, call).last().unwrap(), "final 408 No report on the transfer");
}

#[test]
fn a_subscription_that_ends_without_an_outcome_failed() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.send(PEER, A, &notify(&invite, 1, "terminated;reason=giveup", "SIP/2.0 100 Trying"));
    net.settle();
    let told = told(&mut net, a, call);
    assert_eq!(told[2], "final 408 The peer stopped reporting on the transfer");
    assert_eq!(told.len(), 3);
}

#[test]
fn a_notify_that_overtakes_the_202_is_taken() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &notify(&invite, 1, "active", "SIP/2.0 100 Trying"));
    net.settle();
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.settle();
    assert_eq!(told(&mut net, a, call), ["accepted 202", "progress 100 Trying"]);
    assert_eq!(answered(&mut net).status, 200);
}

#[test]
fn a_final_notify_that_overtakes_the_202_ends_the_transfer_once() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &notify(&invite, 1, "terminated", "SIP/2.0 200 OK"));
    net.settle();
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.run_for(Duration::from_secs(90));
    assert_eq!(told(&mut net, a, call), ["accepted 202", "final 200 OK"]);
}

#[test]
fn a_peer_that_will_not_report_is_not_waited_for() {
    let (mut net, a, call, _, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", "Refer-Sub: false"));
    net.settle();
    assert_eq!(told(&mut net, a, call), ["accepted 202", "final 408 The peer does not report the outcome"]);
}

#[test]
fn a_second_transfer_while_one_is_pending_fails_with_491() {
    let (mut net, a, call, _, _) = referring(blind());
    net.with(a, |ua, now| ua.refer(now, call, blind()));
    assert_eq!(told(&mut net, a, call), ["refused 491 A transfer is pending"]);
}

#[test]
fn a_refer_that_crosses_a_bye_ends_with_the_call() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &request_back(&invite, "BYE", "bye", 1, ""));
    net.send(PEER, A, &reply(&refer, 481, "peertag", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().by, Side::Remote);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_notify_without_a_subscription_gets_481() {
    let (mut net, a, call, tag) = called();
    let extra = "Event: refer\nSubscription-State: active\n";
    let text = request("NOTIFY", "sip:alice@192.0.2.1", "2", 11, &tag, extra);
    net.send(PEER, A, &with_body(&text, "message/sipfrag", "SIP/2.0 200 OK\r\n"));
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_notify_that_is_none_of_ours_is_refused_by_its_fault() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    net.settle();
    net.call_events(a, call);
    let good = |cseq| notify(&invite, cseq, "active", "SIP/2.0 200 OK");
    for (cseq, text, status) in [
        (1, good(1).replace("Event: refer", "Event: presence"), 489),
        (2, good(2).replace("Event: refer\n", ""), 489),
        (3, good(3).replace("Event: refer", "Event: refer;id=77"), 481),
        (4, good(4).replace("message/sipfrag", "text/plain"), 415),
        (5, notify(&invite, 5, "active", "Hello"), 400),
        (6, notify(&invite, 6, "active", &"x".repeat(40_000)), 413),
    ] {
        net.send(PEER, A, &text);
        net.settle();
        assert_eq!(answered(&mut net).status, status, "{cseq}");
    }
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_flood_of_reports_is_answered_and_not_told() {
    let (mut net, a, call, invite, refer) = referring(blind());
    net.send(PEER, A, &reply(&refer, 202, "peertag", ""));
    for cseq in 1..500 {
        net.send(PEER, A, &notify(&invite, cseq, "active", "SIP/2.0 180 Ringing"));
    }
    net.settle();
    assert_eq!(net.receive_all(PEER).len(), 499);
    assert!(told(&mut net, a, call).len() <= 33);
}

#[test]
fn a_challenge_from_the_peer_is_not_answered() {
    let (mut net, a, _) = pair();
    let call = net.with(a, |ua, now| {
        let invite = sidetone_sip::Invite { way: as_user("alice", "secret"), ..invite("sip:peer@192.0.2.9") };
        ua.invite(now, invite)
    });
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &accept(&first, "peertag"));
    net.settle();
    // What follows does not wait for the ACK any more.
    net.settle();
    net.with(a, |ua, now| {
        ua.info(now, call, "application/dtmf-relay", b"Signal=1".to_vec());
        ua.refer(now, call, blind());
    });
    net.settle();
    for message in net.receive_all(PEER) {
        let Message::Request(request) = message else { continue };
        if request.method.as_str() == "ACK" {
            continue;
        }
        let challenge = "WWW-Authenticate: Digest realm=\"192.0.2.1\", nonce=\"n\"";
        net.send(PEER, A, &reply(&request, 401, "peertag", challenge));
    }
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    assert!(!net.log.iter().any(|(_, _, bytes)| String::from_utf8_lossy(bytes).contains("Authorization")));
    let events = net.call_events(a, call);
    assert!(events.iter().any(|event| matches!(event, CallEvent::InfoAnswered { status: 401, .. })));
    assert!(
        events.iter().any(|event| matches!(event, CallEvent::ReferRefused { cause } if cause.code == 401))
    );
}
