//! RFC 5626 and RFC 5627 with Kamailio as registrar and edge proxy.

use super::{PATIENCE, clean, registered, sipp};
use serde_json::json;
use sidetone_testkit::{
    Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Sipp, SippOptions, Transport, room,
};

/// What stands between two words of a text.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap_or(rest)
}

#[test]
fn a_registration_names_device_and_flow_and_calls_come_and_go_by_them() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sipp", "baresip"]).network()) else { return };
    let options = KamailioOptions { outbound: true, ..KamailioOptions::default() };
    let server = Kamailio::start(room.dir(), &options).unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut alice = registered(&room, "alice", server.address(), &format!("transport = \"{transport}\""));
        let log = server.log();
        let register = log.lines().rfind(|line| line.contains("registers ")).expect("a REGISTER with a log");
        assert!(register.contains(";reg-id=1"), "{register}");
        let device = between(register, "+sip.instance=\"<urn:uuid:", ">\"");
        assert_eq!(device.len(), 36, "{register}");
        assert!(register.ends_with("supports path, outbound, gruu"), "{register}");

        // What we call by is our device at the registrar, and the far end's BYE finds us there.
        let options =
            SippOptions { scenario: "uas_hangs_up.xml", transport, log: true, ..SippOptions::default() };
        let bob = Sipp::start(room.dir(), &options).unwrap();
        let call = alice.call(&format!("sip:bob@{}", bob.address()));
        alice.status("CallStatusEvent", "ESTABLISHED");
        alice.status("CallStatusEvent", "FINISH");
        assert_eq!(alice.statuses_of(&call).last().unwrap(), "FINISH");
        let seen = clean(bob);
        let contact = between(&seen, "\r\nContact: <", ">");
        assert!(contact.contains(&format!(";gr=urn:uuid:{device}")) && contact.ends_with(";ob"), "{contact}");

        // Who calls us gets us over the flow that we registered by.
        let options = BaresipOptions {
            user: if transport == Transport::Udp { "bob" } else { "carol" },
            registrar: Some(server.address()),
            record: false,
            ..BaresipOptions::default()
        };
        let mut bob = Baresip::start(room.dir(), &options).unwrap();
        bob.dial(&server.aor("alice")).unwrap();
        let call = alice.status("CallStatusEvent", "RING")["callId"].clone();
        alice.ask(json!({"command": "answer", "callId": call}));
        alice.status("CallStatusEvent", "ESTABLISHED");
        bob.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap();
        bob.hang_up().unwrap();
        alice.status("CallStatusEvent", "FINISH");
        alice.finish();
    }
}

#[test]
fn a_registrar_that_gives_addresses_which_its_proxy_does_not_know_does_no_harm() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sipp"]).network()) else { return };
    // Its registrar gives GRUUs unless it is told not to.
    let server = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let mut alice = registered(&room, "alice", server.address(), "");
    let bob = sipp(&room, "uas_hangs_up.xml", None, &[], &[]);
    alice.call(&format!("sip:bob@{}", bob.address()));
    alice.status("CallStatusEvent", "ESTABLISHED");
    alice.status("CallStatusEvent", "FINISH");
    let seen = clean(bob);
    assert!(!between(&seen, "\r\nContact: <", ">").contains("gr="), "{seen}");
}
