//! Files that `--record` leaves.

use super::{Program, film::Film, gateway, needs, path, publish};
use sidetone_testkit::{room, until};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// What ffprobe says of a file: its length in seconds, and the codecs of its tracks.
fn probe(path: &Path) -> (f64, Vec<String>) {
    let ask = |entries: &str| {
        let out = Command::new("ffprobe")
            .args(["-v", "error", "-of", "csv=p=0", "-show_entries", entries])
            .arg(path)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let packets = ask("packet=pts_time,duration_time");
    let ends = packets.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let at: f64 = fields.next()?.parse().ok()?;
        Some(at + fields.next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0))
    });
    (ends.fold(0.0, f64::max), ask("stream=codec_name").lines().map(String::from).collect())
}

fn is_growing(path: &Path) {
    until("a recording", Duration::from_secs(20), || std::fs::metadata(path).ok().map(drop)).unwrap();
}

#[test]
fn a_recording_plays_after_a_kill_up_to_the_last_second() {
    let Some(room) = room!(needs()) else { return };
    let (file, text) = path(&room, "tv.mp4");
    let publisher = publish(&room, "tv", &["--mic", "tone", "--size", "640x360", "--record", &text]);
    is_growing(&file);
    let mut player = Program::start(&room, &["play", "tv", "--speaker", "null"]);
    player.status("PLAYING");
    let began = Instant::now();
    // About six seconds of it.
    player.wait("180 pictures", |line| line["statistics"]["frames"].as_u64() >= Some(180));
    publisher.signal("-KILL");
    let lived = began.elapsed().as_secs_f64();
    let (code, _) = publisher.end();
    assert_eq!(code, None, "it was killed");
    let (seconds, codecs) = probe(&file);
    assert_eq!(codecs, ["h264", "opus"]);
    let film = Film::decode(&file);
    film.assert_is_of_bars(100);
    let clocks = film.clocks();
    let shown = (clocks[clocks.len() - 1] - clocks[0]) as f64 / 1_000.0;
    assert!((shown - seconds).abs() < 0.5, "{shown} s of pictures in {seconds} s");
    assert!(seconds > lived - 1.5, "{seconds} s of more than {lived} s");
}

#[test]
fn what_is_played_can_be_recorded_as_it_was_sent() {
    let Some(room) = room!(needs()) else { return };
    let _gateway = gateway(&room);
    let _publisher = publish(&room, "tv", &["--mic", "tone", "--size", "320x180"]);
    let (file, text) = path(&room, "copy.mp4");
    let player =
        Program::start(&room, &["play", "tv", "--speaker", "null", "--record", &text, "--for", "4s"]);
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let (seconds, codecs) = probe(&file);
    assert_eq!(codecs, ["h264", "opus"]);
    assert!((2.0..6.0).contains(&seconds), "{seconds}");
    Film::decode(&file).assert_is_of_bars(50);
}
