//! What is wrong with a request is answered with the status that RFC 3261 has for it, and nothing worse happens.

use super::super::phone::SOON;
use super::{
    PHONE, alice,
    peer::Peer,
    raw::{OFFER, Raw},
    reply::Reply,
};
use serde_json::json;
use sidetone_testkit::{Needs, room};

const STATE: &str = "Subscription-State";

type Case = (&'static str, Raw);

/// Sends each, wants this status, and wants the phone to go on.
fn all_get(peer: &Peer, status: u16, cases: Vec<Case>, check: impl Fn(&str, &Raw, &Reply)) {
    let mut wrong = Vec::new();
    for (name, request) in cases {
        let reply = peer.answer(name, &request);
        if reply.status == status {
            check(name, &request, &reply);
        } else {
            wrong.push(format!("{name}: {} {}\n{}", reply.status, reply.reason, request.text()));
        }
        peer.assert_nothing_but_200(name);
    }
    assert!(wrong.is_empty(), "instead of {status}:\n{}", wrong.join("\n"));
}

fn says_why(name: &str, _: &Raw, reply: &Reply) {
    assert!(reply.reason.starts_with("Bad Request ("), "{name}: 400 without a reason: {}", reply.reason);
}

#[test]
fn mandatory_headers_that_are_missing_or_twice_get_400() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let mut cases = Vec::new();
    for method in ["OPTIONS", "INVITE", "BYE", "CANCEL", "REGISTER", "FROBNICATE"] {
        for field in ["From", "To", "Call-ID", "CSeq"] {
            cases.push(("a mandatory header is missing", peer.request(method).without(field)));
        }
    }
    for field in ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"] {
        let request = peer.request("OPTIONS");
        let same = request.get(field).unwrap_or_default().to_owned();
        cases.push(("a header is there twice and the same", request.with(field, same)));
    }
    cases.push(("two From that differ", peer.request("OPTIONS").with("From", "<sip:x@y.example>;tag=2")));
    cases.push(("two To that differ", peer.request("OPTIONS").with("t", "<sip:x@y.example>")));
    cases.push(("two CSeq that differ", peer.request("OPTIONS").with("CSeq", "9999 OPTIONS")));
    cases.push(("two Max-Forwards that differ", peer.request("OPTIONS").with("Max-Forwards", "1")));
    cases.push(("two Content-Length, one short", peer.request("OPTIONS").with("l", "0")));
    let kind = "application/sdp";
    cases.push(("two Content-Type", peer.invite().with("Content-Type", kind)));
    all_get(&peer, 400, cases, says_why);
}

