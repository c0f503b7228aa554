use std::time::{Duration, Instant};

/// A probe's length and its least number of packets.
const LENGTH: Duration = Duration::from_millis(25);
const PACKETS: u32 = 6;
/// Before the first one, between two, and after one that showed more than it asked for.
const BEFORE: Duration = Duration::from_millis(300);
const AFTER_FAILURE: Duration = Duration::from_millis(1_500);
const AFTER_SUCCESS: Duration = Duration::from_millis(250);
/// A report of it comes within this or never.
const PATIENCE: Duration = Duration::from_secs(1);

/// Short bursts that find out whether there is more than what is used.
#[derive(Debug)]
pub(crate) struct Probes {
    next: Option<Instant>,
    running: Option<Probe>,
    count: u32,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    id: u32,
    bps: f64,
    /// When the bytes that are still to be sent were due.
    begun: Instant,
    sent: usize,
    packets: u32,
    sending: bool,
    first: Option<(Instant, f64, usize)>,
    last: Option<(Instant, f64)>,
    arrived: usize,
    arrivals: u32,
}

impl Probes {
    pub(crate) fn new() -> Self {
        Self { next: None, running: None, count: 0 }
    }

    /// Nothing for a while: the path is full.
    pub(crate) fn hold(&mut self, now: Instant, time: Duration) {
        self.next = Some(now + time);
        self.running = None;
    }

    /// Whether one is to begin at `bps`, where that is wanted.
    pub(crate) fn begin(&mut self, now: Instant, bps: f64) -> bool {
        if self.running.is_some_and(|probe| now.saturating_duration_since(probe.begun) > PATIENCE) {
            self.running = None;
            self.next = Some(now + AFTER_FAILURE);
        }
        let next = *self.next.get_or_insert(now + BEFORE);
        if self.running.is_some() || now < next {
            return false;
        }
        self.count += 1;
        self.running = Some(Probe {
            id: self.count,
            bps,
            begun: now,
            sent: 0,
            packets: 0,
            sending: true,
            first: None,
            last: None,
            arrived: 0,
            arrivals: 0,
        });
        true
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// How many bytes are due now; the probe's number to send them with.
    pub(crate) fn due(&self, now: Instant) -> Option<(u32, usize)> {
        let probe = self.running.filter(|probe| probe.sending)?;
        let wanted = probe.bps / 8.0 * (now.saturating_duration_since(probe.begun).as_secs_f64() + 0.005);
        Some((probe.id, (wanted as usize).saturating_sub(probe.sent)))
    }

    /// The number that any packet sent meanwhile goes with.
    pub(crate) fn current(&self) -> Option<u32> {
        self.running.filter(|probe| probe.sending).map(|probe| probe.id)
    }

    pub(crate) fn sent(&mut self, now: Instant, size: usize) {
        let Some(probe) = &mut self.running else { return };
        probe.sent += size;
        probe.packets += 1;
        let long = now.saturating_duration_since(probe.begun) >= LENGTH;
        if long && probe.packets >= PACKETS {
            probe.sending = false;
        }
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        match self.running {
            Some(probe) if probe.sending => Some(now + Duration::from_millis(3)),
            Some(probe) => Some(probe.begun + PATIENCE),
            None => self.next,
        }
    }

    /// A packet of a probe arrived; `arrived` in ms. Some: what the path carries, in bits per second.
    pub(crate) fn arrived(&mut self, id: u32, sent: Instant, arrived: f64, size: usize) -> Option<f64> {
        let probe = self.running.as_mut().filter(|probe| probe.id == id)?;
        probe.first.get_or_insert((sent, arrived, size));
        probe.last = Some((sent, arrived));
        probe.arrived += size;
        probe.arrivals += 1;
        // The last ones of it may be lost.
        let enough = !probe.sending && probe.arrivals * 10 >= probe.packets * 8;
        let (first, last) = (probe.first?, probe.last?);
        if !enough {
            return None;
        }
        let bits = (probe.arrived - first.2) as f64 * 8.0;
        let spread_sent = last.0.saturating_duration_since(first.0).as_secs_f64().max(0.001);
        let spread_arrived = ((last.1 - first.1) / 1_000.0).max(0.001);
        let (sent, arrived) = (bits / spread_sent, bits / spread_arrived);
        let (asked, now) = (probe.bps, last.0);
        self.running = None;
        // One that arrives slower than it was sent has found the limit.
        let full = arrived < 0.9 * sent;
        let found = sent.min(arrived).min(asked) * if full { 0.9 } else { 1.0 };
        self.next = Some(now + if full { AFTER_FAILURE } else { AFTER_SUCCESS });
        Some(found)
    }
}
