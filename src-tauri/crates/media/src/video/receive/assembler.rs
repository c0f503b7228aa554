use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;

use super::VideoPacket;
use crate::video::codec::{MAX_ENCODED, VideoCodec};
use crate::video::packet::{PayloadInfo, inspect};

/// Most packets and bytes that wait. A second of 20 Mbit/s has about 2200 packets.
const MAX_PACKETS: usize = 4_096;
const MAX_BYTES: usize = 3 * MAX_ENCODED;

/// A jump of the sequence number that is no loss but another sender.
const RESTART_JUMP: i64 = 6_000;

/// Packets that are kept while no key frame has begun: one whose first packet is sent again may still come.
const KEPT_WITHOUT_KEY: usize = 512;

/// All packets of one picture.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) timestamp: u32,
    pub(super) payloads: Vec<Bytes>,
    pub(super) key: bool,
    pub(super) complete_at: Instant,
}

/// What became of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    New,
    Useless,
    Restarted,
}

/// What was left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) frames: u64,
    pub(super) missing: u64,
}

#[derive(Debug)]
struct Waiting {
    timestamp: u32,
    marker: bool,
    payload: Bytes,
    info: PayloadInfo,
    arrived: Instant,
}

/// Puts packets in order and finds pictures of which nothing is missing.
#[derive(Debug)]
pub(super) struct Assembler {
    codec: VideoCodec,
    waiting: BTreeMap<i64, Waiting>,
    bytes: usize,
    highest: Option<i64>,
    /// First packet of the next frame; `None` until a key frame begins.
    next: Option<i64>,
    /// Packets up to here are of no use.
    floor: i64,
    /// The first packet that later ones have overtaken, and since when.
    gap: Option<(i64, Instant)>,
    /// The first packet of all has nothing before it that could be missing.
    first: Option<i64>,
}

