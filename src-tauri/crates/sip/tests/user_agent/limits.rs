//! Hostile floods meet limits, not memory.

use sidetone_sip::Config;
use sidetone_sip::message::HeaderName;

use super::kit::*;
use super::net::{Net, ended};

#[test]
fn calls_over_the_limit_get_503_with_retry_after() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_calls: 3, ..Config::default() });
    for n in 0..5 {
        let text = request("INVITE", "sip:alice@192.0.2.1", &format!("b{n}"), 1, "", "")
            .replace("peer-call", &format!("call-{n}"));
        net.send(PEER, A, &text);
        net.settle();
    }
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [100, 100, 100, 503, 503]);
    assert!(seen[4].headers().has(&HeaderName::RETRY_AFTER));
    assert_eq!(net.load(a).calls, 3);
    let call = place(&mut net, a, "sip:bob@192.0.2.2");
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 503);
}

#[test]
fn transactions_over_the_limit_get_503() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_transactions: 10, ..Config::default() });
    for n in 0..30 {
        net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", &format!("b{n}"), n + 1, "", ""));
    }
    net.settle();
    let statuses = statuses(&net.receive_all(PEER));
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 20);
    assert_eq!(net.load(a).server_transactions, 10);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn transactions_that_hold_too_much_get_503() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_transaction_bytes: 100_000, ..Config::default() });
    let routes = format!("Via: SIP/2.0/UDP {};branch=z9hG4bKx\n", "x".repeat(200)).repeat(60);
    for n in 0..30 {
        let text = request("OPTIONS", "sip:alice@192.0.2.1", &format!("b{n}"), n + 1, "", &routes);
        net.send(PEER, A, &text);
    }
    net.settle();
    let statuses = statuses(&net.receive_all(PEER));
    assert!(statuses[..5].iter().all(|status| *status == 200), "{statuses:?}");
    assert!(statuses[10..].iter().all(|status| *status == 503), "{statuses:?}");
    net.run_out();
    net.assert_empty(a);
    net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "later", 99, "", &routes));
    net.settle();
    assert_eq!(answered(&mut net).status, 200, "what was held has been given back");
}

#[test]
fn a_call_can_be_ended_while_there_is_no_room_for_another_transaction() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_transactions: 3, ..Config::default() });
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "one", 1, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.receive_all(PEER);
    for n in 0..5 {
        net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", &format!("b{n}"), n + 10, "", ""));
    }
    net.send(PEER, A, &request("CANCEL", "sip:alice@192.0.2.1", "one", 1, "", ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200, 503, 503, 503, 200, 487]);
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 487);
}

#[test]
fn an_invite_that_is_never_answered_or_cancelled_does_not_stay_for_ever() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.run_for(std::time::Duration::from_secs(300));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 480);
    net.assert_empty(a);
}

#[test]
fn an_invitation_with_expires_gets_487_when_that_is_over() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "Expires: 20\n"));
    net.settle();
    let call = net.incoming(a);
    net.run_for(std::time::Duration::from_secs(21));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 487);
    assert!(statuses(&net.receive_all(PEER)).contains(&487));
}

#[test]
fn calls_that_have_ended_make_room_for_others() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_calls: 2, ..Config::default() });
    let b = net.add(B, Config::default());
    for _ in 0..6 {
        let ours = place(&mut net, a, "sip:bob@192.0.2.2");
        net.settle();
        let theirs = net.incoming(b);
        net.with(b, |ua, now| ua.answer(now, theirs, b"v=0".to_vec()));
        net.settle();
        net.with(a, |ua, now| ua.hang_up(now, ours, None));
        net.settle();
        assert_eq!(ended(&net.call_events(a, ours)).unwrap().code, 200);
    }
}
