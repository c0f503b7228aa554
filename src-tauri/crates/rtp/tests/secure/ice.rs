use std::net::SocketAddr;
use std::time::Duration;

use sidetone_rtp::transport::{
    Component, DtlsIdentity, DtlsRole, Event, Failure, MediaKind, Parameters, RemoteCandidate, Security,
};

use super::network::{MS, Network, credentials, dtls, ice, plain, rtp, talk};

fn pair() -> Network {
    let mut network = Network::new();
    network.add(1, None, Some(credentials(1)));
    network.add(2, None, Some(credentials(2)));
    network
}

/// The first end offers, the second answers a little earlier than the first hears of it.
fn parameters(network: &Network, security: [Security; 2], mux: bool) -> [Parameters; 2] {
    let [first, second] = security;
    let mut a = plain(&network.ends[1], first);
    let mut b = plain(&network.ends[0], second);
    a.ice = Some(ice(&network.ends[1], 1, 2, true));
    b.ice = Some(ice(&network.ends[0], 2, 1, false));
    a.rtcp_mux = mux;
    b.rtcp_mux = mux;
    [a, b]
}

fn begin(network: &mut Network, parameters: &[Parameters; 2]) {
    network.configure(1, &parameters[1]);
    network.run(30 * MS);
    network.configure(0, &parameters[0]);
}

fn none() -> [Security; 2] {
    [Security::None, Security::None]
}

fn selected(network: &Network, end: usize) -> Vec<(Component, SocketAddr)> {
    let events = network.ends[end].events.iter();
    events
        .filter_map(|event| match event {
            Event::Selected { component, address } => Some((*component, *address)),
            _ => None,
        })
        .collect()
}

#[test]
fn two_ends_find_a_path_for_each_component() {
    for mux in [true, false] {
        let mut network = pair();
        let agreed = parameters(&network, none(), mux);
        begin(&mut network, &agreed);
        assert!(!network.send(0, MediaKind::Rtp, &rtp(1)), "media must wait for a path");
        network.run(Duration::from_secs(1));
        for end in 0..2 {
            let far = network.ends[1 - end].sockets;
            let expected = [(Component::Rtp, far[0]), (Component::Rtcp, far[1])];
            assert_eq!(selected(&network, end), expected[..if mux { 1 } else { 2 }], "end {end}");
        }
        talk(&mut network);
    }
}

#[test]
fn a_path_is_found_through_loss_and_dead_candidates() {
    for seed in 1..12u64 {
        let mut network = pair();
        let mut state = seed;
        network.drops = Box::new(move |_, _, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 10 < 3
        });
        let mut agreed = parameters(&network, none(), true);
        for parameters in &mut agreed {
            let dead = |port| RemoteCandidate {
                component: 1,
                priority: 9000,
                address: SocketAddr::from(([203, 0, 113, 9], port)),
            };
            parameters.ice.as_mut().unwrap().candidates.extend((1..5).map(dead));
        }
        begin(&mut network, &agreed);
        network.run(Duration::from_secs(20));
        network.drops = Box::new(|_, _, _| false);
        talk(&mut network);
    }
}

#[test]
fn an_address_that_was_not_signalled_is_found_by_the_checks_that_come_from_it() {
    let mut network = pair();
    let mut agreed = parameters(&network, none(), true);
    // As behind a NAT: the second end's candidates lead nowhere.
    agreed[0].ice.as_mut().unwrap().candidates.clear();
    agreed[0].rtp = Some(SocketAddr::from(([10, 0, 0, 1], 9)));
    begin(&mut network, &agreed);
    network.run(Duration::from_secs(2));
    assert_eq!(selected(&network, 0), [(Component::Rtp, network.ends[1].sockets[0])]);
    talk(&mut network);
}

#[test]
fn a_conflict_of_roles_is_settled() {
    for controlling in [true, false] {
        let mut network = pair();
        let mut agreed = parameters(&network, none(), true);
        agreed.iter_mut().for_each(|parameters| parameters.ice.as_mut().unwrap().controlling = controlling);
        begin(&mut network, &agreed);
        network.run(Duration::from_secs(5));
        talk(&mut network);
    }
}

#[test]
fn no_path_fails_in_words() {
    let mut network = pair();
    network.drops = Box::new(|_, _, _| true);
    let agreed = parameters(&network, none(), true);
    begin(&mut network, &agreed);
    network.run(Duration::from_secs(60));
    let failure = Failure::NoPath { candidates: 2 };
    let expected = Event::Failed(Component::Rtp, failure.clone());
    assert!(matches!(&network.ends[0].events[..], [Event::Failed(Component::Rtp, Failure::NoPath { .. })]));
    assert!(!network.ends[0].events.contains(&expected) || failure.to_string().contains("2 addresses"));
}

#[test]
fn a_peer_without_ice_is_sent_to_its_default_address() {
    let mut network = pair();
    let (to_b, to_a) = (plain(&network.ends[1], Security::None), plain(&network.ends[0], Security::None));
    network.configure(0, &to_b);
    network.configure(1, &to_a);
    talk(&mut network);
    assert!(network.ends[0].sent.is_empty());
}

