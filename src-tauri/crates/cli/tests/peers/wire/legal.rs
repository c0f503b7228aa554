//! Legal, if unusual: the phone must understand all of it.

use super::{
    PHONE, alice,
    peer::Peer,
    raw::{OFFER, Raw, short},
    reply::param,
};
use sidetone_testkit::{Needs, room};
use std::net::{IpAddr, Ipv6Addr};

type Case = (&'static str, Raw);

fn all_get_200(peer: &Peer, cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (name, request) in cases {
        let reply = peer.answer(name, &request);
        if reply.status != 200 {
            wrong.push(format!("{name}: {} {}\n{}", reply.status, reply.reason, request.text()));
        }
        peer.assert_nothing_but_200(name);
    }
    assert!(wrong.is_empty(), "refused:\n{}", wrong.join("\n"));
}

#[test]
fn options_gets_200_with_what_we_can_do() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let request = peer.request("OPTIONS").with("Accept", "application/sdp");
    let reply = peer.answer("OPTIONS", &request);
    assert_eq!((reply.status, reply.reason.as_str()), (200, "OK"));
    assert_eq!(reply.list("Allow"), super::ALLOWED);
    assert_eq!(reply.list("Accept"), ["application/sdp"]);
    for field in ["Accept-Encoding", "Accept-Language", "Supported", "Server"] {
        assert!(reply.get(field).is_some(), "{field} is missing");
    }
    assert_eq!(reply.get("Contact"), Some("<sip:alice@127.0.0.1:5066>"));
    // The same again is answered with the very same bytes, by the transaction.
    let again: Vec<Vec<u8>> = [(); 3]
        .map(|()| {
            peer.send(&request.bytes());
            peer.next_bytes("a repetition")
        })
        .into();
    assert!(again.iter().all(|bytes| *bytes == again[0]));
}

#[test]
fn the_look_of_headers_does_not_matter() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let options = || peer.request("OPTIONS");
    let spaced_via = format!("SIP / 2.0\t/ UDP   {} ; branch = z9hG4bK-spaced-1 ;  rport", peer.address());
    let folded_via = format!("SIP/2.0/UDP\r\n  {}\r\n\t;branch=z9hG4bK-folded-1\r\n ;rport", peer.address());
    let lower_vias =
        "SIP/2.0/TCP  proxy.example ;branch=z9hG4bKa, SIP/2.0/TLS [2001:db8::9:1]:7;branch=z9hG4bKb";
    let cases = vec![
        ("compact names", options().names(short)),
        ("compact names in capitals", options().names(|name| short(name).to_uppercase())),
        ("lower case", options().names(str::to_lowercase)),
        ("upper case", options().names(str::to_uppercase)),
        ("no space behind the colon", options().colon(":")),
        ("white space around the colon", options().colon(" \t :  \t ")),
        ("values on a line of their own", options().colon(":\r\n ")),
        ("white space behind values", options().values(|value| format!("{value} \t "))),
        ("an empty folded line behind values", options().values(|value| format!("{value}\r\n  "))),
        ("line feeds alone", options().line_end("\n")),
        ("line ends before the request", options().before("\r\n\r\n")),
        ("a lower-case version", options().start("OPTIONS sip:alice@127.0.0.1 sip/2.0")),
        ("a spaced Via", options().set("Via", spaced_via)),
        ("a folded Via", options().set("Via", folded_via)),
        ("several Via in two fields", options().with("Via", lower_vias).with("v", "SIP/2.0/UDP old.example")),
        ("several Via in one field", options().change("Via", |via| format!("{via} , {lower_vias}"))),
        (
            "other parameters in the Via",
            options().change("Via", |via| format!("{via};ttl=1;x=\"q\";flag;maddr=1.2.3.4")),
        ),
        (
            "an unknown transport in the Via",
            options().change("Via", |via| via.replace("UDP", "CARRIER-PIGEON")),
        ),
        ("a Via transport in lower case", options().change("Via", |via| via.replace("UDP", "udp"))),
        (
            "a Via without a branch",
            options().change("Via", |via| format!("{};rport", via.split(';').next().unwrap())),
        ),
        ("From without a tag", options().set("From", "sip:old@phone.example")),
        ("no Max-Forwards", options().without("Max-Forwards")),
        ("no Content-Length", options().without("Content-Length")),
        ("no Contact", options().without("Contact")),
        (
            "zeros in front",
            options().set("CSeq", "0009 OPTIONS").set("Max-Forwards", "0068").set("Content-Length", "000"),
        ),
        ("the largest CSeq", options().set("CSeq", "2147483647 OPTIONS")),
        ("spaces in CSeq", options().set("CSeq", "1 \t  \r\n OPTIONS")),
        (
            "no address brackets",
            options().set("From", "sip:a@b.example;tag=1").set("Contact", "sip:a@b.example;q=0.5"),
        ),
        (
            "an unquoted display name",
            options().set("From", "The Wire of !%*_+`'~ Names <sip:a@b.example> ; tag = 2"),
        ),
        ("a display name without a space", options().set("From", "\"Wire\"<sip:a@b.example>;TAG=3")),
        ("an empty display name", options().set("From", "\"\" <sip:a@b.example>;tag=4")),
        (
            "escapes in a display name",
            options().set("From", "\"a \\\"b\\\" \\\\ <x@y;,>\" <sip:a@b.example>;tag=5"),
        ),
        (
            "UTF-8 in a display name",
            options().set("From", "\"J\u{f6}rg \u{65e5}\u{672c}\" <sip:a@b.example>;tag=6"),
        ),
        (
            "header parameters of all kinds",
            options().set("From", "<sip:a@b.example>;x;y=\"z;,>\";n=[::1];tag=7"),
        ),
        (
            "unknown fields",
            options().with("!weird*%+`~'.", "any;thing=\"goes\" <here>, (even this)").with("X", ""),
        ),
        (
            "empty fields that may be",
            options().with("Supported", "").with("Require", "").with("Allow", " , "),
        ),
        ("a long list of extensions", options().with("Supported", vec!["100rel, a.b-c"; 300].join(","))),
        ("an extension method in Allow", options().with("Allow", "INVITE, NEWFANGLED, !*'_+`~")),
        ("a Date", options().with("Date", "Sat, 01 Jan 2000 00:00:00 GMT")),
        ("Expires that is none", options().with("Expires", "soon")),
        ("a word of all characters as Call-ID", options().set("Call-ID", "-.!%*_+`'~()<>:\\\"/[]?{}x@y:z")),
    ];
    all_get_200(&peer, cases);
}

