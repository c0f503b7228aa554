use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

use crate::DisconnectReason;
use crate::demux::requested;

/// Addresses that STUN may come from in one session: each makes the core keep a candidate.
const ADDRESSES: usize = 64;
/// Sources that may send: SRTP keeps a state for each.
const SOURCES: usize = 256;
/// DTLS datagrams that are looked at after the handshake.
const RECORDS: u32 = 4_000;

/// Keeps from the core what can only do harm, and reads from what it sends what it does not tell.
#[derive(Debug, Default)]
pub(super) struct Guard {
    asking: HashSet<SocketAddr>,
    proved: HashSet<SocketAddr>,
    sources: HashSet<u32>,
    records: u32,
    addresses: VecDeque<(SocketAddr, SocketAddr)>,
    failure: Option<DisconnectReason>,
}

impl Guard {
    /// `ufrag` is ours.
    pub(super) fn admits(&mut self, remote: SocketAddr, datagram: &[u8], ufrag: &str) -> bool {
        match datagram {
            // A STUN request, whose integrity the core checks: of strangers nothing is remembered.
            [0, 1, ..] if requested(datagram) != Some(ufrag) => false,
            [0, 1, ..] => {
                self.asking.contains(&remote) || (self.asking.len() < ADDRESSES && self.asking.insert(remote))
            }
            // The core knows what it has asked.
            [0..=3, ..] => true,
            [20..=63, ..] if self.proved.contains(&remote) => {
                self.records += 1;
                self.records <= RECORDS
            }
            [128..=191, kind, ..] if self.proved.contains(&remote) => {
                let at = if (192..=223).contains(kind) { 4..8 } else { 8..12 };
                let Some(ssrc) = datagram.get(at) else { return false };
                let ssrc = ssrc.iter().fold(0, |ssrc, byte| ssrc << 8 | u32::from(*byte));
                self.sources.contains(&ssrc) || (self.sources.len() < SOURCES && self.sources.insert(ssrc))
            }
            _ => false,
        }
    }

    /// Whether it tells that something authentic has come.
    pub(super) fn sent(&mut self, local: SocketAddr, remote: SocketAddr, datagram: &[u8]) -> bool {
        match datagram {
            // A success response: the request was authentic.
            [1, 1, ..] if self.proved.insert(remote) => self.addresses.push_back((local, remote)),
            // What we send records or media to has answered our check.
            [20..=191, ..] if self.proved.insert(remote) => self.addresses.push_back((local, remote)),
            _ => {}
        }
        // A fatal alert in the clear ends a handshake: bad_certificate and its kin (RFC 5246 section 7.2).
        if let [21, 0xfe, _, 0, 0, _, _, _, _, _, _, 0, 2, 2, description] = datagram {
            self.failure = Some(match description {
                42..=46 | 48 => DisconnectReason::DtlsFingerprint,
                _ => DisconnectReason::Dtls,
            });
        }
        matches!(datagram, [1, 1, ..])
    }

    pub(super) fn poll_address(&mut self) -> Option<(SocketAddr, SocketAddr)> {
        self.addresses.pop_front()
    }

    pub(super) fn poll_failure(&mut self) -> Option<DisconnectReason> {
        self.failure.take()
    }
}
