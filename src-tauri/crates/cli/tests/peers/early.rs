//! What happens around the answer, against SIPp: early media, reliable provisional responses (RFC 3262), UPDATE (RFC 3311), session
//! timers (RFC 4028) and glare.

use super::phone::{Phone, SOON, text};
use serde_json::{Value, json};
use sidetone_testkit::{Needs, Room, Sipp, SippOptions, audio, room};
use std::{fs, net::SocketAddr, path::Path, time::Duration};

/// Half of the shortest session, with time to spare.
const REFRESH: Duration = Duration::from_secs(60);
const CORRELATED: f64 = 0.7;

fn callee(room: &Room, scenario: &str, options: &SippOptions<'_>) -> Sipp {
    Sipp::start(room.dir(), &SippOptions { scenario, ..options.clone() }).unwrap()
}

fn caller() -> Phone {
    Phone::with_account("sip:alice@127.0.0.1", &["--no-register"])
}

/// A phone with these keys of its account.
fn phone_of(dir: &Path, keys: &str, port: &str, extra: &[&str]) -> Phone {
    let file = dir.join(format!("account-{port}.toml"));
    fs::write(&file, format!("aor = \"sip:alice@127.0.0.1\"\nregister = false\n{keys}")).unwrap();
    let file = text(&file);
    let mut arguments = vec!["--account", &file, "--sip-port", port];
    if !extra.contains(&"--mic") {
        arguments.extend(["--mic", "silence", "--speaker", "null"]);
    }
    arguments.extend(extra);
    let mut phone = Phone::start(&arguments);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

fn call(phone: &mut Phone, sipp: &Sipp) -> String {
    phone.call(&format!("sip:bob@{}", sipp.address()))
}

/// SIPp calls the phone at this port.
fn calls(room: &Room, scenario: &str, port: u16) -> Sipp {
    let target: SocketAddr = ([127, 0, 0, 1], port).into();
    let fields = vec![vec!["alice".to_owned(), "sipp".to_owned()]];
    let options = SippOptions { echo: true, ..SippOptions::default() };
    Sipp::start(room.dir(), &SippOptions { scenario, target: Some(target), fields, ..options }).unwrap()
}

fn answer(phone: &mut Phone) -> String {
    answer_after(phone, |_| ())
}

/// SIPp says by a key when it wants to be answered.
fn answer_after_the_key(phone: &mut Phone) -> String {
    answer_after(phone, |phone| {
        phone.wait("the key", SOON, |value| value["event"] == "DtmfReceived" && value["digit"] == "5");
    })
}

fn answer_after(phone: &mut Phone, wait: impl FnOnce(&mut Phone)) -> String {
    let ringing = phone.status("CallStatusEvent", "RING");
    let call = ringing["callId"].as_str().unwrap().to_owned();
    wait(phone);
    phone.ask(json!({"command": "answer", "callId": call}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    call
}

fn hang_up(phone: &mut Phone, call: &str) {
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
}

#[track_caller]
fn assert_clean(sipp: &mut Sipp, patience: Duration) {
    let outcome = sipp.wait(patience).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
}

fn hold(value: &Value) -> Option<bool> {
    (value["event"] == "CallChanged").then(|| value["call"]["hold"]["remote"].as_bool()).flatten()
}

#[test]
fn early_media_is_heard_while_it_rings() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let (voice_path, heard_path) = (room.dir().join("voice.ulaw"), room.dir().join("heard.wav"));
    let voice = audio::speech_like(5.0, 8_000);
    fs::write(
        &voice_path,
        voice.samples.iter().map(|sample| mu_law((sample * 32_767.0) as i16)).collect::<Vec<u8>>(),
    )
    .unwrap();
    let options = SippOptions { keys: vec![("voice", text(&voice_path))], ..SippOptions::default() };
    let mut sipp = callee(&room, "uas_speaks_early.xml", &options);
    let speaker = format!("file:{}", text(&heard_path));
    let mut phone = phone_of(room.dir(), "", "5066", &["--mic", "silence", "--speaker", &speaker]);
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "SESSION_PROGRESS");
    phone.wait("all of the voice", Duration::from_secs(20), |value| {
        value["event"] == "CallMeasured" && value["statistics"]["packetsReceived"].as_u64() >= Some(225)
    });
    hang_up(&mut phone, &id);
    assert_eq!(phone.statuses_of(&id), ["SESSION_PROGRESS", "FINISH"]);
    phone.finish();
    assert_clean(&mut sipp, SOON);
    let heard = audio::hear(&voice, &audio::Wav::read(&heard_path).unwrap());
    assert!(heard.peak >= CORRELATED, "{heard:?}");
}

/// G.711.
fn mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(32_635) + 132;
    let exponent = 15 - magnitude.leading_zeros() as u8 - 7;
    let mantissa = (magnitude >> (exponent + 3)) as u8 & 15;
    !(sign | exponent << 4 | mantissa)
}

