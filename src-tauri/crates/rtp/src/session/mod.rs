mod config;
mod feedback;
mod inbound;
mod interval;
mod jitter;
mod outbound;
mod reports;
mod sequence;
mod stats;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::keep_alive::KeepAlive;
use crate::packet::WirePacket;
use fastrand::Rng;

pub use config::{Config, Identity, PayloadClass, PayloadType, RtcpConfig};
use feedback::Feedback;
pub use feedback::KeyFrameRequest;
use inbound::{Inbound, Presence};
use interval::Interval;
use outbound::{Fields, Outbound};
use reports::Reports;
pub use stats::{Received, RemoteView, SenderClock, Sent, Stats};

/// Comfort noise at the lowest level (RFC 3389 section 3.1).
const SILENCE: u8 = 127;

/// One RTP session with one peer. Feed datagrams with `handle_*`; send what `write_*`, `forward` and `poll_*` put
/// into `out` (each clears it first); call the `poll_*` again at [`Session::poll_timeout`].
#[derive(Debug)]
pub struct Session {
    cname: String,
    payload_types: [Option<PayloadType>; 128],
    send_types: [Option<PayloadType>; 128],
    inbound: Inbound,
    outbound: Outbound,
    reports: Reports,
    feedback: Feedback,
    keep_alive: KeepAlive,
    keep_alive_interval: Duration,
    began: Instant,
    /// Spreads report times and picks a new SSRC; not for secrets.
    random: Rng,
    collision: Collision,
    closed: bool,
}

/// A packet of the heard source; borrows from the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    pub payload_type: u8,
    pub class: PayloadClass,
    /// Hz
    pub clock_rate: u32,
    pub sequence: u16,
    /// Counts on over the wrap; begins anew with each source.
    pub extended_sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub ssrc: u32,
    /// The first packet of another source, or of one that began again: nothing before it has to do with it.
    pub source_changed: bool,
    /// Never empty.
    pub payload: &'a [u8],
}

/// What was seen of our own SSRC coming in (RFC 3550 section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collision {
    None,
    /// We gave up this SSRC.
    Renamed(u32),
    /// The new one came back as well.
    Reflected(u32),
}

impl Session {
    /// `seed` spreads the report times and picks the SSRC after a collision.
    pub fn new(config: Config, now: Instant, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let interval = config.rtcp.map(|rtcp| {
            let bandwidth = f64::from(rtcp.session_bandwidth) * 0.05 / 8.0;
            Interval::new(now, bandwidth, rtcp.minimum, random.fork())
        });
        let mut session = Self {
            cname: config.cname,
            payload_types: [None; 128],
            send_types: [None; 128],
            inbound: Inbound::default(),
            outbound: Outbound::new(config.identity),
            reports: Reports::new(interval),
            feedback: Feedback::default(),
            keep_alive: config.keep_alive,
            keep_alive_interval: config.keep_alive_interval,
            began: now,
            random,
            collision: Collision::None,
            closed: false,
        };
        session.set_payload_types(&config.payload_types);
        session
    }

    /// Replaces the payload types after a new offer/answer: what may come, and what is sent unless
    /// [`Session::set_send_types`] says otherwise.
    pub fn set_payload_types(&mut self, payload_types: &[PayloadType]) {
        self.payload_types = table(payload_types);
    }

    /// What the numbers mean that we send, where the peer chose other ones than we did (RFC 3264 section 5.1): the
    /// same number may then be another format in each direction.
    pub fn set_send_types(&mut self, payload_types: &[PayloadType]) {
        self.send_types = table(payload_types);
    }

    pub fn set_keep_alive(&mut self, keep_alive: KeepAlive) {
        self.keep_alive = keep_alive;
    }

    /// The peer is about to change, as after a re-INVITE with another address: for 5 s the next valid source is
    /// taken without waiting for the present one to fall silent.
    pub fn expect_new_source(&mut self, now: Instant) {
        self.inbound.expect_new_source(now);
    }

