//! Several hops, several transports: RFC 3263 section 4.3, RFC 3261 section 18.1.1.

use sidetone_sip::message::HeaderName;
use sidetone_sip::{CallEvent, Input, Side, Transport};

use super::kit::*;
use super::net::{Net, address, ended};

const FIRST: &str = "192.0.2.31:5060";
const SECOND: &str = "192.0.2.32:5060";

fn two_servers(transport: Transport) -> (Net, usize) {
    let (mut net, a, _) = pair();
    net.names.insert("far.example".into(), vec![(transport, address(FIRST)), (transport, address(SECOND))]);
    (net, a)
}

#[test]
fn the_next_hop_is_tried_after_503() {
    let (mut net, a) = two_servers(Transport::Udp);
    let call = place(&mut net, a, "sip:bob@far.example");
    net.settle();
    let first = requests(&net.receive_all(FIRST))[0].clone();
    net.send(FIRST, A, &reply(&first, 503, "t", ""));
    net.settle();
    let second = requests(&net.receive_all(SECOND))[0].clone();
    assert_ne!(first.headers.top_via().unwrap().branch(), second.headers.top_via().unwrap().branch());
    assert_eq!(first.headers.cseq(), second.headers.cseq());
    net.send(SECOND, A, &reply(&second, 503, "t", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().by, Side::Remote);
}

#[test]
fn the_next_hop_is_tried_after_a_transport_failure() {
    let (mut net, a) = two_servers(Transport::Tcp);
    net.refused.insert((Transport::Tcp, address(FIRST)));
    let call = place(&mut net, a, "sip:bob@far.example");
    net.settle();
    assert_eq!(methods(&net.receive_all(SECOND)), ["INVITE"]);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn when_every_hop_fails_the_call_ends_with_503() {
    let (mut net, a) = two_servers(Transport::Tcp);
    net.refused.insert((Transport::Tcp, address(FIRST)));
    net.refused.insert((Transport::Tcp, address(SECOND)));
    let call = place(&mut net, a, "sip:bob@far.example");
    let cause = ended(&net.call_events(a, call)).unwrap();
    assert_eq!((cause.code, cause.text.as_str(), cause.by), (503, "refused", Side::Network));
    net.assert_empty(a);
}

#[test]
fn the_next_hop_is_tried_after_a_silent_one() {
    let (mut net, a) = two_servers(Transport::Udp);
    place(&mut net, a, "sip:bob@far.example");
    net.run_for(std::time::Duration::from_secs(33));
    assert_eq!(methods(&net.receive_all(SECOND))[0], "INVITE");
}

#[test]
fn nothing_is_tried_again_once_the_user_hung_up() {
    let (mut net, a) = two_servers(Transport::Udp);
    let call = place(&mut net, a, "sip:bob@far.example");
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    let first = requests(&net.receive_all(FIRST))[0].clone();
    net.send(FIRST, A, &reply(&first, 503, "t", ""));
    net.settle();
    assert!(net.receive_all(SECOND).is_empty());
    net.run_out();
    net.assert_empty(a);
}

fn large() -> sidetone_sip::Invite {
    let mut call = invite("sip:peer@192.0.2.9");
    call.offer = vec![b'x'; 1500];
    call
}

#[test]
fn a_request_too_large_for_udp_goes_over_tcp() {
    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.invite(now, large()));
    let (_, hop, _) = net.log.last().unwrap();
    assert_eq!(hop.transport, Transport::Tcp);
    net.settle();
    let seen = received(&mut net);
    assert_eq!(seen.headers.top_via().unwrap().transport.as_str(), "TCP");
}

#[test]
fn a_large_request_falls_back_to_udp_if_tcp_is_refused() {
    let (mut net, a, _) = pair();
    net.refused.insert((Transport::Tcp, address(PEER)));
    let call = net.with(a, |ua, now| ua.invite(now, large()));
    net.settle();
    let seen = received(&mut net);
    assert_eq!(seen.headers.top_via().unwrap().transport.as_str(), "UDP");
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_small_request_stays_on_udp() {
    let (mut net, a, _) = pair();
    place(&mut net, a, "sip:peer@192.0.2.9");
    assert!(net.log.iter().all(|(_, hop, bytes)| hop.transport == Transport::Udp && bytes.len() <= 1300));
}

#[test]
fn a_call_over_tcp_names_its_transport_in_via_and_contact() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2;transport=tcp");
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0".to_vec()));
    net.settle();
    assert!(
        net.call_events(a, ours)
            .iter()
            .any(|event| matches!(event, CallEvent::Answered { hop, .. } if hop.transport == Transport::Tcp))
    );
    net.with(b, |ua, now| ua.hang_up(now, theirs, None));
    net.settle();
    assert!(ended(&net.call_events(a, ours)).is_some());
    assert!(net.log.iter().all(|(_, hop, _)| hop.transport == Transport::Tcp));
    let invite = String::from_utf8_lossy(&net.log[0].2).into_owned();
    assert!(
        invite.contains("Via: SIP/2.0/TCP 192.0.2.1:5060")
            && invite.contains("Contact: <sip:alice@192.0.2.1:5060;transport=tcp>"),
        "{invite}"
    );
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_response_goes_to_the_via_when_its_connection_is_gone() {
    let (mut net, a, _) = pair();
    let source = "192.0.2.9:40123";
    let text = request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    net.send_over(Transport::Tcp, source, A, &text);
    net.settle();
    let call = net.incoming(a);
    let hop = sidetone_sip::Hop::new(Transport::Tcp, address(A), address(source));
    net.with(a, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason: "reset".into() }));
    net.with(a, |ua, now| ua.reject(now, call, 486, ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [486]);
}

#[test]
fn a_challenge_after_tcp_was_refused_is_answered_over_udp() {
    let (mut net, a, _) = pair();
    net.refused.insert((Transport::Tcp, address(PEER)));
    let mut call = large();
    call.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    call.way.credentials = login("alice", "secret");
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let first = received(&mut net);
    let challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    net.send(PEER, A, &reply(&first, 407, "t", challenge));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "INVITE"]);
    assert!(requests(&seen)[1].headers.has(&HeaderName::PROXY_AUTHORIZATION));
}

