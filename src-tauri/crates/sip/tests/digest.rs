//! Digest authentication, both sides against each other and against hostile input.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use sidetone_sip::digest::{
    Algorithm, Authenticator, Authorization, Authorizer, Challenge, Credentials, Kind, Password, Qop,
    Refusal, Verdict, choose,
};
use sidetone_sip::message::{HeaderName, Headers, Message, Method, Request, Response, Uri};

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

#[test]
fn right_credentials_are_accepted_with_every_algorithm_and_protection() {
    let now = Instant::now();
    for algorithm in Algorithm::ALL {
        for qop in [Qop::Auth, Qop::AuthInt] {
            let mut server = server(&[algorithm]).with_qop(&[qop]);
            let mut client = client("open sesame");
            let request = signed(&mut server, &mut client, now);
            let accepted = Verdict::Accepted { username: "mara-auth".to_owned() };
            assert_eq!(server.check(now, &request, mara), accepted, "{algorithm} {qop:?}");
            let mut second = register();
            client.authorize(&mut second);
            assert_eq!(sole(&second).nc, Some(2));
            assert_eq!(server.check(now, &sent(&second), mara), accepted, "{algorithm} {qop:?}");
        }
    }
}

#[test]
fn a_wrong_password_or_an_unknown_user_is_wrong() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Sha256]);
    let request = signed(&mut server, &mut client("open"), now);
    assert!(matches!(server.check(now, &request, mara), Verdict::Wrong { .. }));
    let mut nobody = Authorizer::new(Credentials::new("nobody", ""));
    let request = signed(&mut server, &mut nobody, now);
    assert!(matches!(server.check(now, &request, mara), Verdict::Wrong { .. }));
}

#[test]
fn what_the_digest_covers_cannot_be_changed() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Sha256]).with_qop(&[Qop::AuthInt]);
    let request = signed(&mut server, &mut client("open sesame"), now);
    let mut other_body = request.clone();
    other_body.body.push(b'!');
    assert!(matches!(server.check(now, &other_body, mara), Verdict::Wrong { .. }));
    let mut other_method = request.clone();
    other_method.method = Method::Invite;
    assert!(matches!(server.check(now, &other_method, mara), Verdict::Wrong { .. }));
    assert!(matches!(server.check(now, &request, mara), Verdict::Accepted { .. }));
}

#[test]
fn a_replayed_request_is_stale() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Sha256]);
    let request = signed(&mut server, &mut client("open sesame"), now);
    assert!(matches!(server.check(now, &request, mara), Verdict::Accepted { .. }));
    assert_eq!(server.check(now, &request, mara), Verdict::Stale);
}

#[test]
fn counts_may_arrive_out_of_order_but_not_twice() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Md5]);
    let mut client = client("open sesame");
    let first = signed(&mut server, &mut client, now);
    let later: Vec<Request> = (0..100)
        .map(|_| {
            let mut request = register();
            client.authorize(&mut request);
            request
        })
        .collect();
    assert!(matches!(server.check(now, &later[10], mara), Verdict::Accepted { .. }));
    assert!(matches!(server.check(now, &later[5], mara), Verdict::Accepted { .. }));
    assert!(matches!(server.check(now, &first, mara), Verdict::Accepted { .. }));
    assert_eq!(server.check(now, &later[5], mara), Verdict::Stale);
    assert!(matches!(server.check(now, &later[99], mara), Verdict::Accepted { .. }));
    assert_eq!(server.check(now, &later[20], mara), Verdict::Stale, "too far behind to be remembered");
}

#[test]
fn an_expired_nonce_is_stale_and_the_client_goes_on_with_a_new_one() {
    let mut now = Instant::now();
    let mut server = server(&[Algorithm::Sha512_256]).with_lifetime(Duration::from_secs(60));
    let mut client = client("open sesame");
    signed(&mut server, &mut client, now);
    now += Duration::from_secs(61);
    let mut request = register();
    client.authorize(&mut request);
    assert_eq!(server.check(now, &sent(&request), mara), Verdict::Stale);
    let response = refused(&server.challenges(now, true));
    assert!(response.headers.challenges().unwrap()[0].stale);
    client.handle_challenge(&request, &response, "c2").unwrap();
    client.authorize(&mut request);
    assert!(matches!(server.check(now, &sent(&request), mara), Verdict::Accepted { .. }));
}

