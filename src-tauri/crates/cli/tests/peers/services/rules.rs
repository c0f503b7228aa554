//! What becomes of calls by rule, in both directions, with SIPp and baresip at the other end.

use super::{PATIENCE, change_calls, clean, phone, sipp};
use crate::phone::{Phone, SOON};
use serde_json::{Value, json};
use sidetone_testkit::{Baresip, BaresipOptions, Needs, Room, Sipp, SippOptions, room};

const US: &str = "127.0.0.1:5066";

fn called(room: &Room, lines: &str) -> Phone {
    phone(room, "alice", "127.0.0.1", &format!("register = false\n{lines}"), &["--sip-port", "5066"])
}

/// Calls us, as `from`, and must get this status with these words in it.
fn refused(room: &Room, from: &str, status: &str, wanted: &str) {
    let keys = [("status", status), ("wanted", wanted)];
    clean(sipp(room, "uac_rejected.xml", Some(US.parse().unwrap()), &["alice", from], &keys));
}

/// Calls us with one more header line, talks, and hangs up.
fn calls(room: &Room, from: &str, header: &str) -> Sipp {
    sipp(room, "uac_auto_answer.xml", Some(US.parse().unwrap()), &["alice", from], &[("asking", header)])
}

fn view(phone: &mut Phone, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    phone.wait(what, PATIENCE, |value| value["event"] == "CallChanged" && fits(&value["call"]))["call"]
        .clone()
}

fn history(phone: &mut Phone) -> Value {
    phone.wait("the history", SOON, |value| value["event"] == "HistoryAdded")["entry"].clone()
}

#[test]
fn a_call_answers_itself_by_the_callers_wish_only_where_that_is_allowed() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for (lines, by_itself) in [("autoAnswerByHeader = true", true), ("", false), ("autoAnswer = 0", true)] {
        let mut phone = called(&room, lines);
        for asking in ["Answer-Mode: Auto", "Call-Info: <sip:127.0.0.1>;answer-after=0"] {
            let sipp = calls(&room, "bob", asking);
            let ringing = view(&mut phone, "a ringing call", |call| call["status"] == "RING");
            assert_eq!(ringing["autoAnswerAt"].is_null(), !by_itself, "{lines}: {asking}: {ringing}");
            if !by_itself {
                phone.ask(json!({"command": "answer", "callId": ringing["callId"]}));
            }
            phone.status("CallStatusEvent", "ESTABLISHED");
            phone.status("CallStatusEvent", "FINISH");
            clean(sipp);
        }
        phone.finish();
    }
}

#[test]
fn do_not_disturb_rejects_keeps_the_call_in_the_history_and_lets_help_through() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = called(&room, "");
    change_calls(&mut phone, json!({"doNotDisturb": true, "emergencyNumbers": ["110"]}));
    refused(&room, "bob", "486", "486 Busy Here");
    let entry = history(&mut phone);
    assert_eq!((&entry["info"], &entry["direction"]), (&json!("486 do not disturb"), &json!("incoming")));
    assert!(entry["remote"].as_str().unwrap().starts_with("sip:bob@"), "{entry}");
    assert!(!phone.seen.iter().any(|value| value["event"] == "OnCallEvent"), "nobody was disturbed");
    // Who is called back after an emergency call.
    for helper in ["112", "110"] {
        let sipp = calls(&room, helper, "Subject: help");
        let call = phone.status("CallStatusEvent", "RING")["callId"].clone();
        phone.ask(json!({"command": "answer", "callId": call}));
        phone.status("CallStatusEvent", "FINISH");
        clean(sipp);
    }
    phone.finish();
}

