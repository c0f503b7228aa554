//! 401 and 407 on calls, and the digest leak.

use sidetone_sip::digest::{Algorithm, Authenticator, Kind};
use sidetone_sip::message::{HeaderName, Request};
use sidetone_sip::{CallEvent, CallId, Domains, Event, RegistrarConfig, Users};

use super::kit::*;
use super::net::{Net, ended};

const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\n";

/// A calls PEER over it as outbound proxy, with credentials.
fn calling(password: Option<&str>) -> (Net, usize, CallId) {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:bob@far.example");
    call.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    call.way.credentials = password.and_then(|password| login("alice", password));
    let id = net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    (net, a, id)
}

fn has_credentials(request: &Request) -> bool {
    request.headers.has(&HeaderName::AUTHORIZATION) || request.headers.has(&HeaderName::PROXY_AUTHORIZATION)
}

#[test]
fn an_invite_is_sent_again_with_credentials_and_a_higher_cseq() {
    for (status, header) in [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")] {
        let (mut net, _, _) = calling(Some("secret"));
        let first = received(&mut net);
        assert!(!has_credentials(&first));
        let challenge = CHALLENGE.replace("Proxy-Authenticate", header);
        net.send(PEER, A, &reply(&first, status, "t", &challenge));
        net.settle();
        let seen = net.receive_all(PEER);
        assert_eq!(methods(&seen), ["ACK", "INVITE"]);
        let again = requests(&seen)[1];
        assert!(has_credentials(again));
        assert_eq!(again.headers.cseq().unwrap().number, 2);
        assert_eq!(again.headers.call_id(), first.headers.call_id());
        assert_ne!(again.headers.top_via(), first.headers.top_via());
        assert_eq!(again.headers.to().unwrap().tag(), None);
    }
}

#[test]
fn the_best_of_several_challenges_is_answered() {
    let (mut net, _, _) = calling(Some("secret"));
    let first = received(&mut net);
    let sha = CHALLENGE.replace("algorithm=MD5", "algorithm=SHA-256");
    net.send(PEER, A, &reply(&first, 407, "t", &format!("{CHALLENGE}{sha}")));
    net.settle();
    let seen = net.receive_all(PEER);
    let sent = requests(&seen)[1].headers.authorizations().unwrap();
    assert_eq!((sent.len(), sent[0].algorithm), (1, Some(Algorithm::Sha256)));
}

#[test]
fn a_stale_nonce_is_replaced_but_a_second_challenge_is_the_end() {
    let (mut net, a, call) = calling(Some("wrong"));
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let second = requests(&net.receive_all(PEER))[1].clone();
    let stale = CHALLENGE.replace("n1", "n2").replace("Digest", "Digest stale=true,");
    net.send(PEER, A, &reply(&second, 407, "t2", &stale));
    net.settle();
    let third = requests(&net.receive_all(PEER))[1].clone();
    assert_eq!(third.headers.authorizations().unwrap()[0].nonce, "n2");
    net.send(PEER, A, &reply(&third, 407, "t3", &CHALLENGE.replace("n1", "n3")));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 407);
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn endless_stale_nonces_end_too() {
    let (mut net, a, call) = calling(Some("secret"));
    for turn in 0..50 {
        let Some(invite) =
            requests(&net.receive_all(PEER)).into_iter().find(|r| r.method.as_str() == "INVITE").cloned()
        else {
            break;
        };
        let stale = CHALLENGE.replace("n1", &format!("m{turn}")).replace("Digest", "Digest stale=true,");
        net.send(PEER, A, &reply(&invite, 407, "t", &stale));
        net.settle();
    }
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 407);
}

#[test]
fn without_credentials_a_challenge_ends_the_call() {
    let (mut net, a, call) = calling(None);
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 407);
}

#[test]
fn a_foreign_domain_gets_no_credentials() {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:mallory@192.0.2.9");
    call.way.credentials = login("alice", "secret");
    let id = net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 401, "t", &CHALLENGE.replace("Proxy-Authenticate", "WWW-Authenticate")));
    net.settle();
    assert!(net.receive_all(PEER).iter().all(|message| !has_credentials(message.as_request().unwrap())));
    assert_eq!(ended(&net.call_events(a, id)).unwrap().code, 401);
}

#[test]
fn a_redirection_to_a_foreign_domain_takes_no_credentials_along() {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:bob@192.0.2.1");
    call.to = "sip:bob@home.example".parse().unwrap();
    call.from = sidetone_sip::message::NameAddr::parse("<sip:alice@home.example>").unwrap();
    call.way.credentials = login("alice", "secret");
    net.names.insert("home.example".into(), vec![(sidetone_sip::Transport::Udp, super::net::address(PEER))]);
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let second = requests(&net.receive_all(PEER))[1].clone();
    assert!(has_credentials(&second));
    net.send(PEER, A, &reply(&second, 302, "t", "Contact: <sip:x@192.0.2.66>"));
    net.settle();
    let elsewhere = net.receive_all("192.0.2.66:5060");
    assert_eq!(methods(&elsewhere), ["INVITE"]);
    assert!(!has_credentials(requests(&elsewhere)[0]));
}

