//! What streams are made of.

use super::{Program, film::Film, gateway, path, publish};
use sidetone_testkit::{
    Needs, PulseServer,
    audio::{self, Wav},
    room, until,
};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn what_this_machine_plays_is_published_and_heard_by_players() {
    let tools = ["pulseaudio", "pactl", "paplay", "parecord"];
    let Some(room) = room!(Needs::tools(&tools).network().within(Duration::from_secs(150))) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    let _gateway = gateway(&room);
    let _publisher = publish(&room, "tv", &["--mic", "system", "--size", "320x180"]);
    let taken = || (server.streams_on_source("spk.monitor").ok()? == 1).then_some(());
    until("the speaker's sound to be taken", LONG, taken).unwrap();
    let (said, _) = path(&room, "said.wav");
    let ours = audio::speech_like(3.0, 48_000);
    ours.write(&said).unwrap();
    let (heard, heard_text) = path(&room, "heard.wav");
    let speaker = format!("file:{heard_text}");
    let mut player = Program::start(&room, &["play", "tv", "--speaker", &speaker, "--for", "12s"]);
    player.status("PLAYING");
    for _ in 0..3 {
        server.play(&said, "spk").unwrap().wait(LONG).unwrap();
    }
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let alike = audio::hear(&ours, &Wav::read(&heard).unwrap());
    assert!(alike.peak > 0.7, "what the machine played is heard as {alike:?}");
}

#[test]
fn a_recorded_film_is_published_again() {
    let Some(room) = room!(super::needs()) else { return };
    let _gateway = gateway(&room);
    let (film, film_text) = path(&room, "film.mp4");
    let recorded = ["--mic", "none", "--size", "640x360", "--record", &film_text, "--for", "3s"];
    assert_eq!(publish(&room, "first", &recorded).end().0, Some(0));
    assert!(film.exists());
    let camera = format!("file:{film_text}");
    let mut publisher = Program::start(
        &room,
        &["publish", "again", "--camera", &camera, "--mic", "none", "--size", "640x360"],
    );
    publisher.status("PUBLISHING");
    let (seen, seen_text) = path(&room, "seen.y4m");
    let video = format!("file:{seen_text}");
    let mut player =
        Program::start(&room, &["play", "again", "--video", &video, "--speaker", "null", "--for", "5s"]);
    player.status("PLAYING");
    assert_eq!(player.end().0, Some(0));
    let (before, now) = (Film::decode(&film), Film::read(&seen));
    let clocks = before.clocks();
    let (first, last) = (clocks[0], clocks[clocks.len() - 1]);
    let seen = now.clocks();
    assert!(seen.len() > 60 && seen.len() * 100 >= now.pictures.len() * 95, "{} clocks", seen.len());
    assert!(seen.iter().all(|clock| (first..=last).contains(clock)), "only what was recorded is seen");
    assert!(seen.windows(2).any(|pair| pair[0] > pair[1]), "it begins again at its end");
}
