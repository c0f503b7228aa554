//! Packets as other implementations protect them: the validation vectors of libsrtp's own test program.

use std::time::Instant;

use sidetone_rtp::Latching;
use sidetone_rtp::transport::{
    Component, MasterKey, MediaKind, Options, Parameters, Security, Suite, Transport,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// What we protect is the vector, and the vector opens to what it was.
fn validate(suite: Suite, key: &str, salt: &str, kind: MediaKind, plain: &str, protected: &str) {
    let key = MasterKey::new(suite, &bytes(key), &bytes(salt)).unwrap();
    let now = Instant::now();
    let far = "192.0.2.9:4000".parse().unwrap();
    let options = Options { seed: [1; 32], latching: Latching::On, identity: None, ice: None, ipv6: false };
    let mut transport = Transport::new(now, options);
    let security = Security::Sdes { local: key.clone(), remote: key };
    let parameters = Parameters { rtp: Some(far), rtcp: Some(far), rtcp_mux: true, security, ice: None };
    transport.configure(now, &parameters);
    let mut packet = bytes(plain);
    transport.protect(kind, &mut packet).unwrap();
    assert_eq!(packet, bytes(protected), "{suite:?}");
    assert_eq!(transport.handle_input(now, Component::Rtp, far, &mut packet), Some(kind), "{suite:?}");
    assert_eq!(packet, bytes(plain), "{suite:?}");
}

const RTP: &str = "800f1234 decafbad cafebabe abababab abababab abababab abababab";
const RTCP: &str = "81c8000b cafebabe abababab abababab abababab abababab";

#[test]
fn aes_cm_128_hmac_sha1_80_is_that_of_libsrtp() {
    let (key, salt) = ("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
    let rtp = "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb";
    validate(Suite::AesCm128HmacSha1_80, key, salt, MediaKind::Rtp, RTP, rtp);
    let rtcp = "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798";
    validate(Suite::AesCm128HmacSha1_80, key, salt, MediaKind::Rtcp, RTCP, rtcp);
    let short = &rtp[..rtp.len() - 14];
    assert!(short.ends_with("b78d6acc"));
    validate(Suite::AesCm128HmacSha1_32, key, salt, MediaKind::Rtp, RTP, short);
}

#[test]
fn aes_256_cm_hmac_sha1_80_is_that_of_libsrtp() {
    let key = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
    let rtp = "800f1234 decafbad cafebabe f1d9de17 ff251ff1 aa007774 b0b4b40d a08d9d9a 5b3a55d8 873b";
    validate(Suite::Aes256CmHmacSha1_80, key, "3b04803de51ee7c96423ab5b78d2", MediaKind::Rtp, RTP, rtp);
}

#[test]
fn aead_aes_128_gcm_is_that_of_libsrtp() {
    let key = "000102030405060708090a0b0c0d0e0f";
    let rtp =
        "800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826 f796b201 df3131a1 27e8a392";
    validate(Suite::AeadAes128Gcm, key, "a0a1a2a3a4a5a6a7a8a9aaab", MediaKind::Rtp, RTP, rtp);
}
