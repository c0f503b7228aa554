//! Calls, hold, digits, messages.

use super::{CORRELATED, SECURE, SOON, Talk, browser, id, needs, proxy, talk, view};
use serde_json::json;
use sidetone_testkit::{
    audio::{Wav, hear},
    room, until,
};

/// Comfort noise or a tune, but not the words.
const UNRELATED: f64 = 0.5;

#[test]
fn a_browser_is_called_with_ice_dtls_and_opus_and_both_hear_each_other() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { ours, theirs, heard, their_file, mut phone } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", Some(&their_file), true);
    let call = phone.call(&proxy.aor("bob"));
    phone.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    let session = id(&bob.wait("confirmed", SOON).unwrap());
    let seen = view(&mut phone, "the codec and its protection", |call| call["suite"].is_string());
    assert_eq!((&seen["codec"]["name"], &seen["encryption"]), (&json!("opus"), &json!("dtls")), "{seen}");
    until("our words in the browser", SOON, || {
        (hear(&ours, &bob.heard(session).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap();
    until("the browser's words here", SOON, || {
        (hear(&theirs, &Wav::read(&heard).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap();
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    assert_eq!(bob.wait("ended", SOON).unwrap()["originator"], "remote");
    phone.finish();
}

#[test]
fn a_browser_calls_and_holds_by_re_invite_and_update_and_is_held() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { ours, their_file, mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", Some(&their_file), true);
    let session = bob.dial(&proxy.aor("alice"));
    let incoming = phone.wait("OnCallEvent", SOON, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    bob.wait("confirmed", SOON).unwrap();
    for by_update in [false, true] {
        bob.hold(session, by_update);
        phone.status("CallStatusEvent", "HOLD");
        view(&mut phone, "the far end's hold", |call| {
            call["hold"] == json!({"local": false, "remote": true})
        });
        bob.unhold(session, by_update);
        phone.status("CallStatusEvent", "ESTABLISHED");
    }
    phone.ask(json!({"command": "hold", "callId": incoming["callId"]}));
    assert_eq!(phone.status("CallStatusEvent", "HOLD")["callId"], incoming["callId"]);
    bob.wait_for("our hold", SOON, |event| event["name"] == "hold" && event["originator"] == "remote")
        .unwrap();
    bob.forget(session);
    until("a tune for the held browser", SOON, || {
        let heard = bob.heard(session).ok()?;
        (heard.seconds() > 5.0 && heard.rms() > 0.001).then_some(())
    })
    .unwrap();
    let held = hear(&ours, &bob.heard(session).unwrap());
    assert!(held.peak < UNRELATED, "the held party hears our words: {held:?}");
    phone.ask(json!({"command": "unhold", "callId": incoming["callId"]}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    bob.wait_for("our resuming", SOON, |event| event["name"] == "unhold" && event["originator"] == "remote")
        .unwrap();
    bob.forget(session);
    until("our words again", SOON, || {
        (hear(&ours, &bob.heard(session).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap();
    bob.hang_up(session);
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
}

#[test]
fn digits_and_messages_pass_in_both_directions() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let more = format!("{SECURE}\ndtmf = \"info\"");
    let Talk { their_file, mut phone, .. } = talk(&room, &proxy, &more);
    let bob = browser(&room, &proxy, "bob", Some(&their_file), true);
    let call = phone.call(&proxy.aor("bob"));
    phone.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    let session = id(&bob.wait("confirmed", SOON).unwrap());
    // Before its keys are there it sends no telephone events.
    bob.wait_for("its keys", SOON, |event| event["name"] == "connection" && event["state"] == "connected")
        .unwrap();
    phone.ask(json!({"command": "sendDtmf", "callId": call, "dtmf": "5#"}));
    for tone in ["5", "#"] {
        assert_eq!(bob.wait("dtmf", SOON).unwrap()["tone"], tone);
    }
    for transport in ["INFO", "RFC2833"] {
        bob.send_dtmf(session, "7", transport);
        let digit = phone.wait(transport, SOON, |value| value["event"] == "DtmfReceived");
        assert_eq!(digit["digit"], "7", "{transport}");
    }
    let reply = phone.ask(json!({"command": "sendData", "to": proxy.aor("bob"), "body": "hello, bob"}));
    let data = reply["reply"]["dataId"].clone();
    assert_eq!(bob.wait("message", SOON).unwrap()["body"], "hello, bob");
    let accepted = phone.status("DataStatusEvent", "ACCEPTED");
    assert_eq!(accepted["dataId"], data);
    bob.send_message(&proxy.aor("alice"), "hello, alice");
    let told =
        phone.wait("OnDataEvent", SOON, |value| value["event"] == "OnDataEvent" && value["incoming"] == true);
    assert_eq!(told["body"], "hello, alice");
    bob.wait("messageAccepted", SOON).unwrap();
    phone.ask(json!({"command": "sendData", "to": proxy.aor("status-404"), "body": "anybody?"}));
    let failed = phone.status("DataStatusEvent", "FAILED");
    assert!(failed["info"].as_str().unwrap().contains("404"), "{failed}");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
}