#[test]
fn addresses_of_every_legal_kind_are_understood() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let options = |uri: &str| peer.request_to("OPTIONS", uri);
    let to = |to: &str| peer.request("OPTIONS").set("To", to);
    let contact = |contact: &str| peer.request("OPTIONS").set("Contact", contact);
    let weird = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@127.0.0.1";
    let cases = vec![
        ("an unusual URI", options(weird)),
        ("a URI in capitals", options("SIP:alice@LOCALHOST;TRANSPORT=UDP;LR")),
        ("a URI without a user", options("sip:127.0.0.1:5066")),
        ("URI parameters", options("sip:alice@127.0.0.1;x=y;method=INVITE;user=phone;ttl=15;flag;%41=%42")),
        ("parameters in the user", options("sip:user;par=u%40example.net@127.0.0.1")),
        ("a password", options("sip:alice:secretword@127.0.0.1")),
        ("a telephone number", options("tel:+1-201-555-0123;phone-context=example.com")),
        ("an escaped NUL", peer.request("OPTIONS").set("From", "<sip:null-%00-null@b.example>;tag=1")),
        ("a host that ends in a dot", options("sip:alice@localhost.")),
        ("IPv6 in the Request-URI (RFC 5118 4.1)", options("sip:[2001:db8::10]")),
        ("a port behind brackets (4.3)", options("sip:[2001:db8::10]:5070")),
        ("a port inside of brackets (4.4)", options("sip:[2001:db8::10:5070]")),
        ("IPv4 in IPv6 (4.9)", options("sip:[::ffff:192.0.2.10]:19823")),
        ("three colons (4.10)", options("sip:user@[2001:db8:::192.0.2.1]")),
        (
            "IPv6 in every field",
            peer.request("OPTIONS")
                .set("From", "<sip:a@[2001:db8::1]>;tag=6")
                .set("To", "<sip:b@[2001:db8::2]:9>")
                .set("Contact", "\"V6\" <sip:a@[::1]>, sip:c@[fe80::1]:5")
                .set("Call-ID", "x@[2001:db8::9:1]")
                .with("Via", "SIP/2.0/UDP [2001:db8::9:255];received=[2001:db8::9:255];branch=z9hG4bKy"),
        ),
        (
            "received of the sender's own making",
            peer.request("OPTIONS").change("Via", |via| format!("{via};received=10.0.0.1")),
        ),
        ("another scheme in To (RFC 4475 3.3.3)", to("isbn:2983792873")),
        ("another scheme in Contact", contact("<name:John_Smith>")),
        ("a header in a Contact's URI", contact("<sip:a@b.example?Route=%3Csip:sip.example%3E>")),
        (
            "several Contact",
            contact("<sip:a@b.example>;q=0.5;expires=9, \"M, N\" <mailto:m@n.example>;q=0.1")
                .with("m", "sip:c@d.example"),
        ),
        ("a preloaded Route", peer.request("OPTIONS").with("Route", "<sip:127.0.0.1:5066;lr>")),
    ];
    all_get_200(&peer, cases);
}

