//! The registration client: RFC 3261 section 10.2.

use std::time::Duration;

use sidetone_sip::message::Request;
use sidetone_sip::{Event, FailureKind, Hop, Input, RegistrationId, Transport};

use super::kit::*;
use super::net::{Net, address};

const REGISTRAR: &str = "192.0.2.50:5060";
const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\n";

fn registering(password: &str) -> (Net, usize, RegistrationId) {
    let (mut net, a, _) = pair();
    net.names.insert("home.example".into(), vec![(Transport::Udp, address(REGISTRAR))]);
    let mut account = registration("\"Alice\" <sip:alice@home.example>");
    account.credentials = login("alice", password);
    account.expires = Duration::from_secs(300);
    let id = net.with(a, |ua, now| ua.register(now, account));
    net.settle();
    (net, a, id)
}

fn next(net: &mut Net) -> Request {
    requests(&net.receive_all(REGISTRAR)).first().copied().cloned().expect("no REGISTER came")
}

fn answer(net: &mut Net, to: &Request, status: u16, extra: &str) {
    net.send(REGISTRAR, A, &reply(to, status, "t", extra));
    net.settle();
}

fn granted(request: &Request, seconds: u32) -> String {
    let contact = request.headers.contacts().unwrap().first().unwrap().uri.clone();
    format!("Contact: <sip:other@1.2.3.4>;expires=7, <{contact}>;expires={seconds}\n")
}

#[test]
fn a_registration_names_its_address_and_refreshes_before_it_expires() {
    let (mut net, a, id) = registering("secret");
    let first = next(&mut net);
    assert_eq!(first.uri.to_string(), "sip:home.example");
    assert_eq!(first.headers.expires(), Ok(Some(300)));
    assert_eq!(first.headers.to().unwrap().uri, first.headers.from().unwrap().uri);
    answer(&mut net, &first, 200, &granted(&first, 120));
    assert!(matches!(&net.events(a)[..], [Event::Registered { id: told, expires, public: None, .. }]
        if *told == id && *expires == Duration::from_secs(120)));
    net.run_for(Duration::from_secs(100));
    assert!(net.receive(REGISTRAR).is_none());
    net.run_for(Duration::from_secs(15));
    let second = next(&mut net);
    assert_eq!(second.headers.call_id(), first.headers.call_id());
    assert_eq!(second.headers.cseq().unwrap().number, first.headers.cseq().unwrap().number + 1);
}

#[test]
fn the_nonce_is_used_on_and_counted_at_a_refresh() {
    let (mut net, _, _) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 401, CHALLENGE);
    let second = next(&mut net);
    assert_eq!(second.headers.authorizations().unwrap()[0].nc, Some(1));
    answer(&mut net, &second, 200, &granted(&second, 60));
    net.run_for(Duration::from_secs(55));
    let third = next(&mut net);
    assert_eq!(third.headers.authorizations().unwrap()[0].nc, Some(2));
    // the nonce has expired, and the server does not bother to say stale
    answer(&mut net, &third, 401, &CHALLENGE.replace("n1", "n2"));
    let fourth = next(&mut net);
    assert_eq!(fourth.headers.authorizations().unwrap()[0].nonce, "n2");
}

fn failure(net: &mut Net, node: usize) -> (u16, FailureKind, Option<Duration>) {
    match net.events(node).pop() {
        Some(Event::RegistrationFailed { cause, kind, retry_in, .. }) => (cause.code, kind, retry_in),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_password_gives_authentication_failed_and_is_not_tried_again() {
    let (mut net, a, id) = registering("wrong");
    let first = next(&mut net);
    answer(&mut net, &first, 401, CHALLENGE);
    let second = next(&mut net);
    answer(&mut net, &second, 401, &CHALLENGE.replace("n1", "n2"));
    assert_eq!(failure(&mut net, a), (401, FailureKind::AuthenticationFailed, None));
    net.run_for(Duration::from_secs(3600));
    assert!(net.receive(REGISTRAR).is_none());
    net.with(a, |ua, now| ua.refresh(now, id));
    net.settle();
    next(&mut net);
}

#[test]
fn a_403_gives_authentication_failed() {
    let (mut net, a, _) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 403, "");
    assert_eq!(failure(&mut net, a), (403, FailureKind::AuthenticationFailed, None));
}

#[test]
fn a_stale_nonce_is_no_wrong_password() {
    let (mut net, a, _) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 401, CHALLENGE);
    let second = next(&mut net);
    answer(&mut net, &second, 401, &CHALLENGE.replace("Digest", "Digest stale=TRUE,").replace("n1", "n2"));
    let third = next(&mut net);
    answer(&mut net, &third, 200, &granted(&third, 60));
    assert!(matches!(net.events(a)[..], [Event::Registered { .. }]));
}

