//! A call outlives trouble: another local address, a lost connection.

use std::time::Duration;

use sidetone_sip::message::HeaderName;
use sidetone_sip::{CallEvent, Hop, Input, Transport};

use super::kit::*;
use super::net::{address, ended};

const NEW: &str = "198.51.100.1:5062";

#[test]
fn a_call_moves_to_another_local_address() {
    let (mut net, a, b, ours, theirs) = connected();
    net.unplugged.insert(address(A));
    net.nodes[a].address = address(NEW);
    net.with(a, |ua, now| ua.relocate(now, ours, b"v=0 moved".to_vec()));
    net.settle();
    let events = net.call_events(b, theirs);
    assert!(matches!(&events[..], [CallEvent::Reoffer { offer: Some(sdp) }] if sdp == b"v=0 moved"));
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 agreed".to_vec()));
    net.settle();
    assert!(
        matches!(&net.call_events(a, ours)[..], [CallEvent::ReofferAnswered { sdp }] if sdp == b"v=0 agreed")
    );
    // what comes from there goes to the new address too
    net.with(b, |ua, now| ua.hang_up(now, theirs, None));
    net.settle();
    assert_eq!(ended(&net.call_events(a, ours)).unwrap().code, 200);
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn contact_and_via_tell_the_new_address() {
    let (mut net, a, call, _) = calling();
    net.nodes[a].address = address(NEW);
    net.with(a, |ua, now| ua.relocate(now, call, b"v=0".to_vec()));
    net.settle();
    let invite = received(&mut net);
    assert!(invite.headers.get(&HeaderName::CONTACT).unwrap().contains(NEW));
    assert!(invite.headers.get(&HeaderName::VIA).unwrap().contains(NEW));
}

#[test]
fn a_hold_that_got_lost_with_the_old_address_does_not_stand_in_the_way() {
    let (mut net, a, call, _) = calling();
    net.unplugged.insert(address(A));
    net.with(a, |ua, now| ua.reinvite(now, call, b"v=0 hold".to_vec()));
    net.settle();
    net.nodes[a].address = address(NEW);
    net.with(a, |ua, now| ua.relocate(now, call, b"v=0 moved".to_vec()));
    net.settle();
    let invite = received(&mut net);
    assert_eq!(invite.body, b"v=0 moved");
    net.send(PEER, NEW, &accept(&invite, "peertag"));
    net.run_for(Duration::from_secs(60));
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::ReofferAnswered { .. }]), "{events:?}");
}

#[test]
fn a_network_that_is_not_there_yet_does_not_end_the_call() {
    let (mut net, a, b, ours, theirs) = connected();
    net.unplugged.insert(address(B));
    net.with(a, |ua, now| ua.relocate(now, ours, b"v=0 1".to_vec()));
    net.run_for(Duration::from_secs(40));
    let events = net.call_events(a, ours);
    assert!(matches!(&events[..], [CallEvent::ReofferFailed { cause }] if cause.code == 408), "{events:?}");
    net.unplugged.clear();
    net.with(a, |ua, now| ua.relocate(now, ours, b"v=0 2".to_vec()));
    net.settle();
    assert!(matches!(net.call_events(b, theirs)[..], [CallEvent::Reoffer { .. }]));
}

#[test]
fn a_peer_that_knows_no_such_call_any_more_ends_it() {
    let (mut net, a, call, _) = calling();
    net.with(a, |ua, now| ua.relocate(now, call, b"v=0".to_vec()));
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &reply(&invite, 481, "peertag", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 481);
}

#[test]
fn a_call_outlives_its_tcp_connection_and_later_requests_open_another() {
    for requests_first in [false, true] {
        let (mut net, a, b) = pair();
        let ours = place(&mut net, a, "sip:bob@192.0.2.2;transport=tcp");
        net.settle();
        let theirs = net.incoming(b);
        net.with(b, |ua, now| ua.answer(now, theirs, b"v=0".to_vec()));
        net.settle();
        if requests_first {
            net.with(a, |ua, now| ua.reinvite(now, ours, b"v=0 hold".to_vec()));
        }
        for (node, remote) in [(a, B), (b, A)] {
            let hop = Hop::new(Transport::Tcp, net.nodes[node].address, address(remote));
            let reason = "reset".to_owned();
            net.with(node, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason }));
        }
        net.run_for(Duration::from_secs(5));
        assert!(ended(&net.call_events(a, ours)).is_none());
        assert!(ended(&net.call_events(b, theirs)).is_none());
        net.with(b, |ua, now| ua.hang_up(now, theirs, None));
        net.settle();
        assert_eq!(ended(&net.call_events(a, ours)).unwrap().code, 200);
        let (_, hop, _) = net.log.iter().find(|(_, _, bytes)| bytes.starts_with(b"BYE")).unwrap();
        assert_eq!(hop.transport, Transport::Tcp);
        net.run_out();
        net.assert_empty(a);
        net.assert_empty(b);
    }
}
