//! What a server checks and where its responses go: RFC 3261 sections 8.2 and 18.2, RFC 3581.

use sidetone_sip::Event;
use sidetone_sip::message::{HeaderName, Message};

use super::kit::*;

fn status_of(text: &str) -> u16 {
    let (mut net, _, _) = pair();
    net.send(PEER, A, text);
    net.settle();
    answered(&mut net).status
}

#[test]
fn an_unknown_method_gets_501_and_a_known_one_that_is_not_served_405_with_allow() {
    for (method, status) in [("FROBNICATE", 501), ("SUBSCRIBE", 405), ("REGISTER", 405), ("PUBLISH", 405)] {
        let (mut net, _, _) = pair();
        net.send(PEER, A, &request(method, "sip:alice@192.0.2.1", "1", 1, "", ""));
        net.settle();
        let response = answered(&mut net);
        assert_eq!(response.status, status, "{method}");
        let allow = response.headers.allow().unwrap();
        assert!(allow.contains(&"INVITE".to_owned()) && allow.contains(&"BYE".to_owned()), "{method}");
    }
}

#[test]
fn an_extension_that_is_required_and_unknown_gets_420_naming_it() {
    let (mut net, _, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "Require: foo, replaces, bar\n"));
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.headers.get(&HeaderName::UNSUPPORTED)), (420, Some("foo, bar")));
}

#[test]
fn a_request_uri_of_an_unknown_scheme_gets_416() {
    assert_eq!(status_of(&request("OPTIONS", "news:comp.protocols", "1", 1, "", "")), 416);
}

#[test]
fn a_cseq_of_another_method_gets_400() {
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "")
        .replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE");
    assert_eq!(status_of(&text), 400);
}

#[test]
fn another_version_gets_505() {
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "").replacen("SIP/2.0", "SIP/7.0", 1);
    assert_eq!(status_of(&text), 505);
}

#[test]
fn no_forwards_left_gets_483() {
    let text = request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "")
        .replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(status_of(&text), 483);
}

#[test]
fn a_body_that_is_no_sdp_gets_415_with_accept() {
    let (mut net, a, _) = pair();
    let text = with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""), "<x/>")
        .replace("application/sdp", "text/xml");
    net.send(PEER, A, &text);
    net.settle();
    let response = answered(&mut net);
    assert_eq!((response.status, response.headers.get(&HeaderName::ACCEPT)), (415, Some("application/sdp")));
    assert!(net.events(a).is_empty());
}

#[test]
fn a_compressed_body_gets_415() {
    let text =
        with_sdp(&request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", "Content-Encoding: gzip\n"), "v=0");
    assert_eq!(status_of(&text), 415);
}

#[test]
fn the_same_request_by_another_way_gets_482() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "one", 1, "", ""));
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "two", 1, "", ""));
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100, 482]);
    assert_eq!(net.load(a).calls, 1);
}

#[test]
fn a_repeated_request_gets_the_same_response_and_has_no_second_effect() {
    let (mut net, _, _) = pair();
    for _ in 0..3 {
        net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", ""));
        net.settle();
    }
    let seen = net.receive_all(PEER);
    assert_eq!(statuses(&seen), [200, 200, 200]);
    assert_eq!(seen[0], seen[2]);
}

#[test]
fn options_is_answered_with_what_we_can_do() {
    let (mut net, _, _) = pair();
    net.send(PEER, A, &request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.settle();
    let response = answered(&mut net);
    assert_eq!(response.status, 200);
    for name in [
        HeaderName::ALLOW,
        HeaderName::ACCEPT,
        HeaderName::SUPPORTED,
        HeaderName::CONTACT,
        HeaderName::SERVER,
    ] {
        assert!(response.headers.has(&name), "{name}");
    }
    assert!(response.headers.to().unwrap().tag().is_some());
}

#[test]
fn our_own_options_is_answered_and_told() {
    let (mut net, a, _) = pair();
    let options = sidetone_sip::Options::new(from(), "sip:bob@192.0.2.2".parse().unwrap());
    let id = net.with(a, |ua, now| ua.options(now, options));
    net.settle();
    assert!(
        matches!(&net.events(a)[..], [Event::OptionsAnswered { id: told, status: 200, .. }] if *told == id)
    );
}

#[test]
fn a_bye_outside_any_dialog_gets_481() {
    assert_eq!(status_of(&request("BYE", "sip:alice@192.0.2.1", "1", 1, "", "")), 481);
}

#[test]
fn an_ack_for_nothing_is_never_answered() {
    let (mut net, a, _) = pair();
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1", 1, "tag", ""));
    net.send(PEER, A, &request("ACK", "sip:alice@192.0.2.1", "1", 1, "", "Require: foo\n"));
    net.settle();
    assert!(net.receive_all(PEER).is_empty());
    net.assert_empty(a);
}

#[test]
fn rport_and_received_are_filled_in_and_the_response_goes_to_the_source() {
    let (mut net, _, _) = pair();
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "")
        .replace("UDP 192.0.2.9:5060", "UDP 10.1.1.1:5060");
    net.send("198.51.100.7:40000", A, &text);
    net.settle();
    let seen: Vec<Message> = net.receive_all("198.51.100.7:40000");
    let via = seen[0].headers().top_via().unwrap();
    assert_eq!((via.received().unwrap().to_string().as_str(), via.rport()), ("198.51.100.7", Some(40000)));
}

