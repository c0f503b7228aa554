//! Many calls in a row, as a call centre has them.

use super::phone::Phone;
use serde_json::json;
use sidetone_testkit::{Needs, Sipp, SippOptions, room};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

const CALLS: usize = 200;
const INTERVAL: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn two_hundred_calls_out_at_ten_a_second_all_succeed_with_sound_both_ways() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let calls = Some(CALLS as u32);
    let options = SippOptions { scenario: "uas.xml", calls, echo: true, ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let mut phone = Phone::with_account(
        "sip:alice@127.0.0.1",
        &["--no-register", "--every-call-speaks", "--mic", "tone", "--speaker", "null"],
    );
    let start = Instant::now();
    let (mut placed, mut heard, mut ended) = (0, HashSet::new(), 0);
    while ended < CALLS {
        while placed < CALLS && start.elapsed() >= INTERVAL * placed as u32 {
            phone.call(&format!("sip:bob@{}", sipp.address()));
            placed += 1;
        }
        let value = phone.wait("news of a call", PATIENCE, |value| {
            let received =
                value["statistics"]["packetsReceived"].as_u64().is_some_and(|packets| packets > 10);
            let ended = ["FINISH", "FAILED", "BUSY"].iter().any(|status| value["status"] == *status);
            (value["event"] == "CallMeasured" && received) || (value["event"] == "CallStatusEvent" && ended)
                // Keeps the pace while nothing else happens.
                || value["event"] == "CallChanged"
        });
        match value["event"].as_str() {
            Some("CallMeasured") if heard.insert(value["callId"].to_string()) => {
                phone.ask(json!({"command": "hangup", "callId": value["callId"]}));
            }
            Some("CallStatusEvent") => {
                assert_eq!(value["status"], "FINISH", "{value}");
                ended += 1;
            }
            _ => {}
        }
    }
    assert_eq!(heard.len(), CALLS);
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(CALLS as u32), "{outcome:?}");
    println!("{CALLS} calls out in {:.1} s, {outcome:?}", start.elapsed().as_secs_f32());
}

#[test]
fn two_hundred_calls_in_at_ten_a_second_all_succeed_with_sound_both_ways() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let extra =
        ["--no-register", "--every-call-speaks", "--sip-port", "5066", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &extra);
    phone.wait("the session", PATIENCE, |value| {
        value["event"] == "SessionChanged" || value["snapshot"].is_object()
    });
    let options = SippOptions {
        scenario: "uac.xml",
        target: Some("127.0.0.1:5066".parse().unwrap()),
        calls: Some(CALLS as u32),
        rate: 10,
        echo: true,
        hold_ms: 1500,
        fields: vec![vec!["alice".into(), "bob".into()]],
        ..SippOptions::default()
    };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let (mut heard, mut ended) = (HashSet::new(), 0);
    while ended < CALLS {
        let value = phone.wait("news of a call", PATIENCE, |value| {
            let received =
                value["statistics"]["packetsReceived"].as_u64().is_some_and(|packets| packets > 10);
            (value["event"] == "CallMeasured" && received)
                || value["event"] == "OnCallEvent"
                || (value["event"] == "CallStatusEvent"
                    && ["FINISH", "FAILED"].iter().any(|end| value["status"] == *end))
        });
        match value["event"].as_str() {
            Some("OnCallEvent") => drop(phone.ask(json!({"command": "answer", "callId": value["callId"]}))),
            Some("CallMeasured") => drop(heard.insert(value["callId"].to_string())),
            _ => {
                assert_eq!(value["status"], "FINISH", "{value}");
                ended += 1;
            }
        }
    }
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(CALLS as u32), "{outcome:?}");
    assert_eq!(heard.len(), CALLS, "sound arrived in every call");
}
