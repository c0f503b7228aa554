//! Session timers: RFC 4028, both roles.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Message, Request, Response};
use sidetone_sip::{CallEvent, CallId, Config, Invite, Side};

use super::kit::*;
use super::net::{Net, address, ended};

const MINUTES: fn(u64) -> Duration = |minutes| Duration::from_secs(minutes * 60);

fn session_of(message: &Message) -> Option<&str> {
    message.headers().get(&HeaderName::SESSION_EXPIRES)
}

/// A and B in a call whose session lasts `seconds`.
fn in_session(seconds: u64) -> (Net, usize, usize, CallId, CallId) {
    let session_expires = Some(Duration::from_secs(seconds));
    connected_by(Invite { session_expires, ..invite("sip:bob@192.0.2.2") })
}

fn sent(net: &Net, method: &str) -> usize {
    net.log.iter().filter(|(_, _, bytes)| bytes.starts_with(method.as_bytes())).count()
}

/// A calls PEER with a session of `seconds`: the call and its INVITE, not answered yet.
fn inviting(seconds: u64) -> (Net, usize, CallId, Request) {
    let (mut net, a, _) = pair();
    let invite =
        Invite { session_expires: Some(Duration::from_secs(seconds)), ..invite("sip:peer@192.0.2.9") };
    let call = net.with(a, |ua, now| ua.invite(now, invite));
    net.settle();
    let invite = received(&mut net);
    (net, a, call, invite)
}

fn accept_with(to: &Request, extra: &str) -> String {
    let text = accept(to, "peertag").replace("\r\n", "\n");
    text.replacen("Content-Type", &format!("{extra}Content-Type"), 1)
}

/// PEER calls A, who answers: what A said.
fn answering(extra: &str, config: Config) -> (Net, usize, CallId, Response) {
    let (mut net, a, call) = incoming(&with_sdp(&invitation(10, extra), "v=0"), config);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    let response = answered(&mut net);
    let tag = own_tag(&response);
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1a", 10, &tag, ""));
    net.settle();
    net.events(a);
    (net, a, call, response)
}

#[test]
fn a_session_between_two_user_agents_is_refreshed_for_as_long_as_both_are_there() {
    let (mut net, a, b, ours, theirs) = in_session(90);
    net.run_for(MINUTES(10));
    assert!(net.call_events(a, ours).is_empty() && net.call_events(b, theirs).is_empty());
    assert!((12..15).contains(&sent(&net, "UPDATE")), "{}", sent(&net, "UPDATE"));
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_lost_bye_ends_the_call_when_its_session_expires() {
    let (mut net, a, b, ours, theirs) = in_session(90);
    net.unplugged.insert(address(A));
    net.run_for(MINUTES(2));
    for (node, call) in [(a, ours), (b, theirs)] {
        let cause = ended(&net.call_events(node, call)).unwrap();
        assert_eq!((cause.code, cause.text.as_str(), cause.by), (408, "Session expired", Side::Network));
    }
    let byes: Vec<String> = net
        .log
        .iter()
        .map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .filter(|text| text.starts_with("BYE"))
        .collect();
    assert!(byes[0].contains("Reason: SIP;cause=408;text=\"Session expired\""), "{}", byes[0]);
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_network_that_is_away_for_less_than_the_session_does_not_end_the_call() {
    let (mut net, a, b, ours, theirs) = in_session(300);
    net.run_for(Duration::from_secs(140));
    net.unplugged.insert(address(A));
    net.run_for(Duration::from_secs(45));
    net.unplugged.clear();
    net.run_for(MINUTES(20));
    assert!(ended(&net.call_events(a, ours)).is_none());
    assert!(ended(&net.call_events(b, theirs)).is_none());
}

#[test]
fn a_peer_without_update_is_refreshed_by_a_reinvite_with_the_same_sdp() {
    let (mut net, a, call, invite) = inviting(100);
    assert_eq!(invite.headers.get(&HeaderName::SESSION_EXPIRES), Some("100"));
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 100;refresher=uac\nRequire: timer\n"));
    net.run_for(Duration::from_secs(50));
    net.receive_all(PEER);
    net.run_for(Duration::from_millis(300));
    let refresh = received(&mut net);
    assert_eq!((refresh.method.as_str(), &refresh.body), ("INVITE", &invite.body));
    assert_eq!(refresh.headers.get(&HeaderName::SESSION_EXPIRES), Some("100;refresher=uac"));
    net.call_events(a, call);
    net.send(PEER, A, &accept_with(&refresh, "Session-Expires: 100;refresher=uac\n"));
    net.settle();
    assert!(net.call_events(a, call).is_empty(), "the same answer is no news");
    net.run_for(Duration::from_secs(50));
    let again = net.receive_all(PEER);
    assert_eq!(methods(&again), ["ACK", "INVITE"]);
    let moved = accept_with(requests(&again)[1], "Session-Expires: 100;refresher=uac\n")
        .replace("v=0 answer", "v=0 moved!");
    net.send(PEER, A, &moved);
    net.settle();
    assert!(
        matches!(&net.call_events(a, call)[..], [CallEvent::ReofferAnswered { sdp }] if sdp == b"v=0 moved!")
    );
}

#[test]
fn a_refused_update_is_followed_by_a_reinvite() {
    let (mut net, a, call, invite) = inviting(100);
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 100;refresher=uac\nAllow: UPDATE\n"));
    net.run_for(Duration::from_millis(50_300));
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "UPDATE"]);
    net.send(PEER, A, &reply(requests(&seen)[1], 405, "peertag", ""));
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["INVITE"]);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_hold_during_a_refresh_waits_for_it() {
    let (mut net, a, call, invite) = inviting(100);
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 100;refresher=uac\nAllow: UPDATE\n"));
    net.run_for(Duration::from_millis(50_300));
    net.call_events(a, call);
    let seen = net.receive_all(PEER);
    net.with(a, |ua, now| ua.reinvite(now, call, b"v=0 hold".to_vec()));
    assert!(net.call_events(a, call).is_empty());
    net.send(PEER, A, &reply(requests(&seen)[1], 200, "peertag", "Session-Expires: 100;refresher=uac"));
    net.settle();
    let hold = received(&mut net);
    assert_eq!((hold.method.as_str(), hold.body.as_slice()), ("INVITE", &b"v=0 hold"[..]));
}

