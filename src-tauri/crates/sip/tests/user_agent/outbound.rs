//! Flows that stay open (RFC 5626), Service-Route (RFC 3608) and GRUU (RFC 5627).

use std::net::SocketAddr;
use std::time::Duration;

use sidetone_sip::message::{HeaderName, Message, Request};
use sidetone_sip::{Event, Hop, Input, Registration, RegistrationId, Subscription, Transport};

use super::kit::*;
use super::net::{Net, address};

const REGISTRAR: &str = "192.0.2.50:5060";
const INSTANCE: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

fn account(transport: Transport) -> Registration {
    Registration {
        transport: Some(transport),
        instance: Some(INSTANCE.into()),
        outbound: true,
        keep_alive: true,
        expires: Duration::from_secs(3600),
        ..registration("\"Alice\" <sip:alice@192.0.2.50>")
    }
}

fn hop(transport: Transport) -> Hop {
    Hop::new(transport, address(A), address(REGISTRAR))
}

fn next_register(net: &mut Net) -> Request {
    let seen = net.receive_all(REGISTRAR);
    let found = requests(&seen).last().copied().cloned().expect("no REGISTER came");
    assert_eq!(found.method.as_str(), "REGISTER");
    found
}

fn grant(net: &mut Net, transport: Transport, register: &Request, contact_params: &str, extra: &str) {
    let contact = register.headers.contacts().unwrap().first().unwrap().uri.clone();
    let extra = format!("Contact: <{contact}>;expires=3600{contact_params}\n{extra}");
    net.send_over(transport, REGISTRAR, A, &reply(register, 200, "t", &extra));
    net.settle();
}

/// Registered over `transport`, its registrar saying `extra`.
fn registered(transport: Transport, extra: &str) -> (Net, usize, RegistrationId) {
    let (mut net, a, _) = pair();
    let id = net.with(a, |ua, now| ua.register(now, account(transport)));
    net.settle();
    let register = next_register(&mut net);
    grant(&mut net, transport, &register, "", extra);
    net.events(a);
    net.log.clear();
    (net, a, id)
}

/// What went to the registrar since the last look that is no message: its bytes and how long after `since`.
fn pings(net: &mut Net) -> Vec<Vec<u8>> {
    let sent = std::mem::take(&mut net.log);
    let to_registrar = sent.into_iter().filter(|(_, hop, _)| hop.remote == address(REGISTRAR));
    to_registrar.map(|(_, _, bytes)| bytes).filter(|bytes| Message::parse(bytes).is_err()).collect()
}

fn pong(net: &mut Net, node: usize) {
    let hop = hop(Transport::Tcp);
    net.with(node, |ua, now| ua.handle_input(now, Input::Stream { hop, bytes: b"\r\n" }));
}

/// A STUN response that shows `mapped`.
fn stun_answer(request: &[u8], mapped: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(mapped) = mapped else { panic!() };
    let mut bytes = vec![1, 1, 0, 12];
    bytes.extend(&request[4..20]);
    bytes.extend([0, 0x20, 0, 8, 0, 1]);
    bytes.extend((mapped.port() ^ 0x2112).to_be_bytes());
    bytes.extend(mapped.ip().octets().iter().zip(COOKIE).map(|(octet, key)| octet ^ key));
    bytes
}

#[test]
fn a_registration_names_its_device_and_its_flow() {
    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.register(now, account(Transport::Tcp)));
    net.settle();
    let register = next_register(&mut net);
    let contact = register.headers.contacts().unwrap().first().unwrap().clone();
    assert_eq!(contact.params.get("+sip.instance"), Some("<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"));
    assert_eq!(contact.params.get("reg-id"), Some("1"));
    let supported = register.headers.supported().unwrap();
    for tag in ["path", "outbound", "gruu"] {
        assert!(supported.contains(&tag.to_owned()), "{tag}");
    }
    let text = String::from_utf8(register.to_bytes()).unwrap();
    assert!(text.contains(";+sip.instance=\"<urn:uuid:"), "{text}");
}

