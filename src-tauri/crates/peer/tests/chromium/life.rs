//! Sessions begin and change.

use std::time::{Duration, Instant};

use serde_json::json;
use sidetone_peer::*;
use sidetone_testkit::room;

use super::gateway::Gateway;
use super::{browser, needs, publish};

#[test]
fn chromium_restarts_ice_and_its_media_goes_on() {
    let Some(room) = room!(needs()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new([0, 0]);
    publish(&driver, &mut gateway, "VP8", &[], 500);
    gateway.run(Duration::from_secs(4));
    assert!(gateway.connected.contains_key(&0), "{:?}", gateway.failures);
    let (before, ufrag) = (gateway.packets.len(), gateway.peers[0].local_ufrag().to_owned());
    let offer = driver.script("return restart(publisher)", &[]);
    let now = Instant::now();
    let answer = gateway.peers[0]
        .accept_offer(now, offer.as_str().unwrap(), &Wanted::both(Direction::Receive))
        .unwrap();
    assert_ne!(gateway.peers[0].local_ufrag(), ufrag);
    gateway.demux.insert(gateway.peers[0].local_ufrag(), 0);
    driver.script("return answer(publisher, arguments[0])", &[json!(answer)]);
    gateway.run(Duration::from_secs(4));
    assert!(gateway.failures.is_empty(), "{:?}", gateway.failures);
    let after = gateway.packets.iter().filter(|(at, ..)| *at > now + Duration::from_secs(2)).count();
    assert!(after > 60, "{after} packets after it, {before} before");
    let state = driver.script("return [publisher.connectionState, publisher.iceConnectionState]", &[]);
    assert_eq!(state[0], "connected", "{state}");
    assert_eq!(gateway.tracks.len(), 2, "{:?}", gateway.tracks);
}

#[test]
fn chromium_answers_what_we_offer_and_is_received() {
    let Some(room) = room!(needs()) else { return };
    let driver = browser(&room);
    let mut gateway = Gateway::new([0, 0]);
    let offer = gateway.offer(&Wanted::both(Direction::Receive));
    let answer = driver.script("return serve(arguments[0])", &[json!(offer)]);
    gateway.peers[0].accept_answer(Instant::now(), answer.as_str().unwrap()).unwrap();
    gateway.run(Duration::from_secs(6));
    assert!(gateway.connected.contains_key(&0), "{:?} {answer}", gateway.failures);
    assert_eq!(gateway.tracks.len(), 2, "{:?}", gateway.tracks);
    let of = |kind: Kind| gateway.packets.iter().filter(|(_, _, r)| r.codec.kind() == kind).count();
    assert!(of(Kind::Video) > 100 && of(Kind::Audio) > 100, "{} {}", of(Kind::Video), of(Kind::Audio));
    assert!(gateway.peers[0].statistics(Instant::now()).round_trip.is_some());
}
