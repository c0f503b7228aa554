//! The gateway's registrar on the wire: RFC 3261 section 10.3.

use super::{
    super::phone::Phone,
    peer::Peer,
    raw::{OFFER, Raw},
    reply::{Reply, param},
};
use sidetone_testkit::{Needs, room};

/// Where the gateway of a phone without an account listens.
pub(super) const GATEWAY: &str = "127.0.0.1:5060";

/// A phone with a gateway of its own.
pub(super) fn gateway() -> Phone {
    let mut phone = Phone::start(&["--mic", "silence", "--speaker", "null"]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    phone
}

/// The REGISTERs of one client for `bob`: one Call-ID, a CSeq that grows.
struct Client {
    peer: Peer,
    number: u32,
    id: &'static str,
}

impl Client {
    fn new(id: &'static str) -> Self {
        Self { peer: Peer::new(GATEWAY), number: 10, id }
    }

    /// Without a Contact: asks for what is there.
    fn register(&mut self) -> Raw {
        self.number += 1;
        let request = self.peer.request_to("REGISTER", &format!("sip:{GATEWAY}"));
        let request =
            request.without("Contact").set("To", format!("<sip:bob@{GATEWAY}>")).set("Call-ID", self.id);
        request.set("CSeq", format!("{} REGISTER", self.number))
    }

    fn contact(&mut self, contact: &str) -> Raw {
        self.register().with("Contact", contact)
    }

    fn answer(&self, name: &str, request: &Raw) -> Reply {
        self.peer.answer(name, request)
    }

    /// The Contacts that are bound now, without their parameters.
    fn bound(&mut self) -> Vec<String> {
        let fetch = self.register();
        let reply = self.answer("what is bound", &fetch);
        assert_eq!(reply.status, 200, "{reply:#?}");
        let contacts = reply.list("Contact").into_iter();
        contacts
            .map(|contact| contact.split('>').next().unwrap().trim_start_matches('<').to_owned())
            .collect()
    }
}

#[test]
fn a_registration_is_made_listed_refreshed_and_removed() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("one");
    let request = client.contact("<sip:bob@127.0.0.1:6000>").with("Expires", "600");
    let reply = client.answer("REGISTER", &request);
    assert_eq!(reply.status, 200);
    let contact = reply.get("Contact").unwrap();
    assert!(contact.starts_with("<sip:bob@127.0.0.1:6000>"), "{contact}");
    let left: u32 = param(contact.split('>').nth(1).unwrap(), "expires").unwrap().parse().unwrap();
    assert!((595..=600).contains(&left), "{contact}");
    // Equal by RFC 3261 section 19.1.4, though not to the letter: it is refreshed, not added.
    let request = client.contact("\"Bob\" <SIP:%62ob@127.0.0.1:6000>;expires=100000;q=0.3");
    let reply = client.answer("refresh", &request);
    let contact = reply.get("Contact").unwrap();
    assert_eq!(reply.list("Contact").len(), 1, "{reply:#?}");
    let left: u32 = param(contact.split('>').nth(1).unwrap(), "expires").unwrap().parse().unwrap();
    assert!((3595..=3600).contains(&left), "cut to the longest: {contact}");
    let request =
        client.contact("<sip:bob@127.0.0.1:6001>, sip:bob@127.0.0.1:6002;expires=700").with("Expires", "61");
    assert_eq!(client.answer("two more", &request).list("Contact").len(), 3);
    let request = client.contact("<sip:bob@127.0.0.1:6001>;expires=0").with("Expires", "600");
    assert_eq!(client.answer("one less", &request).list("Contact").len(), 2);
    let third_party =
        client.contact("<sip:bob@127.0.0.1:6003>").set("From", "<sip:secretary@a.example>;tag=s");
    assert_eq!(client.answer("by a third party", &third_party).status, 200);
    let request = client.contact("*").with("Expires", "0");
    let reply = client.answer("all", &request);
    assert_eq!((reply.status, reply.list("Contact").len()), (200, 0));
    assert!(client.bound().is_empty());
}

