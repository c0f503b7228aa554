//! Whether pictures fit the path to who plays them. Those that do not are left out one after another, the largest first, so that the
//! sound and the other pictures of the same session have the room; they come back one at a time, the smallest first, and one that did
//! not last waits longer each time.

use super::router::Pictures;
use std::time::{Duration, Instant};

/// Signs that it is too much before pictures are left out: a look gives one, two where it is by far.
const SHORT: u8 = 3;
const MOST: u8 = 5;
/// Before they come back, and at most, where they did not last before.
const WAIT: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(60));
/// Those that lasted for so long have fitted.
const LASTED: Duration = Duration::from_secs(15);
/// Without pictures little is known of the path: after so many waits it is tried.
const TRIAL: u32 = 2;
/// Between two that come back to one session.
const SETTLE: Duration = Duration::from_secs(4);
/// Of packets, reported by the far end.
const LOSSY: f32 = 0.1;

/// What is known of one player.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// Pictures wait, or have waited since the last look.
    pub(super) behind: bool,
    dropped: u64,
    signs: u8,
    starved: Option<Instant>,
    back: Option<Instant>,
    wait: Duration,
}

/// One of a session's players at a look.
pub(super) struct Look<'a> {
    pub(super) pictures: Pictures,
    /// The share of packets that the far end misses.
    pub(super) loss: f32,
    pub(super) fit: &'a mut Fit,
}

impl Look<'_> {
    fn carries(&self) -> u32 {
        self.pictures.carries.unwrap_or(self.pictures.need)
    }

    /// Takes what happened since the last look.
    fn take(&mut self) {
        let Pictures { need, dropped, .. } = self.pictures;
        let lost_some = std::mem::replace(&mut self.fit.dropped, dropped) < dropped;
        let carries = self.carries();
        // An estimate alone is low also where little was ever sent.
        let is_felt = std::mem::take(&mut self.fit.behind) || lost_some || self.loss > LOSSY;
        let signs = &mut self.fit.signs;
        if is_felt && carries < need {
            *signs = (*signs + if carries < need / 2 { 2 } else { 1 }).min(MOST);
        } else if carries >= need {
            *signs = signs.saturating_sub(1);
        }
    }

    fn has_waited(&self, now: Instant, waits: u32) -> bool {
        self.fit.starved.is_none_or(|since| now.saturating_duration_since(since) >= self.fit.wait * waits)
    }

    fn may_come_back(&self, now: Instant, tries: bool) -> bool {
        let has_room = self.pictures.carries.is_some_and(|carries| carries >= self.pictures.need / 4 * 5);
        self.fit.is_starved() && self.has_waited(now, 1) && (has_room || tries)
    }
}

impl Fit {
    pub(super) fn is_starved(&self) -> bool {
        self.starved.is_some()
    }

    fn starve(&mut self, now: Instant) {
        let lasted = self.back.is_none_or(|back| now.saturating_duration_since(back) >= LASTED);
        self.wait = if lasted { WAIT.0 } else { (self.wait * 2).clamp(WAIT.0, WAIT.1) };
        (self.starved, self.signs) = (Some(now), 0);
    }

    fn come_back(&mut self, now: Instant) {
        (self.starved, self.back, self.signs) = (None, Some(now), 0);
    }
}

/// What changes for the players of one session: their places, and whether their pictures are left out from now on.
pub(super) fn change(now: Instant, looks: &mut [Look<'_>]) -> Vec<(usize, bool)> {
    looks.iter_mut().filter(|look| !look.fit.is_starved()).for_each(Look::take);
    let showing = |look: &&Look<'_>| !look.fit.is_starved();
    let room: u32 = looks.iter().map(Look::carries).fold(0, u32::saturating_add);
    let mut taken = looks.iter().filter(showing).map(|look| look.pictures.need).fold(0, u32::saturating_add);
    let short = looks.iter().enumerate().filter(|(_, look)| showing(look) && look.fit.signs >= SHORT);
    let mut short: Vec<_> = short.map(|(place, look)| (look.pictures.need, place)).collect();
    short.sort_unstable_by(|one, other| other.cmp(one));
    let mut changes = Vec::new();
    for (need, place) in short {
        if changes.is_empty() || taken > room {
            taken = taken.saturating_sub(need);
            changes.push((place, true));
        }
    }
    let is_calm = looks.iter().all(|look| look.fit.signs == 0)
        && looks
            .iter()
            .filter_map(|look| look.fit.back)
            .all(|back| now.saturating_duration_since(back) >= SETTLE);
    if changes.is_empty() && is_calm {
        let tries = looks.iter().all(|look| look.has_waited(now, TRIAL));
        let back = looks.iter().enumerate().filter(|(_, look)| look.may_come_back(now, tries));
        changes.extend(back.min_by_key(|(_, look)| look.pictures.need).map(|(place, _)| (place, false)));
    }
    for (place, starved) in &changes {
        if let Some(look) = looks.get_mut(*place) {
            if *starved { look.fit.starve(now) } else { look.fit.come_back(now) }
        }
    }
    changes
}

#[cfg(test)]
mod tests;
