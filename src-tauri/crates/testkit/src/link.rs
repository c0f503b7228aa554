//! One direction of a network path in virtual time: loss, delay, jitter, reordering and a bottleneck with a queue.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// What the path does. The default does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkSettings {
    /// Share of the datagrams that vanish, 0.0 to 1.0.
    pub loss: f64,
    pub delay: Duration,
    /// Added at random up to this; order is kept unless `reorder`.
    pub jitter: Duration,
    /// Whether jitter may change the order.
    pub reorder: bool,
    /// Share of the datagrams that come twice.
    pub duplicate: f64,
    /// Bits per second of the bottleneck; `None`: there is none.
    pub bandwidth: Option<u64>,
    /// Bytes that wait at the bottleneck at most; what does not fit is dropped. 0: no limit.
    pub queue: usize,
}

/// Carries `T`s one way. Everything random comes of the seed.
#[derive(Debug)]
pub struct Link<T> {
    settings: LinkSettings,
    random: u64,
    flying: BTreeMap<(Instant, u64), T>,
    count: u64,
    /// When the bottleneck is free, and the latest arrival.
    free: Option<Instant>,
    latest: Option<Instant>,
    /// What was dropped and carried so far.
    pub dropped: u64,
    pub carried: u64,
}

impl<T: Clone> Link<T> {
    pub fn new(settings: LinkSettings, seed: u64) -> Self {
        let random = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15) | 1;
        Self {
            settings,
            random,
            flying: BTreeMap::new(),
            count: 0,
            free: None,
            latest: None,
            dropped: 0,
            carried: 0,
        }
    }

    /// What is sent from now on goes by these.
    pub fn set(&mut self, settings: LinkSettings) {
        self.settings = settings;
    }

    pub fn send(&mut self, now: Instant, bytes: usize, item: T) {
        let settings = self.settings;
        if self.chance() < settings.loss {
            self.dropped += 1;
            return;
        }
        let mut leaves = now;
        if let Some(bandwidth) = settings.bandwidth {
            let free = self.free.unwrap_or(now).max(now);
            let waiting = free.saturating_duration_since(now).as_secs_f64() * bandwidth as f64 / 8.0;
            if settings.queue > 0 && waiting + bytes as f64 > settings.queue as f64 {
                self.dropped += 1;
                return;
            }
            leaves = free + Duration::from_secs_f64(bytes as f64 * 8.0 / bandwidth as f64);
            self.free = Some(leaves);
        }
        let copies = if self.chance() < settings.duplicate { 2 } else { 1 };
        for _ in 0..copies {
            let mut arrives = leaves + settings.delay + settings.jitter.mul_f64(self.chance());
            if !settings.reorder {
                arrives = self.latest.map_or(arrives, |latest| arrives.max(latest));
                self.latest = Some(arrives);
            }
            self.count += 1;
            self.carried += 1;
            self.flying.insert((arrives, self.count), item.clone());
        }
    }

    /// The next that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<T> {
        let entry = self.flying.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// When the next one arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// From 0.0 to below 1.0 (xorshift64*, Vigna 2014).
    fn chance(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let drawn = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (drawn >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Loss whose share is no matter of chance: of every so many RTP packets of a stream exactly one vanishes, at a place that the
/// seed chooses. RTCP is a stream like the others; what is neither passes.
#[derive(Debug)]
pub struct EvenLoss {
    one_in: u32,
    random: fastrand::Rng,
    /// By SSRC: the packet's place in its row, and the place that vanishes.
    rows: HashMap<u32, (u32, u32)>,
}

impl EvenLoss {
    /// 0: nothing vanishes.
    pub fn new(one_in: u32, seed: u64) -> Self {
        Self { one_in, random: fastrand::Rng::with_seed(seed), rows: HashMap::new() }
    }

    /// Whether this one vanishes. It may be encrypted.
    pub fn takes(&mut self, datagram: &[u8]) -> bool {
        let [128..=191, kind, _, _, _, _, _, _, a, b, c, d, ..] = *datagram else { return false };
        if self.one_in == 0 {
            return false;
        }
        // RFC 5761 section 4.
        let stream = if (192..=223).contains(&kind) { 0 } else { u32::from_be_bytes([a, b, c, d]) };
        let one_in = self.one_in;
        let random = &mut self.random;
        let (place, taken) = self.rows.entry(stream).or_insert_with(|| (0, random.u32(..one_in)));
        let takes = place == taken;
        *place += 1;
        if *place == one_in {
            (*place, *taken) = (0, random.u32(..one_in));
        }
        takes
    }
}
