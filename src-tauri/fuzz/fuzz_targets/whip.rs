//! What WHIP and WHEP servers and clients send: headers, fragments of ICE, whole responses. Nothing panics, all that is kept
//! is bounded, what is printed is read back the same, and a token goes to nobody but its server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_peer::whip::{
    Endpoint, EntityTag, Exchange, Fragment, IceServer, IfMatch, Kind, Opened, Resource, Response, Step, Token, read_links,
};
use std::time::SystemTime;

const SECRET: &str = "the-secret-token";

fuzz_target!(|text: &str| {
    headers(text);
    fragment(text);
    talk(text);
});

fn headers(text: &str) {
    for link in read_links(text.lines()) {
        let printed = link.to_string();
        let again = read_links([printed.as_str()]);
        assert!(again.len() <= 1, "{printed}");
        if let Some(server) = IceServer::of_link(&link) {
            let url = server.to_string();
            let again = IceServer::parse(&url).expect("our own URL can be read");
            assert_eq!((again.host, again.port, again.tcp), (server.host, server.port, server.tcp), "{url}");
        }
    }
    assert!(read_links(text.lines()).len() <= 32);
    if let Some(tag) = EntityTag::parse(text) {
        assert_eq!(EntityTag::parse(tag.as_str()).as_ref(), Some(&tag));
        assert!(IfMatch::parse(tag.as_str()).is_some_and(|header| header.matches(&tag)), "{tag}");
    }
    if let Some(IfMatch::Tags(tags)) = IfMatch::parse(text) {
        assert!(!tags.is_empty() && tags.len() <= 32);
    }
    let _ = Token::of_authorization(text);
}

fn fragment(text: &str) {
    let Ok(fragment) = Fragment::parse(text) else { return };
    let printed = fragment.to_string();
    let again = Fragment::parse(&printed).expect("what we print can be read");
    assert_eq!(again, fragment, "{printed}");
    let told = fragment.of_transport();
    assert!(told.sections.len() <= 1);
    assert_eq!(Fragment::parse(&told.to_string()), Ok(told));
    let _ = fragment.applied_to(text);
}

/// The text is what a server says, response by response: a line with the status, headers, an empty line, the body up to a line
/// of `===`.
fn talk(text: &str) {
    let token = Token::new(SECRET).expect("a constant");
    for kind in [Kind::Whip, Kind::Whep] {
        let endpoint = Endpoint::new(kind, "https://a.example/x", Some(token.clone())).expect("a constant");
        let mut responses = text.split("\n===\n").map(response);
        let mut exchange = endpoint.offer("v=0\r\n").expect("it is short");
        let mut session = None;
        while let Some(response) = responses.next() {
            let step = exchange.clone().handle_response(response);
            let Some(mut session) = session.take().or_else(|| match &step {
                Step::Again(next) => {
                    exchange = next.clone();
                    check(&exchange);
                    None
                }
                Step::Done(answered) => match endpoint.read_opened(answered, SystemTime::UNIX_EPOCH) {
                    Ok(Opened::Answered { resource, .. } | Opened::CounterOffer { resource, .. }) => Some(resource),
                    Err(refusal) => {
                        assert!(refusal.message.chars().count() < 500 && !refusal.message.contains('\n'));
                        None
                    }
                },
                Step::Failed(_) => None,
            }) else {
                continue;
            };
            patch(&mut session, &step);
            exchange = session.delete();
            check(&exchange);
        }
    }
}

fn patch(session: &mut Resource, step: &Step) {
    if let Step::Done(answered) = step {
        for restart in [false, true] {
            let _ = session.read_patched(answered, restart, SystemTime::UNIX_EPOCH);
        }
        let _ = Resource::read_deleted(answered, SystemTime::UNIX_EPOCH);
    }
}

/// The token is never in the clear.
fn check(exchange: &Exchange) {
    let request = exchange.request();
    assert_eq!(request.url.scheme(), "https");
    assert!(!request.is_loopback());
    assert!(!format!("{request:?}").contains(SECRET));
}

fn response(text: &str) -> Response {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(201);
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::try_from(name), http::HeaderValue::try_from(value))
        {
            headers.append(name, value);
        }
    }
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::CREATED);
    Response { status, headers, body: body.into() }
}
