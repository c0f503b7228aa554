//! `phone`: JSON lines both ways.

use crate::run::{Home, Running};
use serde_json::{Value, json};

fn phone(home: &Home) -> Running {
    let mut phone = home.start(&["phone", "--mic", "tone", "--speaker", "null"]);
    phone.until_registered("cli");
    phone
}

fn ask(phone: &mut Running, line: &str, id: &Value) -> Value {
    phone.write(line);
    phone.until("an answer", |answer| {
        answer["id"] == *id && (answer["reply"].is_object() || answer["failure"].is_object())
    })
}

#[test]
fn a_call_is_placed_followed_and_ended_by_lines_of_json() {
    let home = Home::new("phone");
    let mut phone = phone(&home);
    let snapshot = ask(&mut phone, r#"{"id":0,"command":"getSnapshot"}"#, &json!(0));
    let sessions = snapshot["reply"]["snapshot"]["sessions"].as_array().unwrap();
    let session = sessions.iter().find(|session| session["accountId"] == "cli").unwrap()["sessionId"].clone();
    let reply = ask(
        &mut phone,
        &json!({"id": 1, "command": "call", "callee": "echo", "sessionId": session}).to_string(),
        &json!(1),
    );
    let call = reply["reply"]["callId"].clone();
    let established = phone.until_status("CallStatusEvent", "ESTABLISHED");
    assert_eq!(established["callId"], call);
    assert!(established["info"].is_string() && established["sessionId"] == session, "{established}");
    let muted = json!({"id": "two", "command": {"command": "muteAudio", "callId": call, "muted": true}});
    assert_eq!(ask(&mut phone, &muted.to_string(), &json!("two"))["reply"]["reply"], "done");
    let hangup = json!({"id": 3, "command": "hangup", "callId": call});
    phone.write(&hangup.to_string());
    assert_eq!(phone.until_status("CallStatusEvent", "FINISH")["callId"], call);
    phone.close_stdin();
    let (code, lines) = phone.end();
    assert_eq!(code, Some(0), "{lines:#?}");
}

#[test]
fn the_end_of_stdin_hangs_up_and_unregisters() {
    let home = Home::new("phone-eof");
    let mut phone = phone(&home);
    phone.write(r#"{"command":"call","callee":"tone"}"#);
    phone.until_status("CallStatusEvent", "ESTABLISHED");
    phone.close_stdin();
    let (code, lines) = phone.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    for status in ["FINISH", "UNREGISTERED"] {
        assert!(lines.iter().any(|line| line["status"] == status), "{status}: {lines:#?}");
    }
}

#[test]
fn a_wrong_line_is_answered_by_name_and_the_phone_goes_on() {
    let home = Home::new("phone-wrong");
    let mut phone = phone(&home);
    for (line, field) in [
        ("call echo", "request"),
        (r#"{"id":7,"command":"dance"}"#, "command"),
        (r#"{"id":7,"command":"call","calee":"echo"}"#, "calee"),
        (r#"{"id":7,"command":"call","callee":""}"#, "callee"),
    ] {
        phone.write(line);
        let answer = phone.until("a failure", |answer| answer["failure"].is_object());
        assert_eq!(answer["failure"]["field"], field, "{answer}");
    }
    phone.write(&"x".repeat(200_000));
    let answer = phone.until("a failure", |answer| answer["failure"].is_object());
    assert_eq!(answer["failure"]["field"], "line");
    phone.write(r#"{"id":8,"command":"hangup","callId":"none"}"#);
    let answer = phone.until("a failure", |answer| answer["failure"].is_object());
    assert_eq!((&answer["id"], &answer["failure"]["code"]), (&json!(8), &json!("notFound")));
    phone.close_stdin();
    assert_eq!(phone.end().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_phone_in_the_normal_way() {
    let home = Home::new("phone-signal");
    let phone = phone(&home);
    phone.interrupt();
    let (code, lines) = phone.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.iter().any(|line| line["status"] == "UNREGISTERED"), "{lines:#?}");
}
