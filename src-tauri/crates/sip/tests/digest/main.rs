//! Digest authentication, both sides against each other and against hostile input.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod server;

use std::time::Instant;

use sidetone_sip::digest::{
    Algorithm, Authenticator, Authorization, Authorizer, Credentials, Kind, Password,
};
use sidetone_sip::message::{HeaderName, Message, Method, Request, Response, Uri};

const KEY: [u8; 32] = [7; 32];
const REALM: &str = "office, \"main\"";

fn register() -> Request {
    let mut request = Request::new(Method::Register, Uri::parse("sip:office.example;x=%41").unwrap());
    request.headers.push(HeaderName::VIA, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    request.headers.push(HeaderName::FROM, "<sip:mara@office.example>;tag=1");
    request.headers.push(HeaderName::TO, "<sip:mara@office.example>");
    request.headers.push(HeaderName::CALL_ID, "x");
    request.headers.push(HeaderName::CSEQ, "1 REGISTER");
    request.set_body("text/plain", b"body".to_vec());
    request
}

fn refused(challenges: &[(HeaderName, String)]) -> Response {
    let mut response = Response::new(401);
    challenges.iter().for_each(|(name, value)| response.headers.push(name, value));
    response
}

fn www(values: &[&str]) -> Response {
    let fields: Vec<_> = values.iter().map(|v| (HeaderName::WWW_AUTHENTICATE, (*v).to_owned())).collect();
    refused(&fields)
}

/// As it arrives: printed and parsed.
fn sent(request: &Request) -> Request {
    match Message::parse(&request.to_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn sole(request: &Request) -> Authorization {
    let mut all = request.headers.authorizations().unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn mara(user: &str) -> Option<Password> {
    (user == "mara-auth").then(|| Password::new("open sesame"))
}

fn client(password: &str) -> Authorizer {
    Authorizer::new(Credentials::new("mara-auth", password))
}

fn server(algorithms: &[Algorithm]) -> Authenticator {
    Authenticator::new(Kind::Server, REALM, algorithms, KEY)
}

/// A client that has been challenged, and its signed request.
fn signed(server: &mut Authenticator, client: &mut Authorizer, now: Instant) -> Request {
    let mut request = register();
    let response = refused(&server.challenges(now, false));
    client.handle_challenge(&request, &response, "cn\"once").unwrap();
    client.authorize(&mut request);
    sent(&request)
}
