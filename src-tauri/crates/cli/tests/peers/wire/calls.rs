//! Requests around and inside of a call that rings or is up.

use super::{
    super::phone::Phone,
    PHONE, alice,
    peer::Peer,
    raw::{OFFER, Raw},
    reply::Reply,
};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::time::{Duration, Instant};

/// An INVITE of ours, and the To with the tag of the phone.
pub(super) struct Call {
    pub(super) invite: Raw,
    pub(super) to: String,
    contact: String,
}

impl Call {
    /// Rings.
    pub(super) fn place(peer: &Peer) -> Self {
        let invite = peer.invite().set("CSeq", "100 INVITE");
        let ringing = peer.status("ringing", &invite, 180);
        Self::of(invite, &ringing)
    }

    fn of(invite: Raw, reply: &Reply) -> Self {
        let contact = reply.get("Contact").expect("a response that makes a dialog has a Contact");
        let contact = contact.trim_matches(['<', '>']).to_owned();
        Self { invite, to: reply.get("To").unwrap_or_default().to_owned(), contact }
    }

    /// A request in the dialog.
    pub(super) fn request(&self, peer: &Peer, method: &str, cseq: u32) -> Raw {
        let mut request = peer.request_to(method, &self.contact);
        for name in ["From", "Call-ID"] {
            request = request.set(name, self.invite.get(name).unwrap_or_default());
        }
        request.set("To", &*self.to).set("CSeq", format!("{cseq} {method}"))
    }

    /// What belongs to the transaction of the INVITE.
    fn of_invite(&self, peer: &Peer, method: &str) -> Raw {
        let request = self.request(peer, method, 100).set("Via", self.invite.get("Via").unwrap_or_default());
        request
            .start(self.invite.start.replacen("INVITE", method, 1))
            .set("To", self.invite.get("To").unwrap_or_default())
    }

    /// The user answers; gives the 200.
    fn answered(&self, peer: &Peer, phone: &mut Phone) -> Reply {
        let id = phone.status("CallStatusEvent", "RING")["callId"].clone();
        phone.ask(json!({"command": "answer", "callId": id}));
        let reply = peer.until("200 to INVITE", is_final);
        assert_eq!(reply.status, 200, "{reply:#?}");
        assert_eq!(reply.get("To"), Some(&*self.to), "one dialog, one tag");
        assert_eq!(reply.get("Content-Type"), Some("application/sdp"));
        let sdp = String::from_utf8(reply.body.clone()).unwrap();
        assert!(
            sdp.starts_with("v=0\r\n") && sdp.contains("m=audio ") && !sdp.contains("m=audio 0 "),
            "{sdp}"
        );
        reply
    }

    pub(super) fn acknowledge(&self, peer: &Peer) {
        peer.send(&self.request(peer, "ACK", 100).bytes());
    }

    pub(super) fn established(peer: &Peer, phone: &mut Phone) -> Self {
        let call = Self::place(peer);
        call.answered(peer, phone);
        call.acknowledge(peer);
        phone.status("CallStatusEvent", "ESTABLISHED");
        call
    }
}

fn is_final(reply: &Reply) -> bool {
    reply.status >= 200 && reply.get("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
}

/// All of these get this status, and the call goes on.
fn refused(peer: &Peer, status: u16, requests: Vec<(&str, Raw)>) {
    for (name, request) in requests {
        let reply = peer.answer(name, &request);
        assert_eq!(reply.status, status, "{name}: {reply:#?}");
        if request.start.starts_with("INVITE") {
            peer.acknowledge(&request, &reply);
        }
        peer.assert_alive(name);
    }
}

#[test]
fn a_request_in_a_call_with_a_cseq_that_is_not_higher_gets_500() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::established(&peer, &mut phone);
    let requests = vec![
        ("a lower re-INVITE", call.request(&peer, "INVITE", 99).sdp(OFFER)),
        ("the same number again", call.request(&peer, "INVITE", 100).sdp(OFFER)),
        ("a lower BYE", call.request(&peer, "BYE", 1)),
        ("a BYE of the same number", call.request(&peer, "BYE", 100)),
        ("a lower OPTIONS", call.request(&peer, "OPTIONS", 0)),
    ];
    refused(&peer, 500, requests);
    let fine = call.request(&peer, "OPTIONS", 2_147_483_646);
    assert_eq!(peer.answer("a far higher number", &fine).status, 200);
    let bye = call.request(&peer, "BYE", 2_147_483_647);
    assert_eq!(peer.answer("BYE", &bye).status, 200);
    phone.status("CallStatusEvent", "FINISH");
    assert_eq!(peer.answer("the same BYE again", &bye).status, 200);
    refused(&peer, 481, vec![("another BYE", call.request(&peer, "BYE", 2_147_483_647).with("X", "y"))]);
}