#[test]
fn a_refused_hold_that_took_the_place_of_a_refresh_does_not_let_the_session_expire() {
    let (mut net, a, call, invite) = inviting(100);
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 100;refresher=uac\nAllow: UPDATE\n"));
    net.run_for(Duration::from_millis(50_300));
    let seen = net.receive_all(PEER);
    net.send(PEER, A, &reply(requests(&seen)[1], 491, "peertag", ""));
    net.run_for(Duration::from_millis(50));
    net.with(a, |ua, now| ua.reinvite(now, call, b"v=0 hold".to_vec()));
    net.settle();
    let hold = received(&mut net);
    assert_eq!(hold.method.as_str(), "INVITE");
    net.send(PEER, A, &reply(&hold, 488, "peertag", ""));
    net.run_for(Duration::from_secs(5));
    assert_eq!(methods(&net.receive_all(PEER))[..2], ["ACK", "UPDATE"]);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn without_a_session_in_the_2xx_nothing_is_refreshed_and_nothing_expires() {
    let (mut net, a, call, invite) = inviting(90);
    net.send(PEER, A, &accept(&invite, "peertag"));
    net.settle();
    net.receive_all(PEER);
    net.run_for(MINUTES(30));
    assert!(net.receive_all(PEER).is_empty());
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_peer_that_should_refresh_and_does_not_is_hung_up_on() {
    let (mut net, a, call, invite) = inviting(90);
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 90;refresher=uas\n"));
    net.run_for(Duration::from_secs(59));
    assert!(ended(&net.call_events(a, call)).is_none());
    net.receive_all(PEER);
    net.run_for(Duration::from_secs(2));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 408);
    assert_eq!(methods(&net.receive_all(PEER))[0], "BYE");
}

#[test]
fn a_session_of_seconds_is_not_refreshed_more_often_than_the_shortest() {
    let (mut net, a, call, invite) = inviting(90);
    net.send(PEER, A, &accept_with(&invite, "Session-Expires: 0;refresher=uac\nAllow: UPDATE\n"));
    net.run_for(Duration::from_secs(44));
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_422_is_answered_by_a_longer_session() {
    let (mut net, a, call, invite) = inviting(90);
    net.send(PEER, A, &reply(&invite, 422, "x", "Min-SE: 600"));
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(methods(&seen), ["ACK", "INVITE"]);
    let again = requests(&seen)[1];
    assert_eq!(again.headers.get(&HeaderName::SESSION_EXPIRES), Some("600"));
    assert_eq!(again.headers.get(&HeaderName::MIN_SE), Some("600"));
    assert_eq!(again.headers.call_id().unwrap(), invite.headers.call_id().unwrap());
    assert!(again.headers.cseq().unwrap().number > invite.headers.cseq().unwrap().number);
    assert!(net.call_events(a, call).is_empty());
}

#[test]
fn a_peer_that_asks_for_ever_longer_sessions_is_left_alone() {
    for rising in [true, false] {
        let (mut net, a, call, mut invite) = inviting(90);
        for n in 1..20 {
            let min = if rising { n * 1000 } else { 90 };
            net.send(PEER, A, &reply(&invite, 422, "x", &format!("Min-SE: {min}")));
            net.settle();
            match requests(&net.receive_all(PEER)).get(1) {
                Some(again) => invite = (*again).clone(),
                None => break,
            }
        }
        assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 422);
    }
}

#[test]
fn a_call_asking_for_too_short_a_session_gets_422_with_our_minimum() {
    let (mut net, a, _) = pair();
    let extra = "Supported: timer\nSession-Expires: 60\n";
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", extra), "v=0"));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.headers.get(&HeaderName::MIN_SE)), (422, Some("90")));
    assert!(net.events(a).is_empty());
}

#[test]
fn a_session_expires_that_cannot_be_read_gets_400() {
    let (mut net, _, _) = pair();
    let extra = "Supported: timer\nSession-Expires: soon\n";
    net.send(PEER, A, &with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", extra), "v=0"));
    net.settle();
    assert_eq!(answered(&mut net).status, 400);
}

#[test]
fn the_callee_agrees_to_what_the_caller_wants() {
    let config = || Config { session_expires: Some(Duration::from_secs(600)), ..Config::default() };
    for (extra, expected, required) in [
        ("Supported: timer\nSession-Expires: 300\n", Some("300;refresher=uac"), true),
        ("Supported: timer\nSession-Expires: 300;refresher=uas\n", Some("300;refresher=uas"), false),
        ("Supported: timer\nSession-Expires: 3000\n", Some("600;refresher=uac"), true),
        ("Supported: timer\n", Some("600;refresher=uac"), true),
        ("Supported: timer\nMin-SE: 900\n", Some("900;refresher=uac"), true),
        // a proxy asks, the caller does not know how
        ("Session-Expires: 300\n", Some("300;refresher=uas"), false),
        ("", None, false),
    ] {
        let (_, _, _, response) = answering(extra, config());
        assert_eq!(response.headers.get(&HeaderName::SESSION_EXPIRES), expected, "{extra}");
        assert_eq!(response.headers.require().unwrap() == ["timer"], required, "{extra}");
    }
    let off = Config { session_expires: None, ..Config::default() };
    let (_, _, _, response) = answering("Supported: timer\n", off);
    assert_eq!(response.headers.get(&HeaderName::SESSION_EXPIRES), None);
}

#[test]
fn the_callee_refreshes_where_that_is_its_part_and_keeps_the_part() {
    let (mut net, a, call, response) =
        answering("Supported: timer\nAllow: UPDATE\nSession-Expires: 90;refresher=uas\n", Config::default());
    net.run_for(Duration::from_secs(45));
    let refresh = received(&mut net);
    assert_eq!(refresh.method.as_str(), "UPDATE");
    assert_eq!(refresh.headers.get(&HeaderName::SESSION_EXPIRES), Some("90;refresher=uac"));
    net.send(PEER, A, &reply(&refresh, 200, "peertag", "Session-Expires: 90;refresher=uac"));
    net.settle();
    // the peer's own request in between does not take the part from us
    let tag = own_tag(&response);
    let text =
        request("UPDATE", "sip:alice@192.0.2.1", "5", 11, &tag, "Supported: timer\nSession-Expires: 90\n");
    net.send(PEER, A, &text);
    net.settle();
    let seen = net.receive_all(PEER);
    assert_eq!(session_of(seen.last().unwrap()), Some("90;refresher=uas"));
    assert!(ended(&net.call_events(a, call)).is_none());
}

#[test]
fn a_refresh_by_the_peer_keeps_the_call() {
    let (mut net, a, call, response) =
        answering("Supported: timer\nSession-Expires: 90;refresher=uac\n", Config::default());
    let tag = own_tag(&response);
    for n in 0..10 {
        net.run_for(Duration::from_secs(45));
        let extra = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
        net.send(PEER, A, &request("UPDATE", "sip:alice@192.0.2.1", &format!("r{n}"), 20 + n, &tag, extra));
    }
    net.settle();
    assert!(ended(&net.call_events(a, call)).is_none());
    net.run_for(Duration::from_secs(61));
    assert_eq!(ended(&net.call_events(a, call)).unwrap().code, 408);
}
