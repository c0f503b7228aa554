//! Peers that mean harm: what they send is answered, costs little, and the next call is as good as ever.

use super::{
    super::phone::Phone,
    PHONE, SOON, alice,
    calls::Call,
    floods::assert_small,
    legal::cancelling,
    passwords::at_home,
    peer::Peer,
    raw::{OFFER, Raw},
    reply::Reply,
};
use serde_json::json;
use sidetone_testkit::{Needs, room};
use std::{collections::BTreeMap, time::Instant};

pub(super) const FLOOD: usize = 5000;
/// No more at a time than a socket holds.
pub(super) const BURST: usize = 50;

fn is_of_invite(reply: &Reply, invite: &Raw) -> bool {
    let is_invite = reply.get("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"));
    is_invite && reply.get("Call-ID") == invite.get("Call-ID").map(str::trim)
}

/// Sends an INVITE; where it rings, it is cancelled. Gives the status: 180 or a refusal.
fn ring_or_refuse(peer: &Peer, name: &str, invite: &Raw) -> u16 {
    peer.send(&invite.bytes());
    let reply = peer.until(name, |reply| reply.status >= 180 && is_of_invite(reply, invite));
    let mut last = reply.clone();
    if reply.status < 200 {
        peer.send(&cancelling(invite, peer).bytes());
        last = peer.until(name, |reply| reply.status >= 200 && is_of_invite(reply, invite));
        assert_eq!(last.status, 487, "{name}");
    }
    peer.acknowledge(invite, &last);
    peer.assert_alive(name);
    reply.status
}

/// The peer hangs up.
pub(super) fn end_call(peer: &Peer, call: &Call, cseq: u32) {
    assert_eq!(peer.answer("BYE", &call.request(peer, "BYE", cseq)).status, 200);
}

/// As if nothing had been.
pub(super) fn assert_next_call_works(phone: &mut Phone) {
    let peer = Peer::new(PHONE);
    let call = Call::established(&peer, phone);
    end_call(&peer, &call, 101);
    phone.status("CallStatusEvent", "FINISH");
}

/// Sends them all, in bursts that are read in between; counts the final replies that belong to them by status.
fn flood(peer: &Peer, count: usize, requests: impl Fn(usize) -> Raw) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for first in (0..count).step_by(BURST) {
        let burst: Vec<Raw> = (first..count.min(first + BURST)).map(&requests).collect();
        burst.iter().for_each(|request| peer.send(&request.bytes()));
        let last = peer.request("OPTIONS");
        peer.send(&last.bytes());
        loop {
            let reply = peer.next("in the flood");
            if reply.get("Call-ID") == last.get("Call-ID") {
                break;
            }
            if reply.status >= 200 {
                *statuses.entry(reply.status).or_default() += 1;
            }
        }
    }
    eprintln!("{statuses:?}");
    statuses
}

