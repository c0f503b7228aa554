//! The registrar: RFC 3261 section 10.3.

use std::time::Duration;

use sidetone_sip::digest::Algorithm;
use sidetone_sip::message::{HeaderName, Host, NameAddr, Response};
use sidetone_sip::{Config, Domains, Event, FailureKind, Hop, Input, RegistrarConfig, Transport, Users};

use super::kit::*;
use super::net::{Net, address};

fn open() -> RegistrarConfig {
    RegistrarConfig {
        domains: Domains::List(vec![Host::parse("192.0.2.1").unwrap()]),
        ..RegistrarConfig::default()
    }
}

fn registrar(config: RegistrarConfig) -> (Net, usize) {
    let mut net = Net::new();
    let a = net.add(A, Config { registrar: Some(config), ..Config::default() });
    (net, a)
}

fn register(cseq: u32, extra: &str) -> String {
    request("REGISTER", "sip:192.0.2.1", &format!("r{cseq}"), cseq, "", extra)
        .replace("Contact: <sip:peer@192.0.2.9:5060>\n", "")
}

fn answer_to(net: &mut Net, text: &str) -> Response {
    net.send(PEER, A, text);
    net.settle();
    answered(net)
}

fn contacts(response: &Response) -> Vec<String> {
    response.headers.get_all(&HeaderName::CONTACT).map(str::to_owned).collect()
}

