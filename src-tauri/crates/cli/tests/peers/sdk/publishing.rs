//! Streams that pages publish.

use super::{Rig, SOON, needs};
use serde_json::{Value, json};
use sidetone_testkit::{room, until};
use std::time::Duration;

/// The counter `bytesSent` of the SDK's own statistics.
fn sent(rig: &Rig, stream: u64, kind: &str) -> u64 {
    rig.page.run("statistics", &[json!(stream)]);
    let told = rig.page.wait_for("statistics", SOON, |event| event["name"] == "statistics").unwrap();
    told["stats"]["outboundStream"][kind]["bytesSent"].as_u64().unwrap_or_default()
}

#[test]
fn sound_and_picture_are_published() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.session();
    let stream = rig.publish(session, "cam", json!({}));
    let view = rig.gateway_is("the stream", |view| view["streams"][0]["name"] == "cam");
    let codecs = (view["streams"][0]["audioCodec"].clone(), view["streams"][0]["videoCodec"].clone());
    assert_eq!(codecs, (json!("opus"), json!("VP8")));
    let before = ["audio", "video"].map(|kind| sent(&rig, stream, kind));
    until("more sound and picture", SOON, || {
        let now = ["audio", "video"].map(|kind| sent(&rig, stream, kind));
        (now[0] > before[0] && now[1] > before[1]).then_some(())
    })
    .unwrap();
    rig.end();
}

#[test]
fn sound_alone_and_a_picture_alone_are_published() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.session();
    rig.publish(session, "voice", json!({ "constraints": { "audio": true, "video": false } }));
    rig.publish(session, "picture", json!({ "constraints": { "audio": false, "video": true } }));
    let view = rig.gateway_is("both", |view| view["streams"].as_array().is_some_and(|all| all.len() == 2));
    let (picture, voice) = (&view["streams"][0], &view["streams"][1]);
    assert_eq!((&picture["audioCodec"], &picture["videoCodec"]), (&Value::Null, &json!("VP8")));
    assert_eq!((&voice["audioCodec"], &voice["videoCodec"]), (&json!("opus"), &Value::Null));
    rig.end();
}

#[test]
fn a_name_that_is_taken_stays_with_its_publisher() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let first = rig.publish(session, "cam", json!({}));
    let second = rig.page.publish(session, &json!({ "name": "cam" }));
    let failed = rig.page.status(second, "FAILED", SOON).unwrap();
    assert_eq!(failed["info"], "Stream name is already in use");
    assert_eq!(rig.page.ask(first, "status", &[]), "PUBLISHING");
    rig.play(session, "cam");
    rig.end();
}

#[test]
fn a_publisher_that_stops_ends_its_players() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.session();
    let publisher = rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    rig.gateway_is("a player", |view| view["streams"][0]["players"] == 1);
    rig.page.tell(publisher, "stop", &[]);
    rig.page.status(publisher, "UNPUBLISHED", SOON).unwrap();
    // Waits go on where the last one ended, and the two ends come in any order.
    let told = |status: &str| {
        let events = rig.page.events();
        events.into_iter().find(|event| event["id"] == player && event["status"] == status)
    };
    let stopped = until("the player's end", SOON, || told("STOPPED")).unwrap();
    assert_eq!(stopped["info"], "Stopped by publisher stop");
    rig.gateway_is("no stream", |view| view["streams"] == json!([]) && view["clients"][0]["played"] == 0);
    rig.end();
}

#[test]
fn a_stream_that_is_stopped_at_once_is_over_soon() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.session();
    let stream = rig.page.publish(session, &json!({ "name": "cam" }));
    rig.page.tell(stream, "stop", &[]);
    rig.gateway_is("a stream", |view| view["clients"][0]["published"] == 1);
    rig.page.status(stream, "UNPUBLISHED", Duration::from_secs(5)).unwrap();
    rig.gateway_is("no stream", |view| view["clients"][0]["published"] == 0 && view["clientCount"] == 1);
    rig.end();
}

#[test]
fn limits_of_the_bit_rate_leave_a_description_that_can_be_read() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let video = json!({ "width": 320, "height": 240, "minBitrate": 200, "maxBitrate": 500 });
    let stream = rig.publish(session, "cam", json!({ "constraints": { "audio": true, "video": video } }));
    let sound = json!({ "bitrate": 64, "stereo": true, "fec": true });
    rig.publish(session, "sound", json!({ "constraints": { "audio": sound, "video": false } }));
    assert_eq!(rig.page.ask(stream, "status", &[]), "PUBLISHING");
    rig.end();
}

