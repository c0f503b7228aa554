//! Short ways to say what tests say often.

use std::time::Instant;

use sidetone_sip::digest::Credentials;
use sidetone_sip::message::{HeaderName, Message, NameAddr, Request, Response};
use sidetone_sip::{CallEvent, CallId, Config, Invite, Registration, UserAgent, Way};

use super::net::{Net, ended};

pub(crate) const A: &str = "192.0.2.1:5060";
pub(crate) const B: &str = "192.0.2.2:5060";
/// an address where no user agent is: the test itself speaks there
pub(crate) const PEER: &str = "192.0.2.9:5060";

pub(crate) fn pair() -> (Net, usize, usize) {
    let mut net = Net::new();
    let a = net.add(A, Config::default());
    let b = net.add(B, Config::default());
    (net, a, b)
}

pub(crate) fn from() -> NameAddr {
    NameAddr::parse("\"Alice\" <sip:alice@192.0.2.1>").unwrap()
}

pub(crate) fn invite(to: &str) -> Invite {
    Invite::new(from(), to.parse().unwrap(), b"v=0 offer".to_vec())
}

pub(crate) fn place(net: &mut Net, node: usize, to: &str) -> CallId {
    net.with(node, |ua, now| ua.invite(now, invite(to)))
}

/// An answered call between A and B, their earlier events dropped.
pub(crate) fn connected() -> (Net, usize, usize, CallId, CallId) {
    connected_by(invite("sip:bob@192.0.2.2"))
}

/// The same by an INVITE of A's to B.
pub(crate) fn connected_by(invite: Invite) -> (Net, usize, usize, CallId, CallId) {
    let (mut net, a, b) = pair();
    let ours = net.with(a, |ua, now| ua.invite(now, invite));
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 answer".to_vec()));
    net.settle();
    // What follows does not wait for the ACK any more.
    net.settle();
    net.events(a);
    net.events(b);
    (net, a, b, ours, theirs)
}

pub(crate) fn registration(aor: &str) -> Registration {
    Registration::of(NameAddr::parse(aor).unwrap())
}

pub(crate) fn login(name: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::new(name, password))
}

/// Wherever the URI leads, as this user.
pub(crate) fn as_user(name: &str, password: &str) -> Way {
    Way { credentials: login(name, password), ..Way::default() }
}

/// The first INVITE of PEER to A, without an offer.
pub(crate) fn invitation(cseq: u32, extra: &str) -> String {
    request("INVITE", "sip:alice@192.0.2.1", "1", cseq, "", extra)
}

/// PEER has called A, who has said nothing yet but 100.
pub(crate) fn incoming(invite: &str, config: Config) -> (Net, usize, CallId) {
    let mut net = Net::new();
    let a = net.add(A, config);
    net.send(PEER, A, invite);
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100]);
    let call = net.incoming(a);
    (net, a, call)
}

/// PEER has called A, who rings: A's call and tag.
pub(crate) fn ringing_here() -> (Net, usize, CallId, String) {
    let (mut net, a, call) = incoming(&invitation(1, ""), Config::default());
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let ringing = answered(&mut net);
    assert_eq!(ringing.status, 180);
    (net, a, call, own_tag(&ringing))
}

/// The tag that A has put into its response.
pub(crate) fn own_tag(response: &Response) -> String {
    response.headers.to().unwrap().tag().unwrap().to_owned()
}

/// PEER calls A and is answered: A's call and tag.
pub(crate) fn called() -> (Net, usize, CallId, String) {
    let (mut net, a, call) = incoming(&with_sdp(&invitation(10, ""), "v=0"), Config::default());
    net.with(a, |ua, now| ua.answer(now, call, b"v=0".to_vec()));
    net.settle();
    let tag = own_tag(&answered(&mut net));
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1a", 10, &tag, ""));
    net.settle();
    net.events(a);
    (net, a, call, tag)
}

/// A request from PEER as text, without a body.
pub(crate) fn request(method: &str, uri: &str, branch: &str, cseq: u32, to_tag: &str, extra: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{branch};rport\nMax-Forwards: 70\n\
         From: <sip:peer@192.0.2.9>;tag=peertag\nTo: <sip:alice@192.0.2.1>{to_tag}\nCall-ID: peer-call\n\
         CSeq: {cseq} {method}\nContact: <sip:peer@{PEER}>\n{extra}Content-Length: 0\n\n"
    )
}

pub(crate) fn with_sdp(request: &str, sdp: &str) -> String {
    let head = request.replace(
        "Content-Length: 0\n\n",
        &format!("Content-Type: application/sdp\nContent-Length: {}\n\n", sdp.len()),
    );
    format!("{head}{sdp}")
}

