use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::packet::WirePacket;

/// Packets in order that an address other than the signalled one must show; half of it from the signalled host.
const REQUIRED: u8 = 4;
/// Silence of the latched address after which its own stream may go on from another address.
const REBOUND: Duration = Duration::from_millis(500);
/// Silence after which any stream may.
const ABANDONED: Duration = Duration::from_secs(5);
/// How far a rebound stream may have gone on.
const NEAR: u16 = 3000;

/// Whether media may come from elsewhere than the SDP says (symmetric RTP, RFC 4961; peers behind NAT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Latching {
    /// Only the signalled address is heard.
    Off,
    #[default]
    On,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Reject,
}

/// Where to send and from whom to take media. Ask it for every datagram before the session sees it.
///
/// 1. Until an address is latched (after each change of the signalled one) we send to the signalled address. An RTP
///    packet from it latches it at once. Another address is latched after 4 RTP packets of one SSRC with sequence
///    numbers in order, 2 if only the port differs; they are rejected until then. What was latched before the
///    change is still heard meanwhile.
/// 2. The latched address alone is heard and sent to. The signalled address takes over with its first packet.
/// 3. Another address takes over, again after 4 packets in order, only if the latched one was silent for 500 ms and
///    the packets go on with its SSRC and sequence (a NAT has rebound), or if it was silent for 5 s.
/// 4. RTCP is heard from the signalled RTCP address and from the host that RTP is sent to, whose RTCP port is then
///    used.
///
/// This keeps out a sprayer who does not see the stream. One who can forge the source address or read the media
/// needs SRTP to be kept out.
#[derive(Debug, Clone)]
pub struct RemoteAddress {
    latching: Latching,
    signalled: Option<SocketAddr>,
    signalled_rtcp: Option<SocketAddr>,
    latched: Option<Latched>,
    previous: Option<SocketAddr>,
    candidate: Option<Candidate>,
    rtcp: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy)]
struct Latched {
    address: SocketAddr,
    ssrc: u32,
    sequence: u16,
    last: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    sequence: u16,
    count: u8,
}

impl RemoteAddress {
    /// `rtcp` equal to `rtp` means that both share a port. None: nothing is sent (the null address of RFC 2543).
    pub fn new(latching: Latching, rtp: Option<SocketAddr>, rtcp: Option<SocketAddr>) -> Self {
        Self {
            latching,
            signalled: rtp.map(canonical),
            signalled_rtcp: rtcp.map(canonical),
            latched: None,
            previous: None,
            candidate: None,
            rtcp: None,
        }
    }

    /// The addresses of a new offer/answer. Unchanged ones leave what is latched.
    pub fn signal(&mut self, rtp: Option<SocketAddr>, rtcp: Option<SocketAddr>) {
        let rtp = rtp.map(canonical);
        self.signalled_rtcp = rtcp.map(canonical);
        if rtp == self.signalled {
            return;
        }
        self.signalled = rtp;
        if let Some(latched) = self.latched.take() {
            self.previous = Some(latched.address);
        }
        self.candidate = None;
        self.rtcp = None;
    }

    /// Where to send RTP.
    pub fn rtp(&self) -> Option<SocketAddr> {
        let signalled = self.signalled?;
        Some(self.latched.map_or(signalled, |latched| latched.address))
    }

    /// Where to send RTCP.
    pub fn rtcp(&self) -> Option<SocketAddr> {
        let (rtp, signalled, rtcp) = (self.rtp()?, self.signalled?, self.signalled_rtcp?);
        if rtcp == signalled {
            return Some(rtp);
        }
        let moved = rtp.ip() != signalled.ip();
        Some(self.rtcp.unwrap_or(if moved { SocketAddr::new(rtp.ip(), rtcp.port()) } else { rtcp }))
    }

    pub fn handle_rtp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Verdict {
        let from = canonical(from);
        let Ok(packet) = WirePacket::parse(datagram) else { return Verdict::Reject };
        let seen = Latched { address: from, ssrc: packet.ssrc, sequence: packet.sequence, last: now };
        let is_latched = self.latched.is_some_and(|latched| latched.address == from);
        if is_latched || self.signalled == Some(from) {
            self.latch(seen);
            return Verdict::Accept;
        }
        if self.latching == Latching::Off {
            return Verdict::Reject;
        }
        if self.latched.is_none() && self.previous == Some(from) {
            return Verdict::Accept;
        }
        if self.count(&seen) >= self.required(from) && self.may_change(now, &seen) {
            self.latch(seen);
            return Verdict::Accept;
        }
        Verdict::Reject
    }

    pub fn handle_rtcp(&mut self, from: SocketAddr) -> Verdict {
        let from = canonical(from);
        if self.signalled_rtcp == Some(from) {
            self.rtcp = None;
            return Verdict::Accept;
        }
        let same_host = self.rtp().is_some_and(|rtp| rtp.ip() == from.ip());
        if self.latching == Latching::Off || !same_host {
            return Verdict::Reject;
        }
        self.rtcp = Some(from);
        Verdict::Accept
    }

    fn latch(&mut self, seen: Latched) {
        if self.latched.is_none_or(|latched| latched.address.ip() != seen.address.ip()) {
            self.rtcp = None;
        }
        self.latched = Some(seen);
        self.previous = None;
        self.candidate = None;
    }

    fn required(&self, from: SocketAddr) -> u8 {
        let same_host = self.signalled.is_some_and(|signalled| signalled.ip() == from.ip());
        if same_host && self.latched.is_none() { REQUIRED / 2 } else { REQUIRED }
    }

    /// Packets in order from this address so far.
    fn count(&mut self, seen: &Latched) -> u8 {
        let Latched { address, ssrc, sequence, .. } = *seen;
        let before = self.candidate.filter(|candidate| {
            let next = candidate.sequence.wrapping_add(1);
            candidate.address == address && candidate.ssrc == ssrc && next == sequence
        });
        let count = before.map_or(1, |before| before.count.saturating_add(1));
        self.candidate = Some(Candidate { address, ssrc, sequence, count });
        count
    }

    fn may_change(&self, now: Instant, seen: &Latched) -> bool {
        let Some(latched) = self.latched else { return self.signalled.is_some() };
        let silent = now.saturating_duration_since(latched.last);
        let goes_on =
            latched.ssrc == seen.ssrc && (1..NEAR).contains(&seen.sequence.wrapping_sub(latched.sequence));
        silent >= ABANDONED || silent >= REBOUND && goes_on
    }
}

/// The IPv4 address of one mapped into IPv6, as dual-stack sockets report it.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}
