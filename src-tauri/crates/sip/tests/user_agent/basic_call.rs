use std::time::Duration;

use sidetone_sip::message::{HeaderName, Message, Method};
use sidetone_sip::{CallEvent, Event, Side};

use super::kit::*;
use super::net::{address, ended};

#[test]
fn a_call_rings_is_answered_and_ends_once_on_each_side() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let Some(Event::Incoming { call: theirs, from, request_uri, offer, .. }) =
        net.nodes[b].events.pop_front()
    else {
        panic!("no call came in")
    };
    assert_eq!(from.display.as_deref(), Some("Alice"));
    assert_eq!(request_uri.to_string(), "sip:bob@192.0.2.2");
    assert_eq!(offer.as_deref(), Some(b"v=0 offer".as_slice()));
    net.with(b, |ua, now| ua.ring(now, theirs));
    net.settle();
    net.with(b, |ua, now| ua.answer(now, theirs, b"v=0 answer".to_vec()));
    net.settle();
    let events = net.call_events(a, ours);
    assert!(matches!(&events[0], CallEvent::Trying));
    assert!(matches!(&events[1], CallEvent::Provisional { status: 180, early_dialog: 0, .. }));
    assert!(matches!(&events[2], CallEvent::Answered { sdp, .. } if sdp == b"v=0 answer"));
    assert_eq!(events.len(), 3);
    assert!(matches!(net.call_events(b, theirs)[..], [CallEvent::Confirmed { sdp: None }]));
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.settle();
    let (mine, other) =
        (ended(&net.call_events(a, ours)).unwrap(), ended(&net.call_events(b, theirs)).unwrap());
    assert_eq!((mine.by, other.by), (Side::Local, Side::Remote));
    net.run_out();
    assert!(net.events(a).is_empty() && net.events(b).is_empty());
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn the_callee_can_hang_up_too() {
    let (mut net, a, b, ours, theirs) = connected();
    net.with(b, |ua, now| ua.hang_up(now, theirs, Some("enough \"said\"")));
    net.settle();
    let cause = ended(&net.call_events(a, ours)).unwrap();
    assert_eq!((cause.code, cause.by), (200, Side::Remote));
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_refusal_carries_its_code_and_text() {
    for (status, reason) in
        [(486, "Busy Here"), (600, "Busy Everywhere"), (404, "Not Found"), (488, "No common codec")]
    {
        let (mut net, a, b) = pair();
        let ours = place(&mut net, a, "sip:bob@192.0.2.2");
        net.settle();
        let theirs = net.incoming(b);
        net.with(b, |ua, now| ua.reject(now, theirs, status, reason));
        net.settle();
        let cause = ended(&net.call_events(a, ours)).unwrap();
        assert_eq!((cause.code, cause.text.as_str(), cause.by), (status, reason, Side::Remote));
        assert_eq!(ended(&net.call_events(b, theirs)).unwrap().by, Side::Local);
        net.run_out();
        net.assert_empty(a);
        net.assert_empty(b);
    }
}

#[test]
fn the_contact_and_via_of_an_invite_are_the_local_address_of_its_hop() {
    let (mut net, a, _) = pair();
    place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    let contact = invite.headers.contacts().unwrap().first().unwrap().uri.to_string();
    assert_eq!(contact, "sip:alice@192.0.2.1:5060");
    let via = invite.headers.top_via().unwrap();
    assert_eq!((via.host.to_string().as_str(), via.port), ("192.0.2.1", Some(5060)));
    assert!(via.has_rport() && via.branch().unwrap().starts_with("z9hG4bK"));
    assert_eq!(invite.headers.max_forwards(), Ok(Some(70)));
}

#[test]
fn an_unreachable_peer_ends_the_call_with_503_and_a_silent_one_with_408() {
    let (mut net, a, _) = pair();
    let nowhere = place(&mut net, a, "sip:bob@nowhere.invalid");
    let cause = ended(&net.call_events(a, nowhere)).unwrap();
    assert_eq!((cause.code, cause.text.as_str(), cause.by), (503, "no such name", Side::Network));
    let silent = place(&mut net, a, "sip:peer@192.0.2.9");
    net.run_for(Duration::from_millis(31_900));
    assert_eq!(ended(&net.call_events(a, silent)), None);
    net.run_for(Duration::from_millis(200));
    let cause = ended(&net.call_events(a, silent)).unwrap();
    assert_eq!((cause.code, cause.by), (408, Side::Network));
    assert_eq!(net.receive_all(PEER).len(), 7, "timer A sends the INVITE seven times");
    net.run_out();
    net.assert_empty(a);
}

#[test]
fn an_offer_in_the_2xx_gets_its_answer_from_the_ack() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let Some(Event::Incoming { call, offer, .. }) = net.nodes[a].events.pop_front() else { panic!() };
    assert_eq!(offer, None);
    net.with(a, |ua, now| ua.answer(now, call, b"v=0 our offer".to_vec()));
    net.settle();
    let responses = net.receive_all(PEER);
    assert_eq!(statuses(&responses), [100, 200]);
    let success = responses[1].as_response().unwrap();
    assert_eq!(success.body, b"v=0 our offer");
    let tag = success.headers.to().unwrap().tag().unwrap().to_owned();
    let ack = request("ACK", "sip:alice@192.0.2.1", "2", 1, &tag, "");
    net.send(PEER, A, &with_sdp(&ack, "v=0 their answer"));
    net.settle();
    let events = net.call_events(a, call);
    assert!(matches!(&events[..], [CallEvent::Confirmed { sdp: Some(sdp) }] if sdp == b"v=0 their answer"));
}

