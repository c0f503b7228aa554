//! Protection, ICE and BUNDLE in offers and answers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::IpAddr;

use sidetone_sdp::{
    Candidate, CandidateKind, Capability, DtlsRole, Fingerprint, HashFunction, IceCredentials, LocalIce,
    LocalMedia, LocalSecurity, OfferAnswer, Origin, Protection, Refusal, Sdes, Security, SessionDescription,
    Setup, SrtpKey, Suite, answer,
};

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const FINGERPRINT: &str =
    "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";

fn keys(first: u8) -> Sdes {
    Sdes::Keys(Suite::ALL.map(|suite| SrtpKey::from_random(suite, &[first; 46])).to_vec())
}

/// What takes everything and offers `offer`.
fn local(offer: Protection) -> LocalMedia {
    let security = LocalSecurity {
        offer,
        required: false,
        sdes: keys(1),
        fingerprints: vec![Fingerprint { hash: HashFunction::Sha256, bytes: vec![0xab; 32] }],
    };
    LocalMedia { security, ..LocalMedia::new(IpAddr::from([192, 0, 2, 1]), 4000, vec![Capability::pcmu()]) }
}

fn ice(local: LocalMedia, seed: u8) -> LocalMedia {
    let candidate = |component| {
        Candidate::new(component, 0, CandidateKind::Host, ([192, 0, 2, 1], 3999 + component).into())
    };
    let ice = LocalIce {
        offer: true,
        credentials: IceCredentials::from_random(&[seed; 32]),
        next: IceCredentials::from_random(&[seed + 1; 32]),
        candidates: vec![candidate(1), candidate(2)],
    };
    LocalMedia { ice: Some(ice), ..local }
}

fn origin() -> Origin {
    Origin { username: "alice".to_owned(), session_id: 77, version: 5 }
}

fn remote(media: &str) -> SessionDescription {
    let head = "v=0\r\no=bob 9 9 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n";
    format!("{head}{media}").parse().expect(media)
}

/// Both ends of a dialog, the first having offered; gives the texts of offer and answer, and what each end agreed.
fn dialogue(alice: &LocalMedia, bob: &LocalMedia) -> (String, String, Security, Security) {
    let (mut a, mut b) = (OfferAnswer::new(origin()), OfferAnswer::new(origin()));
    let offer = a.offer(alice);
    let (answer, bobs) = b.answer(&offer, bob).unwrap();
    let alices = a.accept(&answer).unwrap();
    (offer.to_string(), answer.to_string(), alices.security, bobs.security)
}

fn crossed(a: &Security, b: &Security) -> bool {
    match (a, b) {
        (Security::Sdes { local: a_local, remote: a_remote }, Security::Sdes { local, remote }) => {
            a_local == remote && a_remote == local
        }
        _ => false,
    }
}

#[test]
fn keys_are_offered_strictly_and_as_best_effort_and_the_best_common_suite_is_taken() {
    for (protection, protocol) in [(Protection::Sdes, "RTP/SAVP"), (Protection::SdesWherePossible, "RTP/AVP")]
    {
        let bob = LocalMedia {
            security: LocalSecurity { sdes: keys(2), ..LocalSecurity::default() },
            ..local(Protection::None)
        };
        let (offer, answer, a, b) = dialogue(&local(protection), &bob);
        assert!(offer.contains(&format!("m=audio 4000 {protocol} ")), "{offer}");
        assert!(offer.contains("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"), "{offer}");
        assert!(answer.contains(&format!("m=audio 4000 {protocol} ")), "{answer}");
        assert!(answer.contains("a=crypto:1 AEAD_AES_256_GCM inline:"), "{answer}");
        assert_eq!(answer.matches("a=crypto").count(), 1);
        assert!(crossed(&a, &b), "{a:?} {b:?}");
    }
}

