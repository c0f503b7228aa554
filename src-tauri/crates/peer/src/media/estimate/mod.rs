//! What the path carries: Google congestion control (draft-ietf-rmcat-gcc-02), from the delays and losses that the far
//! end reports of each packet, with probes where less is sent than may be wanted.

mod probe;
mod throughput;
mod trend;

use std::time::{Duration, Instant};

use probe::Probes;
use throughput::Throughput;
use trend::{Trend, Usage};

use crate::BitrateLimits;

/// After a decrease: of what arrives (section 6 of the draft).
const DECREASE: f64 = 0.85;
/// As long as a queue has to be emptied: the longer it is, the less.
const DRAIN: (f64, f64) = (0.4, 0.75);
/// A queue that is emptied on purpose, and when that is done; in ms.
const QUEUE: (f64, f64) = (130.0, 50.0);
/// A queue that leaves the least rate; in ms.
const LONG: f64 = 700.0;
/// A second's growth where nothing is known of the limit.
const GROWTH: f64 = 1.08;
/// How far above what arrives it may be.
const AHEAD: f64 = 1.5;
/// What may be on its way beyond a round trip: reports come every 50 to 100 ms, and a picture may wait a little.
const ROOM: Duration = Duration::from_millis(250);
/// The least that may be on its way, in bytes: a few packets.
const LEAST_ROOM: f64 = 6_000.0;
/// Between two decreases.
const SETTLED: Duration = Duration::from_millis(120);
const LOSS_WINDOW: Duration = Duration::from_millis(500);
/// Losses (section 6): below the first it grows, above the second it falls.
const LOSS: (f64, f64) = (0.02, 0.10);

/// What became of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacketResult {
    pub(crate) sent: Instant,
    /// By the far end's clock, in microseconds; `None`: it has not arrived.
    pub(crate) arrived: Option<i64>,
    pub(crate) size: usize,
    pub(crate) probe: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Estimate {
    limits: BitrateLimits,
    epoch: Instant,
    bps: f64,
    trend: Trend,
    throughput: Throughput,
    pub(crate) probes: Probes,
    /// Of the last change by delay.
    updated: Option<Instant>,
    decreased: Option<Instant>,
    /// What arrived at the last decreases: near it, growth is careful.
    limit: Option<f64>,
    draining: bool,
    /// The least way of the last seconds, of two windows, in ms.
    base: [f64; 2],
    base_since: Option<Instant>,
    /// The same of the time from sending to the report of it, in seconds.
    answers: [f64; 2],
    queue: f64,
    lost: (u32, u32),
    lost_since: Option<Instant>,
    loss: f64,
    remb: Option<(f64, Instant)>,
    told: f64,
}

impl Estimate {
    pub(crate) fn new(now: Instant, limits: BitrateLimits) -> Self {
        Self {
            limits,
            epoch: now,
            bps: limits.start as f64,
            trend: Trend::default(),
            throughput: Throughput::default(),
            probes: Probes::new(),
            updated: None,
            decreased: None,
            limit: None,
            draining: false,
            base: [f64::INFINITY; 2],
            base_since: None,
            answers: [f64::INFINITY; 2],
            queue: 0.0,
            lost: (0, 0),
            lost_since: None,
            loss: 0.0,
            remb: None,
            told: 0.0,
        }
    }

    pub(crate) fn bps(&self) -> f64 {
        let remb = self.remb.map_or(f64::INFINITY, |(bps, _)| bps);
        self.bps.min(remb).clamp(self.limits.min as f64, self.limits.max as f64)
    }

    /// Bytes that may be on their way while packets queue: more would wait there, where nothing can be taken back. `None`
    /// where none queue.
    pub(crate) fn window(&self) -> Option<f64> {
        if !self.draining && self.queue <= QUEUE.1 {
            return None;
        }
        let answer = self.answers[0].min(self.answers[1]);
        let time = ROOM.as_secs_f64() + if answer.is_finite() { answer } else { 1.0 };
        Some((self.bps() / 8.0 * time).max(LEAST_ROOM))
    }

    /// What may go into sending again: of what the path carries, even while media holds back for a queue to empty.
    pub(crate) fn for_repair(&self) -> f64 {
        self.bps().max(self.throughput.bps().unwrap_or_default()) / 2.0
    }

    pub(crate) fn set_limits(&mut self, limits: BitrateLimits) {
        self.limits = limits;
    }

    /// It has changed by more than a twentieth.
    pub(crate) fn poll(&mut self) -> Option<u64> {
        let bps = self.bps();
        if (bps - self.told).abs() <= 0.05 * self.told {
            return None;
        }
        self.told = bps;
        Some(bps as u64)
    }

    /// A report about what was sent, in the order of sending.
    pub(crate) fn handle(&mut self, now: Instant, results: &[PacketResult]) {
        let mut arrived: Vec<(f64, f64, PacketResult)> = Vec::with_capacity(results.len());
        for result in results {
            self.lost.0 += 1;
            match result.arrived {
                Some(time) => {
                    let sent = result.sent.saturating_duration_since(self.epoch).as_secs_f64() * 1_000.0;
                    arrived.push((sent, time as f64 / 1_000.0, *result));
                }
                None => self.lost.1 += 1,
            }
        }
        arrived.sort_by(|a, b| a.1.total_cmp(&b.1));
        let newest = arrived.iter().map(|(.., result)| result.sent).max();
        if let Some(took) = newest.map(|sent| now.saturating_duration_since(sent).as_secs_f64()) {
            self.answers[0] = self.answers[0].min(took);
        }
        // The shortest way of a report tells a queue from a few late packets.
        if let Some(way) = arrived.iter().map(|(sent, time, _)| time - sent).reduce(f64::min) {
            self.way(now, way);
        }
        for (sent, time, result) in arrived {
            self.throughput.add(time, result.size);
            self.trend.add(sent, time);
            let found = result.probe.and_then(|id| self.probes.arrived(id, result.sent, time, result.size));
            if let Some(found) = found
                && found > self.bps
                && !self.draining
            {
                self.bps = found;
                self.limit = None;
                self.updated = Some(now);
            }
        }
        self.by_delay(now);
        self.by_loss(now);
        self.bps = self.bps.clamp(self.limits.min as f64, self.limits.max as f64);
    }

