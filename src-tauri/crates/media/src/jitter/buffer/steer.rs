//! Brings the playout point to where the estimator wants it.

use std::time::Duration;

use super::super::store;
use super::{JitterBuffer, Pause};
use crate::codec::Decoder;
use crate::stretch;

/// Most that is waited besides what the network asks for.
pub const MOST_EXTRA: Duration = Duration::from_millis(800);
/// By how much that changes each pull, in microseconds: no faster than periods can be repeated or left out.
const EXTRA_STEP_US: i64 = 1_000;

/// Where the playout point may lie over the goal before it is shortened, and under it before it is lengthened, in
/// microseconds. The upper one is above the longest period, so that one step never leads to the opposite one.
const HIGH_US: i64 = 20_000;
const LOW_US: i64 = 5_000;
/// A packet after a pause is played this much over the goal.
pub(super) const AIM_US: i64 = 5_000;
/// Over the goal by this, speed comes before quality.
const FAST_US: i64 = 100_000;
/// Beyond the greatest delay by this, packets are skipped.
const SKIP_US: i64 = 100_000;
/// What a skip leaves.
const SKIP_LEAVES_MS: i64 = 40;
/// Packets before the estimate is worth following.
const WARM_UP: u32 = 10;
/// Weight of a new measure of the playout point; the beat of the pulls is not exact.
const SMOOTHING: f64 = 1.0 / 16.0;
/// Pulls between two steps.
const PAUSE: u32 = 5;
const PAUSE_FAST: u32 = 2;

/// The playout point and what is being done about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Steering {
    /// Smoothed, in microseconds of transit.
    point: Option<f64>,
    /// The point has jumped, so the next measure replaces it.
    stale: bool,
    /// Pulls until the next step may be taken.
    pause: u32,
    /// Pulls for which a step has been wanted and no place for it was found.
    wanted: u32,
}

impl Steering {
    pub(super) fn point(&self) -> Option<i64> {
        self.point.map(|p| p as i64)
    }

    pub(super) fn forget(&mut self) {
        self.stale = true;
        self.wanted = 0;
    }
}

/// Waiting that is asked for from outside, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extra {
    now: i64,
    wanted: i64,
}

impl Extra {
    pub(super) fn set(&mut self, wanted: Duration) {
        self.wanted = wanted.min(MOST_EXTRA).as_micros() as i64;
    }

    pub(super) fn advance(&mut self) {
        self.now += (self.wanted - self.now).clamp(-EXTRA_STEP_US, EXTRA_STEP_US);
    }
}

impl<D: Decoder> JitterBuffer<D> {
    /// The transit that shall be in time, in microseconds.
    pub(super) fn goal(&self) -> i64 {
        self.network_goal() + self.extra_now()
    }

    /// What is waited besides, as far as there is room for packets.
    fn extra_now(&self) -> i64 {
        let room = store::CAPACITY as i64 * 3 / 4 * self.packet - i64::from(self.options.max_ms) * 1_000;
        self.extra.now.min(room.max(0))
    }

    /// The same without what is waited besides.
    pub(super) fn network_goal(&self) -> i64 {
        let fastest = self.estimator.fastest();
        let over = |ms: u32| fastest + i64::from(ms) * 1_000;
        let least =
            if self.estimator.count() < WARM_UP { self.options.initial_ms } else { self.options.min_ms };
        self.estimator.quantile().max(over(least)).min(over(self.options.max_ms))
    }

    /// Measures the playout point and takes at most one step towards the goal.
    pub(super) fn steer(&mut self, now: i64, wanted: usize) {
        let Some(next) = self.next else { return };
        self.steering.pause = self.steering.pause.saturating_sub(1);
        if self.gap > 0 || self.pause != Pause::None {
            return;
        }
        let measured = (now - self.time_of(next - self.fifo.len() as i64)) as f64;
        let before = self.steering.point.filter(|_| !self.steering.stale).unwrap_or(measured);
        let point = before + (measured - before) * SMOOTHING;
        self.steering.point = Some(point);
        self.steering.stale = false;
        if self.skip(point as i64) {
            return;
        }
        let excess = point as i64 - self.goal();
        if self.estimator.count() < WARM_UP || (-LOW_US..=HIGH_US).contains(&excess) {
            self.steering.wanted = 0;
            return;
        }
        self.steering.wanted += 1;
        if self.steering.pause == 0 {
            if excess > 0 { self.shorten(wanted, excess) } else { self.lengthen() }
        }
    }

    fn shorten(&mut self, wanted: usize, excess: i64) {
        let needed = stretch::samples_needed(self.rate as u32) + wanted;
        self.decode_ahead(needed);
        if self.fifo.len() < needed {
            return;
        }
        let fast = excess > FAST_US;
        let Some(period) = self.fifo.period_ahead() else { return };
        if period.similarity < self.least_similarity(fast) {
            return;
        }
        self.fifo.shorten(period.lag);
        self.counts.shortened += period.lag as u64;
        self.stepped(-(period.lag as i64), if fast { PAUSE_FAST } else { PAUSE });
    }

    fn lengthen(&mut self) {
        self.decode_ahead(stretch::max_lag(self.rate as u32));
        let Some(period) = self.fifo.period_around() else { return };
        if period.similarity < self.least_similarity(false) {
            return;
        }
        self.fifo.lengthen(period.lag);
        self.counts.lengthened += period.lag as u64;
        self.stepped(period.lag as i64, PAUSE);
    }

    fn stepped(&mut self, samples: i64, pause: u32) {
        if let Some(point) = &mut self.steering.point {
            *point += samples as f64 * 1e6 / self.rate as f64;
        }
        self.steering.pause = pause;
        self.steering.wanted = 0;
    }

    /// How alike two periods must be; less after waiting in vain, as for noise and music.
    fn least_similarity(&self, fast: bool) -> f32 {
        match self.steering.wanted {
            _ if fast => 0.5,
            0..30 => 0.85,
            30..100 => 0.6,
            _ => 0.0,
        }
    }

    /// Decodes packets that follow without a gap, up to `needed` samples in the FIFO.
    fn decode_ahead(&mut self, needed: usize) {
        while self.fifo.len() < needed {
            let follows = self
                .store
                .front()
                .is_some_and(|p| Some(p.start) == self.next && !p.comfort_noise && p.length > 0);
            if !follows {
                return;
            }
            self.play();
        }
    }

    /// Drops packets where the delay has grown beyond all bounds, such as after a long stall. True if it did.
    fn skip(&mut self, point: i64) -> bool {
        let most = self.estimator.fastest() + i64::from(self.options.max_ms) * 1_000 + self.extra_now();
        if point <= most + SKIP_US {
            return false;
        }
        let held = self.fifo.len() as i64 + self.stored();
        let spare = held - SKIP_LEAVES_MS * self.rate / 1_000;
        let drop = ((point - self.goal()) * self.rate / 1_000_000).min(spare);
        let Some(next) = self.next else { return false };
        let mut skipped = false;
        while self.store.front().is_some_and(|p| p.end() <= next + drop) {
            if let Some(packet) = self.store.pop() {
                self.stats.discarded += 1;
                self.store.recycle(packet);
                skipped = true;
            }
        }
        let Some(front) = self.store.front().filter(|_| skipped) else { return skipped };
        self.next = Some(front.start.max(next));
        self.last_sequence = front.sequence - 1;
        self.cover_cut();
        self.steering.forget();
        true
    }
}