#[test]
fn the_answer_repeats_tag_and_spelling_of_the_suite_it_picks() {
    let long = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZA==";
    let offer = remote(&format!(
        "m=audio 6000 RTP/SAVP 0\r\na=crypto:7 aes_cm_128_hmac_sha1_32 inline:{KEY}\r\n\
         a=crypto:9 AES_CM_256_HMAC_SHA1_80 inline:{long}|2^31 WSH=128\r\n"
    ));
    let (answer, negotiated) = answer(&offer, &local(Protection::None), &origin()).unwrap();
    assert!(answer.media[0].value("crypto").unwrap().starts_with("9 AES_CM_256_HMAC_SHA1_80 inline:"));
    let Security::Sdes { local, remote } = negotiated.security else { panic!("not protected") };
    assert_eq!((local.suite(), remote.suite()), (Suite::Aes256CmHmacSha1_80, Suite::Aes256CmHmacSha1_80));
    assert_eq!(remote.master_key(), b"0123456789abcdef0123456789abcdef");
    assert_eq!(remote.master_salt(), b"0123456789abcd");
}

#[test]
fn keys_that_cannot_be_used_are_named_and_never_taken() {
    let cases = [
        ("AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=", "AES_CM_128_HMAC_SHA1_80"),
        (&*format!("F8_128_HMAC_SHA1_80 inline:{KEY}"), "F8_128_HMAC_SHA1_80"),
        (&*format!("AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"), "AES_CM_128_HMAC_SHA1_80"),
        (&*format!("AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"), "AES_CM_128_HMAC_SHA1_80"),
        (&*format!("AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"), "AES_CM_128_HMAC_SHA1_80"),
        (&*format!("AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=5"), "AES_CM_128_HMAC_SHA1_80"),
        (&*format!("AES_CM_128_HMAC_SHA1_80 elsewhere:{KEY}"), "AES_CM_128_HMAC_SHA1_80"),
    ];
    for (line, suite) in cases {
        let offer = remote(&format!("m=audio 6000 RTP/SAVP 0\r\na=crypto:1 {line}\r\n"));
        let refusal = answer(&offer, &local(Protection::None), &origin()).unwrap_err();
        assert_eq!(refusal, Refusal::NoCommonSuite(format!("the other side has {suite}")), "{line}");
        let offer = remote(&format!("m=audio 6000 RTP/AVP 0\r\na=crypto:1 {line}\r\n"));
        let (text, negotiated) = answer(&offer, &local(Protection::None), &origin()).unwrap();
        assert_eq!((negotiated.security, text.media[0].value("crypto")), (Security::None, None), "{line}");
    }
}

#[test]
fn keys_over_open_signalling_are_dropped_where_plain_rtp_may_be_and_else_refused() {
    let mut open = local(Protection::None);
    open.security.sdes = Sdes::InTheOpen;
    let offer = |profile: &str| {
        remote(&format!("m=audio 6000 {profile} 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"))
    };
    let (text, negotiated) = answer(&offer("RTP/AVP"), &open, &origin()).unwrap();
    assert_eq!((negotiated.security, text.media[0].value("crypto")), (Security::None, None));
    assert_eq!(answer(&offer("RTP/SAVP"), &open, &origin()).unwrap_err(), Refusal::KeysInTheOpen);
    open.security.required = true;
    assert_eq!(answer(&offer("RTP/AVP"), &open, &origin()).unwrap_err(), Refusal::KeysInTheOpen);
}

#[test]
fn an_account_that_requires_encryption_takes_no_plain_offer_and_no_plain_answer() {
    let plain = remote("m=audio 6000 RTP/AVP 0\r\n");
    let mut strict = local(Protection::Sdes);
    strict.security.required = true;
    let refusal = answer(&plain, &strict, &origin()).unwrap_err();
    assert_eq!(refusal.to_string(), "encryption is required, and the offer is plain RTP");
    for protection in [Protection::Sdes, Protection::Dtls] {
        let mut exchange = OfferAnswer::new(origin());
        exchange.offer(&local(protection));
        assert_eq!(exchange.accept(&plain).unwrap_err(), Refusal::Unprotected("answer"));
    }
    let mut exchange = OfferAnswer::new(origin());
    exchange.offer(&local(Protection::SdesWherePossible));
    assert_eq!(exchange.accept(&plain).unwrap().security, Security::None);
}

