//! INFO: RFC 6086, as it carries DTMF.

use sidetone_sip::CallEvent;
use sidetone_sip::message::HeaderName;

use super::kit::*;

const RELAY: &str = "application/dtmf-relay";

#[test]
fn info_arrives_in_order_and_each_is_answered_once() {
    let (mut net, a, b, ours, theirs) = connected();
    for digit in ["1", "2", "3"] {
        let body = format!("Signal={digit}\r\nDuration=160\r\n").into_bytes();
        net.with(a, |ua, now| ua.info(now, ours, RELAY, body));
    }
    net.settle();
    let digits: Vec<String> = net
        .call_events(b, theirs)
        .into_iter()
        .map(|event| match event {
            CallEvent::Info { content_type, body } if content_type == RELAY => {
                String::from_utf8(body).unwrap()[7..8].to_owned()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(digits, ["1", "2", "3"]);
    let answers = net.call_events(a, ours);
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|event| matches!(event, CallEvent::InfoAnswered { status: 200, .. })));
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn info_waits_for_the_answer_to_the_one_before_it() {
    let (mut net, a, call, _) = calling();
    for _ in 0..2 {
        net.with(a, |ua, now| ua.info(now, call, RELAY, b"Signal=5".to_vec()));
    }
    net.settle();
    let first = received(&mut net);
    assert_eq!(methods(&net.receive_all(PEER)), [""; 0]);
    net.send(PEER, A, &reply(&first, 500, "peertag", ""));
    net.settle();
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::InfoAnswered { status: 500, .. }]));
    let second = received(&mut net);
    assert!(second.headers.cseq().unwrap().number > first.headers.cseq().unwrap().number);
}

#[test]
fn an_info_without_an_answer_is_told_with_408_and_the_call_stays() {
    let (mut net, a, call, _) = calling();
    net.with(a, |ua, now| ua.info(now, call, RELAY, b"Signal=5".to_vec()));
    net.run_for(std::time::Duration::from_secs(40));
    assert!(matches!(net.call_events(a, call)[..], [CallEvent::InfoAnswered { status: 408, .. }]));
}

#[test]
fn more_waiting_infos_than_the_limit_are_refused_at_once() {
    let (mut net, a, call, _) = calling();
    for _ in 0..100 {
        net.with(a, |ua, now| ua.info(now, call, RELAY, b"Signal=5".to_vec()));
    }
    let refused = net.call_events(a, call);
    assert_eq!(refused.len(), 35);
    assert!(refused.iter().all(|event| matches!(event, CallEvent::InfoAnswered { status: 503, .. })));
}

#[test]
fn an_info_of_another_type_gets_415_naming_those_that_are_taken() {
    let (mut net, a, call, tag) = called();
    let text = request("INFO", "sip:alice@192.0.2.1", "2", 11, &tag, "");
    net.send(PEER, A, &with_body(&text, "application/xml", "<x/>"));
    net.settle();
    let response = answered(&mut net);
    let accept = response.headers.get(&HeaderName::ACCEPT).unwrap();
    assert_eq!(
        (response.status, accept),
        (415, "application/dtmf-relay, application/dtmf, application/media_control+xml")
    );
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn an_info_of_a_package_gets_469_and_one_without_a_body_200() {
    let (mut net, a, call, tag) = called();
    net.send(PEER, A, &request("INFO", "sip:alice@192.0.2.1", "2", 11, &tag, "Info-Package: foo\n"));
    net.send(PEER, A, &request("INFO", "sip:alice@192.0.2.1", "3", 12, &tag, ""));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [469, 200]);
    assert!(seen[0].headers().has(&HeaderName::RECV_INFO));
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn an_info_that_is_absurdly_long_gets_413() {
    let (mut net, a, call, tag) = called();
    let text = request("INFO", "sip:alice@192.0.2.1", "2", 11, &tag, "");
    net.send(PEER, A, &with_body(&text, RELAY, &"Signal=5\r\n".repeat(5000)));
    net.settle();
    assert_eq!(answered(&mut net).status, 413);
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn an_info_outside_any_call_gets_481() {
    let (mut net, _, _, _) = called();
    net.send(PEER, A, &request("INFO", "sip:alice@192.0.2.1", "2", 11, "", ""));
    net.send(PEER, A, &request("INFO", "sip:alice@192.0.2.1", "3", 12, "other", ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [481, 481]);
}

#[test]
fn a_flood_of_info_is_answered_but_neither_told_nor_remembered() {
    let (mut net, a, call, tag) = called();
    for n in 0..2000 {
        let text = request("INFO", "sip:alice@192.0.2.1", &format!("f{n}"), 100 + n, &tag, "");
        net.send(PEER, A, &with_body(&text, RELAY, "Signal=5"));
    }
    net.settle();
    let seen = statuses(&net.receive_all(PEER));
    assert_eq!(seen.len(), 2000);
    assert_eq!(seen.iter().filter(|status| **status == 200).count(), 100);
    assert_eq!(net.call_events(a, call).len(), 100);
    assert!(net.load(a).server_transactions < 110);
    net.run_for(std::time::Duration::from_secs(3));
    let text = request("INFO", "sip:alice@192.0.2.1", "later", 9000, &tag, "");
    net.send(PEER, A, &with_body(&text, RELAY, "Signal=5"));
    net.settle();
    assert_eq!(answered(&mut net).status, 200, "afterwards the peer is heard again");
}