#[test]
fn names_and_addresses_that_crashed_others_are_answered() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let long = "x".repeat(20_000);
    let mut values: Vec<String> = [
        // A lone backslash at the end of a display name, in quotes and without.
        r#""name\" <sip:a@b.example>;tag=x"#,
        r#""\" <sip:a@b.example>;tag=x"#,
        r#""\"#,
        r#""name\"#,
        r"name\ <sip:a@b.example>;tag=x",
        r"\ <sip:a@b.example>;tag=x",
        r#""\\" <sip:a@b.example>;tag=x"#,
        r#""a" <sip:a@b.example>;tag=x;p="\"#,
        // A slash where a name or a host should be.
        "/",
        "/;tag=x",
        "/ <sip:a@b.example>;tag=x",
        "<sip:/>;tag=x",
        "sip:/",
        "<sip:///>;tag=x",
        "<sip:a/b@c.example>;tag=x",
        "<sip:/@/>;tag=x",
        "<sip:a@/b>;tag=x",
        "<//a@b.example>;tag=x",
        "<sip:a@b.example/>;tag=x",
        "\"/\" <sip:a@b.example>;tag=/",
        // And what else is seldom tried.
        "<sip:a@b.example>;tag=x;;;=;=",
        "<sip:%00@b.example>;tag=x",
        "<sip:a@b.example?Replaces=x%3Bto-tag%3D1>;tag=x",
        "<<<<sip:a@b.example>>>>;tag=x",
        "\"\u{202e}\u{feff}\" <sip:a@b.example>;tag=x",
        "*",
        ",,,,",
        "<sip:[::::]>;tag=x",
        "<tel:+1;phone-context=\\>;tag=x",
    ]
    .map(String::from)
    .into();
    values.extend([
        format!("\"{long}\" <sip:a@b.example>;tag=x"),
        format!("<sip:{long}@b.example>;tag=x"),
        format!("<sip:a@{long}.example>;tag=x"),
        format!("<sip:a@b.example>;tag={long}"),
        format!("<sip:a@b.example{}>;tag=x", ";p".repeat(5_000)),
        format!("<sip:a@b.example>;tag=x{}", ";p=\"\\\"\"".repeat(2_000)),
        format!("{}<sip:a@b.example>;tag=x", "\\".repeat(20_000)),
        format!("\"{}\" <sip:a@b.example>;tag=x", "\\\"".repeat(10_000)),
        "<sip:a@b.example>;tag=x,".repeat(1_000),
    ]);
    let mut statuses = BTreeMap::new();
    for value in &values {
        let shown: String = value.chars().take(60).collect();
        for field in ["From", "To", "Contact"] {
            let name = format!("{field}: {shown}");
            *statuses.entry(ring_or_refuse(&peer, &name, &peer.invite().set(field, value))).or_default() += 1;
        }
        for field in
            ["Diversion", "History-Info", "P-Asserted-Identity", "Referred-By", "Call-Info", "Alert-Info"]
        {
            let name = format!("{field}: {shown}");
            *statuses.entry(ring_or_refuse(&peer, &name, &peer.invite().with(field, value))).or_default() +=
                1;
        }
    }
    let statuses: BTreeMap<u16, usize> = statuses;
    eprintln!("{statuses:?}");
    assert!(statuses.keys().all(|status| [180, 400, 416, 420, 481, 513].contains(status)), "{statuses:?}");
    // What is no business of ours does not keep a call away.
    assert!(statuses[&180] > values.len(), "{statuses:?}");
    assert_small(&phone, "after the names");
    // They all rang and were cancelled: none of them is in the way.
    phone.passed_to_now();
    assert_next_call_works(&mut phone);
}

#[test]
fn a_flood_of_refers_in_a_call_is_one_question() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::established(&peer, &mut phone);
    let statuses = flood(&peer, FLOOD, |n| {
        let refer = call.request(&peer, "REFER", 101 + n as u32);
        refer.with("Refer-To", format!("<sip:victim-{n}@127.0.0.2>"))
    });
    let answered: usize = statuses.values().sum();
    assert!(answered >= FLOOD * 9 / 10, "{statuses:?}");
    assert!(statuses.keys().all(|status| [202, 491, 500, 503].contains(status)), "{statuses:?}");
    let asked = phone.ask(json!({"command": "getSnapshot"}))["reply"]["snapshot"]["calls"].clone();
    assert_eq!(asked.as_array().map(Vec::len), Some(1), "nobody was called: {asked}");
    assert_small(&phone, "after the REFERs");
    end_call(&peer, &call, 101 + FLOOD as u32);
    phone.status("CallStatusEvent", "FINISH");
    assert_next_call_works(&mut phone);
}

