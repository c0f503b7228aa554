//! Pictures as they come: which can be decoded, and how long none could.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sidetone_media::video::{VideoCodec, begins_key_frame};
use sidetone_peer::RtpPacket;

/// Longer a packet is not waited for.
const LATEST: Duration = Duration::from_millis(400);
const BETWEEN_KEYS: Duration = Duration::from_millis(500);

/// Of one publisher.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// By their numbers, those that wait for others.
    waiting: BTreeMap<u64, (RtpPacket, Instant)>,
    next: Option<u64>,
    /// The picture that comes has a part missing, or one that it needs.
    is_broken: bool,
    begun: Option<u32>,
    has_key: bool,
    asked: Option<Instant>,
    pub(crate) decodable: u64,
    pub(crate) sounds: u64,
    /// When the last one was whole, and the longest time without one since [`Self::begin`].
    last: Option<Instant>,
    longest: Duration,
}

impl Frames {
    /// From now on it counts.
    pub(crate) fn begin(&mut self, now: Instant) {
        (self.decodable, self.sounds, self.longest, self.last) = (0, 0, Duration::ZERO, Some(now));
    }

    /// The longest time without a picture until now.
    pub(crate) fn longest(&self, now: Instant) -> Duration {
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.longest.max(since)
    }

    pub(crate) fn take(&mut self, now: Instant, packet: RtpPacket) {
        let next = self.next.unwrap_or_else(|| 0x1_0000 + u64::from(packet.sequence));
        let ahead = packet.sequence.wrapping_sub(next as u16) as i16;
        let Some(number) = next.checked_add_signed(i64::from(ahead)) else { return };
        if self.next.is_none() {
            self.next = Some(number);
        }
        if number >= next {
            self.waiting.insert(number, (packet, now));
        }
        self.go_on(now);
    }

    /// True where a key frame is to be asked for.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        self.go_on(now);
        let is_due = self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= BETWEEN_KEYS);
        if self.is_broken && is_due {
            self.asked = Some(now);
            return true;
        }
        false
    }

    fn go_on(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry() {
            let next = self.next.unwrap_or(*first.key());
            if *first.key() > next {
                if now.saturating_duration_since(first.get().1) < LATEST {
                    return;
                }
                // What was lost is not waited for any more.
                (self.is_broken, self.begun, self.has_key) = (true, None, false);
            }
            let number = *first.key();
            let (packet, _) = first.remove();
            self.next = Some(number + 1);
            self.add(now, &packet);
        }
    }

    fn add(&mut self, now: Instant, packet: &RtpPacket) {
        if self.begun != Some(packet.timestamp) {
            (self.begun, self.has_key) = (Some(packet.timestamp), false);
        }
        self.has_key |= begins_key_frame(VideoCodec::H264, &packet.payload);
        if !packet.marker {
            return;
        }
        self.is_broken &= !self.has_key;
        if !self.is_broken {
            self.decodable += 1;
            let since =
                self.last.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
            self.longest = self.longest.max(since);
        }
    }
}
