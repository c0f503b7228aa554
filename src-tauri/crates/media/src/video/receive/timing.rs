use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::video::codec::VIDEO_CLOCK_RATE;

/// Frames whose lateness decides about the delay: about seven seconds.
const HISTORY: usize = 200;
/// Of them, this part in a hundred is in time.
const IN_TIME_PERCENT: usize = 97;
/// The fastest frame of so many seconds tells what a frame takes without jitter. The sender's clock may drift in them
/// by a fraction of a millisecond.
const SECONDS: usize = 10;
/// What is added to the measured lateness.
const MARGIN: Duration = Duration::from_millis(4);
/// How fast the delay falls: a part of the distance with each frame, so that nobody sees it.
const FALL: u32 = 60;
/// A frame that is this far from the others belongs to another clock.
const STRANGE: i64 = 5_000_000_000;

/// Says when frames are to be shown, from their timestamps and arrivals.
#[derive(Debug)]
pub(super) struct Timing {
    least: Duration,
    most: Duration,
    state: Option<State>,
    delay: Duration,
}

#[derive(Debug)]
struct State {
    epoch: Instant,
    last_timestamp: u32,
    /// Nanoseconds of media time since the first frame.
    media: i64,
    /// Smallest arrival minus media time in each second, newest last.
    fastest: VecDeque<(i64, i64)>,
    lateness: VecDeque<i64>,
    last_offset: i64,
    jitter: f64,
}

impl Timing {
    pub(super) fn new(least: Duration, most: Duration) -> Self {
        Self { least, most: most.max(least), state: None, delay: least }
    }

    pub(super) fn reset(&mut self) {
        self.state = None;
        self.delay = self.least;
    }

    pub(super) fn delay(&self) -> Duration {
        self.delay
    }

    pub(super) fn jitter(&self) -> Duration {
        Duration::from_nanos(self.state.as_ref().map_or(0.0, |state| state.jitter) as u64)
    }

    /// When to show the frame that was complete at `arrived`.
    pub(super) fn handle_frame(&mut self, timestamp: u32, arrived: Instant) -> Instant {
        let state = self.state.get_or_insert_with(|| State::new(timestamp, arrived));
        if !state.handle(timestamp, arrived) {
            *state = State::new(timestamp, arrived);
            state.handle(timestamp, arrived);
        }
        let wanted =
            state.late_at_most().map_or(self.least, |late| late + MARGIN).clamp(self.least, self.most);
        self.delay = if wanted >= self.delay { wanted } else { self.delay - (self.delay - wanted) / FALL };
        state.undelayed() + self.delay
    }
}

impl State {
    fn new(timestamp: u32, epoch: Instant) -> Self {
        Self {
            epoch,
            last_timestamp: timestamp,
            media: 0,
            fastest: VecDeque::with_capacity(SECONDS + 1),
            lateness: VecDeque::with_capacity(HISTORY),
            last_offset: 0,
            jitter: 0.0,
        }
    }

    /// False for a frame of another clock.
    fn handle(&mut self, timestamp: u32, arrived: Instant) -> bool {
        let ticks = timestamp.wrapping_sub(self.last_timestamp) as i32;
        let media = self.media + i64::from(ticks) * 1_000_000_000 / i64::from(VIDEO_CLOCK_RATE);
        let since =
            i64::try_from(arrived.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(i64::MAX);
        let offset = since - media;
        if self.fastest.back().is_some_and(|(_, fastest)| (offset - fastest).abs() > STRANGE) {
            return false;
        }
        let change = (offset - self.last_offset).abs() as f64;
        self.jitter += (change - self.jitter) / 16.0;
        (self.last_timestamp, self.media, self.last_offset) = (timestamp, media, offset);
        let second = since / 1_000_000_000;
        match self.fastest.back_mut() {
            Some((of, fastest)) if *of == second => *fastest = offset.min(*fastest),
            _ => self.fastest.push_back((second, offset)),
        }
        if self.fastest.len() > SECONDS {
            self.fastest.pop_front();
        }
        if self.lateness.len() == HISTORY {
            self.lateness.pop_front();
        }
        self.lateness.push_back(offset - self.best());
        true
    }

    fn best(&self) -> i64 {
        self.fastest.iter().map(|(_, fastest)| *fastest).min().unwrap_or_default()
    }

    /// When the last frame would have arrived without jitter.
    fn undelayed(&self) -> Instant {
        let at = self.media + self.best();
        match u64::try_from(at) {
            Ok(after) => self.epoch + Duration::from_nanos(after),
            Err(_) => {
                let before = Duration::from_nanos(at.unsigned_abs());
                self.epoch.checked_sub(before).unwrap_or(self.epoch)
            }
        }
    }

    fn late_at_most(&self) -> Option<Duration> {
        // The first frame alone says nothing.
        if self.lateness.len() < 2 {
            return None;
        }
        let mut sorted: Vec<i64> = self.lateness.iter().copied().collect();
        let at = (sorted.len() * IN_TIME_PERCENT / 100).min(sorted.len() - 1);
        let (_, late, _) = sorted.select_nth_unstable(at);
        Some(Duration::from_nanos(u64::try_from(*late).unwrap_or(0)))
    }
}
