//! A room as one stream, seen from elsewhere and in a file.

use super::{LONG, Rooms, SOON, needs, run};
use crate::{
    sdk::Program,
    streams::{film::Film, path},
};
use serde_json::{Value, json};
use sidetone_media::video::{Picture, Rect, Size, compose::places};
use sidetone_testkit::{Baresip, BaresipOptions, audio::Wav, room};
use std::{f32::consts::TAU, path::Path, process::Command};

/// What the page, our program and the caller say.
const TONES: [f32; 3] = [1_500.0, 440.0, 900.0];
const BETWEEN: f32 = 1_200.0;
const GREEN: [u8; 3] = [112, 72, 58];
const YELLOW: [u8; 3] = [162, 44, 142];
const SIZE: Size = Size::P360;

fn tone(path: &Path, rate: u32, hz: f32) {
    let samples = (0..rate * 10).map(|n| 0.2 * (TAU * hz * n as f32 / rate as f32).sin()).collect();
    Wav { rate, samples }.write(path).unwrap();
}

/// A film of one colour.
fn plain(path: &Path, yuv: [u8; 3]) {
    let mut film = b"YUV4MPEG2 W320 H180 F10:1 C420\nFRAME\n".to_vec();
    for (value, pixels) in yuv.into_iter().zip([320 * 180, 160 * 90, 160 * 90]) {
        film.extend(std::iter::repeat_n(value, pixels));
    }
    std::fs::write(path, film).unwrap();
}

/// The share of a frequency in each half second; 1 is a full sine.
fn shares(sound: &Wav, hz: f32) -> Vec<f32> {
    let turn = |at: usize| TAU * hz * at as f32 / sound.rate as f32;
    let share = |window: &[f32]| {
        let sum = |wave: fn(f32) -> f32| -> f32 {
            window.iter().enumerate().map(|(at, sample)| sample * wave(turn(at))).sum()
        };
        2.0 * sum(f32::sin).hypot(sum(f32::cos)) / window.len() as f32
    };
    sound.samples.chunks_exact(sound.rate as usize / 2).map(share).collect()
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn is_near(picture: &Picture, (x, y): (u32, u32), yuv: [u8; 3]) -> bool {
    let luma = picture.y()[(y * picture.width() + x) as usize];
    let chroma = (y / 2 * picture.size().chroma_width() + x / 2) as usize;
    let at = [luma, picture.u()[chroma], picture.v()[chroma]];
    at.iter().zip(yuv).all(|(is, wanted)| is.abs_diff(wanted) < 30)
}

fn within(place: Rect, across: u32, down: u32) -> (u32, u32) {
    ((place.left + place.width * across / 16) & !1, (place.top + place.height * down / 16) & !1)
}

/// The bars of the page, our plain picture and the caller's name.
fn shows_all(picture: &Picture) -> [bool; 3] {
    let places = places(0, 3, SIZE).small;
    let name = places[2];
    let (left, top) = within(name, 2, 6);
    let rows = picture.y().chunks_exact(picture.width() as usize).skip(top as usize);
    let rows = rows.take(name.height as usize / 4);
    let written = rows.flat_map(|row| &row[left as usize..(left + name.width * 3 / 4) as usize]);
    [
        is_near(picture, within(places[0], 3, 4), YELLOW),
        is_near(picture, within(places[1], 8, 4), GREEN),
        written.filter(|luma| **luma > 140).count() > 15,
    ]
}

/// Whoever plays this file sees and hears everybody.
fn assert_has_all(file: &Path) {
    let codecs = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name"])
        .arg(file)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&codecs.stdout).lines().collect::<Vec<_>>(), ["h264", "opus"]);
    let film = Film::decode(file);
    assert!(film.pictures.len() > 50, "{} pictures", film.pictures.len());
    let all: Vec<_> = film.pictures.iter().map(shows_all).collect();
    // The bars' white line passes what is looked at.
    let good = all.iter().filter(|shown| **shown == [true; 3]).count();
    assert!(good * 10 >= all.len() * 7, "{good} of {} in {}: {:?}", all.len(), file.display(), all.last());
    let wav = file.with_extension("wav");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-y", "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-ac", "1", "-ar", "48000"])
        .arg(&wav)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg decodes the sound of {}", file.display());
    let sound = Wav::read(&wav).unwrap();
    let heard = TONES.map(|hz| median(shares(&sound, hz)));
    let between = median(shares(&sound, BETWEEN));
    eprintln!("{}: {good} of {}, tones {heard:?}, between {between}", file.display(), all.len());
    assert!(heard.iter().all(|share| *share > 0.05), "{heard:?} in {}", file.display());
    assert!(between < 0.02, "{between} in {}", file.display());
}