#[test]
fn what_is_wrong_in_a_call_is_refused_and_the_call_goes_on() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::established(&peer, &mut phone);
    let mut number = 190;
    let mut other = |name: &str, value: &str| {
        number += 1;
        call.request(&peer, "BYE", number).set(name, value)
    };
    refused(
        &peer,
        481,
        vec![
            ("another From tag", other("From", "<sip:wire@127.0.0.1>;tag=other")),
            ("another To tag", other("To", "<sip:alice@127.0.0.1>;tag=other")),
            ("no To tag", other("To", "<sip:alice@127.0.0.1>")),
            ("another Call-ID", other("Call-ID", "other")),
        ],
    );
    let inside = |method: &str, cseq: u32| call.request(&peer, method, cseq);
    let info = |kind: &str| inside("INFO", 201).body(kind, "Signal=5\r\nDuration=160\r\n");
    refused(&peer, 200, vec![("INFO with a key", info("application/dtmf-relay"))]);
    refused(&peer, 415, vec![("INFO of another kind", info("application/sdp").set("CSeq", "202 INFO"))]);
    refused(&peer, 400, vec![("REFER to nobody", inside("REFER", 203))]);
    refused(&peer, 405, vec![("PUBLISH", inside("PUBLISH", 204)), ("SUBSCRIBE", inside("SUBSCRIBE", 204))]);
    refused(&peer, 501, vec![("an unknown method", inside("FROB", 205))]);
    refused(
        &peer,
        420,
        vec![("an unknown requirement", inside("INVITE", 205).sdp(OFFER).with("Require", "x"))],
    );
    refused(&peer, 415, vec![("another body", inside("INVITE", 206).body("text/plain", "x"))]);
    refused(
        &peer,
        400,
        vec![
            ("SDP that is none", inside("INVITE", 207).sdp("v=0\r\nnonsense\r\n")),
            ("a broken re-INVITE", inside("INVITE", 208).sdp(OFFER).set("Contact", "<sip:")),
            ("a BYE with two CSeq", inside("BYE", 209).with("CSeq", "210 BYE")),
        ],
    );
    let video = OFFER.replace("m=audio 40000 RTP/AVP 0 8", "m=audio 40000 RTP/AVP 18");
    refused(&peer, 488, vec![("no common codec any more", inside("INVITE", 211).sdp(&video))]);
    refused(
        &peer,
        505,
        vec![("a BYE of another version", {
            let bye = inside("BYE", 212);
            let start = bye.start.replace("SIP/2.0", "SIP/3.0");
            bye.start(start)
        })],
    );
    // An ACK with a wrong body, and one for nothing, change nothing either.
    peer.send(&inside("ACK", 100).body("text/plain", "x").bytes());
    peer.send(&inside("ACK", 999).sdp(OFFER).bytes());
    // A re-INVITE that is right is accepted after all that.
    let reinvite = inside("INVITE", 213).sdp(OFFER);
    let reply = peer.answer("a good re-INVITE", &reinvite);
    assert_eq!(reply.status, 200);
    peer.send(&inside("ACK", 213).bytes());
    assert_eq!(peer.answer("BYE", &inside("BYE", 214)).status, 200);
    phone.status("CallStatusEvent", "FINISH");
}

