//! One kind of media on its way to one player: numbers without gaps, however often its source was changed or paused.

use super::super::packet::{Packet, is_newer};
use std::time::Instant;

/// The oldest packet that is still taken after the cut, behind the newest one.
const LATEST: u16 = 8_192;

/// Rewrites sequence numbers and timestamps. Between two cuts they keep the source's differences, so that what is lost on the
/// source's way stays visible as lost and can still be filled; at a cut the numbers go on where they were, and the timestamp as far
/// as time went on (RFC 3550 section 5.1 wants both to rise).
#[derive(Debug)]
pub(super) struct Lane {
    clock_rate: u32,
    cut: Option<Cut>,
    newest: Newest,
    /// There was a cut that nobody has asked about yet.
    is_new: bool,
}

#[derive(Debug)]
struct Cut {
    layer: u8,
    /// Older packets belong before the cut.
    floor: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
}

#[derive(Debug)]
struct Newest {
    sequence: u16,
    timestamp: u32,
    at: Option<Instant>,
}

impl Lane {
    /// Numbers begin after these, which should be random (RFC 3550 section 5.1).
    pub(super) fn new(clock_rate: u32, sequence: u16, timestamp: u32) -> Self {
        Self { clock_rate, cut: None, newest: Newest { sequence, timestamp, at: None }, is_new: false }
    }

    /// The sequence number and timestamp for the player; `None` for a packet that is too old to have a place. With `cut` it is
    /// the first one after something was left out.
    pub(super) fn rewrite(&mut self, now: Instant, packet: &Packet, cut: bool) -> Option<(u16, u32)> {
        if cut || self.cut.as_ref().is_none_or(|cut| cut.layer != packet.layer) {
            self.cut(now, packet);
        }
        let cut = self.cut.as_mut()?;
        if is_newer(cut.floor, packet.sequence) {
            return None;
        }
        if packet.sequence.wrapping_sub(cut.floor) > 2 * LATEST {
            cut.floor = packet.sequence.wrapping_sub(LATEST);
        }
        let sequence = packet.sequence.wrapping_add(cut.sequence_offset);
        let timestamp = packet.timestamp.wrapping_add(cut.timestamp_offset);
        if is_newer(sequence, self.newest.sequence) {
            self.newest = Newest { sequence, timestamp, at: Some(now) };
        }
        Some((sequence, timestamp))
    }

    fn cut(&mut self, now: Instant, packet: &Packet) {
        // The same source's clock has gone on meanwhile.
        let same = self.cut.as_ref().filter(|cut| cut.layer == packet.layer).map(|cut| cut.timestamp_offset);
        let timestamp_offset = same.unwrap_or_else(|| {
            let passed = self.newest.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
            let units = (passed * f64::from(self.clock_rate)) as u64 as u32;
            self.newest.timestamp.wrapping_add(units.max(1)).wrapping_sub(packet.timestamp)
        });
        self.cut = Some(Cut {
            layer: packet.layer,
            floor: packet.sequence,
            sequence_offset: self.newest.sequence.wrapping_add(1).wrapping_sub(packet.sequence),
            timestamp_offset,
        });
        self.is_new = true;
    }

    /// What is added to timestamps of this layer; `None` while another one is forwarded.
    pub(super) fn offset(&self, layer: u8) -> Option<u32> {
        self.cut.as_ref().filter(|cut| cut.layer == layer).map(|cut| cut.timestamp_offset)
    }

    /// True once after each cut.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }
}
