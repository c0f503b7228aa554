//! The figures of one leg of video for the screen.

use crate::io::streams::Counters;
use sidetone_api::CallVideoStatistics;
use sidetone_rtp::Stats;
use std::time::Instant;

pub(super) struct Measure {
    last: Instant,
    sent: Totals,
    received: Totals,
}

/// What had come by then.
#[derive(Default)]
struct Totals {
    frames: u64,
    octets: u64,
}

impl Totals {
    /// Pictures a second and kbit/s since the last call.
    fn take(&mut self, frames: u64, octets: u64, seconds: f32) -> (f32, f32) {
        let rates = (
            frames.saturating_sub(self.frames) as f32 / seconds,
            octets.saturating_sub(self.octets) as f32 * 0.008 / seconds,
        );
        *self = Self { frames, octets };
        rates
    }
}

impl Measure {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, sent: Totals::default(), received: Totals::default() }
    }

    /// `counters`: of the pictures that are shown, and of ours.
    pub(super) fn take(
        &mut self,
        now: Instant,
        stats: &Stats,
        counters: Option<(&Counters, &Counters)>,
    ) -> CallVideoStatistics {
        let seconds = now.saturating_duration_since(self.last).as_secs_f32().max(0.001);
        self.last = now;
        let frames = |counters: &Counters| counters.frames.get();
        let (shown, sent) = counters.map_or((0, 0), |(far, near)| (frames(far), frames(near)));
        let (frames_per_second_sent, kbit_sent) = self.sent.take(sent, stats.sent.octets, seconds);
        let (frames_per_second_shown, kbit_received) =
            self.received.take(shown, stats.received.octets, seconds);
        CallVideoStatistics {
            frames_sent: sent,
            frames_shown: shown,
            frames_per_second_sent,
            frames_per_second_shown,
            kbit_sent,
            kbit_received,
            packets_lost: u64::try_from(stats.received.lost).unwrap_or(0),
            loss_percent: stats.received.fraction_lost * 100.0,
            remote_loss_percent: stats.remote_view.map(|view| view.fraction_lost * 100.0),
            freezes: counters.map_or(0, |(far, _)| far.freezes.short()),
        }
    }
}