#[test]
fn a_device_name_that_is_no_uuid_is_not_sent() {
    let (mut net, a, _) = pair();
    let instance = Some("1>\";evil=\"\r\nVia: x".to_owned());
    net.with(a, |ua, now| ua.register(now, Registration { instance, ..account(Transport::Udp) }));
    net.settle();
    let register = next_register(&mut net);
    assert!(register.headers.contacts().unwrap().first().unwrap().params.is_empty());
    assert_eq!(register.headers.supported().unwrap(), ["path"]);
}

#[test]
fn a_connection_is_kept_alive_and_a_pong_that_is_missing_closes_it_and_registers_at_once() {
    let (mut net, a, _) = registered(Transport::Tcp, "Require: outbound\nFlow-Timer: 60\n");
    for _ in 0..3 {
        let began = net.now;
        let mut sent = Vec::new();
        while sent.is_empty() {
            net.run_for(Duration::from_secs(1));
            sent = pings(&mut net);
        }
        assert!((46..=61).contains(&(net.now - began).as_secs()), "{:?}", net.now - began);
        assert_eq!(sent, [b"\r\n\r\n"]);
        pong(&mut net, a);
        assert!(pings(&mut net).is_empty(), "a pong is not answered");
        assert!(net.closed.is_empty());
    }
    let mut waited = 0;
    while net.closed.is_empty() {
        net.run_for(Duration::from_secs(1));
        waited += 1;
        assert!(waited < 75);
    }
    assert_eq!(net.closed, [hop(Transport::Tcp)]);
    net.settle();
    next_register(&mut net);
}

#[test]
fn the_pong_of_a_registrar_that_promised_none_is_demanded_once_it_gave_one() {
    let (mut net, a, _) = registered(Transport::Tcp, "");
    net.run_for(Duration::from_secs(1000));
    assert!(pings(&mut net).len() >= 8);
    assert!(net.closed.is_empty(), "it never promised");
    pong(&mut net, a);
    net.run_for(Duration::from_secs(140));
    assert_eq!(net.closed.len(), 1);
}

#[test]
fn over_udp_line_ends_keep_the_binding_and_stun_where_outbound_is_spoken() {
    let (mut net, _, _) = registered(Transport::Udp, "");
    net.run_for(Duration::from_secs(120));
    let sent = pings(&mut net);
    assert!((4..=5).contains(&sent.len()), "{sent:?}");
    assert!(sent.iter().all(|bytes| bytes == b"\r\n\r\n"));

    let (mut net, a, _) = registered(Transport::Udp, "Require: outbound\n");
    for seen in ["203.0.113.7:4000", "203.0.113.7:4000", "203.0.113.7:4001"] {
        let mut sent = Vec::new();
        while sent.is_empty() {
            net.run_for(Duration::from_secs(1));
            sent = pings(&mut net);
        }
        let [request] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((request.len(), &request[..8]), (20, &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..]));
        assert!(net.receive(REGISTRAR).is_none(), "nothing to register for");
        let answer = stun_answer(request, address(seen));
        let hop = hop(Transport::Udp);
        net.with(a, |ua, now| ua.handle_input(now, Input::Datagram { hop, bytes: &answer }));
    }
    net.settle();
    next_register(&mut net);
}

#[test]
fn a_stun_request_is_repeated_and_silence_registers_anew() {
    let (mut net, _, _) = registered(Transport::Udp, "Require: outbound\n");
    net.run_for(Duration::from_secs(41));
    let sent = pings(&mut net);
    assert!(sent.len() >= 5 && sent.iter().all(|bytes| bytes == &sent[0]), "{sent:?}");
    assert!(net.closed.is_empty(), "there is nothing to close");
    next_register(&mut net);
}