#[test]
fn header_values_that_cannot_be_read_get_400() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let bad = [
        (
            "From",
            &["", ";tag=x", "sip:", "<sip:a@b.example;tag=x", "\"open <sip:a@b.example>;tag=x", "<>;tag=x"][..],
        ),
        (
            "From",
            &["a, b <sip:a@b.example>;tag=x", "<sip:a@b.example>;tag=", "<sip:a@b.example>;tag=x;tag=y"],
        ),
        (
            "To",
            &[
                "",
                "unreadable",
                "<sip:unreadable",
                "\"unreadable <sip:x@y.example>",
                "< sip:unreadable@y.example>",
            ],
        ),
        (
            "To",
            &[
                "<sip:unreadable@300.0.0.1.>",
                "<sip:%zzunreadable@y.example>",
                "<sip:unreadable@[2001:db8::1>",
            ],
        ),
        ("Call-ID", &["", "two words", "a@b@c@", "a@", "a,b"]),
        ("CSeq", &["", "OPTIONS", "1", "x OPTIONS", "-1 OPTIONS", "1OPTIONS", "+1 OPTIONS", "1.0 OPTIONS"]),
        (
            "CSeq",
            &[
                "2147483648 OPTIONS",
                "36893488147419103232 OPTIONS",
                "1 OPTIONS INVITE",
                "1 INVITE",
                "1 options",
            ],
        ),
        ("Max-Forwards", &["", "seventy", "-1", "256", "70, 70", "1e1"]),
        (
            "Contact",
            &["<sip:", "<>", "<sip:a@b.example>;q=5", "<sip:a@b.example>;q=-1", "*, <sip:a@b.example>"],
        ),
        ("Content-Length", &["", "-1", "0x0", "one", "+0", "0 0", "1", "4096", "99999999999999999999999999"]),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (field, values) in bad {
        cases.extend(
            values
                .iter()
                .map(|value| ("an unreadable mandatory field", peer.request("OPTIONS").set(field, *value))),
        );
    }
    let extra = [
        ("Require", &["a b", "\"x\"", "@"][..]),
        ("Route", &["sip", "<sip:p.example;lr", "<sip:p.example;lr> x"]),
        ("Record-Route", &["<sip:", "nothing"]),
        ("Content-Type", &["application", "/", "application/", "a b/c"]),
        ("Date", &["Fri, 01 Jan 2010 16:00:00 EST", "yesterday", "Fri, 32 Jan 2010 16:00:00 GMT"]),
        (
            "Via",
            &[
                "SIP/2.0/UDP",
                "nonsense",
                "SIP/2.0/UDP host:99999;branch=z9hG4bKx",
                "SIP/2.0/UDP ;branch=z9hG4bKx",
            ],
        ),
    ];
    for (field, values) in extra {
        cases.extend(
            values
                .iter()
                .map(|value| ("an unreadable further field", peer.request("OPTIONS").with(field, *value))),
        );
    }
    for method in ["OPTIONS", "INVITE", "BYE", "CANCEL"] {
        let request = peer.request(method).change("CSeq", |cseq| cseq.replace(method, "NOTIFY"));
        cases.push(("the CSeq names another method", request));
    }
    let bare_branch = peer.request("OPTIONS").change("Via", |via| {
        via.split(";branch").next().unwrap_or_default().to_owned() + ";branch=z9hG4bK;rport"
    });
    cases.push(("a branch of nothing but the cookie", bare_branch));
    all_get(&peer, 400, cases, says_why);
}

#[test]
fn lines_that_are_none_get_400() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let start = |start: &str| peer.request("OPTIONS").start(start);
    let cases = vec![
        ("two spaces before the URI", start("OPTIONS  sip:alice@127.0.0.1 SIP/2.0")),
        ("two spaces behind the URI", start("OPTIONS sip:alice@127.0.0.1  SIP/2.0")),
        ("a space at the end of the line", start("OPTIONS sip:alice@127.0.0.1 SIP/2.0 ")),
        ("a tab between", start("OPTIONS sip:alice@127.0.0.1\tSIP/2.0")),
        ("no version", start("OPTIONS sip:alice@127.0.0.1")),
        ("no URI", start("OPTIONS SIP/2.0")),
        ("another protocol", start("OPTIONS sip:alice@127.0.0.1 HTTP/1.1")),
        ("a space in the URI", start("OPTIONS sip:alice@127.0.0.1; lr SIP/2.0")),
        ("a URI in brackets", start("OPTIONS <sip:alice@127.0.0.1> SIP/2.0")),
        ("a URI without a scheme", start("OPTIONS alice@127.0.0.1 SIP/2.0")),
        ("a URI without a host", start("OPTIONS sip:alice@ SIP/2.0")),
        ("a URI with an impossible port", start("OPTIONS sip:alice@127.0.0.1:65536 SIP/2.0")),
        ("a URI with a broken escape", start("OPTIONS sip:%a@127.0.0.1 SIP/2.0")),
        ("a URI with headers", start("OPTIONS sip:alice@127.0.0.1?Route=%3Csip:x.example%3E SIP/2.0")),
        ("IPv6 without brackets (RFC 5118 4.2)", start("OPTIONS sip:2001:db8::10 SIP/2.0")),
        ("IPv6 that is none", start("OPTIONS sip:[2001:db8::1::2] SIP/2.0")),
        ("a method that is no token", start("OPT{IONS sip:alice@127.0.0.1 SIP/2.0")),
        ("a field without a colon", peer.request("OPTIONS").with("Subject", "x\r\nno colon here")),
        ("a field without a name", peer.request("OPTIONS").with("", "x")),
        ("a field name of two words", peer.request("OPTIONS").with("Two Words", "x")),
        ("a carriage return inside a value", peer.request("OPTIONS").with("Subject", "a\rb")),
        ("a continuation line before all fields", {
            let request = peer.request("OPTIONS");
            let start = format!("{}\r\n folded", request.start);
            request.start(start)
        }),
    ];
    let mut cut = peer.request("OPTIONS").without("Content-Length");
    cut.headers.push(("Subject".into(), "the empty line is missing".into()));
    all_get(&peer, 400, cases, says_why);
    let bytes = cut.bytes();
    peer.send(&bytes[..bytes.len() - 2]);
    let reply = peer.next("the empty line is missing");
    assert_eq!(reply.status, 400, "{reply:#?}");
    reply.assert_answers("the empty line is missing", &cut, peer.address());
    peer.assert_nothing_but_200("the empty line is missing");
}