/// The line stays RTP/AVP, as the peer offered it with keys, and so an answer without keys would be legal.
#[test]
fn an_account_that_requires_encryption_keeps_it_when_a_later_answer_drops_it() {
    let mut strict = local(Protection::Sdes);
    strict.security.required = true;
    strict.security.fingerprints.clear();
    let mut exchange = OfferAnswer::new(origin());
    let keys = format!("m=audio 6000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n");
    let (_, agreed) = exchange.answer(&remote(&keys), &strict).unwrap();
    assert!(matches!(agreed.security, Security::Sdes { .. }));
    let again = exchange.offer(&strict);
    assert_eq!(again.media[0].protocol, "RTP/AVP");
    let plain = remote("m=audio 6000 RTP/AVP 0\r\n");
    assert_eq!(exchange.accept(&plain).unwrap_err(), Refusal::Unprotected("answer"));
    assert!(matches!(exchange.accept(&remote(&keys)).unwrap().security, Security::Sdes { .. }));
}

#[test]
fn a_refusal_repeats_little_of_what_it_refuses() {
    let long = "X".repeat(7_000);
    let suites: String =
        (1..=30).map(|tag| format!("a=crypto:{tag} {tag}{} inline:x\r\n", &long[..1_500])).collect();
    let offers = [format!("m=audio 6000 RTP/{long} 0\r\n"), format!("m=audio 6000 RTP/SAVP 0\r\n{suites}")];
    for offer in offers {
        let refusal = answer(&remote(&offer), &local(Protection::Sdes), &origin()).unwrap_err().to_string();
        assert!(refusal.len() < 400, "{} bytes", refusal.len());
    }
}

#[test]
fn an_answer_with_another_tag_or_suite_than_offered_is_refused() {
    for line in ["99 AES_CM_128_HMAC_SHA1_80", "1 AES_CM_128_HMAC_SHA1_80"] {
        let mut exchange = OfferAnswer::new(origin());
        exchange.offer(&local(Protection::Sdes));
        let answer = remote(&format!("m=audio 6000 RTP/SAVP 0\r\na=crypto:{line} inline:{KEY}\r\n"));
        assert!(matches!(exchange.accept(&answer), Err(Refusal::NoCommonSuite(_))), "{line}");
    }
}

#[test]
fn a_secure_line_without_keys_is_refused() {
    let offer = remote("m=audio 6000 RTP/SAVP 0\r\n");
    let refusal = answer(&offer, &local(Protection::None), &origin()).unwrap_err();
    assert_eq!(refusal, Refusal::NoKeys("RTP/SAVP".to_owned()));
    let offer = remote("m=audio 6000 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:md5 00:11\r\n");
    assert_eq!(answer(&offer, &local(Protection::None), &origin()).unwrap_err(), Refusal::NoFingerprint);
    let mut without = local(Protection::None);
    without.security.fingerprints.clear();
    let refusal = answer(&offer, &without, &origin()).unwrap_err();
    assert_eq!(refusal, Refusal::NoDtls("UDP/TLS/RTP/SAVPF".to_owned()));
}

#[test]
fn dtls_is_offered_with_either_role_and_answered_as_the_active_side() {
    let (offer, answer, a, b) = dialogue(&local(Protection::Dtls), &local(Protection::None));
    assert!(offer.contains("m=audio 4000 UDP/TLS/RTP/SAVP 0"), "{offer}");
    assert!(offer.contains("a=setup:actpass\r\n") && offer.contains("a=rtcp-mux\r\n"), "{offer}");
    assert!(offer.contains("a=fingerprint:sha-256 AB:AB:"), "{offer}");
    assert!(answer.contains("a=setup:active\r\n") && answer.contains("a=rtcp-mux\r\n"), "{answer}");
    let role = |security: &Security| match security {
        Security::Dtls { role, fingerprints } => (*role, fingerprints[0].bytes[0]),
        _ => panic!("no DTLS"),
    };
    assert_eq!((role(&a), role(&b)), ((DtlsRole::Server, 0xab), (DtlsRole::Client, 0xab)));
}

