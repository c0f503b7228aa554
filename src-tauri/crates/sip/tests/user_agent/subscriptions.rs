//! SUBSCRIBE and the life of a subscription: RFC 6665. Its NOTIFYs one by one: see `notifications`.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Request};
use sidetone_sip::{
    Config, Event, Hop, Input, Subscription, SubscriptionId, SubscriptionState, Transport, Way,
};

use super::kit::*;
use super::net::{Net, address};

pub(crate) const SUMMARY: &str = "application/simple-message-summary";
pub(crate) const BODY: &str = "Messages-Waiting: yes\r\nVoice-Message: 2/0\r\n";

pub(crate) fn mailbox() -> Subscription {
    Subscription::new("message-summary", SUMMARY, from(), "sip:alice@192.0.2.9".parse().unwrap())
}

/// A subscribed to PEER, whose SUBSCRIBE has not been answered.
pub(crate) fn subscribing() -> (Net, usize, SubscriptionId, Request) {
    let (mut net, a, _) = pair();
    let id = net.with(a, |ua, now| ua.subscribe(now, mailbox()));
    net.settle();
    let first = received(&mut net);
    (net, a, id, first)
}

/// Accepted and notified once.
pub(crate) fn subscribed(expires: u32) -> (Net, usize, SubscriptionId, Request) {
    let (mut net, a, id, first) = subscribing();
    accept_for(&mut net, &first, expires);
    notify(&mut net, &first, 1, &format!("active;expires={expires}"), BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [200]);
    net.events(a);
    (net, a, id, first)
}

pub(crate) fn accept_for(net: &mut Net, subscribe: &Request, expires: u32) {
    let extra = format!("Expires: {expires}\nContact: <sip:server@{PEER}>\n");
    net.send(PEER, A, &reply(subscribe, 200, "notifier", &extra));
    net.settle();
}

pub(crate) fn notify_text(
    subscribe: &Request,
    tag: &str,
    cseq: u32,
    event: &str,
    state: &str,
    body: &str,
) -> String {
    let (from, to) =
        (subscribe.headers.get(&HeaderName::TO).unwrap(), subscribe.headers.get(&HeaderName::FROM).unwrap());
    let from = from.split(";tag").next().unwrap();
    let kind = if body.is_empty() { String::new() } else { format!("Content-Type: {SUMMARY}\n") };
    let contact = subscribe.headers.contacts().unwrap().first().unwrap().uri.clone();
    let call_id = subscribe.headers.call_id().unwrap();
    format!(
        "NOTIFY {contact} SIP/2.0\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bKn{tag}{cseq}{call_id}\nMax-Forwards: 70\n\
         From: {from};tag={tag}\nTo: {to}\nCall-ID: {call_id}\nCSeq: {cseq} NOTIFY\nContact: <sip:server@{PEER}>\n\
         Event: {event}\nSubscription-State: {state}\n{kind}Content-Length: {}\n\n{body}",
        body.len()
    )
}

pub(crate) fn notify(net: &mut Net, subscribe: &Request, cseq: u32, state: &str, body: &str) {
    net.send(PEER, A, &notify_text(subscribe, "notifier", cseq, "message-summary", state, body));
    net.settle();
}

/// The last request that PEER got, whatever was repeated before.
fn latest(net: &mut Net) -> Request {
    requests(&net.receive_all(PEER)).last().copied().cloned().expect("no request came")
}

fn states(net: &mut Net, node: usize) -> Vec<SubscriptionState> {
    let events = net.events(node);
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Subscription { state, .. } => Some(state),
            _ => None,
        })
        .collect()
}

