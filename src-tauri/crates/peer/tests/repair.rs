//! What gets lost comes again, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use sidetone_peer::*;
use sidetone_testkit::link::LinkSettings;
use support::*;

fn lossy() -> LinkSettings {
    LinkSettings {
        loss: 0.05,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(4),
        ..Default::default()
    }
}

fn no_duplicates(end: &End) {
    let mut seen = HashSet::new();
    for (_, received) in &end.packets {
        assert!(seen.insert((received.track, received.packet.sequence, received.packet.timestamp)));
    }
}

/// The longest time for which no further packet could have been played in order.
fn longest_freeze(end: &End, track: TrackId) -> Duration {
    let mut waiting = HashSet::new();
    let mut next = None;
    let (mut last, mut longest) = (None, Duration::ZERO);
    for (at, received) in end.packets.iter().filter(|(_, received)| received.track == track) {
        let expected = next.get_or_insert(received.packet.sequence);
        waiting.insert(received.packet.sequence);
        let mut moved = false;
        while waiting.remove(expected) {
            *expected = expected.wrapping_add(1);
            moved = true;
        }
        if moved {
            longest = longest.max(last.map_or(Duration::ZERO, |last| *at - last));
            last = Some(*at);
        }
    }
    longest
}

fn runs_clean(sender: usize, directions: (Direction, Direction)) {
    let (offered, answered) = (Wanted::both(directions.0), Wanted::both(directions.1));
    let mut pair = Pair::client_and_gateway(&offered, &answered, lossy());
    pair.connect();
    let mut source = Source::of(&pair, sender, Kind::Video, 500_000);
    source.run(&mut pair, sender, Duration::from_secs(15), |_, _| {});
    pair.run(Duration::from_secs(1));
    let now = pair.now;
    let sent = pair.ends[sender].peer.statistics(now).sending[1].clone();
    let receiver = &mut pair.ends[1 - sender];
    let got = receiver.peer.statistics(now).receiving[0].clone();
    assert!(got.nacked > 20, "{got:?}");
    let resent = sent.resent as f64 / got.nacked as f64;
    assert!(resent < 1.5, "{resent} times {sent:?} {got:?}");
    assert!(got.lost <= 1, "{got:?}");
    assert!(got.repaired > 20 && receiver.packets.iter().any(|(_, received)| received.repaired));
    no_duplicates(receiver);
    let freeze = longest_freeze(receiver, got.track);
    assert!(freeze < Duration::from_millis(300), "{freeze:?}");
}

#[test]
fn five_per_cent_of_loss_from_a_publisher_are_repaired_and_nothing_comes_twice() {
    runs_clean(0, (Direction::Send, Direction::Receive));
}

#[test]
fn five_per_cent_of_loss_to_a_player_are_repaired_and_nothing_comes_twice() {
    runs_clean(1, (Direction::Receive, Direction::Send));
}

#[test]
fn what_the_path_doubles_or_reorders_is_handed_on_once() {
    let settings = LinkSettings {
        duplicate: 0.2,
        jitter: Duration::from_millis(15),
        reorder: true,
        delay: Duration::from_millis(5),
        ..Default::default()
    };
    let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
    let mut pair = Pair::client_and_gateway(&send, &receive, settings);
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 1_000_000);
    source.run(&mut pair, 0, Duration::from_secs(5), |_, _| {});
    pair.run(Duration::from_secs(1));
    no_duplicates(&pair.ends[1]);
    let now = pair.now;
    let sent = pair.ends[0].peer.statistics(now).sending[1].packets;
    assert_eq!(pair.ends[1].packets.len() as u64, sent);
}

#[test]
fn layers_are_told_apart_and_repaired_by_their_identifiers() {
    let layers = ["q", "h", "f"].map(str::to_owned).to_vec();
    let video = Media { layers, codecs: vec![Codec::Vp8], ..Media::new(Kind::Video, Direction::Send) };
    let offered = Wanted { media: vec![video], stream: "s".to_owned() };
    let mut pair = Pair::client_and_gateway(&offered, &Wanted::both(Direction::Receive), lossy());
    pair.connect();
    let tracks: Vec<SendingTrack> = pair.ends[0].peer.sending().to_vec();
    assert_eq!(tracks.iter().filter_map(|track| track.rid.clone()).collect::<Vec<_>>(), ["q", "h", "f"]);
    let mut sources: Vec<Source> = (1..)
        .zip(&tracks)
        .map(|(share, track)| Source {
            track: track.id,
            payload_type: track.codecs[0].payload_type,
            sequence: 100,
            timestamp: 0,
            next: pair.now,
            bps: 150_000 * share,
            patience: Duration::MAX,
        })
        .collect();
    for _ in 0..300 {
        for source in &mut sources {
            source.next = pair.now;
            source.run(&mut pair, 0, Duration::from_millis(11), |_, _| {});
        }
    }
    pair.run(Duration::from_secs(1));
    let now = pair.now;
    no_duplicates(&pair.ends[1]);
    let sent = pair.ends[0].peer.statistics(now).sending.clone();
    let got = pair.ends[1].peer.statistics(now).receiving.clone();
    assert_eq!(got.len(), 3);
    for layer in &got {
        let track = tracks.iter().find(|track| track.rid == layer.rid).unwrap();
        let sent = sent.iter().find(|sent| sent.track == track.id).unwrap();
        // A lost last one is not missed by anybody.
        assert!(layer.packets + 1 >= sent.packets, "{layer:?} {sent:?}");
        assert!(layer.nacked > 0 && sent.resent < 2 * layer.nacked, "{layer:?} {sent:?}");
    }
}

#[test]
fn what_is_lost_for_good_costs_a_key_frame() {
    let (send, receive) = (Wanted::both(Direction::Send), Wanted::both(Direction::Receive));
    let settings = LinkSettings { delay: Duration::from_millis(5), ..Default::default() };
    let mut pair = Pair::client_and_gateway(&send, &receive, settings);
    pair.connect();
    let mut source = Source::of(&pair, 0, Kind::Video, 500_000);
    source.run(&mut pair, 0, Duration::from_secs(1), |_, _| {});
    // Requests for packets do not get through: what is lost now stays so.
    pair.links[0].set(LinkSettings { loss: 1.0, ..settings });
    source.run(&mut pair, 0, Duration::from_millis(120), |_, _| {});
    pair.links[0].set(settings);
    pair.links[1].set(LinkSettings { loss: 1.0, ..settings });
    source.run(&mut pair, 0, Duration::from_millis(2_500), |_, _| {});
    pair.links[1].set(settings);
    source.run(&mut pair, 0, Duration::from_secs(2), |_, _| {});
    let lost = pair.ends[1].events.iter().any(|(_, event)| matches!(event, Event::Lost { .. }));
    assert!(lost, "{:?}", pair.ends[1].events);
}

#[test]
fn the_round_trip_is_known_by_reports() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let mut pair = Pair::client_and_gateway(&receive, &send, lossy());
    pair.connect();
    let mut source = Source::of(&pair, 1, Kind::Video, 300_000);
    source.run(&mut pair, 1, Duration::from_secs(8), |_, _| {});
    let now = pair.now;
    let sending = pair.ends[1].peer.statistics(now).sending[1].clone();
    let round_trip = sending.round_trip.expect("no report has come");
    assert!((Duration::from_millis(38)..Duration::from_millis(70)).contains(&round_trip), "{round_trip:?}");
    assert!((8..60).contains(&sending.lost), "{sending:?}");
}
