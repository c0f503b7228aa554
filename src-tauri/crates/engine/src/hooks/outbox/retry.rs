use super::super::Outcome;
use std::time::{Duration, Instant};

/// Seconds between the attempts of one event.
const STEPS: [u64; 9] = [1, 2, 4, 8, 15, 30, 60, 120, 300];
/// The same for a backend that does not answer: who comes back shall not be missed for long.
const SILENCES: [u64; 6] = [1, 2, 4, 8, 15, 30];

const TIMEOUT: u16 = 408;
const TOO_EARLY: u16 = 425;
const TOO_MANY: u16 = 429;

/// What an attempt means for its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sentence {
    Delivered,
    /// Trying again helps nobody.
    Refused,
    /// This event, later.
    Later,
    /// Nobody answers: all events, later.
    Silence,
}

pub(super) fn judge(outcome: &Outcome) -> Sentence {
    match outcome {
        Err(trouble) if trouble.is_silence() => Sentence::Silence,
        // It was answered, whatever by.
        Err(_) => Sentence::Later,
        Ok(answer) => match answer.status {
            200..=299 => Sentence::Delivered,
            TIMEOUT | TOO_EARLY | TOO_MANY | 500..=599 => Sentence::Later,
            _ => Sentence::Refused,
        },
    }
}

/// After this many attempts, a fifth more or less.
pub(super) fn pause(attempts: u32, random: u32) -> Duration {
    step(&STEPS, attempts, random)
}

fn step(steps: &[u64], attempts: u32, random: u32) -> Duration {
    let index = attempts.saturating_sub(1) as usize;
    let seconds = steps.get(index).or(steps.last()).copied().unwrap_or(1);
    Duration::from_secs(seconds).mul_f64(0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX))
}

/// When a backend that does not answer is tried again.
#[derive(Debug, Default)]
pub(super) struct Retry {
    silences: u32,
    due: Option<Instant>,
}

impl Retry {
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn answered(&mut self) {
        (self.silences, self.due) = (0, None);
    }

    /// Those that were under way together count as one.
    pub(super) fn silent(&mut self, now: Instant, random: u32) {
        if self.due.is_some_and(|due| due > now) {
            return;
        }
        self.silences = self.silences.saturating_add(1);
        self.due = Some(now + step(&SILENCES, self.silences, random));
    }
}
