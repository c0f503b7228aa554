//! Hiding who calls (RFC 3323, RFC 3325), redirection of calls that come in, and fields that a caller adds.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, NameAddr, Request, Uri};
use sidetone_sip::{CallEvent, Event, Invite, Side};

use super::kit::*;
use super::net::{Net, ended};

const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\n";

fn anonymous(to: &str) -> Invite {
    Invite { anonymous: true, ..invite(to) }
}

#[test]
fn an_anonymous_call_names_the_caller_to_our_own_proxy_only() {
    let (mut net, a, _) = pair();
    let mut call = anonymous("sip:bob@far.example");
    call.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    call.way.credentials = login("alice", "secret");
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let first = received(&mut net);
    assert_eq!(first.headers.from().unwrap().uri.to_string(), "sip:anonymous@anonymous.invalid");
    assert_eq!(first.headers.from().unwrap().display.as_deref(), Some("Anonymous"));
    assert_eq!(first.headers.get(&HeaderName::PRIVACY), Some("id"));
    assert_eq!(first.headers.get(&HeaderName::P_PREFERRED_IDENTITY), Some("\"Alice\" <sip:alice@192.0.2.1>"));
    assert!(!first.headers.contacts().unwrap().first().unwrap().to_string().contains("alice"));
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(requests(&seen)[1].headers.authorizations().unwrap().len(), 1, "the proxy may still ask");

    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.invite(now, anonymous("sip:bob@192.0.2.9")));
    net.settle();
    let text = net.receive(PEER).unwrap();
    let text = String::from_utf8(text.as_request().unwrap().body.clone()).unwrap()
        + &format!("{:?}", text.headers());
    assert!(!text.to_ascii_lowercase().contains("alice"), "a stranger learns the name: {text}");
}

/// A calls somebody of its own domain, whose server PEER is, without saying who it is: what PEER got.
fn anonymous_at_home(call: Invite) -> (Net, Request) {
    let (mut net, a, _) = pair();
    let from = NameAddr::parse("<sip:alice@192.0.2.9>").unwrap();
    let call = Invite { from, way: as_user("alice", "secret"), ..call };
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let first = received(&mut net);
    assert_eq!(first.headers.get(&HeaderName::P_PREFERRED_IDENTITY), Some("<sip:alice@192.0.2.9>"));
    (net, first)
}

#[test]
fn an_anonymous_call_that_is_sent_elsewhere_names_nobody_there() {
    let (mut net, first) = anonymous_at_home(anonymous("sip:bob@192.0.2.9"));
    net.send(PEER, A, &reply(&first, 302, "t", "Contact: <sip:mallory@192.0.2.77>"));
    net.settle();
    let elsewhere = net.receive("192.0.2.77:5060").unwrap().to_bytes();
    let text = String::from_utf8(elsewhere).unwrap().to_ascii_lowercase();
    assert!(text.starts_with("invite ") && !text.contains("alice"), "a stranger learns the name: {text}");
}

#[test]
fn an_anonymous_call_can_answer_a_challenge_after_it_asked_for_too_short_a_session() {
    let session_expires = Some(Duration::from_secs(90));
    let (mut net, first) = anonymous_at_home(Invite { session_expires, ..anonymous("sip:bob@192.0.2.9") });
    net.send(PEER, A, &reply(&first, 422, "t", "Min-SE: 600"));
    net.settle();
    let longer = requests(&net.receive_all(PEER))[1].clone();
    net.send(PEER, A, &reply(&longer, 407, "t", CHALLENGE));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK", "INVITE"]);
}

#[test]
fn an_anonymous_account_of_the_callees_own_domain_can_answer_its_challenge() {
    let (mut net, first) = anonymous_at_home(anonymous("sip:bob@192.0.2.9"));
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "INVITE"]);
    let again = requests(&seen)[1].clone();
    net.send(PEER, A, &accept(&again, "t"));
    net.settle();
    assert_eq!(received(&mut net).headers.from().unwrap().uri.to_string(), "sip:anonymous@anonymous.invalid");
}