#[test]
fn requests_in_a_dialog_follow_the_route_set_loosely() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    let routes = "Record-Route: <sip:192.0.2.9;lr>\nRecord-Route: <sip:192.0.2.8;lr>\n";
    let accepted = accept(&invite, "peertag").replace("\r\n", "\n").replacen(
        "Content-Type",
        &format!("{routes}Content-Type"),
        1,
    );
    net.send(PEER, A, &accepted);
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    // the last Record-Route is the proxy next to us
    let at_proxy: Vec<Message> = net.receive_all("192.0.2.8:5060");
    assert_eq!(methods(&at_proxy), ["ACK", "BYE"]);
    for request in requests(&at_proxy) {
        assert_eq!(request.uri.to_string(), "sip:peertag@192.0.2.9:5060");
        let routes: Vec<String> =
            request.headers.routes().unwrap().iter().map(|r| r.uri.to_string()).collect();
        assert_eq!(routes, ["sip:192.0.2.8;lr", "sip:192.0.2.9;lr"]);
    }
    assert_eq!(requests(&at_proxy)[0].headers.cseq().unwrap().number, 1);
    assert_eq!(requests(&at_proxy)[1].headers.cseq().unwrap().number, 2);
}

#[test]
fn a_strict_router_gets_its_own_uri_and_the_target_as_last_route() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    let routes = "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8>\n";
    let accepted = accept(&invite, "peertag").replace("\r\n", "\n").replacen(
        "Content-Type",
        &format!("{routes}Content-Type"),
        1,
    );
    net.send(PEER, A, &accepted);
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, call, None));
    net.settle();
    let at_proxy = net.receive_all("192.0.2.8:5060");
    let bye = requests(&at_proxy)[1];
    assert_eq!(bye.uri.to_string(), "sip:192.0.2.8");
    let routes: Vec<String> = bye.headers.routes().unwrap().iter().map(|r| r.uri.to_string()).collect();
    assert_eq!(routes, ["sip:192.0.2.9;lr", "sip:peertag@192.0.2.9:5060"]);
}

