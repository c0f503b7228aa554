//! What lies between the sockets of a leg and its [`crate::Session`]: ICE (RFC 8445), DTLS (RFC 5764) and SRTP (RFC 3711),
//! told apart by the first byte (RFC 7983). No I/O, no clock; randomness for STUN comes from a seed, that of DTLS keys
//! from the operating system.
//!
//! Datagrams go in by [`Transport::handle_input`] and come back as plain RTP or RTCP; packets go out by
//! [`Transport::protect`]; whatever else is to be sent waits in [`Transport::poll_transmit`]. Between them stands
//! [`RemoteAddress`] where there is no ICE.
//!
//! The ICE agent is our own: that of the library we take SRTP, DTLS and STUN from has one component, no pacing of
//! checks, no consent in the sense of RFC 7675, and draws on randomness of its own.
//!
//! Where we differ from the RFCs, on purpose:
//! - RFC 8445 6.1.2: one socket is one base, so pairs differ in the remote candidate alone, and none is frozen;
//! - RFC 8445 7.3: a check that is not authentic gets no answer instead of an error;
//! - RFC 7675 5.1: when consent has run out media stops and the questions go on, so that an outage ends by itself;
//! - RFC 3711 8: keys stay for the whole call; nobody sends 2^48 packets in one.

mod channel;
mod classify;
mod dtls;
mod ice;
mod random;
mod srtp;
mod stun;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rtc_dtls::crypto_provider::{RTCCryptoProvider, providers::RingProvider};

use crate::packet::is_rtcp;
use crate::remote_address::{Latching, RemoteAddress, Verdict};
use channel::Channel;
use classify::{Kind, classify};
use ice::{Agent, Gathering};
use random::Random;

pub use dtls::{DtlsIdentity, DtlsRole, Fingerprint, HashFunction};
pub use ice::{Credentials, IceParameters, RemoteCandidate};
pub use srtp::{MasterKey, MediaKind, Suite};

/// Which socket of the leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Component {
    /// RTP; RTCP too where both share the port.
    Rtp,
    Rtcp,
}

/// What stays for the life of a leg.
#[derive(Debug, Clone)]
pub struct Options {
    /// Good randomness.
    pub seed: [u8; 32],
    pub latching: Latching,
    /// None: no DTLS.
    pub identity: Option<DtlsIdentity>,
    /// What our first offer or answer says; None: no ICE.
    pub ice: Option<Credentials>,
    /// The family of our sockets.
    pub ipv6: bool,
}

/// What an offer and its answer agreed on.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Where the signalling says to send; with ICE only the default.
    pub rtp: Option<SocketAddr>,
    pub rtcp: Option<SocketAddr>,
    pub rtcp_mux: bool,
    pub security: Security,
    pub ice: Option<IceParameters>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    None,
    Sdes {
        /// Protects what we send.
        local: MasterKey,
        remote: MasterKey,
    },
    Dtls {
        role: DtlsRole,
        /// The peer's certificate has to have one of them.
        fingerprints: Vec<Fingerprint>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The STUN server's answer; None: it gave none.
    Gathered { component: Component, address: Option<SocketAddr> },
    /// ICE found a path, or another one.
    Selected { component: Component, address: SocketAddr },
    /// The handshake is done, media is protected.
    Secured { component: Component, suite: Suite },
    /// The peer's consent has run out (RFC 7675): nothing is sent until it answers again, which it may.
    Silent(Component),
    /// There will be no media on this component.
    Failed(Component, Failure),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error(
        "no way to the far end was found: none of its {candidates} addresses answered the connectivity checks (ICE)"
    )]
    NoPath { candidates: usize },
    #[error("the far end's certificate is not the one that the signalling announced (fingerprint mismatch)")]
    Fingerprint,
    #[error("the far end did not finish the DTLS handshake in time")]
    DtlsTimeout,
    #[error("the DTLS handshake failed: {0}")]
    Dtls(String),
    #[error("the keys that were agreed on cannot protect media")]
    Keys,
}

/// The media transport of one leg, RTP and RTCP.
pub struct Transport {
    rtp: Channel,
    rtcp: Channel,
    rtcp_mux: bool,
    identity: Option<DtlsIdentity>,
    remote: RemoteAddress,
    random: Random,
    transmits: VecDeque<(Component, ice::Transmit)>,
}

impl Transport {
    pub fn new(now: Instant, options: Options) -> Self {
        let mut random = Random::new(options.seed);
        let tie_breaker = random.number();
        let mut channel = |component, number| {
            let agent = options.ice.clone().map(|credentials| {
                let mut agent = Agent::new(now, number, credentials, options.ipv6, random.branch());
                agent.set_tie_breaker(tie_breaker);
                agent
            });
            Channel::new(component, agent)
        };
        Self {
            rtp: channel(Component::Rtp, 1),
            rtcp: channel(Component::Rtcp, 2),
            rtcp_mux: false,
            identity: options.identity,
            remote: RemoteAddress::new(options.latching, None, None),
            random,
            transmits: VecDeque::new(),
        }
    }

    /// Asks the server for our address, on both sockets; [`Event::Gathered`] tells. The question goes out with the
    /// next [`Transport::handle_timeout`].
    pub fn gather(&mut self, now: Instant, server: SocketAddr) {
        self.rtp.gathering = Some(Gathering::new(now, server, &mut self.random));
        self.rtcp.gathering = Some(Gathering::new(now, server, &mut self.random));
    }

