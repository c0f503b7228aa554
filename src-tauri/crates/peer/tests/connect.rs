//! Getting connected and staying so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::time::Duration;

use sidetone_peer::*;
use sidetone_testkit::link::LinkSettings;
use support::*;

fn loopback() -> LinkSettings {
    LinkSettings { delay: Duration::from_millis(1), ..Default::default() }
}

fn published() -> Pair {
    let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
    Pair::client_and_gateway(&send, &receive, loopback())
}

#[test]
fn a_client_and_a_gateway_connect_at_once() {
    let mut pair = published();
    pair.connect();
    let took = pair.now - pair.begun;
    assert!(took < Duration::from_millis(150), "{took:?}");
}

#[test]
fn handshakes_survive_a_quarter_of_loss() {
    for seed in 0..6 {
        let settings = LinkSettings { loss: 0.25, delay: Duration::from_millis(20), ..Default::default() };
        let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
        let client = Config::client(certificate(), vec![address("10.0.0.1:4000")], 1);
        let gateway = Config::gateway(certificate(), vec![address("10.0.0.2:5000")], 2);
        let mut pair = Pair::new(client, gateway, settings);
        for (index, link) in pair.links.iter_mut().enumerate() {
            *link = sidetone_testkit::link::Link::new(settings, seed * 2 + index as u64);
        }
        pair.negotiate(&send, &receive);
        pair.connect();
    }
}

#[test]
fn the_answerer_is_the_dtls_server() {
    let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
    let client = Config::client(certificate(), vec![address("10.0.0.1:4000")], 1);
    let gateway = Config::gateway(certificate(), vec![address("10.0.0.2:5000")], 2);
    let mut pair = Pair::new(client, gateway, loopback());
    let (offer, answer) = pair.negotiate(&send, &receive);
    assert!(offer.contains("a=setup:actpass") && answer.contains("a=setup:passive"), "{answer}");
    assert!(answer.contains("a=ice-lite") && !offer.contains("a=ice-lite"));
}

#[test]
fn a_silent_publisher_is_noticed_within_a_second_and_a_half() {
    let mut pair = published();
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(3), |_, _| {});
    assert!(pair.ends[1].reason().is_none());
    pair.silent[0] = true;
    let died = pair.now;
    pair.run(Duration::from_secs(3));
    let (at, reason) = pair.ends[1].reason().expect("it is not noticed");
    assert_eq!(reason, DisconnectReason::KeepAlive);
    assert_eq!(reason.to_string(), "Failed by ICE keep alive");
    assert!(at - died < Duration::from_millis(1_500), "{:?}", at - died);
}

#[test]
fn a_far_end_that_has_nothing_to_say_stays_connected() {
    let mut pair = published();
    pair.connect();
    pair.run(Duration::from_secs(30));
    assert!(pair.ends[0].reason().is_none() && pair.ends[1].reason().is_none());
    assert!(pair.ends[1].peer.statistics(pair.now).round_trip.is_some());
}

#[test]
fn an_orderly_end_is_heard_at_once() {
    let mut pair = published();
    pair.connect();
    pair.run(Duration::from_secs(1));
    let now = pair.now;
    pair.ends[0].peer.close(now);
    pair.run(Duration::from_millis(100));
    assert_eq!(pair.ends[1].reason().map(|(_, reason)| reason), Some(DisconnectReason::Closed));
}

/// A datagram with one-byte fragments of a ClientHello, each in a record of its own.
fn hello_in_pieces(length: u32, offsets: std::ops::Range<u32>) -> Vec<u8> {
    let piece = |offset: u32| {
        let three = |number: u32| number.to_be_bytes()[1..].to_vec();
        let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0];
        record.extend_from_slice(&offset.to_be_bytes());
        record.extend_from_slice(&[0, 13, 1]);
        record.extend_from_slice(&[three(length), vec![0, 0], three(offset), three(1), vec![7]].concat());
        record
    };
    offsets.flat_map(piece).collect()
}

#[test]
fn a_handshake_in_thousands_of_fragments_does_no_harm() {
    for length in [1, 16_000] {
        let mut pair = published();
        pair.filter = Some(|from, datagram| from == 0 && matches!(datagram.first(), Some(20..=63)));
        pair.run(Duration::from_millis(500));
        let (local, remote, now) = (address("10.0.0.2:5000"), address("10.0.0.1:4000"), pair.now);
        // The first one comes last, and with it the message is whole.
        for begin in (1..16_000).step_by(70) {
            let pieces = hello_in_pieces(length, begin..(begin + 70).min(16_000));
            pair.ends[1].peer.handle_input(now, local, remote, &pieces);
        }
        pair.ends[1].peer.handle_input(now, local, remote, &hello_in_pieces(length, 0..1));
        pair.run(Duration::from_secs(20));
        assert!(pair.ends[1].reason().is_some());
    }
}

