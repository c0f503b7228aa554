//! Replaces: RFC 3891.

use sidetone_sip::message::HeaderName;
use sidetone_sip::{Config, DialogName, Event, Invite};

use super::kit::*;
use super::net::{Net, ended};

const C: &str = "192.0.2.3:5060";

fn invite_with(headers: &str, branch: &str) -> String {
    request("INVITE", "sip:alice@192.0.2.1", branch, 1, "", headers)
        .replace("Call-ID: peer-call", &format!("Call-ID: {branch}"))
}

fn replaces(call_id: &str, to_tag: &str, from_tag: &str, more: &str) -> String {
    format!("Replaces: {call_id};to-tag={to_tag};from-tag={from_tag}{more}\n")
}

#[test]
fn a_third_party_takes_the_place_of_the_caller() {
    let (mut net, a, b, ours, theirs) = connected();
    let c = net.add(C, Config::default());
    // what A would tell C by a Refer-To: its dialog with B, as B knows it
    let name = net.nodes[a].ua.dialog_name(ours).unwrap();
    let invite = Invite { replaces: Some(name), ..invite("sip:bob@192.0.2.2") };
    let taking = net.with(c, |ua, now| ua.invite(now, invite));
    net.settle();
    let (call, replaced) = net
        .events(b)
        .into_iter()
        .find_map(|event| match event {
            Event::Incoming { call, replaces, .. } => Some((call, replaces)),
            _ => None,
        })
        .unwrap();
    assert_eq!(replaced, Some(theirs));
    net.with(b, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.with(b, |ua, now| ua.hang_up(now, theirs, None));
    net.settle();
    assert_eq!(ended(&net.call_events(a, ours)).unwrap().code, 200);
    assert!(ended(&net.call_events(c, taking)).is_none());
}

#[test]
fn a_replaces_that_matches_nothing_gets_481() {
    let (mut net, a, _, tag) = called();
    for (n, value) in [
        replaces("peer-call", &tag, "guess", ""),
        replaces("peer-call", "guess", "peertag", ""),
        replaces("other", &tag, "peertag", ""),
    ]
    .iter()
    .enumerate()
    {
        net.send(PEER, A, &invite_with(value, &format!("r{n}")));
        net.settle();
        assert_eq!(answered(&mut net).status, 481, "{value}");
    }
    assert!(net.events(a).is_empty());
}

#[test]
fn a_replaces_that_cannot_be_right_gets_400() {
    let (mut net, a, _, tag) = called();
    let good = replaces("peer-call", &tag, "peertag", "");
    let long = "x".repeat(2000);
    for (n, value) in [
        format!("{good}{good}"),
        format!("{good}Join: peer-call;to-tag={tag};from-tag=peertag\n"),
        "Replaces: peer-call\n".to_owned(),
        "Replaces: \n".to_owned(),
        "Replaces: a b;to-tag=1;from-tag=2\n".to_owned(),
        "Replaces: a;to-tag=1;to-tag=2;from-tag=2\n".to_owned(),
        format!("Replaces: {long};to-tag=1;from-tag=2\n"),
        format!("Replaces: a;to-tag={long};from-tag=2\n"),
        "Replaces: \\;to-tag=\"\\\n".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        net.send(PEER, A, &invite_with(value, &format!("r{n}")));
        net.settle();
        assert_eq!(answered(&mut net).status, 400, "{value}");
    }
    assert!(net.events(a).is_empty());
}

#[test]
fn early_only_for_an_answered_call_gets_486() {
    let (mut net, _, _, tag) = called();
    net.send(PEER, A, &invite_with(&replaces("peer-call", &tag, "peertag", ";early-only"), "r"));
    net.settle();
    assert_eq!(answered(&mut net).status, 486);
}

#[test]
fn a_call_that_rings_here_cannot_be_replaced() {
    let (mut net, _, _, tag) = ringing_here();
    net.send(PEER, A, &invite_with(&replaces("peer-call", &tag, "peertag", ""), "r"));
    net.settle();
    assert_eq!(answered(&mut net).status, 481);
}

#[test]
fn our_own_call_that_rings_there_can_be_replaced() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &reply(&invite, 180, "peertag", ""));
    net.settle();
    let (sip_id, tag) =
        (invite.headers.call_id().unwrap(), invite.headers.from().unwrap().tag().unwrap().to_owned());
    net.send(PEER, A, &invite_with(&replaces(sip_id, &tag, "peertag", ";early-only"), "r"));
    net.settle();
    let replaced = net.events(a).into_iter().find_map(|event| match event {
        Event::Incoming { replaces, .. } => replaces,
        _ => None,
    });
    assert_eq!(replaced, Some(call));
}

#[test]
fn a_call_that_is_being_hung_up_gets_603() {
    let (mut net, a, call, tag) = called();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.send(PEER, A, &invite_with(&replaces("peer-call", &tag, "peertag", ""), "r"));
    net.settle();
    assert!(statuses(&net.receive_all(PEER)).contains(&603));
}

#[test]
fn replaces_may_be_required_and_is_announced() {
    let (mut net, a, call, tag) = called();
    let value = format!("Require: replaces\n{}", replaces("peer-call", &tag, "peertag", ""));
    net.send(PEER, A, &invite_with(&value, "r"));
    net.settle();
    assert!(
        net.events(a).iter().any(
            |event| matches!(event, Event::Incoming { replaces: Some(replaced), .. } if *replaced == call)
        )
    );
    net.receive_all(PEER);
    net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "o", 90, "", ""));
    net.settle();
    assert!(answered(&mut net).headers.supported().unwrap().contains(&"replaces".to_owned()));
}

#[test]
fn our_invite_names_and_requires_it() {
    let (mut net, a, _) = pair();
    let name = DialogName {
        call_id: "12%40x@192.0.2.7".to_owned(),
        to_tag: "t1".to_owned(),
        from_tag: "f1".to_owned(),
        early_only: true,
    };
    let by = sidetone_sip::message::NameAddr::parse("<sip:boss@example.com>").unwrap();
    let invite = Invite { replaces: Some(name), referred_by: Some(by), ..invite("sip:peer@192.0.2.9") };
    net.with(a, |ua, now| ua.invite(now, invite));
    net.settle();
    let sent = received(&mut net);
    assert_eq!(
        sent.headers.get(&HeaderName::REPLACES),
        Some("12%40x@192.0.2.7;to-tag=t1;from-tag=f1;early-only")
    );
    assert_eq!(sent.headers.require().unwrap(), ["replaces"]);
    assert_eq!(sent.headers.get(&HeaderName::REFERRED_BY), Some("<sip:boss@example.com>"));
}

#[test]
fn a_null_tag_is_named_by_zero() {
    let mut net = Net::new();
    let a = net.add(A, Config::default());
    let old = request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "").replace(";tag=peertag", "");
    net.send(PEER, A, &old);
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    let name = net.nodes[a].ua.dialog_name(call).unwrap();
    assert_eq!(name.to_tag, "0");
    net.receive_all(PEER);
    net.send(PEER, A, &invite_with(&replaces("peer-call", &name.from_tag, "0", ""), "r"));
    net.settle();
    assert!(
        net.events(a).iter().any(
            |event| matches!(event, Event::Incoming { replaces: Some(replaced), .. } if *replaced == call)
        )
    );
}