#[test]
fn an_interval_too_brief_is_raised_to_what_the_registrar_wants() {
    let (mut net, a, _) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 423, "Min-Expires: 1800");
    let second = next(&mut net);
    assert_eq!(second.headers.expires(), Ok(Some(1800)));
    answer(&mut net, &second, 423, "Min-Expires: 4294967295");
    assert_eq!(failure(&mut net, a).1, FailureKind::Refused);
}

#[test]
fn other_refusals_are_tried_again_with_growing_pauses_and_retry_after_is_honoured() {
    let (mut net, a, _) = registering("secret");
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let register = next(&mut net);
        answer(&mut net, &register, 480, "");
        let (code, kind, pause) = failure(&mut net, a);
        assert_eq!((code, kind), (480, FailureKind::Refused));
        pauses.push(pause.unwrap());
        net.run_for(pause.unwrap());
    }
    assert!(pauses[0] >= Duration::from_secs(2) && pauses[0] <= Duration::from_secs(4));
    assert!(pauses[3] >= Duration::from_secs(16) && pauses[3] <= Duration::from_secs(32));
    let register = next(&mut net);
    answer(&mut net, &register, 503, "Retry-After: 77 (maintenance)");
    assert_eq!(failure(&mut net, a).2, Some(Duration::from_secs(77)));
}

#[test]
fn an_unreachable_registrar_is_tried_again() {
    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.register(now, registration("<sip:alice@nowhere.invalid>")));
    let (code, kind, pause) = failure(&mut net, a);
    assert_eq!((code, kind), (503, FailureKind::Unreachable));
    net.names.insert("nowhere.invalid".into(), vec![(Transport::Udp, address(REGISTRAR))]);
    net.run_for(pause.unwrap());
    net.settle();
    next(&mut net);
    net.run_for(Duration::from_secs(33));
    assert_eq!(failure(&mut net, a).0, 408);
}

#[test]
fn unregistering_removes_the_contact_and_stops() {
    let (mut net, a, id) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 200, &granted(&first, 120));
    net.events(a);
    net.with(a, |ua, now| ua.unregister(now, id));
    net.settle();
    let last = next(&mut net);
    assert_eq!(last.headers.expires(), Ok(Some(0)));
    assert_eq!(last.headers.contacts(), first.headers.contacts());
    answer(&mut net, &last, 200, "");
    assert!(matches!(&net.events(a)[..], [Event::Unregistered { id: told, .. }] if *told == id));
    net.run_for(Duration::from_secs(600));
    assert!(net.receive(REGISTRAR).is_none() && net.events(a).is_empty());
    net.assert_empty(a);
}

#[test]
fn unregistering_while_a_register_is_on_its_way_removes_what_that_one_made() {
    let (mut net, a, id) = registering("secret");
    let first = next(&mut net);
    net.with(a, |ua, now| ua.unregister(now, id));
    answer(&mut net, &first, 200, &granted(&first, 120));
    let last = next(&mut net);
    assert_eq!(last.headers.expires(), Ok(Some(0)));
    net.run_for(Duration::from_secs(40));
    assert!(matches!(&net.events(a)[..], [Event::Unregistered { .. }]), "also without an answer");
    net.assert_empty(a);
}

#[test]
fn the_address_that_the_registrar_saw_is_told() {
    let (mut net, a, _) = registering("secret");
    let first = next(&mut net);
    let natted =
        reply(&first, 200, "t", &granted(&first, 60)).replace(";rport", ";rport=61000;received=203.0.113.7");
    net.send(REGISTRAR, A, &natted);
    net.settle();
    assert!(
        matches!(net.events(a)[..], [Event::Registered { public: Some(seen), .. }] if seen == address("203.0.113.7:61000"))
    );
}

#[test]
fn a_call_to_our_contact_names_its_registration() {
    let (mut net, a, id) = registering("secret");
    let first = next(&mut net);
    answer(&mut net, &first, 200, &granted(&first, 60));
    net.events(a);
    let contact = first.headers.contacts().unwrap().first().unwrap().uri.to_string();
    net.send(PEER, A, &request("INVITE", &contact, "1", 1, "", ""));
    net.settle();
    assert!(matches!(net.events(a)[..], [Event::Incoming { registration: Some(told), .. }] if told == id));
}

#[test]
fn a_lost_connection_is_registered_anew() {
    let (mut net, a, _) = pair();
    let mut account = registration("<sip:alice@192.0.2.50>");
    account.transport = Some(Transport::Tcp);
    net.with(a, |ua, now| ua.register(now, account));
    net.settle();
    let first = next(&mut net);
    let text = reply(&first, 200, "t", &granted(&first, 3600));
    net.send_over(Transport::Tcp, REGISTRAR, A, &text);
    net.run_for(Duration::from_secs(60));
    let hop = Hop::new(Transport::Tcp, address(A), address(REGISTRAR));
    net.with(a, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason: "eof".into() }));
    net.run_for(Duration::from_secs(2));
    next(&mut net);
}