fn ended(states: &[SubscriptionState]) -> (u16, Option<Duration>) {
    match states {
        [SubscriptionState::Ended { cause, retry_in }] => (cause.code, *retry_in),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscription_is_asked_for_answered_and_told() {
    let (mut net, a, id, first) = subscribing();
    assert_eq!(first.headers.get(&HeaderName::EVENT), Some("message-summary"));
    assert_eq!(first.headers.get(&HeaderName::ACCEPT), Some(SUMMARY));
    assert_eq!(first.headers.expires(), Ok(Some(3600)));
    assert!(first.headers.contacts().unwrap().first().is_some());
    accept_for(&mut net, &first, 3600);
    assert!(net.events(a).is_empty(), "nothing is known before the first NOTIFY");
    notify(&mut net, &first, 1, "pending", "");
    notify(&mut net, &first, 2, "active;expires=3599", BODY);
    notify(&mut net, &first, 3, "active;expires=3598", BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [200, 200, 200]);
    let told: Vec<String> = net.events(a).iter().map(|event| format!("{event:?}")).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].contains("Pending") && told[1].contains("Active"));
    assert!(told[2].contains("Notified") && told[3].contains("Notified"));
    notify(&mut net, &first, 4, "active;expires=3597", "");
    let events = net.events(a);
    assert!(matches!(&events[..], [Event::Notified { body, .. }] if body.is_empty()), "{events:?}");
    let _ = id;
}

#[test]
fn it_is_refreshed_in_its_dialog_before_it_expires_and_notifies_do_not_put_that_off() {
    let (mut net, a, _, first) = subscribed(120);
    for cseq in 2..13 {
        net.run_for(Duration::from_secs(10));
        let left = 120 - 10 * (cseq - 1);
        if left > 10 {
            notify(&mut net, &first, cseq, &format!("active;expires={left}"), BODY);
        }
    }
    let seen = net.receive_all(PEER);
    let refresh = requests(&seen)[0].clone();
    assert_eq!(refresh.uri.to_string(), format!("sip:server@{PEER}"));
    assert_eq!(refresh.headers.call_id(), first.headers.call_id());
    assert_eq!(refresh.headers.cseq().unwrap().number, first.headers.cseq().unwrap().number + 1);
    accept_for(&mut net, &refresh, 120);
    assert!(states(&mut net, a).is_empty(), "a refresh is no news");
    net.run_for(Duration::from_secs(100));
    assert!(net.receive(PEER).is_none());
    net.run_for(Duration::from_secs(15));
    received(&mut net);
}

#[test]
fn challenges_are_answered_outside_and_inside_of_the_dialog() {
    const CHALLENGE: &str =
        "WWW-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\n";
    let (mut net, a, _) = pair();
    let mut wanted = mailbox();
    wanted.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    wanted.way.credentials = login("alice", "secret");
    net.with(a, |ua, now| ua.subscribe(now, wanted));
    net.settle();
    let first = received(&mut net);
    net.send(PEER, A, &reply(&first, 401, "t", CHALLENGE));
    net.settle();
    let second = received(&mut net);
    assert_eq!(second.headers.authorizations().unwrap().len(), 1);
    accept_for(&mut net, &second, 60);
    notify(&mut net, &second, 1, "active;expires=60", "");
    net.receive_all(PEER);
    net.run_for(Duration::from_secs(55));
    let refresh = latest(&mut net);
    assert_eq!(refresh.headers.cseq().unwrap().number, 3);
    net.send(
        PEER,
        A,
        &reply(&refresh, 401, "", &CHALLENGE.replace("n1", "n2").replace("Digest", "Digest stale=true,")),
    );
    net.settle();
    let again = latest(&mut net);
    assert_eq!(again.headers.authorizations().unwrap()[0].nonce, "n2");
    accept_for(&mut net, &again, 60);
    net.run_for(Duration::from_secs(55));
    assert_eq!(
        received(&mut net).headers.cseq().unwrap().number,
        5,
        "the number of the challenged one counts"
    );
}

#[test]
fn an_event_that_is_unknown_there_is_not_asked_for_again() {
    for status in [489, 405, 403, 501] {
        let (mut net, a, _, first) = subscribing();
        net.send(PEER, A, &reply(&first, status, "t", ""));
        net.settle();
        assert_eq!(ended(&states(&mut net, a)), (status, None));
        net.run_for(Duration::from_secs(7200));
        assert!(net.receive(PEER).is_none());
        net.assert_empty(a);
    }
}

