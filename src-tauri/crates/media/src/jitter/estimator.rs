//! How long to wait for packets.

/// Bins of 5 ms, 640 ms in all.
const BINS: usize = 128;
const BIN_US: i64 = 5_000;
/// Part of the packets that shall be in time.
const QUANTILE: f32 = 0.99;
/// Weights of past packets fall by 1/e in this time.
const MEMORY_US: f32 = 4_000_000.0;
/// The fastest packet is looked for in the last one to two of these.
const WINDOW_US: i64 = 2_000_000;
/// A packet this much slower than the quantile begins a spike.
const SPIKE_US: i64 = 60_000;
/// Weight of the packets that drain out of a spike's queue; the stall was one event, not many. Twenty of them and the
/// first one stay below what moves the quantile.
const DRAIN_WEIGHT: f32 = 0.05;
/// Bin of the fastest packet after the range has moved.
const MARGIN: i64 = 16;

/// A histogram of transits that forgets, as WebRTC's NetEQ keeps one of relative delays.
///
/// It counts transits as they are, not over the fastest packet, so that a change of the path or a skew of the clocks
/// needs no correction: old bins fade. A spike (Ramjee et al., INFOCOM 1994), a stall of the network after which the
/// queue arrives at once, counts little more than one packet.
#[derive(Debug, Clone)]
pub struct DelayEstimator {
    bins: [f32; BINS],
    /// Lower edge of the first bin, in microseconds of transit.
    origin: i64,
    count: u32,
    window_start: i64,
    window_min: i64,
    earlier_min: i64,
    last_arrival: i64,
    in_spike: bool,
}

impl Default for DelayEstimator {
    fn default() -> Self {
        Self {
            bins: [0.0; BINS],
            origin: 0,
            count: 0,
            window_start: 0,
            window_min: i64::MAX,
            earlier_min: i64::MAX,
            last_arrival: i64::MIN,
            in_spike: false,
        }
    }
}

impl DelayEstimator {
    /// Takes a packet of `length` that arrived at `arrival` with this `transit`, all in microseconds.
    pub fn observe(&mut self, arrival: i64, transit: i64, length: i64) {
        if self.count == 0 {
            self.origin = transit.div_euclid(BIN_US) * BIN_US - MARGIN * BIN_US;
            self.window_start = arrival;
        }
        self.count = self.count.saturating_add(1);
        let mut weight = (length as f32 / MEMORY_US).clamp(0.000_5, 0.05).max(1.0 / self.count as f32);
        if self.count > 1 {
            let quantile = self.quantile();
            let at_once = arrival.saturating_sub(self.last_arrival) < length / 4;
            if self.in_spike && at_once {
                weight *= DRAIN_WEIGHT;
            }
            if transit > quantile + SPIKE_US {
                self.in_spike = true;
            } else if transit <= quantile || !at_once {
                self.in_spike = false;
            }
        }
        self.last_arrival = arrival;
        self.track_fastest(arrival, transit);
        let bin = self.bin(transit);
        for value in &mut self.bins {
            *value *= 1.0 - weight;
        }
        self.bins[bin] += weight;
    }

    /// Packets seen.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The transit below which 99 % of the packets stay, rounded up to 5 ms.
    pub fn quantile(&self) -> i64 {
        let mut above = 0.0;
        for (n, value) in self.bins.iter().enumerate().rev() {
            above += value;
            if above > 1.0 - QUANTILE {
                return self.origin + (n as i64 + 1) * BIN_US;
            }
        }
        self.origin
    }

    /// The transit of the fastest packet of the last seconds.
    pub fn fastest(&self) -> i64 {
        let fastest = self.window_min.min(self.earlier_min);
        if fastest == i64::MAX { 0 } else { fastest }
    }

    fn track_fastest(&mut self, arrival: i64, transit: i64) {
        if arrival - self.window_start >= WINDOW_US {
            self.window_start = arrival;
            self.earlier_min = self.window_min;
            self.window_min = i64::MAX;
        }
        self.window_min = self.window_min.min(transit);
    }

    /// The bin of `transit`; moves the range where it does not fit.
    fn bin(&mut self, transit: i64) -> usize {
        let mut bin = (transit - self.origin).div_euclid(BIN_US);
        if bin < 0 {
            let by = MARGIN - bin;
            self.move_down(by);
            bin += by;
        }
        let base = (self.fastest() - self.origin).div_euclid(BIN_US);
        if base > BINS as i64 / 2 || (bin >= BINS as i64 && base > MARGIN) {
            let by = base - MARGIN;
            self.move_up(by);
            bin -= by;
        }
        bin.clamp(0, BINS as i64 - 1) as usize
    }

