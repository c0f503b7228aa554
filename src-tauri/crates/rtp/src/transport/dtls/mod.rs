//! The DTLS handshake that gives SRTP its keys (RFC 5764).

mod guard;
mod identity;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use zeroize::Zeroizing;

use super::srtp::{MasterKey, Suite};
use super::{Failure, provider};
use guard::Guard;

pub use identity::{DtlsIdentity, Fingerprint, HashFunction};

/// How long the handshake may take from when there is a way to the peer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The association's name for the peer, whose address may change under it.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
/// How long it may go on after an error.
const AFTER_ERROR: Duration = Duration::from_secs(3);
/// Between two repetitions of a flight.
const REPEAT: Duration = Duration::from_secs(1);
const LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Our part in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// Begins.
    Client,
    Server,
}

/// The keys of both directions.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) local: MasterKey,
    pub(super) remote: MasterKey,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Keys(Box<Keys>),
    Failed(Failure),
}

/// One association.
pub(super) struct Dtls {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    role: DtlsRole,
    fingerprints: Vec<Fingerprint>,
    /// The peer's certificate was not the one that was signalled.
    mismatch: Arc<AtomicBool>,
    guard: Guard,
    stage: Stage,
    heard: bool,
    /// What went wrong last.
    error: Option<String>,
    transmits: VecDeque<Vec<u8>>,
    /// What was sent last, and when it is due again. The library takes its own timer down at every record that does
    /// not complete a flight, such as the peer's repetitions.
    flight: Vec<Vec<u8>>,
    again: Option<Instant>,
    /// Of the ClientHello that the association began with.
    hello: Option<[u8; 32]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is no way to the peer yet.
    Waiting,
    Shaking {
        deadline: Instant,
    },
    Done,
    Failed,
}