#[test]
fn consent_runs_out_without_answers_and_returns_with_them() {
    let mut network = pair();
    let agreed = parameters(&network, none(), true);
    begin(&mut network, &agreed);
    network.run(Duration::from_secs(120));
    talk(&mut network);
    network.drops = Box::new(|_, _, _| true);
    network.run(Duration::from_secs(25));
    assert!(network.send(0, MediaKind::Rtp, &rtp(200)), "an outage of 25 s takes nothing away");
    let silent = |network: &Network| {
        let events = network.ends[0].events.iter();
        events.filter(|event| matches!(event, Event::Silent(Component::Rtp))).count()
    };
    assert_eq!(silent(&network), 0);
    network.run(Duration::from_secs(6));
    assert!(!network.send(0, MediaKind::Rtp, &rtp(201)), "after 30 s without consent nothing may be sent");
    network.run(Duration::from_secs(60));
    assert_eq!(silent(&network), 1, "it is told once");
    network.drops = Box::new(|_, _, _| false);
    network.run(Duration::from_secs(7));
    talk(&mut network);
}

#[test]
fn a_restart_finds_the_new_path_while_the_old_one_carries_media() {
    let mut network = pair();
    let agreed = parameters(&network, none(), true);
    begin(&mut network, &agreed);
    network.run(Duration::from_secs(2));
    talk(&mut network);
    // The second end moves.
    let moved = SocketAddr::from(([198, 51, 100, 7], 7000));
    let mut agreed = parameters(&network, none(), true);
    let old = network.ends[1].sockets[0];
    let local = [credentials(11), credentials(12)];
    for (parameters, (local, remote)) in
        agreed.iter_mut().zip([(&local[0], &local[1]), (&local[1], &local[0])])
    {
        let ice = parameters.ice.as_mut().unwrap();
        (ice.local, ice.remote) = (local.clone(), remote.clone());
    }
    agreed[0].ice.as_mut().unwrap().candidates =
        vec![RemoteCandidate { component: 1, priority: 1000, address: moved }];
    network.configure(0, &agreed[0]);
    assert!(network.send(0, MediaKind::Rtp, &rtp(400)), "the old path is used until there is a new one");
    network.run(100 * MS);
    network.ends[1].sockets[0] = moved;
    network.configure(1, &agreed[1]);
    network.run(Duration::from_secs(5));
    assert_ne!(old, moved);
    assert_eq!(selected(&network, 0).last(), Some(&(Component::Rtp, moved)));
    talk(&mut network);
}

#[test]
fn dtls_waits_for_the_path_and_media_for_dtls() {
    let mut network = Network::new();
    let identities = [(); 2].map(|()| DtlsIdentity::generate().unwrap());
    network.add(1, Some(identities[0].clone()), Some(credentials(1)));
    network.add(2, Some(identities[1].clone()), Some(credentials(2)));
    let security = [dtls(&identities[1], DtlsRole::Server), dtls(&identities[0], DtlsRole::Client)];
    let agreed = parameters(&network, security, true);
    begin(&mut network, &agreed);
    network.run(Duration::from_secs(2));
    let events = &network.ends[1].events;
    assert!(matches!(events[..], [Event::Selected { .. }, Event::Secured { .. }]), "{events:?}");
    talk(&mut network);
}

#[test]
fn a_server_tells_our_address_on_both_sockets() {
    let mut network = pair();
    network.add(9, None, None);
    let server = SocketAddr::from(([192, 0, 2, 200], 3478));
    let now = network.now;
    network.ends[0].transport.gather(now, server);
    network.run(MS);
    let asked = network.ends[0].sent.clone();
    assert_eq!(asked.len(), 2);
    for ((to, request), [own, seen]) in
        asked.into_iter().zip([[0u16, 50_000u16], [1, 50_001]].map(|[own, seen]| [own, seen]))
    {
        assert_eq!(to, server);
        let mapped = SocketAddr::from(([203, 0, 113, 5], seen));
        let answer = binding_success(&request, mapped);
        let socket = network.ends[0].sockets[usize::from(own)];
        network.inject(SocketAddr::from(([6, 6, 6, 6], 3478)), socket, answer.clone());
        network.inject(server, socket, answer);
    }
    network.run(100 * MS);
    let found = |component, port| Event::Gathered {
        component,
        address: Some(SocketAddr::from(([203, 0, 113, 5], port))),
    };
    let events = &network.ends[0].events;
    assert_eq!(events[..], [found(Component::Rtp, 50_000), found(Component::Rtcp, 50_001)]);
}

#[test]
fn a_server_that_does_not_answer_is_given_up_within_two_seconds() {
    let mut network = pair();
    let now = network.now;
    network.ends[0].transport.gather(now, SocketAddr::from(([192, 0, 2, 200], 3478)));
    network.run(Duration::from_secs(2));
    let none = |component| Event::Gathered { component, address: None };
    assert_eq!(network.ends[0].events[..], [none(Component::Rtp), none(Component::Rtcp)]);
}

/// XOR-MAPPED-ADDRESS as RFC 8489 section 14.2 has it, written here by hand.
fn binding_success(request: &[u8], mapped: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(mapped) = mapped else { panic!("IPv4 only") };
    let mut answer = vec![1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42];
    answer.extend_from_slice(&request[8..20]);
    answer.extend_from_slice(&[0, 0x20, 0, 8, 0, 1]);
    answer.extend_from_slice(&(mapped.port() ^ 0x2112).to_be_bytes());
    answer.extend(mapped.ip().octets().iter().zip([0x21, 0x12, 0xa4, 0x42]).map(|(a, b)| a ^ b));
    answer
}
