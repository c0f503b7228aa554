//! Transfers with browsers in each of the other parts.

use super::{SECURE, SOON, Talk, browser, id, needs, proxy, talk};
use serde_json::{Value, json};
use sidetone_testkit::{JsSip, Kamailio, audio::hear, room, until};

use super::Phone;

fn transfer_statuses(phone: &Phone) -> Vec<&str> {
    let events = phone.seen.iter().filter(|value| value["event"] == "TransferStatusEvent");
    events.filter_map(|value| value["status"].as_str()).collect()
}

fn established(phone: &mut Phone, proxy: &Kamailio, user: &str) -> String {
    let call = phone.call(&proxy.aor(user));
    let id = call.clone();
    phone.wait("ESTABLISHED", SOON, move |value| {
        value["event"] == "CallStatusEvent"
            && value["status"] == "ESTABLISHED"
            && value["callId"] == id.as_str()
    });
    call
}

fn ended(phone: &mut Phone, call: &str) -> Value {
    phone.wait("the call's end", SOON, |value| {
        value["event"] == "CallStatusEvent" && value["status"] == "FINISH" && value["callId"] == call
    })
}

fn confirmed(browser: &JsSip) -> u64 {
    id(&browser.wait("confirmed", SOON).unwrap())
}

#[test]
fn a_browser_is_transferred_blindly_and_a_failed_transfer_gives_the_call_back() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", None, true);
    let carol = browser(&room, &proxy, "carol", None, true);
    let call = established(&mut phone, &proxy, "bob");
    confirmed(&bob);
    phone.ask(json!({"command": "transfer", "callId": call, "target": proxy.aor("status-486")}));
    let failed = phone.status("TransferStatusEvent", "FAILED");
    assert!(failed["info"].as_str().unwrap().contains("486"), "{failed}");
    assert_eq!(transfer_statuses(&phone), ["ACCEPTED", "TRYING", "FAILED"]);
    let given_back = phone.statuses_of(&call);
    assert!(!given_back.iter().any(|status| status == "FINISH"), "{given_back:?}");
    phone.ask(json!({"command": "transfer", "callId": call, "target": proxy.aor("carol")}));
    phone.status("TransferStatusEvent", "COMPLETED");
    ended(&mut phone, &call);
    confirmed(&carol);
    phone.finish();
}

#[test]
fn a_browser_that_refuses_to_be_transferred_fails_the_transfer() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", None, false);
    let call = established(&mut phone, &proxy, "bob");
    confirmed(&bob);
    phone.ask(json!({"command": "transfer", "callId": call, "target": proxy.aor("carol")}));
    // JsSIP takes every REFER with 202, and says in its reports that it does not do it.
    let failed = phone.status("TransferStatusEvent", "FAILED");
    assert!(failed["info"].as_str().unwrap().contains("603"), "{failed}");
    assert_eq!(transfer_statuses(&phone).first(), Some(&"ACCEPTED"));
    phone.ask(json!({"command": "hangup", "callId": call}));
    ended(&mut phone, &call);
    phone.finish();
}

#[test]
fn after_a_consultation_two_browsers_are_left_with_each_other() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", None, true);
    let carol = browser(&room, &proxy, "carol", None, true);
    let first = established(&mut phone, &proxy, "bob");
    confirmed(&bob);
    let second = established(&mut phone, &proxy, "carol");
    confirmed(&carol);
    phone.ask(json!({
        "command": "transferAttended", "callId": first, "consultationCallId": second
    }));
    phone.status("TransferStatusEvent", "COMPLETED");
    carol.wait("replaces", SOON).unwrap();
    bob.wait("confirmed", SOON).unwrap();
    for call in [&first, &second] {
        let ended = phone.statuses_of(call).last().is_some_and(|status| status == "FINISH");
        if !ended {
            self::ended(&mut phone, call);
        }
    }
    phone.finish();
}

#[test]
fn after_a_warm_introduction_of_all_three_the_agent_leaves() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { ours, mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", None, true);
    let carol = browser(&room, &proxy, "carol", None, true);
    let first = established(&mut phone, &proxy, "bob");
    let at_bob = confirmed(&bob);
    let second = established(&mut phone, &proxy, "carol");
    let at_carol = confirmed(&carol);
    phone.ask(json!({"command": "merge", "callIds": [first, second]}));
    for (browser, session) in [(&bob, at_bob), (&carol, at_carol)] {
        browser.forget(session);
        until("our words at both", SOON, || {
            (hear(&ours, &browser.heard(session).ok()?).peak > 0.7).then_some(())
        })
        .unwrap();
    }
    phone.ask(json!({"command": "transferAttended", "callId": first, "consultationCallId": second}));
    phone.status("TransferStatusEvent", "COMPLETED");
    carol.wait("replaces", SOON).unwrap();
    bob.wait("confirmed", SOON).unwrap();
    phone.finish();
}

#[test]
fn a_browser_transfers_us_blindly_and_after_a_consultation() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let more = format!("{SECURE}\nincomingTransfer = \"allow\"");
    let Talk { mut phone, .. } = talk(&room, &proxy, &more);
    let bob = browser(&room, &proxy, "bob", None, true);
    let carol = browser(&room, &proxy, "carol", None, true);
    let first = established(&mut phone, &proxy, "bob");
    let session = confirmed(&bob);
    bob.refer(session, &proxy.aor("carol"), None);
    let asked = phone.wait("OnTransferEvent", SOON, |value| value["event"] == "OnTransferEvent");
    assert!(asked["target"].as_str().unwrap().contains("carol"), "{asked}");
    bob.wait("referCompleted", SOON).unwrap();
    let at_carol = confirmed(&carol);
    bob.hang_up(session);
    ended(&mut phone, &first);
    carol.hang_up(at_carol);
    phone.status("CallStatusEvent", "FINISH");

    let first = established(&mut phone, &proxy, "bob");
    let session = confirmed(&bob);
    let consultation = bob.dial(&proxy.aor("carol"));
    confirmed(&bob);
    bob.refer(session, &proxy.aor("carol"), Some(consultation));
    bob.wait("referCompleted", SOON).unwrap();
    carol.wait("replaces", SOON).unwrap();
    bob.hang_up(session);
    ended(&mut phone, &first);
    phone.finish();
}

#[test]
fn a_browser_takes_the_place_of_another_in_a_call_with_us() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let Talk { mut phone, .. } = talk(&room, &proxy, SECURE);
    let bob = browser(&room, &proxy, "bob", None, true);
    let _carol = browser(&room, &proxy, "carol", None, true);
    let to_carol = bob.dial(&proxy.aor("carol"));
    confirmed(&bob);
    let to_us = bob.dial(&proxy.aor("alice"));
    let incoming = phone.wait("OnCallEvent", SOON, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    confirmed(&bob);
    bob.refer(to_carol, &proxy.aor("alice"), Some(to_us));
    bob.wait("referCompleted", SOON).unwrap();
    let carol_here = phone.wait("carol in bob's place", SOON, |value| {
        value["event"] == "CallChanged"
            && value["call"]["status"] == "ESTABLISHED"
            && value["call"].to_string().contains("carol")
    });
    let call = carol_here["call"]["callId"].clone();
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
}