#[test]
fn contact_star_is_for_removing_all_and_only_that() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("star");
    let request = client.contact("<sip:bob@127.0.0.1:6000>");
    assert_eq!(client.answer("REGISTER", &request).status, 200);
    let cases = [
        ("without Expires", client.contact("*")),
        ("with an Expires other than 0", client.contact("*").with("Expires", "1")),
        ("with an Expires that is none", client.contact("*").with("Expires", "never")),
        ("with another Contact", client.contact("*, <sip:bob@127.0.0.1:1>").with("Expires", "0")),
        (
            "with another Contact in another field",
            client.contact("*").with("m", "<sip:b@127.0.0.1>").with("Expires", "0"),
        ),
        ("in brackets", client.contact("<*>").with("Expires", "0")),
        ("with a parameter", client.contact("*;expires=0")),
    ];
    for (name, request) in cases {
        assert_eq!(client.answer(name, &request).status, 400, "{name}");
        assert_eq!(client.bound(), ["sip:bob@127.0.0.1:6000"], "{name}");
    }
}

#[test]
fn a_registration_that_is_too_brief_gets_423_and_changes_nothing() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("brief");
    let cases = [
        ("Expires", client.contact("<sip:bob@127.0.0.1:6000>").with("Expires", "1")),
        ("the parameter", client.contact("<sip:bob@127.0.0.1:6000>;expires=59").with("Expires", "600")),
        ("one of two", client.contact("<sip:bob@127.0.0.1:6000>, <sip:bob@127.0.0.1:6001>;expires=5")),
    ];
    for (name, request) in cases {
        let reply = client.answer(name, &request);
        assert_eq!((reply.status, reply.get("Min-Expires")), (423, Some("60")), "{name}");
        assert!(client.bound().is_empty(), "{name}");
    }
    // What is no number counts as an hour (section 10.2.1.1).
    let request = client.contact("<sip:bob@127.0.0.1:6000>;expires=soon");
    let reply = client.answer("no number", &request);
    assert_eq!(reply.status, 200);
}

#[test]
fn a_register_out_of_order_gets_500_and_changes_nothing() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("order");
    let request = client.contact("<sip:bob@127.0.0.1:6000>");
    assert_eq!(client.answer("REGISTER", &request).status, 200);
    let cases = [
        ("the same number", client.contact("<sip:bob@127.0.0.1:6000>;expires=0").set("CSeq", "11 REGISTER")),
        ("a lower number", client.contact("<sip:bob@127.0.0.1:6000>").set("CSeq", "1 REGISTER")),
        ("a star", client.contact("*").with("Expires", "0").set("CSeq", "2 REGISTER")),
    ];
    for (name, request) in cases {
        assert_eq!(client.answer(name, &request).status, 500, "{name}");
        assert_eq!(client.bound(), ["sip:bob@127.0.0.1:6000"], "{name}");
    }
    let other = client
        .contact("<sip:bob@127.0.0.1:6000>;expires=0")
        .set("Call-ID", "after-a-restart")
        .set("CSeq", "1 REGISTER");
    assert_eq!(client.answer("another Call-ID", &other).status, 200);
    assert!(client.bound().is_empty());
}