#[test]
fn a_nonce_of_another_server_is_stale_and_never_accepted() {
    let now = Instant::now();
    let mut other = Authenticator::new(Kind::Server, REALM, &[Algorithm::Md5], [8; 32]);
    let request = signed(&mut other, &mut client("open sesame"), now);
    assert_eq!(server(&[Algorithm::Md5]).check(now, &request, mara), Verdict::Stale);
}

#[test]
fn used_nonces_are_forgotten_in_bounds_and_never_accepted_again() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Md5]);
    let mut first = None;
    for _ in 0..4200 {
        let request = signed(&mut server, &mut client("open sesame"), now);
        assert!(matches!(server.check(now, &request, mara), Verdict::Accepted { .. }));
        first.get_or_insert(request);
    }
    assert_eq!(server.check(now, &first.unwrap(), mara), Verdict::Stale);
}

#[test]
fn credentials_for_another_realm_header_or_algorithm_do_not_count() {
    let now = Instant::now();
    let mut asking = server(&[Algorithm::Md5]);
    let request = signed(&mut asking, &mut client("open sesame"), now);
    assert_eq!(asking.check(now, &register(), mara), Verdict::Missing);
    let mut elsewhere = Authenticator::new(Kind::Server, "elsewhere", &[Algorithm::Md5], KEY);
    assert_eq!(elsewhere.check(now, &request, mara), Verdict::Missing);
    let mut proxy = Authenticator::new(Kind::Proxy, REALM, &[Algorithm::Md5], KEY);
    assert_eq!(proxy.check(now, &request, mara), Verdict::Missing);
    assert_eq!(
        server(&[Algorithm::Sha256]).check(now, &request, mara),
        Verdict::Missing,
        "no downgrade to MD5"
    );
}

#[test]
fn a_client_without_qop_is_accepted_once_a_nonce_and_with_md5_only() {
    let now = Instant::now();
    for (algorithm, accepted) in [(Algorithm::Md5, true), (Algorithm::Sha256, false)] {
        let mut server = server(&[algorithm]);
        let (_, offered) = server.challenges(now, false).remove(0);
        let old = offered.replace(", qop=\"auth\"", "");
        let mut request = register();
        let mut client = client("open sesame");
        client.handle_challenge(&request, &www(&[&old]), "c").unwrap();
        client.authorize(&mut request);
        assert_eq!(sole(&request).qop, None);
        let verdict = server.check(now, &sent(&request), mara);
        assert_eq!(matches!(verdict, Verdict::Accepted { .. }), accepted, "{verdict:?}");
        if accepted {
            assert_eq!(server.check(now, &sent(&request), mara), Verdict::Stale);
        }
    }
}

#[test]
fn credentials_that_cannot_be_read_are_malformed() {
    let now = Instant::now();
    let bad = [
        "",
        "Digest",
        "Digest username",
        "Digest username=\"mara",
        "Digest username=\"mara\"",
        "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"r\", nc=1",
        "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"r\", qop=weird",
        "Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"r\"",
        "Digest username=\"a\",, realm=\"r\"",
        "Digest username=\"a\" realm=\"r\"",
    ];
    for value in bad {
        let mut request = register();
        request.headers.push(HeaderName::AUTHORIZATION, value);
        let verdict = server(&[Algorithm::Md5]).check(now, &request, mara);
        assert!(matches!(verdict, Verdict::Malformed(_)), "{value}: {verdict:?}");
    }
    let mut request = register();
    request.headers.push(HeaderName::AUTHORIZATION, "Bearer abc==");
    assert_eq!(server(&[Algorithm::Md5]).check(now, &request, mara), Verdict::Missing);
}