/// A published room is played elsewhere and shows and says everybody; so does its recording.
#[test]
fn a_room_goes_out_as_one_stream_and_into_a_file() {
    let needs = needs().and(&["baresip", "ffmpeg", "ffprobe"]).alone();
    let Some(room) = room!(needs) else { return };
    let (of_page, of_caller) = (room.dir().join("page.wav"), room.dir().join("caller.wav"));
    tone(&of_page, 48_000, TONES[0]);
    tone(&of_caller, 8_000, TONES[2]);
    let green = room.dir().join("green.y4m");
    plain(&green, GREEN);
    let mut rooms = Rooms::start(&room, &["--mic", "silence", "--speaker", "null"], Some(&of_page));
    let films = room.dir().join("films");
    let video = json!({ "width": SIZE.width(), "height": SIZE.height(), "folder": films });
    let changed = rooms.gateway.ask(&json!({ "command": "changeSettings", "video": video }));
    assert!(changed["reply"].is_object(), "{changed}");
    let caller =
        BaresipOptions { registrar: Some(rooms.sip), source: Some(&of_caller), ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &caller).unwrap();
    let ann = rooms.connect("ann");
    let of_ann = rooms.join(ann, "tea");
    assert_eq!(rooms.event(of_ann)["event"], "STATE");
    rooms.publish(of_ann, json!({}));
    let tone = format!("tone:{}", TONES[1]);
    let sources =
        json!({ "video": format!("file:{}", green.display()), "audio": [{ "source": tone, "gain": 1.0 }] });
    let joined = rooms
        .gateway
        .ask(&json!({ "command": "joinRoom", "name": "tea", "login": "our", "sources": sources }));
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    let ask = |rooms: &mut Rooms, ask: Value| {
        let reply = rooms.gateway.ask(&json!({ "command": "askRoom", "roomId": id, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
        reply
    };
    let called = ask(&mut rooms, json!({ "ask": "callIn", "callee": "bob" }));
    rooms.gateway.wait("all of them, with what they send", |line| {
        let all = line["room"]["participants"].as_array();
        line["event"] == "RoomChanged"
            && all.is_some_and(|all| {
                all.len() == 3
                    && all.iter().all(|it| it["streams"].as_array().is_some_and(|it| it.len() == 1))
            })
    });
    let web = rooms.url.replace("ws:", "http:");
    ask(&mut rooms, json!({ "ask": "publish", "name": format!("{web}/whip/show") }));
    ask(&mut rooms, json!({ "ask": "record", "on": true }));
    rooms.gateway.wait("the room on the air", |line| {
        line["event"] == "StreamStatusEvent"
            && line["status"] == "PUBLISHING"
            && line["name"].as_str().is_some_and(|name| name.ends_with("/whip/show"))
    });
    let (seen, seen_text) = path(&room, "seen.mp4");
    let whep = format!("{web}/whep/show");
    let player =
        Program::start(&room, &["play", &whep, "--speaker", "null", "--record", &seen_text, "--for", "9s"]);
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    ask(&mut rooms, json!({ "ask": "record", "on": false }));
    let (_, notice) = rooms.gateway.wait_within(LONG, "the file", |line| {
        line["event"] == "Notice" && line["info"].as_str().is_some_and(|info| info.starts_with("recorded "))
    });
    ask(&mut rooms, json!({ "ask": "publish", "name": null }));
    rooms.gateway.wait("the end of it", |line| {
        line["event"] == "StreamStatusEvent" && line["status"] == "UNPUBLISHED"
    });
    rooms.gateway.ask(&json!({ "command": "hangup", "callId": called["reply"]["callId"] }));
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    run(&rooms.page, "leave", &[json!(of_ann)]);
    assert_eq!(rooms.page.errors(), Vec::<String>::new());
    let kept = notice["info"].as_str().unwrap().split_once(" to ").unwrap().1.to_owned();
    assert_has_all(&seen);
    assert_has_all(Path::new(&kept));
}