#[test]
fn a_callee_that_answers_reliably_is_acknowledged_and_then_answers_without_sdp() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for keys in ["", "prack = \"required\"\n"] {
        let mut sipp = callee(&room, "uas_reliable.xml", &SippOptions::default());
        let mut phone = phone_of(room.dir(), keys, "5066", &[]);
        let id = call(&mut phone, &sipp);
        phone.status("CallStatusEvent", "ESTABLISHED");
        hang_up(&mut phone, &id);
        assert_eq!(phone.statuses_of(&id), ["SESSION_PROGRESS", "ESTABLISHED", "FINISH"]);
        assert_clean(&mut sipp, SOON);
    }
}

#[test]
fn early_media_changes_by_update_and_so_does_the_call() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let options = SippOptions { echo: true, hold_ms: 1500, ..SippOptions::default() };
    let mut sipp = callee(&room, "uas_early_update.xml", &options);
    let mut phone = caller();
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "SESSION_PROGRESS");
    // The first answer was inactive: only after the UPDATE does anything come back.
    phone.wait("sound before the answer", SOON, |value| {
        value["event"] == "CallMeasured" && value["statistics"]["packetsReceived"].as_u64() > Some(0)
    });
    assert!(!phone.statuses_of(&id).contains(&"ESTABLISHED".to_owned()));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.wait("the far end's hold", SOON, |value| hold(value) == Some(true));
    phone.wait("the end of the hold", SOON, |value| hold(value) == Some(false));
    hang_up(&mut phone, &id);
    assert_clean(&mut sipp, SOON);
}

#[test]
fn who_requires_reliable_ringing_gets_it_and_is_refused_where_it_is_off() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = phone_of(room.dir(), "", "5066", &[]);
    let mut sipp = calls(&room, "uac_reliable.xml", 5066);
    answer_after_the_key(&mut phone);
    phone.status("CallStatusEvent", "FINISH");
    assert_clean(&mut sipp, SOON);
    drop(phone);

    let mut off = phone_of(room.dir(), "prack = \"off\"\n", "5068", &[]);
    let refused = calls(&room, "uac_reliable.xml", 5068).wait(SOON).unwrap();
    assert!(refused.failed == 1 && refused.errors.contains("420"), "{refused:?}");
    let mut required = phone_of(room.dir(), "prack = \"required\"\n", "5070", &[]);
    let refused = calls(&room, "uac.xml", 5070).wait(SOON).unwrap();
    assert!(refused.failed == 1 && refused.errors.contains("421"), "{refused:?}");
    // Nobody was disturbed by either.
    for phone in [&mut off, &mut required] {
        phone.ask(json!({"command": "getSnapshot"}));
        assert!(!phone.seen.iter().any(|value| value["event"] == "OnCallEvent"));
    }
}

#[test]
fn a_call_is_cancelled_while_a_prack_is_pending_on_either_side() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut sipp = callee(&room, "uas_prack_pending.xml", &SippOptions::default());
    let mut phone = phone_of(room.dir(), "", "5066", &[]);
    let id = call(&mut phone, &sipp);
    // Sent when the PRACK has come.
    phone.status("CallStatusEvent", "RING");
    hang_up(&mut phone, &id);
    assert_clean(&mut sipp, SOON);

    let mut sipp = calls(&room, "uac_cancels_unacknowledged.xml", 5066);
    phone.status("CallStatusEvent", "FINISH");
    assert_clean(&mut sipp, SOON);
}

#[test]
fn a_caller_updates_while_it_rings_and_in_the_call() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = phone_of(room.dir(), "", "5066", &[]);
    let mut sipp = calls(&room, "uac_updates.xml", 5066);
    answer_after_the_key(&mut phone);
    phone.wait("the far end's hold", SOON, |value| hold(value) == Some(true));
    phone.wait("the end of the hold", SOON, |value| hold(value) == Some(false));
    phone.status("CallStatusEvent", "FINISH");
    assert_clean(&mut sipp, SOON);
}

