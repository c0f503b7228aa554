use sidetone_rtp::transport::{MasterKey, MediaKind, Parameters, Security, Suite};

use super::network::{Network, plain, rtcp, rtp, talk};
use std::time::Duration;

fn key(suite: Suite, byte: u8) -> MasterKey {
    let (key, salt) = match suite {
        Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => (16, 14),
        Suite::Aes256CmHmacSha1_80 | Suite::Aes256CmHmacSha1_32 => (32, 14),
        Suite::AeadAes128Gcm => (16, 12),
        Suite::AeadAes256Gcm => (32, 12),
    };
    MasterKey::new(suite, &vec![byte; key], &vec![byte; salt]).unwrap()
}

fn pair(suite: Suite) -> Network {
    let mut network = Network::new();
    network.add(1, None, None);
    network.add(2, None, None);
    let (a, b) = (key(suite, 1), key(suite, 2));
    let to_b = plain(&network.ends[1], Security::Sdes { local: a.clone(), remote: b.clone() });
    let to_a = plain(&network.ends[0], Security::Sdes { local: b, remote: a });
    network.configure(0, &to_b);
    network.configure(1, &to_a);
    network
}

const SUITES: [Suite; 6] = [
    Suite::AesCm128HmacSha1_80,
    Suite::AesCm128HmacSha1_32,
    Suite::Aes256CmHmacSha1_80,
    Suite::Aes256CmHmacSha1_32,
    Suite::AeadAes128Gcm,
    Suite::AeadAes256Gcm,
];

#[test]
fn keys_from_the_signalling_protect_media_in_every_suite() {
    for suite in SUITES {
        let mut network = pair(suite);
        talk(&mut network);
        let mut packet = rtp(7);
        network.ends[0].transport.protect(MediaKind::Rtp, &mut packet).unwrap();
        assert!(
            packet.len() > rtp(7).len() && !packet.windows(7).any(|part| part == b"hundred"),
            "{suite:?}"
        );
        let mut report = rtcp();
        network.ends[0].transport.protect(MediaKind::Rtcp, &mut report).unwrap();
        assert!(report.len() >= rtcp().len() + 14, "{suite:?}");
    }
}

#[test]
fn repeated_changed_cut_and_plain_packets_are_not_heard() {
    for suite in SUITES {
        let mut network = pair(suite);
        let [from, to] = [network.ends[0].sockets[0], network.ends[1].sockets[0]];
        let mut packet = rtp(1);
        network.ends[0].transport.protect(MediaKind::Rtp, &mut packet).unwrap();
        network.inject(from, to, packet.clone());
        network.inject(from, to, packet.clone());
        network.run(Duration::from_millis(20));
        assert_eq!(network.ends[1].heard.len(), 1, "{suite:?}: a repeated packet was heard");
        let mut next = rtp(2);
        network.ends[0].transport.protect(MediaKind::Rtp, &mut next).unwrap();
        for place in 0..next.len() {
            let mut changed = next.clone();
            changed[place] ^= 1;
            network.inject(from, to, changed);
            network.inject(from, to, next[..place].to_vec());
        }
        network.inject(from, to, rtp(3));
        network.run(Duration::from_millis(20));
        assert_eq!(network.ends[1].heard.len(), 1, "{suite:?}: a forged packet was heard");
        network.inject(from, to, next);
        network.run(Duration::from_millis(20));
        assert_eq!(
            network.ends[1].heard.last().unwrap().1,
            rtp(2),
            "{suite:?}: forged packets kept out the real one"
        );
    }
}

#[test]
fn the_sequence_may_wrap_and_packets_may_come_late() {
    let mut network = pair(Suite::AesCm128HmacSha1_80);
    for sequence in [33000u16, 65000, 65534, 65535, 1, 0, 2, 65533, 1, 30000, 60000, 9] {
        assert!(network.send(0, MediaKind::Rtp, &rtp(sequence)));
        network.run(Duration::from_millis(20));
    }
    let heard: Vec<u16> =
        network.ends[1].heard.iter().map(|(_, packet)| u16::from_be_bytes([packet[2], packet[3]])).collect();
    assert_eq!(heard, [33000, 65000, 65534, 65535, 1, 0, 2, 65533, 30000, 60000, 9]);
}