#[test]
fn floods_of_requests_in_a_call_are_answered_and_the_call_goes_on() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let call = Call::established(&peer, &mut phone);
    let mut cseq = 101;
    for (method, kind, body) in [
        ("INFO", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n".to_owned()),
        ("INFO", "application/x-unknown", "x".repeat(2_000)),
        ("UPDATE", "application/sdp", OFFER.to_owned()),
        ("UPDATE", "", String::new()),
        ("NOTIFY", "message/sipfrag", "SIP/2.0 100 Trying\r\n".to_owned()),
        ("MESSAGE", "text/plain", "hello".to_owned()),
        ("PRACK", "", String::new()),
        ("OPTIONS", "", String::new()),
        ("SUBSCRIBE", "", String::new()),
        ("PUBLISH", "", String::new()),
        ("FROBNICATE", "", String::new()),
    ] {
        eprint!("{method} {kind}: ");
        let first = cseq;
        let statuses = flood(&peer, 1000, |n| {
            let request = call.request(&peer, method, first + n as u32);
            let request = match method {
                "NOTIFY" => request.with("Event", "refer").with("Subscription-State", "active"),
                "PRACK" => request.with("RAck", "1 1 INVITE"),
                _ => request,
            };
            if kind.is_empty() { request } else { request.body(kind, body.as_bytes()) }
        });
        cseq += 1000;
        assert!(statuses.values().sum::<usize>() >= 900, "{method}: {statuses:?}");
        assert_small(&phone, method);
    }
    end_call(&peer, &call, cseq);
    phone.status("CallStatusEvent", "FINISH");
    assert_next_call_works(&mut phone);
}

#[test]
fn floods_of_requests_from_nowhere_are_refused() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    for (method, allowed) in [
        ("NOTIFY", &[481, 503][..]),
        ("INFO", &[481, 503]),
        ("UPDATE", &[481, 503]),
        ("REFER", &[403, 503]),
        ("PRACK", &[481, 503]),
        ("BYE", &[481, 503]),
        ("SUBSCRIBE", &[405, 489, 501, 503]),
        ("MESSAGE", &[200, 202, 480, 486, 500, 503]),
    ] {
        eprint!("{method}: ");
        let statuses = flood(&peer, 1000, |_| match method {
            "NOTIFY" => bomb(peer.request(method), &LAUGHS.repeat(20)),
            "REFER" => peer.request(method).with("Refer-To", "<sip:victim@127.0.0.2>"),
            "MESSAGE" => peer.request(method).body("text/plain", "hello"),
            "PRACK" => peer.request(method).with("RAck", "1 1 INVITE"),
            "SUBSCRIBE" => peer.request(method).with("Event", "dialog"),
            _ => peer.request(method),
        });
        assert!(statuses.values().sum::<usize>() >= 900, "{method}: {statuses:?}");
        assert!(statuses.keys().all(|status| allowed.contains(status)), "{method}: {statuses:?}");
        assert_small(&phone, method);
    }
    let told = phone.seen.iter().filter(|value| value["event"] == "DataStatusEvent").count();
    assert!(told <= 1000, "{told}");
    assert_next_call_works(&mut phone);
}

const LAUGHS: &str = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]><d>&d;</d>";

fn bomb(request: Raw, body: &str) -> Raw {
    let request = request.with("Event", "dialog").with("Subscription-State", "active;expires=600");
    request.body("application/dialog-info+xml", body)
}

