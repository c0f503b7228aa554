use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::video::picture::Picture;

/// Most decoded pictures that wait: they are large.
const MAX_WAITING: usize = 12;

/// A picture that stays for longer than this above the mean is a freeze, or for three times the mean, whichever is more
/// (as `freezeCount` of WebRTC statistics is defined).
const FREEZE_ABOVE_MEAN: Duration = Duration::from_millis(150);

/// Counters of what was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PlayoutStatistics {
    pub shown: u64,
    /// Too late, because a newer one was due as well, or too many.
    pub dropped: u64,
    pub freezes: u64,
    pub frozen: Duration,
    /// Of the last second or so; 0 before two pictures were shown.
    pub frames_per_second: f32,
}

/// Keeps decoded pictures until it is time to show them. The newest that is due wins.
#[derive(Debug, Default)]
pub struct Playout {
    waiting: VecDeque<(Instant, Picture)>,
    last_shown: Option<Instant>,
    mean: Option<Duration>,
    statistics: PlayoutStatistics,
}

impl Playout {
    pub fn push(&mut self, show_at: Instant, picture: Picture) {
        let at = self.waiting.partition_point(|(other, _)| *other <= show_at);
        self.waiting.insert(at, (show_at, picture));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
            self.statistics.dropped += 1;
        }
    }

    /// The picture to show from `now` on; `None` to leave what is shown.
    pub fn poll(&mut self, now: Instant) -> Option<Picture> {
        let due = self.waiting.partition_point(|(show_at, _)| *show_at <= now);
        self.statistics.dropped += due.saturating_sub(1) as u64;
        let (_, picture) = self.waiting.drain(..due).next_back()?;
        self.handle_shown(now);
        Some(picture)
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.front().map(|(show_at, _)| *show_at)
    }

    /// Playing pauses or ends: what stands still now is no freeze.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.last_shown = None;
        self.mean = None;
    }

    /// `now` counts what stands still at this moment.
    pub fn statistics(&self, now: Instant) -> PlayoutStatistics {
        let mut statistics = self.statistics;
        if let Some(still) = self.last_shown.map(|last| now.saturating_duration_since(last))
            && self.is_freeze(still)
        {
            statistics.freezes += 1;
            statistics.frozen += still;
            statistics.frames_per_second = 0.0;
        }
        statistics
    }

    fn is_freeze(&self, still: Duration) -> bool {
        self.mean.is_some_and(|mean| still > (mean * 3).max(mean + FREEZE_ABOVE_MEAN))
    }

    /// A picture is seen now; [`Self::poll`] says so itself of its own.
    pub fn handle_shown(&mut self, now: Instant) {
        self.statistics.shown += 1;
        let Some(last) = self.last_shown.replace(now) else { return };
        let still = now.saturating_duration_since(last);
        if self.is_freeze(still) {
            self.statistics.freezes += 1;
            self.statistics.frozen += still;
            return;
        }
        let mean = self.mean.map_or(still, |mean| (mean * 29 + still) / 30);
        self.mean = Some(mean);
        self.statistics.frames_per_second = 1.0 / mean.as_secs_f32().max(0.001);
    }
}
