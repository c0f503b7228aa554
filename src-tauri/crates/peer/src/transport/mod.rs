//! ICE, DTLS and SRTP: the sans-IO core's, with its RTP left out.

mod core;
mod flight;
mod guard;
mod life;
mod plain;
mod tap;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::interceptor::Packet;
use rtc::peer_connection::RTCPeerConnectionBuilder;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{RTCDtlsRole, RTCDtlsTransportState, RTCIceCandidateInit};
use rtc::rtcp;
use rtc::rtp;
use rtc::rtp_transceiver::RTCRtpReceiverId;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use self::core::Core;
use crate::packet::Datagram;
use crate::sdp::{Candidate, RemoteTransport, Setup};
use crate::{Config, DisconnectReason, PeerError, Role};
use flight::Flight;
use guard::Guard;
use life::Life;
use tap::Wire;

pub(crate) use tap::Incoming;

/// Between two consent checks of a full agent (RFC 7675 wants 4 to 6 s, liveness wants less).
const KEEP_ALIVE: Duration = Duration::from_millis(2_500);

pub(crate) struct Transport {
    core: Core,
    wire: Wire,
    guard: Guard,
    flight: Flight,
    life: Life,
    lite: bool,
    fingerprint: String,
    ufrag: String,
    pwd: String,
    setup: Setup,
    /// Of the descriptions that the core is given.
    version: u64,
    connected: bool,
    path: Option<(SocketAddr, SocketAddr)>,
}

pub(crate) enum TransportEvent {
    Connected,
    /// An address has proved that it is the far end's.
    Path(SocketAddr, SocketAddr),
    Failed(DisconnectReason),
}

/// What is said to the far end.
pub(crate) struct Said<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) pwd: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) setup: Setup,
}

