use sidetone_sip::message::{
    CSeq, Contacts, HeaderName, Headers, Host, Message, Method, NameAddr, Params, Response, Uri, Via,
    ViaTransport, validate, validate_with,
};

use super::request;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn uris_are_equivalent_as_rfc_3261_section_19_1_4_says() {
    let same = [
        ("sip:%61lice@atlanta.example;transport=TCP", "sip:alice@AtlanTa.Example;Transport=tcp"),
        ("sip:carol@chicago.example", "sip:carol@chicago.example;newparam=5"),
        ("sip:carol@chicago.example;security=on", "sip:carol@chicago.example;newparam=5"),
        (
            "sip:b.example;transport=tcp;method=REGISTER?to=a%40b",
            "sip:b.example;method=REGISTER;transport=tcp?to=a%40b",
        ),
        ("sip:a@b.example?subject=x&priority=urgent", "sip:a@b.example?priority=urgent&subject=x"),
        ("tel:+1-555-0100", "tel:+15550100"),
        ("TEL:+44.20;ext=1", "tel:+4420;EXT=1"),
        ("sip:a@[2001:DB8::0:1]", "sip:a@[2001:db8::1]"),
    ];
    for (one, two) in same {
        assert!(uri(one).is_equivalent(&uri(two)) && uri(two).is_equivalent(&uri(one)), "{one} {two}");
    }
    let different = [
        ("SIP:ALICE@b.example;Transport=udp", "sip:alice@b.example;Transport=UDP"),
        ("sip:bob@b.example", "sip:bob@b.example:5060"),
        ("sip:bob@b.example", "sip:bob@b.example;transport=udp"),
        ("sip:bob@b.example", "sip:bob@b.example:6000;transport=tcp"),
        ("sip:carol@b.example", "sip:carol@b.example?Subject=next%20meeting"),
        ("sip:bob@phone21.example", "sip:bob@192.0.2.4"),
        ("sip:carol@b.example;security=on", "sip:carol@b.example;security=off"),
        ("sip:a%3Bb@b.example", "sip:a;b@b.example"),
        ("sip:a@b.example", "sips:a@b.example"),
        ("sip:a@b.example", "sip:b.example"),
        ("tel:+1555", "tel:+1555;ext=2"),
    ];
    for (one, two) in different {
        assert!(!uri(one).is_equivalent(&uri(two)) && !uri(two).is_equivalent(&uri(one)), "{one} {two}");
    }
}

#[test]
fn equality_of_params_does_not_depend_on_quotes_or_case_of_names() {
    let parse = |text: &str| NameAddr::parse(text).unwrap().params;
    assert_eq!(parse("<sip:a@b>;x=\"y\""), parse("<sip:a@b>;X=y"));
    assert_ne!(parse("<sip:a@b>;x=Y"), parse("<sip:a@b>;x=y"));
}