#[test]
fn calls_are_sent_on_always_when_busy_and_when_nobody_answers() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let to_desk = "Contact: .sip:desk@127.0.0.1:5098";
    let mut phone = called(&room, "forwardAlways = \"sip:desk@127.0.0.1:5098\"");
    refused(&room, "bob", "302", to_desk);
    assert!(history(&mut phone)["info"].as_str().unwrap().starts_with("302 forwarded to sip:desk@"));
    phone.finish();

    let mut phone = called(&room, "forwardNoAnswer = \"sip:desk@127.0.0.1:5098\"\nnoAnswerSeconds = 1");
    refused(&room, "bob", "302", to_desk);
    phone.status("CallStatusEvent", "RING");
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();

    let mut phone = called(&room, "forwardBusy = \"sip:desk@127.0.0.1:5098\"");
    let first = calls(&room, "bob", "Subject: first");
    let call = phone.status("CallStatusEvent", "RING")["callId"].clone();
    refused(&room, "carol", "302", to_desk);
    phone.ask(json!({"command": "answer", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    clean(first);
    phone.finish();

    // By hand.
    let mut phone = called(&room, "");
    let keys = [("status", "302"), ("wanted", to_desk)];
    let caller = sipp(&room, "uac_rejected.xml", Some(US.parse().unwrap()), &["alice", "bob"], &keys);
    let call = phone.status("CallStatusEvent", "RING")["callId"].clone();
    phone.ask(json!({"command": "redirect", "callId": call, "target": "sip:desk@127.0.0.1:5098"}));
    clean(caller);
    phone.finish();
}

#[test]
fn who_sent_a_call_here_is_shown() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = called(&room, "autoAnswer = 0");
    for header in [
        "Diversion: \"The boss\" <sip:boss@example.org>;reason=unconditional",
        "History-Info: <sip:boss@example.org?Reason=SIP%3Bcause%3D302>;index=1, <sip:alice@127.0.0.1>;index=1.1",
    ] {
        let sipp = calls(&room, "bob", header);
        let call = view(&mut phone, "a call that was sent here", |call| call["status"] == "RING");
        assert_eq!(call["divertedBy"], "sip:boss@example.org", "{header}");
        phone.status("CallStatusEvent", "FINISH");
        clean(sipp);
    }
    phone.finish();
}

/// SIPp answers one call after another; the account's domain is its address.
fn answering(room: &Room, lines: &str) -> (Sipp, Phone) {
    let options = SippOptions { calls: None, log: true, ..SippOptions::default() };
    let sipp = Sipp::start(room.dir(), &options).unwrap();
    let phone = phone(room, "alice", &sipp.address().to_string(), &format!("register = false\n{lines}"), &[]);
    (sipp, phone)
}

/// Asks for a call, lets it be answered and ends it; gives its INVITE.
fn invite(phone: &mut Phone, sipp: &Sipp, command: Value) -> String {
    let before = sipp.messages().len();
    let reply = phone.ask(command);
    let call = &reply["reply"]["callId"];
    assert!(call.is_string(), "{reply}");
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    let seen = sidetone_testkit::until("the INVITE in the log", SOON, || {
        let seen = sipp.messages().get(before..)?.to_owned();
        seen.contains("\nINVITE sip:").then_some(seen)
    });
    let seen = seen.unwrap();
    let start = seen.find("\nINVITE sip:").unwrap() + 1;
    seen[start..].split("\r\n\r\n").next().unwrap().to_owned() + "\r\n"
}

#[test]
fn an_invite_says_what_call_and_account_want_it_to() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let (sipp, mut phone) =
        answering(&room, "displayName = \"Alice\"\n[[headers]]\nname = \"X-Team\"\nvalue = \"support\"");
    let call = |more: Value| {
        let mut command = json!({"command": "call", "callee": "bob"});
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    };
    let said = invite(&mut phone, &sipp, call(json!({})));
    assert!(said.contains("\r\nX-Team: support\r\n"), "{said}");
    assert!(
        said.contains("From: \"Alice\" <sip:alice@") || said.contains("From: Alice <sip:alice@"),
        "{said}"
    );
    let headers = json!([{"name": "X-Case", "value": "7"}, {"name": "x-team", "value": "sales"}]);
    let said = invite(&mut phone, &sipp, call(json!({"headers": headers, "callerName": "Zoë"})));
    assert!(said.contains("\r\nX-Case: 7\r\n") && !said.contains("support"), "{said}");
    assert!(said.contains("Zoë") && !said.contains("\"Alice\""), "{said}");
    let said = invite(&mut phone, &sipp, call(json!({"anonymous": true})));
    assert!(said.contains("\r\nPrivacy: id\r\n"), "{said}");
    let from = said.lines().find(|line| line.starts_with("From:")).unwrap();
    assert!(from.contains("sip:anonymous@anonymous.invalid") && !from.contains("lice"), "{from}");
    let contact = said.lines().find(|line| line.starts_with("Contact:")).unwrap();
    assert!(!contact.contains("alice"), "{contact}");
    for name in ["Via", "Contact", "CSeq", "Content-Length"] {
        let headers = json!([{"name": name, "value": "x"}]);
        let reply = phone.ask(call(json!({"headers": headers})));
        assert!(reply.to_string().contains("headers[0]"), "{reply}");
    }
    phone.finish();
}

#[test]
fn the_dial_plan_rewrites_what_is_called_but_no_emergency_number() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let (sipp, mut phone) = answering(&room, "anonymous = true");
    let plan = json!([
        {"match": "0900.*", "replace": "", "refuse": true},
        {"match": "0([1-9].*)", "replace": "+49$1"},
        {"match": "1\\d\\d", "replace": "999"},
    ]);
    change_calls(&mut phone, json!({"dialPlan": plan}));
    let host = sipp.address();
    let start = |number: &str| format!("INVITE sip:{number}@{host} SIP/2.0\r\n");
    let call = |callee: &str| json!({"command": "call", "callee": callee});
    for (typed, number) in
        [("030 1234", "+49301234"), ("199", "999"), ("112", "112"), ("tel:+49-30-5", "+49305")]
    {
        let said = invite(&mut phone, &sipp, call(typed));
        assert!(said.starts_with(&start(number)), "{typed}: {said}");
        let is_anonymous = said.contains("anonymous.invalid");
        assert_eq!(is_anonymous, typed != "112", "who calls for help must be found: {said}");
    }
    let reply = phone.ask(call("0900 123"));
    assert!(reply.to_string().contains("rule 1"), "{reply}");
    // Redial calls whom was called last, by what was called.
    let said = invite(&mut phone, &sipp, json!({"command": "redial"}));
    assert!(said.starts_with(&start("+49305")), "{said}");
    phone.finish();
}

#[test]
fn what_follows_a_number_is_dialled_after_the_answer() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let mut bob = Baresip::start(
        room.dir(),
        &BaresipOptions { record: false, user: "+49301234", ..Default::default() },
    )
    .unwrap();
    let domain = bob.address().to_string();
    let mut phone = phone(&room, "alice", &domain, "register = false", &[]);
    for (typed, digits) in [("tel:+49301234;ext=12", "12"), ("+49 30 1234,,5#", "5#")] {
        let call = phone.call(typed);
        phone.status("CallStatusEvent", "ESTABLISHED");
        let heard: String = digits
            .chars()
            .map(|_| bob.wait_event("CALL_DTMF_START", PATIENCE).unwrap().text("param").to_owned())
            .collect();
        assert_eq!(heard, digits, "{typed}");
        view(&mut phone, "the digits shown", |call| call["dtmf"] == digits);
        phone.ask(json!({"command": "hangup", "callId": call}));
        phone.status("CallStatusEvent", "FINISH");
    }
    phone.finish();
}