#[test]
fn an_outbound_proxy_gets_the_invite_with_a_loose_route() {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:bob@elsewhere.example");
    call.way.route = vec!["sip:192.0.2.9".parse().unwrap()];
    call.headers = vec![
        (HeaderName::from("X-Note"), "hello\r\nInjected: yes".to_owned()),
        (HeaderName::CALL_ID, "forged".to_owned()),
        (HeaderName::MAX_FORWARDS, "12".to_owned()),
    ];
    net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let invite = received(&mut net);
    assert_eq!(invite.uri.to_string(), "sip:bob@elsewhere.example");
    assert_eq!(invite.headers.get(&HeaderName::ROUTE), Some("<sip:192.0.2.9;lr>"));
    assert_eq!(invite.headers.max_forwards(), Ok(Some(12)));
    assert!(invite.headers.get(&HeaderName::from("Injected")).is_none());
    assert_ne!(invite.headers.call_id().unwrap(), "forged");
}

#[test]
fn early_media_comes_with_the_183_of_its_branch() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.progress(now, theirs, 183, Some(b"v=0 early".to_vec())));
    net.settle();
    let events = net.call_events(a, ours);
    assert!(events.iter().any(
        |event| matches!(event, CallEvent::Provisional { status: 183, sdp: Some(sdp), .. } if sdp == b"v=0 early")
    ));
}

#[test]
fn an_invite_that_rings_too_long_is_cancelled() {
    let (mut net, a, b) = pair();
    let ours = place(&mut net, a, "sip:bob@192.0.2.2");
    net.settle();
    let theirs = net.incoming(b);
    net.with(b, |ua, now| ua.ring(now, theirs));
    net.run_for(Duration::from_secs(400));
    assert_eq!(ended(&net.call_events(a, ours)).unwrap().code, 480);
    assert_eq!(ended(&net.call_events(b, theirs)).unwrap().code, 480);
    net.run_out();
    net.assert_empty(a);
    net.assert_empty(b);
}

#[test]
fn a_binding_is_called_through_its_flow_with_its_own_contact_as_request_uri() {
    let (mut net, a, _) = pair();
    let mut call = invite("sip:bob@gateway.example");
    call.target = Some("sip:bob@10.0.0.7:5060".parse().unwrap());
    let hop = sidetone_sip::Hop::new(sidetone_sip::Transport::Udp, address(A), address(PEER));
    call.way.flow = Some(hop);
    let id = net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let invite = received(&mut net);
    assert_eq!(invite.uri.to_string(), "sip:bob@10.0.0.7:5060");
    assert_eq!(invite.headers.to().unwrap().uri.to_string(), "sip:bob@gateway.example");
    let accepted = accept(&invite, "t").replace(&format!("sip:t@{PEER}"), "sip:bob@10.0.0.7:5060");
    net.send(PEER, A, &accepted);
    net.settle();
    net.with(a, |ua, now| ua.hang_up(now, id, None));
    net.settle();
    let rest = net.receive_all(PEER);
    assert_eq!(methods(&rest), ["ACK", "BYE"], "in-dialog requests take the same way");
    assert_eq!(requests(&rest)[1].method, Method::Bye);
}

#[test]
fn a_2xx_with_a_contact_that_cannot_be_read_is_acknowledged_where_the_invite_went() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    for status in [180, 200] {
        net.send(PEER, A, &reply(&invite, status, "t", "Contact: <sip:a@b@c>"));
    }
    net.settle();
    assert_eq!(methods(&net.receive_all(PEER)), ["ACK"]);
    let events = net.call_events(a, call);
    assert!(matches!(events[..], [CallEvent::Provisional { .. }, CallEvent::Answered { .. }]), "{events:?}");
}

#[test]
fn a_2xx_whose_way_back_cannot_be_read_ends_the_call_by_that() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    let broken = accept(&invite, "t").replace("Content-Type", "Record-Route: <\r\nContent-Type");
    net.send(PEER, A, &broken);
    net.settle();
    let cause = ended(&net.call_events(a, call)).unwrap();
    assert_eq!((cause.code, cause.by), (502, Side::Remote));
    net.run_out();
    net.assert_empty(a);
}