#[test]
fn what_is_beyond_the_limits_gets_513() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let many = (0..300).fold(peer.request("OPTIONS"), |request, n| request.with(&format!("X-{n}"), "y"));
    let folded = format!("x{}", "\r\n y".repeat(15_000));
    let cases = vec![
        ("a line of 20 kB", peer.request("OPTIONS").with("Subject", "x".repeat(20_000))),
        ("a folded field of 45 kB", peer.request("OPTIONS").with("Subject", folded)),
        ("three hundred fields", many),
    ];
    all_get(&peer, 513, cases, |_, _, _| {});
}

#[test]
fn an_unknown_method_gets_501_and_one_that_is_not_served_405_both_with_allow() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let has_allow = |name: &str, _: &Raw, reply: &Reply| {
        assert_eq!(reply.list("Allow"), super::ALLOWED, "{name}");
    };
    let known = ["REGISTER", "SUBSCRIBE", "PUBLISH"];
    all_get(&peer, 405, known.map(|method| ("a known method", peer.request(method))).into(), has_allow);
    let unknown =
        ["FROBNICATE", "invite", "Options", "!interesting-Method0123456789_*+`.%indeed'~", "SIP", "GET", "A"];
    let mut unknown: Vec<Case> = unknown.map(|method| ("an unknown method", peer.request(method))).into();
    unknown.push((
        "an unknown method whose CSeq says another",
        peer.request("NEWMETHOD").set("CSeq", "3 OPTIONS"),
    ));
    all_get(&peer, 501, unknown, has_allow);
}

#[test]
fn a_message_is_taken_and_a_refer_outside_a_call_gets_403() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let text = peer.request("MESSAGE").body("text/plain", "hello");
    assert_eq!(peer.answer("a message", &text).status, 200);
    let told = phone.wait("the message", SOON, |value| value["event"] == "OnDataEvent");
    assert_eq!((&told["body"], &told["incoming"]), (&json!("hello"), &json!(true)));
    let to_nobody = peer.request_to("MESSAGE", "sip:nobody@127.0.0.1").body("text/plain", "hello");
    all_get(&peer, 404, vec![("a message to nobody", to_nobody)], |_, _, _| {});
    let packed = peer.request("MESSAGE").body("text/plain", [31, 139]).with("Content-Encoding", "gzip");
    all_get(&peer, 415, vec![("a compressed message", packed)], |_, _, _| {});
    let long = peer.request("MESSAGE").body("text/plain", "x".repeat(65_000));
    assert_eq!(peer.answer("a long message", &long).status, 200);
    let refer = peer.request("REFER").with("Refer-To", "<sip:carol@127.0.0.1>");
    all_get(&peer, 403, vec![("REFER", refer)], |_, _, _| {});
}

