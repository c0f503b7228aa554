use crate::hooks::{Hook, Identity, headers};
use sidetone_api::{HookAuthentication, Secret};

fn identity(authentication: HookAuthentication) -> Identity {
    Identity { authentication, user: "Aladdin".into(), secret: Some(Secret::new("Jefe")) }
}

fn signed(authentication: HookAuthentication, body: &str) -> Vec<(&'static str, String)> {
    headers(&identity(authentication), Hook::Call, "g1", 1_700_000_000, body.as_bytes())
}

#[test]
fn without_authentication_nothing_is_shown() {
    assert_eq!(signed(HookAuthentication::None, "{}"), []);
}

#[test]
fn basic_is_user_and_password_as_in_rfc_7617() {
    let secret = Some(Secret::new("open sesame"));
    let identity = Identity { secret, ..identity(HookAuthentication::Basic) };
    let shown = headers(&identity, Hook::Call, "g1", 0, b"{}");
    assert_eq!(shown, [("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned())]);
}

/// RFC 2202 section 2, case 2.
#[test]
fn the_web_call_servers_hash_is_hmac_md5_of_the_body() {
    let shown = signed(HookAuthentication::Wcs, "what do ya want for nothing?");
    assert_eq!(shown, [("authorization", "WCS 750c783e6ab0b503eaa86e310a5db738".to_owned())]);
}

#[test]
fn our_signature_covers_time_hook_key_and_body() {
    let shown = signed(HookAuthentication::Sha256, r#"{"a":1}"#);
    let [(_, at), (name, code)] = shown.as_slice() else { panic!("{shown:?}") };
    assert_eq!((at.as_str(), *name), ("1700000000", "x-sidetone-signature"));
    assert_eq!(code, "v1=66892daac56d85c800313aed5492d0c9290df28bf0d276e222336808469aefc6");
    let ours = identity(HookAuthentication::Sha256);
    for (hook, key, at, body) in [
        (Hook::Hold, "g1", 1_700_000_000, r#"{"a":1}"#),
        (Hook::Call, "g2", 1_700_000_000, r#"{"a":1}"#),
        (Hook::Call, "g1", 1_700_000_001, r#"{"a":1}"#),
        (Hook::Call, "g1", 1_700_000_000, r#"{"a":2}"#),
    ] {
        let other = headers(&ours, hook, key, at, body.as_bytes());
        assert_ne!(other.last().map(|(_, code)| code), Some(code));
    }
}