#[test]
fn a_hop_that_failed_comes_last_for_a_while() {
    let (mut net, a) = two_servers(Transport::Tcp);
    net.refused.insert((Transport::Tcp, address(FIRST)));
    place(&mut net, a, "sip:bob@far.example");
    net.settle();
    net.refused.clear();
    net.receive_all(SECOND);
    place(&mut net, a, "sip:bob@far.example");
    net.settle();
    assert_eq!(methods(&net.receive_all(SECOND)), ["INVITE"], "straight to the one that answers");
    assert!(net.receive(FIRST).is_none());
    net.run_for(std::time::Duration::from_secs(121));
    place(&mut net, a, "sip:bob@far.example");
    net.settle();
    assert_eq!(methods(&net.receive_all(FIRST)), ["INVITE"]);
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_left_alone_for_that_long() {
    let (mut net, a) = two_servers(Transport::Udp);
    place(&mut net, a, "sip:bob@far.example");
    net.settle();
    let first = requests(&net.receive_all(FIRST))[0].clone();
    net.send(FIRST, A, &reply(&first, 503, "t", "Retry-After: 600"));
    net.settle();
    net.run_for(std::time::Duration::from_secs(500));
    net.receive_all(FIRST);
    net.receive_all(SECOND);
    place(&mut net, a, "sip:bob@far.example");
    net.settle();
    assert!(net.receive(FIRST).is_none());
    let second = requests(&net.receive_all(SECOND))[0].clone();
    net.send(SECOND, A, &reply(&second, 503, "t", ""));
    net.settle();
    assert_eq!(methods(&net.receive_all(FIRST)), ["INVITE"], "it is still the last resort");
}