impl Assembler {
    pub(super) fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            waiting: BTreeMap::new(),
            bytes: 0,
            highest: None,
            next: None,
            floor: i64::MIN,
            gap: None,
            first: None,
        }
    }

    pub(super) fn insert(&mut self, now: Instant, packet: VideoPacket) -> Stored {
        let mut stored = Stored::New;
        let mut sequence = self.extended(packet.sequence);
        if self.highest.is_some_and(|highest| (sequence - highest).abs() > RESTART_JUMP) {
            *self = Self::new(self.codec);
            sequence = i64::from(packet.sequence);
            stored = Stored::Restarted;
        }
        self.first.get_or_insert(sequence);
        self.highest = self.highest.max(Some(sequence));
        if sequence < self.floor || self.waiting.contains_key(&sequence) {
            return Stored::Useless;
        }
        let VideoPacket { timestamp, marker, payload, .. } = packet;
        let info = inspect(self.codec, &payload);
        self.bytes += payload.len();
        self.waiting.insert(sequence, Waiting { timestamp, marker, payload, info, arrived: now });
        while self.waiting.len() > MAX_PACKETS || self.bytes > MAX_BYTES {
            // Nobody fetches, or a frame has no end.
            self.remove_first();
            self.next = None;
        }
        if self.next.is_none() && self.waiting.len() > KEPT_WITHOUT_KEY {
            self.remove_first();
        }
        self.find_gap();
        stored
    }

    /// The next picture in order, if it is complete.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        if self.next.is_none() {
            let key = self.find_key_from(i64::MIN)?;
            while self.waiting.first_key_value().is_some_and(|(sequence, _)| *sequence < key) {
                self.remove_first();
            }
            self.advance_to(key);
        }
        let start = self.skip_padding()?;
        let end = self.end_of_frame(start)?;
        let mut frame: Option<Frame> = None;
        for sequence in start..=end {
            let packet = self.remove(sequence)?;
            let frame = frame.get_or_insert_with(|| Frame {
                timestamp: packet.timestamp,
                payloads: Vec::with_capacity((end - start + 1) as usize),
                key: false,
                complete_at: packet.arrived,
            });
            frame.key |= packet.info.key;
            frame.complete_at = frame.complete_at.max(packet.arrived);
            frame.payloads.push(packet.payload);
        }
        self.advance_to(end + 1);
        frame
    }

    /// Leaves everything out up to the next packet that begins a key frame, or to the end. The frame that is next is
    /// left out in any case unless `with_next`.
    pub(super) fn skip_to_key(&mut self, with_next: bool) -> Dropped {
        let from = self.next.unwrap_or(self.floor);
        self.next = None;
        let key = self.find_key_from(if with_next { from } else { from.saturating_add(1) });
        let until = key.or(self.highest.map(|highest| highest + 1));
        let Some(until) = until else { return Dropped::default() };
        let mut dropped = Dropped::default();
        let mut timestamp = None;
        let first = self.waiting.keys().next().copied().unwrap_or(until).min(until);
        let from = if from == i64::MIN { first } else { from };
        dropped.missing = (until - from).max(0) as u64;
        while let Some((&sequence, packet)) = self.waiting.first_key_value() {
            if sequence >= until {
                break;
            }
            if timestamp != Some(packet.timestamp) {
                timestamp = Some(packet.timestamp);
                dropped.frames += 1;
            }
            dropped.missing = dropped.missing.saturating_sub(1);
            self.remove(sequence);
        }
        self.advance_to(until);
        self.next = key;
        self.find_gap();
        dropped
    }

    /// Forgets what waits; the next frame is a key frame.
    pub(super) fn restart(&mut self) {
        // Also of its numbers nothing is known: another sender's may be a little below those of the last one.
        *self = Self::new(self.codec);
    }

    /// Since when something is missing that later packets have overtaken.
    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.gap.map(|(_, since)| since)
    }

    pub(super) fn needs_key(&self) -> bool {
        self.next.is_none()
    }

    pub(super) fn has_packets(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn extended(&self, sequence: u16) -> i64 {
        let Some(highest) = self.highest else { return i64::from(sequence) };
        highest + i64::from(sequence.wrapping_sub(highest as u16) as i16)
    }

    fn advance_to(&mut self, sequence: i64) {
        (self.next, self.floor) = (Some(sequence), sequence);
        self.find_gap();
    }

    fn find_gap(&mut self) {
        let Some(missing) = self.first_missing() else {
            self.gap = None;
            return;
        };
        if self.gap.is_none_or(|(known, _)| known != missing) {
            let overtaken = self.waiting.range(missing..).map(|(_, packet)| packet.arrived).min();
            self.gap = overtaken.map(|since| (missing, since));
        }
    }

    /// The first packet after `next` that is not there although a later one is.
    fn first_missing(&self) -> Option<i64> {
        let next = self.next?;
        let mut there = (next..).zip(self.waiting.range(next..));
        there.find(|(expected, (sequence, _))| expected != *sequence).map(|(expected, _)| expected)
    }

    fn skip_padding(&mut self) -> Option<i64> {
        let mut start = self.next?;
        while self.waiting.get(&start)?.payload.is_empty() {
            self.remove(start);
            start += 1;
            self.advance_to(start);
        }
        Some(start)
    }

    /// Last packet of the frame that begins at `start`, where all between are there.
    fn end_of_frame(&self, start: i64) -> Option<i64> {
        let timestamp = self.waiting.get(&start)?.timestamp;
        for (expected, (sequence, packet)) in (start..).zip(self.waiting.range(start..)) {
            if *sequence != expected {
                return None;
            }
            if packet.timestamp != timestamp {
                // It came without a marker.
                return Some(expected - 1);
            }
            if packet.marker {
                return Some(expected);
            }
        }
        None
    }

    fn find_key_from(&self, from: i64) -> Option<i64> {
        let mut later = self.waiting.range(from.max(self.floor)..);
        later.find(|(sequence, packet)| self.begins_key(**sequence, packet)).map(|(sequence, _)| *sequence)
    }

    fn begins_key(&self, sequence: i64, packet: &Waiting) -> bool {
        let follows_another = || {
            self.first == Some(sequence)
                || self
                    .waiting
                    .get(&(sequence - 1))
                    .is_some_and(|before| before.timestamp != packet.timestamp)
        };
        packet.info.key && (packet.info.begins_picture || follows_another())
    }

    fn remove_first(&mut self) {
        if let Some(first) = self.waiting.keys().next().copied() {
            self.remove(first);
            self.floor = self.floor.max(first + 1);
        }
    }

    fn remove(&mut self, sequence: i64) -> Option<Waiting> {
        let packet = self.waiting.remove(&sequence)?;
        self.bytes = self.bytes.saturating_sub(packet.payload.len());
        Some(packet)
    }
}