#[test]
fn bodies_are_cut_where_the_content_length_says() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let mut trailing = peer.request("OPTIONS");
    trailing.body = peer.request("OPTIONS").bytes();
    let mut open_end = peer.request("OPTIONS").without("Content-Length").with("Content-Type", "text/plain");
    open_end.body = b"all that follows".into();
    let cases = vec![
        ("a second request behind the first", trailing),
        ("a body without a Content-Length", open_end),
        ("a body that nobody needs", peer.request("OPTIONS").body("text/html", "<p>hello</p>")),
        ("a body without a type", peer.request("OPTIONS").body("", "hello")),
        ("a binary body", peer.request("OPTIONS").body("application/x", vec![0, 13, 10, 13, 10, 255, 0])),
        ("60 kB of body", peer.request("OPTIONS").body("text/plain", vec![b'x'; 60_000])),
    ];
    all_get_200(&peer, cases);
}

#[test]
fn long_and_many_values_are_taken_up_to_the_limits() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let user = "x".repeat(1000);
    let long = peer
        .request_to("OPTIONS", &format!("sip:{user}@127.0.0.1"))
        .set("From", format!("\"{user}\" <sip:{user}@a.example>;tag={user}"))
        .set("To", format!("<sip:{user}@b.example>;{user}={user}"))
        .change("Call-ID", |id| format!("{user}{id}"));
    let vias = (0..60).fold(peer.request("OPTIONS"), |request, n| {
        request.with("Via", format!("SIP/2.0/TCP p{n}.example;branch=z9hG4bK-{n}-{}", "y".repeat(100)))
    });
    let fields =
        (0..200).fold(peer.request("OPTIONS"), |request, n| request.with(&format!("X-{n}"), "y".repeat(50)));
    all_get_200(&peer, vec![("long values", long), ("sixty Via", vias), ("two hundred fields", fields)]);
}

#[test]
fn invites_that_look_odd_ring() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::new(PHONE);
    let no_offer = || peer.request("INVITE");
    let v6_media = OFFER.replace("IN IP4 127.0.0.1\r\nt", "IN IP6 ::1\r\nt");
    let more_lines =
        OFFER.replace("t=0 0\r\n", "t=0 0\r\na=unknown:x\r\na=x\r\n") + "a=ptime:20\r\na=x-odd\r\n";
    let two_streams = format!("{OFFER}m=video 40002 RTP/AVP 31\r\nm=application 0 udp wb\r\n");
    let routes = "<sip:p1.example;lr>, <sip:[2001:db8::1]:5070;lr;x=y>;z";
    let cases = vec![
        ("no offer", no_offer()),
        (
            "an escaped letter in the user",
            peer.request_to("INVITE", "sip:%61l%69ce@127.0.0.1:5066").sdp(OFFER),
        ),
        ("another host", peer.request_to("INVITE", "sip:alice@some.example;x=y").sdp(OFFER)),
        ("compact and folded", peer.invite().names(short).colon(" :\r\n ")),
        ("SDP with line feeds alone", no_offer().sdp(&OFFER.replace("\r\n", "\n"))),
        ("SDP with IPv6", no_offer().sdp(&v6_media)),
        ("SDP with unknown lines", no_offer().sdp(&more_lines)),
        ("SDP with further streams", no_offer().sdp(&two_streams)),
        ("the media type in capitals", no_offer().body("APPLICATION/SDP;charset=utf-8", OFFER)),
        (
            "a body that may be ignored",
            no_offer().body("text/plain", "x").with("Content-Disposition", "icon; handling = Optional"),
        ),
        ("Record-Route", peer.invite().with("Record-Route", routes)),
        (
            "no Max-Forwards, no tag, no branch",
            peer.invite()
                .without("Max-Forwards")
                .set("From", "sip:old@a.example")
                .change("Via", |via| format!("{};rport", via.split(';').next().unwrap())),
        ),
        ("no Contact", peer.invite().without("Contact")),
        ("an Expires that is too large", peer.invite().with("Expires", "4294967297")),
    ];
    for (name, request) in cases {
        let ringing = peer.status(name, &request, 180);
        assert!(ringing.to_tag().is_some() && ringing.get("Contact").is_some(), "{name}: {ringing:#?}");
        assert_eq!(ringing.list("Record-Route").is_empty(), !name.contains("Route"), "{name}");
        let cancel = cancelling(&request, &peer);
        assert_eq!(peer.answer(name, &cancel).status, 200, "{name}");
        let terminated = peer.until(name, |reply| {
            reply.get("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE")) && reply.status >= 200
        });
        assert_eq!(terminated.status, 487, "{name}");
        assert_eq!(terminated.to_tag(), ringing.to_tag(), "{name}");
        peer.acknowledge(&request, &terminated);
    }
}