#[test]
fn too_brief_an_interval_is_raised() {
    let (mut net, a, _, first) = subscribing();
    net.send(PEER, A, &reply(&first, 423, "t", "Min-Expires: 7200"));
    net.settle();
    let second = received(&mut net);
    assert_eq!(second.headers.expires(), Ok(Some(7200)));
    net.send(PEER, A, &reply(&second, 423, "t", "Min-Expires: 7200"));
    net.settle();
    assert_eq!(ended(&states(&mut net, a)).0, 423);
}

#[test]
fn a_dialog_that_the_notifier_forgot_is_replaced_by_another() {
    let (mut net, a, _, first) = subscribed(60);
    net.run_for(Duration::from_secs(55));
    let refresh = latest(&mut net);
    net.send(PEER, A, &reply(&refresh, 481, "", ""));
    net.settle();
    let (code, pause) = ended(&states(&mut net, a));
    assert_eq!(code, 481);
    net.run_for(pause.unwrap());
    let anew = latest(&mut net);
    assert_eq!(anew.headers.to().unwrap().tag(), None);
    assert_ne!(anew.headers.call_id(), first.headers.call_id());
    notify(&mut net, &first, 9, "active", BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [481], "the old dialog is gone");
}

#[test]
fn failures_are_tried_again_with_growing_pauses_never_in_a_loop() {
    let (mut net, a, _, mut subscribe) = subscribing();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        net.send(PEER, A, &reply(&subscribe, 480, "t", ""));
        net.settle();
        let (code, pause) = ended(&states(&mut net, a));
        assert_eq!(code, 480);
        pauses.push(pause.unwrap());
        net.run_for(pause.unwrap());
        subscribe = received(&mut net);
    }
    assert!(pauses[0] >= Duration::from_secs(2), "{pauses:?}");
    assert!(pauses[7] >= Duration::from_secs(150), "{pauses:?}");
    net.send(PEER, A, &reply(&subscribe, 503, "t", "Retry-After: 900"));
    net.settle();
    assert_eq!(ended(&states(&mut net, a)).1, Some(Duration::from_secs(900)));
}

#[test]
fn a_notifier_that_ends_it_at_once_again_and_again_is_not_asked_in_a_loop() {
    let (mut net, a, _, mut subscribe) = subscribing();
    let start = net.now;
    for _ in 0..6 {
        accept_for(&mut net, &subscribe, 3600);
        notify(&mut net, &subscribe, 1, "terminated;reason=deactivated", "");
        let (_, pause) = ended(&states(&mut net, a));
        net.receive_all(PEER);
        net.run_for(pause.unwrap());
        subscribe = received(&mut net);
    }
    assert!(net.now - start > Duration::from_secs(60));
}

#[test]
fn a_refresh_that_fails_leaves_it_as_it_is_until_it_expires() {
    let (mut net, a, _, first) = subscribed(600);
    net.run_for(Duration::from_secs(541));
    let refresh = latest(&mut net);
    net.send(PEER, A, &reply(&refresh, 500, "", ""));
    net.settle();
    assert!(states(&mut net, a).is_empty());
    notify(&mut net, &first, 2, "active;expires=50", BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [200]);
    net.run_for(Duration::from_secs(10));
    let again = latest(&mut net);
    accept_for(&mut net, &again, 600);
    net.unplugged.insert(address(PEER));
    net.run_for(Duration::from_secs(700));
    assert!(matches!(states(&mut net, a)[..], [SubscriptionState::Ended { .. }, ..]));
}

#[test]
fn without_a_notify_it_ends_and_comes_back() {
    let (mut net, a, _, first) = subscribing();
    accept_for(&mut net, &first, 3600);
    net.run_for(Duration::from_secs(33));
    let (code, pause) = ended(&states(&mut net, a));
    assert_eq!(code, 408);
    net.run_for(pause.unwrap());
    received(&mut net);
}

#[test]
fn the_reason_of_an_end_decides_whether_it_comes_back() {
    for (reason, retry) in [
        ("rejected", false),
        ("noresource", false),
        ("invariant", false),
        ("timeout", true),
        ("deactivated", true),
        ("probation;retry-after=77", true),
        ("giveup", true),
        ("whatever", true),
    ] {
        let (mut net, a, _, first) = subscribed(3600);
        notify(&mut net, &first, 2, &format!("terminated;reason={reason}"), "");
        assert_eq!(statuses(&net.receive_all(PEER)), [200]);
        let (_, pause) = ended(&states(&mut net, a));
        assert_eq!(pause.is_some(), retry, "{reason}");
        if reason.contains("77") {
            assert_eq!(pause, Some(Duration::from_secs(77)));
        }
        if !retry {
            net.run_out();
            net.assert_empty(a);
        }
    }
}