    /// How much longer than the shortest the way was.
    fn way(&mut self, now: Instant, way: f64) {
        let since = *self.base_since.get_or_insert(now);
        if now.saturating_duration_since(since) > Duration::from_secs(10) {
            self.base = [way, self.base[0]];
            self.answers = [f64::INFINITY, self.answers[0]];
            self.base_since = Some(now);
        }
        self.base[0] = self.base[0].min(way);
        self.queue = way - self.base[0].min(self.base[1]);
    }

    fn by_delay(&mut self, now: Instant) {
        let since = self.updated.map_or(Duration::ZERO, |updated| now.saturating_duration_since(updated));
        self.updated = Some(now);
        let arrives = self.throughput.bps();
        self.draining = if self.draining { self.queue > QUEUE.1 } else { self.queue > QUEUE.0 };
        let settled = self.decreased.is_none_or(|at| now.saturating_duration_since(at) > SETTLED);
        if self.draining || self.trend.usage() == Usage::Over {
            self.probes.hold(now, Duration::from_millis(800));
            let long = (self.queue / LONG).clamp(0.0, 1.0);
            let drain = DRAIN.1 - (DRAIN.1 - DRAIN.0) * long;
            let factor = if self.draining { drain } else { DECREASE };
            if let Some(arrives) = arrives
                && settled
                && factor * arrives < self.bps
            {
                let before = self.limit.unwrap_or(arrives);
                self.limit = Some(before + 0.2 * (arrives - before));
                self.bps = factor * arrives;
                self.decreased = Some(now);
            }
            return;
        }
        if self.trend.usage() == Usage::Under {
            // The queue empties: growth waits for it.
            return;
        }
        let seconds = since.as_secs_f64().min(1.0);
        let near = self.limit.is_some_and(|limit| self.bps > 0.8 * limit && self.bps < 1.3 * limit);
        let grown = if near {
            // About half a packet a round trip.
            self.bps + (30_000.0_f64).max(0.03 * self.bps) * seconds
        } else {
            self.bps * GROWTH.powf(seconds)
        };
        let most = arrives.map_or(self.bps, |arrives| AHEAD * arrives + 10_000.0);
        self.bps = grown.min(most.max(self.bps));
        if self.limit.is_some_and(|limit| self.bps > 1.5 * limit) {
            self.limit = None;
        }
    }

    fn by_loss(&mut self, now: Instant) {
        let since = *self.lost_since.get_or_insert(now);
        if now.saturating_duration_since(since) < LOSS_WINDOW || self.lost.0 < 20 {
            return;
        }
        self.loss = f64::from(self.lost.1) / f64::from(self.lost.0);
        self.lost = (0, 0);
        self.lost_since = Some(now);
        if self.loss > LOSS.1 {
            self.bps *= 1.0 - 0.5 * self.loss;
            self.probes.hold(now, Duration::from_secs(1));
        }
    }

    /// Where the far end reports no times: the loss of receiver reports alone. `sent` is what we sent meanwhile, in bits
    /// per second: of what is not used nothing is known.
    pub(crate) fn handle_loss(&mut self, now: Instant, loss: f64, sent: f64) {
        let seconds = self.updated.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64().min(2.0));
        self.updated = Some(now);
        self.loss = loss;
        if loss > LOSS.1 {
            self.bps *= 1.0 - 0.5 * loss;
        } else if loss < LOSS.0 {
            let grown = self.bps * GROWTH.powf(seconds);
            self.bps = grown.min((AHEAD * sent + 10_000.0).max(self.bps));
        }
        self.bps = self.bps.clamp(self.limits.min as f64, self.limits.max as f64);
    }

    /// The far end's own estimate (draft-alvestrand-rmcat-remb-03).
    pub(crate) fn handle_remb(&mut self, now: Instant, bps: f64) {
        self.remb = Some((bps, now));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        // One that is not renewed no longer holds.
        if self.remb.is_some_and(|(_, at)| now.saturating_duration_since(at) > Duration::from_secs(10)) {
            self.remb = None;
        }
    }

    /// Begins a probe where one makes sense.
    pub(crate) fn begin_probe(&mut self, now: Instant) -> bool {
        let wanted = (2.0 * self.bps).min(1.1 * self.limits.max as f64);
        self.may_probe() && self.probes.begin(now, wanted)
    }

    fn may_probe(&self) -> bool {
        let quiet = self.trend.usage() == Usage::Normal && !self.draining && self.queue < QUEUE.1;
        let room = self.bps < 0.95 * self.limits.max as f64;
        quiet && room && self.loss < LOSS.1
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let probe = self.probes.poll_timeout(now);
        // What stands against a probe goes with reports, not with time.
        if self.may_probe() || self.probes.is_running() { probe } else { None }
    }
}

#[cfg(test)]
mod tests;
