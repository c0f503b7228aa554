use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use sidetone_rtp::transport::{DtlsIdentity, DtlsRole, MediaKind};

use super::network::{MS, Network, credentials, dtls, ice, plain, rtp, talk};

/// Two ends with ICE and DTLS, before any datagram.
fn pair(salt: u8) -> Network {
    let mut network = Network::new();
    network.salt = salt;
    let identities = [(); 2].map(|()| DtlsIdentity::generate().unwrap());
    network.add(1, Some(identities[0].clone()), Some(credentials(1)));
    network.add(2, Some(identities[1].clone()), Some(credentials(2)));
    let mut a = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Server));
    let mut b = plain(&network.ends[0], dtls(&identities[0], DtlsRole::Client));
    a.ice = Some(ice(&network.ends[1], 1, 2, true));
    b.ice = Some(ice(&network.ends[0], 2, 1, false));
    a.rtcp_mux = true;
    b.rtcp_mux = true;
    network.configure(0, &a);
    network.configure(1, &b);
    network
}

/// Changed copies of everything that a whole call sent, and noise, into every stage of another call.
#[test]
fn damaged_datagrams_at_any_time_neither_panic_nor_stop_a_call() {
    let mut recorded = pair(0);
    recorded.run(Duration::from_secs(2));
    let mut sample: Vec<Vec<u8>> =
        recorded.ends.iter().flat_map(|end| end.sent.iter().map(|(_, data)| data.clone())).collect();
    for kind in [MediaKind::Rtp, MediaKind::Rtcp] {
        let mut packet = rtp(9);
        recorded.ends[0].transport.protect(kind, &mut packet);
        sample.push(packet);
    }
    let mut random = Rng::with_seed(4);
    let mut network = pair(64);
    let stranger = SocketAddr::from(([203, 0, 113, 66], 6666));
    for step in 0..400 {
        for _ in 0..20 {
            let mut data = match random.u64(..8) {
                0 => {
                    let len = random.usize(..200);
                    (0..len).map(|_| random.u8(..)).collect()
                }
                _ => sample[random.usize(..sample.len())].clone(),
            };
            for _ in 0..random.u64(..4) {
                if !data.is_empty() {
                    let place = random.usize(..data.len());
                    match random.u64(..3) {
                        0 => data[place] = random.u8(..),
                        1 => data.truncate(place),
                        _ => data.insert(place, random.u8(..)),
                    }
                }
            }
            let end = random.usize(..2);
            let to = network.ends[end].sockets[random.usize(..2)];
            network.inject(stranger, to, data);
        }
        network.run(Duration::from_millis(if step < 100 { 1 } else { 10 }));
    }
    talk(&mut network);
    // The copies that were not changed are authentic, so the stranger is answered and checked, and gets nothing else.
    let to_stranger = network.ends.iter().flat_map(|end| &end.sent).filter(|(to, _)| *to == stranger);
    assert!(to_stranger.into_iter().all(|(_, data)| data[0] <= 1), "more than checks went to the stranger");
}

#[test]
fn strangers_get_no_answer_and_cost_little() {
    let mut network = pair(64);
    network.run(Duration::from_secs(2));
    let real = network.ends[0].sent.iter().find(|(_, data)| data[0] == 0).unwrap().1.clone();
    let before = network.ends[1].sent.len();
    let began = Instant::now();
    for number in 0..20_000u32 {
        let mut check = real.clone();
        check[8..12].copy_from_slice(&number.to_be_bytes());
        let from = SocketAddr::from((number.to_be_bytes(), 1));
        let now = network.now;
        let to = sidetone_rtp::transport::Component::Rtp;
        assert_eq!(network.ends[1].transport.handle_input(now, to, from, &mut check), None);
    }
    network.run(100 * MS);
    assert_eq!(network.ends[1].sent.len(), before);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    talk(&mut network);
}

/// Who has the password may come from a few addresses, not from a thousand.
#[test]
fn a_peer_that_checks_from_everywhere_is_answered_without_our_checking_everywhere() {
    let mut network = pair(64);
    network.run(Duration::from_secs(2));
    let real = network.ends[0].sent.iter().find(|(_, data)| data[..2] == [0, 1]).unwrap().1.clone();
    let before = network.ends[1].sent.len();
    for number in 0..1000u16 {
        let from = SocketAddr::from(([203, 0, (number >> 8) as u8, number as u8], 5000));
        let to = network.ends[1].sockets[0];
        network.inject(from, to, real.clone());
    }
    network.run(Duration::from_secs(60));
    let (_, sent) = network.ends[1].sent.split_at(before);
    let checks = sent.iter().filter(|(_, data)| data[..2] == [0, 1]).count();
    assert!(checks < 150, "{checks} checks");
    talk(&mut network);
}

#[test]
fn a_flood_of_handshake_fragments_is_cut_off() {
    let mut network = Network::new();
    let identities = [(); 2].map(|()| DtlsIdentity::generate().unwrap());
    network.add(1, Some(identities[0].clone()), None);
    network.add(2, Some(identities[1].clone()), None);
    let to_b = plain(&network.ends[1], dtls(&identities[1], DtlsRole::Server));
    network.configure(0, &to_b);
    let [from, to] = [network.ends[1].sockets[0], network.ends[0].sockets[0]];
    let began = Instant::now();
    for offset in 0..60_000u32 {
        // One byte of a message of 16 kB, in a record of its own.
        let at = (offset % 16_000).to_be_bytes();
        let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0];
        record.extend_from_slice(&offset.to_be_bytes());
        record.extend_from_slice(&[0, 13, 1, 0, 0x3e, 0x80, 0, 0, at[1], at[2], at[3], 0, 0, 1, 7]);
        network.inject(from, to, record);
        if offset % 1000 == 0 {
            network.run(11 * MS);
        }
    }
    network.run(Duration::from_secs(1));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