impl Dtls {
    pub(super) fn new(
        identity: &DtlsIdentity,
        role: DtlsRole,
        fingerprints: Vec<Fingerprint>,
    ) -> Result<Self, Failure> {
        let mismatch = Arc::new(AtomicBool::new(false));
        let (expected, seen) = (fingerprints.clone(), mismatch.clone());
        let verify = move |chain: &[Vec<u8>], _: &[_]| match chain.first() {
            Some(der) if expected.iter().any(|fingerprint| fingerprint.is_of(der)) => Ok(()),
            _ => {
                seen.store(true, Ordering::Relaxed);
                Err(Error::Other("the certificate is not the signalled one".to_owned()))
            }
        };
        let is_client = role == DtlsRole::Client;
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider())
            .with_certificates(vec![(*identity.certificate).clone()])
            .with_srtp_protection_profiles(PROFILES.map(|(profile, _)| profile).to_vec())
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_extended_master_secret(ExtendedMasterSecretType::Request)
            // Certificates are known by the fingerprint; no authority has signed them.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(verify)))
            .build(is_client, Some(PEER))
            .map_err(|error| Failure::Dtls(error.to_string()))?;
        let config = Arc::new(config);
        let accepts = (role == DtlsRole::Server).then(|| config.clone());
        Ok(Self {
            endpoint: Endpoint::new(PEER, TransportProtocol::UDP, accepts),
            config,
            role,
            fingerprints,
            mismatch,
            guard: Guard::default(),
            stage: Stage::Waiting,
            heard: false,
            error: None,
            transmits: VecDeque::new(),
            flight: Vec::new(),
            again: None,
            hello: None,
        })
    }

    pub(super) fn is(&self, role: DtlsRole, fingerprints: &[Fingerprint]) -> bool {
        self.role == role && self.fingerprints == fingerprints
    }

    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// A peer was heard: the others are strangers.
    pub(super) fn is_decided(&self) -> bool {
        self.heard
    }

    /// There is a way to the peer now.
    pub(super) fn start(&mut self, now: Instant) -> Option<Outcome> {
        if self.stage != Stage::Waiting {
            return None;
        }
        self.stage = Stage::Shaking { deadline: now + PATIENCE };
        if self.role == DtlsRole::Client
            && let Err(error) = self.endpoint.connect(now, PEER, self.config.clone(), None)
        {
            return self.fail(Failure::Dtls(error.to_string()));
        }
        self.collect(now);
        None
    }

    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Option<Outcome> {
        if matches!(self.stage, Stage::Failed) || !self.guard.admits(datagram, self.is_done()) {
            return None;
        }
        if self.stage == Stage::Waiting {
            self.start(now);
        }
        self.heard = true;
        self.begin_anew(now, datagram);
        let result = self.endpoint.read(now, PEER, None, BytesMut::from(datagram));
        let answered = self.collect(now);
        if self.is_done() && !answered && matches!(datagram, [22, ..]) {
            // The peer lacks our last flight, or it would not repeat its own (RFC 6347 section 4.2.4).
            self.transmits.extend(self.flight.iter().cloned());
        }
        match result {
            Ok(events) => {
                let complete = |event: &EndpointEvent| matches!(event, EndpointEvent::HandshakeComplete);
                if events.iter().any(complete) && self.stage != Stage::Done { self.complete() } else { None }
            }
            // What comes after the handshake decides nothing: the media has its keys.
            Err(_) if self.is_done() => None,
            Err(_) if self.mismatch.load(Ordering::Relaxed) => self.fail(Failure::Fingerprint),
            Err(error) => self.fail_soon(now, error.to_string()),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let Stage::Shaking { deadline } = self.stage else { return None };
        let own = self.again.filter(|_| !self.flight.is_empty());
        self.endpoint.poll_timeout(&PEER).into_iter().chain(own).chain([deadline]).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Outcome> {
        let Stage::Shaking { deadline } = self.stage else { return None };
        if now >= deadline {
            let failure = self.error.take().map_or(Failure::DtlsTimeout, Failure::Dtls);
            return self.fail(failure);
        }
        if self.endpoint.poll_timeout(&PEER).is_some_and(|timeout| timeout <= now)
            && self.endpoint.handle_timeout(PEER, now).is_err()
        {
            // All repetitions are spent, and there is time left: once more from the beginning.
            return self.restart(now, deadline);
        }
        if !self.collect(now) && self.again.is_some_and(|again| again <= now) {
            self.transmits.extend(self.flight.iter().cloned());
            self.again = Some(now + REPEAT);
        }
        None
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// Whether there was anything to send.
    fn collect(&mut self, now: Instant) -> bool {
        let flight: Vec<Vec<u8>> =
            std::iter::from_fn(|| self.endpoint.poll_transmit()).map(|sent| sent.message.to_vec()).collect();
        let any = !flight.is_empty();
        if any {
            self.transmits.extend(flight.iter().cloned());
            self.flight = flight;
            self.again = Some(now + REPEAT);
        }
        any
    }

    /// A client that gave up and begins from the start is a new association.
    fn begin_anew(&mut self, now: Instant, datagram: &[u8]) {
        let Some(hello) = guard::first_hello(datagram) else { return };
        let other = self.hello.replace(hello).is_some_and(|before| before != hello);
        if let (true, DtlsRole::Server, Stage::Shaking { deadline }) = (other, self.role, self.stage) {
            self.restart(now, deadline);
        }
    }

    /// Before there are keys an error may be the work of somebody else: the peer gets a little time to begin anew.
    fn fail_soon(&mut self, now: Instant, error: String) -> Option<Outcome> {
        let Stage::Shaking { deadline } = self.stage else { return None };
        self.error = Some(error);
        let deadline = deadline.min(now + AFTER_ERROR);
        self.restart(now, deadline)
    }

    fn restart(&mut self, now: Instant, deadline: Instant) -> Option<Outcome> {
        self.collect(now);
        self.endpoint.stop(now, PEER);
        while self.endpoint.poll_transmit().is_some() {}
        self.flight.clear();
        self.again = None;
        self.stage = Stage::Waiting;
        let outcome = self.start(now);
        if let Stage::Shaking { deadline: renewed } = &mut self.stage {
            *renewed = deadline;
        }
        outcome
    }

    fn complete(&mut self) -> Option<Outcome> {
        let Some(state) = self.endpoint.get_connection_state(PEER) else {
            return self.fail(Failure::Dtls("the association is gone".to_owned()));
        };
        let is_signalled = |der: &Vec<u8>| self.fingerprints.iter().any(|fingerprint| fingerprint.is_of(der));
        if !state.peer_certificates.first().is_some_and(is_signalled) {
            return self.fail(Failure::Fingerprint);
        }
        let agreed = state.srtp_protection_profile();
        let Some((_, suite)) = PROFILES.into_iter().find(|(profile, _)| *profile == agreed) else {
            return self.fail(Failure::Dtls("the peer agreed to no SRTP suite".to_owned()));
        };
        let (key, salt) = (suite.profile().key_len(), suite.profile().salt_len());
        let material = match state.export_keying_material(LABEL, &[], 2 * (key + salt)) {
            Ok(material) => Zeroizing::new(material.into_bytes()),
            Err(error) => return self.fail(Failure::Dtls(error.to_string())),
        };
        let part = |at: usize, len: usize| material.get(at..at + len).unwrap_or_default();
        let client = MasterKey::new(suite, part(0, key), part(2 * key, salt));
        let server = MasterKey::new(suite, part(key, key), part(2 * key + salt, salt));
        let (Some(client), Some(server)) = (client, server) else {
            return self.fail(Failure::Dtls("too little key material".to_owned()));
        };
        self.stage = Stage::Done;
        self.guard.complete();
        let (local, remote) = match self.role {
            DtlsRole::Client => (client, server),
            DtlsRole::Server => (server, client),
        };
        Some(Outcome::Keys(Box::new(Keys { local, remote })))
    }

    fn fail(&mut self, failure: Failure) -> Option<Outcome> {
        self.stage = Stage::Failed;
        Some(Outcome::Failed(failure))
    }
}

/// In our order of preference: the suite of every peer first would do, yet the authenticated ciphers are cheaper.
const PROFILES: [(SrtpProtectionProfile, Suite); 4] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, Suite::AeadAes256Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, Suite::AeadAes128Gcm),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, Suite::AesCm128HmacSha1_80),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32, Suite::AesCm128HmacSha1_32),
];
