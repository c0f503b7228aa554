//! Addresses found with the help of servers, and the way by relays: STUN (RFC 8489) and TURN (RFC 8656).

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::sdp::Candidate;
use crate::{Config, IceTransport, PeerError, Transmit};

#[derive(Debug)]
pub(crate) struct Gather;

impl Gather {
    pub(crate) fn new(_: &Config) -> Result<Self, PeerError> {
        Ok(Self)
    }
    pub(crate) fn begin(&mut self, _now: Instant, _config: &Config) {}
    pub(crate) fn is_gathering(&self) -> bool {
        false
    }
    pub(crate) fn is_server(&self, _: SocketAddr, _: IceTransport) -> bool {
        false
    }
    pub(crate) fn is_relay(&self, _: SocketAddr) -> bool {
        false
    }
    pub(crate) fn handle(&mut self, _: Instant, _: SocketAddr, _: SocketAddr, _: &[u8]) -> bool {
        false
    }
    pub(crate) fn handle_stream(&mut self, _: Instant, _: SocketAddr, _: SocketAddr, _: &[u8]) {}
    pub(crate) fn relay(&mut self, _: Instant, _: SocketAddr, _: SocketAddr, _: &[u8]) {}
    pub(crate) fn poll_relayed(&mut self) -> Option<(SocketAddr, SocketAddr, Bytes)> {
        None
    }
    pub(crate) fn poll_candidate(&mut self) -> Option<Candidate> {
        None
    }
    pub(crate) fn poll_done(&mut self) -> bool {
        false
    }
    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }
    pub(crate) fn handle_timeout(&mut self, _: Instant) {}
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    pub(crate) fn close(&mut self, _: Instant) {}
}
