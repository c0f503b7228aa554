//! What counts for one call alone.

use std::time::Duration;

use sidetone_sip::message::HeaderName;
use sidetone_sip::user_agent::Reliable;
use sidetone_sip::{CallEvent, CallId, Config, Event, Terms};

use super::kit::*;
use super::net::Net;

fn called_with(extra: &str) -> (Net, usize, CallId) {
    let mut net = Net::new();
    let a = net.add(A, Config::default());
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 10, "", extra), "v=0"));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100]);
    let call = net.incoming(a);
    net.events(a);
    (net, a, call)
}

fn terms(prack: Reliable, seconds: Option<u64>) -> Terms {
    Terms { prack, session_expires: seconds.map(Duration::from_secs) }
}

#[test]
fn a_caller_that_cannot_meet_them_is_refused_and_the_call_ends() {
    for (extra, prack, status, field) in [
        ("Require: 100rel\n", Reliable::Off, 420, HeaderName::UNSUPPORTED),
        ("", Reliable::Required, 421, HeaderName::REQUIRE),
    ] {
        let (mut net, a, call) = called_with(extra);
        let refused = net.with(a, |ua, now| ua.set_terms(now, call, terms(prack, None)));
        assert_eq!(refused, Err(status));
        net.settle();
        let response = answered(&mut net);
        assert_eq!((response.status, response.headers.get(&field)), (status, Some("100rel")));
        let ended = |event: &Event| matches!(event, Event::Call { event: CallEvent::Ended { cause }, .. } if cause.code == status);
        assert_eq!(net.events(a).iter().filter(|event| ended(event)).count(), 1);
        // It is over: nothing more can be made of it.
        net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
        net.settle();
        assert!(net.receive_all(PEER).is_empty() && net.events(a).is_empty());
    }
}

#[test]
fn they_stand_in_for_those_of_all_calls() {
    for (prack, is_reliable) in
        [(Reliable::Off, false), (Reliable::Supported, false), (Reliable::Required, true)]
    {
        let (mut net, a, call) = called_with("Supported: 100rel, timer\n");
        assert_eq!(net.with(a, |ua, now| ua.set_terms(now, call, terms(prack, Some(600)))), Ok(()));
        net.with(a, |ua, now| ua.ring(now, call));
        net.settle();
        let ringing = answered(&mut net);
        assert_eq!((ringing.status, ringing.headers.has(&HeaderName::RSEQ)), (180, is_reliable), "{prack:?}");
    }
    for (seconds, agreed) in [(Some(600), Some("600;refresher=uac")), (None, None)] {
        let (mut net, a, call) = called_with("Supported: timer\n");
        assert_eq!(
            net.with(a, |ua, now| ua.set_terms(now, call, terms(Reliable::Supported, seconds))),
            Ok(())
        );
        net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
        net.settle();
        assert_eq!(answered(&mut net).headers.get(&HeaderName::SESSION_EXPIRES), agreed);
    }
}

#[test]
fn of_a_call_that_is_over_they_are_of_no_account() {
    let (mut net, a, call) = called_with("");
    net.with(a, |ua, now| ua.reject(now, call, 486, ""));
    net.settle();
    net.receive_all(PEER);
    assert_eq!(net.with(a, |ua, now| ua.set_terms(now, call, terms(Reliable::Required, None))), Ok(()));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
}
