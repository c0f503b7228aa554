use std::time::{Duration, Instant};

use super::jitter::Jitter;
use super::sequence::{Sequence, Step};
use super::stats::SenderClock;
use super::{PayloadClass, PayloadType};
use crate::error::Error;
use crate::packet::WirePacket;

/// How long the heard source must be silent before another one takes its place.
const SILENT: Duration = Duration::from_millis(50);
/// How long a change that the signalling announced is waited for.
const OPEN: Duration = Duration::from_secs(5);

/// The remote sources: the one that is heard, and at most one that wants to be.
///
/// Another source is adopted once it is valid (appendix A.1) and the heard one sent nothing between its packets and
/// for 50 ms, or said BYE, or the signalling announced a change. So a peer that begins again under a new SSRC is heard after two or three packets, and a
/// second source beside a living one never is. The first source of video need not wait.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    active: Option<Source>,
    candidate: Option<(u32, Sequence)>,
    /// What the sources before the present one came to.
    past: Totals,
    /// Until then another source need not wait.
    open_until: Option<Instant>,
    pub(super) rejected: u64,
    pub(super) adopted: u64,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) ssrc: u32,
    pub(super) sequence: Sequence,
    pub(super) jitter: Jitter,
    octets: u64,
    pub(super) last_heard: Instant,
    pub(super) presence: Presence,
    /// The caller has not yet been told that this source is new.
    fresh: bool,
    /// LSR and its arrival.
    pub(super) last_sr: Option<(u32, Instant)>,
    /// What its last sender report says of its clock.
    pub(super) clock: Option<SenderClock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    TimedOut,
    /// Said BYE.
    Left,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) packets: u64,
    pub(super) octets: u64,
    pub(super) expected: u64,
    pub(super) lost: i64,
}

/// A packet's place in its source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) extended_sequence: u64,
    pub(super) source_changed: bool,
}

impl Inbound {
    pub(super) fn active(&self) -> Option<&Source> {
        self.active.as_ref()
    }

    pub(super) fn active_mut(&mut self) -> Option<&mut Source> {
        self.active.as_mut()
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = self.past;
        if let Some(source) = &self.active {
            totals.add(source);
        }
        totals
    }

    pub(super) fn expect_new_source(&mut self, now: Instant) {
        self.open_until = Some(now + OPEN);
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        packet: &WirePacket<'_>,
        payload: Option<PayloadType>,
    ) -> Result<Placed, Error> {
        let placed = self.place(now, packet, payload);
        let Some(payload) = payload else {
            self.rejected += 1;
            return Err(Error::UnknownPayloadType(packet.payload_type));
        };
        let extended_sequence = placed.inspect_err(|_| self.rejected += 1)?;
        let Some(source) = &mut self.active else { return Err(Error::Probation(packet.ssrc)) };
        source.octets += packet.payload.len() as u64;
        if matches!(payload.class, PayloadClass::Audio | PayloadClass::Video) {
            source.jitter.update(now, packet.timestamp, payload.clock_rate);
        }
        if packet.payload.is_empty() {
            return Err(Error::EmptyPayload);
        }
        Ok(Placed { extended_sequence, source_changed: std::mem::take(&mut source.fresh) })
    }

    /// The extended sequence number.
    fn place(
        &mut self,
        now: Instant,
        packet: &WirePacket<'_>,
        payload: Option<PayloadType>,
    ) -> Result<u64, Error> {
        if let Some(source) = self.active.as_mut().filter(|source| source.ssrc == packet.ssrc) {
            let past = Totals::of(source);
            let step = source.sequence.update(packet.sequence);
            if step != Step::Jump {
                source.last_heard = now;
                source.presence = Presence::Here;
                self.candidate = None;
            }
            return match step {
                Step::Valid(extended) => Ok(extended),
                Step::Started(extended) => {
                    source.octets = 0;
                    source.jitter = Jitter::default();
                    source.fresh = true;
                    self.past.merge(past);
                    Ok(extended)
                }
                Step::Jump | Step::Probation => Err(Error::SequenceJump(packet.sequence)),
            };
        }
        if payload.is_none() {
            return Err(Error::UnknownPayloadType(packet.payload_type));
        }
        let step = match &mut self.candidate {
            Some((ssrc, sequence)) if *ssrc == packet.ssrc => sequence.update(packet.sequence),
            other => {
                *other = Some((packet.ssrc, Sequence::new(packet.sequence)));
                Step::Probation
            }
        };
        // A key frame must not lose its first packet. Nobody is heard yet whom a stranger could displace.
        let is_first =
            self.active.is_none() && payload.is_some_and(|payload| payload.class == PayloadClass::Video);
        let valid = is_first || matches!(step, Step::Valid(_) | Step::Started(_));
        let open = self.open_until.is_some_and(|until| now < until);
        let free = |source: &Source| {
            open || source.presence != Presence::Here
                || now.saturating_duration_since(source.last_heard) >= SILENT
        };
        if valid && self.active.as_ref().is_none_or(free) {
            return self.adopt(now, packet);
        }
        Err(Error::Probation(packet.ssrc))
    }

    fn adopt(&mut self, now: Instant, packet: &WirePacket<'_>) -> Result<u64, Error> {
        let mut sequence = Sequence::new(packet.sequence.wrapping_sub(1));
        let Step::Started(extended) = sequence.update(packet.sequence) else {
            return Err(Error::Probation(packet.ssrc));
        };
        if let Some(source) = self.active.take() {
            self.past.add(&source);
        }
        self.candidate = None;
        self.open_until = None;
        self.adopted += 1;
        self.active = Some(Source {
            ssrc: packet.ssrc,
            sequence,
            jitter: Jitter::default(),
            octets: 0,
            last_heard: now,
            presence: Presence::Here,
            fresh: true,
            last_sr: None,
            clock: None,
        });
        Ok(extended)
    }
}

impl Totals {
    fn of(source: &Source) -> Self {
        Self {
            packets: source.sequence.received(),
            octets: source.octets,
            expected: source.sequence.expected(),
            lost: source.sequence.lost(),
        }
    }

    fn add(&mut self, source: &Source) {
        self.merge(Self::of(source));
    }

    fn merge(&mut self, other: Self) {
        self.packets += other.packets;
        self.octets += other.octets;
        self.expected += other.expected;
        self.lost += other.lost;
    }
}