#[test]
fn the_role_in_dtls_stays_over_later_offers_of_both_ends() {
    let (alice, bob) = (local(Protection::Dtls), local(Protection::None));
    let (mut a, mut b) = (OfferAnswer::new(origin()), OfferAnswer::new(origin()));
    let answer = b.answer(&a.offer(&alice), &bob).unwrap().0;
    a.accept(&answer).unwrap();
    let again = b.offer(&bob);
    assert_eq!(again.setup_of(&again.media[0]), Some(Setup::Active));
    let (answer, negotiated) = a.answer(&again, &alice).unwrap();
    assert_eq!(answer.setup_of(&answer.media[0]), Some(Setup::Passive));
    assert!(matches!(negotiated.security, Security::Dtls { role: DtlsRole::Server, .. }));
    // A peer that says actpass in every offer, as browsers do, gets the role of before.
    let mut open = again.clone();
    let setup = open.media[0].attributes.iter_mut().find(|attribute| attribute.name == "setup").unwrap();
    setup.value = Some("actpass".to_owned());
    let (answer, _) = a.answer(&open, &alice).unwrap();
    assert_eq!(answer.setup_of(&answer.media[0]), Some(Setup::Passive));
}

#[test]
fn every_setup_of_an_offer_has_its_answer() {
    let offer = |setup: &str| {
        remote(&format!("a=fingerprint:{FINGERPRINT}\r\nm=audio 6000 UDP/TLS/RTP/SAVPF 0\r\n{setup}"))
    };
    let roles = [("a=setup:active\r\n", "passive"), ("a=setup:passive\r\n", "active"), ("", "passive")];
    for (said, expected) in roles {
        let (answer, negotiated) = answer(&offer(said), &local(Protection::None), &origin()).unwrap();
        assert_eq!(answer.media[0].value("setup"), Some(expected), "{said}");
        assert_eq!(answer.media[0].protocol, "UDP/TLS/RTP/SAVPF");
        assert!(
            matches!(negotiated.security, Security::Dtls { fingerprints, .. } if fingerprints.len() == 1)
        );
    }
    let refusal = answer(&offer("a=setup:holdconn\r\n"), &local(Protection::None), &origin()).unwrap_err();
    assert_eq!(refusal, Refusal::NoDtlsRole);
}

#[test]
fn later_offers_keep_keys_and_suite() {
    let (alice, mut bob) = (local(Protection::Sdes), local(Protection::None));
    bob.security.sdes = keys(9);
    let (mut a, mut b) = (OfferAnswer::new(origin()), OfferAnswer::new(origin()));
    let answer = b.answer(&a.offer(&alice), &bob).unwrap().0;
    let before = a.accept(&answer).unwrap().security;
    let held = a.offer(&LocalMedia { direction: sidetone_sdp::Direction::SendOnly, ..alice });
    assert_eq!(held.media[0].crypto_suites(), ["AEAD_AES_256_GCM"]);
    let (answer, bobs) = b.answer(&held, &bob).unwrap();
    assert_eq!(a.accept(&answer).unwrap().security, before);
    assert!(crossed(&before, &bobs.security));
}

#[test]
fn plain_rtp_stays_plain_in_later_offers() {
    let mut a = OfferAnswer::new(origin());
    a.offer(&local(Protection::SdesWherePossible));
    a.accept(&remote("m=audio 6000 RTP/AVP 0\r\n")).unwrap();
    assert!(!a.offer(&local(Protection::SdesWherePossible)).to_string().contains("crypto"));
}

#[test]
fn ice_is_offered_with_both_components_and_answered_with_one_where_the_port_is_shared() {
    let (alice, bob) = (ice(local(Protection::None), 1), ice(local(Protection::None), 11));
    let (mut a, mut b) = (OfferAnswer::new(origin()), OfferAnswer::new(origin()));
    let offer = a.offer(&alice);
    assert_eq!(offer.media[0].candidates().len(), 2);
    assert!(offer.media[0].rtcp_mux());
    let (answer, bobs) = b.answer(&offer, &bob).unwrap();
    assert_eq!(answer.media[0].candidates(), bob.ice.as_ref().unwrap().candidates[..1]);
    let alices = a.accept(&answer).unwrap();
    let (alices, bobs) = (alices.ice.unwrap(), bobs.ice.unwrap());
    assert_eq!((&alices.local, &alices.remote), (&bobs.remote, &bobs.local));
    assert!(alices.controlling && !bobs.controlling);
    let again = b.offer(&bob);
    assert_eq!(again.media[0].candidates().len(), 1, "the shared port is agreed");
    let (_, negotiated) = a.answer(&again, &alice).unwrap();
    let kept = negotiated.ice.unwrap();
    assert_eq!((kept.local, kept.controlling), (alices.local, true));
}

