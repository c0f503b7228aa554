//! Sessions: what opens them, keeps them and ends them.

use super::{Rig, SOON, needs};
use serde_json::{Value, json};
use sidetone_testkit::{Room, WebSdk, room, until};
use std::time::{Duration, Instant};

fn statuses(page: &WebSdk, session: u64) -> Vec<String> {
    let events = page.events();
    let of_session = events.iter().filter(|event| event["name"] == "session" && event["id"] == session);
    of_session.filter_map(|event| event["status"].as_str()).map(String::from).collect()
}

#[test]
fn a_session_is_connected_then_established_with_a_token() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.page.connect(&json!({ "urlServer": rig.url, "custom": { "user": "a" } }));
    let event = rig.page.status(session, "ESTABLISHED", SOON).unwrap();
    assert_eq!(statuses(&rig.page, session), ["CONNECTED", "ESTABLISHED"]);
    let token = event["object"]["authToken"].as_str().unwrap_or_default();
    assert!(token.len() >= 32, "{event}");
    assert_eq!(event["object"]["custom"], json!({ "user": "a" }));
    assert_eq!(event["object"]["sipPassword"], Value::Null);
    let view = rig.gateway_is("the session", |view| view["clientCount"] == 1);
    assert_eq!(view["clients"][0]["appKey"], "defaultApp");
    rig.end();
}

#[test]
fn a_session_lives_by_pings_and_fails_when_the_server_is_frozen() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let idle = rig.session_with(json!({ "receiveProbes": 3, "probesInterval": 6000 }));
    let pinging = rig.session_with(json!({ "pingInterval": 1000 }));
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_secs(1));
        for session in [idle, pinging] {
            assert_eq!(rig.page.ask(session, "status", &[]), "ESTABLISHED");
        }
    }
    rig.gateway.signal("-STOP");
    let failed = rig.page.status(idle, "FAILED", Duration::from_secs(30));
    rig.gateway.signal("-CONT");
    failed.unwrap();
    assert_eq!(rig.page.ask(pinging, "status", &[]), "ESTABLISHED");
    rig.end();
}

#[test]
fn a_wrong_port_fails_and_a_disconnect_leaves_nothing() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let nobody = rig.page.connect(&json!({ "urlServer": "ws://127.0.0.1:9" }));
    rig.page.status(nobody, "FAILED", SOON).unwrap();
    assert_eq!(statuses(&rig.page, nobody), ["FAILED"]);
    let session = rig.session();
    rig.gateway_is("the session", |view| view["clientCount"] == 1);
    rig.page.tell(session, "disconnect", &[]);
    rig.page.status(session, "DISCONNECTED", SOON).unwrap();
    rig.gateway_is("the end of the session", |view| view["clientCount"] == 0);
    rig.end();
}

#[test]
fn a_session_that_was_to_be_kept_is_taken_up_again_with_its_token_and_no_other() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let session = rig.page.connect(&json!({ "urlServer": rig.url, "keepAlive": true }));
    let first = rig.page.status(session, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(session, "disconnect", &[]);
    rig.page.status(session, "DISCONNECTED", SOON).unwrap();
    rig.gateway_is("a session that waits", |view| view["clients"][0]["connected"] == false);
    let token = first["object"]["authToken"].clone();
    let again = rig.page.connect(&json!({ "urlServer": rig.url, "keepAlive": true, "authToken": token }));
    let second = rig.page.status(again, "ESTABLISHED", SOON).unwrap();
    for same in ["sessionId", "authToken"] {
        assert_eq!(first["object"][same], second["object"][same]);
    }
    let stranger = rig.page.connect(&json!({ "urlServer": rig.url, "authToken": "guessed" }));
    let warned = rig.page.status(stranger, "WARN", SOON).unwrap();
    assert_eq!(warned["info"], "Session does not exist");
    rig.page.status(stranger, "DISCONNECTED", SOON).unwrap();
    rig.end();
}

#[test]
fn data_reaches_another_session_and_its_sender_hears_what_became_of_it() {
    let Some(room) = room!(needs()) else { return };
    let rig = Rig::start(&room);
    let (one, other) = (rig.session(), rig.page.connect(&json!({ "urlServer": rig.url })));
    let other_id = rig.page.status(other, "ESTABLISHED", SOON).unwrap()["object"]["sessionId"].clone();
    let sent = |payload: Value| {
        rig.page.run("send", &[json!(one), payload]);
        rig.page.wait_for("the promise", SOON, |event| event["name"] == "promise").unwrap()["result"].clone()
    };
    assert_eq!(sent(json!({ "to": other_id, "body": { "a": [1, "ü"] } })), "resolved");
    let came = || rig.page.events().into_iter().find(|event| event["status"] == "APP_DATA");
    let data = until("the data", SOON, came).unwrap();
    assert_eq!((&data["id"], &data["object"]["payload"]["body"]), (&json!(other), &json!({ "a": [1, "ü"] })));
    assert_eq!(sent(json!({ "to": "nobody", "body": "x" })), "rejected");
    assert_eq!(sent(json!({ "for": "the backend" })), "resolved");
    rig.end();
}

/// A page that is gone without a word, as behind a cable that was pulled.
#[test]
fn a_client_that_vanishes_is_ended_and_its_players_are_told() {
    let Some(room) = room!(needs()) else { return };
    let mut rig = Rig::start(&room);
    let player = rig.session();
    let frozen = second_page(&room);
    let session = frozen.connect(&json!({ "urlServer": rig.url }));
    frozen.status(session, "ESTABLISHED", SOON).unwrap();
    let published = frozen.publish(session, &json!({ "name": "cam" }));
    frozen.status(published, "PUBLISHING", SOON).unwrap();
    let stream = rig.play(player, "cam");
    rig.gateway_is("two sessions and a player", |view| {
        view["clientCount"] == 2 && view["streams"][0]["players"] == 1
    });
    // It is not asked afterwards: a tab that was frozen may crash when it goes on.
    assert_eq!(frozen.errors(), Vec::<String>::new());
    let processes = format!("{}", frozen.driver().process());
    freeze(&processes, "-STOP");
    let stopped = rig.page.status(stream, "STOPPED", SOON).unwrap();
    assert_eq!(stopped["info"], "Stopped by publisher stop");
    let ended = rig.gateway_within(Duration::from_secs(75), "its end", |view| view["clientCount"] == 1);
    freeze(&processes, "-CONT");
    assert_eq!(ended["streams"], json!([]));
    rig.end();
}

fn second_page(room: &Room) -> WebSdk {
    WebSdk::start(room.dir(), "other").unwrap()
}

/// The driver's browser with all of its processes.
pub(crate) fn freeze(driver: &str, signal: &str) {
    let tree = "walk() { for c in $(pgrep -P $1); do walk $c; kill $2 $c; done; }; walk $0 $1";
    let status = std::process::Command::new("sh").args(["-c", tree, driver, signal]).status().unwrap();
    assert!(status.success());
}