    /// Takes an RTP datagram. An error means that there is nothing to play; the session goes on.
    pub fn handle_rtp<'a>(&mut self, now: Instant, datagram: &'a [u8]) -> Result<RtpPacket<'a>, Error> {
        let packet = WirePacket::parse(datagram).inspect_err(|_| self.inbound.rejected += 1)?;
        self.check_own(&packet)?;
        let payload = self.payload_types.get(usize::from(packet.payload_type)).copied().flatten();
        let placed = self.inbound.handle(now, &packet, payload)?;
        let Some(payload) = payload else { return Err(Error::UnknownPayloadType(packet.payload_type)) };
        Ok(RtpPacket {
            payload_type: packet.payload_type,
            class: payload.class,
            clock_rate: payload.clock_rate,
            sequence: packet.sequence,
            extended_sequence: placed.extended_sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            ssrc: packet.ssrc,
            source_changed: placed.source_changed,
            payload: packet.payload,
        })
    }

    /// Writes a packet of our own media. `timestamp_offset` counts from the beginning of the local media in the
    /// payload type's clock and never goes back. After a time of forwarding, or where it does go back because the local
    /// media began anew (another codec), it is joined to the timeline where that stands now.
    pub fn write_rtp(
        &mut self,
        now: Instant,
        payload_type: u8,
        timestamp_offset: u32,
        marker: bool,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) {
        let fields = self.fields(payload_type, marker, payload);
        self.outbound.write_local(now, timestamp_offset, fields, out);
    }

    /// The local media of this offset was taken then: from now on sender reports tell it, so that a receiver can put sound and
    /// pictures together that were not under way for equally long. Without it they tell when packets went out.
    pub fn set_captured(&mut self, timestamp_offset: u32, at: Instant) {
        self.outbound.set_captured(timestamp_offset, at);
    }

    /// Writes a packet at a timestamp of the running stream (see [`Session::timestamp`]), such as a telephone event
    /// while another leg's media is forwarded.
    pub fn write_between(
        &mut self,
        now: Instant,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) {
        let fields = self.fields(payload_type, marker, payload);
        self.outbound.write_between(now, timestamp, fields, out);
    }

    /// Writes an encoded packet of another leg under our SSRC, sequence and timeline. Gaps and disorder of the source
    /// stay; a change of `leg` (any number of the caller's) or of its source is joined without a gap, with the
    /// marker set (not of video, where it ends a picture). False, and nothing written, for a late packet from before the join. Both clocks must be equal.
    pub fn forward(
        &mut self,
        now: Instant,
        leg: u64,
        packet: &RtpPacket<'_>,
        payload_type: u8,
        out: &mut Vec<u8>,
    ) -> bool {
        let continues = packet.class != PayloadClass::TelephoneEvent;
        let fields = Fields {
            payload_type,
            clock_rate: packet.clock_rate,
            marker: packet.marker,
            continues,
            spurts: continues && packet.class != PayloadClass::Video,
            payload: packet.payload,
        };
        self.outbound.forward(now, leg, packet, fields, out)
    }

    /// Where the outgoing timeline stands.
    pub fn timestamp(&self, now: Instant) -> u32 {
        self.outbound.timestamp(now)
    }

    /// Writes the keep-alive that is due. With [`KeepAlive::EmptyDatagram`], true comes with an empty `out`: send it.
    pub fn poll_keep_alive(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.keep_alive_deadline().is_none_or(|deadline| now < deadline) {
            return false;
        }
        let timestamp = self.timestamp(now);
        match self.keep_alive {
            KeepAlive::Off => return false,
            KeepAlive::EmptyDatagram => {
                out.clear();
                self.outbound.last_sent = Some(now);
            }
            KeepAlive::UnknownPayloadType { payload_type } => {
                self.write_between(now, payload_type, timestamp, false, &[], out);
            }
            KeepAlive::ComfortNoise { payload_type } => {
                self.write_between(now, payload_type, timestamp, false, &[SILENCE], out);
            }
        }
        true
    }

    /// When to call the `poll_*` functions again; None while there is nothing to wait for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.reports.abandoned.is_some() && self.reports.interval.is_some() {
            return Some(self.began);
        }
        let report = self.reports.interval.as_ref().filter(|_| !self.closed).map(Interval::next);
        report.into_iter().chain(self.keep_alive_deadline()).min()
    }

    /// What the heard source last said of its clock.
    pub fn remote_clock(&self) -> Option<SenderClock> {
        self.inbound.active()?.clock
    }

    pub fn stats(&self) -> Stats {
        let totals = self.inbound.totals();
        let source = self.inbound.active();
        Stats {
            sent: Sent {
                packets: self.outbound.packets + self.outbound.before.0,
                octets: self.outbound.octets + self.outbound.before.1,
            },
            received: Received {
                packets: totals.packets,
                octets: totals.octets,
                expected: totals.expected,
                lost: totals.lost,
                fraction_lost: f32::from(self.reports.fraction_lost) / 256.0,
                jitter: source.map(|source| source.jitter.duration()).unwrap_or_default(),
                rejected: self.inbound.rejected,
                rejected_rtcp: self.reports.rejected,
                sources: self.inbound.adopted,
                last_packet: source.map(|source| source.last_heard),
                remote_sent: self.reports.remote_sent,
            },
            remote_view: self.reports.remote_view,
            round_trip: self.reports.round_trip,
            local_ssrc: self.outbound.ssrc,
            remote_ssrc: source.map(|source| source.ssrc),
            remote_cname: self.reports.cname.clone(),
            reflected: matches!(self.collision, Collision::Reflected(_)),
            remote_left: source.is_some_and(|source| source.presence == Presence::Left),
        }
    }

    /// RFC 3550 section 8.2, see the crate's page.
    fn check_own(&mut self, packet: &WirePacket<'_>) -> Result<(), Error> {
        match self.collision {
            Collision::Renamed(old) | Collision::Reflected(old) if packet.ssrc == old => {}
            Collision::Renamed(old) if packet.ssrc == self.outbound.ssrc => {
                self.collision = Collision::Reflected(old);
                return Ok(());
            }
            Collision::None if packet.ssrc == self.outbound.ssrc => {
                let old = self.outbound.ssrc;
                let mut ssrc = self.random.u32(..);
                while ssrc == old {
                    ssrc = self.random.u32(..);
                }
                self.outbound.rename(ssrc);
                self.collision = Collision::Renamed(old);
                self.reports.abandoned = self.outbound.last_sent.map(|_| old);
            }
            _ => return Ok(()),
        }
        self.inbound.rejected += 1;
        Err(Error::OwnSource(packet.ssrc))
    }

    /// An SSRC that is or was ours.
    fn is_own(&self, ssrc: u32) -> bool {
        let old = match self.collision {
            Collision::None => None,
            Collision::Renamed(old) | Collision::Reflected(old) => Some(old),
        };
        ssrc == self.outbound.ssrc || Some(ssrc) == old
    }

    fn fields<'a>(&self, payload_type: u8, marker: bool, payload: &'a [u8]) -> Fields<'a> {
        let find =
            |types: &[Option<PayloadType>; 128]| types.get(usize::from(payload_type)).copied().flatten();
        let known = find(&self.send_types).or_else(|| find(&self.payload_types));
        let continues = known.is_none_or(|known| known.class != PayloadClass::TelephoneEvent);
        let clock_rate = known.map_or(8000, |known| known.clock_rate);
        Fields { payload_type, clock_rate, marker, continues, spurts: continues, payload }
    }

    fn keep_alive_deadline(&self) -> Option<Instant> {
        if self.keep_alive == KeepAlive::Off || self.closed {
            return None;
        }
        Some(self.outbound.last_sent.unwrap_or(self.began) + self.keep_alive_interval)
    }
}

fn table(payload_types: &[PayloadType]) -> [Option<PayloadType>; 128] {
    let mut table = [None; 128];
    for payload_type in payload_types {
        if let Some(slot) = table.get_mut(usize::from(payload_type.number)) {
            *slot = Some(*payload_type);
        }
    }
    table
}