fn challenges(values: &[&str]) -> Vec<Challenge> {
    www(values).headers.challenges().unwrap()
}

#[test]
fn the_best_known_of_several_challenges_is_answered() {
    let md5 = "Digest realm=\"r\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
    let sha = "Digest realm=\"r\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"";
    let long = "Digest realm=\"r\", nonce=\"n3\", algorithm=sha-512-256, qop=\"auth\"";
    let unknown = "Digest realm=\"r\", nonce=\"n4\", algorithm=SHA3-512, qop=\"auth\"";
    let no_qop = "Digest realm=\"r\", nonce=\"n5\", algorithm=SHA-256, qop=\"auth-conf\"";
    let best = |values: &[&str]| choose(&challenges(values)).map(|challenge| challenge.nonce.clone());
    assert_eq!(best(&[md5, sha]).as_deref(), Some("n2"));
    assert_eq!(best(&[sha, md5]).as_deref(), Some("n2"));
    assert_eq!(best(&[md5, sha, long, unknown]).as_deref(), Some("n3"));
    assert_eq!(best(&[unknown, md5, no_qop]).as_deref(), Some("n1"));
    assert_eq!(best(&[unknown, no_qop]), None);
    assert_eq!(best(&["Basic realm=\"r\"", md5]).as_deref(), Some("n1"));
    let joined = format!("{md5}, {sha}");
    assert_eq!(best(&[&joined]).as_deref(), Some("n2"));
}

#[test]
fn equally_strong_challenges_are_taken_from_the_top() {
    let one = "Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-256-sess, qop=\"auth\"";
    let two = "Digest realm=\"r\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"";
    assert_eq!(choose(&challenges(&[one, two])).unwrap().nonce, "n1");
}

#[test]
fn the_answer_repeats_algorithm_opaque_and_realm_as_rfc_3261_writes_them() {
    let mut request = register();
    let mut client = client("open sesame");
    let value = r#"Digest realm="a \"b\" \\", nonce="n", opaque="", algorithm=SHA-256, qop="auth-int,auth""#;
    client.handle_challenge(&request, &www(&[value]), "c").unwrap();
    client.authorize(&mut request);
    let value = request.headers.get(&HeaderName::AUTHORIZATION).unwrap();
    for part in [
        r#"realm="a \"b\" \\""#,
        r#"opaque="""#,
        "algorithm=SHA-256,",
        "qop=auth,",
        "nc=00000001",
        r#"uri="sip:office.example;x=%41""#,
    ] {
        assert!(value.contains(part), "{part} in {value}");
    }
}

#[test]
fn a_407_is_answered_in_its_own_header_beside_the_401() {
    let mut request = register();
    let mut client = client("open sesame");
    let mut response = Response::new(407);
    response.headers.push(HeaderName::PROXY_AUTHENTICATE, "Digest realm=\"p\", nonce=\"n1\"");
    client.handle_challenge(&request, &response, "c").unwrap();
    client.authorize(&mut request);
    assert!(request.headers.has(&HeaderName::PROXY_AUTHORIZATION));
    client.handle_challenge(&request, &www(&["Digest realm=\"r\", nonce=\"n2\""]), "c").unwrap();
    client.authorize(&mut request);
    let kinds: Vec<Kind> = request.headers.authorizations().unwrap().iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, [Kind::Server, Kind::Proxy]);
}

#[test]
fn refused_credentials_are_not_sent_again() {
    let mut request = register();
    let mut client = client("wrong");
    client
        .handle_challenge(&request, &www(&["Digest realm=\"r\", nonce=\"n1\", qop=\"auth\""]), "c")
        .unwrap();
    client.authorize(&mut request);
    let again = www(&["Digest realm=\"r\", nonce=\"n2\", qop=\"auth\""]);
    assert_eq!(client.handle_challenge(&request, &again, "c"), Err(Refusal::WrongCredentials));
}