#[test]
fn without_rport_the_response_goes_to_the_port_of_the_via() {
    let (mut net, _, _) = pair();
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "").replace(";rport", "");
    net.send("192.0.2.9:40000", A, &text);
    net.settle();
    let via = answered(&mut net).headers.top_via().unwrap();
    assert_eq!(via.received(), None);
}

#[test]
fn without_rport_and_from_another_address_received_is_added() {
    let (mut net, _, _) = pair();
    let text = request("OPTIONS", "sip:alice@192.0.2.1", "1", 1, "", "")
        .replace(";rport", "")
        .replace("UDP 192.0.2.9:5060", "UDP client.example:5070");
    net.send("192.0.2.9:40000", A, &text);
    net.settle();
    let seen = net.receive_all("192.0.2.9:5070");
    assert_eq!(seen[0].headers().top_via().unwrap().received().unwrap().to_string(), "192.0.2.9");
}

#[test]
fn a_response_whose_via_is_not_ours_is_dropped() {
    let (mut net, a, _) = pair();
    let call = place(&mut net, a, "sip:peer@192.0.2.9");
    net.settle();
    let invite = received(&mut net);
    let foreign = reply(&invite, 486, "t", "").replace("192.0.2.1:5060;", "192.0.2.66:5060;");
    net.send(PEER, A, &foreign);
    net.settle();
    assert!(net.call_events(a, call).is_empty());
}

/// RFC 3261 section 17.2.3: without the magic cookie the whole request identifies its transaction.
#[test]
fn a_request_from_before_rfc_3261_is_matched_without_its_branch() {
    let (mut net, a, _) = pair();
    let old = |text: String| text.replace(";branch=z9hG4bK1", "");
    let invite = old(request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", ""));
    net.send(PEER, A, &invite);
    net.send(PEER, A, &invite);
    net.settle();
    assert_eq!(statuses(&net.receive_all(PEER)), [100, 100]);
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.reject(now, call, 486, ""));
    net.settle();
    let seen = net.receive_all(PEER);
    let tag = seen[0].headers().to().unwrap().tag().unwrap().to_owned();
    net.send(PEER, A, &old(request("ACK", "sip:alice@192.0.2.1", "1", 1, &tag, "")));
    net.run_for(std::time::Duration::from_secs(20));
    assert!(net.receive_all(PEER).is_empty(), "the ACK stopped the repetitions");
}

#[test]
fn record_route_comes_back_in_the_responses_that_make_a_dialog() {
    let (mut net, a, _) = pair();
    let routes = "Record-Route: <sip:p1.example;lr>\nRecord-Route: <sip:192.0.2.9;lr>\n";
    net.send(PEER, A, &request("INVITE", "sip:alice@192.0.2.1", "1", 1, "", routes));
    net.settle();
    let call = net.incoming(a);
    net.with(a, |ua, now| ua.ring(now, call));
    net.settle();
    let seen = net.receive_all(PEER);
    let listed: Vec<String> =
        seen[1].headers().record_routes().unwrap().iter().map(|route| route.uri.to_string()).collect();
    assert_eq!(listed, ["sip:p1.example;lr", "sip:192.0.2.9;lr"]);
    assert!(seen[0].headers().to().unwrap().tag().is_none(), "no tag in a 100");
    assert!(seen[1].headers().contacts().unwrap().first().is_some());
}
