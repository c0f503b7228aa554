use std::net::{IpAddr, SocketAddr};

use crate::attribute::Direction;
use crate::capability::Capability;
use crate::description::Host;
use crate::fmtp::{EventSet, OpusParameters};
use crate::ice::{Candidate, IceCredentials};
use crate::security::{Fingerprint, SrtpKey};
use crate::video::{Feedback, H264Parameters, Vp8Parameters};

/// One stream, audio or video, that both sides agreed to, from our point of view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Place of the stream among the media lines.
    pub media_index: usize,
    /// What to send: the first of `codecs`.
    pub codec: NegotiatedCodec,
    /// All common codecs in the peer's order. The peer may switch among them at any packet.
    pub codecs: Vec<NegotiatedCodec>,
    /// Where to send RTP.
    pub remote: Endpoint,
    /// Where to send RTCP; None where the peer's port is 65535 and it named no other.
    pub remote_rtcp: Option<Endpoint>,
    pub rtcp_mux: bool,
    /// The peer gave RTCP no bandwidth (`b=RS:0` and `b=RR:0`, RFC 3556): send none.
    pub rtcp_disabled: bool,
    /// `b=AS` in kbit/s or `b=TIAS` rounded up to it: the most that the peer wants to get.
    pub bandwidth: Option<u64>,
    /// The events to send: at the clock of `codec` where there are such, else at 8000 Hz.
    pub dtmf: Option<NegotiatedEvents>,
    /// All events that may come, one per clock rate.
    pub events: Vec<NegotiatedEvents>,
    pub comfort_noise: Option<PayloadTypes>,
    /// Milliseconds per packet to send: the peer's wish, within its maxptime, rounded down to whole 10 ms,
    /// 10 to 120.
    pub ptime: u32,
    /// What we may do.
    pub direction: Direction,
    /// The peer wants no media from us: sendonly, inactive, or the null address of RFC 2543.
    pub held: bool,
    pub security: Security,
    /// None: media goes to `remote`.
    pub ice: Option<NegotiatedIce>,
    /// Of video: the requests for a key frame that both sides know.
    pub feedback: Feedback,
}

/// How the media is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    None,
    /// Keys from the SDP; both have the same suite.
    Sdes {
        /// Protects what we send.
        local: SrtpKey,
        remote: SrtpKey,
    },
    /// Keys from a DTLS handshake. Other fingerprints, or another role, than before want a new handshake.
    Dtls {
        /// The peer's certificate must have one of them.
        fingerprints: Vec<Fingerprint>,
        role: DtlsRole,
    },
}

/// Our part in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// Begins the handshake (`a=setup:active`).
    Client,
    /// Waits for it (`a=setup:passive`).
    Server,
}

/// Both sides of ICE. Other remote credentials than before are a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiatedIce {
    pub local: IceCredentials,
    pub remote: IceCredentials,
    /// The peer's, of both components.
    pub candidates: Vec<Candidate>,
    /// The peer only answers checks.
    pub lite: bool,
    /// We choose the pair, until a conflict of roles turns it around (RFC 8445 section 7.3.1.1).
    pub controlling: bool,
}

/// A codec with the payload types of each direction, which may differ (RFC 3264 sections 5.1 and 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiatedCodec {
    pub capability: Capability,
    pub payload_types: PayloadTypes,
    /// `a=fmtp` of the peer: how it wants the stream.
    pub remote_fmtp: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadTypes {
    pub send: u8,
    /// Ours; also the peer's own number where that is not taken, since some peers send with it.
    pub receive: Vec<u8>,
}

/// telephone-event at one clock rate (RFC 4733).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiatedEvents {
    /// Hz
    pub clock_rate: u32,
    pub payload_types: PayloadTypes,
    /// What the peer understands.
    pub events: EventSet,
}

/// What a received payload type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadKind<'a> {
    Codec(&'a NegotiatedCodec),
    TelephoneEvent(&'a NegotiatedEvents),
    ComfortNoise,
}

/// Host and port. A name is for the caller to resolve, see [`Negotiated::resolve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub host: Host,
    pub port: u16,
}

impl Negotiated {
    pub fn payload_kind(&self, payload_type: u8) -> Option<PayloadKind<'_>> {
        let receives = |types: &PayloadTypes| types.receive.contains(&payload_type);
        let codec = self.codecs.iter().find(|codec| receives(&codec.payload_types)).map(PayloadKind::Codec);
        let event = || self.events.iter().find(|events| receives(&events.payload_types));
        let noise = || self.comfort_noise.as_ref().filter(|types| receives(types));
        codec
            .or_else(|| event().map(PayloadKind::TelephoneEvent))
            .or_else(|| noise().map(|_| PayloadKind::ComfortNoise))
    }

    /// The name that must be resolved before media can be sent.
    pub fn unresolved(&self) -> Option<&str> {
        let endpoints = [Some(&self.remote), self.remote_rtcp.as_ref()];
        endpoints.into_iter().flatten().find_map(|endpoint| match &endpoint.host {
            Host::Name(name) => Some(name.as_str()),
            Host::Ip(_) => None,
        })
    }

    /// Puts the address in the place of the name.
    pub fn resolve(&mut self, name: &str, address: IpAddr) {
        for endpoint in [Some(&mut self.remote), self.remote_rtcp.as_mut()].into_iter().flatten() {
            if matches!(&endpoint.host, Host::Name(found) if found == name) {
                endpoint.host = Host::Ip(address);
            }
        }
    }
}

impl NegotiatedCodec {
    /// The peer's wishes for Opus; the defaults for another codec.
    pub fn opus_parameters(&self) -> OpusParameters {
        OpusParameters::parse(self.remote_fmtp.as_deref().unwrap_or_default())
    }

    /// What may be sent of H.264: the peer's parameters, at the level that holds for our direction (RFC 6184 section
    /// 8.2.2). None for another codec.
    pub fn h264_parameters(&self) -> Option<H264Parameters> {
        if !self.capability.is_h264() {
            return None;
        }
        let read = |fmtp: &Option<String>| H264Parameters::parse(fmtp.as_deref().unwrap_or_default());
        Some(read(&self.remote_fmtp)?.sent_by(&read(&self.capability.fmtp)?))
    }

    /// What the peer takes of VP8; no limits for another codec.
    pub fn vp8_parameters(&self) -> Vp8Parameters {
        Vp8Parameters::parse(self.remote_fmtp.as_deref().unwrap_or_default())
    }
}

impl Endpoint {
    /// Where to send; None for a name, for the null address and for port 0.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(address) if !address.is_unspecified() && self.port != 0 => {
                Some(SocketAddr::new(address, self.port))
            }
            _ => None,
        }
    }
}
