//! Keeps a ring's low-water mark at a small level, by a ratio close to one.

use std::time::{Duration, Instant};

/// Low-water mark to begin with and to return to, in samples: 10 ms.
const LOWEST_TARGET: usize = 480;
/// The target never grows beyond this: 100 ms.
const HIGHEST_TARGET: usize = 4_800;
/// Added to the target after the ring ran empty: 5 ms.
const RAISE: usize = 240;
/// Taken from the target after each quiet spell: 1 ms.
const LOWER: usize = 48;
const QUIET_SPELL: Duration = Duration::from_secs(10);

/// Length of one observation in beats of 10 ms; long enough to hold the bursts of a sound server.
const WINDOW: u32 = 50;
const WINDOW_SECONDS: f64 = 0.5;

/// The ring integrates 48 000 samples a second for each unit of ratio. These gains put both poles of the loop at
/// 0.1 per second (critically damped), slow enough that a change of pitch stays below hearing.
const PROPORTIONAL: f64 = 0.2 / 48_000.0;
const INTEGRAL: f64 = 0.01 / 48_000.0;
/// Real clocks differ by less than 0.1 %; the rest is for wearing off a wrong level. 0.4 % is 7 cents.
const LARGEST_INTEGRAL: f64 = 0.002;
const LARGEST_CORRECTION: f64 = 0.004;

/// A gap between beats that is a pause of the caller, not a late thread.
const PAUSE: Duration = Duration::from_millis(250);

/// A PI controller on the lowest fill of each half second.
#[derive(Debug)]
pub(super) struct Steer {
    target: usize,
    integral: f64,
    ratio: f64,
    lowest: usize,
    beats: u32,
    last_beat: Option<Instant>,
    last_trouble: Option<Instant>,
}

impl Steer {
    pub(super) fn new() -> Self {
        Self {
            target: LOWEST_TARGET,
            integral: 0.0,
            ratio: 1.0,
            lowest: usize::MAX,
            beats: 0,
            last_beat: None,
            last_trouble: None,
        }
    }

    /// Wanted low-water mark in samples.
    pub(super) fn target(&self) -> usize {
        self.target
    }

    /// Input samples for one output sample: above one when there is too much in the ring.
    pub(super) fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Notes a beat of the audio thread and says whether it follows on the one before without a pause.
    pub(super) fn on_beat(&mut self, now: Instant) -> bool {
        let last = self.last_beat.replace(now);
        last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE)
    }

    /// One beat with the lowest fill since the beat before, in samples; `None` while nothing was taken out.
    pub(super) fn observe(&mut self, now: Instant, lowest: Option<usize>) {
        self.lowest = self.lowest.min(lowest.unwrap_or(usize::MAX));
        self.beats += 1;
        if self.beats < WINDOW {
            return;
        }
        self.beats = 0;
        let lowest = std::mem::replace(&mut self.lowest, usize::MAX);
        if lowest != usize::MAX {
            self.correct(lowest);
        }
        let quiet_since = *self.last_trouble.get_or_insert(now);
        if now.saturating_duration_since(quiet_since) >= QUIET_SPELL {
            self.last_trouble = Some(now);
            self.target = self.target.saturating_sub(LOWER).max(LOWEST_TARGET);
        }
    }

    /// The ring ran empty in the middle of a call: aim higher. What was seen of the window says nothing now.
    pub(super) fn on_underrun(&mut self, now: Instant) {
        self.target = (self.target + RAISE).min(HIGHEST_TARGET);
        self.last_trouble = Some(now);
        self.restart_window();
    }

    /// The level was set by hand, by refilling or by skipping.
    pub(super) fn restart_window(&mut self) {
        self.beats = 0;
        self.lowest = usize::MAX;
        self.ratio = 1.0 + self.integral;
    }

    fn correct(&mut self, lowest: usize) {
        let error = lowest as f64 - self.target as f64;
        let step = INTEGRAL * error * WINDOW_SECONDS;
        self.integral = (self.integral + step).clamp(-LARGEST_INTEGRAL, LARGEST_INTEGRAL);
        let correction = PROPORTIONAL * error + self.integral;
        self.ratio = 1.0 + correction.clamp(-LARGEST_CORRECTION, LARGEST_CORRECTION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the loop against a device whose clock is off by `drift` and gives the low-water mark at the end, the
    /// highest seen after the first 20 s, and the last ratio.
    fn run(drift: f64, start: f64, seconds: u32) -> (f64, f64, f64) {
        let mut steer = Steer::new();
        let mut now = Instant::now();
        let (mut fill, mut highest) = (start, 0.0f64);
        for beat in 0..seconds * 100 {
            now += Duration::from_millis(10);
            steer.on_beat(now);
            fill += 480.0 * (1.0 + drift) - 480.0 * steer.ratio();
            // A server that delivers each second block late makes every other fill look 480 lower.
            let seen = if beat % 2 == 0 { fill } else { fill - 480.0 };
            if beat > 2_000 {
                highest = highest.max(fill - 480.0);
            }
            steer.observe(now, Some(seen.max(0.0) as usize));
        }
        (fill - 480.0, highest, steer.ratio())
    }

    #[test]
    fn a_drift_of_200_ppm_is_followed_and_the_level_held() {
        for drift in [200e-6, -200e-6, 0.0] {
            let (low, _, ratio) = run(drift, 960.0, 180);
            assert!((low - 480.0).abs() < 48.0, "drift {drift}: {low}");
            assert!((ratio - 1.0 - drift).abs() < 40e-6, "drift {drift}: {ratio}");
        }
    }

    #[test]
    fn a_wrong_level_is_worn_off_within_twenty_seconds_without_overshoot_into_emptiness() {
        let (low, highest, _) = run(0.0, 3_000.0, 60);
        assert!((low - 480.0).abs() < 48.0, "{low}");
        assert!(highest < 1_200.0, "{highest}");
    }

    #[test]
    fn an_empty_ring_raises_the_target_and_quiet_lowers_it_again() {
        let mut steer = Steer::new();
        let mut now = Instant::now();
        for _ in 0..100 {
            steer.on_underrun(now);
        }
        assert_eq!(steer.target(), HIGHEST_TARGET);
        for _ in 0..200 * 100 {
            now += Duration::from_millis(10);
            steer.observe(now, Some(steer.target()));
        }
        assert!(steer.target() < HIGHEST_TARGET - 800, "{}", steer.target());
    }

    #[test]
    fn a_pause_of_the_caller_is_told_from_a_late_beat() {
        let mut steer = Steer::new();
        let now = Instant::now();
        assert!(!steer.on_beat(now));
        assert!(steer.on_beat(now + Duration::from_millis(60)));
        assert!(!steer.on_beat(now + Duration::from_secs(2)));
    }
}