#[test]
fn a_register_that_cannot_be_served_is_refused_by_its_cause() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("refused");
    let mut contact = || client.contact("<sip:bob@127.0.0.1:6000>");
    let cases = [
        ("no user", 404, contact().set("To", format!("<sip:{GATEWAY}>"))),
        ("a telephone number", 404, contact().set("To", "<tel:+12015550123>")),
        ("an unknown scheme", 404, contact().set("To", "<news:comp>")),
        ("a Request-URI of an unknown scheme", 416, contact().start("REGISTER http://127.0.0.1 SIP/2.0")),
        ("an extension", 420, contact().with("Require", "path, gruu")),
        ("no hops left", 483, contact().set("Max-Forwards", "0")),
        ("another version", 505, contact().start(format!("REGISTER sip:{GATEWAY} SIP/4.0"))),
        ("no To", 400, contact().without("To")),
        ("a Contact that is none", 400, contact().set("Contact", "<sip:bob@>")),
        ("another CSeq", 400, contact().set("CSeq", "1 INVITE")),
        (
            "the To tag of a dialog",
            200,
            contact().change("To", |to| format!("{to};tag=kept")).with("Expires", "0"),
        ),
        (
            "a Contact of another scheme",
            200,
            contact().set("Contact", "<mailto:bob@a.example>").with("Expires", "600"),
        ),
    ];
    for (name, status, request) in cases {
        let reply = client.answer(name, &request);
        assert_eq!(reply.status, status, "{name}: {reply:#?}");
        client.peer.assert_nothing_but_200(name);
    }
    let allow = client.peer.request_to("SUBSCRIBE", &format!("sip:bob@{GATEWAY}"));
    let reply = client.answer("another method", &allow);
    assert_eq!(reply.status, 405);
    assert!(reply.list("Allow").contains(&"REGISTER"), "{reply:#?}");
}

#[test]
fn more_contacts_than_a_user_may_have_get_503_with_retry_after() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let mut client = Client::new("many");
    let many: Vec<String> = (0..30).map(|n| format!("<sip:bob@127.0.0.1:{}>", 7000 + n)).collect();
    let request = client.contact(&many.join(", "));
    let reply = client.answer("thirty", &request);
    assert_eq!(reply.status, 503);
    assert!(reply.get("Retry-After").is_some());
    assert!(client.bound().is_empty(), "all or nothing");
    let request = client.contact(&format!("<sip:bob@127.0.0.1;x={}>", "y".repeat(9000)));
    let reply = client.answer("a Contact of 9 kB", &request);
    assert!(reply.status >= 400, "{reply:#?}");
    assert!(client.bound().is_empty(), "nobody may fill our memory");
}

#[test]
fn calls_at_the_gateway_are_refused_by_their_cause() {
    let Some(_room) = room!(Needs::tools(&[]).network()) else { return };
    let _gateway = gateway();
    let peer = Peer::new(GATEWAY);
    let to = |uri: &str| peer.request_to("INVITE", uri).sdp(OFFER);
    let g729 = OFFER.replace("RTP/AVP 0 8", "RTP/AVP 18");
    let echo = format!("sip:echo@{GATEWAY}");
    let cases = [
        ("nobody of that name", 404, to(&format!("sip:nobody@{GATEWAY}"))),
        ("no user", 404, to(&format!("sip:{GATEWAY}"))),
        ("no common codec", 488, to(&echo).sdp_again(&g729)),
        ("SDP that is none", 400, to(&echo).sdp_again("nonsense")),
        ("an unknown scheme", 416, to("urn:service:sos")),
        ("another body", 415, peer.request_to("INVITE", &echo).body("text/plain", "x")),
        ("no hops left", 483, to(&echo).set("Max-Forwards", "0")),
    ];
    for (name, status, request) in cases {
        let reply = peer.answer(name, &request);
        assert_eq!(reply.status, status, "{name}: {reply:#?}");
        peer.acknowledge(&request, &reply);
        peer.assert_alive(name);
    }
    // And one that is right.
    let invite = to(&echo);
    let reply = peer.answer("echo", &invite);
    assert_eq!(reply.status, 200);
    let inside = |method: &str, cseq: u32| {
        let request = peer.request_to(method, reply.get("Contact").unwrap().trim_matches(['<', '>']));
        let request =
            request.set("From", invite.get("From").unwrap()).set("Call-ID", invite.get("Call-ID").unwrap());
        request.set("To", reply.get("To").unwrap()).set("CSeq", format!("{cseq} {method}"))
    };
    let number: u32 = invite.get("CSeq").unwrap().split(' ').next().unwrap().parse().unwrap();
    peer.send(&inside("ACK", number).bytes());
    assert_eq!(peer.answer("BYE", &inside("BYE", number + 1)).status, 200);
}
