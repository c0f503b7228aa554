//! Packets that wait to be decoded, in the order of their timestamps.

use std::collections::VecDeque;

use super::PayloadKind;

/// Most packets held: of 10 ms packets the longest delay that may be asked for, and a third more for bursts.
pub(super) const CAPACITY: usize = 160;

/// A packet that waits.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// First sample, at the codec's sample rate, counted from the first packet.
    pub(super) start: i64,
    /// Samples; zero for comfort noise.
    pub(super) length: usize,
    pub(super) sequence: i64,
    pub(super) comfort_noise: bool,
    pub(super) payload: Vec<u8>,
}

impl Packet {
    pub(super) fn end(&self) -> i64 {
        self.start + self.length as i64
    }
}

/// A bounded queue whose payload buffers are used again.
#[derive(Debug)]
pub(super) struct PacketStore {
    queue: VecDeque<Packet>,
    free: Vec<Packet>,
}

/// What became of an inserted packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    Stored,
    /// Stored, but the oldest packet had to go.
    Displaced,
    /// There is one with this timestamp.
    Duplicate,
}

impl PacketStore {
    pub(super) fn new() -> Self {
        Self { queue: VecDeque::with_capacity(CAPACITY), free: Vec::with_capacity(CAPACITY) }
    }

    pub(super) fn insert(
        &mut self,
        start: i64,
        length: usize,
        sequence: i64,
        kind: PayloadKind,
        payload: &[u8],
    ) -> Inserted {
        let mut at = self.queue.len();
        while at > 0 && self.queue[at - 1].start > start {
            at -= 1;
        }
        if at > 0 && self.queue[at - 1].start == start {
            return Inserted::Duplicate;
        }
        let full = self.queue.len() == CAPACITY;
        if full {
            if at == 0 {
                return Inserted::Displaced;
            }
            if let Some(oldest) = self.pop() {
                self.recycle(oldest);
            }
            at -= 1;
        }
        let mut packet = self.free.pop().unwrap_or_default();
        packet.start = start;
        packet.length = length;
        packet.sequence = sequence;
        packet.comfort_noise = kind == PayloadKind::ComfortNoise;
        packet.payload.clear();
        packet.payload.extend_from_slice(payload);
        self.queue.insert(at, packet);
        if full { Inserted::Displaced } else { Inserted::Stored }
    }

    pub(super) fn front(&self) -> Option<&Packet> {
        self.queue.front()
    }

    /// Where the newest packet ends.
    pub(super) fn end(&self) -> Option<i64> {
        self.queue.back().map(Packet::end)
    }

    pub(super) fn pop(&mut self) -> Option<Packet> {
        self.queue.pop_front()
    }

    /// Takes a popped packet back, for its buffer.
    pub(super) fn recycle(&mut self, packet: Packet) {
        self.free.push(packet);
    }

    pub(super) fn clear(&mut self) {
        self.free.extend(self.queue.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(store: &mut PacketStore, start: i64) -> Inserted {
        store.insert(start, 160, start / 160, PayloadKind::Media, &[1; 160])
    }

    #[test]
    fn packets_come_out_in_order_and_once() {
        let mut store = PacketStore::new();
        for start in [480, 0, 320, 160, 320] {
            let expected =
                if start == 320 && store.queue.len() == 4 { Inserted::Duplicate } else { Inserted::Stored };
            assert_eq!(insert(&mut store, start), expected);
        }
        let order: Vec<i64> = std::iter::from_fn(|| store.pop()).map(|p| p.start).collect();
        assert_eq!(order, [0, 160, 320, 480]);
    }

    #[test]
    fn a_flood_keeps_the_newest_and_the_memory_bounded() {
        let mut store = PacketStore::new();
        for n in 0..10_000 {
            let expected = if n < CAPACITY as i64 { Inserted::Stored } else { Inserted::Displaced };
            assert_eq!(insert(&mut store, n * 160), expected);
        }
        assert_eq!(insert(&mut store, 0), Inserted::Displaced);
        assert_eq!(store.front().unwrap().start, (10_000 - CAPACITY as i64) * 160);
        assert_eq!(store.queue.len(), CAPACITY);
        assert!(store.free.len() <= 1);
    }
}
