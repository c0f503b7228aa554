//! Busy lamps and presence, with Kamailio as presence server.

use super::{PATIENCE, change_calls, clean, registered, sipp};
use crate::phone::Phone;
use serde_json::{Value, json};
use sidetone_testkit::{AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, room};

fn presence_server(dir: &std::path::Path) -> Kamailio {
    Kamailio::start(dir, &KamailioOptions { presence: true, ..KamailioOptions::default() }).unwrap()
}

fn watch(phone: &mut Phone, name: &str) {
    let contact = json!({"id": "", "name": name, "addresses": [{"address": name}], "watch": true});
    let reply = phone.ask(json!({"command": "saveContact", "contact": contact}));
    assert_eq!(reply["reply"]["reply"], "contact", "{reply}");
}

fn state(phone: &mut Phone, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let found =
        phone.wait(what, PATIENCE, |value| value["event"] == "ContactStateChanged" && fits(&value["state"]));
    found["state"].clone()
}

fn line(phone: &mut Phone, wanted: &str) -> Value {
    state(phone, &format!("the line {wanted}"), |state| state["line"] == wanted)
}

#[test]
fn the_lamp_of_a_watched_contact_follows_its_calls() {
    let needs = Needs::tools(&["kamailio", "sqlite3", "baresip"]).network();
    let Some(room) = room!(needs) else { return };
    let server = presence_server(room.dir());
    let options = BaresipOptions {
        registrar: Some(server.address()),
        answer: AnswerMode::Manual,
        record: false,
        ..BaresipOptions::default()
    };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let mut watcher = registered(&room, "alice", server.address(), "");
    let mut caller = registered(&room, "carol", server.address(), "");
    watch(&mut watcher, "bob");
    for _ in 0..2 {
        let call = caller.call("bob");
        line(&mut watcher, "ringing");
        bob.wait_event("CALL_INCOMING", PATIENCE).unwrap();
        bob.answer().unwrap();
        caller.status("CallStatusEvent", "ESTABLISHED");
        line(&mut watcher, "busy");
        caller.ask(json!({"command": "hangup", "callId": call}));
        caller.status("CallStatusEvent", "FINISH");
        line(&mut watcher, "idle");
    }
}

#[test]
fn a_line_that_nobody_tells_of_is_unknown_and_says_why() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    // Refuses every subscription.
    let server = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let mut watcher = registered(&room, "alice", server.address(), "");
    watch(&mut watcher, "bob");
    let told =
        state(&mut watcher, "why", |state| state["note"].as_str().is_some_and(|note| note.contains("489")));
    assert_eq!((&told["line"], &told["available"]), (&json!("unknown"), &Value::Null));
}

#[test]
fn presence_is_published_and_read_by_its_owner_and_by_others() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sqlite3", "sipp"]).network()) else { return };
    let server = presence_server(room.dir());
    let mut alice = registered(&room, "alice", server.address(), "publishPresence = true");
    let mut carol = registered(&room, "carol", server.address(), "");
    watch(&mut alice, "alice");
    watch(&mut carol, "alice");
    for phone in [&mut alice, &mut carol] {
        state(phone, "that Alice is there", |state| state["available"] == true);
    }
    change_calls(&mut alice, json!({"doNotDisturb": true}));
    for phone in [&mut alice, &mut carol] {
        let told = state(phone, "that Alice is not there", |state| state["available"] == false);
        assert_eq!(told["note"], "Do not disturb");
    }
    // A presence that somebody else has written.
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
                entity=\"sip:dave@127.0.0.1\"><tuple id=\"t1\"><status><basic>closed</basic></status>\
                <note>At lunch</note></tuple></presence>";
    let keys = [("event", "presence"), ("type", "application/pidf+xml"), ("body", body)];
    clean(sipp(&room, "publish.xml", Some(server.address()), &["dave"], &keys));
    watch(&mut carol, "dave");
    let told = state(&mut carol, "where Dave is", |state| state["available"] == false);
    assert_eq!(told["note"], "At lunch");
    // What has gone is not there any more.
    alice.finish();
    state(&mut carol, "that Alice has gone", |state| state["available"] != true && state["note"] == "");
}
