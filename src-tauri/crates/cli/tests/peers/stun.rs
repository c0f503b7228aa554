//! How a STUN server sees us is told to the far end, and a server that is not there costs half a second. With SIPp.

use super::phone::{Phone, SOON, text};
use serde_json::json;
use sidetone_testkit::{Needs, Room, Sipp, SippOptions, StunServer, room};
use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    time::Instant,
};

/// The address of a NAT that is not there.
const SEEN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn phone(room: &Room, stun: &str) -> Phone {
    let account = room.dir().join("alice.toml");
    let lines = format!("aor = \"sip:alice@127.0.0.1\"\nregister = false\nice = true\nstun = \"{stun}\"\n");
    std::fs::write(&account, lines).unwrap();
    let file = text(&account);
    let arguments = ["--account", &file, "--sip-port", "5066", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::start(&arguments);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

/// Calls SIPp, which knows no ICE; gives the INVITE.
fn offered(room: &Room, stun: &str) -> String {
    let mut sipp = Sipp::start(room.dir(), &SippOptions { log: true, ..SippOptions::default() }).unwrap();
    let mut phone = phone(room, stun);
    let call = phone.call(&format!("sip:bob@{}", sipp.address()));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    assert!(sipp.wait(SOON).unwrap().is_clean(1));
    phone.finish();
    let messages = sipp.messages();
    let start = messages.find("INVITE sip:bob@").expect("an INVITE");
    let end = messages[start..].find("SIP/2.0 180").map_or(messages.len(), |end| start + end);
    messages[start..end].to_owned()
}

fn candidates(sdp: &str) -> Vec<Vec<&str>> {
    let lines = sdp.lines().filter_map(|line| line.trim().strip_prefix("a=candidate:"));
    lines.map(|line| line.split(' ').collect()).collect()
}

#[test]
fn an_offer_names_the_address_that_the_stun_server_sees_for_rtp_and_rtcp() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let server = StunServer::start(HOST, SEEN).unwrap();
    let invite = offered(&room, &server.address().to_string());
    let candidates = candidates(&invite);
    assert_eq!(candidates.len(), 4, "{invite}");
    for component in ["1", "2"] {
        let of = |kind: &str| {
            let found = candidates.iter().find(|words| words[1] == component && words[7] == kind);
            found.unwrap_or_else(|| panic!("no {kind} of {component} in {invite}"))
        };
        let (host, seen) = (of("host"), of("srflx"));
        assert_eq!(host[4], "127.0.0.1");
        assert_eq!(seen[4], SEEN.to_string());
        assert_eq!(&seen[8..], ["raddr", "127.0.0.1", "rport", host[5]], "{invite}");
        let priority = |words: &[&str]| words[3].parse::<u32>().unwrap();
        assert!(priority(host) > priority(seen));
    }
}

#[test]
fn a_stun_server_that_is_silent_or_has_no_address_only_leaves_its_candidate_out() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let silent = UdpSocket::bind((HOST, 0)).unwrap();
    for server in [silent.local_addr().unwrap().to_string(), "nowhere.invalid".into()] {
        let began = Instant::now();
        let invite = offered(&room, &server);
        assert!(!invite.contains("srflx") && candidates(&invite).len() == 2, "{invite}");
        assert!(began.elapsed() < SOON, "{server}: {:?}", began.elapsed());
    }
}

#[test]
fn an_answer_names_the_address_too_even_where_it_is_given_at_once() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let server = StunServer::start(HOST, SEEN).unwrap();
    let mut phone = phone(&room, &server.address().to_string());
    let options = SippOptions {
        scenario: "uac_ice.xml",
        keys: vec![("wanted", "203[.]0[.]113[.]7 [0-9]+ typ srflx raddr 127[.]0[.]0[.]1".to_owned())],
        target: Some("127.0.0.1:5066".parse().unwrap()),
        fields: vec![vec!["alice".into(), "bob".into()]],
        ..SippOptions::default()
    };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let incoming = phone.wait("a call", SOON, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.status("CallStatusEvent", "FINISH");
    let outcome = sipp.wait(SOON).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
    phone.finish();
}

#[test]
fn what_is_no_stun_server_is_refused_by_the_name_of_its_field() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = Phone::start(&[]);
    for stun in ["", "user@host", "host:0", "host:99999", "host;x", "a b"] {
        let account = json!({"id": "a", "name": "A", "aor": "sip:a@127.0.0.1", "stun": stun});
        let reply = phone.ask(json!({"command": "saveAccount", "account": account, "remember": false}));
        let failure = &reply["failure"];
        assert!(failure.to_string().contains("stun"), "{stun:?}: {reply}");
    }
    phone.finish();
}
