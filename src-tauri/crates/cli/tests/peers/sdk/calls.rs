//! Calls of pages into SIP: by the account that their sessions name, with foreign phones at the other end.

use super::{Rig, SOON, needs};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Room, Sipp, SippOptions, room,
    until,
};

fn needs_with(tools: &[&'static str]) -> Needs {
    needs().and(tools)
}

/// A session with an account that registers nowhere.
fn unregistered(rig: &Rig) -> u64 {
    rig.session_with(
        json!({ "sipOptions": { "login": "alice", "domain": "127.0.0.1", "registerRequired": false } }),
    )
}

pub(super) fn account(proxy: &Kamailio, password: &str) -> Value {
    json!({
        "login": "alice",
        "authenticationName": "alice",
        "password": password,
        "domain": "127.0.0.1",
        "outboundProxy": "127.0.0.1",
        "port": proxy.address().port(),
        "registerRequired": true,
    })
}

pub(super) fn registered(rig: &Rig, proxy: &Kamailio) -> u64 {
    let session = rig.page.connect(&json!({ "urlServer": rig.url, "sipOptions": account(proxy, "secret") }));
    rig.page.status(session, "REGISTERED", SOON).unwrap();
    session
}

fn dial(rig: &Rig, session: u64, callee: &str) -> u64 {
    dial_with(rig, session, callee, json!({}))
}

pub(super) fn dial_with(rig: &Rig, session: u64, callee: &str, more: Value) -> u64 {
    let mut options = json!({ "callee": callee, "visibleName": "Alice in a page" });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.page.run("dial", &[json!(session), options]).as_u64().unwrap()
}

/// A phone that is called by its address.
fn bob(room: &Room, answer: AnswerMode, codec: &'static str) -> Baresip {
    let codecs = [codec];
    Baresip::start(room.dir(), &BaresipOptions { answer, codecs: &codecs, ..BaresipOptions::default() })
        .unwrap()
}

fn statuses(rig: &Rig, call: u64) -> Vec<String> {
    let events = rig.page.events();
    let of_call = events.iter().filter(|event| event["name"] == "call" && event["id"] == call);
    of_call.filter_map(|event| event["status"].as_str()).map(String::from).collect()
}

/// Sound comes and goes between the page and the gateway.
pub(super) fn is_heard(rig: &Rig, call: u64) {
    let bytes = || {
        rig.page.run("statistics", &[json!(call)]);
        let told = rig.page.wait_for("statistics", SOON, |event| event["name"] == "statistics").unwrap();
        let of = |direction: &str, counter: &str| told["stats"][direction]["audio"][counter].as_u64();
        (of("inboundStream", "bytesReceived"), of("outboundStream", "bytesSent"))
    };
    let before = bytes();
    until("sound both ways", SOON, || {
        let now = bytes();
        (now.0 > before.0 && now.1 > before.1).then_some(())
    })
    .unwrap();
}

/// How often the page has been given a description.
fn descriptions(rig: &Rig) -> usize {
    rig.page.messages().iter().filter(|message| *message == "setRemoteSDP").count()
}

#[test]
fn an_account_is_registered_and_a_wrong_password_is_told() {
    let Some(room) = room!(needs_with(&["kamailio"])) else { return };
    let rig = Rig::start(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    registered(&rig, &proxy);
    let wrong = rig.page.connect(&json!({ "urlServer": rig.url, "sipOptions": account(&proxy, "wrong") }));
    let warned = rig.page.status(wrong, "WARN", SOON).unwrap();
    assert_eq!(warned["object"]["apiMethod"], "RegistrationStatusEvent");
    assert!(warned["info"].as_str().unwrap().starts_with("AUTHENTICATION_FAIL"), "{warned}");
    rig.end();
}

#[test]
fn a_registration_outlives_the_connection_that_was_to_be_kept() {
    let Some(room) = room!(needs_with(&["kamailio"])) else { return };
    let rig = Rig::start(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let options = json!({ "urlServer": rig.url, "keepAlive": true, "sipOptions": account(&proxy, "secret") });
    let session = rig.page.connect(&options);
    let token = rig.page.status(session, "ESTABLISHED", SOON).unwrap()["object"]["authToken"].clone();
    rig.page.status(session, "REGISTERED", SOON).unwrap();
    rig.page.tell(session, "disconnect", &[]);
    rig.page.status(session, "DISCONNECTED", SOON).unwrap();
    let again = rig.page.connect(&json!({ "urlServer": rig.url, "keepAlive": true, "authToken": token }));
    rig.page.status(again, "REGISTERED", SOON).unwrap();
    let mut bob = bob(&room, AnswerMode::Auto, "pcmu");
    bob.dial(&proxy.aor("alice")).unwrap();
    rig.page
        .wait_for("a call", SOON, |event| event["name"] == "incoming" && event["session"] == again)
        .unwrap();
    rig.end();
}

#[test]
fn a_call_out_is_heard_and_ended_from_either_side() {
    let Some(room) = room!(needs_with(&["baresip"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    for codec in ["pcmu", "opus"] {
        let mut bob = bob(&room, AnswerMode::Manual, codec);
        for ended_there in [false, true] {
            let call = dial(&rig, session, &bob.uri());
            rig.page.status(call, "RING", SOON).unwrap();
            bob.answer().unwrap();
            rig.page.status(call, "ESTABLISHED", SOON).unwrap();
            is_heard(&rig, call);
            bob.wait_heard(1.0, SOON).unwrap();
            if ended_there {
                bob.hang_up().unwrap();
            } else {
                rig.page.tell(call, "hangup", &[]);
            }
            rig.page.status(call, "FINISH", SOON).unwrap();
            bob.wait_event("CALL_CLOSED", SOON).unwrap();
            assert_eq!(statuses(&rig, call), ["TRYING", "RING", "ESTABLISHED", "FINISH"], "{codec}");
        }
    }
    rig.end();
}

#[test]
fn a_call_that_is_given_up_before_its_answer_is_cancelled() {
    let Some(room) = room!(needs_with(&["baresip"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    let mut bob = bob(&room, AnswerMode::Manual, "pcmu");
    let call = dial(&rig, session, &bob.uri());
    rig.page.status(call, "TRYING", SOON).unwrap();
    bob.wait_event("CALL_INCOMING", SOON).unwrap();
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    rig.end();
}

#[test]
fn a_call_in_shows_its_caller_and_is_answered_or_declined() {
    let Some(room) = room!(needs_with(&["baresip", "kamailio"])) else { return };
    let rig = Rig::start(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let session = registered(&rig, &proxy);
    let mut bob = bob(&room, AnswerMode::Auto, "pcmu");
    for answers in [true, false] {
        bob.dial(&proxy.aor("alice")).unwrap();
        let came = |event: &Value| event["name"] == "incoming" && event["session"] == session;
        let incoming = rig.page.wait_for("a call", SOON, came).unwrap();
        assert_eq!((&incoming["caller"], &incoming["visibleName"]), (&json!("bob"), &json!("bob")));
        let call = incoming["id"].as_u64().unwrap();
        rig.page.status(call, "RING", SOON).unwrap();
        if answers {
            rig.page.run("answer", &[json!(call), json!({})]);
            rig.page.status(call, "ESTABLISHED", SOON).unwrap();
            is_heard(&rig, call);
            bob.wait_heard(1.0, SOON).unwrap();
        }
        rig.page.tell(call, "hangup", &[]);
        rig.page.status(call, "FINISH", SOON).unwrap();
        let closed = bob.wait_event("CALL_CLOSED", SOON).unwrap();
        assert!(answers || closed.text("param").contains("486"), "{closed:?}");
    }
    rig.end();
}

#[test]
fn a_call_is_held_and_resumed_behind_the_page() {
    let Some(room) = room!(needs_with(&["baresip"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    let mut bob = bob(&room, AnswerMode::Auto, "pcmu");
    let call = dial(&rig, session, &bob.uri());
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    let before = descriptions(&rig);
    assert_eq!(before, 1);
    for by_far_end in [false, true] {
        if by_far_end {
            bob.command("hold", "").unwrap();
        } else {
            rig.page.tell(call, "hold", &[]);
        }
        rig.page.status(call, "HOLD", SOON).unwrap();
        if by_far_end {
            bob.command("resume", "").unwrap();
        } else {
            rig.page.tell(call, "unhold", &[]);
        }
        rig.page.status(call, "ESTABLISHED", SOON).unwrap();
        is_heard(&rig, call);
    }
    assert_eq!(descriptions(&rig), before);
    rig.end();
}

#[test]
fn keys_go_out_as_events_and_by_info() {
    let Some(room) = room!(needs_with(&["baresip", "sipp"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    let mut bob = bob(&room, AnswerMode::Auto, "pcmu");
    let call = dial(&rig, session, &bob.uri());
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    for (kind, key) in [("RFC2833", "5"), ("INFO_RELAY", "9")] {
        rig.page.tell(call, "sendDTMF", &[json!(key), json!(kind)]);
        let event = bob.wait_event("CALL_DTMF_START", SOON).unwrap();
        assert_eq!(event.text("param"), key, "{kind}");
    }
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    let options = SippOptions { scenario: "uas_info.xml", log: true, ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let call = dial(&rig, session, &format!("sip:bob@{}", sipp.address()));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "sendDTMF", &[json!("7"), json!("INFO")]);
    until("the first key", SOON, || (sipp.messages().matches("INFO sip").count() > 0).then_some(())).unwrap();
    rig.page.tell(call, "sendDTMF", &[json!("9"), json!("INFO_RELAY")]);
    until("both keys", SOON, || sipp.messages().contains("Signal=9").then_some(())).unwrap();
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    let outcome = sipp.wait(SOON).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
    rig.end();
}

#[test]
fn a_transfer_comes_to_its_end() {
    let Some(room) = room!(needs_with(&["sipp"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    let keys = vec![("wanted", "sip:carol@127.0.0.1:5099".to_owned())];
    let options = SippOptions { scenario: "uas_referred.xml", keys, echo: true, ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let call = dial(&rig, session, &format!("sip:bob@{}", sipp.address()));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "transfer", &[json!("sip:carol@127.0.0.1:5099")]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    let outcome = sipp.wait(SOON).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
    rig.end();
}

#[test]
fn refusals_are_busy_and_failed() {
    let Some(room) = room!(needs_with(&["sipp"])) else { return };
    let rig = Rig::start(&room);
    let session = unregistered(&rig);
    for (code, reason, status) in [("486", "Busy Here", "BUSY"), ("404", "Not Found", "FAILED")] {
        let keys = vec![("status", code.to_owned()), ("reason", reason.to_owned())];
        let options = SippOptions { scenario: "uas_reject.xml", keys, ..SippOptions::default() };
        let mut sipp = Sipp::start(room.dir(), &options).unwrap();
        let call = dial(&rig, session, &format!("sip:bob@{}", sipp.address()));
        rig.page.status(call, status, SOON).unwrap();
        assert!(sipp.wait(SOON).unwrap().is_clean(1));
    }
    rig.end();
}

/// The user of the desktop and his pages do not hear of each other's calls.
#[test]
fn a_page_without_an_account_calls_nobody_and_the_desktop_sees_no_calls_of_pages() {
    let Some(room) = room!(needs_with(&["baresip"])) else { return };
    let mut rig = Rig::start(&room);
    let without = rig.session();
    let call = dial(&rig, without, "echo");
    rig.page.status(call, "FAILED", SOON).unwrap();
    let session = unregistered(&rig);
    let bob = bob(&room, AnswerMode::Auto, "pcmu");
    let call = dial(&rig, session, &bob.uri());
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.gateway_is("two sessions", |view| view["clientCount"] == 2);
    rig.page.tell(session, "disconnect", &[]);
    rig.gateway_is("the end of the session", |view| view["clientCount"] == 1);
    let of_call = |line: &Value| line["event"].as_str().is_some_and(|event| event.starts_with("Call"));
    assert!(!rig.gateway.seen().any(of_call));
    rig.end();
}