#[test]
fn a_call_is_sent_elsewhere_by_302_with_its_targets_in_order() {
    let (mut net, a, call, tag) = ringing_here();
    let targets: Vec<Uri> =
        ["sip:mailbox@home.example", "tel:+4930123"].map(|uri| uri.parse().unwrap()).into();
    net.with(a, |ua, now| ua.redirect(now, call, &targets));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.reason.as_str()), (302, "Moved Temporarily"));
    let contacts: Vec<&str> = response.headers.get_all(&HeaderName::CONTACT).collect();
    assert_eq!(contacts, ["<sip:mailbox@home.example>;q=0.9", "<tel:+4930123>;q=0.8"]);
    let cause = ended(&net.call_events(a, call)).unwrap();
    assert_eq!((cause.code, cause.by), (302, Side::Local));
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1", 1, &tag, ""));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_redirected_caller_of_ours_arrives_there() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.redirect(now, theirs, &["sip:carol@192.0.2.9".parse().unwrap()]));
    net.settle();
    let sent = received(&mut net);
    assert_eq!(sent.uri.to_string(), "sip:carol@192.0.2.9");
    net.send(PEER, A, &accept(&sent, "t"));
    net.settle();
    assert!(net.call_events(a, ours).iter().any(|event| matches!(event, CallEvent::Answered { .. })));
}

#[test]
fn an_answered_call_is_not_redirected_and_one_without_a_target_is_refused() {
    let (mut net, a, b, _, theirs) = connected();
    net.with(b, |ua, now| ua.redirect(now, theirs, &["sip:carol@192.0.2.9".parse().unwrap()]));
    net.settle();
    assert!(net.events(a).is_empty() && net.events(b).is_empty());
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.redirect(now, call, &[]));
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).contains(&480));
}

#[test]
fn a_field_that_a_caller_adds_is_one_line() {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:bob@192.0.2.9");
    call.headers = vec![
        (HeaderName::from("X-One"), "a\r\nVia: SIP/2.0/UDP evil.example\r\n\r\nBYE".to_owned()),
        (HeaderName::from("X-Two\r\nX-Three"), "b".to_owned()),
        (HeaderName::VIA, "SIP/2.0/UDP evil.example".to_owned()),
    ];
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let sent = received(&mut net);
    assert_eq!(sent.headers.via().unwrap().len(), 1);
    assert_eq!(sent.headers.get(&HeaderName::from("X-One")), Some("a  Via: SIP/2.0/UDP evil.example    BYE"));
    assert!(!sent.headers.has(&HeaderName::from("X-Three")));
    assert!(net.events(a).iter().all(|event| !matches!(event, Event::Incoming { .. })));
}

#[test]
fn an_anonymous_message_names_the_writer_to_our_own_proxy_only() {
    let text = |to: &str| sidetone_sip::MessageRequest {
        anonymous: true,
        ..sidetone_sip::MessageRequest::new(from(), to.parse().unwrap(), "text/plain", b"hi".to_vec())
    };
    let (mut net, a, _) = pair();
    let mut home = text("sip:bob@far.example");
    home.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    net.with(a, |ua, now| ua.message(now, home));
    net.with(a, |ua, now| ua.message(now, text("sip:bob@192.0.2.9")));
    net.settle();
    let seen = net.receive_all(PEER);
    let [home, stranger] = requests(&seen)[..] else { panic!("{seen:?}") };
    for request in [home, stranger] {
        assert_eq!(request.headers.from().unwrap().uri.to_string(), "sip:anonymous@anonymous.invalid");
        assert_eq!(request.headers.get(&HeaderName::PRIVACY), Some("id"));
    }
    assert!(home.headers.get(&HeaderName::P_PREFERRED_IDENTITY).unwrap().contains("alice"));
    let text = String::from_utf8(stranger.to_bytes()).unwrap().to_ascii_lowercase();
    assert!(!text.contains("alice"), "a stranger learns the name: {text}");
}
