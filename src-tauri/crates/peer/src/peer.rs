mod negotiate;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::gather::{Failure, Gather};
use crate::media::{Out, Session};
use crate::packet::Datagram;
use crate::sdp::{Candidate, MediaSection, Remote};
use crate::transport::{Incoming, Transport, TransportEvent};
use crate::{
    BitrateLimits, Config, DisconnectReason, Event, IceTransport, PeerError, Role, RtpPacket, SenderClock,
    SendingTrack, Statistics, TrackId, Transmit,
};

/// Datagrams that wait to be taken.
const TRANSMITS: usize = 4_096;

/// One peer. See the crate's documentation for how it is driven.
///
/// After the calls that take `now`, drain [`Self::poll_event`] and [`Self::poll_transmit`]. A batch of datagrams and of
/// packets to write may be handed in before: draining is what costs.
#[derive(Debug)]
pub struct Peer {
    config: Config,
    now: Instant,
    transport: Transport,
    session: Session,
    gather: Gather,
    /// For numbers that need be different, not secret.
    random: Rng,
    /// Of our descriptions.
    id: u64,
    version: u64,
    stream: String,
    candidates: Vec<Candidate>,
    stage: Stage,
    sections: Vec<MediaSection>,
    remote: Option<Remote>,
    deadline: Option<Instant>,
    events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was negotiated.
    New,
    /// An offer of ours waits for its answer.
    Offered,
    Stable,
}

impl Peer {
    /// # Errors
    /// [`PeerError::Transport`].
    pub fn new(now: Instant, config: Config) -> Result<Self, PeerError> {
        let mut random = Rng::with_seed(config.seed);
        let id = random.u64(..) >> 2;
        let stream = format!("s{:08x}", random.u32(..));
        let ssrc = random.u32(..);
        let session = Session::new(now, config.wall_clock, config.bitrate, ssrc, stream.clone());
        let gather = Gather::new(&config)?;
        let mut peer = Self {
            transport: Transport::new(now, &config)?,
            session,
            gather,
            random,
            id,
            version: 0,
            stream,
            candidates: Vec::new(),
            stage: Stage::New,
            sections: Vec::new(),
            remote: None,
            deadline: None,
            events: VecDeque::new(),
            transmits: VecDeque::new(),
            ended: false,
            config,
            now,
        };
        peer.add_hosts()?;
        Ok(peer)
    }

    /// Our user name fragment of ICE, for [`Demux`](crate::Demux); it changes with a restart.
    pub fn local_ufrag(&self) -> &str {
        self.transport.said().ufrag
    }

    /// The far end's, as it said last.
    pub fn remote_ufrag(&self) -> Option<&str> {
        self.remote.as_ref().map(|remote| remote.transport.ufrag.as_str())
    }

    /// A datagram that came to `local` from `remote`, of the far end or of a STUN or TURN server.
    pub fn handle_input(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, datagram: &[u8]) {
        self.now = self.now.max(now);
        if self.ended {
            return;
        }
        // At a server's address there may be a far end as well: what is no answer of the server is the far end's.
        let datagram = Datagram { local, remote, bytes: datagram };
        let is_server = self.gather.is_server(remote, IceTransport::Udp);
        if is_server && self.gather.handle(now, datagram) {
            return self.after_gathering(now);
        }
        self.on_datagram(now, datagram);
    }

    /// Bytes of the stream to the TURN server `remote`, however they were cut. `local` is that of [`Transmit`].
    pub fn handle_stream(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        transport: IceTransport,
        bytes: &[u8],
    ) {
        self.now = self.now.max(now);
        if !self.ended && self.gather.is_server(remote, transport) {
            self.gather.handle_stream(now, (local, remote, transport), bytes);
            self.after_gathering(now);
        }
    }

    /// The stream to the TURN server `remote` could not be opened, or has ended: why, in words.
    pub fn lose_stream(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        transport: IceTransport,
        reason: &str,
    ) {
        self.now = self.now.max(now);
        if !self.ended {
            self.gather.lose_stream((local, remote, transport), reason);
            self.after_gathering(now);
        }
    }