#[test]
fn a_binding_is_made_listed_and_expires() {
    let (mut net, a) = registrar(open());
    let response =
        answer_to(&mut net, &register(1, "Contact: <sip:peer@192.0.2.9:5060>;q=0.5\nExpires: 120\n"));
    assert_eq!(
        (response.status, contacts(&response)),
        (200, vec!["<sip:peer@192.0.2.9:5060>;expires=120;q=0.500".to_owned()])
    );
    let events = net.events(a);
    let [Event::BindingsChanged { user, bindings }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((user.as_str(), bindings.len(), bindings[0].q), ("alice", 1, 500));
    assert_eq!(bindings[0].flow.unwrap().remote, address(PEER));
    assert_eq!(net.nodes[a].ua.bindings("alice").len(), 1);
    net.run_for(Duration::from_secs(60));
    let response = answer_to(&mut net, &register(2, ""));
    assert_eq!(contacts(&response), ["<sip:peer@192.0.2.9:5060>;expires=60;q=0.500"]);
    net.run_for(Duration::from_secs(61));
    assert!(matches!(&net.events(a)[..], [Event::BindingsChanged { bindings, .. }] if bindings.is_empty()));
    net.assert_empty(a);
}

#[test]
fn one_contact_or_all_can_be_removed() {
    let (mut net, a) = registrar(open());
    answer_to(
        &mut net,
        &register(1, "Contact: <sip:one@192.0.2.9>, <sip:two@192.0.2.9>, <sip:three@192.0.2.9>\n"),
    );
    let response = answer_to(&mut net, &register(2, "Contact: <sip:two@192.0.2.9>;expires=0\n"));
    assert_eq!(contacts(&response).len(), 2);
    let response = answer_to(&mut net, &register(3, "Contact: *\nExpires: 0\n"));
    assert_eq!((response.status, contacts(&response).len()), (200, 0));
    assert!(net.nodes[a].ua.bindings("alice").is_empty());
}

#[test]
fn a_star_without_expires_0_is_refused() {
    let (mut net, _) = registrar(open());
    assert_eq!(answer_to(&mut net, &register(1, "Contact: *\n")).status, 400);
    assert_eq!(answer_to(&mut net, &register(2, "Contact: *\nExpires: 60\n")).status, 400);
}

#[test]
fn an_old_cseq_of_the_same_call_id_changes_nothing() {
    let (mut net, a) = registrar(open());
    answer_to(&mut net, &register(5, "Contact: <sip:peer@192.0.2.9>\nExpires: 600\n"));
    assert_eq!(answer_to(&mut net, &register(4, "Contact: <sip:peer@192.0.2.9>\nExpires: 0\n")).status, 500);
    assert_eq!(net.nodes[a].ua.bindings("alice").len(), 1);
    let other =
        register(3, "Contact: <sip:peer@192.0.2.9>\nExpires: 0\n").replace("peer-call", "after-reboot");
    assert_eq!(answer_to(&mut net, &other).status, 200);
    assert!(net.nodes[a].ua.bindings("alice").is_empty());
}

#[test]
fn too_brief_an_interval_gets_423_and_too_long_a_one_is_cut() {
    let (mut net, _) = registrar(open());
    let response = answer_to(&mut net, &register(1, "Contact: <sip:peer@192.0.2.9>;expires=5\n"));
    assert_eq!((response.status, response.headers.min_expires()), (423, Ok(Some(60))));
    let response = answer_to(&mut net, &register(2, "Contact: <sip:peer@192.0.2.9>\nExpires: 9999999\n"));
    assert!(contacts(&response)[0].contains("expires=3600"));
}

#[test]
fn one_bad_contact_among_several_changes_nothing() {
    let (mut net, a) = registrar(open());
    let text = register(1, "Contact: <sip:good@192.0.2.9>;expires=600, <sip:brief@192.0.2.9>;expires=5\n");
    assert_eq!(answer_to(&mut net, &text).status, 423);
    assert!(net.nodes[a].ua.bindings("alice").is_empty());
}

#[test]
fn an_address_of_another_domain_gets_404() {
    let (mut net, _) = registrar(open());
    let text = register(1, "Contact: <sip:peer@192.0.2.9>\n")
        .replace("To: <sip:alice@192.0.2.1>", "To: <sip:alice@other.example>");
    assert_eq!(answer_to(&mut net, &text).status, 404);
}

#[test]
fn bindings_are_bounded() {
    let config = RegistrarConfig { max_users: 2, max_bindings_per_user: 3, ..open() };
    let (mut net, a) = registrar(config);
    let many: Vec<String> = (0..10).map(|n| format!("<sip:c{n}@192.0.2.9>")).collect();
    assert_eq!(answer_to(&mut net, &register(1, &format!("Contact: {}\n", many.join(", ")))).status, 503);
    for n in 0..5 {
        let text = register(n + 2, "Contact: <sip:peer@192.0.2.9>\n")
            .replace("To: <sip:alice@", &format!("To: <sip:user{n}@"));
        assert_eq!(answer_to(&mut net, &text).status, if n < 2 { 200 } else { 503 });
    }
    assert_eq!(net.nodes[a].ua.bindings("user1").len(), 1);
}

#[test]
fn a_websocket_binding_goes_with_its_connection() {
    let (mut net, a) = registrar(open());
    let text = register(1, "Contact: <sip:x@df7jal23ls0d.invalid;transport=ws>\n")
        .replace("/UDP", "/WS")
        .replace('\n', "\r\n");
    let hop = Hop::new(Transport::Ws, address(A), address(PEER));
    net.with(a, |ua, now| ua.handle_input(now, Input::Datagram { hop, bytes: text.as_bytes() }));
    assert_eq!(net.nodes[a].ua.bindings("alice").len(), 1);
    net.with(a, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason: "bye".into() }));
    assert!(net.nodes[a].ua.bindings("alice").is_empty());
}

fn with_users(algorithms: Vec<Algorithm>) -> (Net, usize, usize) {
    let users = Users::List(login("alice", "secret").into_iter().collect());
    let (mut net, a) = registrar(RegistrarConfig { users, algorithms, ..open() });
    let b = net.add(B, Config::default());
    (net, a, b)
}

fn register_from_b(net: &mut Net, b: usize, aor: &str, user: &str, password: &str) -> Event {
    let mut account = registration(aor);
    account.credentials = login(user, password);
    net.with(b, |ua, now| ua.register(now, account));
    net.settle();
    net.events(b).pop().expect("no event")
}

