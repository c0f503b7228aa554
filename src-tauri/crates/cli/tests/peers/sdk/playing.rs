//! Streams that pages play.

use super::{Rig, SOON, needs};
use crate::streams::{Program, publish};
use serde_json::{Value, json};
use sidetone_testkit::{room, until};
use std::time::{Duration, Instant};

/// When its picture is there and moves, within this.
fn is_seen(rig: &Rig, stream: u64, patience: Duration) -> Value {
    let started = Instant::now();
    let shown = until("the picture", patience, || {
        let shown = rig.page.run("shown", &[json!(stream)]);
        (shown["width"].as_u64() > Some(0)).then_some(shown)
    })
    .unwrap();
    let time = shown["time"].as_f64().unwrap_or_default();
    until("a picture that moves", patience, || {
        let shown = rig.page.run("shown", &[json!(stream)]);
        (shown["time"].as_f64() > Some(time)).then_some(())
    })
    .unwrap();
    println!("seen after {} ms: {shown}", started.elapsed().as_millis());
    shown
}

#[test]
fn a_live_stream_is_seen_and_has_sound() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    let shown = is_seen(&rig, player, Duration::from_secs(3));
    let mut tracks: Vec<_> = shown["tracks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    tracks.sort_unstable();
    assert_eq!(tracks, ["audio", "video"]);
    rig.page.tell(player, "stop", &[]);
    rig.page.status(player, "STOPPED", SOON).unwrap();
    rig.end();
}

/// The names are those of WHIP, WHEP and our own programs.
#[test]
fn what_we_publish_is_played_by_a_page_and_the_other_way_round() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let _ours = publish(&room, "ours", &[]);
    let player = rig.play(session, "ours");
    is_seen(&rig, player, Duration::from_secs(5));
    rig.publish(session, "theirs", json!({}));
    let mut watching = Program::start(&room, &["play", "theirs", "--speaker", "null", "--for", "3s"]);
    watching.status("PLAYING");
    let (code, lines) = watching.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    rig.end();
}

#[test]
fn a_stream_without_sound_is_seen_and_one_without_picture_is_heard() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "picture", json!({ "constraints": { "audio": false, "video": true } }));
    rig.publish(session, "voice", json!({ "constraints": { "audio": true, "video": false } }));
    let seen = rig.play(session, "picture");
    is_seen(&rig, seen, Duration::from_secs(5));
    let heard = rig.play(session, "voice");
    assert_eq!(rig.page.ask(heard, "status", &[]), "PLAYING");
    rig.end();
}

#[test]
fn a_name_that_nobody_publishes_is_not_found() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    for name in ["nobody", "no/name at all", "rtsp://example.org/x"] {
        let stream = rig.page.play(session, &json!({ "name": name }));
        let failed = rig.page.status(stream, "FAILED", SOON).unwrap();
        assert_eq!(failed["info"], "Stream not found", "{name}");
    }
    rig.end();
}

#[test]
fn whether_a_stream_is_there_can_be_asked() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    for (name, result) in [("cam", "resolved"), ("nobody", "rejected")] {
        let stream = rig.page.create(session, &json!({ "name": name }));
        rig.page.run("available", &[json!(stream)]);
        let fits = |event: &Value| event["name"] == "promise" && event["id"] == stream;
        let told = rig.page.wait_for("an answer", SOON, fits).unwrap();
        assert_eq!(told["result"], result, "{name}");
    }
    rig.end();
}

/// The SDK has no method for it.
#[test]
fn a_stream_is_paused_and_goes_on_by_raw_messages() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    is_seen(&rig, player, Duration::from_secs(5));
    let id = json!({ "mediaSessionId": rig.page.ask(player, "id", &[]), "name": "cam" });
    let received = || {
        rig.page.run("statistics", &[json!(player)]);
        let told = rig.page.wait_for("statistics", SOON, |event| event["name"] == "statistics").unwrap();
        told["stats"]["inboundStream"]["video"]["bytesReceived"].as_u64().unwrap_or_default()
    };
    for _ in 0..2 {
        rig.page.send_raw(0, "pauseStream", &id);
        rig.page.status(player, "PAUSED", SOON).unwrap();
        // For up to three seconds the path is still asked what it carries, with what was sent before.
        let before = until("nothing more", SOON, || {
            let before = received();
            std::thread::sleep(Duration::from_secs(2));
            (received() == before).then_some(before)
        })
        .unwrap();
        rig.page.send_raw(0, "playStream", &id);
        rig.page.status(player, "PLAYING", SOON).unwrap();
        until("media again", SOON, || (received() > before).then_some(())).unwrap();
    }
    // Of nobody's stream.
    rig.page.send_raw(0, "pauseStream", &json!({ "mediaSessionId": "nobody" }));
    let warned = rig.page.status(session, "WARN", SOON).unwrap();
    assert_eq!(warned["info"], "Stream not found");
    rig.page.tell(player, "stop", &[]);
    rig.page.status(player, "STOPPED", SOON).unwrap();
    rig.end();
}

/// Each second, for the quality that pages show.
#[test]
fn rates_of_the_picture_are_told_to_publisher_and_player() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    rig.play(session, "cam");
    for rate in ["inboundVideoRate", "outboundVideoRate"] {
        let count = || rig.page.messages().iter().filter(|message| *message == rate).count();
        let before = count();
        until(rate, SOON, || (count() >= before + 3).then_some(())).unwrap();
    }
    rig.end();
}
