//! NOTIFYs: those of a subscription that are early, wrong or too many, and those that nobody asked for.

use std::time::Duration;

use sidetone_sip::{Config, Event, SubscriptionState};

use super::kit::*;
use super::net::Net;
use super::subscriptions::{
    BODY, SUMMARY, accept_for, mailbox, notify, notify_text, subscribed, subscribing,
};

#[test]
fn a_notify_may_come_before_the_answer_to_its_subscribe() {
    let (mut net, a, id, first) = subscribing();
    notify(&mut net, &first, 1, "active;expires=600", BODY);
    assert_eq!(statuses(&net.receive_all(PEER)), [200]);
    accept_for(&mut net, &first, 600);
    let events = net.events(a);
    assert!(
        matches!(&events[..], [
        Event::Subscription { state: SubscriptionState::Active { .. }, .. },
        Event::Notified { id: told, body, .. },
    ] if *told == id && body == BODY.as_bytes()),
        "{events:?}"
    );
    net.run_for(Duration::from_secs(535));
    assert!(net.receive(PEER).is_none());
    net.run_for(Duration::from_secs(20));
    assert_eq!(received(&mut net).headers.to().unwrap().tag(), Some("notifier"));
}

#[test]
fn a_notify_that_is_not_for_it_is_refused_by_its_fault() {
    let (mut net, a, _, first) = subscribed(3600);
    let text =
        |tag: &str, cseq, event: &str, body: &str| notify_text(&first, tag, cseq, event, "active", body);
    for (message, expected) in [
        (text("notifier", 5, "presence", BODY), 489),
        (text("notifier", 5, "message-summary;id=7", BODY), 489),
        (text("other-branch", 5, "message-summary", BODY), 481),
        (text("notifier", 1, "message-summary", BODY).replace("z9hG4bKn", "z9hG4bKm"), 500),
        (text("notifier", 6, "message-summary", BODY).replace(SUMMARY, "text/html"), 415),
        (
            text("notifier", 7, "message-summary", BODY)
                .replace("Contact:", "Content-Encoding: gzip\nContact:"),
            415,
        ),
        (text("notifier", 8, "message-summary", BODY).replace(";tag=", ";tag=x"), 481),
        (text("notifier", 9, "message-summary", &"x".repeat(65_000 - 600)), 200),
    ] {
        net.send(PEER, A, &message);
        net.settle();
        assert_eq!(statuses(&net.receive_all(PEER)), [expected], "{message:.300}");
    }
    assert_eq!(net.events(a).len(), 1);
}

#[test]
fn a_flood_of_notifies_is_answered_and_bounded() {
    let mut net = Net::new();
    let a = net.add(A, Config { max_transactions: 50, ..Config::default() });
    net.with(a, |ua, now| ua.subscribe(now, mailbox()));
    net.settle();
    let first = received(&mut net);
    accept_for(&mut net, &first, 3600);
    for cseq in 1..=500 {
        net.send(PEER, A, &notify_text(&first, "notifier", cseq, "message-summary", "active", BODY));
    }
    for cseq in 1..=500 {
        let text = notify_text(&first, "notifier", cseq, "message-summary", "active", BODY);
        net.send(PEER, A, &text.replace("Call-ID: ", "Call-ID: x").replace("z9hG4bKn", "z9hG4bKo"));
    }
    net.settle();
    let seen = statuses(&net.receive_all(PEER));
    assert_eq!(seen.len(), 1000);
    assert!(seen.iter().all(|status| [200, 481, 503].contains(status)));
    assert!(net.load(a).server_transactions <= 50);
    net.run_for(Duration::from_secs(60));
    assert_eq!(net.load(a).server_transactions, 0);
}

/// A NOTIFY as a PBX sends it without a subscription.
fn unsolicited(from: &str, uri: &str, event: &str, branch: &str) -> String {
    format!(
        "NOTIFY {uri} SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch};rport\nMax-Forwards: 70\n\
         From: \"asterisk\" <sip:asterisk@{from}>;tag=as3\nTo: <{uri}>\nContact: <sip:asterisk@{from}>\nCall-ID: {branch}\n\
         CSeq: 102 NOTIFY\nUser-Agent: Asterisk PBX\nEvent: {event}\nContent-Type: {SUMMARY}\n\
         Content-Length: {}\n\n{BODY}",
        BODY.len()
    )
}

#[test]
fn a_mailbox_may_tell_unasked_from_the_registrars_address_only() {
    const REGISTRAR: &str = "192.0.2.50:5060";
    let (mut net, a, _) = pair();
    let id = net.with(a, |ua, now| ua.register(now, registration("<sip:alice@192.0.2.50>")));
    net.settle();
    let register = net.receive(REGISTRAR).unwrap().as_request().unwrap().clone();
    let contact = register.headers.contacts().unwrap().first().unwrap().uri.to_string();
    net.send(REGISTRAR, A, &reply(&register, 200, "t", &format!("Contact: <{contact}>;expires=3600\n")));
    net.settle();
    net.events(a);
    for (branch, uri) in [("u1", contact.as_str()), ("u2", "sip:alice@192.0.2.1:5060")] {
        net.send(REGISTRAR, A, &unsolicited(REGISTRAR, uri, "message-summary", branch));
        net.settle();
        assert_eq!(statuses(&net.receive_all(REGISTRAR)), [200]);
        assert!(
            matches!(&net.events(a)[..], [Event::UnsolicitedNotify { registration, event, content_type, body }]
            if *registration == id && event == "message-summary" && content_type == SUMMARY && body == BODY.as_bytes())
        );
    }
    for (from, uri, event) in [
        (PEER, contact.as_str(), "message-summary"),
        (REGISTRAR, contact.as_str(), "check-sync"),
        (REGISTRAR, contact.as_str(), "dialog"),
        (REGISTRAR, "sip:mallory@192.0.2.1:5060", "message-summary"),
    ] {
        net.send(from, A, &unsolicited(from, uri, event, &format!("x{}{event}", uri.len())));
        net.settle();
        assert_eq!(statuses(&net.receive_all(from)), [481], "{from} {uri} {event}");
        assert!(net.events(a).is_empty());
    }
}
