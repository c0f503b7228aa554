//! The figures of one leg for the screen.

use sidetone_api::{CallStatistics, Level};
use sidetone_media::{Frame, Meter, Played, ReceiverStats};
use sidetone_rtp::Stats;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Measure {
    spoken: Meter,
    heard: Meter,
    frames: u32,
    made_up: u32,
    next: Instant,
    last: Instant,
    octets_sent: u64,
    octets_received: u64,
}

impl Measure {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            spoken: Meter::default(),
            heard: Meter::default(),
            frames: 0,
            made_up: 0,
            next: now + INTERVAL,
            last: now,
            octets_sent: 0,
            octets_received: 0,
        }
    }

    pub(super) fn spoke(&mut self, frame: &Frame) {
        self.spoken.measure(frame);
    }

    pub(super) fn heard(&mut self, frame: &Frame, played: Played) {
        self.heard.measure(frame);
        self.frames += 1;
        self.made_up += u32::from(played == Played::Concealed);
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    pub(super) fn take(
        &mut self,
        now: Instant,
        stats: &Stats,
        receiver: Option<&ReceiverStats>,
    ) -> CallStatistics {
        let seconds = now.duration_since(self.last).as_secs_f32().max(0.001);
        let kbit = |octets: u64, before: u64| octets.saturating_sub(before) as f32 * 8.0 / 1000.0 / seconds;
        let (spoken, heard) = (self.spoken.take(), self.heard.take());
        let statistics = CallStatistics {
            packets_sent: stats.sent.packets,
            packets_received: stats.received.packets,
            packets_lost: u64::try_from(stats.received.lost).unwrap_or(0),
            loss_percent: stats.received.fraction_lost * 100.0,
            remote_loss_percent: stats.remote_view.map(|view| view.fraction_lost * 100.0),
            jitter_ms: stats.received.jitter.as_secs_f32() * 1000.0,
            round_trip_ms: stats.round_trip.map(|time| time.as_secs_f32() * 1000.0),
            buffer_ms: receiver.map_or(0.0, |receiver| receiver.depth_ms),
            concealed_percent: if self.frames == 0 {
                0.0
            } else {
                self.made_up as f32 * 100.0 / self.frames as f32
            },
            kbit_sent: kbit(stats.sent.octets, self.octets_sent),
            kbit_received: kbit(stats.received.octets, self.octets_received),
            microphone: Level { rms: spoken.rms, peak: spoken.peak },
            speaker: Level { rms: heard.rms, peak: heard.peak },
            video: None,
        };
        (self.octets_sent, self.octets_received) = (stats.sent.octets, stats.received.octets);
        (self.frames, self.made_up, self.last) = (0, 0, now);
        self.next = now + INTERVAL;
        statistics
    }
}