#[test]
fn nobody_there_is_a_timeout() {
    let mut pair = published();
    pair.silent = [true, true];
    pair.run(Duration::from_secs(20));
    let reasons = pair.ends.each_ref().map(|end| end.reason().map(|(_, reason)| reason.to_string()));
    assert_eq!(reasons, [Some("Failed by ICE timeout".to_owned()), Some("Failed by ICE timeout".to_owned())]);
}

#[test]
fn another_certificate_than_the_signalled_one_is_refused_by_its_name() {
    for swapped in 0..2 {
        let client = Config::client(certificate(), vec![address("10.0.0.1:4000")], 1);
        let gateway = Config::gateway(certificate(), vec![address("10.0.0.2:5000")], 2);
        let mut pair = Pair::new(client, gateway, loopback());
        let swap = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("a=fingerprint")).unwrap();
            text.replace(line, &format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":")))
        };
        let now = pair.now;
        let mut offer = pair.ends[0].peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
        if swapped == 0 {
            offer = swap(&offer);
        }
        let mut answer =
            pair.ends[1].peer.accept_offer(now, &offer, &Wanted::both(Direction::Receive)).unwrap();
        if swapped == 1 {
            answer = swap(&answer);
        }
        pair.ends[0].peer.accept_answer(now, &answer).unwrap();
        pair.run(Duration::from_secs(5));
        let judge = &pair.ends[1 - swapped];
        assert_eq!(judge.reason().map(|(_, reason)| reason), Some(DisconnectReason::DtlsFingerprint));
        assert!(!pair.ends[0].is_connected() || swapped == 0);
    }
}

#[test]
fn media_goes_on_over_an_ice_restart_to_another_address() {
    let mut pair = published();
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(2), |_, _| {});
    let before = pair.ends[1].peer.local_ufrag().to_owned();
    let now = pair.now;
    let [client, gateway] = &mut pair.ends;
    let offer = client.peer.restart_ice(now, vec![address("10.0.0.9:4444")]).unwrap();
    let answer = gateway.peer.accept_offer(now, &offer, &Wanted::both(Direction::Receive)).unwrap();
    client.peer.accept_answer(now, &answer).unwrap();
    assert_ne!(gateway.peer.local_ufrag(), before);
    assert!(answer.contains("a=setup:passive") && offer.contains("10.0.0.9 4444"), "{offer}{answer}");
    source.run(&mut pair, 0, Duration::from_secs(3), |_, _| {});
    let gateway = &mut pair.ends[1];
    assert!(gateway.reason().is_none(), "{:?}", gateway.events);
    assert_eq!(gateway.peer.statistics(pair.now).path.unwrap().1, address("10.0.0.9:4444"));
    let gaps = gateway.packets.windows(2).map(|two| two[1].0 - two[0].0).max().unwrap();
    assert!(gaps < Duration::from_millis(300), "{gaps:?}");
    assert_eq!(gateway.tracks().len(), 1, "the track stays the same");
}

#[test]
fn a_player_is_sent_what_it_asks_for() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let mut pair = Pair::client_and_gateway(&receive, &send, loopback());
    pair.connect();
    let mut source = Source::of(&pair, 1, Kind::Video, 500_000);
    source.run(&mut pair, 1, Duration::from_secs(1), |_, _| {});
    assert!(pair.ends[0].packets.len() > 40);
    let track = pair.ends[0].tracks()[0].id;
    let now = pair.now;
    pair.ends[0].peer.request_key_frame(now, track).unwrap();
    pair.ends[0].peer.request_key_frame(now, track).unwrap();
    pair.run(Duration::from_millis(50));
    assert_eq!(pair.ends[1].key_frames_asked, 1);
}

#[test]
fn a_strangers_datagrams_change_nothing() {
    let mut pair = published();
    pair.noise = Some(Noise::Stranger);
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(2), |_, _| {});
    let now = pair.now;
    let sent = pair.ends[0].peer.statistics(now).sending[1].packets;
    assert!(pair.ends[1].packets.len() as u64 + 10 >= sent);
    assert!(pair.ends[0].reason().is_none() && pair.ends[1].reason().is_none());
}

#[test]
fn damage_on_the_path_is_no_harm_to_media_and_makes_nothing_panic() {
    for seed in 0..20 {
        let mut pair = published();
        pair.random = seed;
        pair.noise = Some(Noise::OnThePath);
        pair.run(Duration::from_secs(3));
        for end in &pair.ends {
            assert!(end.is_connected() || end.reason().is_some() || end.events.len() < 40);
        }
    }
    let mut pair = published();
    pair.connect();
    pair.noise = Some(Noise::OnThePath);
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(3), |_, _| {});
    pair.noise = None;
    source.run(&mut pair, 0, Duration::from_secs(1), |_, _| {});
    let now = pair.now;
    let sent = pair.ends[0].peer.statistics(now).sending[1].packets;
    assert!(pair.ends[1].packets.len() as u64 + 10 >= sent);
}

