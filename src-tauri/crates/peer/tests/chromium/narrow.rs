//! A path of 2 Mbit/s that narrows to 500 kbit/s and widens again.
//!
//! Chromium that sends to Chromium over such a path, the yardstick: it comes down to 410 kbit/s within 1.5 s; with a queue of
//! 60 kB, no picture was shown for 1083 ms, with one of 30 kB for 883 ms; where the path is wide again its rate grows by 8 % a
//! second, from 420 to 990 kbit/s in 12 s. So pictures are asked for within five seconds, and no rate.

use std::time::{Duration, Instant};

use sidetone_peer::*;
use sidetone_testkit::link::LinkSettings;
use sidetone_testkit::room;

use super::gateway::Gateway;
use super::{browser, needs, publish};

const WIDE: u64 = 2_000_000;
const NARROW: u64 = 500_000;

/// What waits on the path at most, in bytes: 720 ms where it is narrow.
const QUEUE: usize = 45_000;

/// A fifth above what Chromium gives itself at such a queue, between its two figures. What is lost of a full queue is missed
/// when the queue is through, and what replaces it waits as long.
const LONGEST: Duration = Duration::from_millis(1_180);

fn path(bandwidth: u64) -> LinkSettings {
    LinkSettings { bandwidth: Some(bandwidth), queue: QUEUE, ..Default::default() }
}

/// The longest time for which a picture of the video stood still, of those that came from one moment to another.
fn freeze(pictures: &[(Instant, u32)], from: Instant, to: Instant) -> Duration {
    let within = pictures.windows(2).filter(|pair| pair[1].0 > from && pair[0].0 < to);
    within.map(|pair| pair[1].0 - pair[0].0).max().unwrap_or(Duration::MAX)
}

#[test]
fn what_chromium_sends_follows_a_path_that_narrows_and_widens_again() {
    let Some(room) = room!(needs().alone()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new([0, 0]);
    gateway.links[0].set(path(WIDE));
    driver.script("makeGrain(24)", &[]);
    publish(&driver, &mut gateway, "VP8", &[], 1_700);
    gateway.run(Duration::from_secs(12));
    assert!(gateway.connected.contains_key(&0), "{:?}", gateway.failures);
    let kbit = |gateway: &Gateway, from: Instant, time: Duration| {
        let of_time = gateway.packets.iter().filter(|(at, ..)| (from..from + time).contains(at));
        let bytes: usize = of_time.map(|(_, _, received)| received.packet.payload.len()).sum();
        bytes as f64 * 8.0 / time.as_secs_f64() / 1_000.0
    };
    let narrowed = Instant::now();
    let second = Duration::from_secs(1);
    let before = kbit(&gateway, narrowed - 2 * second, 2 * second);
    assert!(before > 1_000.0, "{before} kbit/s before it is narrow");
    gateway.links[0].set(path(NARROW));
    gateway.run(10 * second);
    let widened = Instant::now();
    gateway.links[0].set(path(WIDE));
    gateway.run(10 * second);
    let end = Instant::now();

    let video = gateway.tracks.iter().find(|track| track.kind == Kind::Video).unwrap().id;
    let pictures = gateway.pictures(video);
    let way = |(at, timestamp): &(Instant, u32)| {
        let drawn = f64::from(timestamp.wrapping_sub(pictures[0].1)) / 90.0;
        (*at - pictures[0].0).as_secs_f64() * 1_000.0 - drawn
    };
    let least = pictures.iter().map(way).reduce(f64::min).unwrap();
    for half in 0..40 {
        let from = narrowed + half * second / 2;
        let of_half: Vec<_> =
            pictures.iter().filter(|(at, _)| (from..from + second / 2).contains(at)).collect();
        let late = of_half.iter().map(|picture| way(picture) - least).fold(0.0, f64::max);
        eprintln!(
            "{:.1} s: {:.0} kbit/s, {} pictures, {late:.0} ms late",
            f64::from(half) / 2.0,
            kbit(&gateway, from, second / 2),
            of_half.len()
        );
    }
    let longest = freeze(&pictures, narrowed, end);
    assert!(longest <= LONGEST, "{longest:?} without a picture");
    // Five seconds after each change pictures come as they are drawn again.
    for (from, to) in [(narrowed + 5 * second, widened), (widened + 5 * second, end)] {
        let of_time: Vec<_> = pictures.iter().filter(|(at, _)| (from..to).contains(at)).collect();
        let late = of_time.iter().map(|picture| way(picture) - least).fold(0.0, f64::max);
        assert!(late < 300.0, "{late} ms late");
        assert!(of_time.len() > 15 * 4, "{} pictures in {:?}", of_time.len(), to - from);
    }
    let used = kbit(&gateway, narrowed + 5 * second, 4 * second);
    assert!(used > 250.0, "{used} kbit/s of 500");
    assert!(gateway.failures.is_empty(), "{:?}", gateway.failures);
}
