//! Messages through a proxy, and between extensions of our own gateway.

use super::{PATIENCE, clean, phone, registered, sipp};
use crate::phone::Phone;
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Sipp, SippOptions, free_port, room,
};

fn send(phone: &mut Phone, to: &str, body: &str) -> Value {
    let reply = phone.ask(json!({"command": "sendData", "to": to, "body": body}));
    assert_eq!(reply["reply"]["reply"], "data", "{reply}");
    let id = reply["reply"]["dataId"].clone();
    phone.wait("the outcome", PATIENCE, |value| value["event"] == "DataStatusEvent" && value["dataId"] == id)
}

fn got(phone: &mut Phone) -> Value {
    phone.wait("a message", PATIENCE, |value| value["event"] == "OnDataEvent" && value["incoming"] == true)
}

#[test]
fn messages_go_both_ways_through_a_proxy_and_fail_by_its_answers() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    let server = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let aor = server.aor("alice");
    let contacts = [aor.as_str()];
    let options = BaresipOptions {
        registrar: Some(server.address()),
        record: false,
        contacts: &contacts,
        ..BaresipOptions::default()
    };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let mut alice = registered(&room, "alice", server.address(), "");
    let sent = send(&mut alice, "bob", "Grüße aus Köln");
    assert_eq!((&sent["status"], &sent["info"]), (&json!("ACCEPTED"), &json!("200 OK")));
    bob.command("message", "and back").unwrap();
    let told = got(&mut alice);
    assert_eq!(told["body"], "and back");
    assert!(told["from"].as_str().unwrap().starts_with("sip:bob@"), "{told}");
    for (to, info) in [("nobody", "404 "), ("status-408", "408 "), ("status-603", "603 ")] {
        let sent = send(&mut alice, to, "?");
        assert_eq!(sent["status"], "FAILED");
        assert!(sent["info"].as_str().unwrap().starts_with(info), "{sent}");
    }
}

#[test]
fn a_message_passes_the_proxy_whole() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sipp"]).network()) else { return };
    let server = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let mut alice = registered(&room, "alice", server.address(), "");
    let port = free_port("127.0.0.1".parse().unwrap()).unwrap();
    let login = Sipp::credentials("dave", "secret");
    let options = SippOptions {
        scenario: "register.xml",
        target: Some(server.address()),
        port: Some(port),
        fields: vec![vec!["dave".into(), login]],
        ..SippOptions::default()
    };
    clean(Sipp::start(room.dir(), &options).unwrap());
    let options = SippOptions {
        scenario: "message_taken.xml",
        port: Some(port),
        keys: vec![("status", "200 Read".into())],
        log: true,
        ..SippOptions::default()
    };
    let dave = Sipp::start(room.dir(), &options).unwrap();
    let sent = send(&mut alice, "dave", "Grüße aus Köln\r\n\r\n. und Ende");
    assert_eq!((&sent["status"], &sent["info"]), (&json!("ACCEPTED"), &json!("200 Read")));
    let seen = clean(dave);
    assert!(seen.contains("\r\n\r\nGrüße aus Köln\r\n\r\n. und Ende"), "{seen}");
    assert!(seen.contains("\r\nContent-Type: text/plain"), "{seen}");
}

#[test]
fn messages_of_strangers_and_our_anonymous_ones_are_as_they_must_be() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let lines = "register = false\nanonymous = true";
    let mut alice = phone(&room, "alice", "127.0.0.1", lines, &["--sip-port", "5066"]);
    let us = "127.0.0.1:5066".parse().unwrap();
    clean(sipp(&room, "message.xml", Some(us), &["alice", "bob", "good day"], &[("status", "200")]));
    assert_eq!(got(&mut alice)["body"].as_str().unwrap().trim_end(), "good day");
    clean(sipp(&room, "message.xml", Some(us), &["mallory", "bob", "?"], &[("status", "404")]));
    let bob = sipp(&room, "message_taken.xml", None, &[], &[("status", "202 Accepted")]);
    let sent = send(&mut alice, &format!("sip:bob@{}", bob.address()), "who am I?");
    assert_eq!((&sent["status"], &sent["info"]), (&json!("ACCEPTED"), &json!("202 Accepted")));
    let seen = clean(bob);
    assert!(
        seen.contains("\r\nPrivacy: id\r\n") && seen.contains("sip:anonymous@anonymous.invalid"),
        "{seen}"
    );
    assert!(!seen.contains("alice"), "{seen}");
}

#[test]
fn a_gateway_of_ours_passes_messages_between_its_extensions() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    // It starts a gateway of its own, where there is none.
    let mut host = Phone::start(&["--mic", "silence", "--speaker", "null", "--user", "alice"]);
    host.wait("the gateway", PATIENCE, |value| {
        value["event"] == "RegistrationStatusEvent" && value["status"] == "REGISTERED"
    });
    let snapshot = host.ask(json!({"command": "getSnapshot"}));
    let gateway = &snapshot["reply"]["snapshot"]["gateway"]["sipAddress"];
    let gateway: std::net::SocketAddr =
        gateway.as_str().unwrap_or_else(|| panic!("{snapshot}")).parse().unwrap();
    let aor = format!("sip:alice@{gateway}");
    let contacts = [aor.as_str()];
    let options = BaresipOptions {
        registrar: Some(gateway),
        record: false,
        contacts: &contacts,
        ..BaresipOptions::default()
    };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let sessions = snapshot["reply"]["snapshot"]["sessions"].as_array().unwrap();
    let session = sessions.iter().find(|session| session["aor"].as_str().unwrap().contains("alice"));
    let session = session.unwrap()["sessionId"].clone();
    let reply = host.ask(json!({"command": "sendData", "to": "bob", "body": "hello", "sessionId": session}));
    assert_eq!(reply["reply"]["reply"], "data", "{reply}");
    host.status("DataStatusEvent", "ACCEPTED");
    bob.command("message", "and back").unwrap();
    assert_eq!(got(&mut host)["body"], "and back");
}