#[test]
fn a_body_that_is_not_understood_gets_415_with_what_is() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let cases = vec![
        ("another media type", peer.request("INVITE").body("text/plain", "hello")),
        ("an unknown media type", peer.request("INVITE").body("application/unknown;x=\"y\"", "<audio/>")),
        (
            "a compressed body",
            peer.request("INVITE").body("application/sdp", [31, 139, 8, 0]).with("Content-Encoding", "gzip"),
        ),
        (
            "a compressed body, in short",
            peer.request("INVITE").body("application/sdp", [31, 139]).with("e", "tar"),
        ),
    ];
    all_get(&peer, 415, cases, |name, _, reply| {
        assert_eq!(reply.list("Accept"), ["application/sdp"], "{name}");
        assert_eq!(reply.get("Accept-Encoding"), Some("identity"), "{name}");
    });
}

#[test]
fn a_request_uri_of_an_unknown_scheme_gets_416() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let schemes = [
        "http://127.0.0.1/",
        "nobodyKnowsThisScheme:totallyopaquecontent",
        "soap.beep://192.0.2.103:3002",
        "mailto:a@b.example",
    ];
    let mut cases: Vec<Case> =
        schemes.map(|uri| ("an unknown scheme", peer.request_to("OPTIONS", uri))).into();
    cases.extend(
        schemes.map(|uri| ("an unknown scheme of INVITE", peer.request_to("INVITE", uri).sdp(OFFER))),
    );
    all_get(&peer, 416, cases, |_, _, _| {});
}

#[test]
fn an_extension_that_is_required_gets_420_with_its_name_in_unsupported() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let several = peer.request("BYE").with("Require", "one,two").with("Require", "three");
    let cases = vec![
        ("one", peer.request("OPTIONS").with("Require", "nothingSupportsThis")),
        ("of INVITE", peer.invite().with("require", "precondition")),
        ("several fields and lists", several),
    ];
    all_get(&peer, 420, cases, |name, request, reply| {
        let required: Vec<&str> = request.all("Require").flat_map(|value| value.split(',')).collect();
        assert_eq!(reply.list("Unsupported"), required, "{name}");
    });
    // What a proxy is to support is nothing to us, and neither CANCEL nor what is empty requires anything.
    let fine = peer.request("OPTIONS").with("Proxy-Require", "nothingSupportsThis").with("Require", "");
    assert_eq!(peer.answer("Proxy-Require", &fine).status, 200);
    let cancel = peer.request("CANCEL").with("Require", "nothingSupportsThis");
    assert_eq!(peer.answer("Require in CANCEL", &cancel).status, 481);
}

#[test]
fn a_request_for_a_dialog_or_transaction_that_is_not_there_gets_481() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let inside = |method: &str| peer.request(method).change("To", |to| format!("{to};tag=unknown"));
    let mailbox = peer.request("NOTIFY").with("Event", "message-summary").with(STATE, "active");
    let mailbox = mailbox.body("application/simple-message-summary", "Messages-Waiting: yes\r\n");
    let cases = vec![
        ("BYE without a To tag", peer.request("BYE")),
        ("BYE", inside("BYE")),
        ("re-INVITE", inside("INVITE").sdp(OFFER)),
        ("OPTIONS in a dialog", inside("OPTIONS")),
        ("CANCEL", peer.request("CANCEL")),
        ("CANCEL in a dialog", inside("CANCEL")),
        ("INFO", peer.request("INFO").body("application/dtmf-relay", "Signal=5")),
        ("PRACK", inside("PRACK").with("RAck", "1 1 INVITE")),
        ("UPDATE", inside("UPDATE").sdp(OFFER)),
        ("MESSAGE in a dialog", inside("MESSAGE").body("text/plain", "hello")),
        (
            "NOTIFY without a subscription",
            peer.request("NOTIFY").with("Event", "dialog").with(STATE, "active"),
        ),
        ("NOTIFY in a dialog", inside("NOTIFY").with("Event", "presence").with(STATE, "active")),
        ("a mailbox told by nobody's registrar", mailbox),
    ];
    all_get(&peer, 481, cases, |_, _, _| {});
}

