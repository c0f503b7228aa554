//! Parties that are gone without a word: the others are told, and nothing of theirs is left.

use super::{Rig, SOON, calls, needs, publishing::open_files, sessions::freeze};
use crate::streams::Program;
use serde_json::{Value, json};
use sidetone_testkit::{Baresip, BaresipOptions, Room, room, until};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// After ten pings without an answer, of which one goes out every 5 s; and room for a machine that is busy.
const UNANSWERED: Duration = Duration::from_secs(75);

fn account() -> Value {
    json!({ "sipOptions": { "login": "alice", "domain": "127.0.0.1", "registerRequired": false } })
}

fn is_over(view: &Value) -> bool {
    view["clientCount"] == 0 && view["streams"] == json!([])
}

fn bob(room: &Room) -> Baresip {
    Baresip::start(room.dir(), &BaresipOptions::default()).unwrap()
}

fn player(room: &Room, name: &str) -> Program {
    let mut player = Program::start(room, &["play", name, "--speaker", "null"]);
    player.status("PLAYING");
    player
}

#[test]
fn a_browser_that_is_killed_ends_its_streams_and_calls_at_once() {
    let Some(room) = room!(needs().and(&["baresip"])) else { return };
    let mut rig = Rig::start(&room);
    let mut bob = bob(&room);
    let before = open_files(&rig.gateway);
    let session = rig.session_with(account());
    rig.publish(session, "cam", json!({}));
    let call = calls::dial_with(&rig, session, &bob.uri(), json!({}));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    let mut player = player(&room, "cam");
    rig.gateway_is("a stream that is played", |view| view["streams"][0]["players"] == 1);
    let nothing = Vec::<String>::new();
    assert_eq!(rig.page.errors(), nothing);
    freeze(&rig.page.driver().process().to_string(), "-KILL");
    let (_, stopped) = player.status("STOPPED");
    assert_eq!(stopped["info"], "Stopped by publisher stop", "{stopped}");
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    rig.gateway_is("its end", is_over);
    drop(player);
    // Its sockets go when what was said last has been said.
    until("its ports", SOON, || (open_files(&rig.gateway) <= before).then_some(())).unwrap();
    let page = super::WebSdk::start(room.dir(), "next").unwrap();
    let next = page.connect(&json!({ "urlServer": rig.url }));
    page.status(next, "ESTABLISHED", SOON).unwrap();
    let stream = page.publish(next, &json!({ "name": "cam" }));
    page.status(stream, "PUBLISHING", SOON).unwrap();
    assert_eq!(page.errors(), nothing);
}

#[test]
fn a_gateway_that_is_killed_is_lost_to_its_pages_at_once() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let session = rig.session();
    let stream = rig.publish(session, "cam", json!({}));
    rig.gateway.signal("-KILL");
    rig.page
        .wait_for("the end of the stream", SOON, |event| event["id"] == stream && event["status"] == "FAILED")
        .unwrap();
    let over = |event: &Value| {
        event["id"] == session && (event["status"] == "DISCONNECTED" || event["status"] == "FAILED")
    };
    until("the end of the session", SOON, || rig.page.events().iter().any(over).then_some(())).unwrap();
    rig.end();
}

/// The phone does not answer, and nothing comes of it.
#[test]
fn a_phone_that_is_killed_ends_the_call_of_its_page() {
    let Some(room) = room!(needs().and(&["baresip"])) else { return };
    let mut rig = Rig::start(&room);
    let mut bob = bob(&room);
    let session = rig.session_with(account());
    let before = open_files(&rig.gateway);
    let call = calls::dial_with(&rig, session, &bob.uri(), json!({}));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    bob.kill();
    let ended =
        |event: &Value| event["id"] == call && (event["status"] == "FAILED" || event["status"] == "FINISH");
    rig.page.wait_for("the end of the call", UNANSWERED, ended).unwrap();
    rig.gateway_is("a session without a call", |view| view["clientCount"] == 1);
    until("its ports", SOON, || (open_files(&rig.gateway) <= before).then_some(())).unwrap();
    rig.end();
}

/// Nothing goes through any more, and nobody says so: the connection is half open.
#[test]
fn a_client_behind_a_cable_that_is_pulled_is_ended_after_ten_pings() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let before = open_files(&rig.gateway);
    let session = rig.session();
    rig.publish(session, "cam", json!({}));
    rig.gateway_is("a stream", |view| view["clientCount"] == 1 && view["streams"][0]["name"] == "cam");
    let link = |state: &str| {
        let status = Command::new("ip").args(["link", "set", "lo", state]).status().unwrap();
        assert!(status.success());
    };
    link("down");
    let began = Instant::now();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rig.gateway_within(UNANSWERED, "its end", is_over);
    }));
    link("up");
    ended.unwrap();
    eprintln!("ended after {} s", began.elapsed().as_secs());
    until("its ports", SOON, || (open_files(&rig.gateway) <= before).then_some(())).unwrap();
    let again = rig.session();
    rig.publish(again, "cam", json!({}));
    rig.end();
}
