//! Streams of pages that the backend lets be, or not.

use super::{SOON, needs, rig, session, warned};
use serde_json::{Value, json};
use sidetone_testkit::{Backend, HookReply, room, until};

#[test]
fn a_stream_that_is_refused_fails_where_the_policy_says_so_and_lives_where_it_does_not() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let config = json!({
        "publishStream": { "restOnError": "FAIL", "restExclude": "sdp" },
        "playStream": { "restOnError": "FAIL" },
        "snapshot": { "restOnError": "FAIL" },
        "pauseStream": { "restOnError": "FAIL" },
    });
    let strict = session(&rig, &backend, &config, json!({}));
    let lax = session(&rig, &backend, &json!({}), json!({}));
    for hook in ["publishStream", "playStream", "snapshot", "pauseStream"] {
        backend.refuse(hook);
    }
    let refused = rig.page.publish(strict, &json!({ "name": "cam", "custom": { "room": 1 } }));
    let failed = rig.page.status(refused, "FAILED", SOON).unwrap();
    assert_eq!(failed["info"], "not before nine");
    let warning = warned(&rig, strict)["object"].clone();
    assert_eq!(
        (&warning["apiMethod"], &warning["info"]),
        (&json!("StreamStatusEvent"), &json!("not before nine"))
    );
    let asked = backend.hears("publishStream", SOON, |_| true).unwrap();
    assert_eq!((&asked["sdp"], &asked["custom"]), (&Value::Null, &json!({ "room": 1 })));
    let id = &asked["mediaSessionId"];
    for field in
        ["nodeId", "appKey", "sessionId", "name", "published", "hasVideo", "hasAudio", "mediaProvider"]
    {
        assert!(!asked[field].is_null(), "{field} of {asked}");
    }
    let is_failed = |body: &Value| body["status"] == "FAILED" && body["mediaSessionId"] == *id;
    let told = backend.hears("StreamStatusEvent", SOON, is_failed).unwrap();
    assert_eq!((&told["info"], &told["published"]), (&json!("not before nine"), &json!(true)));
    // By the defaults a refusal is nothing but a line in the log.
    let cam = rig.publish(lax, "cam", json!({}));
    let asked = backend.hears("publishStream", SOON, |_| true).unwrap();
    assert!(asked["sdp"].as_str().unwrap_or_default().starts_with("v=0"), "{asked}");
    let refused = rig.page.play(strict, &json!({ "name": "cam" }));
    assert_eq!(rig.page.status(refused, "FAILED", SOON).unwrap()["info"], "not before nine");
    let of_stream = |stream: u64| {
        let fits = |event: &Value| event["id"] == stream && event["name"] == "event";
        rig.page.wait_for("an event", SOON, fits).unwrap()
    };
    let asker = rig.page.create(strict, &json!({ "name": "cam" }));
    rig.page.tell(asker, "snapshot", &[]);
    let told = of_stream(asker);
    assert_eq!(
        (&told["type"], &told["payload"]["info"]),
        (&json!("snapshotFailed"), &json!("not before nine"))
    );
    backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "SNAPSHOT_FAILED").unwrap();
    backend.allow("playStream");
    let player = rig.play(strict, "cam");
    let media = backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "PLAYING").unwrap();
    rig.page.send_raw(0, "pauseStream", &json!({ "mediaSessionId": media["mediaSessionId"], "name": "cam" }));
    assert_eq!(warned(&rig, strict)["info"], "not before nine");
    assert_eq!(rig.page.ask(player, "status", &[]), "PLAYING");
    backend.allow("snapshot");
    rig.page.tell(player, "snapshot", &[]);
    assert_eq!(of_stream(player)["type"], "snapshotCompleted");
    backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "SNAPSHOT_COMPLETE").unwrap();
    rig.page.tell(player, "stop", &[]);
    backend.hears("stopStream", SOON, |_| true).unwrap();
    backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "STOPPED").unwrap();
    rig.page.tell(cam, "stop", &[]);
    backend.hears("unPublishStream", SOON, |_| true).unwrap();
    backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "UNPUBLISHED").unwrap();
    rig.end();
}