#[test]
fn a_restart_tells_the_same_streams_again() {
    let mut pair = published();
    pair.connect();
    let flows = |sdp: &str| -> Vec<String> {
        sdp.lines().filter(|line| line.starts_with("a=ssrc:")).map(str::to_owned).collect()
    };
    let now = pair.now;
    let [client, gateway] = &mut pair.ends;
    let before: Vec<u32> = client.peer.sending().iter().map(|track| track.ssrc).collect();
    let offer = client.peer.restart_ice(now, vec![address("10.0.0.1:4000")]).unwrap();
    assert!(flows(&offer).len() >= 3 && flows(&offer)[0].contains(&before[0].to_string()), "{offer}");
    let answer = gateway.peer.accept_offer(now, &offer, &Wanted::both(Direction::Receive)).unwrap();
    client.peer.accept_answer(now, &answer).unwrap();
    let after: Vec<u32> = client.peer.sending().iter().map(|track| track.ssrc).collect();
    assert_eq!(before, after);
    // Whoever does not answer an offer of ours gets no other one.
    client.peer.restart_ice(now, Vec::new()).unwrap();
    assert!(client.peer.restart_ice(now, Vec::new()).is_err());
}

#[test]
fn a_player_may_be_away_longer_than_a_publisher() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let mut pair = Pair::client_and_gateway(&receive, &send, loopback());
    pair.connect();
    pair.run(Duration::from_secs(1));
    pair.silent[0] = true;
    pair.run(Duration::from_secs(3));
    assert!(pair.ends[1].reason().is_none());
    pair.silent[0] = false;
    pair.run(Duration::from_secs(3));
    assert!(pair.ends[1].reason().is_none());
    pair.silent[0] = true;
    pair.run(Duration::from_secs(7));
    assert!(pair.ends[1].reason().is_some());
}

#[test]
fn requests_of_strangers_take_nobodys_place() {
    let mut pair = published();
    let (to, now) = (address("10.0.0.2:5000"), pair.now);
    let mut request = vec![0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
    request.extend([9; 12]);
    request.extend([0, 6, 0, 3, b'a', b':', b'b', 0]);
    for port in 1..2_000 {
        pair.ends[1].peer.handle_input(now, to, address(&format!("198.51.100.1:{port}")), &request);
    }
    pair.connect();
}

#[test]
fn a_peer_can_be_made_and_negotiated_on_another_thread() {
    let made = std::thread::spawn(|| {
        let now = std::time::Instant::now();
        let mut peer =
            Peer::new(now, Config::client(certificate(), vec![address("10.0.0.1:4000")], 1)).unwrap();
        let offer = peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
        (peer, offer)
    });
    let (mut peer, offer) = made.join().unwrap();
    assert!(offer.contains(peer.local_ufrag()) && peer.poll_event() == Some(Event::Connecting));
}

#[test]
fn an_offer_again_without_a_restart_changes_nothing_of_the_way() {
    let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
    let client = Config::client(certificate(), vec![address("10.0.0.1:4000")], 1);
    let gateway = Config::gateway(certificate(), vec![address("10.0.0.2:5000")], 2);
    let mut pair = Pair::new(client, gateway, loopback());
    let (offer, answer) = pair.negotiate(&send, &receive);
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(1), |_, _| {});
    let ufrag = pair.ends[1].peer.local_ufrag().to_owned();
    let now = pair.now;
    let again = pair.ends[1].peer.accept_offer(now, &offer, &receive).unwrap();
    assert!(pair.ends[1].peer.local_ufrag() == ufrag && again.contains(&format!("a=ice-ufrag:{ufrag}")));
    assert!(answer.contains("a=setup:passive") && again.contains("a=setup:passive"), "{again}");
    let before = pair.ends[1].packets.len();
    source.run(&mut pair, 0, Duration::from_secs(1), |_, _| {});
    assert!(pair.ends[1].packets.len() > before + 40 && pair.ends[1].tracks().len() == 1);
    // A worse one is refused and changes nothing either.
    assert!(pair.ends[1].peer.accept_offer(now, "v=0\r\n", &receive).is_err());
    source.run(&mut pair, 0, Duration::from_secs(1), |_, _| {});
    assert!(pair.ends[1].packets.len() > before + 80 && pair.ends[1].reason().is_none());
}