#[test]
fn a_peer_that_restarts_ice_is_answered_with_new_credentials() {
    let (alice, mut bob) = (ice(local(Protection::None), 1), ice(local(Protection::None), 11));
    let (mut a, mut b) = (OfferAnswer::new(origin()), OfferAnswer::new(origin()));
    let answer = b.answer(&a.offer(&alice), &bob).unwrap().0;
    a.accept(&answer).unwrap();
    let ice = bob.ice.as_mut().unwrap();
    ice.credentials = IceCredentials::from_random(&[99; 32]);
    let (_, negotiated) = a.answer(&b.offer(&bob), &alice).unwrap();
    let agreed = negotiated.ice.unwrap();
    assert_eq!(agreed.local, alice.ice.as_ref().unwrap().next);
    assert_eq!(agreed.remote, bob.ice.unwrap().credentials);
}

#[test]
fn peers_without_ice_get_the_default_address() {
    let alice = ice(local(Protection::None), 1);
    let (text, negotiated) = answer(&remote("m=audio 6000 RTP/AVP 0\r\n"), &alice, &origin()).unwrap();
    assert!(negotiated.ice.is_none() && !text.to_string().contains("a=ice"));
    let mut exchange = OfferAnswer::new(origin());
    exchange.offer(&alice);
    let negotiated = exchange.accept(&remote("m=audio 6000 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(negotiated.ice, None);
    assert_eq!(negotiated.remote.socket_addr(), Some("198.51.100.7:6000".parse().unwrap()));
}

#[test]
fn a_browsers_bundle_is_mirrored_for_the_stream_that_is_taken() {
    let offer = format!(
        "v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-lite\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=mid:0\r\n\
         a=ice-ufrag:Xk5p\r\na=ice-pwd:Ej3yaSH9yAUz3GuZpTFkQUNJ\r\na=ice-options:trickle\r\n\
         a=candidate:1 1 udp 2122260223 192.0.2.9 50000 typ host generation 0 network-id 1\r\n\
         a=candidate:2 1 udp 2122260223 5d0bbf7b.local 50001 typ host\r\n\
         a=candidate:3 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active\r\n\
         a=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
    );
    let offer: SessionDescription = offer.parse().unwrap();
    let local = ice(local(Protection::None), 1);
    let mut exchange = OfferAnswer::new(origin());
    let (answer, negotiated) = exchange.answer(&offer, &local).unwrap();
    let text = answer.to_string();
    assert!(text.contains("a=group:BUNDLE 0\r\n") && text.contains("a=mid:0\r\n"), "{text}");
    assert_eq!((answer.media[1].port, negotiated.held), (0, false));
    let agreed = negotiated.ice.unwrap();
    assert_eq!(agreed.candidates.len(), 1, "host names and TCP are left out");
    assert!(agreed.lite && agreed.controlling);
    let again = exchange.offer(&local).to_string();
    assert!(again.contains("a=group:BUNDLE 0\r\n") && again.contains("a=mid:0\r\n"), "{again}");
}

#[test]
fn without_a_group_none_is_asked_for() {
    let all = ice(local(Protection::Dtls), 1);
    let text = sidetone_sdp::offer(&all, &origin()).to_string();
    assert!(!text.contains("group") && !text.contains("mid"), "{text}");
}

#[test]
fn no_debug_output_has_a_key_or_a_password() {
    let mut a = OfferAnswer::new(origin());
    let alice = ice(local(Protection::Sdes), 1);
    a.offer(&alice);
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nk=clear:hunter2\r\nt=0 0\r\n\
        m=audio 6000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\na=ice-ufrag:abcd\r\n\
        a=ice-pwd:passwordpasswordpassword\r\n"
    );
    let negotiated = a.answer(&text.parse().unwrap(), &alice).unwrap().1;
    let debug = format!("{a:?} {negotiated:?} {alice:?} {:?}", text.parse::<SessionDescription>().unwrap());
    let ours = alice.ice.as_ref().unwrap().credentials.pwd();
    for secret in [KEY, "hunter2", "passwordpassword", ours, "AQEBAQEB", "[1, 1, 1"] {
        assert!(!debug.contains(secret), "{secret} in {debug}");
    }
}
