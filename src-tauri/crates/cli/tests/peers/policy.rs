//! Who is let through, sent elsewhere and answered by itself; keys by INFO. With SIPp at the other end.

use super::phone::{Phone, SOON, text};
use serde_json::{Value, json};
use sidetone_testkit::{Needs, Room, Sipp, SippOptions, room};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn phone(room: &Room, lines: &str) -> Phone {
    let account = room.dir().join("alice.toml");
    std::fs::write(&account, format!("aor = \"sip:alice@127.0.0.1\"\nregister = false\n{lines}\n")).unwrap();
    let mut phone = Phone::start(&[
        "--account",
        &text(&account),
        "--sip-port",
        "5066",
        "--mic",
        "tone",
        "--speaker",
        "null",
    ]);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

fn caller(room: &Room, scenario: &str, keys: &[(&'static str, &str)]) -> Sipp {
    let options = SippOptions {
        scenario,
        keys: keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
        target: Some("127.0.0.1:5066".parse().unwrap()),
        fields: vec![vec!["alice".into(), "bob".into()]],
        ..SippOptions::default()
    };
    Sipp::start(room.dir(), &options).unwrap()
}

fn clean(mut sipp: Sipp) {
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
}

fn key(phone: &mut Phone, wanted: &str) -> Value {
    phone.wait(&format!("the key {wanted}"), PATIENCE, |value| {
        value["event"] == "DtmfReceived" && value["digit"] == wanted
    })
}

#[test]
fn a_forwarded_call_gets_302_and_a_rejected_one_486() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let phone_ = phone(&room, "forwardAlways = \"sip:desk@127.0.0.1:5098\"");
    clean(caller(
        &room,
        "uac_rejected.xml",
        &[("status", "302"), ("wanted", "Contact: .sip:desk@127.0.0.1:5098")],
    ));
    phone_.finish();
    let mut phone = phone(&room, "");
    let calls = json!({"doNotDisturb": true});
    phone.ask(json!({"command": "changeSettings", "calls": calls}));
    clean(caller(&room, "uac_rejected.xml", &[("status", "486"), ("wanted", "486 Busy Here")]));
    phone.wait("the history", SOON, |value| value["event"] == "HistoryAdded");
    phone.finish();
}

#[test]
fn a_caller_who_asks_for_it_is_answered_where_the_account_allows_it() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = phone(&room, "autoAnswerByHeader = true");
    for asking in ["Answer-Mode: Auto", "Call-Info: <sip:x>;answer-after=0"] {
        let sipp = caller(&room, "uac_auto_answer.xml", &[("asking", asking)]);
        phone.status("CallStatusEvent", "ESTABLISHED");
        phone.status("CallStatusEvent", "FINISH");
        clean(sipp);
    }
    phone.finish();
}

#[test]
fn keys_go_both_ways_by_info_where_there_are_no_telephone_events() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = phone(&room, "");
    let sipp = caller(&room, "uac_info.xml", &[]);
    let incoming = phone.wait("a call", PATIENCE, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    key(&mut phone, "4");
    key(&mut phone, "#");
    phone.ask(json!({"command": "sendDtmf", "callId": incoming["callId"], "dtmf": "8"}));
    phone.wait("the key shown", SOON, |value| value["call"]["dtmf"] == "8");
    phone.ask(json!({"command": "hangup", "callId": incoming["callId"]}));
    clean(sipp);
    phone.finish();
}
