//! The estimate of the path.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};

use sidetone_peer::*;
use sidetone_testkit::link::LinkSettings;
use support::*;

fn path(bandwidth: u64) -> LinkSettings {
    LinkSettings {
        bandwidth: Some(bandwidth),
        queue: 60_000,
        delay: Duration::from_millis(25),
        ..Default::default()
    }
}

/// An encoder follows the estimate up to `most`.
fn follow(source: &mut Source, pair: &Pair, end: usize, most: u64) {
    let estimate = pair.ends[end].estimates.last().map_or(600_000, |(_, bps)| *bps);
    source.bps = (estimate * 9 / 10).min(most);
}

fn at(pair: &Pair, end: usize, moment: Instant) -> u64 {
    pair.ends[end].estimates.iter().rev().find(|(at, _)| *at <= moment).map_or(0, |(_, bps)| *bps)
}

/// The longest time for which no packet arrived.
fn gap(end: &End, since: Instant) -> Duration {
    let times: Vec<Instant> = end.packets.iter().map(|(at, _)| *at).filter(|at| *at >= since).collect();
    times.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(Duration::MAX)
}

/// How long after its picture was taken a packet came at the latest.
fn latest(end: &End, begun: Instant, since: Instant) -> Duration {
    let packets = end.packets.iter().filter(|(at, _)| *at >= since);
    let late = packets.map(|(at, received)| {
        let taken = Duration::from_millis(u64::from(received.packet.timestamp.saturating_sub(3_000)) / 90);
        (*at - begun).saturating_sub(taken)
    });
    late.max().unwrap_or_default()
}

#[test]
fn a_path_that_narrows_and_widens_again_is_followed_within_five_seconds() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let mut pair = Pair::client_and_gateway(&receive, &send, path(2_500_000));
    pair.connect();
    let mut source = Source::of(&pair, 1, Kind::Video, 600_000);
    let begun = pair.now;
    let most = 2_000_000;
    source.run(&mut pair, 1, Duration::from_secs(10), |source, pair| follow(source, pair, 1, most));
    let wide = at(&pair, 1, pair.now);
    assert!(wide > 1_700_000, "it found {wide} of 2.5 Mbit/s {:?}", pair.ends[1].estimates);

    let narrowed = pair.now;
    pair.links[1].set(path(500_000));
    source.run(&mut pair, 1, Duration::from_secs(12), |source, pair| follow(source, pair, 1, most));
    for second in 2..12 {
        let now = at(&pair, 1, narrowed + Duration::from_secs(second));
        // First it lets the queue empty.
        let least = if second < 6 { 100_000 } else { 300_000 };
        assert!((least..600_000).contains(&now), "{now} after {second} s of 500 kbit/s");
    }
    let late = latest(&pair.ends[0], begun, narrowed + Duration::from_secs(5));
    assert!(late < Duration::from_millis(300), "{late:?} late, five seconds after the path narrowed");
    let freeze = gap(&pair.ends[0], narrowed);
    assert!(freeze < Duration::from_secs(1), "{freeze:?}");

    let widened = pair.now;
    pair.links[1].set(path(2_500_000));
    source.run(&mut pair, 1, Duration::from_secs(8), |source, pair| follow(source, pair, 1, most));
    let back = at(&pair, 1, widened + Duration::from_secs(5));
    assert!(back > 1_700_000, "{back} five seconds after the path was wide again");
    let freeze = gap(&pair.ends[0], widened);
    assert!(freeze < Duration::from_millis(300), "{freeze:?}");
}

#[test]
fn loss_that_is_no_congestion_does_not_starve_the_stream() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let settings = LinkSettings { loss: 0.05, ..path(3_000_000) };
    let mut pair = Pair::client_and_gateway(&receive, &send, settings);
    pair.connect();
    let mut source = Source::of(&pair, 1, Kind::Video, 600_000);
    source.run(&mut pair, 1, Duration::from_secs(10), |source, pair| follow(source, pair, 1, 2_000_000));
    let now = at(&pair, 1, pair.now);
    assert!(now > 1_000_000, "{now}");
}

#[test]
fn a_peer_with_nothing_to_find_out_is_seldom_woken() {
    let (receive, send) = (Wanted::both(Direction::Receive), Wanted::both(Direction::Send));
    let mut pair = Pair::client_and_gateway(&receive, &send, path(20_000_000));
    pair.connect();
    pair.ends[1].peer.set_bitrate(BitrateLimits { min: 50_000, start: 500_000, max: 900_000 });
    let mut source = Source::of(&pair, 1, Kind::Video, 600_000);
    source.run(&mut pair, 1, Duration::from_secs(5), |_, _| {});
    let (mut woken, end) = (0, pair.now + Duration::from_secs(2));
    while pair.now < end {
        let due = pair.ends[1].peer.poll_timeout();
        pair.step(end);
        woken += u32::from(due.is_some_and(|due| due <= pair.now));
    }
    assert!(woken < 60, "{woken} times in two seconds without media");
}
