use std::time::Duration;

use sidetone_rtp::transport::{
    Component, DtlsIdentity, DtlsRole, Event, Failure, Fingerprint, HashFunction, MediaKind, Security, Suite,
};

use super::network::{MS, Network, dtls, plain, rtp, talk};

fn pair() -> (Network, [DtlsIdentity; 2]) {
    let mut network = Network::new();
    let identities = [(); 2].map(|()| DtlsIdentity::generate().unwrap());
    network.add(1, Some(identities[0].clone()), None);
    network.add(2, Some(identities[1].clone()), None);
    (network, identities)
}

fn begin(network: &mut Network, identities: &[DtlsIdentity; 2], mux: bool) {
    let mut to_b = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Server));
    let mut to_a = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Client));
    to_b.rtcp_mux = mux;
    to_a.rtcp_mux = mux;
    network.configure(0, &to_b);
    network.configure(1, &to_a);
}

fn secured(network: &Network, end: usize) -> Vec<(Component, Suite)> {
    let events = network.ends[end].events.iter();
    events
        .filter_map(|event| match event {
            Event::Secured { component, suite } => Some((*component, *suite)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_handshake_gives_both_ends_keys_and_nothing_goes_out_before() {
    for mux in [true, false] {
        let (mut network, identities) = pair();
        begin(&mut network, &identities, mux);
        assert!(!network.send(0, MediaKind::Rtp, &rtp(1)) && !network.send(1, MediaKind::Rtp, &rtp(1)));
        network.run(200 * MS);
        for end in 0..2 {
            let found = secured(&network, end);
            assert_eq!(found.len(), if mux { 1 } else { 2 }, "{:?}", network.ends[end].events);
            assert!(found.iter().all(|(_, suite)| *suite == Suite::AeadAes256Gcm));
        }
        talk(&mut network);
    }
}

#[test]
fn a_certificate_other_than_the_signalled_one_fails_the_call_on_either_side() {
    for wrong in 0..2 {
        let (mut network, identities) = pair();
        let stranger = DtlsIdentity::generate().unwrap();
        let mut expected = identities.clone();
        expected[wrong] = stranger;
        begin(&mut network, &expected, true);
        network.run(Duration::from_secs(60));
        let failed = &network.ends[1 - wrong].events;
        assert!(failed.contains(&Event::Failed(Component::Rtp, Failure::Fingerprint)), "{failed:?}");
        for end in 0..2 {
            let (from, to) = (end, 1 - end);
            network.send(from, MediaKind::Rtp, &rtp(1));
            network.run(50 * MS);
            assert!(network.ends[to].heard.is_empty(), "media was heard although {wrong} is an impostor");
        }
    }
}

#[test]
fn a_peer_that_answers_from_another_of_its_addresses_is_taken_and_an_impostor_there_is_not() {
    let (mut network, identities) = pair();
    let elsewhere: std::net::SocketAddr = "198.51.100.3:9".parse().unwrap();
    let mut to_b = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Server));
    to_b.rtcp_mux = true;
    to_b.rtp = Some(elsewhere);
    let mut to_a = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Client));
    to_a.rtcp_mux = true;
    // An impostor is first, with a certificate of its own.
    let stranger = DtlsIdentity::generate().unwrap();
    network.add(6, Some(stranger), None);
    network.configure(0, &to_b);
    network.configure(2, &to_a);
    network.run(Duration::from_secs(2));
    assert!(secured(&network, 0).is_empty());
    network.configure(1, &to_a);
    network.run(Duration::from_secs(3));
    assert_eq!(secured(&network, 0).len(), 1, "{:?}", network.ends[0].events);
    assert_eq!(secured(&network, 1).len(), 1);
}

#[test]
fn fingerprints_of_longer_hashes_are_checked_too() {
    use sha2::Digest as _;
    let _ = sha2::Sha384::digest(b"");
    let (mut network, identities) = pair();
    let wrong = Security::Dtls {
        role: DtlsRole::Server,
        fingerprints: vec![Fingerprint { hash: HashFunction::Sha512, bytes: vec![1; 64] }],
    };
    let to_b = plain(&network.ends[1], wrong);
    let to_a = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Client));
    network.configure(0, &to_b);
    network.configure(1, &to_a);
    network.run(Duration::from_secs(2));
    assert!(network.ends[0].events.contains(&Event::Failed(Component::Rtp, Failure::Fingerprint)));
}

#[test]
fn the_handshake_survives_loss() {
    for seed in 1..12u64 {
        let (mut network, identities) = pair();
        let mut state = seed;
        network.drops = Box::new(move |_, _, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 10 < 3
        });
        begin(&mut network, &identities, true);
        network.run(Duration::from_secs(29));
        network.drops = Box::new(|_, _, _| false);
        assert!(
            secured(&network, 0).len() == 1 && secured(&network, 1).len() == 1,
            "seed {seed}: {:?} {:?}",
            network.ends[0].events,
            network.ends[1].events
        );
        talk(&mut network);
    }
}

#[test]
fn a_server_that_is_configured_late_is_waited_for() {
    let (mut network, identities) = pair();
    let to_a = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Client));
    network.configure(1, &to_a);
    network.run(Duration::from_secs(14));
    let to_b = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Server));
    network.configure(0, &to_b);
    network.run(Duration::from_secs(3));
    talk(&mut network);
}

#[test]
fn a_peer_that_never_answers_fails_in_words() {
    let (mut network, identities) = pair();
    network.drops = Box::new(|_, _, _| true);
    begin(&mut network, &identities, true);
    network.run(Duration::from_secs(31));
    let expected = Event::Failed(Component::Rtp, Failure::DtlsTimeout);
    assert!(network.ends[1].events.contains(&expected), "{:?}", network.ends[1].events);
}

#[test]
fn a_later_offer_with_the_same_certificate_keeps_the_association() {
    let (mut network, identities) = pair();
    begin(&mut network, &identities, true);
    network.run(500 * MS);
    talk(&mut network);
    let sent = network.ends[0].sent.len();
    begin(&mut network, &identities, true);
    network.run(Duration::from_secs(5));
    assert_eq!(network.ends[0].sent.len(), sent);
    network.ends[1].heard.clear();
    assert!(network.send(0, MediaKind::Rtp, &rtp(300)));
    network.run(50 * MS);
    assert_eq!(network.ends[1].heard, [(MediaKind::Rtp, rtp(300))]);
}

#[test]
fn another_certificate_or_role_in_a_later_offer_begins_a_new_association() {
    let (mut network, identities) = pair();
    begin(&mut network, &identities, true);
    network.run(500 * MS);
    let mut to_b = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Client));
    let mut to_a = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Server));
    to_b.rtcp_mux = true;
    to_a.rtcp_mux = true;
    network.configure(1, &to_a);
    network.configure(0, &to_b);
    network.run(Duration::from_secs(2));
    assert_eq!(secured(&network, 0).len(), 2);
    talk(&mut network);
}
