use super::*;
use crate::message::Message;

fn invite() -> Request {
    let text = "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
        From: <sip:alice@a.example>;tag=at\r\nTo: <sip:bob@b.example>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\
        Contact: <sip:alice@192.0.2.1>\r\nRecord-Route: <sip:p2;lr>, <sip:p1;lr>\r\n\r\n";
    match Message::parse(text.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn success(contact: &str) -> Response {
    let mut response = Response::to(&invite(), 200, Some("bt"));
    response.headers.push(HeaderName::RECORD_ROUTE, "<sip:p2;lr>, <sip:p1;lr>");
    response.headers.push(HeaderName::CONTACT, contact);
    response
}

fn routes(dialog: &Dialog) -> Vec<String> {
    dialog.route_set.iter().map(|route| route.uri.to_string()).collect()
}

#[test]
fn the_callee_keeps_the_record_routes_in_order_and_the_caller_in_reverse() {
    let callee = Dialog::of_uas(&invite(), "bt").unwrap();
    let caller = Dialog::of_uac(&invite(), &success("<sip:bob@192.0.2.2>")).unwrap();
    assert_eq!(routes(&callee), ["sip:p2;lr", "sip:p1;lr"]);
    assert_eq!(routes(&caller), ["sip:p1;lr", "sip:p2;lr"]);
    assert_eq!(callee.id.local_tag, caller.id.remote_tag);
    assert_eq!(callee.id.remote_tag, caller.id.local_tag);
    assert_eq!(callee.remote_target.to_string(), "sip:alice@192.0.2.1");
}

#[test]
fn cseq_numbers_count_up_and_the_peers_must_too() {
    let mut caller = Dialog::of_uac(&invite(), &success("<sip:bob@192.0.2.2>")).unwrap();
    let (bye, next) = caller.request(Method::Bye);
    assert_eq!(bye.headers.cseq().unwrap().number, 8);
    assert_eq!(next.to_string(), "sip:p1;lr");
    assert_eq!(caller.ack(7).0.headers.cseq().unwrap().number, 7);
    let mut callee = Dialog::of_uas(&invite(), "bt").unwrap();
    assert_eq!(callee.accept_cseq(7), Err(OutOfOrder));
    assert_eq!(callee.accept_cseq(100), Ok(()));
    assert_eq!(callee.accept_cseq(99), Err(OutOfOrder));
}

#[test]
fn the_last_cseq_is_followed_by_the_first() {
    let mut caller = Dialog::of_uac(&invite(), &success("<sip:bob@192.0.2.2>")).unwrap();
    caller.local_cseq = CSEQ_LIMIT - 1;
    assert_eq!(caller.request(Method::Bye).0.headers.cseq().unwrap().number, 1);
}

#[test]
fn a_contact_that_is_no_sip_uri_is_no_target() {
    let caller = Dialog::of_uac(&invite(), &success("<mailto:bob@b.example>")).unwrap();
    assert_eq!(caller.remote_target.to_string(), "sip:bob@b.example");
    let mut callee = Dialog::of_uas(&invite(), "bt").unwrap();
    callee.refresh_target(&success("<tel:+1>").headers);
    assert_eq!(callee.remote_target.to_string(), "sip:alice@192.0.2.1");
}

#[test]
fn parts_that_a_request_uri_may_not_have_are_taken_off_a_strict_route() {
    let mut caller = Dialog::of_uac(&invite(), &success("<sip:bob@192.0.2.2>")).unwrap();
    caller.route_set = vec![NameAddr::parse("<sip:p1;method=BYE?Subject=x>").unwrap()];
    let (request, next) = caller.request(Method::Bye);
    assert_eq!((request.uri.to_string(), next.to_string()), ("sip:p1".to_owned(), "sip:p1".to_owned()));
    assert_eq!(request.headers.get(&HeaderName::ROUTE), Some("<sip:bob@192.0.2.2>"));
}
