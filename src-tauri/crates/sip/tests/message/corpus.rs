//! The hand-made messages of `tests/corpus`, in the spirit of RFC 4475 and RFC 5118.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use sidetone_sip::message::{Message, validate};

use super::without_length;

/// What each message of `corpus/invalid` is answered with (`None`: nothing), and what the error names.
const INVALID: &[(&str, Option<u16>, &str)] = &[
    ("ack_broken", None, "From"),
    ("binary", None, "start line"),
    ("call_id_empty", Some(400), "Call-ID"),
    ("call_id_missing", Some(400), "Call-ID"),
    ("call_id_twice", Some(400), "Call-ID"),
    ("call_id_two_words", Some(400), "Call-ID"),
    ("carriage_return_inside", Some(400), "Subject"),
    ("contact_bad_q", Some(400), "Contact"),
    ("contact_empty_address", Some(400), "Contact"),
    ("contact_question_mark", Some(400), "Contact"),
    ("contact_star_and_more", Some(400), "Contact"),
    ("content_length_huge", Some(400), "Content-Length"),
    ("content_length_negative", Some(400), "Content-Length"),
    ("content_length_plus", Some(400), "Content-Length"),
    ("content_length_too_large", Some(400), "Content-Length"),
    ("content_length_twice", Some(400), "Content-Length"),
    ("content_type_no_subtype", Some(400), "Content-Type"),
    ("continuation_first", Some(400), "header section"),
    ("cseq_astronomic", Some(400), "CSeq"),
    ("cseq_no_method", Some(400), "CSeq"),
    ("cseq_no_space", Some(400), "CSeq"),
    ("cseq_other_method", Some(400), "CSeq"),
    ("cseq_too_large", Some(400), "CSeq"),
    ("cseq_twice", Some(400), "CSeq"),
    ("cut_in_headers", Some(400), "header section"),
    ("cut_in_line", Some(400), "CSeq"),
    ("date_no_such_day", Some(400), "Date"),
    ("date_other_zone", Some(400), "Date"),
    ("from_comma_in_display", Some(400), "From"),
    ("from_empty", Some(400), "From"),
    ("from_empty_tag", Some(400), "From"),
    ("from_empty_user", Some(400), "From"),
    ("from_ends_in_backslash", Some(400), "From"),
    ("from_lone_backslash", Some(400), "From"),
    ("from_missing", Some(400), "From"),
    ("from_only_quote", Some(400), "From"),
    ("from_open_bracket", Some(400), "From"),
    ("from_open_quote", Some(400), "From"),
    ("from_single_slash", Some(400), "From"),
    ("from_slash_in_brackets", Some(400), "From"),
    ("from_slash_uri", Some(400), "From"),
    ("from_twice", Some(400), "From"),
    ("from_two_at", Some(400), "From"),
    ("from_two_tags", Some(400), "From"),
    ("header_name_empty", Some(400), "header section"),
    ("header_name_with_space", Some(400), "header section"),
    ("header_without_colon", Some(400), "header section"),
    ("ipv6_not_an_address", Some(400), "start line"),
    ("ipv6_open_bracket", Some(400), "start line"),
    ("ipv6_without_brackets", Some(400), "start line"),
    ("keep_alive", None, "message"),
    ("line_too_long", Some(513), "X-Long"),
    ("max_forwards_text", Some(400), "Max-Forwards"),
    ("max_forwards_too_large", Some(400), "Max-Forwards"),
    ("max_forwards_zero", Some(483), ""),
    ("record_route_open", Some(400), "Record-Route"),
    ("require_not_a_token", Some(400), "Require"),
    ("require_unknown", Some(420), ""),
    ("response_cseq_too_large", None, "CSeq"),
    ("response_no_via", None, "Via"),
    ("response_other_version", None, "start line"),
    ("route_without_uri", Some(400), "Route"),
    ("start_http_version", Some(400), "start line"),
    ("start_method_not_a_token", Some(400), "start line"),
    ("start_no_version", Some(400), "start line"),
    ("start_trailing_space", Some(400), "start line"),
    ("start_two_spaces", Some(400), "start line"),
    ("status_four_digits", None, "start line"),
    ("status_too_large", None, "start line"),
    ("status_too_small", None, "start line"),
    ("to_bad_escape", Some(400), "To"),
    ("to_control_in_quotes", Some(400), "To"),
    ("to_missing", Some(400), "To"),
    ("to_not_ipv4", Some(400), "To"),
    ("to_spaces_in_brackets", Some(400), "To"),
    ("too_many_headers", Some(513), "header section"),
    ("unknown_method_other_cseq", Some(501), ""),
    ("uri_empty_host", Some(400), "start line"),
    ("uri_in_brackets", Some(400), "start line"),
    ("uri_no_scheme", Some(400), "start line"),
    ("uri_non_ascii", Some(400), "start line"),
    ("uri_scheme_http", Some(416), ""),
    ("uri_scheme_unknown", Some(416), ""),
    ("uri_with_headers", Some(400), "start line"),
    ("uri_with_space", Some(400), "start line"),
    ("version_seven", Some(505), "start line"),
    ("version_two_one", Some(505), "start line"),
    ("via_bare_cookie", Some(400), "Via"),
    ("via_empty_element", Some(400), "Via"),
    ("via_empty_parameters", Some(400), "Via"),
    ("via_missing", None, "Via"),
    ("via_no_host", Some(400), "Via"),
    ("via_port_too_large", Some(400), "Via"),
];

pub(crate) fn messages(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        found.push((name, fs::read(path).unwrap()));
    }
    found.sort();
    found
}

