//! Sequence numbers and timestamps without their wrap-around, and duplicates.

/// A packet's place in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Sequence number, counted on from the first packet.
    pub(super) sequence: i64,
    /// Timestamp in RTP units, counted on from the first packet.
    pub(super) timestamp: i64,
    /// Distance to the highest sequence number before.
    pub(super) ahead: i64,
}

/// Follows one RTP stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    newest: Option<Newest>,
    /// Bit n: the packet n before the newest one was seen.
    seen: u128,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    sequence: i64,
    timestamp: i64,
    raw_sequence: u16,
    raw_timestamp: u32,
}

impl Timeline {
    /// Where a packet belongs; the first one is at zero.
    pub(super) fn locate(&self, sequence: u16, timestamp: u32) -> Place {
        match self.newest {
            None => Place { sequence: 0, timestamp: 0, ahead: 1 },
            Some(newest) => {
                let ahead = i64::from(sequence.wrapping_sub(newest.raw_sequence) as i16);
                let later = i64::from(timestamp.wrapping_sub(newest.raw_timestamp) as i32);
                Place { sequence: newest.sequence + ahead, timestamp: newest.timestamp + later, ahead }
            }
        }
    }

    /// Notes a packet located before; false if it was seen before. What is older than 128 packets counts as seen.
    pub(super) fn note(&mut self, place: Place, sequence: u16, timestamp: u32) -> bool {
        if place.ahead > 0 {
            self.seen = if place.ahead < 128 { self.seen << place.ahead } else { 0 } | 1;
            self.newest = Some(Newest {
                sequence: place.sequence,
                timestamp: place.timestamp,
                raw_sequence: sequence,
                raw_timestamp: timestamp,
            });
            return true;
        }
        let bit = match place.ahead {
            -127..=0 => 1u128 << -place.ahead,
            _ => return false,
        };
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new
    }

    /// The RTP timestamp of a [`Place::timestamp`]; `None` before the first packet.
    pub(super) fn raw(&self, timestamp: i64) -> Option<u32> {
        let newest = self.newest?;
        Some(newest.raw_timestamp.wrapping_add((timestamp - newest.timestamp) as u32))
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(timeline: &mut Timeline, sequence: u16, timestamp: u32) -> (Place, bool) {
        let place = timeline.locate(sequence, timestamp);
        (place, timeline.note(place, sequence, timestamp))
    }

    #[test]
    fn both_numbers_count_on_through_their_wrap_around() {
        let mut timeline = Timeline::default();
        for n in 0..200_000i64 {
            let sequence = (65_000 + n) as u16;
            let timestamp = (4_294_900_000 + n * 960) as u32;
            let (place, new) = push(&mut timeline, sequence, timestamp);
            assert!(new);
            assert_eq!((place.sequence, place.timestamp), (n, n * 960));
            assert_eq!(timeline.raw(place.timestamp - 1), Some(timestamp.wrapping_sub(1)));
        }
    }

    #[test]
    fn a_packet_is_seen_once() {
        let mut timeline = Timeline::default();
        for sequence in [65_534, 65_535, 1, 0, 100] {
            assert!(push(&mut timeline, sequence, 0).1);
            assert!(!push(&mut timeline, sequence, 0).1);
        }
        assert!(push(&mut timeline, 2, 0).1);
        assert!(!push(&mut timeline, 1, 0).1);
        // Too old to know.
        assert!(!push(&mut timeline, 65_000, 0).1);
    }
}