#[test]
fn a_second_invite_while_the_first_rings_gets_500_with_retry_after() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::place(&peer);
    let second = call.request(&peer, "INVITE", 101).sdp(OFFER);
    let reply = peer.answer("a second INVITE", &second);
    assert_eq!(reply.status, 500);
    let pause: u32 = reply.get("Retry-After").and_then(|pause| pause.parse().ok()).expect("a Retry-After");
    assert!(pause <= 10, "{pause}");
    peer.acknowledge(&second, &reply);
    // The caller may end an early dialog with BYE: 200, and the INVITE gets 487.
    assert_eq!(peer.answer("BYE", &call.request(&peer, "BYE", 102)).status, 200);
    let ended = peer.until("the INVITE", |reply| reply.get("CSeq") == Some("100 INVITE") && is_final(reply));
    assert_eq!((ended.status, ended.get("To")), (487, Some(&*call.to)));
    peer.acknowledge(&call.invite, &ended);
    phone.status("CallStatusEvent", "FINISH");
}

#[test]
fn cancel_stops_what_rings_and_nothing_else() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::place(&peer);
    let strange =
        call.of_invite(&peer, "CANCEL").change("Via", |via| via.replace("branch=z9hG4bK", "branch=z9hG4bKx"));
    refused(&peer, 481, vec![("another branch", strange)]);
    let elsewhere =
        call.of_invite(&peer, "CANCEL").change("Via", |via| via.replace("127.0.0.1:", "client.example:"));
    refused(&peer, 481, vec![("another sender", elsewhere)]);
    peer.send(&call.of_invite(&peer, "CANCEL").set("CSeq", "100 INVITE").bytes());
    assert_eq!(peer.next("the CSeq of an INVITE").status, 400);
    peer.send(&call.invite.bytes());
    assert_eq!(peer.next("it still rings").status, 180);
    let cancel = call.of_invite(&peer, "CANCEL");
    let reply = peer.answer("CANCEL", &cancel);
    assert_eq!((reply.status, reply.get("To")), (200, Some(&*call.to)), "RFC 3261 section 9.2: the same tag");
    let ended = peer.until("487", is_final);
    assert_eq!((ended.status, ended.get("To")), (487, Some(&*call.to)));
    peer.acknowledge(&call.invite, &ended);
    assert_eq!(peer.answer("CANCEL again", &cancel).status, 200);
    phone.status("CallStatusEvent", "FINISH");

    // Too late: the call is answered, and stays so.
    let call = Call::place(&peer);
    call.answered(&peer, &mut phone);
    let late = peer.answer("a late CANCEL", &call.of_invite(&peer, "CANCEL"));
    assert_eq!(late.status, 200);
    call.acknowledge(&peer);
    assert_eq!(peer.answer("still there", &call.request(&peer, "OPTIONS", 101)).status, 200);
    assert_eq!(peer.answer("BYE", &call.request(&peer, "BYE", 102)).status, 200);
}

#[test]
fn an_invite_that_comes_again_is_one_call_and_its_200_is_repeated_until_the_ack() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::place(&peer);
    for _ in 0..3 {
        peer.send(&call.invite.bytes());
        let reply = peer.next("a repetition");
        assert_eq!((reply.status, reply.get("To")), (180, Some(&*call.to)));
    }
    let first = call.answered(&peer, &mut phone);
    assert_eq!(phone.seen.iter().filter(|value| value["event"] == "OnCallEvent").count(), 1);
    let second = peer.next("a 200 without an ACK is repeated");
    assert_eq!((second.status, &second.body), (200, &first.body));
    // ACKs of something else do not stop it.
    peer.send(&call.request(&peer, "ACK", 99).bytes());
    peer.send(&call.request(&peer, "ACK", 100).change("To", |to| format!("{to}x")).bytes());
    peer.send(&call.of_invite(&peer, "ACK").bytes());
    assert_eq!(peer.next("repeated").status, 200);
    call.acknowledge(&peer);
    peer.assert_alive("the ACK");
    // The next repetition would have come after two seconds.
    assert!(peer.next_before(Instant::now() + Duration::from_millis(2200)).is_none(), "200 after the ACK");
    peer.send(&call.invite.bytes());
    peer.assert_nothing_but_200("the INVITE once more");
    assert_eq!(peer.answer("BYE", &call.request(&peer, "BYE", 101)).status, 200);
}
