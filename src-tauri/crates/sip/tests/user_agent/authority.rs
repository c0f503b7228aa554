//! What is verified of a peer tells connections apart; WebSocket clients have no address.

use sidetone_sip::message::{HeaderName, Message, Request};
use sidetone_sip::{
    Authority, Config, Hop, Input, Invite, Options, Output, Registration, Transport, UserAgent, Way,
};
use std::time::Instant;

use super::kit::{A, PEER, from, invite, registration};
use super::net::address;

const OWN: Authority = Authority(7);

fn of_account() -> Way {
    Way { authority: OWN, ..Way::default() }
}

fn user_agent() -> (UserAgent, Instant) {
    (UserAgent::new(Config::default(), [1; 32]), Instant::now())
}

fn questions(ua: &mut UserAgent) -> Vec<Authority> {
    let authority = |output| match output {
        Output::Resolve { authority, .. } => Some(authority),
        _ => None,
    };
    std::iter::from_fn(|| ua.poll_output()).filter_map(authority).collect()
}

/// The request that goes out once `hop` is found.
fn sent_over(ua: &mut UserAgent, now: Instant, hop: Hop) -> (Hop, Request) {
    while let Some(output) = ua.poll_output() {
        match output {
            Output::Resolve { query, .. } => {
                ua.handle_input(now, Input::Resolved { query, result: Ok(vec![hop]) });
            }
            Output::Transmit { hop, bytes } => match Message::parse(&bytes).unwrap() {
                Message::Request(request) => return (hop, request),
                Message::Response(response) => panic!("{response:?}"),
            },
            _ => {}
        }
    }
    panic!("nothing was sent");
}

#[test]
fn every_question_for_addresses_says_on_whose_word() {
    let (mut ua, now) = user_agent();
    ua.register(now, Registration { authority: OWN, ..registration("sip:alice@example.org") });
    ua.invite(now, Invite { way: of_account(), ..invite("sip:bob@example.org") });
    ua.options(
        now,
        Options { way: of_account(), ..Options::new(from(), "sip:example.org".parse().unwrap()) },
    );
    ua.invite(now, invite("sip:bob@example.org"));
    assert_eq!(questions(&mut ua), [OWN, OWN, OWN, Authority::default()]);
}

#[test]
fn connections_to_one_address_with_different_authorities_are_not_mixed() {
    let (mut ua, now) = user_agent();
    let one = Hop { authority: OWN, ..Hop::new(Transport::Tls, address(A), address(PEER)) };
    let other = Hop { authority: Authority(8), ..one };
    let (first, second) = OPTIONS.split_at(20);
    ua.handle_input(now, Input::Stream { hop: one, bytes: first.as_bytes() });
    ua.handle_input(now, Input::Stream { hop: other, bytes: b"\r\n\r\n" });
    ua.handle_input(now, Input::Stream { hop: one, bytes: second.as_bytes() });
    let sent: Vec<(Hop, Vec<u8>)> = std::iter::from_fn(|| ua.poll_output())
        .filter_map(|output| match output {
            Output::Transmit { hop, bytes } => Some((hop, bytes)),
            _ => None,
        })
        .collect();
    assert_eq!(sent[0], (other, b"\r\n".to_vec()));
    assert!(sent[1].0 == one && sent[1].1.starts_with(b"SIP/2.0 200"), "{sent:?}");
}

#[test]
fn a_websocket_client_names_no_address_of_its_own() {
    for transport in [Transport::Ws, Transport::Wss] {
        let (mut ua, now) = user_agent();
        ua.register(now, registration("sip:alice@example.org"));
        let (_, request) = sent_over(&mut ua, now, Hop::new(transport, address(A), address(PEER)));
        let via = request.headers.get(&HeaderName::VIA).unwrap();
        assert!(via.starts_with(&format!("SIP/2.0/{} ", transport.via_token())), "{via}");
        assert!(via.contains(".invalid;"), "{via}");
        let contact = request.headers.get(&HeaderName::CONTACT).unwrap();
        assert!(contact.contains(".invalid;transport=ws;"), "{contact}");
        assert!(!contact.contains("192.0.2.1"), "{contact}");
    }
}

const OPTIONS: &str = "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\n\
    Via: SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\n\
    From: <sip:peer@192.0.2.9>;tag=a\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: authority\r\n\
    CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