#[test]
fn what_is_muted_and_what_is_sent_beside_a_stream_is_told_to_its_players() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let publisher = rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    let told = |kind: &str| {
        let fits = |event: &Value| event["id"] == player && event["type"] == kind;
        rig.page.wait_for(kind, SOON, fits).unwrap()["payload"].clone()
    };
    for (method, kind) in [
        ("muteAudio", "audioMuted"),
        ("muteVideo", "videoMuted"),
        ("unmuteAudio", "audioUnmuted"),
        ("unmuteVideo", "videoUnmuted"),
    ] {
        rig.page.tell(publisher, method, &[]);
        assert_eq!(told(kind)["streamName"], "cam");
    }
    let payload = json!({ "text": "hello", "list": [1, 2, { "deep": null }] });
    rig.page.tell(publisher, "sendData", std::slice::from_ref(&payload));
    assert_eq!(told("data"), payload);
    rig.page.tell(publisher, "muteAudio", &[]);
    told("audioMuted");
    let late = rig.play(session, "cam");
    let fits = |event: &Value| event["id"] == late && event["type"] == "audioMuted";
    rig.page
        .events()
        .iter()
        .find(|event| fits(event))
        .cloned()
        .map_or_else(|| rig.page.wait_for("what is muted already", SOON, fits).map(drop).unwrap(), drop);
    rig.end();
}

#[test]
fn a_picture_of_a_stream_is_taken_by_whoever_asks() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let publisher = rig.publish(session, "cam", json!({}));
    let asker = rig.page.create(session, &json!({ "name": "cam" }));
    for stream in [publisher, asker] {
        rig.page.tell(stream, "snapshot", &[]);
        let fits = |event: &Value| event["id"] == stream && event["name"] == "event";
        let event = rig.page.wait_for("a snapshot", SOON, fits).unwrap();
        assert_eq!(event["type"], "snapshotCompleted", "{event}");
        rig.page.run("decode", &[event["payload"]["snapshot"].clone()]);
        let image = rig.page.wait_for("an image", SOON, |event| event["name"] == "image").unwrap();
        assert!(image["width"].as_u64() >= Some(160) && image["height"].as_u64() >= Some(120), "{image}");
    }
    let nothing = rig.page.create(session, &json!({ "name": "nobody" }));
    rig.page.tell(nothing, "snapshot", &[]);
    let fits = |event: &Value| event["id"] == nothing && event["name"] == "event";
    let event = rig.page.wait_for("a snapshot", SOON, fits).unwrap();
    assert_eq!(
        (&event["type"], &event["payload"]["info"]),
        (&json!("snapshotFailed"), &json!("Stream not found"))
    );
    rig.end();
}

#[test]
fn twenty_rounds_in_two_pages_leave_nothing_behind() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let other = sidetone_testkit::WebSdk::start(room.dir(), "other").unwrap();
    let session = rig.session();
    let there = other.connect(&json!({ "urlServer": rig.url }));
    other.status(there, "ESTABLISHED", SOON).unwrap();
    let sockets = || open_files(&rig.gateway);
    let before = sockets();
    for round in 0..20 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let mine = rig.page.publish(session, &json!({ "name": a }));
        let theirs = other.publish(there, &json!({ "name": b }));
        rig.page.status(mine, "PUBLISHING", SOON).unwrap();
        other.status(theirs, "PUBLISHING", SOON).unwrap();
        rig.page.tell(mine, "stop", &[]);
        other.tell(theirs, "stop", &[]);
        rig.page.status(mine, "UNPUBLISHED", SOON).unwrap();
        other.status(theirs, "UNPUBLISHED", SOON).unwrap();
    }
    assert_eq!(sockets(), before);
    // The views before it are of no interest.
    let last = rig.publish(session, "last", json!({}));
    rig.gateway_is("the last stream", |view| view["streams"][0]["name"] == "last");
    rig.page.tell(last, "stop", &[]);
    let is_idle = |client: &Value| client["published"] == 0 && client["played"] == 0;
    let view = rig.gateway_is("no stream", |view| {
        view["streams"] == json!([]) && view["clients"].as_array().is_some_and(|all| all.iter().all(is_idle))
    });
    assert_eq!(view["clientCount"], 2);
    assert_eq!(other.errors(), Vec::<String>::new());
    rig.end();
}

/// Sockets and files of the program.
pub(super) fn open_files(program: &super::Program) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", program.id())).unwrap().count()
}
