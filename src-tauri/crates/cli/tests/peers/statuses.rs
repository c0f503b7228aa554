//! Every status of the first part of the contract, brought about by its cause.

use super::phone::{Phone, SOON};
use serde_json::json;
use sidetone_testkit::{Kamailio, KamailioOptions, Needs, Result, Sipp, SippOptions, room};
use std::{net::SocketAddr, time::Duration};

/// Timers B and F of RFC 3261: 64 × T1.
const SIP_TIMEOUT: Duration = Duration::from_secs(40);

fn rejecting(dir: &std::path::Path, status: u16, reason: &str) -> Result<Sipp> {
    let keys = vec![("status", status.to_string()), ("reason", reason.to_owned())];
    Sipp::start(dir, &SippOptions { scenario: "uas_reject.xml", keys, ..SippOptions::default() })
}

fn caller() -> Phone {
    Phone::with_account("sip:alice@127.0.0.1", &["--no-register"])
}

fn target(sipp: &Sipp) -> String {
    format!("sip:bob@{}", sipp.address())
}

#[test]
fn busy_is_486_and_600() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for (status, reason) in [(486, "Busy Here"), (600, "Busy Everywhere")] {
        let mut sipp = rejecting(room.dir(), status, reason).unwrap();
        let mut phone = caller();
        let call = phone.call(&target(&sipp));
        let event = phone.status("CallStatusEvent", "BUSY");
        assert_eq!(event["callId"], call.as_str());
        assert_eq!(event["info"], format!("{status} {reason}"));
        assert_eq!(phone.statuses_of(&call).last().unwrap(), "BUSY");
        assert!(sipp.wait(SOON).unwrap().is_clean(1));
    }
}

#[test]
fn failed_carries_the_code_and_text_of_the_refusal() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for (status, reason) in
        [(404, "Not Found"), (408, "Request Timeout"), (503, "Service Unavailable"), (603, "Decline")]
    {
        let mut sipp = rejecting(room.dir(), status, reason).unwrap();
        let mut phone = caller();
        phone.call(&target(&sipp));
        let event = phone.status_within("CallStatusEvent", "FAILED", SIP_TIMEOUT);
        assert_eq!(event["info"], format!("{status} {reason}"));
        assert!(sipp.wait(SOON).unwrap().is_clean(1));
    }
}

#[test]
fn a_host_that_cannot_be_reached_fails_the_call() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = caller();
    // No route leads there from the network of this test.
    phone.call("sip:bob@198.51.100.7");
    let event = phone.status("CallStatusEvent", "FAILED");
    assert!(event["info"].as_str().unwrap().contains("unreachable"), "{event}");
    // Nobody listens there; TCP says so.
    phone.call("sip:bob@127.0.0.1:9;transport=tcp");
    let event = phone.status("CallStatusEvent", "FAILED");
    assert!(event["info"].as_str().unwrap().contains("refused"), "{event}");
    phone.call("sip:bob@name.invalid");
    let event = phone.status("CallStatusEvent", "FAILED");
    assert!(event["info"].as_str().unwrap().contains("name.invalid"), "{event}");
}

#[test]
fn a_host_that_is_silent_fails_the_call_with_408() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut phone = caller();
    phone.call(&format!("sip:bob@{}", silent.local_addr().unwrap()));
    let event = phone.status_within("CallStatusEvent", "FAILED", SIP_TIMEOUT);
    assert!(event["info"].as_str().unwrap().starts_with("408 "), "{event}");
}

#[test]
fn no_common_codec_fails_the_call_in_either_direction() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    // The callee answers with a codec that was never offered.
    let mut sipp =
        Sipp::start(room.dir(), &SippOptions { scenario: "uas_g729.xml", ..SippOptions::default() }).unwrap();
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &["--no-register", "--sip-port", "5066"]);
    phone.call(&target(&sipp));
    let event = phone.status("CallStatusEvent", "FAILED");
    assert!(event["info"].as_str().unwrap().contains("no common audio codec"), "{event}");
    assert!(sipp.wait(SOON).unwrap().is_clean(1), "the call was ended with a BYE");
    // The caller offers nothing that we speak.
    let us: SocketAddr = "127.0.0.1:5066".parse().unwrap();
    let options = SippOptions { scenario: "uac_g729.xml", target: Some(us), ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    assert!(sipp.wait(SOON).unwrap().is_clean(1), "the offer was refused with 488");
}

#[test]
fn a_call_goes_through_trying_ring_progress_established_finish() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let options = SippOptions { scenario: "uas_every_status.xml", ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let mut phone = caller();
    let call = phone.call(&target(&sipp));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    assert_eq!(phone.statuses_of(&call), ["TRYING", "RING", "SESSION_PROGRESS", "ESTABLISHED", "FINISH"]);
    assert!(sipp.wait(SOON).unwrap().is_clean(1));
}

#[test]
fn registered_unregistered_and_authentication_fail_follow_the_registrar() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let registrar = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let aor = registrar.aor("alice");
    let mut phone = Phone::with_account(&aor, &[]);
    phone.status("ConnectionStatusEvent", "ESTABLISHED");
    let event = phone.status("RegistrationStatusEvent", "REGISTERED");
    phone.ask(json!({"command": "unregister", "sessionId": event["sessionId"]}));
    phone.status("RegistrationStatusEvent", "UNREGISTERED");
    phone.ask(json!({"command": "register", "sessionId": event["sessionId"]}));
    phone.status("RegistrationStatusEvent", "REGISTERED");

    let mut phone = Phone::start(&[
        "--aor",
        &aor,
        "--password-env",
        "SIDETONE_WRONG_PASSWORD",
        "--mic",
        "silence",
        "--speaker",
        "null",
    ]);
    phone.status("ConnectionStatusEvent", "ESTABLISHED");
    let event = phone.status("RegistrationStatusEvent", "AUTHENTICATION_FAIL");
    assert!(event["info"].as_str().unwrap().starts_with("401"), "{event}");
    assert!(!phone.seen.iter().any(|value| value.to_string().contains("wrong")), "the password was shown");
}

#[test]
fn the_connection_fails_where_nobody_answers_and_is_lost_where_somebody_did() {
    let Some(room) = room!(Needs::tools(&["kamailio"]).network()) else { return };
    let mut phone = Phone::with_account("sip:alice@127.0.0.1:9", &["--transport", "tcp"]);
    phone.status("ConnectionStatusEvent", "FAILED");
    drop(phone);

    let registrar = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let mut phone = Phone::with_account(&registrar.aor("alice"), &["--transport", "tcp"]);
    phone.status("ConnectionStatusEvent", "ESTABLISHED");
    let event = phone.status("RegistrationStatusEvent", "REGISTERED");
    drop(registrar);
    // Does not wait for the time of the next refresh.
    phone.ask(json!({"command": "register", "sessionId": event["sessionId"]}));
    phone.status("ConnectionStatusEvent", "DISCONNECTED");
    phone.status("RegistrationStatusEvent", "UNREGISTERED");
}
