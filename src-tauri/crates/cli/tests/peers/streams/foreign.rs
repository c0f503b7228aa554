//! Chromium and aiortc publish by WHIP what we play, and play by WHEP what we publish: VP8 and H.264, with sound.

use super::{Program, film::Film, path, publish};
use serde_json::Value;
use sidetone_testkit::{
    Aiortc, AiortcOptions, Needs, PublishOptions, Room, StreamPage, audio::Wav, room, until,
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const PITCH: f64 = 660.0;

fn gateway(room: &Room) -> (Program, String) {
    let mut gateway = Program::start(room, &[&["gateway"][..], &super::SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let address = line["http"].as_str().unwrap().to_owned();
    (gateway, address)
}

/// Plays `name` for some seconds into files: the clocks can be read and run forward, and the tone is heard.
fn is_seen_and_heard_by_us(room: &Room, name: &str) {
    let ((film, film_text), (heard, heard_text)) =
        (path(room, &format!("{name}.y4m")), path(room, &format!("{name}.wav")));
    let (video, speaker) = (format!("file:{film_text}"), format!("file:{heard_text}"));
    let mut player =
        Program::start(room, &["play", name, "--video", &video, "--speaker", &speaker, "--for", "5s"]);
    player.status("PLAYING");
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let film = Film::read(&film);
    let clocks = film.clocks();
    let (all, read) = (film.pictures.len(), clocks.len());
    let figures = lines.iter().rev().find(|line| line["event"] == "StreamMeasured");
    assert!(
        all > 30 && read * 100 >= all * 95,
        "{name}: {read} clocks of {all} pictures; {figures:?}{}",
        film.unread()
    );
    assert!(clocks.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {clocks:?}");
    let span = clocks[read - 1] - clocks[0];
    assert!((3_000..9_000).contains(&span), "{name}: {span} ms");
    let pitch = pitch(&Wav::read(&heard).unwrap());
    assert!((pitch - PITCH).abs() < 15.0, "{name}: {pitch} Hz");
    let _ = std::fs::remove_file(path(room, &format!("{name}.y4m")).0);
}

/// By the distances of rising zero crossings; half of them are at most as long.
fn pitch(wav: &Wav) -> f64 {
    let rises = wav.samples.windows(2).enumerate().filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0);
    let at: Vec<usize> = rises.map(|(at, _)| at).collect();
    let mut periods: Vec<usize> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    periods.sort_unstable();
    let middle = &periods[periods.len() / 4..periods.len() * 3 / 4];
    f64::from(wav.rate) * middle.len() as f64 / middle.iter().sum::<usize>().max(1) as f64
}

#[test]
fn a_browser_publishes_and_we_play_and_the_other_way_round() {
    let tools = [&StreamPage::TOOLS[..], &["ffmpeg"]].concat();
    let Some(room) = room!(Needs::tools(&tools).network().within(Duration::from_secs(240))) else { return };
    let (_gateway, address) = gateway(&room);
    let page = StreamPage::start(room.dir(), "page", &[]).unwrap();
    let known = page.codecs();
    for codec in ["VP8", "H264"] {
        if !known.contains(&codec.to_owned()) {
            continue;
        }
        let url = format!("{address}/whip/{codec}");
        let options =
            PublishOptions { url: &url, codec: Some(codec), pitch: PITCH, ..PublishOptions::default() };
        let published = page.publish(&options);
        page.wait_for("connected", SOON, |event| event["id"] == published && event["state"] == "connected")
            .unwrap();
        is_seen_and_heard_by_us(&room, codec);
        assert_eq!(page.stop(published, true), Some(200), "{codec}");

        let name = format!("our-{codec}");
        let tone = format!("tone:{PITCH}");
        let publisher = publish(&room, &name, &["--mic", &tone, "--codec", codec, "--size", "640x360"]);
        let played = page.play(&format!("{address}/whep/{name}"), None);
        let good = || {
            let seen = page.seen(played, 0).ok()?;
            let heard = seen.pitch.is_some_and(|heard| (heard - PITCH).abs() < 15.0);
            let last = seen.pictures.last()?;
            let young = last.clock.is_some_and(|clock| (last.at - clock as f64).abs() < 2_000.0);
            (seen.pictures.len() > 60 && heard && young && seen.readable() > 0.9).then_some(())
        };
        until(&format!("{codec} in the browser"), SOON, good).unwrap_or_else(|error| {
            panic!(
                "{error}: {:?} {:?}",
                page.seen(played, 0).map(|seen| (seen.level, seen.pitch)),
                page.events()
            )
        });
        drop(publisher);
    }
}

#[test]
fn aiortc_publishes_and_we_play_and_the_other_way_round() {
    let Some(room) = room!(Needs::tools(&["ffmpeg"]).network().within(Duration::from_secs(240))) else {
        return;
    };
    if !Aiortc::is_there() {
        return;
    }
    let (_gateway, address) = gateway(&room);
    for codec in ["VP8", "H264"] {
        let url = format!("{address}/whip/{codec}");
        let options = AiortcOptions { video: codec, pitch: PITCH, ..AiortcOptions::default() };
        let mut peer = Aiortc::publish(room.dir(), &format!("to-{codec}"), &url, &options).unwrap();
        peer.wait_for("connected", SOON, |event| event["state"] == "connected").unwrap();
        is_seen_and_heard_by_us(&room, codec);
        peer.end().unwrap();

        let name = format!("our-{codec}");
        let tone = format!("tone:{PITCH}");
        let _publisher = publish(&room, &name, &["--mic", &tone, "--codec", codec, "--size", "320x240"]);
        let url = format!("{address}/whep/{name}");
        let player = Aiortc::play(room.dir(), &format!("from-{codec}"), &url, None).unwrap();
        let clock = |event: &Value| event["event"] == "picture" && event["clock"].is_u64();
        player.wait_for("a picture", SOON, clock).unwrap();
        let heard = |event: &Value| {
            event["event"] == "sound" && (event["pitch"].as_f64().unwrap_or(0.0) - PITCH).abs() < 15.0
        };
        player.wait_for("the tone", SOON, heard).unwrap();
    }
}
