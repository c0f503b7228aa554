//! Challenges and credentials from hostile text, and both sides of the exchange around them.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use sidetone_sip::digest::{
    Algorithm, Authenticator, Authorization, Authorizer, Challenge, Credentials, Kind, Password, Verdict,
};
use sidetone_sip::message::{HeaderName, Method, Request, Response, Uri};

fuzz_target!(|text: &str| {
    if let Ok(challenges) = Challenge::parse(Kind::Server, text) {
        for challenge in challenges {
            let printed = challenge.to_string();
            assert_eq!(Challenge::parse(Kind::Server, &printed), Ok(vec![challenge]), "{printed}");
        }
    }
    if let Ok(Some(sent)) = Authorization::parse(Kind::Proxy, text) {
        let printed = sent.to_string();
        assert_eq!(Authorization::parse(Kind::Proxy, &printed), Ok(Some(sent)), "{printed}");
    }
    server(text);
    client(text);
});

fn request() -> Request {
    Request::new(Method::Register, Uri::parse("sip:office.example").expect("a constant"))
}

fn server(text: &str) {
    let mut request = request();
    request.headers.push(HeaderName::AUTHORIZATION, text);
    let mut server = Authenticator::new(Kind::Server, "r", &Algorithm::ALL, [1; 32]);
    let verdict = server.check(Instant::now(), &request, |_| Some(Password::new("secret")));
    assert!(!matches!(verdict, Verdict::Accepted { .. }), "a nonce was guessed");
}

fn client(text: &str) {
    let mut request = request();
    let mut response = Response::new(401);
    response.headers.push(HeaderName::WWW_AUTHENTICATE, text);
    let mut client = Authorizer::new(Credentials::new("mara", "secret"));
    if client.handle_challenge(&request, &response, "cnonce").is_ok() {
        client.authorize(&mut request);
        let sent = request.headers.authorizations().expect("our own credentials can be read");
        assert!(!sent.is_empty());
        assert!(
            client.handle_challenge(&request, &response, "cnonce").is_err()
                || text.to_ascii_lowercase().contains("stale")
        );
    }
}
