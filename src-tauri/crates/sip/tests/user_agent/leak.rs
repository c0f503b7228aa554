//! Challenges inside a dialog: only our own proxy gets an answer, whatever the method.

use sidetone_sip::message::{HeaderName, Message, Request};
use sidetone_sip::{CallId, Invite, Refer, Way};

use super::kit::*;
use super::net::Net;

const CHALLENGE: &str = "Digest realm=\"192.0.2.1\", nonce=\"n\", qop=\"auth\", algorithm=MD5";

fn has_credentials(request: &Request) -> bool {
    request.headers.has(&HeaderName::AUTHORIZATION) || request.headers.has(&HeaderName::PROXY_AUTHORIZATION)
}

/// A, with credentials, calls PEER, who answers reliably first, refers, and then challenges everything that it gets.
fn everything(net: &mut Net, a: usize, call: CallId, invite: &Request) -> Vec<Request> {
    let mut seen = Vec::new();
    let early = format!("Contact: <sip:peer@{PEER}>\nRequire: 100rel\nRSeq: 1\nAllow: UPDATE");
    net.send(PEER, A, &reply(invite, 183, "peertag", &early));
    net.settle();
    seen.extend(challenged(net));
    net.send(PEER, A, &accept(invite, "peertag"));
    net.settle();
    let refer = "Refer-To: <sip:carol@192.0.2.3>\n";
    net.send(PEER, A, &request_back(invite, "REFER", "r", 1, refer));
    net.settle();
    net.with(a, |ua, now| ua.accept_refer(now, call));
    net.with(a, |ua, now| ua.info(now, call, "application/dtmf-relay", b"Signal=1".to_vec()));
    net.with(a, |ua, now| ua.refer(now, call, Refer::blind("sip:dave@192.0.2.4".parse().unwrap())));
    net.with(a, |ua, now| ua.update(now, call, Some(b"v=0".to_vec())));
    net.settle();
    seen.extend(challenged(net));
    net.with(a, |ua, now| ua.reinvite(now, call, b"v=0".to_vec()));
    net.settle();
    seen.extend(challenged(net));
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    seen.extend(challenged(net));
    seen
}

/// What PEER has got, each but ACK answered by a challenge, with what came after that.
fn challenged(net: &mut Net) -> Vec<Request> {
    let mut seen = Vec::new();
    for _ in 0..2 {
        for message in net.receive_all(PEER) {
            let Message::Request(request) = message else { continue };
            if request.method.as_str() != "ACK" && !has_credentials(&request) {
                let challenge = format!("Proxy-Authenticate: {CHALLENGE}");
                net.send(PEER, A, &reply(&request, 407, "peertag", &challenge));
            } else if request.method.as_str() != "ACK" {
                net.send(PEER, A, &reply(&request, 200, "peertag", ""));
            }
            seen.push(request);
        }
        net.settle();
    }
    seen
}

fn methods_of(seen: &[Request]) -> Vec<&str> {
    let mut methods: Vec<&str> = seen.iter().map(|request| request.method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    methods
}

const ALL: [&str; 8] = ["ACK", "BYE", "INFO", "INVITE", "NOTIFY", "PRACK", "REFER", "UPDATE"];

#[test]
fn a_peer_that_challenges_gets_no_credentials_for_any_method() {
    let (mut net, a, _) = pair();
    let invite = Invite { way: as_user("alice", "secret"), ..invite("sip:peer@192.0.2.9") };
    let call = net.with(a, |ua, now| ua.invite(now, invite));
    net.settle();
    let invite = received(&mut net);
    let seen = everything(&mut net, a, call, &invite);
    assert_eq!(methods_of(&seen), ALL);
    assert!(!seen.iter().any(has_credentials));
}

#[test]
fn our_proxy_that_challenges_gets_them_for_every_method() {
    let (mut net, a, _) = pair();
    let invite = Invite {
        way: Way { route: vec!["sip:192.0.2.9;lr".parse().unwrap()], ..as_user("alice", "secret") },
        ..invite("sip:peer@192.0.2.9")
    };
    let call = net.with(a, |ua, now| ua.invite(now, invite));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "x", &format!("Proxy-Authenticate: {CHALLENGE}")));
    net.settle();
    let invite = requests(&net.receive_all(PEER))[1].clone();
    assert!(has_credentials(&invite));
    let seen = everything(&mut net, a, call, &invite);
    assert_eq!(methods_of(&seen), ALL);
    let without: Vec<&str> = seen
        .iter()
        .filter(|request| !has_credentials(request))
        .map(|request| request.method.as_str())
        .filter(|method| *method != "ACK")
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn another_port_of_our_own_host_is_not_our_server() {
    for (uri, is_ours) in
        [("sip:bob@192.0.2.1", true), ("sip:bob@192.0.2.1:5060", true), ("sip:bob@192.0.2.1:5066", false)]
    {
        let (mut net, a, _) = pair();
        // the host of our own address leads to PEER, whatever its port
        net.hold_questions = true;
        let invite = Invite { way: as_user("alice", "secret"), ..invite(uri) };
        net.with(a, |ua, now| ua.invite(now, invite));
        let (_, query, _, _) = net.questions.pop().unwrap();
        let hop = sidetone_sip::Hop::new(
            sidetone_sip::Transport::Udp,
            super::net::address(A),
            super::net::address(PEER),
        );
        let answer = sidetone_sip::Input::Resolved { query, result: Ok(vec![hop]) };
        net.with(a, |ua, now| ua.handle_input(now, answer));
        net.settle();
        let first = received(&mut net);
        net.send(PEER, A, &reply(&first, 401, "x", &format!("WWW-Authenticate: {CHALLENGE}")));
        net.settle();
        let answered = requests(&net.receive_all(PEER)).iter().any(|request| has_credentials(request));
        assert_eq!(answered, is_ours, "{uri}");
    }
}