#[test]
fn the_same_keys_in_a_later_offer_go_on_where_they_were() {
    let mut network = pair(Suite::AeadAes256Gcm);
    talk(&mut network);
    let before = rtp(200);
    let mut first = before.clone();
    network.ends[0].transport.protect(MediaKind::Rtp, &mut first).unwrap();
    let (a, b) = (key(Suite::AeadAes256Gcm, 1), key(Suite::AeadAes256Gcm, 2));
    let again = plain(&network.ends[1], Security::Sdes { local: a, remote: b.clone() });
    network.configure(0, &again);
    let mut network_b =
        plain(&network.ends[0], Security::Sdes { local: b, remote: key(Suite::AeadAes256Gcm, 1) });
    network_b.rtcp_mux = false;
    network.configure(1, &network_b);
    talk_later(&mut network);
}

/// As `talk`, with sequence numbers that come after it; replay windows that began anew would take the old ones too.
#[test]
fn no_place_in_the_key_stream_is_used_twice() {
    let mut network = pair(Suite::AesCm128HmacSha1_80);
    let (a, b) = (key(Suite::AesCm128HmacSha1_80, 1), key(Suite::AesCm128HmacSha1_80, 2));
    let keys = plain(&network.ends[1], Security::Sdes { local: a, remote: b });
    let report = |network: &mut Network| {
        let mut report = rtcp();
        network.ends[0].transport.protect(MediaKind::Rtcp, &mut report).unwrap();
        report
    };
    let own_port = report(&mut network);
    network.configure(0, &Parameters { rtcp_mux: true, ..keys.clone() });
    let shared_port = report(&mut network);
    network.configure(0, &keys);
    let own_port_again = report(&mut network);
    network.configure(0, &plain(&network.ends[1], Security::None));
    network.configure(0, &keys);
    let after_plain = report(&mut network);
    let all = [own_port, shared_port, own_port_again, after_plain];
    for (n, report) in all.iter().enumerate() {
        assert!(!all[..n].contains(report), "report {n} was encrypted as one before it");
    }
}

fn talk_later(network: &mut Network) {
    network.ends[1].heard.clear();
    assert!(network.send(0, MediaKind::Rtp, &rtp(300)));
    let mut old = rtp(104);
    network.ends[0].transport.protect(MediaKind::Rtp, &mut old).unwrap();
    let [from, to] = [network.ends[0].sockets[0], network.ends[1].sockets[0]];
    network.inject(from, to, old);
    network.run(Duration::from_millis(50));
    assert_eq!(network.ends[1].heard, [(MediaKind::Rtp, rtp(300))]);
}

#[test]
fn a_flood_of_forged_sources_leaves_the_real_one_alone() {
    let mut network = pair(Suite::AesCm128HmacSha1_80);
    talk(&mut network);
    let [from, to] = [network.ends[0].sockets[0], network.ends[1].sockets[0]];
    for source in 0..5000u32 {
        let mut forged = rtp(500);
        forged[8..12].copy_from_slice(&source.to_be_bytes());
        forged.extend_from_slice(&[0; 10]);
        network.inject(from, to, forged);
    }
    network.run(Duration::from_millis(50));
    talk_later(&mut network);
}

#[test]
fn no_debug_output_has_a_key() {
    let security =
        Security::Sdes { local: key(Suite::AeadAes128Gcm, 77), remote: key(Suite::AeadAes128Gcm, 78) };
    let debug = format!("{security:?} {:?}", super::network::credentials(1));
    assert!(!debug.contains("77") && !debug.contains("78") && !debug.contains("password"), "{debug}");
}
