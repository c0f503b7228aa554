//! What code sets must not be able to break out of its place.

use sidetone_sip::message::{
    HeaderName, Host, Message, Method, NameAddr, Params, Response, Uri, Via, ViaTransport,
};

use super::request;

const NASTY: [&str; 12] = [
    "a\r\nX-Injected: yes",
    "a\nb",
    "\r\n\r\nINVITE",
    "\"",
    "\\",
    "end\\",
    "<>;,",
    "a@b:c?d=e",
    "%",
    "%0d%0a",
    "\0\u{7f}\t ",
    "käse \u{2028}",
];

fn injected(message: &[u8]) -> bool {
    let message = Message::parse(message).expect("what is printed can be read");
    message.headers().has(&"X-Injected".into())
}

#[test]
fn header_values_cannot_add_lines() {
    for text in NASTY {
        let mut request = request(Method::Options);
        request.headers.push("X-Text", text);
        request.headers.set(HeaderName::SUBJECT, text);
        request.headers.push_front("X-First", text);
        request.headers.push(text, "value");
        assert!(!injected(&request.to_bytes()), "{text:?}");
    }
}

#[test]
fn a_display_name_is_read_back_as_it_was_set() {
    for text in NASTY {
        let address = NameAddr::with_display(text, Uri::parse("sip:a@b.example").unwrap());
        let again = NameAddr::parse(&address.to_string()).unwrap();
        let expected = text.replace(['\r', '\n'], " ");
        assert_eq!(again.display.as_deref(), Some(expected.as_str()), "{text:?}");
    }
}

#[test]
fn a_user_part_is_read_back_as_it_was_set() {
    for text in NASTY {
        let uri = Uri::sip(Some(text), Host::parse("b.example").unwrap(), None);
        let again = Uri::parse(&uri.to_string()).unwrap();
        assert_eq!(again.user_text().as_deref(), Some(text));
        assert_eq!(again.host, uri.host);
    }
}

#[test]
fn every_part_of_a_uri_stays_in_its_place() {
    for text in NASTY {
        let mut uri = Uri::parse("sip:a@b.example").unwrap();
        uri.password = Some(text.to_owned());
        uri.host = Host::Name(text.to_owned());
        uri.params.set(text, text);
        uri.params.set("transport", text);
        uri.headers.push((text.to_owned(), text.to_owned()));
        let again = Uri::parse(&uri.to_string()).unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(again.user, uri.user);
        let mut request = request(Method::Options);
        request.uri = Uri { headers: Vec::new(), ..uri };
        assert!(!injected(&request.to_bytes()), "{text:?}");
    }
}

#[test]
fn opaque_and_tel_uris_stay_in_their_place() {
    for text in NASTY {
        for base in ["tel:+1555", "http://x.example"] {
            let mut uri = Uri::parse(base).unwrap();
            uri.opaque = text.to_owned();
            uri.user = Some(text.to_owned());
            uri.scheme = match uri.scheme {
                sidetone_sip::message::Scheme::Tel => uri.scheme,
                _ => sidetone_sip::message::Scheme::Other(text.to_owned()),
            };
            let printed = uri.to_string();
            assert!(Uri::parse(&printed).is_ok(), "{printed}");
        }
    }
}

#[test]
fn parameter_values_of_headers_are_read_back_as_they_were_set() {
    for text in NASTY {
        let mut via = Via::new(ViaTransport::Udp, Host::parse("192.0.2.1").unwrap(), Some(5060));
        via.set_branch("z9hG4bK1");
        via.params.set("x-text", text);
        via.params.set(text, "value");
        let again = Via::parse(&via.to_string()).unwrap_or_else(|error| panic!("{via}: {error}"));
        assert_eq!(again.params.get("x-text"), Some(text.replace(['\r', '\n'], " ").as_str()));
        assert_eq!(again.branch(), Some("z9hG4bK1"));
    }
}

#[test]
fn other_tokens_cannot_break_the_start_line() {
    for text in NASTY {
        let mut request = request(Method::Options);
        request.method = Method::Extension(text.to_owned());
        request.headers.set(HeaderName::CSEQ, format!("1 {}", request.method));
        assert!(!injected(&request.to_bytes()), "{text:?}");
        let mut response = Response::to(&request, 404, Some("t"));
        response.reason = text.to_owned();
        assert!(!injected(&response.to_bytes()), "{text:?}");
        let transport = ViaTransport::Other(text.to_owned());
        let mut via = Via::new(transport, Host::Name(text.to_owned()), None);
        via.protocol = text.to_owned();
        assert!(Via::parse(&via.to_string()).is_ok(), "{via}");
    }
}

#[test]
fn the_printed_content_length_is_that_of_the_body() {
    let mut request = request(Method::Message);
    request.headers.push(HeaderName::CONTENT_LENGTH, 99);
    request.headers.push("l", 7);
    request.set_body("text/plain", b"four".to_vec());
    let text = request.to_string();
    assert_eq!(text.matches("Content-Length: 4\r\n").count(), 1, "{text}");
    assert_eq!(text.matches("Content-Length").count(), 1, "{text}");
}

#[test]
fn compact_names_are_printed_long() {
    let mut request = request(Method::Options);
    request.headers.push("s", "hello");
    assert!(request.to_string().contains("\r\nSubject: hello\r\n"));
}

#[test]
fn debug_shows_neither_uri_passwords_nor_credentials() {
    let mut request = request(Method::Options);
    request.uri = Uri::parse("sip:mara:hush@office.example").unwrap();
    request.headers.push(HeaderName::AUTHORIZATION, "Digest response=\"hush\"");
    let shown = format!("{request:?}");
    assert!(!shown.contains("hush"), "{shown}");
    assert!(request.to_string().contains("mara:hush@"));
}

#[test]
fn params_replace_in_place_and_ignore_case() {
    let mut params = Params::new();
    params.set("Tag", "1");
    params.set_flag("lr");
    params.set("tag", "2");
    assert_eq!(params.iter().collect::<Vec<_>>(), [("Tag", Some("2")), ("lr", None)]);
    assert!(params.has("LR") && params.get("lr").is_none());
    assert!(params.remove("TAG") && !params.remove("tag"));
}
