//! PUBLISH: RFC 3903.

use std::time::Duration;

use sidetone_sip::message::{HeaderName, Request};
use sidetone_sip::{Event, Publication, PublicationId, PublicationState};

use super::kit::*;
use super::net::Net;

const PIDF: &str = "application/pidf+xml";

fn presence() -> Publication {
    let mut wanted = Publication::new("presence", from(), PIDF, b"<open/>".to_vec());
    wanted.to = "sip:alice@192.0.2.9".parse().unwrap();
    wanted
}

fn publishing() -> (Net, usize, PublicationId, Request) {
    let (mut net, a, _) = pair();
    let id = net.with(a, |ua, now| ua.publish(now, presence()));
    net.settle();
    let first = received(&mut net);
    (net, a, id, first)
}

fn answer(net: &mut Net, to: &Request, status: u16, extra: &str) {
    net.send(PEER, A, &reply(to, status, "t", extra));
    net.settle();
}

fn published(expires: u32) -> (Net, usize, PublicationId) {
    let (mut net, a, id, first) = publishing();
    answer(&mut net, &first, 200, &format!("SIP-ETag: one\nExpires: {expires}"));
    net.events(a);
    (net, a, id)
}

fn latest(net: &mut Net) -> Request {
    requests(&net.receive_all(PEER)).last().copied().cloned().expect("no request came")
}

fn states(net: &mut Net, node: usize) -> Vec<PublicationState> {
    let state = |event| match event {
        Event::Publication { state, .. } => Some(state),
        _ => None,
    };
    net.events(node).into_iter().filter_map(state).collect()
}

#[test]
fn it_is_published_refreshed_without_body_changed_with_one_and_removed() {
    let (mut net, a, id, first) = publishing();
    assert_eq!(first.headers.get(&HeaderName::EVENT), Some("presence"));
    assert_eq!(first.body, b"<open/>");
    assert!(!first.headers.has(&HeaderName::SIP_IF_MATCH) && !first.headers.has(&HeaderName::CONTACT));
    answer(&mut net, &first, 200, "SIP-ETag: one\nExpires: 120");
    assert!(
        matches!(states(&mut net, a)[..], [PublicationState::Published { expires }] if expires.as_secs() == 120)
    );
    net.run_for(Duration::from_secs(110));
    let refresh = latest(&mut net);
    assert_eq!(refresh.headers.get(&HeaderName::SIP_IF_MATCH), Some("one"));
    assert!(refresh.body.is_empty() && !refresh.headers.has(&HeaderName::CONTENT_TYPE));
    net.with(a, |ua, now| ua.republish(now, id, b"<busy/>".to_vec()));
    net.settle();
    answer(&mut net, &refresh, 200, "SIP-ETag: two\nExpires: 120");
    let change = latest(&mut net);
    assert_eq!(change.headers.get(&HeaderName::SIP_IF_MATCH), Some("two"));
    assert_eq!(change.body, b"<busy/>");
    answer(&mut net, &change, 200, "SIP-ETag: three\nExpires: 120");
    net.with(a, |ua, now| ua.unpublish(now, id));
    net.settle();
    let last = latest(&mut net);
    assert_eq!(
        (last.headers.expires(), last.headers.get(&HeaderName::SIP_IF_MATCH)),
        (Ok(Some(0)), Some("three"))
    );
    assert!(last.body.is_empty());
    states(&mut net, a);
    answer(&mut net, &last, 200, "");
    assert!(
        matches!(&states(&mut net, a)[..], [PublicationState::Ended { cause, retry_in: None }] if cause.code == 200)
    );
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_server_that_forgot_gets_all_of_it_again() {
    let (mut net, a, _) = published(60);
    net.run_for(Duration::from_secs(55));
    let refresh = latest(&mut net);
    answer(&mut net, &refresh, 412, "");
    let again = latest(&mut net);
    assert!(!again.headers.has(&HeaderName::SIP_IF_MATCH));
    assert_eq!(again.body, b"<open/>");
    answer(&mut net, &again, 412, "");
    assert!(
        matches!(&states(&mut net, a)[..], [PublicationState::Ended { retry_in: Some(_), .. }]),
        "no loop"
    );
}

#[test]
fn too_brief_is_raised_no_such_event_is_the_end_and_trouble_is_tried_again() {
    let (mut net, a, _, first) = publishing();
    answer(&mut net, &first, 423, "Min-Expires: 7200");
    let second = latest(&mut net);
    assert_eq!((second.headers.expires(), second.body.as_slice()), (Ok(Some(7200)), &b"<open/>"[..]));
    answer(&mut net, &second, 489, "");
    assert!(matches!(states(&mut net, a)[..], [PublicationState::Ended { retry_in: None, .. }]));
    net.run_out();
    net.assert_empty(a);

    let (mut net, a, id, first) = publishing();
    answer(&mut net, &first, 500, "");
    let [PublicationState::Ended { retry_in: Some(pause), .. }] = states(&mut net, a)[..] else { panic!() };
    net.run_for(pause);
    assert_eq!(latest(&mut net).body, b"<open/>");
    net.run_for(Duration::from_secs(33));
    assert!(matches!(&states(&mut net, a)[..], [PublicationState::Ended { cause, .. }] if cause.code == 408));
    net.with(a, |ua, now| ua.unpublish(now, id));
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn a_challenge_is_answered_for_our_own_server() {
    let (mut net, a, _) = pair();
    let mut wanted = presence();
    wanted.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    wanted.way.credentials = login("alice", "secret");
    net.with(a, |ua, now| ua.publish(now, wanted));
    net.settle();
    let first = received(&mut net);
    answer(&mut net, &first, 401, "WWW-Authenticate: Digest realm=\"home\", nonce=\"n1\", qop=\"auth\"");
    let second = latest(&mut net);
    assert_eq!(second.headers.authorizations().unwrap().len(), 1);
    answer(&mut net, &second, 200, "SIP-ETag: one\nExpires: 60");
    net.run_for(Duration::from_secs(55));
    assert_eq!(latest(&mut net).headers.cseq().unwrap().number, 3);
}

#[test]
fn what_cannot_be_published_ends_at_once() {
    let (mut net, a, _) = pair();
    net.with(a, |ua, now| ua.publish(now, Publication { body: vec![0; 100_000], ..presence() }));
    net.with(a, |ua, now| ua.publish(now, Publication { content_type: "x".into(), ..presence() }));
    let codes: Vec<u16> = states(&mut net, a)
        .iter()
        .map(|state| match state {
            PublicationState::Ended { cause, retry_in: None } => cause.code,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [413, 415]);
}