#[test]
fn bombs_about_a_watched_line_do_no_harm() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let (home, mut phone) = at_home();
    let contact = json!({
        "id": "", "name": "Bob", "addresses": [{"label": "work", "address": "sip:bob@127.0.0.1:5090"}], "watch": true
    });
    let saved = phone.ask(json!({"command": "saveContact", "contact": contact}));
    assert!(saved["failure"].is_null(), "{saved}");
    let expires = format!("Contact: <sip:home@{}>\r\nExpires: 600\r\n", home.address());
    let asked = loop {
        let subscribe = home.next_of("SUBSCRIBE");
        home.reply(&subscribe, "200 OK", &expires, "");
        if subscribe.line("Event").contains("dialog") {
            break subscribe;
        }
    };
    let peer = Peer { socket: home.0.try_clone().unwrap(), target: super::address(PHONE) };
    let value = |name: &str| asked.line(name).split_once(": ").unwrap().1.to_owned();
    let uri = value("Contact").split(['<', '>']).nth(1).unwrap().to_owned();
    let notify = |cseq: usize, body: &str| {
        let request = peer.request_to("NOTIFY", &uri).set("From", format!("{};tag=server", value("To")));
        let request = request.set("To", value("From")).set("Call-ID", value("Call-ID"));
        bomb(request.set("CSeq", format!("{cseq} NOTIFY")), body)
    };
    // More subscriptions arrive in between.
    let answered = |cseq: usize, body: &str| -> u16 {
        peer.send(&notify(cseq, body).bytes());
        loop {
            let got = home.next();
            if got.is("SUBSCRIBE") {
                home.reply(&got, "200 OK", &expires, "");
            } else if got.is("SIP/2.0") && got.line("CSeq").ends_with(&format!(" {cseq} NOTIFY")) {
                return got.text.split(' ').nth(1).unwrap().parse().unwrap();
            }
        }
    };
    let info = |version: usize, inside: &str| {
        format!(
            "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
             state=\"full\" entity=\"sip:bob@127.0.0.1:5090\">{inside}</dialog-info>"
        )
    };
    let dialog = |n: usize| format!("<dialog id=\"{n}\"><state>confirmed</state></dialog>");
    let mut bombs = vec![
        LAUGHS.to_owned(),
        LAUGHS.replace("ha", &"ha".repeat(20_000)),
        "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><dialog-info>&x;</dialog-info>".to_owned(),
        "<a>".repeat(20_000),
        format!("{}{}", "<a>".repeat(8_000), "</a>".repeat(7_000)),
        info(1, &"<dialog id=\"1\">".repeat(3_000)),
        info(2, &(0..900).map(dialog).collect::<String>()),
        info(3, &format!("<dialog id=\"{}\"><state>confirmed</state></dialog>", "x".repeat(50_000))),
        info(4, &format!("<dialog {}/>", (0..4_000).map(|n| format!("a{n}=\"\" ")).collect::<String>())),
        info(5, &"&amp;".repeat(10_000)),
        info(6, "<![CDATA[<dialog>]]><!-- -- --><?x?>"),
        info(7, "\u{0}"),
        String::new(),
        "<".repeat(50_000),
        "&#x41;".repeat(8_000),
    ];
    bombs.retain(|body| body.len() < 60_000);
    let start = Instant::now();
    let count = bombs.len();
    assert!(count >= 14);
    for (n, body) in bombs.iter().enumerate() {
        let status = answered(10 + n, body);
        assert!([200, 400, 413, 415, 489].contains(&status), "{status}: {:.80}", body);
    }
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_small(&phone, "after the bombs");
    // The subscription has outlived them.
    assert_eq!(answered(1000, &info(1000, &dialog(1))), 200);
    phone.wait("the line in use", SOON, |value| {
        value["event"] == "ContactStateChanged" && value["state"]["line"] == "busy"
    });
    assert_next_call_works(&mut phone);
}

#[test]
fn an_offer_of_200_media_lines_is_refused_in_words() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let mut phone = alice();
    let peer = Peer::new(PHONE);
    let others = [
        "m=audio 40002 RTP/AVP 0\r\n",
        "m=application 9 UDP/BFCP *\r\n",
        "m=image 40004 udptl t38\r\n",
        "m=x-unheard-of 40006 RTP/AVP 96\r\na=rtpmap:96 x/8000\r\n",
    ];
    let offer = others.iter().cycle().take(199).fold(OFFER.to_owned(), |offer, line| offer + line);
    let invite = peer.invite().sdp_again(&offer);
    let reply = peer.answer("an INVITE of 200 media lines", &invite);
    assert_eq!(reply.status, 400, "{reply:#?}");
    assert!(reply.reason.ends_with("m=: one media line too many"), "{}", reply.reason);
    peer.acknowledge(&invite, &reply);
    assert_next_call_works(&mut phone);
}
