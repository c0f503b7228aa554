//! Media that is not protected as it should be: the call ends, or never is, and both sides are told why. With SIPp for the
//! signalling and OpenSSL for the DTLS of the far end.

use super::phone::{Phone, SOON, text};
use sidetone_testkit::{
    CertificateOptions, Needs, Process, Room, Sipp, SippOptions, TestCertificate, free_port, room, until,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
    time::Duration,
};

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How long a DTLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(40);
const DTLS: &str = "mediaEncryption = \"dtls\"";
const SDES: &str = "mediaEncryption = \"sdes\"\nsdesOverPlain = true";

fn phone(room: &Room, lines: &str) -> Phone {
    let account = room.dir().join("alice.toml");
    std::fs::write(&account, format!("aor = \"sip:alice@127.0.0.1\"\nregister = false\n{lines}\n")).unwrap();
    let file = text(&account);
    let arguments = ["--account", &file, "--sip-port", "5066", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::start(&arguments);
    phone.wait("the session", SOON, |value| value["event"] == "SessionChanged");
    phone
}

/// A far end that answers with DTLS like this. No certificate has the fingerprint.
fn answering(room: &Room, port: u16, setup: &str, wanted: &str) -> Sipp {
    let fingerprint = ["00"; 32].join(":");
    let keys =
        [("port", &*port.to_string()), ("setup", setup), ("fingerprint", &fingerprint), ("wanted", wanted)]
            .map(|(key, value)| (key, value.to_owned()));
    let options =
        SippOptions { scenario: "uas_dtls.xml", keys: keys.to_vec(), log: true, ..SippOptions::default() };
    Sipp::start(room.dir(), &options).unwrap()
}

fn ends(phone: &mut Phone, mut sipp: Sipp, words: &str) {
    phone.call(&format!("sip:bob@{}", sipp.address()));
    phone.status("CallStatusEvent", "ESTABLISHED");
    let failed = phone.status_within("CallStatusEvent", "FAILED", HANDSHAKE);
    assert!(failed["info"].as_str().unwrap().contains(words), "{failed}");
    let outcome = sipp.wait(SOON).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
}

#[test]
fn a_certificate_other_than_the_announced_one_ends_the_call_and_the_reason_is_told() {
    let Some(room) = room!(Needs::tools(&["sipp", "openssl"]).network()) else { return };
    let (certificate, key) = TestCertificate::self_signed(&CertificateOptions::default())
        .and_then(|certificate| certificate.write(room.dir()))
        .unwrap();
    let port = free_port(HOST).unwrap();
    // It ends with its input.
    let mut command = Command::new("sh");
    command.args(["-c", "tail -f /dev/null | openssl s_server \"$@\"", "sh"]);
    command.args(["-dtls1_2", "-use_srtp", "SRTP_AES128_CM_SHA1_80", "-accept"]);
    command.arg(format!("127.0.0.1:{port}")).arg("-cert").arg(certificate).arg("-key").arg(key);
    let server = Process::spawn("openssl", &mut command, room.dir()).unwrap();
    until("the DTLS server", SOON, || server.stdout().contains("ACCEPT").then_some(())).unwrap();
    let mut phone = phone(&room, DTLS);
    ends(&mut phone, answering(&room, port, "passive", "fingerprint mismatch"), "fingerprint mismatch");
    assert!(!phone.seen.iter().any(|value| value["call"]["suite"].is_string()), "a suite without its keys");
    phone.finish();
}

#[test]
fn a_handshake_that_nobody_begins_ends_the_call_and_the_reason_is_told() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let mut phone = phone(&room, DTLS);
    let words = "did not finish the DTLS handshake in time";
    ends(&mut phone, answering(&room, free_port(HOST).unwrap(), "active", words), words);
    phone.finish();
}

#[test]
fn who_calls_without_encryption_where_it_is_required_gets_488() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for lines in [DTLS, SDES] {
        let mut phone = phone(&room, lines);
        let keys = [("status", "488"), ("wanted", "SIP/2.0 488")];
        let options = SippOptions {
            scenario: "uac_rejected.xml",
            keys: keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
            target: Some("127.0.0.1:5066".parse().unwrap()),
            fields: vec![vec!["alice".into(), "bob".into()]],
            ..SippOptions::default()
        };
        let outcome = Sipp::start(room.dir(), &options).unwrap().wait(SOON).unwrap();
        assert!(outcome.is_clean(1), "{outcome:?}");
        let notice = phone.wait("why", SOON, |value| value["event"] == "Notice");
        let info = notice["info"].as_str().unwrap();
        assert!(info.contains("bob@127.0.0.1") && info.contains("encrypt"), "{info}");
        assert!(!phone.seen.iter().any(|value| value["event"] == "OnCallEvent"), "it rang");
        phone.finish();
    }
}

#[test]
fn who_answers_without_encryption_where_it_is_required_is_hung_up_on_and_it_is_said_why() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    for lines in [DTLS, SDES] {
        let mut sipp = Sipp::start(room.dir(), &SippOptions::default()).unwrap();
        let mut phone = phone(&room, lines);
        let call = phone.call(&format!("sip:bob@{}", sipp.address()));
        let failed = phone.status("CallStatusEvent", "FAILED");
        let info = failed["info"].as_str().unwrap();
        assert!(info.starts_with("488 ") && info.contains("encrypt"), "{info}");
        assert!(!phone.statuses_of(&call).iter().any(|status| status == "ESTABLISHED"));
        assert!(sipp.wait(SOON).unwrap().is_clean(1));
        phone.finish();
    }
}
