//! Messages waiting: RFC 3842.

use super::{PATIENCE, clean, phone, registered, sipp};
use crate::phone::Phone;
use serde_json::{Value, json};
use sidetone_testkit::{Kamailio, KamailioOptions, Needs, room};

fn mailbox(phone: &mut Phone, new: u32) -> Value {
    let found = phone.wait(&format!("{new} new messages"), PATIENCE, |value| {
        value["event"] == "SessionChanged" && value["session"]["messagesWaiting"]["new"] == new
    });
    found["session"]["messagesWaiting"].clone()
}

#[test]
fn the_mailbox_that_is_subscribed_to_is_shown_as_it_changes() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sqlite3", "sipp"]).network()) else { return };
    for outbound in [false, true] {
        let options = KamailioOptions { presence: true, outbound, ..KamailioOptions::default() };
        let server = Kamailio::start(room.dir(), &options).unwrap();
        let mut alice = registered(&room, "alice", server.address(), "voicemail = \"*97\"");
        for (new, old) in [(2, 8), (3, 0)] {
            let body = format!("Messages-Waiting: yes\r\nVoice-Message: {new}/{old} (0/2)");
            let kind = "application/simple-message-summary";
            let keys = [("event", "message-summary"), ("type", kind), ("body", &body)];
            clean(sipp(&room, "publish.xml", Some(server.address()), &["alice"], &keys));
            let told = mailbox(&mut alice, new);
            assert_eq!(told, json!({"waiting": true, "new": new, "old": old, "mailbox": "*97"}));
        }
    }
}

#[test]
fn a_registrar_tells_of_the_mailbox_without_being_asked() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let registrar = sipp(&room, "registrar_mwi.xml", None, &[], &[]);
    // The registrar of this scenario knows no subscriptions.
    let mut alice = phone(&room, "alice", &registrar.address().to_string(), "mwi = false", &[]);
    alice.status("RegistrationStatusEvent", "REGISTERED");
    let told = mailbox(&mut alice, 3);
    assert_eq!(told["old"], 5);
    assert!(told["mailbox"].as_str().unwrap().contains("*97"), "{told}");
    alice.finish();
    clean(registrar);
}