#[test]
fn the_length_of_a_session_is_agreed_on_in_both_directions() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    // It wants more than we ask for.
    let mut sipp = callee(&room, "uas_422.xml", &SippOptions::default());
    let mut phone = phone_of(room.dir(), "", "5066", &[]);
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "ESTABLISHED");
    hang_up(&mut phone, &id);
    assert_clean(&mut sipp, SOON);
    // It wants less than the RFC allows, then refreshes by itself.
    let mut sipp = calls(&room, "uac_refreshes.xml", 5066);
    answer(&mut phone);
    phone.status("CallStatusEvent", "FINISH");
    assert_clean(&mut sipp, SOON);
    // It refreshes as the callee.
    let mut sipp = callee(&room, "uas_refreshes.xml", &SippOptions::default());
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.status("CallStatusEvent", "FINISH");
    assert_eq!(phone.statuses_of(&id), ["ESTABLISHED", "FINISH"], "a refresh changes nothing");
    assert_clean(&mut sipp, SOON);
}

/// The shortest sessions there are, in real time, all at once.
#[test]
fn a_session_is_refreshed_by_us_in_either_role_and_one_that_nobody_refreshes_expires() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    // One that sends no sound is asked whether it is there.
    let echo = SippOptions { echo: true, ..SippOptions::default() };
    let mut phones: Vec<Phone> =
        ["5066", "5068", "5070", "5072"].map(|port| phone_of(room.dir(), "", port, &[])).into();
    let mut by_update = callee(&room, "uas_is_refreshed_by_update.xml", &echo);
    let mut by_reinvite = callee(&room, "uas_is_refreshed_by_reinvite.xml", &echo);
    let mut never = callee(&room, "uas_never_refreshes.xml", &echo);
    call(&mut phones[0], &by_update);
    call(&mut phones[1], &by_reinvite);
    // Who has a password gives nothing of it away.
    let mut challenging = callee(&room, "uas_challenges_update.xml", &echo);
    let mut secretive = phone_of(room.dir(), "password-env = \"SIDETONE_TEST_PASSWORD\"\n", "5074", &[]);
    call(&mut secretive, &challenging);
    let mut called = calls(&room, "uac_is_refreshed.xml", 5070);
    answer(&mut phones[2]);
    call(&mut phones[3], &never);
    for sipp in [&mut by_update, &mut by_reinvite, &mut called, &mut challenging] {
        assert_clean(sipp, REFRESH);
    }
    for phone in &mut phones[..3] {
        phone.status("CallStatusEvent", "FINISH");
    }
    // A third of it before its end.
    let expired = phones[3].status_within("CallStatusEvent", "FAILED", REFRESH);
    assert_eq!(expired["info"], "408 Session expired: nothing was heard of the far end in time");
    assert_clean(&mut never, SOON);
}

#[test]
fn our_hold_that_meets_a_reinvite_of_the_far_end_comes_through_after_it() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut sipp = callee(&room, "uas_glare.xml", &SippOptions::default());
    let mut phone = caller();
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hold", "callId": id}));
    let held = phone.status("CallStatusEvent", "HOLD");
    assert_eq!(held["info"], "held here");
    // It waits for our next try, for as long as RFC 3261 section 14.1 says, and hangs up then.
    phone.status("CallStatusEvent", "FINISH");
    assert_clean(&mut sipp, SOON);
    assert!(!phone.seen.iter().any(|value| value["event"] == "Notice" && value["level"] == "warning"));
}

#[test]
fn a_reinvite_without_an_offer_gets_ours_and_its_answer_in_the_ack_counts() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut sipp = callee(&room, "uas_asks_for_an_offer.xml", &SippOptions::default());
    let mut phone = caller();
    let id = call(&mut phone, &sipp);
    phone.status("CallStatusEvent", "ESTABLISHED");
    // The answer holds us.
    let held = phone.status("CallStatusEvent", "HOLD");
    assert_eq!(held["info"], "held by the far end");
    hang_up(&mut phone, &id);
    assert_clean(&mut sipp, SOON);
}

#[test]
fn an_account_wants_a_session_of_a_length_that_there_is() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &["--no-register"]);
    for (seconds, is_taken) in
        [(0, true), (1, false), (89, false), (90, true), (604_800, true), (604_801, false)]
    {
        let account = json!({
            "id": "other", "name": "Other", "aor": "sip:other@127.0.0.1", "enabled": false, "sessionExpires": seconds
        });
        let reply = phone.ask(json!({"command": "saveAccount", "account": account, "remember": false}));
        assert_eq!(reply["failure"].is_null(), is_taken, "{reply}");
        assert!(is_taken || reply["failure"]["field"] == "sessionExpires", "{reply}");
    }
}
