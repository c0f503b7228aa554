//! How a leg's media is protected and finds its way: what the account wants, on the transport that carries its offers.

use crate::io::{clock, identity};
use sidetone_api::{Account, Failure, FailureCode, MediaEncryption};
use sidetone_sdp::{
    Candidate, CandidateKind, Fingerprint, HashFunction, IceCredentials, LocalIce, LocalMedia, LocalSecurity,
    Protection, Sdes, SrtpKey, Suite,
};
use sidetone_sip::Transport;
use std::net::SocketAddr;

/// Incoming offers are answered as they come; all of this is about ours, and about what is not taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    encryption: MediaEncryption,
    /// Keys may stand in the SDP.
    sdes: bool,
    /// Nobody on the way to the next hop reads the SDP.
    secret: bool,
    ice: bool,
    rtcp_mux: bool,
}

impl Policy {
    pub(crate) fn of(account: &Account, transport: Transport) -> Self {
        let secret = is_secret(transport);
        Self {
            encryption: account.media_encryption,
            sdes: secret || account.sdes_over_plain,
            secret,
            ice: account.ice,
            rtcp_mux: account.rtcp_mux,
        }
    }

    /// The gateway's own: its peers are on this machine, and choose for themselves.
    pub(crate) fn of_gateway(transport: Transport) -> Self {
        let encryption = MediaEncryption::Automatic;
        Self { encryption, sdes: true, secret: is_secret(transport), ice: false, rtcp_mux: true }
    }

    /// Towards a browser: DTLS and ICE on one port, and nothing else.
    pub(crate) fn of_client() -> Self {
        let encryption = MediaEncryption::Dtls;
        Self { encryption, sdes: false, secret: false, ice: true, rtcp_mux: true }
    }

    /// # Errors
    /// The account wants keys in the SDP, and everybody on the way would read them.
    pub(crate) fn check_offer(&self) -> Result<(), Failure> {
        if self.encryption == MediaEncryption::Sdes && !self.sdes {
            let message = "the account encrypts with keys in the SDP (SDES), which the signalling would carry in the \
                           open: use TLS, or allow SDES over a plain transport";
            return Err(Failure::new(FailureCode::WrongState, message));
        }
        Ok(())
    }

    /// Puts keys, certificate and candidates into what we offer and answer.
    pub(super) fn apply(&self, local: &mut LocalMedia) -> Result<(), Failure> {
        let sdes = if self.sdes { Sdes::Keys(keys()?) } else { Sdes::InTheOpen };
        let fingerprint = identity::dtls().map(|identity| *identity.fingerprint());
        let offer = match self.encryption {
            MediaEncryption::None => Protection::None,
            MediaEncryption::Automatic if self.secret => Protection::SdesWherePossible,
            MediaEncryption::Automatic => Protection::None,
            // What is asked of us (an INVITE without an offer) we may still protect by other means.
            MediaEncryption::Sdes if !self.sdes => Protection::Dtls,
            MediaEncryption::Sdes => Protection::Sdes,
            MediaEncryption::Dtls => Protection::Dtls,
        };
        let required = matches!(self.encryption, MediaEncryption::Sdes | MediaEncryption::Dtls);
        if offer == Protection::Dtls && fingerprint.is_none() {
            return Err(Failure::new(FailureCode::Network, "there is no certificate for DTLS"));
        }
        let fingerprints = fingerprint
            .into_iter()
            .map(|bytes| Fingerprint { hash: HashFunction::Sha256, bytes: bytes.to_vec() });
        local.security = LocalSecurity { offer, required, sdes, fingerprints: fingerprints.collect() };
        local.rtcp_mux = self.rtcp_mux;
        let candidate = |component: u16, port| {
            Candidate::new(component, 0, CandidateKind::Host, SocketAddr::new(local.address, port))
        };
        let second = local.rtp_port.checked_add(1).map(|port| candidate(2, port));
        local.ice = Some(LocalIce {
            offer: self.ice,
            credentials: credentials()?,
            next: credentials()?,
            candidates: std::iter::once(candidate(1, local.rtp_port)).chain(second).collect(),
        });
        Ok(())
    }
}

/// A candidate with the address that a STUN server sees (RFC 8445 section 5.1.1.2). None where no NAT has changed it, where we
/// have it already, or where nobody can have it.
pub(super) fn reflexive(own: &[Candidate], component: u16, address: SocketAddr) -> Option<Candidate> {
    let mut of_component = own.iter().filter(|candidate| candidate.component == component);
    let base = of_component.clone().find(|candidate| candidate.kind == CandidateKind::Host)?.address;
    let is_usable = !address.ip().is_unspecified() && !address.ip().is_multicast() && address.port() != 0;
    let is_known = of_component
        .any(|candidate| candidate.address == address || candidate.kind == CandidateKind::ServerReflexive);
    let candidate = Candidate::new(component, 0, CandidateKind::ServerReflexive, address);
    (is_usable && !is_known).then_some(Candidate { related: Some(base), ..candidate })
}

fn is_secret(transport: Transport) -> bool {
    matches!(transport, Transport::Tls | Transport::Wss)
}

pub(super) fn credentials() -> Result<IceCredentials, Failure> {
    Ok(IceCredentials::from_random(&random()?))
}

fn keys() -> Result<Vec<SrtpKey>, Failure> {
    Suite::ALL.into_iter().map(|suite| Ok(SrtpKey::from_random(suite, &random()?))).collect()
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    clock::random().map_err(|error| Failure::new(FailureCode::Network, error.to_string()))
}
