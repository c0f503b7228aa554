use super::super::{Hook, Outcome};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Seconds between the attempts of one event.
const STEPS: [u64; 9] = [1, 2, 4, 8, 15, 30, 60, 120, 300];
/// The same where nobody answers: who comes back shall not be missed for long.
const SILENCES: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// Another secret helps, here or there.
const UNAUTHORIZED: u16 = 401;
const PROXY_AUTHENTICATION: u16 = 407;
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
    /// Nobody answers: this event, and all of its hook, later.
    Silence,
}

pub(super) fn judge(outcome: &Outcome) -> Sentence {
    match outcome {
        Err(trouble) if trouble.is_silence() => Sentence::Silence,
        // It was answered, whatever by.
        Err(_) => Sentence::Later,
        Ok(answer) => match answer.status {
            200..=299 => Sentence::Delivered,
            UNAUTHORIZED | PROXY_AUTHENTICATION | TIMEOUT | TOO_EARLY | TOO_MANY | 500..=599 => {
                Sentence::Later
            }
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

/// The same for one that nobody answered.
pub(super) fn pause_in_silence(attempts: u32, random: u32) -> Duration {
    step(&SILENCES, attempts, random)
}

/// The hooks that are not answered, and when each is tried again. One handler of the backend may hang while the others work, so
/// that a silence says nothing about the other hooks.
#[derive(Debug, Default)]
pub(super) struct Silent(BTreeMap<Hook, Silence>);

#[derive(Debug)]
struct Silence {
    times: u32,
    due: Instant,
}

impl Silent {
    /// `None`: it is not silent, as far as anybody knows.
    pub(super) fn due(&self, hook: Hook) -> Option<Instant> {
        self.0.get(&hook).map(|silence| silence.due)
    }

    /// Where it has been silent somebody is there again: the others need not wait for their time.
    pub(super) fn answered(&mut self, now: Instant, hook: Hook) {
        if self.0.remove(&hook).is_some() {
            self.try_all(now);
        }
    }

    /// Those that were under way together count as one. Gives when it is tried again.
    pub(super) fn silent(&mut self, now: Instant, hook: Hook, random: u32) -> Instant {
        let silence = self.0.entry(hook).or_insert(Silence { times: 0, due: now });
        if silence.due <= now {
            silence.times = silence.times.saturating_add(1);
            silence.due = now + pause_in_silence(silence.times, random);
        }
        silence.due
    }

    pub(super) fn try_all(&mut self, now: Instant) {
        for silence in self.0.values_mut() {
            silence.due = silence.due.min(now);
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}
