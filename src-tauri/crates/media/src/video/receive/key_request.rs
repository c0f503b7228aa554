use std::time::{Duration, Instant};

/// Least and most time between two requests.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(4);

/// When to ask for a key frame: at once, then with pauses that double until one comes. A sender that is asked too often
/// sends nothing but key frames.
#[derive(Debug, Default)]
pub(super) struct KeyRequests {
    wanted: bool,
    asked: Option<Instant>,
    pause: Duration,
    round_trip: Duration,
}

impl KeyRequests {
    pub(super) fn handle_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) fn handle_key_frame(&mut self) {
        self.wanted = false;
        self.pause = Duration::ZERO;
    }

    pub(super) fn poll(&mut self, now: Instant) -> bool {
        if !self.wanted || self.next().is_some_and(|next| now < next) {
            return false;
        }
        self.asked = Some(now);
        self.pause = (self.pause * 2).clamp(self.least(), LONGEST);
        true
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.wanted { self.next() } else { None }
    }

    /// Also after a key frame came: the next request keeps its distance from the one before.
    fn next(&self) -> Option<Instant> {
        self.asked.map(|asked| asked + self.pause.max(self.least()))
    }

    fn least(&self) -> Duration {
        (self.round_trip * 3 / 2).clamp(SHORTEST, LONGEST)
    }
}