    /// The range now begins `by` bins lower.
    fn move_down(&mut self, by: i64) {
        self.origin -= by * BIN_US;
        let shift = by.clamp(0, BINS as i64) as usize;
        let kept = BINS - shift;
        let over: f32 = self.bins[kept..].iter().sum();
        self.bins.copy_within(..kept, shift);
        self.bins[..shift].fill(0.0);
        self.bins[BINS - 1] += over;
    }

    /// The range now begins `by` bins higher.
    fn move_up(&mut self, by: i64) {
        self.origin += by * BIN_US;
        let shift = by.clamp(0, BINS as i64) as usize;
        let under: f32 = self.bins[..shift].iter().sum();
        self.bins.copy_within(shift.., 0);
        self.bins[BINS - shift..].fill(0.0);
        self.bins[0] += under;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signal::Noise;

    const MS: i64 = 1_000;

    fn feed(
        estimator: &mut DelayEstimator,
        from: i64,
        packets: i64,
        mut delay: impl FnMut(i64) -> i64,
    ) -> i64 {
        for n in from..from + packets {
            let delay = delay(n);
            estimator.observe(n * 20 * MS + delay, delay, 20 * MS);
        }
        from + packets
    }

    #[test]
    fn steady_arrival_asks_for_one_bin_at_most() {
        let mut estimator = DelayEstimator::default();
        feed(&mut estimator, 0, 500, |_| 37 * MS);
        assert_eq!(estimator.fastest(), 37 * MS);
        assert!((37 * MS..=42 * MS).contains(&estimator.quantile()), "{}", estimator.quantile());
    }

    #[test]
    fn uniform_jitter_is_covered_within_half_a_second_and_forgotten_in_half_a_minute() {
        let mut estimator = DelayEstimator::default();
        let mut random = Noise(2);
        let n = feed(&mut estimator, 0, 500, |_| 0);
        let n = feed(&mut estimator, n, 100, |_| (random.unit() * 100.0) as i64 * MS);
        assert!((85 * MS..=105 * MS).contains(&estimator.quantile()), "{}", estimator.quantile());
        feed(&mut estimator, n, 1_500, |_| 0);
        assert!(estimator.quantile() <= 10 * MS, "{}", estimator.quantile());
    }

    #[test]
    fn one_stall_is_one_event() {
        let mut estimator = DelayEstimator::default();
        let n = feed(&mut estimator, 0, 500, |_| 0);
        // 400 ms of nothing, then twenty packets at once.
        let n = feed(&mut estimator, n, 20, |m| (n + 20 - m) * 20 * MS);
        feed(&mut estimator, n, 5, |_| 0);
        assert!(estimator.quantile() < 20 * MS, "{}", estimator.quantile());
    }

    #[test]
    fn the_range_follows_skew_and_a_new_path_both_ways() {
        for sign in [1, -1] {
            let mut estimator = DelayEstimator::default();
            // 500 ppm for an hour: 1.8 s.
            feed(&mut estimator, 0, 180_000, |n| sign * n * 10);
            let now = sign * 180_000 * 10;
            assert!((estimator.fastest() - now).abs() < 5 * MS);
            assert!((estimator.quantile() - now).abs() <= 15 * MS, "{}", estimator.quantile() - now);
        }
        let mut estimator = DelayEstimator::default();
        let n = feed(&mut estimator, 0, 500, |_| 0);
        let n = feed(&mut estimator, n, 1_500, |_| 2_000 * MS);
        assert!((estimator.quantile() - 2_000 * MS).abs() < 10 * MS, "{}", estimator.quantile());
        feed(&mut estimator, n, 1_500, |_| -700 * MS);
        assert!((estimator.quantile() + 700 * MS).abs() < 10 * MS, "{}", estimator.quantile());
    }

    #[test]
    fn absurd_transits_do_no_harm() {
        let mut estimator = DelayEstimator::default();
        for transit in [0, i64::MAX / 4, i64::MIN / 4, 1, -1, i64::MAX / 4] {
            estimator.observe(0, transit, 20 * MS);
            let _ = (estimator.quantile(), estimator.fastest());
        }
        assert!((estimator.bins.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
}
