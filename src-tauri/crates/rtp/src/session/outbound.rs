use std::time::Instant;

use super::jitter::units;
use super::{Identity, RtpPacket};
use crate::packet::WirePacket;

/// A forwarded packet farther than this from the last one begins a new mapping.
const JUMP: u64 = 3000;

/// The stream we send: one sequence, one timeline, whoever makes the packets.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) ssrc: u32,
    next_sequence: u16,
    /// Timestamp of the local media's offset 0.
    local_base: u32,
    /// Of the last local media packet.
    local_offset: u32,
    maker: Maker,
    /// The media packet that the timeline is continued from.
    last: Option<Last>,
    /// When the local media of an offset was taken.
    captured: Option<(u32, Instant)>,
    pub(super) last_sent: Option<Instant>,
    /// Since the SSRC was taken, as in sender reports.
    pub(super) packets: u64,
    pub(super) octets: u64,
    /// Packets and octets under earlier SSRCs.
    pub(super) before: (u64, u64),
    initial_timestamp: u32,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    timestamp: u32,
    at: Instant,
    clock_rate: u32,
}

#[derive(Debug, Clone, Copy)]
enum Maker {
    Local,
    Forwarded(Mapping),
}

/// Where a forwarded source lies in our stream.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    leg: u64,
    ssrc: u32,
    /// Ours minus theirs.
    sequence: u16,
    timestamp: u32,
    highest: u64,
    /// Packets up to this one have no room left.
    floor: u64,
}

/// One packet to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) payload_type: u8,
    pub(super) clock_rate: u32,
    pub(super) marker: bool,
    /// The timestamp moves with time, unlike that of telephone events.
    pub(super) continues: bool,
    /// The marker begins a talk spurt.
    pub(super) spurts: bool,
    pub(super) payload: &'a [u8],
}

impl Outbound {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            ssrc: identity.ssrc,
            next_sequence: identity.sequence,
            local_base: identity.timestamp,
            local_offset: 0,
            maker: Maker::Local,
            last: None,
            captured: None,
            last_sent: None,
            packets: 0,
            octets: 0,
            before: (0, 0),
            initial_timestamp: identity.timestamp,
        }
    }

    /// A new SSRC after a collision; its counts begin at 0 (RFC 3550 section 6.4.1).
    pub(super) fn rename(&mut self, ssrc: u32) {
        self.ssrc = ssrc;
        self.before.0 += std::mem::take(&mut self.packets);
        self.before.1 += std::mem::take(&mut self.octets);
    }

    /// The timeline at `now`.
    pub(super) fn timestamp(&self, now: Instant) -> u32 {
        match self.last {
            Some(last) => {
                let elapsed = units(now.saturating_duration_since(last.at), last.clock_rate);
                last.timestamp.wrapping_add(elapsed as u32)
            }
            None => self.initial_timestamp,
        }
    }

    pub(super) fn set_captured(&mut self, offset: u32, at: Instant) {
        self.captured = Some((offset, at));
    }

    /// The timestamp of what is taken at `now`. Where that is not known, what is sent now stands for it.
    pub(super) fn captured(&self, now: Instant) -> u32 {
        match (self.maker, self.captured, self.last) {
            (Maker::Local, Some((offset, at)), Some(last)) => {
                let elapsed = units(now.saturating_duration_since(at), last.clock_rate);
                self.local_base.wrapping_add(offset).wrapping_add(elapsed as u32)
            }
            _ => self.timestamp(now),
        }
    }

    pub(super) fn clock_rate(&self) -> Option<u32> {
        self.last.map(|last| last.clock_rate)
    }

    pub(super) fn write_local(&mut self, now: Instant, offset: u32, fields: Fields<'_>, out: &mut Vec<u8>) {
        let restarted = fields.continues && (offset.wrapping_sub(self.local_offset) as i32) < 0;
        if restarted || matches!(self.maker, Maker::Forwarded(_)) {
            self.local_base = self.timestamp(now).wrapping_sub(offset);
            self.maker = Maker::Local;
        }
        let timestamp = self.local_base.wrapping_add(offset);
        if fields.continues {
            self.local_offset = offset;
            self.last = Some(Last { timestamp, at: now, clock_rate: fields.clock_rate });
        }
        let sequence = self.take_sequence();
        self.write(now, sequence, timestamp, fields, out);
    }

    /// A packet between those of the media: it takes a sequence number and leaves the timeline alone.
    pub(super) fn write_between(
        &mut self,
        now: Instant,
        timestamp: u32,
        fields: Fields<'_>,
        out: &mut Vec<u8>,
    ) {
        let sequence = self.take_sequence();
        if let Maker::Forwarded(mapping) = &mut self.maker {
            mapping.sequence = mapping.sequence.wrapping_add(1);
            mapping.floor = mapping.highest;
        }
        self.write(now, sequence, timestamp, fields, out);
    }

    pub(super) fn forward(
        &mut self,
        now: Instant,
        leg: u64,
        packet: &RtpPacket<'_>,
        fields: Fields<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        let theirs = packet.extended_sequence;
        let known = match self.maker {
            Maker::Forwarded(mapping) if !packet.source_changed && mapping.leg == leg => {
                let near = theirs.abs_diff(mapping.highest) <= JUMP;
                Some(mapping).filter(|mapping| mapping.ssrc == packet.ssrc && near)
            }
            _ => None,
        };
        let (mut mapping, begins) = match known {
            Some(mapping) => (mapping, false),
            None => {
                let sequence = self.next_sequence.wrapping_sub(packet.sequence);
                let timestamp = self.timestamp(now).wrapping_sub(packet.timestamp);
                let floor = theirs.saturating_sub(1);
                let (highest, ssrc) = (floor, packet.ssrc);
                (Mapping { leg, ssrc, sequence, timestamp, highest, floor }, self.last.is_some())
            }
        };
        if theirs <= mapping.floor {
            return false;
        }
        let sequence = packet.sequence.wrapping_add(mapping.sequence);
        let timestamp = packet.timestamp.wrapping_add(mapping.timestamp);
        if theirs > mapping.highest {
            mapping.highest = theirs;
            self.next_sequence = sequence.wrapping_add(1);
            if fields.continues {
                self.last = Some(Last { timestamp, at: now, clock_rate: fields.clock_rate });
            }
        }
        self.maker = Maker::Forwarded(mapping);
        let marker = fields.marker || begins && fields.spurts;
        self.write(now, sequence, timestamp, Fields { marker, ..fields }, out);
        true
    }

    fn take_sequence(&mut self) -> u16 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        sequence
    }

    fn write(&mut self, now: Instant, sequence: u16, timestamp: u32, fields: Fields<'_>, out: &mut Vec<u8>) {
        let Fields { payload_type, marker, payload, .. } = fields;
        self.packets += 1;
        self.octets += payload.len() as u64;
        self.last_sent = Some(now);
        out.clear();
        let packet = WirePacket {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            csrc: &[],
            extension: None,
            payload,
        };
        packet.write(0, out);
    }
}
