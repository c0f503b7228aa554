use sidetone_sip::digest::{Authorizer, Challenge, Credentials, Kind, Refusal, choose};
use sidetone_sip::message::{HeaderName, Response};

use super::{client, register, sole, www};

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
