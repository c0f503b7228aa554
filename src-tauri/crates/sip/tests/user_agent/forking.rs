use sidetone_sip::message::Request;
use sidetone_sip::{CallEvent, CallId, Config};

use super::kit::*;
use super::net::{Net, ended};

fn ringing(tags: &[&str]) -> (Net, usize, CallId, Request) {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    for tag in tags {
        net.send(PEER, A, &reply(&invite, 180, tag, &format!("Contact: <sip:{tag}@{PEER}>")));
        net.settle();
    }
    (net, a, call, invite)
}

#[test]
fn each_branch_of_a_fork_makes_its_own_early_dialog() {
    let (mut net, a, call, _) = ringing(&["one", "two", "one"]);
    let indices: Vec<usize> = net
        .call_events(a, call)
        .into_iter()
        .filter_map(|event| match event {
            CallEvent::Provisional { early_dialog, .. } => Some(early_dialog),
            _ => None,
        })
        .collect();
    assert_eq!(indices, [0, 1, 0]);
}

#[test]
fn the_second_2xx_of_a_fork_gets_ack_and_bye() {
    let (mut net, a, call, invite) = ringing(&["one", "two"]);
    net.send(PEER, A, &accept(&invite, "two"));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    net.send(PEER, A, &accept(&invite, "one"));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "BYE"]);
    for request in requests(&seen) {
        assert_eq!(request.uri.user.as_deref(), Some("one"));
        assert_eq!(request.headers.to().unwrap().tag(), Some("one"));
    }
    net.send(PEER, A, &reply(requests(&seen)[1], 200, "one", ""));
    net.settle();
    let events = net.call_events(a, call);
    let answers = events.iter().filter(|event| matches!(event, CallEvent::Answered { .. })).count();
    assert_eq!((answers, ended(&events)), (1, None), "the first branch goes on");
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let bye = received(&mut net);
    assert_eq!(bye.headers.to().unwrap().tag(), Some("two"));
    net.send(PEER, A, &reply(&bye, 200, "two", ""));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn each_2xx_again_gets_the_same_ack_again() {
    let (mut net, a, _, invite) = ringing(&[]);
    for _ in 0..3 {
        net.send(PEER, A, &accept(&invite, "one"));
        net.settle();
    }
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "ACK", "ACK"]);
    assert_eq!(seen[0], seen[2]);
    assert_eq!(net.events(a).iter().filter(|event| format!("{event:?}").contains("Answered")).count(), 1);
}

#[test]
fn the_answer_of_an_early_dialog_serves_a_2xx_without_a_body() {
    let (mut net, a, call, invite) = ringing(&[]);
    let early = accept(&invite, "one").replacen("200 OK", "183 Session Progress", 1);
    net.send(PEER, A, &early);
    net.settle();
    net.send(PEER, A, &reply(&invite, 200, "one", &format!("Contact: <sip:one@{PEER}>")));
    net.settle();
    let events = net.call_events(a, call);
    assert!(matches!(events.last(), Some(CallEvent::Answered { sdp, .. }) if sdp == b"v=0 answer"));
}

#[test]
fn a_fork_bomb_makes_no_more_dialogs_than_the_limit() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_early_dialogs: 4, ..Config::default() });
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    for tag in 0..50 {
        net.send(PEER, A, &reply(&invite, 180, &format!("t{tag}"), "Contact: <sip:t@192.0.2.9>"));
    }
    net.settle();
    assert_eq!(net.call_events(a, call).len(), 4);
    for tag in 0..50 {
        net.send(PEER, A, &accept(&invite, &format!("t{tag}")));
    }
    net.settle();
    assert!(net.receive_all(PEER).len() <= 8);
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_redirection_is_followed_to_the_best_contact_first() {
    let (mut net, a, call, invite) = ringing(&[]);
    let contacts = "Contact: <sip:second@192.0.2.8>;q=0.2, <sip:first@192.0.2.7>;q=0.9\n";
    net.send(PEER, A, &reply(&invite, 302, "t", contacts));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    let first = net.receive_all("192.0.2.7:5060");
    let again = requests(&first)[0];
    assert_eq!(again.uri.to_string(), "sip:first@192.0.2.7");
    assert_eq!(again.headers.cseq().unwrap().number, 2);
    assert_eq!(again.headers.call_id(), invite.headers.call_id());
    assert_eq!(again.headers.to(), invite.headers.to());
    net.send("192.0.2.7:5060", A, &reply(again, 404, "t2", ""));
    net.settle();
    let second = net.receive_all("192.0.2.8:5060");
    assert_eq!(requests(&second)[0].uri.user.as_deref(), Some("second"));
    net.send("192.0.2.8:5060", A, &reply(requests(&second)[0], 486, "t3", ""));
    net.settle();
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 486);
}

#[test]
fn redirections_in_a_circle_end() {
    let (mut net, a, call, mut invite) = ringing(&[]);
    for turn in 0..20 {
        let contact = format!("Contact: <sip:turn{turn}@192.0.2.9>\n");
        net.send(PEER, A, &reply(&invite, 302, "t", &contact));
        net.settle();
        match requests(&net.receive_all(PEER)).into_iter().find(|request| request.method.as_str() == "INVITE")
        {
            Some(next) => invite = next.clone(),
            None => break,
        }
    }
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 302);
}
