//! Bad networks: everything still begins, ends once and leaves nothing behind.

use std::collections::HashMap;
use std::time::Duration;

use sidetone_sip::{CallEvent, CallId, Event};

use super::kit::*;
use super::net::{Link, Net};

#[derive(Default)]
struct Seen {
    established: usize,
    ended: HashMap<CallId, usize>,
}

fn watch(net: &mut Net, node: usize, seen: &mut Seen) {
    for event in net.events(node) {
        match event {
            Event::Incoming { call, .. } => {
                net.with(node, |ua, now| ua.ring(now, call));
                net.with(node, |ua, now| ua.answer(now, call, b"v=0 answer".to_vec()));
            }
            Event::Call { call, event: CallEvent::Answered { .. } } => {
                seen.established += 1;
                if call.0 % 2 == 0 {
                    net.with(node, |ua, now| ua.hang_up(now, call, None));
                }
            }
            Event::Call { event: CallEvent::Confirmed { .. }, .. } => seen.established += 1,
            Event::Call { call, event: CallEvent::Ended { .. } } => *seen.ended.entry(call).or_default() += 1,
            _ => {}
        }
    }
}

fn two_hundred_calls(link: Link, seed_calls: usize) {
    let (mut net, a, b) = pair();
    net.link = link;
    let (mut at_a, mut at_b) = (Seen::default(), Seen::default());
    let mut placed = Vec::new();
    for _ in 0..seed_calls {
        placed.push(place(&mut net, a, "sip:bob@192.0.2.2"));
        let until = net.now + Duration::from_millis(20);
        while net.step(until) {
            watch(&mut net, a, &mut at_a);
            watch(&mut net, b, &mut at_b);
        }
        net.now = until;
    }
    let until = net.now + Duration::from_secs(60);
    while net.step(until) {
        watch(&mut net, a, &mut at_a);
        watch(&mut net, b, &mut at_b);
    }
    assert_eq!(at_a.established, seed_calls);
    for call in placed {
        net.with(a, |ua, now| ua.hang_up(now, call, None));
    }
    let until = net.now + Duration::from_secs(120);
    while net.step(until) {
        watch(&mut net, a, &mut at_a);
        watch(&mut net, b, &mut at_b);
    }
    for seen in [&at_a, &at_b] {
        assert_eq!(seen.ended.len(), seed_calls);
        assert!(seen.ended.values().all(|times| *times == 1));
    }
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn two_hundred_calls_with_a_fifth_of_all_packets_lost_begin_and_end() {
    two_hundred_calls(Link { loss: 20, ..Link::default() }, 200);
}

#[test]
fn reordering_and_duplicates_change_nothing() {
    two_hundred_calls(Link { loss: 5, duplicates: 30, jitter: Duration::from_millis(300) }, 100);
}

#[test]
fn a_cable_pulled_for_five_seconds_ends_no_call() {
    let (mut net, a, b, ours, theirs) = connected();
    net.unplugged.insert(net.nodes[b].address);
    net.run_for(Duration::from_secs(5));
    net.with(a, |ua, now| ua.reinvite(now, ours, b"v=0 again".to_vec()));
    net.run_for(Duration::from_secs(5));
    net.unplugged.clear();
    net.run_for(Duration::from_secs(5));
    assert!(matches!(net.call_events(b, theirs)[..], [CallEvent::Reoffer { .. }]));
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0".to_vec()));
    net.settle();
    assert!(matches!(net.call_events(a, ours)[..], [CallEvent::ReofferAnswered { .. }]));
}

#[test]
fn a_peer_that_vanished_does_not_keep_a_hung_up_call_alive() {
    let (mut net, a, b, ours, _) = connected();
    net.unplugged.insert(net.nodes[b].address);
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_out();
    net.assert_empty(a);
}
