use std::time::{Duration, Instant};

use sidetone_sip::digest::{
    Algorithm, Authenticator, Authorizer, Challenge, Credentials, Kind, Qop, Verdict,
};
use sidetone_sip::message::{HeaderName, Headers, Method, Request};

use super::{KEY, REALM, client, mara, refused, register, sent, server, signed, sole, www};

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
