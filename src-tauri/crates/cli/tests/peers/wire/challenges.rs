//! Whoever is in a call with us may challenge what we send there, and learns nothing: only our own server gets an answer made from the
//! password (the digest leak of many phones).

use super::{
    super::phone::{LONG_PASSWORD, Phone, text},
    address,
    hostile::end_call,
    passwords::{Server, log_in, status},
    raw::OFFER,
};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::{fs, path::Path};

const ALLOW: &str = "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE\r\n";

/// A phone with a home, keys by INFO, and a log of everything.
fn at_home(dir: &Path, log: &Path) -> (Server, Phone) {
    let home = Server::at("127.0.0.1:5090");
    let file = dir.join("account.toml");
    let keys = "password-env = \"SIDETONE_LONG_PASSWORD\"\ndtmf = \"info\"\nincomingTransfer = \"allow\"\n";
    fs::write(&file, format!("aor = \"sip:alice@127.0.0.1:5090\"\n{keys}")).unwrap();
    let file = text(&file);
    let arguments = ["--account", &file, "--sip-port", "5066", "--mic", "silence", "--speaker", "null"];
    let mut phone = Phone::logged(&arguments, log);
    log_in(&home, &mut phone);
    (home, phone)
}

#[test]
fn a_callee_who_challenges_all_that_we_send_in_the_call_gets_no_answer_and_the_log_no_password() {
    let Some(room) = room!(Needs::tools(&[]).network()) else { return };
    let log = room.dir().join("phone.log");
    let (_home, mut phone) = at_home(room.dir(), &log);
    for code in [401, 407] {
        let mallory = Server::at("127.0.0.2:0");
        let contact = format!("Contact: <sip:mallory@{}>\r\n{ALLOW}", mallory.address());
        let refuse = |method: &str| {
            let request = mallory.next_of(method);
            assert!(!request.has_credentials(), "{}", request.text);
            mallory.challenge(&request, code);
            mallory.assert_no_credentials(&format!("{}-{code}", method.to_lowercase()));
        };
        let call = phone.call(&format!("sip:mallory@{}", mallory.address()));
        let invite = mallory.next_of("INVITE");
        mallory.reply(
            &invite,
            "183 Session Progress",
            &format!("Require: 100rel\r\nRSeq: 1\r\n{contact}"),
            "",
        );
        refuse("PRACK");
        let with_sdp = format!("{contact}Content-Type: application/sdp\r\n");
        mallory.reply(&invite, "200 OK", &with_sdp, &OFFER.replace(" 0 8", " 0"));
        assert!(!mallory.next_of("ACK").has_credentials());
        status(&mut phone, "ESTABLISHED");
        phone.ask(json!({"command": "hold", "callId": call}));
        refuse("INVITE");
        phone.ask(json!({"command": "sendDtmf", "callId": call, "dtmf": "5"}));
        refuse("INFO");
        let sent = phone.ask(json!({"command": "sendData", "to": call, "body": "hello"}));
        assert!(sent["failure"].is_null(), "{sent}");
        refuse("MESSAGE");
        phone.ask(json!({"command": "transfer", "callId": call, "target": "sip:carol@127.0.0.3"}));
        // Who is to be transferred is held first.
        refuse("INVITE");
        refuse("REFER");
        phone.ask(json!({"command": "hangup", "callId": call}));
        refuse("BYE");
        status(&mut phone, "FINISH");
    }
    // Something to log.
    let stranger = super::peer::Peer::new(super::PHONE);
    assert_eq!(
        stranger.answer("nobody", &stranger.request_to("INVITE", "sip:nobody@127.0.0.1").sdp(OFFER)).status,
        404
    );
    phone.ask(json!({"command": "getSnapshot"}));
    let seen = phone.seen.iter().any(|value| value.to_string().contains(LONG_PASSWORD));
    assert!(!seen, "the password was told");
    phone.finish();
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("refused: 404"), "a log that says nothing proves nothing: {log}");
    assert!(!log.contains(LONG_PASSWORD), "the password is in the log");
}

#[test]
fn who_asks_for_a_transfer_and_challenges_the_reports_on_it_gets_no_answer() {
    let Some(room) = room!(Needs::tools(&[]).network()) else { return };
    let (_home, mut phone) = at_home(room.dir(), &room.dir().join("phone.log"));
    for code in [401, 407] {
        let mallory = Server::at("127.0.0.2:0");
        let peer =
            super::peer::Peer { socket: mallory.0.try_clone().unwrap(), target: address(super::PHONE) };
        let call = super::calls::Call::established(&peer, &mut phone);
        // Nobody is there to be called.
        let refer =
            call.request(&peer, "REFER", 101).with("Refer-To", "<sip:nobody@127.0.0.2:9;transport=tcp>");
        peer.send(&refer.bytes());
        let notify = mallory.next_of("NOTIFY");
        assert!(!notify.has_credentials(), "{}", notify.text);
        mallory.challenge(&notify, code);
        mallory.assert_no_credentials(&format!("notify-{code}"));
        end_call(&peer, &call, 102);
        status(&mut phone, "FINISH");
    }
}