#[test]
fn a_stun_answer_of_somebody_else_is_no_sign_of_life() {
    let (mut net, a, _) = registered(Transport::Udp, "Require: outbound\n");
    net.run_for(Duration::from_secs(30));
    let sent = pings(&mut net);
    let mut forged = stun_answer(&sent[0], address("198.51.100.1:1"));
    forged[10] ^= 1;
    let elsewhere = stun_answer(&sent[0], address("198.51.100.1:1"));
    net.with(a, |ua, now| ua.handle_input(now, Input::Datagram { hop: hop(Transport::Udp), bytes: &forged }));
    let other = Hop::new(Transport::Udp, address(A), address(PEER));
    net.with(a, |ua, now| ua.handle_input(now, Input::Datagram { hop: other, bytes: &elsewhere }));
    net.run_for(Duration::from_secs(11));
    next_register(&mut net);
}

#[test]
fn a_flow_that_dies_at_once_again_and_again_is_not_registered_in_a_loop() {
    let (mut net, a, _) = registered(Transport::Tcp, "");
    let mut seconds = Vec::new();
    for second in 1..=100 {
        net.with(a, |ua, now| {
            ua.handle_input(now, Input::StreamClosed { hop: hop(Transport::Tcp), reason: "eof".into() })
        });
        net.run_for(Duration::from_secs(1));
        for register in requests(&net.receive_all(REGISTRAR)) {
            seconds.push(second);
            grant(&mut net, Transport::Tcp, register, "", "");
        }
    }
    // A server that has only been started again is found soon, one that throws us out is asked ever more seldom.
    assert!(seconds.first().is_some_and(|first| *first <= 2), "{seconds:?}");
    assert!(seconds.len() <= 14 && seconds.iter().filter(|second| **second > 50).count() <= 3, "{seconds:?}");
}

#[test]
fn nothing_is_kept_alive_after_unregistering() {
    let (mut net, a, id) = registered(Transport::Udp, "Require: outbound\n");
    net.with(a, |ua, now| ua.unregister(now, id));
    net.settle();
    let last = next_register(&mut net);
    net.send(REGISTRAR, A, &reply(&last, 200, "t", ""));
    net.run_out();
    net.log.clear();
    net.run_for(Duration::from_secs(600));
    assert!(net.log.is_empty());
    net.assert_empty(a);
}

#[test]
fn the_service_route_and_the_gruu_are_kept_and_told() {
    const GRANTED: &str =
        "Service-Route: <sip:p1.home.example;lr>, <sip:p2.home.example;lr>\nRequire: outbound\n";
    let (mut net, a, _) = pair();
    let id = net.with(a, |ua, now| ua.register(now, account(Transport::Udp)));
    net.settle();
    assert!(net.nodes[a].ua.service_route(id).is_empty());
    let register = next_register(&mut net);
    let params =
        ";pub-gruu=\"sip:alice@192.0.2.50;gr=urn:uuid:f81d\";temp-gruu=\"sip:tgruu.7hs@192.0.2.50;gr\"";
    grant(&mut net, Transport::Udp, &register, params, GRANTED);
    let route: Vec<String> = net.nodes[a].ua.service_route(id).iter().map(ToString::to_string).collect();
    assert_eq!(route, ["sip:p1.home.example;lr", "sip:p2.home.example;lr"]);
    assert_eq!(net.nodes[a].ua.gruu(id).unwrap().to_string(), "sip:alice@192.0.2.50;gr=urn:uuid:f81d");

    let mut call = invite("sip:bob@192.0.2.9");
    call.from = sidetone_sip::message::NameAddr::parse("<sip:alice@192.0.2.50>").unwrap();
    net.with(a, |ua, now| ua.invite(now, call.clone()));
    call.anonymous = true;
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let seen = net.receive_all(PEER);
    let contacts: Vec<String> = requests(&seen)
        .iter()
        .map(|invite| invite.headers.contacts().unwrap().first().unwrap().uri.to_string())
        .collect();
    assert_eq!(contacts, ["sip:alice@192.0.2.50;gr=urn:uuid:f81d;ob", "sip:tgruu.7hs@192.0.2.50;gr;ob"]);
}

