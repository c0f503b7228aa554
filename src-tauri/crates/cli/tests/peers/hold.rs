//! Hold with foreign peers, with what is heard meanwhile.

use super::phone::{Phone, SOON, text};
use serde_json::json;
use sidetone_testkit::{Baresip, BaresipOptions, Needs, Sipp, SippOptions, audio, room, until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// This baresip plays, and so records, only while it also sends: that music is what it gets, its own figures say.
#[test]
fn a_baresip_that_we_hold_gets_sound_but_none_of_ours() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let spoken = room.dir().join("spoken.wav");
    let voice = audio::speak_into(&spoken, 16_000).unwrap();
    let mic = format!("loop:{}", text(&spoken));
    let extra = ["--no-register", "--mic", &mic, "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &extra);
    let mut bob = Baresip::start(room.dir(), &BaresipOptions::default()).unwrap();
    let call = phone.call(&bob.uri());
    phone.status("CallStatusEvent", "ESTABLISHED");
    bob.wait_heard(5.0, PATIENCE).unwrap();
    phone.ask(json!({"command": "hold", "callId": call}));
    phone.status("CallStatusEvent", "HOLD");
    // It sends nothing and gets 64 kbit/s of G.711.
    until("music", PATIENCE, || bob.log().contains("audio=0/64000").then_some(())).unwrap();
    phone.ask(json!({"command": "unhold", "callId": call}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    bob.wait_event("CALL_CLOSED", PATIENCE).unwrap();
    let (_, heard) = bob.recordings().unwrap();
    let talking = audio::hear(&voice, &heard);
    assert!(talking.peak > 0.6, "our voice before the hold: {talking:?}");
}

#[test]
fn a_baresip_that_holds_us_is_shown_and_hears_nothing() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let extra = ["--no-register", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &extra);
    let mut bob = Baresip::start(room.dir(), &BaresipOptions::default()).unwrap();
    let call = phone.call(&bob.uri());
    phone.status("CallStatusEvent", "ESTABLISHED");
    bob.wait_heard(1.0, PATIENCE).unwrap();
    bob.command("hold", "").unwrap();
    let held = phone.status("CallStatusEvent", "HOLD");
    assert_eq!(held["info"], "held by the far end");
    let sent = |value: &serde_json::Value| value["statistics"]["packetsSent"].as_u64();
    let before = phone.wait("figures", SOON, |value| value["event"] == "CallMeasured");
    let after = phone.wait("figures", SOON, |value| value["event"] == "CallMeasured");
    assert!(sent(&after) <= sent(&before).map(|sent| sent + 2), "we still send: {before} {after}");
    bob.command("resume", "").unwrap();
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
}

#[test]
fn sipp_holds_with_sendonly_and_inactive_and_is_answered_right() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let extra = ["--no-register", "--sip-port", "5066", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &extra);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    let options = SippOptions {
        scenario: "uac_holds.xml",
        target: Some("127.0.0.1:5066".parse().unwrap()),
        fields: vec![vec!["alice".into(), "bob".into()]],
        ..SippOptions::default()
    };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let incoming = phone.wait("a call", PATIENCE, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status("CallStatusEvent", "FINISH");
    let outcome = sipp.wait(PATIENCE).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
    let call = incoming["callId"].as_str().unwrap();
    assert_eq!(phone.statuses_of(call), ["RING", "ESTABLISHED", "HOLD", "ESTABLISHED", "FINISH"]);
}