    /// The name of a server that a stream is to be opened to, for TLS.
    pub fn server_name(&self, remote: SocketAddr, transport: IceTransport) -> Option<&str> {
        self.gather.host_name(remote, transport)
    }

    /// Asks more servers, such as those that came with the answer. What they find comes as
    /// [`Event::LocalCandidate`].
    pub fn add_ice_servers(&mut self, now: Instant, servers: Vec<crate::IceServer>) {
        self.now = self.now.max(now);
        if self.ended || self.stage == Stage::New {
            return;
        }
        self.gather.add(now, &self.config, &servers);
        self.config.ice_servers.extend(servers);
        self.after_gathering(now);
    }

    fn on_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        if let Some(event) = self.transport.handle(now, datagram) {
            self.on_transport(now, event);
        }
        while let Some(incoming) = self.transport.receive(now) {
            match incoming {
                Incoming::Rtp(packet) => self.session.handle_rtp(now, packet),
                Incoming::Rtcp(packets) => self.session.handle_rtcp(now, &packets),
            }
        }
    }

    /// What the gathering has found, and what came by relays.
    fn after_gathering(&mut self, now: Instant) {
        while let Some((local, remote, data)) = self.gather.poll_relayed() {
            self.on_datagram(now, Datagram { local, remote, bytes: &data });
        }
        while let Some(candidate) = self.gather.poll_candidate() {
            self.add_candidate(candidate);
        }
        while let Some(Failure { url, reason, relay }) = self.gather.poll_failure() {
            self.events.push_back(Event::ServerFailed { url, reason });
            // What goes by it arrives no more.
            if relay.is_some() && self.transport.path().map(|(local, _)| local) == relay {
                self.end(DisconnectReason::Ice);
            }
        }
        if self.gather.poll_done() {
            self.events.push_back(Event::GatheringDone);
        }
    }

    fn add_candidate(&mut self, candidate: Candidate) {
        let known = self.candidates.iter().any(|other| other.address == candidate.address);
        if known || self.transport.add_local(&candidate).is_err() {
            return;
        }
        let mid = self.sections.iter().find(|section| !section.declined).map(|s| s.mid.clone());
        let event = Event::LocalCandidate {
            mid: mid.unwrap_or_else(|| "0".to_owned()),
            candidate: candidate.to_string(),
        };
        self.candidates.push(candidate);
        self.events.push_back(event);
    }

    fn on_transport(&mut self, now: Instant, event: TransportEvent) {
        match event {
            TransportEvent::Connected => {
                self.deadline = None;
                self.session.connected(now);
                self.events.push_back(Event::Connected);
            }
            TransportEvent::Path(local, remote) => self.events.push_back(Event::Path { local, remote }),
            TransportEvent::Failed(reason) => self.end(reason),
        }
    }

    fn end(&mut self, reason: DisconnectReason) {
        if !self.ended {
            self.ended = true;
            self.flush();
            self.events.push_back(Event::Disconnected(reason));
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.ended {
            return;
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            let reason = match self.transport.path() {
                Some(_) => DisconnectReason::Dtls,
                None => DisconnectReason::IceTimeout,
            };
            return self.end(reason);
        }
        self.gather.handle_timeout(now);
        self.after_gathering(now);
        if let Some(event) = self.transport.handle_timeout(now) {
            self.on_transport(now, event);
        }
        if self.transport.is_connected() {
            self.session.handle_timeout(now, self.round_trip());
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let session = if self.transport.is_connected() { self.session.poll_timeout(self.now) } else { None };
        [self.deadline, self.transport.poll_timeout(), self.gather.poll_timeout(), session]
            .into_iter()
            .flatten()
            .min()
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if self.transmits.is_empty() {
            self.flush();
        }
        self.transmits.pop_front()
    }

    fn flush(&mut self) {
        let now = self.now;
        while let Some(out) = self.session.poll_out() {
            match out {
                Out::Rtp(packet) => self.transport.send_rtp(now, packet),
                Out::Rtcp(packets) => self.transport.send_rtcp(now, packets),
            }
        }
        while let Some((local, remote, data)) = self.transport.poll_transmit(now) {
            if self.transmits.len() >= TRANSMITS {
                continue;
            }
            if self.gather.is_relay(local) {
                self.gather.relay(now, local, remote, &data);
            } else if !(self.config.relay_only && self.config.role == Role::Client) {
                self.transmits.push_back(Transmit { local, remote, transport: IceTransport::Udp, data });
            }
        }
        while let Some(transmit) = self.gather.poll_transmit() {
            self.transmits.push_back(transmit);
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        while !self.ended
            && let Some(event) = self.transport.poll_event(self.now)
        {
            self.on_transport(self.now, event);
        }
        self.events.pop_front().or_else(|| self.session.poll_event().filter(|_| !self.ended))
    }

    /// What we may send, known after the negotiation.
    pub fn sending(&self) -> &[SendingTrack] {
        self.session.tracks()
    }

    /// Whether the far end may send us something.
    pub fn receives(&self) -> bool {
        self.session.receives()
    }

    pub fn is_connected(&self) -> bool {
        self.transport.is_connected() && !self.ended
    }

    /// Sends a packet. Its payload type must be one of the track's; SSRC and header extensions are set here, sequence
    /// numbers and timestamps are the caller's. Before [`Event::Connected`] it is dropped.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`], [`PeerError::PayloadType`], [`PeerError::TooLong`].
    pub fn write_rtp(&mut self, now: Instant, track: TrackId, packet: &RtpPacket) -> Result<(), PeerError> {
        self.now = self.now.max(now);
        if !self.is_connected() {
            return Ok(());
        }
        self.session.write_rtp(now, track, packet)
    }

    /// How long the oldest picture has waited for the path to have room: a source that can had better leave some out.
    pub fn backlog(&self, now: Instant) -> Duration {
        self.session.backlog(now)
    }

    /// The path holds as much as it should: what waits goes on when less is on its way.
    pub fn is_path_full(&self) -> bool {
        self.session.is_path_full()
    }

    /// The clock of what is sent, such as the one of a forwarded stream; by default the time of sending.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`].
    pub fn set_sender_clock(
        &mut self,
        now: Instant,
        track: TrackId,
        clock: SenderClock,
    ) -> Result<(), PeerError> {
        self.session.set_sender_clock(now, track, clock)
    }

    /// How much the estimate may be: an encoder's settings, or what a forwarded stream has.
    pub fn set_bitrate(&mut self, limits: BitrateLimits) {
        self.session.estimate.set_limits(limits);
    }

    /// How much may flow either way, in bits per second, of which 50 kbit/s are always left: the estimate ends there, and a far end
    /// that sends video is told so (REMB), where it understands that. `None`: what [`Config::bitrate`] says.
    pub fn set_ceiling(&mut self, now: Instant, bps: Option<u64>) {
        self.now = self.now.max(now);
        let BitrateLimits { min, start, max } = self.config.bitrate;
        let most = bps.map_or(max, |bps| bps.clamp(min, max));
        self.session.estimate.set_limits(BitrateLimits { min, start: start.min(most), max: most });
        self.session.set_ceiling(bps.map(|bps| bps.max(min)));
    }

    /// Of RTP with what is around it on the wire, so far: sent, received.
    pub fn octets(&self) -> (u64, u64) {
        self.session.octets()
    }

    /// Asks the far end for a key frame, at most three times a second.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`].
    pub fn request_key_frame(&mut self, now: Instant, track: TrackId) -> Result<(), PeerError> {
        self.now = self.now.max(now);
        self.session.request_key_frame(now, track)
    }

    /// When anything authentic came last: media, or the answer to a request for a sign of life.
    pub fn last_received(&self) -> Option<Instant> {
        self.transport.last_received()
    }

    fn round_trip(&self) -> Option<Duration> {
        self.session.round_trip().or(self.transport.round_trip())
    }

    pub fn statistics(&mut self, _now: Instant) -> Statistics {
        Statistics {
            round_trip: self.round_trip(),
            path: self.transport.path(),
            last_received: self.last_received(),
            ..self.session.statistics()
        }
    }

    /// Says goodbye: drain [`Self::poll_transmit`] afterwards.
    pub fn close(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.ended {
            return;
        }
        self.ended = true;
        if self.transport.is_connected() {
            self.session.goodbye();
            self.flush();
        }
        self.transport.close();
        self.gather.close(now);
        self.flush();
    }
}
