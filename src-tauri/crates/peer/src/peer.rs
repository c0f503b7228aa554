use std::net::SocketAddr;
use std::time::Instant;

use crate::{
    Config, Event, IceTransport, PeerError, RtpPacket, SenderClock, SendingTrack, Statistics, TrackId,
    Transmit, Wanted,
};

/// One peer. See the crate's documentation for how it is driven.
///
/// After every call that takes `now`, drain [`Self::poll_event`] and [`Self::poll_transmit`]; a batch of datagrams may
/// be handed in before, and drained once.
#[derive(Debug)]
pub struct Peer {
    config: Config,
}

impl Peer {
    /// # Errors
    /// [`PeerError::Transport`].
    pub fn new(_now: Instant, config: Config) -> Result<Self, PeerError> {
        Ok(Self { config })
    }

    /// # Errors
    /// [`PeerError::State`] while an offer of ours is not answered.
    pub fn create_offer(&mut self, _now: Instant, _wanted: &Wanted) -> Result<String, PeerError> {
        Err(PeerError::State("not yet"))
    }

    /// Answers an offer: the first one, or a later one of the same session, such as an ICE restart.
    ///
    /// # Errors
    /// [`PeerError::Description`] with the line, [`PeerError::NoCommonCodecs`], [`PeerError::State`].
    pub fn accept_offer(&mut self, _now: Instant, _sdp: &str, _wanted: &Wanted) -> Result<String, PeerError> {
        Err(PeerError::State("not yet"))
    }

    /// # Errors
    /// As [`Self::accept_offer`].
    pub fn accept_answer(&mut self, _now: Instant, _sdp: &str) -> Result<(), PeerError> {
        Err(PeerError::State("not yet"))
    }

    /// The next offer has new credentials; media goes on meanwhile. The host candidates are gathered anew.
    ///
    /// # Errors
    /// [`PeerError::State`] before the first negotiation and for a gateway.
    pub fn restart_ice(&mut self, _now: Instant, _hosts: Vec<SocketAddr>) -> Result<String, PeerError> {
        Err(PeerError::State("not yet"))
    }

    /// A candidate of the far end, with or without `a=`, or an SDP fragment (RFC 8840) of several lines. mDNS names and
    /// what is not UDP are passed over.
    ///
    /// # Errors
    /// [`PeerError::Candidate`], [`PeerError::State`] before there is a description of the far end.
    pub fn add_remote_candidate(&mut self, _now: Instant, _candidate: &str) -> Result<(), PeerError> {
        Err(PeerError::State("not yet"))
    }

    /// Our user name fragment of ICE, for [`Demux`](crate::Demux); it changes with a restart.
    pub fn local_ufrag(&self) -> &str {
        ""
    }

    /// A datagram that came to `local` from `remote`, of the far end or of a STUN or TURN server.
    pub fn handle_input(&mut self, _now: Instant, _local: SocketAddr, _remote: SocketAddr, _datagram: &[u8]) {
    }

    /// Bytes of the TCP connection to the TURN server `remote`, however they were cut.
    pub fn handle_stream(&mut self, _now: Instant, _local: SocketAddr, _remote: SocketAddr, _bytes: &[u8]) {}

    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// What we may send, known after the negotiation.
    pub fn sending(&self) -> &[SendingTrack] {
        &[]
    }

    /// Sends a packet. Its payload type must be one of the track's; SSRC and header extensions are set here, sequence
    /// numbers and timestamps are the caller's. Before [`Event::Connected`] it is dropped.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`], [`PeerError::PayloadType`], [`PeerError::TooLong`].
    pub fn write_rtp(&mut self, _now: Instant, track: TrackId, _packet: &RtpPacket) -> Result<(), PeerError> {
        Err(PeerError::NoTrack(track.0))
    }

    /// The clock of what is sent, such as the one of a forwarded stream; by default the time of sending.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`].
    pub fn set_sender_clock(
        &mut self,
        _now: Instant,
        track: TrackId,
        _clock: SenderClock,
    ) -> Result<(), PeerError> {
        Err(PeerError::NoTrack(track.0))
    }

    /// Asks the far end for a key frame, at most three times a second.
    ///
    /// # Errors
    /// [`PeerError::NoTrack`].
    pub fn request_key_frame(&mut self, _now: Instant, track: TrackId) -> Result<(), PeerError> {
        Err(PeerError::NoTrack(track.0))
    }

    /// When anything authentic came last.
    pub fn last_received(&self) -> Option<Instant> {
        None
    }

    pub fn statistics(&self, _now: Instant) -> Statistics {
        Statistics::default()
    }

    /// Says goodbye: drain [`Self::poll_transmit`] afterwards.
    pub fn close(&mut self, _now: Instant) {
        let _ = (&self.config, IceTransport::Udp);
    }
}
