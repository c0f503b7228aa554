use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{EventBlock, EventCode};
use crate::error::Error;
use crate::session::RtpPacket;

/// Silence after which an event whose end was lost is over: three updates of the 50 ms that RFC 4733 section 2.5.1.2
/// recommends, and room for jitter.
const PATIENCE: Duration = Duration::from_millis(250);
/// A timestamp from before the last event is a late packet for this long, then a new timeline.
const MEMORY: Duration = Duration::from_secs(5);
/// Blocks of one packet that are looked at.
const PACKED: usize = 8;
const QUEUE: usize = 32;

/// What the peer's key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TelephoneEvent {
    Started {
        code: EventCode,
        /// -dBm0
        volume: u8,
    },
    /// Follows its `Started`, once.
    Ended {
        code: EventCode,
        volume: u8,
        duration: Duration,
        /// No packet with the end bit came; `duration` is what was last heard.
        end_lost: bool,
    },
}

/// Makes one start and one end out of the many packets of each event (RFC 4733 section 2.5.2). An event is known by
/// its timestamp; repeated, late and reordered packets change nothing. Long events in segments (2.5.1.3) are one.
#[derive(Debug, Default)]
pub struct EventReceiver {
    current: Option<Current>,
    finished: Option<Finished>,
    events: VecDeque<TelephoneEvent>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    code: EventCode,
    volume: u8,
    clock_rate: u32,
    /// Of the present segment.
    timestamp: u32,
    duration: u16,
    /// Of the segments before.
    before: u64,
    heard: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Finished {
    timestamp: u32,
    at: Instant,
}

impl EventReceiver {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet of class `TelephoneEvent`; then drain [`EventReceiver::poll_event`].
    pub fn handle_packet(&mut self, now: Instant, packet: &RtpPacket<'_>) -> Result<(), Error> {
        if packet.source_changed {
            self.reset();
        }
        let mut timestamp = packet.timestamp;
        for block in EventBlock::parse_all(packet.payload)?.take(PACKED) {
            self.on_block(now, timestamp, packet.clock_rate, block);
            timestamp = timestamp.wrapping_add(u32::from(block.duration));
        }
        Ok(())
    }

    /// Ends an event that fell silent. Call at [`EventReceiver::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|deadline| now >= deadline) {
            self.finish(now, true);
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.current.map(|current| current.heard + PATIENCE)
    }

    pub fn poll_event(&mut self) -> Option<TelephoneEvent> {
        self.events.pop_front()
    }

    /// The source began anew: ends the present event and forgets its timeline.
    pub fn reset(&mut self) {
        if let Some(current) = self.current {
            self.finish(current.heard, true);
        }
        self.finished = None;
    }

    fn on_block(&mut self, now: Instant, timestamp: u32, clock_rate: u32, block: EventBlock) {
        self.handle_timeout(now);
        if let Some(current) = &mut self.current {
            let ahead = timestamp.wrapping_sub(current.timestamp) as i32;
            let same = current.code == block.code;
            if ahead == 0 && same {
                current.heard = now;
                current.duration = current.duration.max(block.duration);
                if block.end {
                    self.finish(now, false);
                }
                return;
            }
            if ahead <= 0 {
                return;
            }
            if same && ahead == i32::from(u16::MAX) {
                current.before += u64::from(u16::MAX);
                current.timestamp = timestamp;
                current.duration = block.duration;
                current.heard = now;
                if block.end {
                    self.finish(now, false);
                }
                return;
            }
            self.finish(now, true);
        } else if let Some(finished) = self.finished {
            let recent = now.saturating_duration_since(finished.at) < MEMORY;
            if recent && timestamp.wrapping_sub(finished.timestamp) as i32 <= 0 {
                return;
            }
        }
        let EventBlock { code, volume, duration, end } = block;
        self.push(TelephoneEvent::Started { code, volume });
        self.current = Some(Current { code, volume, clock_rate, timestamp, duration, before: 0, heard: now });
        if end {
            self.finish(now, false);
        }
    }

    fn finish(&mut self, now: Instant, end_lost: bool) {
        let Some(current) = self.current.take() else { return };
        self.finished = Some(Finished { timestamp: current.timestamp, at: now });
        let units = current.before + u64::from(current.duration);
        let duration = Duration::from_nanos(
            units.saturating_mul(1_000_000_000).checked_div(u64::from(current.clock_rate)).unwrap_or(0),
        );
        let Current { code, volume, .. } = current;
        self.push(TelephoneEvent::Ended { code, volume, duration, end_lost });
    }

    /// Who does not drain loses the oldest.
    fn push(&mut self, event: TelephoneEvent) {
        if self.events.len() == QUEUE {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
