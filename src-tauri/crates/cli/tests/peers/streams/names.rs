//! Streams by name at the gateway of this machine.

use super::{Program, film::Film, gateway, last_info, needs, path, publish};
use sidetone_testkit::{
    audio::{self, Wav},
    room,
};
use std::time::Duration;

/// From the player's start of connecting to its first picture.
const FIRST_PICTURE: u64 = 500;
/// A publisher that is killed is noticed within this.
const NOTICED: Duration = Duration::from_millis(1_500);

#[test]
fn what_one_publishes_by_name_another_plays_with_its_sound() {
    let Some(room) = room!(needs().alone()) else { return };
    let _gateway = gateway(&room);
    let (said, said_text) = path(&room, "said.wav");
    let ours = audio::speak_into(&said, 48_000).unwrap();
    let mic = format!("loop:{said_text}");
    let publisher = publish(&room, "tv", &["--mic", &mic, "--size", "640x360"]);
    let (film, film_text) = path(&room, "seen.y4m");
    let (heard, heard_text) = path(&room, "heard.wav");
    let (video, speaker) = (format!("file:{film_text}"), format!("file:{heard_text}"));
    let mut player =
        Program::start(&room, &["play", "tv", "--video", &video, "--speaker", &speaker, "--for", "11s"]);
    player.status("PLAYING");
    let (_, view) = player.wait("its first picture", |line| line["stream"]["liveAt"].is_u64());
    let stream = &view["stream"];
    let took = stream["liveAt"].as_u64().unwrap() - stream["startedAt"].as_u64().unwrap();
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(last_info(&lines).0, "STOPPED");
    let film = Film::read(&film);
    assert_eq!(film.size(), (640, 360));
    film.assert_is_of_bars(100);
    let theirs = Wav::read(&heard).unwrap();
    let alike = audio::hear(&ours, &theirs);
    assert!(alike.peak > 0.7, "what was said is heard as {alike:?}");
    publisher.signal("-INT");
    let (code, lines) = publisher.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(130), "UNPUBLISHED"), "{lines:#?}");
    assert!(took <= FIRST_PICTURE, "the first picture took {took} ms");
}

#[test]
fn a_name_has_one_publisher_and_players_only_what_is_there() {
    let Some(room) = room!(needs().alone()) else { return };
    let _gateway = gateway(&room);
    let publisher = publish(&room, "tv", &["--mic", "tone", "--size", "320x180"]);
    let second = Program::start(&room, &["publish", "tv", "--camera", "bars", "--mic", "none"]);
    let (code, lines) = second.end();
    assert_eq!(last_info(&lines), ("FAILED".into(), "Stream name is already in use".into()));
    assert_eq!(code, Some(5));
    let nobody = Program::start(&room, &["play", "radio", "--speaker", "null"]);
    let (code, lines) = nobody.end();
    assert_eq!(last_info(&lines), ("FAILED".into(), "Stream not found".into()));
    assert_eq!(code, Some(5));

    let mut player = Program::start(&room, &["play", "tv", "--speaker", "null"]);
    player.status("PLAYING");
    publisher.signal("-KILL");
    let killed = std::time::Instant::now();
    let (noticed, stopped) = player.status("STOPPED");
    assert_eq!(stopped["info"], "Stopped by publisher stop");
    assert!(noticed - killed <= NOTICED, "{:?}", noticed - killed);
    assert_eq!(player.end().0, Some(0));
    // The name is free again.
    let again = publish(&room, "tv", &["--mic", "none", "--size", "320x180", "--for", "1s"]);
    assert_eq!(again.end().0, Some(0));
}

#[test]
fn a_snapshot_has_the_full_resolution_and_the_time_of_now() {
    let Some(room) = room!(needs()) else { return };
    let _gateway = gateway(&room);
    let _publisher = publish(&room, "tv", &["--mic", "none", "--size", "1280x720"]);
    let (picture, text) = path(&room, "now.png");
    let before = now();
    let snapshot = Program::start(&room, &["snapshot", "tv", &text]);
    let (code, lines) = snapshot.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let taken = Film::decode(&picture);
    assert_eq!(taken.size(), (1280, 720));
    taken.assert_is_of_bars(1);
    let clock = taken.clocks()[0];
    assert!((before..=now()).contains(&clock), "{clock} is not of now");
    let (code, lines) = Program::start(&room, &["snapshot", "radio", &text]).end();
    assert_eq!((code, last_info(&lines).1.as_str()), (Some(5), "Stream not found"));
}

#[test]
fn without_a_gateway_a_publisher_has_one_of_its_own() {
    let Some(room) = room!(needs()) else { return };
    let publisher = publish(&room, "tv", &["--mic", "tone", "--size", "320x180"]);
    let mut player = Program::start(&room, &["play", "tv", "--speaker", "null", "--for", "1s"]);
    player.status("PLAYING");
    assert_eq!(player.end().0, Some(0));
    publisher.signal("-TERM");
    let (code, lines) = publisher.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(130), "UNPUBLISHED"));
    let lost = Program::start(&room, &["play", "tv", "--speaker", "null"]);
    let (code, lines) = lost.end();
    assert_eq!((code, last_info(&lines).1.as_str()), (Some(5), "Stream not found"));
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