/// A response of PEER to a request that it received, with a To tag unless it is 100.
pub(crate) fn reply(to: &Request, status: u16, tag: &str, extra: &str) -> String {
    let tag = (status != 100).then_some(tag);
    let mut response = Response::to(to, status, tag);
    for line in extra.lines() {
        let (name, value) = line.split_once(':').unwrap();
        response.headers.push(HeaderName::from(name), value.trim());
    }
    String::from_utf8(response.to_bytes()).unwrap()
}

/// A 2xx of PEER with an answer.
pub(crate) fn accept(to: &Request, tag: &str) -> String {
    let mut response = Response::to(to, 200, Some(tag));
    response.headers.push(HeaderName::CONTACT, format!("<sip:{tag}@{PEER}>"));
    response.set_body("application/sdp", b"v=0 answer".to_vec());
    String::from_utf8(response.to_bytes()).unwrap()
}

pub(crate) fn requests(messages: &[Message]) -> Vec<&Request> {
    messages.iter().filter_map(Message::as_request).collect()
}

pub(crate) fn methods(messages: &[Message]) -> Vec<String> {
    requests(messages).iter().map(|request| request.method.to_string()).collect()
}

pub(crate) fn statuses(messages: &[Message]) -> Vec<u16> {
    messages.iter().filter_map(Message::as_response).map(|response| response.status).collect()
}

/// The one request that arrived at PEER.
pub(crate) fn received(net: &mut Net) -> Request {
    match net.receive(PEER) {
        Some(Message::Request(request)) => request,
        other => panic!("no request but {other:?}"),
    }
}

/// The one response that arrived at PEER.
pub(crate) fn answered(net: &mut Net) -> Response {
    match net.receive(PEER) {
        Some(Message::Response(response)) => response,
        other => panic!("no response but {other:?}"),
    }
}

/// A request from PEER with a body of some type.
pub(crate) fn with_body(request: &str, kind: &str, body: &str) -> String {
    let head = request.replace(
        "Content-Length: 0\n\n",
        &format!("Content-Type: {kind}\nContent-Length: {}\n\n", body.len()),
    );
    format!("{head}{body}")
}

/// A calls PEER, who answers: A's call and its INVITE.
pub(crate) fn calling() -> (Net, usize, CallId, Request) {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    net.send(PEER, A, &accept(&invite, "peertag"));
    net.settle();
    // What follows does not wait for the ACK any more.
    net.settle();
    net.receive_all(PEER);
    net.events(a);
    (net, a, call, invite)
}

/// In an answered call, what `offer` does reaches the other side and its answer comes back, from either side.
pub(crate) fn assert_offers_reach(offer: impl Fn(&mut UserAgent, Instant, CallId, Vec<u8>)) {
    let (mut net, a, b, ours, theirs) = connected();
    for (from, to, out, inward) in [(a, b, ours, theirs), (b, a, theirs, ours)] {
        net.with(from, |ua, now| offer(ua, now, out, b"v=0 hold".to_vec()));
        net.settle();
        let events = net.call_events(to, inward);
        assert!(matches!(&events[..], [CallEvent::Reoffer { offer: Some(sdp) }] if sdp == b"v=0 hold"));
        net.with(to, |ua, now| ua.answer(now, inward, b"v=0 held".to_vec()));
        net.settle();
        let events = net.call_events(from, out);
        assert!(matches!(&events[..], [CallEvent::ReofferAnswered { sdp }] if sdp == b"v=0 held"));
        assert!(net.events(to).is_empty());
    }
    net.with(b, |ua, now| ua.hang_up(now, theirs, None));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

/// In an answered call, the refusal of what `offer` does is told, and the call goes on.
pub(crate) fn assert_refusal_keeps_the_call(offer: impl Fn(&mut UserAgent, Instant, CallId, Vec<u8>)) {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(a, |ua, now| offer(ua, now, ours, b"v=0 video".to_vec()));
    net.settle();
    net.with(b, |ua, now| ua.reject(now, theirs, 488, ""));
    net.settle();
    let events = net.call_events(a, ours);
    assert!(matches!(&events[..], [CallEvent::ReofferFailed { cause }] if cause.code == 488), "{events:?}");
    assert!(ended(&net.call_events(b, theirs)).is_none());
}

/// A request of PEER in the dialog that A began with `invite`.
pub(crate) fn request_back(invite: &Request, method: &str, branch: &str, cseq: u32, extra: &str) -> String {
    let headers = &invite.headers;
    let (from, call_id) = (headers.get(&HeaderName::FROM).unwrap(), headers.call_id().unwrap());
    format!(
        "{method} sip:alice@{A} SIP/2.0\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{branch};rport\nMax-Forwards: 70\n\
         From: <sip:peer@192.0.2.9>;tag=peertag\nTo: {from}\nCall-ID: {call_id}\nCSeq: {cseq} {method}\n\
         Contact: <sip:peer@{PEER}>\n{extra}Content-Length: 0\n\n"
    )
}