#[test]
fn every_invalid_message_is_answered_as_the_table_says() {
    let mut seen = BTreeSet::new();
    for (name, bytes) in messages("invalid") {
        let (_, status, names) = INVALID.iter().find(|(known, ..)| *known == name).expect(&name);
        let (answer, text) = match Message::parse(&bytes) {
            Err(error) => (error.answerable().map(|answer| answer.response("tt")), error.to_string()),
            Ok(Message::Response(_)) => panic!("{name} was accepted"),
            Ok(Message::Request(request)) => {
                let rejection = validate(&request).expect_err(&name);
                (Some(rejection.response(&request, "tt")), rejection.reason)
            }
        };
        assert_eq!(answer.as_ref().map(|answer| answer.status), *status, "{name}: {text}");
        assert!(text.contains(names), "{name} should name {names}: {text}");
        assert!(!text.contains('\n'), "{name}: {text}");
        if let Some(answer) = answer {
            assert!(answer.to_bytes().starts_with(b"SIP/2.0 "), "{name}");
            assert!(answer.headers.via().is_ok() || names == &"Via" || name == "version_seven", "{name}");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), INVALID.len(), "the table names a file that is not there");
}

#[test]
fn every_valid_message_is_read_and_passes_validation() {
    for (name, bytes) in messages("valid") {
        match Message::parse(&bytes) {
            Ok(Message::Request(request)) => assert_eq!(validate(&request), Ok(()), "{name}"),
            Ok(Message::Response(_)) => {}
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn every_valid_message_is_the_same_after_printing_and_reading_again() {
    for (name, bytes) in messages("valid") {
        let message = Message::parse(&bytes).expect(&name);
        let again = Message::parse(&message.to_bytes()).expect(&name);
        assert_eq!(without_length(again.clone()), without_length(message), "{name}");
        assert_eq!(Message::parse(&again.to_bytes()), Ok(again), "{name}");
    }
}

#[test]
fn any_prefix_of_any_message_is_read_without_panic() {
    for kind in ["valid", "invalid"] {
        for (_, bytes) in messages(kind) {
            let step = (bytes.len() / 150).max(1);
            for end in (0..bytes.len()).step_by(step) {
                let _ = Message::parse(&bytes[..end]);
            }
        }
    }
}

fn valid(name: &str) -> Message {
    let (_, bytes) = messages("valid").into_iter().find(|(known, _)| known == name).expect(name);
    Message::parse(&bytes).expect(name)
}

#[test]
fn folded_and_spaced_headers_mean_what_they_mean_on_one_line() {
    let message = valid("folded_and_spaced");
    let headers = message.headers();
    let from = headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("Mara \"The Voice\" \\ Lind"));
    assert_eq!(from.tag(), Some("a1"));
    assert_eq!(headers.to().unwrap().params.get("x-kind"), Some("wide"));
    assert_eq!(headers.max_forwards(), Ok(Some(42)));
    assert_eq!(headers.cseq().unwrap().to_string(), "7 INVITE");
    let vias = headers.via().unwrap();
    let hosts: Vec<String> = vias.iter().map(|via| format!("{} {}", via.transport, via.host)).collect();
    assert_eq!(hosts, ["UDP 192.0.2.30", "TCP hop.example", "TLS [2001:db8::7]"]);
    assert_eq!(vias[0].port, Some(5060));
    assert_eq!(vias[1].branch(), Some("z9hG4bKtwo"));
    assert_eq!(headers.get(&"subject".into()), Some(""));
    assert_eq!(headers.get(&"X-Story".into()), Some("first line second line third line"));
    assert_eq!(headers.routes().unwrap().len(), 2);
    let contact = headers.contacts().unwrap().first().cloned().unwrap();
    assert_eq!((contact.q(), contact.expires()), (250, Some(60)));
}

#[test]
fn a_datagram_is_cut_at_its_content_length() {
    let message = valid("trailing_octets");
    assert!(message.body().is_empty());
}

#[test]
fn a_datagram_without_content_length_has_all_the_rest_as_body() {
    assert!(valid("no_content_length").body().starts_with(b"v=0"));
}

#[test]
fn ipv6_addresses_are_found_with_and_without_brackets() {
    let top = |name| valid(name).headers().top_via().unwrap();
    assert_eq!(top("ipv6_everywhere").received(), "2001:db8::ff".parse().ok());
    assert_eq!(top("ipv6_received_brackets").received(), "2001:db8::9:255".parse().ok());
    let Message::Request(inside) = valid("ipv6_port_inside") else { panic!() };
    assert_eq!((inside.uri.port, inside.uri.host.bare().as_str()), (None, "2001:db8::10:5070"));
    let Message::Request(outside) = valid("ipv6_port_outside") else { panic!() };
    assert_eq!(outside.uri.port, Some(5070));
}

#[test]
fn a_user_part_is_given_with_its_escapes_resolved() {
    let Message::Request(request) = valid("escapes") else { panic!() };
    assert_eq!(request.uri.user_text().as_deref(), Some("sips:clerk@bank.example"));
    assert_eq!(request.headers.to().unwrap().uri.user_text().as_deref(), Some("desk"));
}

#[test]
fn the_answer_to_a_broken_request_repeats_what_its_sender_must_recognize() {
    let (_, bytes) = messages("invalid").into_iter().find(|(name, _)| name == "max_forwards_text").unwrap();
    let error = Message::parse(&bytes).unwrap_err();
    let answer = error.answerable().unwrap().response("tag9");
    let again = Message::parse(&answer.to_bytes()).unwrap();
    let headers = again.headers();
    assert_eq!(headers.top_via().unwrap().branch(), Some("z9hG4bK-1a2b"));
    assert_eq!(headers.to().unwrap().tag(), Some("tag9"));
    assert_eq!(headers.cseq().unwrap().to_string(), "1 INVITE");
    assert!(answer.reason.contains("Max-Forwards"), "{}", answer.reason);
}
