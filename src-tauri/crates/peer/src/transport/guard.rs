use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;

use crate::DisconnectReason;
use crate::demux::requested;

/// Addresses that STUN may come from in one session: each makes the core keep a candidate.
const ADDRESSES: usize = 64;
/// Sources that may send: SRTP keeps a state for each.
const SOURCES: usize = 256;
/// DTLS datagrams that are looked at.
const RECORDS: u32 = 4_000;
/// Fragments of handshake messages; a real handshake has about 20, each flight repeated now and then. The core puts a message
/// together by a call in a call for each of its fragments: thousands of one byte would exhaust the stack.
const FRAGMENTS: usize = 600;
/// Of one handshake message; certificate chains stay below.
const LONGEST: usize = 16 * 1024;
/// The shortest fragment: its header, and a byte.
const SHORTEST: usize = 12 + 1;
/// What protection adds to a record at least.
const PROTECTION: usize = 16;

/// Keeps from the core what can only do harm, and reads from what it sends what it does not tell.
#[derive(Debug, Default)]
pub(super) struct Guard {
    asking: HashSet<SocketAddr>,
    proved: HashSet<SocketAddr>,
    sources: HashSet<u32>,
    records: u32,
    fragments: usize,
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
                self.records = self.records.saturating_add(1);
                self.records <= RECORDS && self.admits_fragments(datagram)
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

    fn admits_fragments(&mut self, datagram: &[u8]) -> bool {
        let Some(more) = fragments(datagram) else { return false };
        self.fragments = self.fragments.saturating_add(more);
        more == 0 || self.fragments <= FRAGMENTS
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

/// How many fragments of handshake messages a datagram can have; `None` where it is not well-formed (RFC 6347 section 4.1).
fn fragments(mut rest: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !rest.is_empty() {
        let (header, behind) = rest.split_at_checked(13)?;
        let [kind, _, _, high, low, .., long, short] = header else { return None };
        let length = usize::from(u16::from_be_bytes([*long, *short]));
        let (body, next) = behind.split_at_checked(length)?;
        rest = next;
        count += match (kind, high, low) {
            (22, 0, 0) => of_messages(body)?,
            // It cannot be read here.
            (22, ..) => length.saturating_sub(PROTECTION) / SHORTEST + 1,
            _ => 0,
        };
    }
    Some(count)
}

fn of_messages(mut body: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !body.is_empty() {
        let (header, behind) = body.split_at_checked(12)?;
        let number =
            |at: usize| Some(header.get(at..at + 3)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)));
        let (length, offset, here) = (number(1)?, number(6)?, number(9)?);
        if length > LONGEST || offset + here > length || (here == 0 && length > 0) {
            return None;
        }
        body = behind.get(here..)?;
        count += 1;
    }
    Some(count)
}
