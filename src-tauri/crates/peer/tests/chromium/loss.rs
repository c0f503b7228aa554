//! What gets lost is asked for once, and nobody sees it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidetone_peer::*;
use sidetone_testkit::{Room, room};

use super::gateway::Gateway;
use super::{browser, needs, publish, stats};

/// Of so many packets of a stream one is lost: five per cent.
const ONE_IN: u32 = 20;
const MEASURED: Duration = Duration::from_secs(15);
/// Packets that are sent again of 15 s at 500 kbit/s.
const MOST_RESENT: u64 = 60;
const LONGEST_FREEZE: Duration = Duration::from_millis(300);

fn resent(stats: &[Value], rid: Option<&str>) -> u64 {
    let of_layer = stats.iter().filter(|stat| rid.is_none_or(|rid| stat["rid"] == rid));
    of_layer.filter_map(|stat| stat["retransmittedPacketsSent"].as_u64()).sum()
}

/// Figures of each layer: what Chromium sent again, and what we saw of it.
fn is_repaired(room: &Room, layers: &[&str]) -> Vec<(u64, ReceivingStatistics)> {
    let driver = browser(room);
    let mut gateway = Gateway::new([ONE_IN, 0]);
    publish(&driver, &mut gateway, "VP8", layers, 500);
    gateway.run(Duration::from_secs(5));
    assert!(gateway.connected.contains_key(&0), "{:?}", gateway.failures);
    // A slow machine sends its best layer late.
    for _ in 0..30 {
        if gateway.tracks.len() <= layers.len() {
            gateway.run(Duration::from_secs(1));
        }
    }
    let sent_before = stats(&driver, "publisher", "outbound-rtp");
    let since = Instant::now();
    let before = gateway.peers[0].statistics(since).receiving;
    gateway.run(MEASURED);
    let after = gateway.peers[0].statistics(Instant::now()).receiving;
    let sent = stats(&driver, "publisher", "outbound-rtp");
    assert_eq!(gateway.duplicates(), 0);
    assert!(gateway.failures.is_empty(), "{:?}", gateway.failures);

    let video: HashSet<TrackId> =
        gateway.tracks.iter().filter(|track| track.kind == Kind::Video).map(|track| track.id).collect();
    assert_eq!(video.len(), layers.len().max(1), "{:?}", gateway.tracks);
    let mut figures = Vec::new();
    for track in after.into_iter().filter(|track| video.contains(&track.track)) {
        let rid = track.rid.as_deref();
        let again = resent(&sent, rid) - resent(&sent_before, rid);
        let earlier = before.iter().find(|earlier| earlier.track == track.track).unwrap();
        let grown = ReceivingStatistics {
            packets: track.packets - earlier.packets,
            repaired: track.repaired - earlier.repaired,
            duplicates: track.duplicates - earlier.duplicates,
            nacked: track.nacked - earlier.nacked,
            nacks: track.nacks - earlier.nacks,
            lost: track.lost - earlier.lost,
            ..track.clone()
        };
        let freeze = gateway.longest_freeze(track.track, since);
        eprintln!(
            "{rid:?}: {again} resent for {} asked for {} times, {} repaired, {} came twice, of {}; freeze {freeze:?}",
            grown.nacked, grown.nacks, grown.repaired, grown.duplicates, grown.packets
        );
        assert!(freeze <= LONGEST_FREEZE, "{freeze:?}");
        assert_eq!(grown.lost, 0, "{grown:?}");
        assert!(grown.nacked > 0, "{grown:?}");
        // One of twenty answers is lost as well, and is asked for once more.
        assert!(grown.nacks * 5 <= grown.nacked * 6 + 5, "{grown:?}");
        figures.push((again, grown));
    }
    figures
}

#[test]
fn chromium_resends_once_what_five_per_cent_of_loss_took_of_vp8() {
    let Some(room) = room!(needs().alone()) else { return };
    for (again, figures) in is_repaired(&room, &[]) {
        assert!(again <= MOST_RESENT, "{again} resent: {figures:?}");
    }
}