#[test]
fn users_of_the_list_register_with_each_algorithm() {
    for algorithms in
        [vec![Algorithm::Md5], vec![Algorithm::Sha256], vec![Algorithm::Sha512_256, Algorithm::Md5]]
    {
        let (mut net, a, b) = with_users(algorithms);
        let event = register_from_b(&mut net, b, "<sip:alice@192.0.2.1>", "alice", "secret");
        assert!(matches!(event, Event::Registered { .. }), "{event:?}");
        assert_eq!(net.nodes[a].ua.bindings("alice").len(), 1);
    }
}

#[test]
fn wrong_passwords_and_other_peoples_names_are_refused() {
    for (aor, user, password) in [
        ("<sip:alice@192.0.2.1>", "alice", "wrong"),
        ("<sip:nobody@192.0.2.1>", "nobody", "secret"),
        ("<sip:boss@192.0.2.1>", "alice", "secret"),
    ] {
        let (mut net, a, b) = with_users(vec![Algorithm::Sha256, Algorithm::Md5]);
        let event = register_from_b(&mut net, b, aor, user, password);
        assert!(
            matches!(event, Event::RegistrationFailed { kind: FailureKind::AuthenticationFailed, .. }),
            "{aor}: {event:?}"
        );
        assert!(net.nodes[a].ua.bindings("alice").is_empty() && net.nodes[a].ua.bindings("boss").is_empty());
    }
}

#[test]
fn a_registration_is_kept_for_a_day_without_a_gap() {
    let (mut net, a, b) = with_users(vec![Algorithm::Sha256]);
    register_from_b(&mut net, b, "<sip:alice@192.0.2.1>", "alice", "secret");
    for _ in 0..24 {
        net.run_for(Duration::from_secs(3600));
        assert_eq!(net.nodes[a].ua.bindings("alice").len(), 1);
    }
    assert!(net.events(b).iter().all(|event| matches!(event, Event::Registered { .. })));
}

#[test]
fn a_registered_extension_is_called_through_its_flow() {
    let (mut net, a, b) = with_users(vec![Algorithm::Sha256]);
    register_from_b(&mut net, b, "<sip:alice@192.0.2.1>", "alice", "secret");
    let binding = net.nodes[a].ua.bindings("alice").remove(0);
    let mut call = sidetone_sip::Invite::new(
        NameAddr::parse("<sip:echo@192.0.2.1>").unwrap(),
        "sip:alice@192.0.2.1".parse().unwrap(),
        b"v=0".to_vec(),
    );
    call.target = Some(binding.contact);
    call.way.flow = binding.flow;
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    assert!(net.events(b).iter().any(|event| matches!(event, Event::Incoming { registration: Some(_), .. })));
}

#[test]
fn a_contact_of_another_scheme_is_kept_and_listed_but_not_called() {
    let (mut net, a) = registrar(open());
    let both = "Contact: <mailto:peer@a.example>;q=0.9, <sip:peer@192.0.2.9>;q=0.1\n";
    let response = answer_to(&mut net, &register(1, both));
    assert_eq!((response.status, contacts(&response).len()), (200, 2));
    let bindings = net.nodes[a].ua.bindings("alice");
    assert_eq!(
        bindings.iter().map(|binding| binding.contact.to_string()).collect::<Vec<_>>(),
        ["sip:peer@192.0.2.9"]
    );
}

#[test]
fn a_contact_that_is_too_long_to_be_remembered_gets_513() {
    let (mut net, a) = registrar(open());
    let long = format!("Contact: <sip:peer@192.0.2.9;x={}>\n", "y".repeat(3000));
    assert_eq!(answer_to(&mut net, &register(1, &long)).status, 513);
    assert!(net.nodes[a].ua.bindings("alice").is_empty());
}