#[test]
fn a_registrar_that_speaks_no_outbound_gets_plain_contacts() {
    let (mut net, a, id) = registered(Transport::Udp, "Service-Route: nonsense\n");
    assert!(net.nodes[a].ua.service_route(id).is_empty() && net.nodes[a].ua.gruu(id).is_none());
    let mut call = invite("sip:bob@192.0.2.9");
    call.from = sidetone_sip::message::NameAddr::parse("<sip:alice@192.0.2.50>").unwrap();
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let seen = received(&mut net);
    assert_eq!(seen.headers.contacts().unwrap().first().unwrap().uri.to_string(), "sip:alice@192.0.2.1:5060");
    assert!(!seen.headers.has(&HeaderName::ROUTE));
}

#[test]
fn a_gruu_is_no_contact_of_subscriptions_nor_of_accounts_whose_registrar_speaks_no_outbound() {
    for outbound in [false, true] {
        let (mut net, a, _) = pair();
        net.with(a, |ua, now| ua.register(now, account(Transport::Udp)));
        net.settle();
        let register = next_register(&mut net);
        let params = ";pub-gruu=\"sip:alice@192.0.2.50;gr=urn:uuid:f81d\"";
        let extra = if outbound { "Require: outbound\n" } else { "" };
        grant(&mut net, Transport::Udp, &register, params, extra);
        let own = sidetone_sip::message::NameAddr::parse("<sip:alice@192.0.2.50>").unwrap();
        let to = "sip:bob@192.0.2.9".parse().unwrap();
        let lamp = Subscription::new("dialog", "application/dialog-info+xml", own.clone(), to);
        net.with(a, |ua, now| ua.subscribe(now, lamp));
        let call = sidetone_sip::Invite { from: own, ..invite("sip:bob@192.0.2.9") };
        net.with(a, |ua, now| ua.invite(now, call));
        net.settle();
        let seen = net.receive_all(PEER);
        for request in requests(&seen) {
            let contact = request.headers.contacts().unwrap().first().unwrap().uri.to_string();
            let is_call = request.method.as_str() == "INVITE";
            assert_eq!(
                contact.contains("gr="),
                outbound && is_call,
                "{}: {contact}",
                request.method.as_str()
            );
            assert_eq!(contact.ends_with(";ob"), outbound, "{contact}");
        }
        assert_eq!(methods(&seen), ["SUBSCRIBE", "INVITE"]);
    }
}

#[test]
fn several_registrations_live_side_by_side_and_share_a_flow() {
    let (mut net, a, first) = registered(Transport::Tcp, "Require: outbound\nFlow-Timer: 60\n");
    let other = Registration {
        aor: sidetone_sip::message::NameAddr::parse("<sip:bob@192.0.2.50>").unwrap(),
        ..account(Transport::Tcp)
    };
    let second = net.with(a, |ua, now| ua.register(now, other));
    net.settle();
    let register = next_register(&mut net);
    grant(&mut net, Transport::Tcp, &register, "", "Require: outbound\nFlow-Timer: 60\n");
    assert!(matches!(net.events(a)[..], [Event::Registered { id, .. }] if id == second));
    net.log.clear();
    net.run_for(Duration::from_secs(61));
    assert!(pings(&mut net).len() <= 2, "one flow, one keep-alive");
    pong(&mut net, a);
    net.with(a, |ua, now| ua.unregister(now, second));
    net.settle();
    let last = next_register(&mut net);
    net.send_over(Transport::Tcp, REGISTRAR, A, &reply(&last, 200, "t", ""));
    net.run_for(Duration::from_secs(61));
    assert!(!pings(&mut net).is_empty(), "the other registration still needs it");
    assert!(
        net.events(a).iter().all(|event| !matches!(event, Event::Unregistered { id, .. } if *id == first))
    );
}

#[test]
fn without_outbound_at_the_first_hop_it_is_registered_without() {
    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.register(now, account(Transport::Udp)));
    net.settle();
    let register = next_register(&mut net);
    net.send(REGISTRAR, A, &reply(&register, 439, "t", ""));
    net.settle();
    let again = next_register(&mut net);
    assert_eq!(again.headers.supported().unwrap(), ["path", "gruu"]);
    assert_eq!(again.headers.contacts().unwrap().first().unwrap().params.get("reg-id"), None);
}