#[test]
fn a_player_sees_the_stream_that_the_backend_names_by_the_name_that_it_asked_for() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let overwrites = json!({ "restPolicy": "OVERWRITE", "restOverwrite": "name", "restOnError": "FAIL" });
    let config = json!({ "playStream": overwrites, "publishStream": overwrites });
    let session = session(&rig, &backend, &config, json!({}));
    backend
        .rule("publishStream", HookReply::With(json!({ "name": "camera-7", "custom": { "of": "others" } })));
    let publisher = rig.publish(session, "lobby", json!({}));
    let told = backend.hears("StreamStatusEvent", SOON, |body| body["status"] == "PUBLISHING").unwrap();
    assert_eq!(told["name"], "camera-7");
    let codecs = (&told["audioCodec"], &told["videoCodec"]);
    assert_eq!((codecs, &told["mediaType"]), ((&json!("opus"), &json!("VP8")), &json!("publish")));
    backend.rule("playStream", HookReply::With(json!({ "name": "camera-7" })));
    let player = rig.play(session, "alias");
    until("its picture", SOON, || {
        let shown = rig.page.run("shown", &[json!(player)]);
        (shown["width"].as_u64() > Some(0)).then_some(())
    })
    .unwrap();
    assert_eq!(rig.page.ask(player, "name", &[]), "alias");
    // What goes with the stream goes on by that name, too.
    rig.page.tell(publisher, "muteAudio", &[]);
    let is_muted = |event: &Value| event["id"] == player && event["type"] == "audioMuted";
    let muted = rig.page.wait_for("what is muted", SOON, is_muted).unwrap();
    assert_eq!(muted["payload"]["streamName"], "alias");
    rig.page.tell(publisher, "sendData", &[json!({ "text": "hello" })]);
    rig.page.wait_for("data", SOON, |event| event["id"] == player && event["type"] == "data").unwrap();
    let asker = rig.page.create(session, &json!({ "name": "nobody" }));
    rig.page.run("available", &[json!(asker)]);
    let promise = rig.page.wait_for("the promise", SOON, |event| event["name"] == "promise").unwrap();
    assert_eq!(promise["result"], "rejected");
    // Nothing of it in a policy that only notifies.
    let lax = super::session(&rig, &backend, &json!({}), json!({}));
    let missing = rig.page.play(lax, &json!({ "name": "alias" }));
    assert_eq!(rig.page.status(missing, "FAILED", SOON).unwrap()["info"], "Stream not found");
    rig.end();
}

#[test]
fn a_sign_of_life_that_is_refused_ends_its_stream_where_the_policy_says_so() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "keepAliveSeconds = 1");
    let strict = session(&rig, &backend, &super::fails("StreamKeepAliveEvent"), json!({}));
    let lax = session(&rig, &backend, &json!({}), json!({}));
    let ended = rig.publish(strict, "ended", json!({}));
    let lives = rig.publish(lax, "lives", json!({}));
    let of = |name: &'static str| move |body: &Value| body["name"] == name && body["status"] == "PUBLISHING";
    for name in ["ended", "lives"] {
        let alive = backend.hears("StreamKeepAliveEvent", SOON, of(name)).unwrap();
        assert_eq!(alive["published"], true);
    }
    assert_eq!(rig.page.ask(ended, "status", &[]), "PUBLISHING");
    backend.refuse("StreamKeepAliveEvent");
    assert_eq!(rig.page.status(ended, "FAILED", SOON).unwrap()["info"], "not before nine");
    backend
        .hears("StreamStatusEvent", SOON, |body| body["name"] == "ended" && body["status"] == "FAILED")
        .unwrap();
    // Two more of the other one are refused, and it goes on.
    for _ in 0..2 {
        backend.hears("StreamKeepAliveEvent", SOON, of("lives")).unwrap();
    }
    assert_eq!(rig.page.ask(lives, "status", &[]), "PUBLISHING");
    rig.end();
}
