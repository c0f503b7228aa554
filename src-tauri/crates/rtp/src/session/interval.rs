use std::time::{Duration, Instant};

use fastrand::Rng;

/// IPv4 and UDP headers, which count as RTCP bandwidth (RFC 3550 section 6.2).
const LOWER_HEADERS: f64 = 28.0;
/// e - 3/2 makes up for the effect of reconsideration (RFC 3550 section 6.3.1).
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

/// Who takes part, as the interval rules count it; we are always one of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) members: u32,
    pub(super) senders: u32,
    pub(super) we_sent: bool,
}

/// When to send RTCP (RFC 3550 sections 6.2 and 6.3, appendix A.7).
#[derive(Debug)]
pub(super) struct Interval {
    /// Bytes per second for all RTCP of the session.
    bandwidth: f64,
    minimum: Duration,
    initial: bool,
    average_size: f64,
    counted: u32,
    last: Instant,
    next: Instant,
    random: Rng,
}

impl Interval {
    pub(super) fn new(now: Instant, bandwidth: f64, minimum: Duration, random: Rng) -> Self {
        let (bandwidth, average_size) = (bandwidth.max(1.0), 100.0 + LOWER_HEADERS);
        let (initial, counted, last, next) = (true, 1, now, now);
        let mut interval = Self { bandwidth, minimum, initial, average_size, counted, last, next, random };
        interval.next = now + interval.randomised(Members { members: 1, senders: 0, we_sent: false });
        interval
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Timer reconsideration (6.3.6): whether the report is really due now.
    pub(super) fn expire(&mut self, now: Instant, members: Members) -> bool {
        if now < self.next {
            return false;
        }
        self.counted = members.members;
        self.next = self.last + self.randomised(members);
        self.next <= now
    }

    /// After `len` bytes were sent.
    pub(super) fn sent(&mut self, now: Instant, len: usize, members: Members) {
        self.average(len);
        self.initial = false;
        self.last = now;
        self.counted = members.members;
        self.next = now + self.randomised(members);
    }

    pub(super) fn received(&mut self, len: usize) {
        // A peer cannot make us fall silent with huge packets.
        self.average(len.min(1500));
    }

    /// Reverse reconsideration (6.3.4) after a member left.
    pub(super) fn left(&mut self, now: Instant, members: u32) {
        if members < self.counted {
            let share = f64::from(members) / f64::from(self.counted);
            self.next = now + self.next.saturating_duration_since(now).mul_f64(share);
            let since = now.saturating_duration_since(self.last).mul_f64(share);
            self.last = now.checked_sub(since).unwrap_or(now);
            self.counted = members;
        }
    }

    /// Td of 6.3.5, for time-outs: without the initial halving and without randomness.
    pub(super) fn deterministic(&self, members: Members) -> Duration {
        self.computed(members, self.minimum)
    }

    fn randomised(&mut self, members: Members) -> Duration {
        let minimum = if self.initial { self.minimum / 2 } else { self.minimum };
        let factor = (self.random.f64() + 0.5) / COMPENSATION;
        self.computed(members, minimum).mul_f64(factor)
    }

    fn computed(&self, members: Members, minimum: Duration) -> Duration {
        let Members { members, senders, we_sent } = members;
        let (all, senders) = (f64::from(members), f64::from(senders));
        let (count, bandwidth) = match senders <= all * 0.25 {
            true if we_sent => (senders, self.bandwidth * 0.25),
            true => (all - senders, self.bandwidth * 0.75),
            false => (all, self.bandwidth),
        };
        let seconds = (self.average_size * count / bandwidth).min(3600.0);
        Duration::from_secs_f64(seconds).max(minimum)
    }

    fn average(&mut self, len: usize) {
        self.average_size = (len as f64 + LOWER_HEADERS) / 16.0 + self.average_size * 15.0 / 16.0;
    }
}