#[test]
fn the_same_request_over_two_ways_gets_482() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    for first in [peer.request("OPTIONS"), peer.invite()] {
        peer.send(&first.bytes());
        let second = first.clone().change("Via", |via| via.replace("z9hG4bK-", "z9hG4bK-other-way-"));
        peer.send(&second.bytes());
        let branch = |reply: &Reply| reply.branch().is_some_and(|branch| branch.contains("other-way"));
        let reply = peer.until("the second way", branch);
        assert_eq!(reply.status, 482, "{reply:#?}");
        reply.assert_answers("the second way", &second, peer.address());
        peer.assert_alive("482");
    }
}

#[test]
fn no_hops_left_gets_483_and_another_version_505() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let spent = |method: &str| peer.request(method).set("Max-Forwards", "0");
    all_get(
        &peer,
        483,
        vec![("INVITE", spent("INVITE").sdp(OFFER)), ("OPTIONS", spent("OPTIONS"))],
        |_, _, _| {},
    );
    let mut cases = Vec::new();
    for method in ["OPTIONS", "INVITE", "BYE", "CANCEL", "UNKNOWN"] {
        for version in ["SIP/7.0", "SIP/1.0", "SIP/2.1", "SIP/99999999999.0"] {
            cases.push((
                "another version",
                peer.request(method).start(format!("{method} sip:alice@127.0.0.1 {version}")),
            ));
        }
    }
    // What that version may have changed is no reason to say 400.
    let future = peer.request("OPTIONS").without("To").start("OPTIONS sip:alice@127.0.0.1 SIP/7.0");
    cases.push(("another version with other rules", future));
    all_get(&peer, 505, cases, |_, _, _| {});
}

#[test]
fn an_invite_that_nobody_here_can_take_gets_404_400_or_488() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let to = |uri: &str| peer.request_to("INVITE", uri).sdp(OFFER);
    let offer = |sdp: &str| peer.request("INVITE").sdp(sdp);
    let media = |line: &str| offer(&OFFER.replace("m=audio 40000 RTP/AVP 0 8", line));
    let none = peer.request("INVITE").body("", OFFER);
    let empty_answer = offer("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let cases = vec![
        ("another user", 404, to("sip:bob@127.0.0.1:5066")),
        ("no user", 404, to("sip:127.0.0.1:5066")),
        ("another case of the name", 404, to("sip:ALICE@127.0.0.1:5066")),
        ("a telephone number", 404, to("tel:+1-201-555-0123;x=y")),
        ("a user of NUL characters", 404, to("sip:alice%00@127.0.0.1")),
        ("a body without a type", 400, none),
        ("SDP that is none", 400, offer("this is no SDP")),
        ("SDP of another version", 400, offer(&OFFER.replace("v=0", "v=7"))),
        (
            "SDP with a broken address",
            400,
            offer(&OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.1.2.3")),
        ),
        ("binary instead of SDP", 400, peer.request("INVITE").body("application/sdp", vec![0; 3000])),
        ("no media at all", 488, empty_answer),
        ("no common codec", 488, media("m=audio 40000 RTP/AVP 18")),
        (
            "a dynamic codec that we do not have",
            488,
            media("m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 SPEEX/8000"),
        ),
        ("video alone", 488, media("m=video 40000 RTP/AVP 31")),
        ("a disabled stream alone", 488, media("m=audio 0 RTP/AVP 0")),
        ("another profile", 488, media("m=audio 40000 TCP/MSRP 0")),
    ];
    for (name, status, request) in cases {
        let reply = peer.answer(name, &request);
        assert_eq!(reply.status, status, "{name}: {reply:#?}");
        peer.acknowledge(&request, &reply);
        peer.assert_alive(name);
    }
}