#[test]
fn unsubscribing_asks_for_zero_and_waits_for_the_last_notify() {
    let (mut net, a, id, first) = subscribed(3600);
    net.with(a, |ua, now| ua.unsubscribe(now, id));
    net.with(a, |ua, now| ua.unsubscribe(now, id));
    net.settle();
    let last = received(&mut net);
    assert!(net.receive(PEER).is_none());
    assert_eq!((last.headers.expires(), last.headers.to().unwrap().tag()), (Ok(Some(0)), Some("notifier")));
    accept_for(&mut net, &last, 0);
    assert!(states(&mut net, a).is_empty());
    notify(&mut net, &first, 2, "terminated;reason=timeout", BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [200]);
    assert_eq!(ended(&states(&mut net, a)), (200, None));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn unsubscribing_ends_in_every_state_and_leaves_nothing() {
    // no answer yet
    let (mut net, a, id, first) = subscribing();
    net.with(a, |ua, now| ua.unsubscribe(now, id));
    accept_for(&mut net, &first, 3600);
    assert_eq!(received(&mut net).headers.expires(), Ok(Some(0)));
    net.run_for(Duration::from_secs(60));
    assert_eq!(ended(&states(&mut net, a)), (200, None));
    net.run_out();
    net.assert_empty(a);
    // waiting to try again
    let (mut net, a, id, first) = subscribing();
    net.send(PEER, A, &reply(&first, 480, "t", ""));
    net.settle();
    states(&mut net, a);
    net.with(a, |ua, now| ua.unsubscribe(now, id));
    assert_eq!(ended(&states(&mut net, a)), (200, None));
    net.run_out();
    net.assert_empty(a);
    // the notifier is away
    let (mut net, a, id, _) = subscribed(3600);
    net.unplugged.insert(address(PEER));
    net.with(a, |ua, now| ua.unsubscribe(now, id));
    net.run_for(Duration::from_secs(60));
    assert_eq!(ended(&states(&mut net, a)), (200, None));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn subscriptions_over_the_limit_end_at_once() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_subscriptions: 2, ..Config::default() });
    for _ in 0..4 {
        net.with(a, |ua, now| ua.subscribe(now, mailbox()));
    }
    net.settle();
    let over = states(&mut net, a);
    assert_eq!((over.len(), net.receive_all(PEER).len()), (2, 2));
    assert!(over.iter().all(
        |state| matches!(state, SubscriptionState::Ended { cause, retry_in: None } if cause.code == 503)
    ));
}

#[test]
fn a_lost_connection_is_replaced_by_a_refresh_over_another() {
    let (mut net, a, _) = pair();
    let over_tcp = Way { transport: Some(Transport::Tcp), ..Way::default() };
    net.with(a, |ua, now| ua.subscribe(now, Subscription { way: over_tcp, ..mailbox() }));
    net.settle();
    let first = received(&mut net);
    let answer =
        reply(&first, 200, "notifier", &format!("Expires: 3600\nContact: <sip:s@{PEER};transport=tcp>\n"));
    net.send_over(Transport::Tcp, PEER, A, &answer);
    net.settle();
    net.send_over(
        Transport::Tcp,
        PEER,
        A,
        &notify_text(&first, "notifier", 1, "message-summary", "active", BODY).replace("UDP", "TCP"),
    );
    net.settle();
    net.receive_all(PEER);
    let hop = Hop::new(Transport::Tcp, address(A), address(PEER));
    net.with(a, |ua, now| ua.handle_input(now, Input::StreamClosed { hop, reason: "eof".into() }));
    net.run_for(Duration::from_secs(10));
    assert_eq!(methods(&net.receive_all(PEER)), ["SUBSCRIBE"]);
}