#[test]
fn a_nonce_that_worked_before_may_be_replaced_without_being_called_stale() {
    let mut client = client("open sesame");
    let mut request = register();
    client
        .handle_challenge(&request, &www(&["Digest realm=\"r\", nonce=\"n1\", qop=\"auth\""]), "c")
        .unwrap();
    client.authorize(&mut request);
    client.authorize(&mut request);
    let again = www(&["Digest realm=\"r\", nonce=\"n2\", qop=\"auth\""]);
    assert_eq!(client.handle_challenge(&request, &again, "c"), Ok(()));
    client.authorize(&mut request);
    assert_eq!(sole(&request).nonce, "n2");
}

#[test]
fn a_server_that_calls_every_nonce_stale_is_given_up() {
    let mut client = client("open sesame");
    let mut request = register();
    for round in 0..10 {
        let value = format!("Digest realm=\"r\", nonce=\"n{round}\", qop=\"auth\", stale=true");
        match client.handle_challenge(&request, &www(&[&value]), "c") {
            Ok(()) => client.authorize(&mut request),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::StaleForever);
                return;
            }
        }
    }
    panic!("asked for ever");
}

#[test]
fn credentials_are_given_to_their_realm_only() {
    let credentials = Credentials::new("mara", "open sesame").for_realm("office");
    let mut client = Authorizer::new(credentials);
    let mut request = register();
    let other = www(&["Digest realm=\"trap\", nonce=\"n\", qop=\"auth\""]);
    assert_eq!(client.handle_challenge(&request, &other, "c"), Err(Refusal::OtherRealm));
    client.authorize(&mut request);
    assert!(!request.headers.has_credentials());
}

#[test]
fn a_response_without_a_usable_challenge_is_refused() {
    let mut client = client("open sesame");
    let request = register();
    let unusable = www(&["Basic realm=\"r\""]);
    assert_eq!(client.handle_challenge(&request, &unusable, "c"), Err(Refusal::NoUsableChallenge));
    assert_eq!(client.handle_challenge(&request, &Response::new(401), "c"), Err(Refusal::NoUsableChallenge));
    let broken = www(&["Digest realm=\"r"]);
    assert!(matches!(client.handle_challenge(&request, &broken, "c"), Err(Refusal::Header(_))));
}

#[test]
fn hostile_numbers_of_realms_are_bounded() {
    let mut client = client("open sesame");
    let mut request = register();
    for round in 0..50 {
        let value = format!("Digest realm=\"r{round}\", nonce=\"n\"");
        let _ = client.handle_challenge(&request, &www(&[&value]), "c");
    }
    client.authorize(&mut request);
    assert!(request.headers.authorizations().unwrap().len() <= 8);
}

#[test]
fn no_secret_is_shown_by_debug() {
    let now = Instant::now();
    let mut server = server(&[Algorithm::Md5]);
    let mut client = client("open sesame");
    let request = signed(&mut server, &mut client, now);
    let response = sole(&request).response;
    let shown =
        format!("{server:?} {client:?} {request:?} {:?} {:?}", sole(&request), Credentials::new("a", "hush"));
    for secret in ["sesame", "hush", "7, 7", response.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn challenges_and_credentials_survive_printing_and_parsing() {
    let challenge = Challenge {
        kind: Kind::Proxy,
        realm: "a \"b\" \\ é".to_owned(),
        nonce: "=/+".to_owned(),
        opaque: Some(String::new()),
        stale: true,
        algorithm: Some(Algorithm::Sha512_256Sess),
        qop: Some(vec![Qop::AuthInt, Qop::Auth]),
    };
    assert_eq!(Challenge::parse(Kind::Proxy, &challenge.to_string()), Ok(vec![challenge]));
    let mut headers = Headers::new();
    headers.push(HeaderName::AUTHORIZATION, "Digest username=\"a\\\\\"");
    assert!(headers.authorizations().is_err());
}
