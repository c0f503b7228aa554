//! A callee that rings in many places at once.

use super::{
    PHONE, SOON, alice,
    floods::{assert_small, memory},
    hostile::{BURST, FLOOD, assert_next_call_works},
    passwords::Server,
    peer::Peer,
    raw::OFFER,
};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::collections::BTreeMap;

#[test]
fn a_forking_callee_with_five_thousand_early_dialogs_is_followed_up_to_the_limit() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let before = memory(&phone);
    let callee = Server::at("127.0.0.2:0");
    let id = phone.call(&format!("sip:fork@{}", callee.address()));
    let invite = callee.next_of("INVITE");
    let headers = |reliable: bool| {
        let reliable = if reliable { "Require: 100rel\r\nRSeq: 1\r\n" } else { "" };
        format!("Contact: <sip:fork@{}>\r\n{reliable}Content-Type: application/sdp\r\n", callee.address())
    };
    let sdp = OFFER.replace(" 0 8", " 0");
    let branch = |status: &str, tag: usize, reliable: bool| {
        let copied: Vec<&str> = ["Via", "From", "Call-ID", "CSeq"].map(|name| invite.line(name)).into();
        let text = format!(
            "SIP/2.0 {status}\r\n{}\r\n{};tag=branch-{tag}\r\n{}Content-Length: {}\r\n\r\n{sdp}",
            copied.join("\r\n"),
            invite.line("To"),
            headers(reliable),
            sdp.len()
        );
        callee.0.send_to(text.as_bytes(), invite.from).unwrap();
    };
    let gauge = Peer::new(PHONE);
    for tag in 0..FLOOD {
        branch("183 Session Progress", tag, tag % 2 == 1);
        if tag % BURST == 0 {
            gauge.assert_alive("in the flood");
        }
    }
    gauge.assert_alive("after the flood");
    eprintln!("{before:?} kB before");
    assert_small(&phone, "after 5000 early dialogs");
    // One that was never followed answers, and is the call.
    branch("200 OK", FLOOD - 1, false);
    phone.status("CallStatusEvent", "ESTABLISHED");
    let (mut pracks, mut acknowledged) = (BTreeMap::new(), false);
    while !acknowledged {
        let got = callee.next();
        if got.is("PRACK") {
            *pracks.entry(got.line("To").to_owned()).or_insert(0) += 1;
        }
        acknowledged = got.is("ACK");
    }
    assert!(!pracks.is_empty() && pracks.len() <= 16, "{} branches are acknowledged", pracks.len());
    // Nine of ten programs would have kept 5000 timers; what answers late gets its ACK and BYE, a few times.
    for tag in 0..200 {
        branch("200 OK", tag, false);
        if tag % BURST == 0 {
            gauge.assert_alive("among 200 answers");
        }
    }
    gauge.assert_alive("after 200 answers");
    phone.ask(json!({"command": "hangup", "callId": id}));
    phone.status("CallStatusEvent", "FINISH");
    assert_small(&phone, "after 200 answers");
    assert_next_call_works(&mut phone);
}

#[test]
fn of_several_early_dialogs_the_one_that_answers_has_the_call_and_its_media() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let callee = Server::at("127.0.0.2:0");
    let ears = ["127.0.0.2:0", "127.0.0.3:0"].map(Server::at);
    phone.call(&format!("sip:fork@{}", callee.address()));
    let invite = callee.next_of("INVITE");
    let branch = |status: &str, number: usize| {
        let copied: Vec<&str> = ["Via", "From", "Call-ID", "CSeq"].map(|name| invite.line(name)).into();
        let ear = ears[number].address();
        let sdp = OFFER.replace(" 0 8", " 0").replace("40000", &ear.port().to_string());
        let sdp = sdp.replace("c=IN IP4 127.0.0.1", &format!("c=IN IP4 {}", ear.ip()));
        let text = format!(
            "SIP/2.0 {status}\r\n{}\r\n{};tag=branch-{number}\r\nContact: <sip:fork@{}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            copied.join("\r\n"),
            invite.line("To"),
            callee.address(),
            sdp.len()
        );
        callee.0.send_to(text.as_bytes(), invite.from).unwrap();
    };
    branch("183 Session Progress", 0);
    branch("183 Session Progress", 1);
    branch("183 Session Progress", 0);
    phone.status("CallStatusEvent", "SESSION_PROGRESS");
    branch("200 OK", 0);
    phone.status("CallStatusEvent", "ESTABLISHED");
    // What was on its way to the other one is read first.
    phone.wait("a second of sound", SOON, |value| value["event"] == "CallMeasured");
    let drain = |ear: &Server| {
        ear.0.set_nonblocking(true).unwrap();
        let count = std::iter::from_fn(|| ear.0.recv(&mut [0; 2048]).ok()).count();
        ear.0.set_nonblocking(false).unwrap();
        count
    };
    let _ = ears.each_ref().map(drain);
    phone.wait("a second of sound", SOON, |value| value["event"] == "CallMeasured");
    let heard = ears.each_ref().map(drain);
    assert!(heard[0] > 20 && heard[1] == 0, "{heard:?}");
}