/// The CANCEL of an INVITE: all the same but for the method.
pub(super) fn cancelling(invite: &Raw, peer: &Peer) -> Raw {
    let mut cancel = peer.request("CANCEL").start(invite.start.replacen("INVITE", "CANCEL", 1));
    for name in ["Via", "From", "To", "Call-ID"] {
        cancel = cancel.set(name, invite.get(name).unwrap_or_default());
    }
    cancel.set("CSeq", invite.get("CSeq").unwrap_or_default().replace("INVITE", "CANCEL"))
}

#[test]
fn the_reply_goes_where_the_via_and_the_source_say() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let (peer, other) = (Peer::new(PHONE), Peer::new(PHONE));
    let via = |text: String| peer.request("OPTIONS").set("Via", text);
    // With rport to the source port, whatever the Via names.
    let request = via("SIP/2.0/UDP client.example:1;rport;branch=z9hG4bK-r1".into());
    let reply = peer.answer("rport", &request);
    let top = reply.get("Via").unwrap();
    assert_eq!(param(top, "received"), Some("127.0.0.1"));
    assert_eq!(param(top, "rport"), Some(peer.address().port().to_string().as_str()));
    // Without it to the port of the Via, at the source address.
    let port = other.address().port();
    let request = via(format!("SIP/2.0/UDP client.example:{port};branch=z9hG4bK-r2"));
    peer.send(&request.bytes());
    let reply = other.next("the port of the Via");
    reply.assert_answers("the port of the Via", &request, peer.address());
    assert_eq!(param(reply.get("Via").unwrap(), "received"), Some("127.0.0.1"));
    assert_eq!(param(reply.get("Via").unwrap(), "rport"), None);
    // A Via that tells the truth gets nothing added.
    let request = via(format!("SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-r3"));
    peer.send(&request.bytes());
    assert_eq!(param(other.next("a true Via").get("Via").unwrap(), "received"), None);
    // A unicast maddr would aim our replies at others.
    let request = via(format!("SIP/2.0/UDP 127.0.0.1:{port};maddr=127.0.0.2;branch=z9hG4bK-r4"));
    peer.send(&request.bytes());
    other.next("maddr");
    // The same rules for what is refused.
    let request = via(format!("SIP/2.0/UDP client.example:{port};branch=z9hG4bK-r5")).without("Call-ID");
    peer.send(&request.bytes());
    let reply = other.next("a refusal");
    assert_eq!((reply.status, param(reply.get("Via").unwrap(), "received")), (400, Some("127.0.0.1")));
    peer.assert_nothing_but_200("the end");
}

#[test]
fn requests_over_ipv6_are_answered() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _phone = alice();
    let peer = Peer::at(IpAddr::V6(Ipv6Addr::LOCALHOST), "[::1]:5066");
    let reply = peer.answer("IPv6", &peer.request("OPTIONS"));
    assert_eq!(reply.status, 200);
    assert_eq!(param(reply.get("Via").unwrap(), "received"), Some("::1"));
    assert_eq!(reply.get("Contact"), Some("<sip:alice@[::1]:5066>"));
    let request = peer.request("OPTIONS").without("Call-ID");
    assert_eq!(peer.answer("IPv6", &request).status, 400);
    peer.assert_nothing_but_200("IPv6");
}