#[test]
fn a_tel_uri_keeps_number_and_parameters() {
    let tel = uri("tel:+1-(555)-0100;ext=22;phone-context=example.org");
    assert_eq!(tel.user.as_deref(), Some("+1-(555)-0100"));
    assert_eq!(tel.params.get("ext"), Some("22"));
    assert_eq!(tel.to_string(), "tel:+1-(555)-0100;ext=22;phone-context=example.org");
    for bad in ["tel:", "tel:+", "tel:555@b", "tel:5+5", "tel:1 2", "tel:-()"] {
        assert!(Uri::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn urns_and_other_schemes_are_kept() {
    for text in ["urn:service:sos", "mailto:a@b.example", "http://a/b?c=d&e#f", "im:x%20y"] {
        assert_eq!(uri(text).to_string(), text);
    }
}

#[test]
fn hosts_that_are_none_are_refused() {
    for bad in
        ["", "a..b", ".a", "-a", "a-", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[::1", "::1", "[g::1]", "a b", "ü"]
    {
        assert!(Host::parse(bad).is_err(), "{bad}");
    }
    for good in ["a", "a.", "a-b.c", "1and1.example", "_sip.a", "1.2.3.4", "[::1]", "[::ffff:1.2.3.4]"] {
        assert_eq!(Host::parse(good).unwrap().to_string(), good);
    }
}

#[test]
fn rport_and_received_are_written_and_read() {
    let mut via = Via::new(ViaTransport::Tcp, Host::parse("pc.example").unwrap(), None);
    via.set_branch("z9hG4bK2");
    via.request_rport();
    assert!(via.has_rport() && via.rport().is_none());
    assert_eq!(via.to_string(), "SIP/2.0/TCP pc.example;branch=z9hG4bK2;rport");
    via.set_rport(4711);
    via.set_received("2001:db8::1".parse().unwrap());
    let again = Via::parse(&via.to_string()).unwrap();
    assert_eq!((again.rport(), again.received()), (Some(4711), "2001:db8::1".parse().ok()));
}

#[test]
fn the_first_element_of_a_list_header_can_be_replaced_and_removed() {
    let mut headers = Headers::new();
    headers.push("v", "SIP/2.0/UDP a;x=\",\" , SIP/2.0/UDP b");
    headers.push(HeaderName::VIA, "SIP/2.0/UDP c");
    headers.replace_first_element(&HeaderName::VIA, "SIP/2.0/UDP z");
    let hosts = |headers: &Headers| -> Vec<String> {
        headers.via().map(|list| list.iter().map(|via| via.host.to_string()).collect()).unwrap_or_default()
    };
    assert_eq!(hosts(&headers), ["z", "b", "c"]);
    headers.remove_first_element(&HeaderName::VIA);
    assert_eq!(hosts(&headers), ["b", "c"]);
    headers.remove_first_element(&HeaderName::VIA);
    assert_eq!(hosts(&headers), ["c"]);
}

#[test]
fn setting_a_header_leaves_one_at_the_place_of_the_first() {
    let mut headers: Headers = [("X-A", "1"), ("X-B", "2"), ("x-a", "3"), ("X-C", "4")].into_iter().collect();
    headers.set("x-A", "5");
    let all: Vec<(String, &str)> = headers.iter().map(|(name, value)| (name.to_string(), value)).collect();
    assert_eq!(all, [("X-A".to_owned(), "5"), ("X-B".to_owned(), "2"), ("X-C".to_owned(), "4")]);
    assert!(headers.remove(&"X-A".into()) && !headers.has(&"x-a".into()));
}

#[test]
fn header_names_match_in_any_case_and_in_compact_form() {
    assert_eq!(HeaderName::from("i"), HeaderName::CALL_ID);
    assert_eq!(HeaderName::from("call-id"), HeaderName::CALL_ID);
    assert_eq!(HeaderName::from("X-y"), HeaderName::from("x-Y"));
    assert_eq!(HeaderName::from("q").as_str(), "q");
    assert!(HeaderName::parse("a b").is_none() && HeaderName::parse("").is_none());
}

#[test]
fn contacts_tell_star_from_a_list() {
    let headers: Headers = [("m", "*")].into_iter().collect();
    assert_eq!(headers.contacts(), Ok(Contacts::Star));
    let headers: Headers =
        [("m", "<sip:a@b>, <sip:c@d>;expires=5"), ("Contact", "sip:e@f")].into_iter().collect();
    let Ok(Contacts::List(list)) = headers.contacts() else { panic!() };
    assert_eq!(list.iter().map(NameAddr::expires).collect::<Vec<_>>(), [None, Some(5), None]);
    assert_eq!(Headers::new().contacts(), Ok(Contacts::List(Vec::new())));
}

#[test]
fn numbers_outside_their_range_are_errors_or_saturate_as_documented() {
    let headers = |name: &str, value: &str| -> Headers { [(name, value)].into_iter().collect() };
    assert_eq!(headers("Expires", "4294967296").expires(), Ok(Some(u32::MAX)));
    assert_eq!(headers("Expires", "-1").expires(), Ok(Some(3600)));
    assert_eq!(headers("Expires", "").expires(), Ok(Some(3600)));
    assert_eq!(NameAddr::parse("<sip:a@b>;expires=soon").unwrap().expires(), Some(3600));
    assert_eq!(headers("Retry-After", "120 (in a meeting);duration=5").retry_after(), Ok(Some(120)));
    assert!(headers("Max-Forwards", "+7").max_forwards().is_err());
    assert!(CSeq::parse("2147483648 INVITE").is_err());
    assert_eq!(CSeq::parse("0 invite").unwrap().method, Method::Extension("invite".to_owned()));
}

#[test]
fn a_response_copies_what_rfc_3261_section_8_2_6_2_names() {
    let mut request = request(Method::Invite);
    request.headers.push_front(HeaderName::VIA, "SIP/2.0/UDP proxy.example;branch=z9hG4bK-0");
    request.headers.push(HeaderName::TIMESTAMP, "54.1");
    request.headers.push(HeaderName::SUBJECT, "not copied");
    let trying = Response::to(&request, 100, None);
    assert_eq!(trying.headers.get(&HeaderName::TIMESTAMP), Some("54.1"));
    assert_eq!(trying.headers.to().unwrap().tag(), None);
    let ringing = Response::to(&request, 180, Some("b2"));
    assert_eq!(ringing.reason, "Ringing");
    assert_eq!(ringing.headers.to().unwrap().tag(), Some("b2"));
    assert_eq!(ringing.headers.via(), request.headers.via());
    assert_eq!(ringing.headers.from(), request.headers.from());
    assert!(!ringing.headers.has(&HeaderName::SUBJECT) && !ringing.headers.has(&HeaderName::TIMESTAMP));
    request.headers.set(HeaderName::TO, "<sip:desk@office.example>;tag=there");
    assert_eq!(Response::to(&request, 200, Some("b2")).headers.to().unwrap().tag(), Some("there"));
}

#[test]
fn required_extensions_are_refused_unless_supported() {
    let mut request = request(Method::Invite);
    request.headers.push(HeaderName::REQUIRE, "timer, X-New");
    let rejection = validate_with(&request, &["Timer"]).unwrap_err();
    assert_eq!(rejection.status, 420);
    assert_eq!(rejection.headers, [(HeaderName::UNSUPPORTED, "X-New".to_owned())]);
    assert_eq!(validate_with(&request, &["timer", "x-new"]), Ok(()));
    request.method = Method::Cancel;
    request.headers.set(HeaderName::CSEQ, "1 CANCEL");
    assert_eq!(validate(&request), Ok(()), "CANCEL is not refused for a Require");
}

#[test]
fn a_request_that_ends_here_is_not_refused_for_its_hops() {
    let mut request = request(Method::Bye);
    request.headers.set(HeaderName::MAX_FORWARDS, 0);
    assert_eq!(validate(&request).unwrap_err().status, 483);
    request.headers.set(HeaderName::TO, "<sip:desk@office.example>;tag=b2");
    assert_eq!(validate(&request), Ok(()));
}

#[test]
fn a_broken_optional_header_does_not_cost_a_response() {
    let mut response = Response::to(&request(Method::Invite), 200, Some("b2"));
    response.headers.push(HeaderName::DATE, "yesterday");
    response.headers.push(HeaderName::CONTACT, "/");
    let message = Message::parse(&response.to_bytes()).unwrap();
    assert!(message.headers().contacts().is_err());
}

#[test]
fn hostile_repetition_is_bounded() {
    let many = |one: &str, count: usize| one.repeat(count);
    assert!(
        NameAddr::parse(&format!("<sip:a@b>{}", (0..5000).map(|i| format!(";p{i}")).collect::<String>()))
            .is_err()
    );
    assert!(Uri::parse(&format!("sip:b?{}a=b", many("a=b&", 5000))).is_err());
    assert!(NameAddr::parse(&many("<", 10_000)).is_err());
    assert!(NameAddr::parse(&many("\"\\", 10_000)).is_err());
    let mut params = Params::new();
    params.set("a", "b");
    assert_eq!(params.len(), 1);
}