impl Transport {
    pub(crate) fn new(now: Instant, config: &Config) -> Result<Self, PeerError> {
        let wire = Wire::default();
        let lite = config.role == Role::Gateway;
        let mut media = MediaEngine::default();
        let codec = RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: "audio/PCMU".to_owned(),
                clock_rate: 8_000,
                channels: 0,
                sdp_fmtp_line: String::new(),
                rtcp_feedback: Vec::new(),
            },
            payload_type: 0,
        };
        media.register_codec(codec, RtpCodecKind::Audio).map_err(PeerError::transport)?;
        let settings = SettingEngineBuilder::new()
            .with_lite(lite)
            .with_answering_dtls_role(RTCDtlsRole::Server)
            // Whether the far end is alive is found out here, not by the core: it does not count media.
            .with_ice_timeouts(Some(Duration::ZERO), Some(Duration::ZERO), Some(KEEP_ALIVE))
            .with_ice_connection_attempts(Some(Duration::from_millis(50)), Some(60))
            .with_host_acceptance_min_wait(Some(Duration::ZERO))
            // The addresses of before may be gone; a gateway's stay.
            .with_discard_local_candidates_during_ice_restart(!lite)
            .with_srtp_replay_protection_window(1024)
            .with_srtcp_replay_protection_window(128)
            .build();
        let configuration =
            RTCConfigurationBuilder::new().with_certificates(vec![(*config.certificate.0).clone()]).build();
        let core = RTCPeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_media_engine(media)
            .with_setting_engine(settings)
            .with_interceptor_registry(wire.registry())
            .build(now)
            .map_err(PeerError::transport)?;
        let provider = rtc::crypto::default_provider().map_err(PeerError::transport)?;
        let fingerprints =
            config.certificate.0.get_fingerprints(provider.crypto()).map_err(PeerError::transport)?;
        let fingerprint = fingerprints.into_iter().next().map(|print| print.value).unwrap_or_default();
        Ok(Self {
            core: Core::new(core),
            wire,
            guard: Guard::default(),
            flight: Flight::default(),
            life: Life::new(provider, config.patience),
            lite,
            fingerprint,
            ufrag: String::new(),
            pwd: String::new(),
            setup: Setup::Actpass,
            version: 0,
            connected: false,
            path: None,
        })
    }

    pub(crate) fn said(&self) -> Said<'_> {
        Said { ufrag: &self.ufrag, pwd: &self.pwd, fingerprint: &self.fingerprint, setup: self.setup }
    }

    /// How long nothing may come.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.life.set_patience(patience);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(crate) fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.path
    }

    pub(crate) fn last_received(&self) -> Option<Instant> {
        self.life.last_received()
    }

    /// By signs of life.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.life.round_trip()
    }

    pub(crate) fn add_local(&mut self, candidate: &Candidate) -> Result<(), PeerError> {
        let init = RTCIceCandidateInit { candidate: plain::candidate(candidate), ..Default::default() };
        self.core.stir().add_local_candidate(init).map_err(PeerError::transport)
    }

    pub(crate) fn add_remote(&mut self, candidate: &Candidate) -> Result<(), PeerError> {
        if self.lite {
            return Ok(());
        }
        let init = RTCIceCandidateInit { candidate: candidate.to_string(), ..Default::default() };
        self.core.stir().add_remote_candidate(init).map_err(PeerError::transport)
    }

    /// Begins, or with `restart` begins again with other credentials.
    pub(crate) fn offer(&mut self, now: Instant, restart: bool) -> Result<(), PeerError> {
        if self.version == 0 {
            let added = self.core.stir().add_transceiver_from_kind(RtpCodecKind::Audio, None);
            added.map_err(PeerError::transport)?;
        }
        if restart {
            self.core.stir().restart_ice();
        }
        let offer = self.core.stir().create_offer(None).map_err(PeerError::transport)?;
        self.hear_core(&offer.sdp, Setup::Actpass)?;
        self.core.stir().set_local_description(now, offer).map_err(PeerError::transport)
    }

    pub(crate) fn accept_answer(&mut self, now: Instant, remote: &RemoteTransport) -> Result<(), PeerError> {
        // An answer that leaves the choice to us, against RFC 5763: then it waits for our ClientHello.
        let setup = if remote.setup == Setup::Actpass { Setup::Passive } else { remote.setup };
        self.version += 1;
        let text = plain::description(remote, setup, self.version, true);
        let answer = RTCSessionDescription::answer(text).map_err(PeerError::transport)?;
        self.core.stir().set_remote_description(now, answer).map_err(PeerError::transport)?;
        self.setup = if setup == Setup::Passive { Setup::Active } else { Setup::Passive };
        self.life.expect(now, &self.ufrag, remote, !self.lite);
        Ok(())
    }

    pub(crate) fn answer(&mut self, now: Instant, remote: &RemoteTransport) -> Result<(), PeerError> {
        self.version += 1;
        let text = plain::description(remote, remote.setup, self.version, !self.lite);
        let offer = RTCSessionDescription::offer(text).map_err(PeerError::transport)?;
        self.core.stir().set_remote_description(now, offer).map_err(PeerError::transport)?;
        let answer = self.core.stir().create_answer(None).map_err(PeerError::transport)?;
        let default = if remote.setup == Setup::Passive { Setup::Active } else { Setup::Passive };
        self.hear_core(&answer.sdp, default)?;
        if self.setup == Setup::Actpass {
            self.setup = default;
        }
        self.core.stir().set_local_description(now, answer).map_err(PeerError::transport)?;
        self.life.expect(now, &self.ufrag, remote, remote.lite);
        Ok(())
    }

    fn hear_core(&mut self, sdp: &str, default: Setup) -> Result<(), PeerError> {
        let said = plain::read(sdp).ok_or(PeerError::State("the core said nothing of itself"))?;
        self.ufrag = said.ufrag;
        self.pwd = said.pwd;
        self.setup = if default == Setup::Actpass { Setup::Actpass } else { said.setup };
        Ok(())
    }

    pub(crate) fn handle(&mut self, now: Instant, datagram: Datagram<'_>) -> Option<TransportEvent> {
        let Datagram { local, remote, bytes } = datagram;
        if self.life.handle(now, remote, bytes) {
            return None;
        }
        if !self.guard.admits(remote, bytes, &self.ufrag) {
            return None;
        }
        let transport = TransportContext {
            local_addr: local,
            peer_addr: remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        // Errors of single datagrams end nothing.
        let message = TaggedBytesMut { now, transport, message: BytesMut::from(bytes) };
        let _ = self.core.stir().handle_read(message);
        if matches!(bytes.first(), Some(20..=63)) {
            let repeats = self.connected && matches!(bytes.first(), Some(22));
            self.flight.heard(now, repeats);
        }
        // An alert may have been the far end's goodbye.
        if matches!(bytes.first(), Some(21)) && self.connected && self.is_closed() {
            return Some(TransportEvent::Failed(DisconnectReason::Closed));
        }
        None
    }

    fn is_closed(&mut self) -> bool {
        let Some(receiver) = self.core.look().rtp_receiver(RTCRtpReceiverId::default()) else { return false };
        receiver.transport().is_some_and(|dtls| dtls.state() == RTCDtlsTransportState::Closed)
    }

    pub(crate) fn receive(&mut self, now: Instant) -> Option<Incoming> {
        let incoming = self.wire.receive()?;
        self.life.heard(now);
        Some(incoming)
    }

    pub(crate) fn send_rtp(&mut self, now: Instant, packet: rtp::Packet) {
        self.wire.send(now, Packet::Rtp(packet));
        self.core.has_packet();
    }

    pub(crate) fn send_rtcp(&mut self, now: Instant, packets: Vec<Box<dyn rtcp::Packet>>) {
        self.wire.send(now, Packet::Rtcp(packets));
        self.core.has_packet();
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<TransportEvent> {
        self.core.handle_timeout(now);
        if !self.connected {
            self.flight.handle_timeout(now);
        }
        if self.connected && self.life.handle_timeout(now) {
            return Some(TransportEvent::Failed(DisconnectReason::KeepAlive));
        }
        None
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        let life = self.life.poll_timeout().filter(|_| self.connected);
        let flight = self.flight.poll_timeout().filter(|_| !self.connected);
        self.core.poll_timeout().into_iter().chain(life).chain(flight).min()
    }

    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<TransportEvent> {
        while let Some(event) = self.core.poll_event() {
            let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event else { continue };
            match state {
                RTCPeerConnectionState::Connected if !self.connected => {
                    self.connected = true;
                    self.life.heard(now);
                    return Some(TransportEvent::Connected);
                }
                RTCPeerConnectionState::Failed => {
                    return Some(TransportEvent::Failed(DisconnectReason::Ice));
                }
                _ => {}
            }
        }
        if let Some((local, remote)) = self.guard.poll_address() {
            return Some(TransportEvent::Path(local, remote));
        }
        self.guard.poll_failure().filter(|_| !self.connected).map(TransportEvent::Failed)
    }

    /// Local, remote and the datagram.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<(SocketAddr, SocketAddr, Bytes)> {
        if let (Some((local, remote)), Some(sign)) = (self.path, self.life.poll_transmit(now)) {
            return Some((local, remote, sign));
        }
        if let Some(repeated) = self.flight.poll() {
            return Some(repeated);
        }
        let sent = self.core.poll_write()?;
        let (local, remote) = (sent.transport.local_addr, sent.transport.peer_addr);
        let datagram = sent.message.freeze();
        if self.guard.sent(local, remote, &datagram) {
            self.life.heard(now);
        }
        if matches!(datagram.first(), Some(20..=63)) {
            self.flight.sent(now, local, remote, &datagram);
        }
        // Everything but STUN goes over the chosen pair.
        if !matches!(datagram.first(), Some(0..=3)) {
            self.path = Some((local, remote));
        }
        Some((local, remote, datagram))
    }

    pub(crate) fn close(&mut self) {
        let _ = self.core.stir().close();
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("ufrag", &self.ufrag).field("path", &self.path).finish()
    }
}

/// The provider of randomness and ciphers, one for a process.
pub(crate) type Provider = Arc<dyn rtc::crypto::RTCCryptoProvider>;
