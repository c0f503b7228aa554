use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::{RtpPacket, TrackId};

/// Keeps bursts of video from filling the queues of the path; sound never waits.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    waiting: VecDeque<(Instant, TrackId, RtpPacket)>,
    waiting_bytes: usize,
    /// Bytes that may go at once; below zero: in debt.
    credit: f64,
    filled: Option<Instant>,
    /// The path holds as much as it should.
    is_full: bool,
}

/// Of the estimate.
const PACE: f64 = 2.5;
/// The least pace in bits per second, and the least burst in bytes.
const LEAST: (f64, f64) = (1_200_000.0, 15_000.0);
const STEP: Duration = Duration::from_millis(5);

impl Pacer {
    pub(crate) fn push(&mut self, now: Instant, track: TrackId, packet: &RtpPacket) {
        self.waiting_bytes += packet.payload.len();
        self.waiting.push_back((now, track, packet.clone()));
    }

    /// How long the first has waited.
    pub(crate) fn backlog(&self, now: Instant) -> Duration {
        self.waiting.front().map_or(Duration::ZERO, |(since, ..)| now.saturating_duration_since(*since))
    }

    /// Forgets what waits of a track.
    pub(crate) fn clear(&mut self, track: TrackId) {
        self.waiting.retain(|(_, other, _)| *other != track);
        self.waiting_bytes = self.waiting.iter().map(|(.., packet)| packet.payload.len()).sum();
    }

    pub(crate) fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn fill(&mut self, now: Instant, estimate: f64) {
        // What waits is gone after half a second at most.
        let pace = (PACE * estimate).max(LEAST.0).max(self.waiting_bytes as f64 * 16.0);
        let passed =
            self.filled.replace(now).map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let most = LEAST.1.max(pace / 8.0 * 0.04);
        self.credit = (self.credit + pace / 8.0 * passed).min(most);
    }

    /// Whether something may go now.
    pub(crate) fn may(&self) -> bool {
        self.credit > 0.0 && !self.is_full
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        self.credit -= bytes as f64;
    }

    pub(crate) fn pop(&mut self) -> Option<(TrackId, RtpPacket)> {
        if !self.may() {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.waiting_bytes -= next.2.payload.len();
        Some((next.1, next.2))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.filled.filter(|_| !self.waiting.is_empty()).map(|filled| filled + STEP)
    }
}