/// The attack of the "SIP digest leak": the victim is called, answers, hangs up, and its BYE is challenged.
#[test]
fn a_caller_who_challenges_our_bye_gets_no_digest() {
    let (mut net, a, _) = pair();
    let mut account = registration("<sip:alice@home.example>");
    account.credentials = login("alice", "secret");
    net.names.insert(
        "home.example".into(),
        vec![(sidetone_sip::Transport::Udp, super::net::address("192.0.2.50:5060"))],
    );
    net.with(a, |ua, now| ua.register(now, account));
    net.settle();
    let register = requests(&net.receive_all("192.0.2.50:5060"))[0].clone();
    let home = CHALLENGE.replace("Proxy-Authenticate", "WWW-Authenticate");
    net.send("192.0.2.50:5060", A, &reply(&register, 401, "t", &home));
    net.settle();
    let again = requests(&net.receive_all("192.0.2.50:5060"))[0].clone();
    net.send("192.0.2.50:5060", A, &reply(&again, 200, "t", ""));
    net.settle();

    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    let tag = net.receive_all(PEER)[1].headers().to().unwrap().tag().unwrap().to_owned();
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "2", 1, &tag, ""));
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let bye = received(&mut net);
    assert!(!has_credentials(&bye));
    for (status, challenge) in [(401, &home), (407, &CHALLENGE.to_owned())] {
        net.send(PEER, A, &reply(&bye, status, "", challenge));
        net.settle();
    }
    assert!(net.receive_all(PEER).is_empty(), "even though the realm is that of our registrar");
    net.run_for(std::time::Duration::from_secs(60));
    assert_eq!(net.load(a).calls, 0);
}

#[test]
fn our_own_server_may_challenge_our_bye() {
    let (mut net, a, call) = calling(Some("secret"));
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let second = requests(&net.receive_all(PEER))[1].clone();
    net.send(PEER, A, &accept(&second, "t"));
    net.settle();
    net.receive_all(PEER);
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let bye = received(&mut net);
    assert_eq!(bye.headers.authorizations().unwrap()[0].nc, Some(2), "the nonce is used on, and counted");
    net.send(PEER, A, &reply(&bye, 407, "t", &CHALLENGE.replace("n1", "n2")));
    net.settle();
    let again = received(&mut net);
    assert_eq!(again.headers.authorizations().unwrap()[0].nonce, "n2");
    assert!(again.headers.cseq().unwrap().number > bye.headers.cseq().unwrap().number);
    net.send(PEER, A, &reply(&again, 407, "t", &CHALLENGE.replace("home", "elsewhere")));
    net.settle();
    assert!(net.receive_all(PEER).is_empty(), "another realm is not answered");
    net.run_out();
    net.assert_empty(a);
}

fn gateway() -> (Net, usize, usize) {
    let mut net = Net::new();
    let a = net.add(A, Default::default());
    let users = Users::List(login("alice", "secret").into_iter().collect());
    let registrar = RegistrarConfig { users, domains: Domains::Any, ..RegistrarConfig::default() };
    let b = net.add(B, sidetone_sip::Config { registrar: Some(registrar), ..Default::default() });
    (net, a, b)
}

#[test]
fn a_gateway_with_users_challenges_callers_and_tells_who_they_are() {
    let (mut net, a, b) = gateway();
    let mut call = invite("sip:echo@192.0.2.2");
    call.from = sidetone_sip::message::NameAddr::parse("<sip:alice@192.0.2.2>").unwrap();
    call.way.credentials = login("alice", "secret");
    net.with(a, |ua, now| ua.invite(now, call.clone()));
    net.settle();
    let who = net.events(b).into_iter().find_map(|event| match event {
        Event::Incoming { authenticated, .. } => authenticated,
        _ => None,
    });
    assert_eq!(who.as_deref(), Some("alice"));

    call.way.credentials = login("alice", "wrong");
    let wrong = net.with(a, |ua, now| ua.invite(now, call.clone()));
    net.settle();
    assert_eq!(ended(&net.call_events(a, wrong)).unwrap().code, 407);
    call.from = sidetone_sip::message::NameAddr::parse("<sip:boss@192.0.2.2>").unwrap();
    call.way.credentials = login("alice", "secret");
    let other = net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    assert_eq!(ended(&net.call_events(a, other)).unwrap().code, 403, "a user may not call as another");
    assert!(net.events(b).is_empty());
}

#[test]
fn an_unauthenticated_invite_leaves_no_state() {
    let (mut net, _, b) = gateway();
    for branch in 0..100 {
        net.send(PEER, B, &request("INVITE", "sip:echo@192.0.2.2", &branch.to_string(), 1, "", ""));
    }
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).iter().all(|status| *status == 407));
    net.assert_empty(b);
}

#[test]
fn credentials_are_never_shown_by_debug() {
    let (mut net, a, _) = calling(Some("hunter2"));
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    assert!(!format!("{:?}", net.nodes[a].ua).contains("hunter2"));
}

#[test]
fn the_answer_satisfies_a_real_authenticator() {
    for algorithm in Algorithm::ALL {
        let (mut net, _, _) = calling(Some("secret"));
        let mut server = Authenticator::new(Kind::Proxy, "home", &[algorithm], [9; 32]);
        let first = received(&mut net);
        let (name, value) = server.challenges(net.now, false).remove(0);
        net.send(PEER, A, &reply(&first, 407, "t", &format!("{name}: {value}")));
        net.settle();
        let again = requests(&net.receive_all(PEER))[1].clone();
        let verdict = server.check(net.now, &again, |_| Some("secret".into()));
        assert!(format!("{verdict:?}").starts_with("Accepted"), "{algorithm}: {verdict:?}");
    }
}

#[test]
fn the_call_is_answered_after_the_challenge() {
    let (mut net, a, call) = calling(Some("secret"));
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 407, "t", CHALLENGE));
    net.settle();
    let second = requests(&net.receive_all(PEER))[1].clone();
    net.send(PEER, A, &accept(&second, "t"));
    net.settle();
    assert!(net.call_events(a, call).iter().any(|event| matches!(event, CallEvent::Answered { .. })));
    let ack = received(&mut net);
    assert_eq!((ack.method.as_str(), ack.headers.cseq().unwrap().number), ("ACK", 2));
}