#[test]
fn chromium_resends_once_what_five_per_cent_of_loss_took_of_each_layer() {
    let Some(room) = room!(needs().alone()) else { return };
    for (again, figures) in is_repaired(&room, &["q", "h", "f"]) {
        assert!(again < 3 * figures.nacked, "{again} resent: {figures:?}");
    }
}

/// A picture as the browser showed it, times in ms of its clock.
struct Shown {
    at: f64,
    received: f64,
    timestamp: u32,
    /// Time before it in which the page did not run.
    stalled: f64,
}

fn shown(driver: &sidetone_testkit::browser::Driver) -> Vec<Shown> {
    let all = driver.script("return shown", &[]);
    let picture = |one: &Value| {
        let number = |at: usize| one[at].as_f64().unwrap_or_default();
        Shown { at: number(0), received: number(1), timestamp: number(2) as u32, stalled: number(3) }
    };
    all.as_array().unwrap().iter().map(picture).collect()
}

#[test]
fn chromium_plays_on_where_five_per_cent_to_it_are_lost() {
    let Some(room) = room!(needs().alone()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new([0, ONE_IN]);
    publish(&driver, &mut gateway, "VP8", &[], 500);
    gateway.run(Duration::from_secs(2));
    let offer = driver.script("return play()", &[]);
    let answer = gateway.answer(offer.as_str().unwrap(), &Wanted::both(Direction::Send));
    driver.script("return answer(player, arguments[0])", &[json!(answer)]);
    gateway.run(Duration::from_secs(5));
    let before = stats(&driver, "player", "inbound-rtp");
    let sending = gateway.peers[1].statistics(Instant::now()).sending;
    driver.script("watch()", &[]);
    gateway.run(MEASURED);
    let pictures = shown(&driver);
    let after = stats(&driver, "player", "inbound-rtp");
    let count =
        |stats: &[Value], name: &str| stats.iter().filter_map(|stat| stat[name].as_f64()).sum::<f64>();
    let grown = |name: &str| count(&after, name) - count(&before, name);
    assert_eq!(gateway.duplicates(), 0);

    // How much longer than the fastest a picture took from us to the browser: what its repair took.
    let ways: Vec<f64> = pictures
        .iter()
        .filter_map(|picture| {
            let sent = *gateway.forwarded.get(&picture.timestamp)?;
            Some(picture.received - (sent - gateway.connected[&0]).as_secs_f64() * 1_000.0)
        })
        .collect();
    let least = ways.iter().copied().reduce(f64::min).expect("pictures that we sent");
    let late = ways.iter().map(|way| way - least).reduce(f64::max).unwrap();
    // What neither the source nor the page paused for.
    let (mut longest, mut excused) = (0.0_f64, 0.0);
    for pair in pictures.windows(2) {
        let drawn = f64::from(pair[1].timestamp.wrapping_sub(pair[0].timestamp)) / 90.0;
        let paused = (drawn - 34.0).max(0.0) + pair[1].stalled;
        excused += paused;
        longest = longest.max(pair[1].at - pair[0].at - paused);
    }
    let (freezes, frozen) = (grown("freezeCount"), grown("totalFreezesDuration"));
    let (again, asked) =
        gateway.peers[1].statistics(Instant::now()).sending.iter().zip(&sending).fold(
            (0, 0),
            |sum, (after, before)| {
                (sum.0 + after.resent - before.resent, sum.1 + after.nacked - before.nacked)
            },
        );
    eprintln!(
        "{} pictures, at most {late:.0} ms late and {longest:.0} ms shown; {freezes} freezes of {frozen:.2} s, {excused:.0} ms \
         paused; {again} resent for {asked} asked for",
        pictures.len()
    );
    let limit = LONGEST_FREEZE.as_secs_f64() * 1_000.0;
    assert!(grown("framesDecoded") > 15.0 * 20.0, "{after:?}");
    assert!(
        ways.len() > 100 && ways.len() * 10 >= pictures.len() * 9,
        "{} of {}",
        ways.len(),
        pictures.len()
    );
    assert!(late <= limit, "{late} ms late");
    assert!(longest <= limit, "shown for {longest} ms");
    assert!(frozen * 1_000.0 - excused <= limit, "{frozen} s frozen, {excused} ms paused");
    assert!(asked > 20 && again <= MOST_RESENT, "{again} resent for {asked} asked for");
}