    /// Takes over what was agreed; what is as before goes on undisturbed.
    pub fn configure(&mut self, now: Instant, parameters: &Parameters) {
        let rtcp = if parameters.rtcp_mux { parameters.rtp } else { parameters.rtcp };
        self.remote.signal(parameters.rtp, rtcp);
        self.rtcp_mux = parameters.rtcp_mux;
        let peers = [parameters.rtp, parameters.rtcp];
        for (channel, peer) in [&mut self.rtp, &mut self.rtcp].into_iter().zip(peers) {
            let used = channel.component == Component::Rtp || !parameters.rtcp_mux;
            channel.uses_ice = used && parameters.ice.is_some() && channel.ice.is_some();
            if let (Some(ice), Some(parameters), true) = (&mut channel.ice, &parameters.ice, used) {
                ice.configure(now, parameters);
            }
            if parameters.ice.is_none() {
                // The media keeps the mapping, and nobody was told of it.
                channel.gathering = None;
            }
            let security = if used { &parameters.security } else { &Security::None };
            channel.secure(security, self.identity.as_ref(), peer);
            channel.start(now);
        }
        self.collect();
    }

    /// Takes a datagram; gives its kind where it is media that may be heard, and leaves the plain packet in its place.
    pub fn handle_input(
        &mut self,
        now: Instant,
        component: Component,
        from: SocketAddr,
        datagram: &mut Vec<u8>,
    ) -> Option<MediaKind> {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let unused = component == Component::Rtcp && self.rtcp_mux;
        let channel = self.channel(component);
        match classify(datagram)? {
            Kind::Stun => channel.on_stun(now, from, datagram),
            Kind::Dtls if !unused => channel.on_dtls(now, from, datagram),
            Kind::Media if !unused => return self.on_media(now, component, from, datagram),
            Kind::Dtls | Kind::Media => {}
        }
        self.collect();
        None
    }

    fn on_media(
        &mut self,
        now: Instant,
        component: Component,
        from: SocketAddr,
        datagram: &mut Vec<u8>,
    ) -> Option<MediaKind> {
        let shared = self.rtcp_mux && is_rtcp(datagram);
        let kind = if component == Component::Rtcp || shared { MediaKind::Rtcp } else { MediaKind::Rtp };
        let channel = self.channel(component);
        if !channel.open(kind, from, datagram) {
            return None;
        }
        let verdict = match kind {
            _ if channel.uses_ice => Verdict::Accept,
            MediaKind::Rtp => self.remote.handle_rtp(now, from, datagram),
            MediaKind::Rtcp => self.remote.handle_rtcp(from),
        };
        (verdict == Verdict::Accept).then_some(kind)
    }

    /// Protects a packet in its place and says where it goes; None: it must not, or cannot, be sent now.
    pub fn protect(&mut self, kind: MediaKind, packet: &mut Vec<u8>) -> Option<(Component, SocketAddr)> {
        let component = match kind {
            MediaKind::Rtcp if !self.rtcp_mux => Component::Rtcp,
            _ => Component::Rtp,
        };
        let default = match kind {
            MediaKind::Rtp => self.remote.rtp(),
            MediaKind::Rtcp => self.remote.rtcp(),
        };
        let channel = self.channel(component);
        let to = match &channel.ice {
            Some(ice) if channel.uses_ice => ice.target(),
            _ => default,
        }?;
        // One key is one context: RTCP that moves to the port of RTP counts on (RFC 3711 section 9.1: no index twice).
        let keeper = if self.rtp.has_signalled_keys() { &mut self.rtp } else { self.channel(component) };
        keeper.close(kind, packet).then_some((component, to))
    }

    /// Where the signalling, or what was heard, says that RTP goes; with ICE, the path in use.
    pub fn remote(&self) -> Option<SocketAddr> {
        match &self.rtp.ice {
            Some(ice) if self.rtp.uses_ice => ice.target(),
            _ => self.remote.rtp(),
        }
    }

    /// A datagram to send that is not media: from which socket, and where.
    pub fn poll_transmit(&mut self) -> Option<(Component, SocketAddr, Vec<u8>)> {
        self.transmits.pop_front().map(|(component, transmit)| (component, transmit.to, transmit.data))
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        let channel = if self.rtp.events.is_empty() { &mut self.rtcp } else { &mut self.rtp };
        (!channel.events.is_empty()).then(|| channel.events.remove(0))
    }

    /// When [`Transport::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let rtcp = self.rtcp.poll_timeout().filter(|_| !self.rtcp_mux);
        self.rtp.poll_timeout().into_iter().chain(rtcp).min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let mux = self.rtcp_mux;
        for channel in [&mut self.rtp, &mut self.rtcp] {
            if channel.component == Component::Rtp || !mux {
                let mut transmits = Vec::new();
                channel.handle_timeout(now, &mut transmits);
                let component = channel.component;
                self.transmits.extend(transmits.into_iter().map(|transmit| (component, transmit)));
            }
        }
        self.collect();
    }

    fn collect(&mut self) {
        for channel in [&mut self.rtp, &mut self.rtcp] {
            let mut transmits = Vec::new();
            channel.collect(&mut transmits);
            let component = channel.component;
            self.transmits.extend(transmits.into_iter().map(|transmit| (component, transmit)));
        }
    }

    fn channel(&mut self, component: Component) -> &mut Channel {
        match component {
            Component::Rtp => &mut self.rtp,
            Component::Rtcp => &mut self.rtcp,
        }
    }
}

fn provider() -> Arc<dyn RTCCryptoProvider> {
    static PROVIDER: OnceLock<Arc<RingProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(RingProvider::new())).clone()
}
