//! Datagrams of any kind into a transport that waits for ICE and DTLS: nothing panics, strangers get no media through,
//! and what is answered is bounded.
#![no_main]

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use sidetone_rtp::Latching;
use sidetone_rtp::transport::{
    Component, Credentials, DtlsIdentity, DtlsRole, Fingerprint, HashFunction, IceParameters, Options, Parameters,
    RemoteCandidate, Security, Transport,
};

// The input is datagrams, each behind one byte of choices and one of its length.
fuzz_target!(|bytes: &[u8]| {
    static IDENTITY: OnceLock<DtlsIdentity> = OnceLock::new();
    let identity = IDENTITY.get_or_init(|| DtlsIdentity::generate().expect("a certificate"));
    let Some((choice, mut rest)) = bytes.split_first() else { return };
    let mut now = Instant::now();
    let far = SocketAddr::from(([192, 0, 2, 9], 4000));
    let local = Credentials::new("abcd", "passwordpasswordpassword");
    let options = Options {
        seed: [1; 32],
        latching: Latching::On,
        identity: Some(identity.clone()),
        ice: Some(local.clone()),
        ipv6: false,
    };
    let mut transport = Transport::new(now, options);
    let role = if choice & 1 == 0 { DtlsRole::Server } else { DtlsRole::Client };
    let fingerprints = vec![Fingerprint { hash: HashFunction::Sha256, bytes: vec![0; 32] }];
    let ice = (choice & 2 != 0).then(|| IceParameters {
        local,
        remote: Credentials::new("efgh", "passwordpasswordpasswore"),
        candidates: vec![RemoteCandidate { component: 1, priority: 1, address: far }],
        controlling: choice & 4 != 0,
    });
    let parameters = Parameters {
        rtp: Some(far),
        rtcp: Some(far),
        rtcp_mux: choice & 8 != 0,
        security: Security::Dtls { role, fingerprints },
        ice,
    };
    transport.configure(now, &parameters);
    while let [choice, length, tail @ ..] = rest {
        let (datagram, behind) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = behind;
        let component = if choice & 1 == 0 { Component::Rtp } else { Component::Rtcp };
        let from = if choice & 2 == 0 { far } else { SocketAddr::from(([203, 0, 113, *choice], 9)) };
        assert_eq!(transport.handle_input(now, component, from, &mut datagram.to_vec()), None);
        now += Duration::from_millis(u64::from(choice >> 2) * 20);
        if transport.poll_timeout().is_some_and(|timeout| timeout <= now) {
            transport.handle_timeout(now);
        }
        assert!(std::iter::from_fn(|| transport.poll_transmit()).count() < 64);
        let _ = std::iter::from_fn(|| transport.poll_event()).count();
    }
});
