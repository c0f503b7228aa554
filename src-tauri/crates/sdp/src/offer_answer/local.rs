use std::net::IpAddr;

use crate::attribute::Direction;
use crate::capability::Capability;
use crate::ice::{Candidate, IceCredentials};
use crate::security::{Fingerprint, SrtpKey};

/// What we can do and where we receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// The address that the peer sends to; never the unspecified address, which means hold.
    pub address: IpAddr,
    pub rtp_port: u16,
    /// None: `rtp_port` + 1, which is not written (RFC 3605).
    pub rtcp_port: Option<u16>,
    /// Offer, or agree to, RTP and RTCP on one port (RFC 5761). With DTLS or ICE that is done in any case.
    pub rtcp_mux: bool,
    /// In order of preference.
    pub codecs: Vec<Capability>,
    /// telephone-event 0-15 at 8000 Hz, and at the clock of every other codec offered (RFC 4733).
    pub dtmf: bool,
    /// CN at 8000 Hz, payload type 13 (RFC 3389).
    pub comfort_noise: bool,
    /// Milliseconds per packet that we like to receive.
    pub ptime: Option<u32>,
    /// SendOnly or Inactive to hold the peer.
    pub direction: Direction,
    pub security: LocalSecurity,
    /// None: ICE is neither offered nor answered.
    pub ice: Option<LocalIce>,
}

/// How we protect media, and what we insist on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalSecurity {
    /// What our first offer asks for. Later ones keep what was agreed.
    pub offer: Protection,
    /// Neither offers nor answers without encryption are taken.
    pub required: bool,
    pub sdes: Sdes,
    /// Of our certificate; empty: no DTLS.
    pub fingerprints: Vec<Fingerprint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protection {
    /// RTP/AVP.
    #[default]
    None,
    /// RTP/AVP with `a=crypto`: protected where the peer can (RFC 8643).
    SdesWherePossible,
    /// RTP/SAVP with `a=crypto` (RFC 4568).
    Sdes,
    /// UDP/TLS/RTP/SAVP (RFC 5764).
    Dtls,
}

/// What is done with keys in the SDP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sdes {
    #[default]
    Off,
    /// The signalling can be read by others: keys in it are not used, and a line that needs them is refused.
    InTheOpen,
    /// Our keys, one for each suite, in our order of preference. They stay for the whole dialog.
    Keys(Vec<SrtpKey>),
}

/// Our side of ICE (RFC 8839).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIce {
    /// Put into our offers. Where it is false, only offers with ICE are answered with it.
    pub offer: bool,
    /// What we say until a restart. Other ones than before in an offer are a restart that we ask for.
    pub credentials: IceCredentials,
    /// What we say when the peer restarts ICE; they are then in [`crate::NegotiatedIce::local`], and the caller puts
    /// them in the place of `credentials`, and new ones here.
    pub next: IceCredentials,
    /// Components 1 and 2; where RTP and RTCP share a port, those of component 2 are left out.
    pub candidates: Vec<Candidate>,
}

impl LocalMedia {
    /// Both directions, 20 ms, telephone events and comfort noise; neither encryption nor ICE.
    pub fn new(address: IpAddr, rtp_port: u16, codecs: Vec<Capability>) -> Self {
        Self {
            address,
            rtp_port,
            rtcp_port: None,
            rtcp_mux: false,
            codecs,
            dtmf: true,
            comfort_noise: true,
            ptime: Some(20),
            direction: Direction::SendRecv,
            security: LocalSecurity::default(),
            ice: None,
        }
    }
}

impl Sdes {
    pub(super) fn keys(&self) -> &[SrtpKey] {
        match self {
            Self::Keys(keys) => keys,
            Self::Off | Self::InTheOpen => &[],
        }
    }
}
