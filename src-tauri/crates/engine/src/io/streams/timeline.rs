//! Sound and pictures of one stream on one clock of ours.

use super::packet::{Clock, Kind};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What the sender's reports say of its clock, put beside our own when the first one came: all that is asked later is told
/// relative to that moment, so that times of sound and pictures fit together and no later report makes them jump for long.
#[derive(Debug, Default)]
pub(crate) struct Timeline(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    audio: Option<Report>,
    video: Option<Report>,
    /// The sender's time, in units of 2^-32 s, and ours.
    anchor: Option<(u64, Instant)>,
}

#[derive(Debug, Clone, Copy)]
struct Report {
    clock: Clock,
    rate: u32,
}

impl Timeline {
    /// A report of the sender that came at `now`; `rate` is the clock rate of the kind's timestamps.
    pub(crate) fn set(&self, now: Instant, kind: Kind, clock: Clock, rate: u32) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.anchor.get_or_insert((clock.ntp, now));
        let report = Some(Report { clock, rate: rate.max(1) });
        match kind {
            Kind::Audio => state.audio = report,
            Kind::Video => state.video = report,
        }
    }

    /// When what has this timestamp was captured; `None` before the first report of its kind.
    pub(crate) fn at(&self, kind: Kind, timestamp: u32) -> Option<Instant> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (anchor, ours) = state.anchor?;
        let report = match kind {
            Kind::Audio => state.audio?,
            Kind::Video => state.video?,
        };
        let ticks = timestamp.wrapping_sub(report.clock.timestamp) as i32;
        let reported = report.clock.ntp.wrapping_sub(anchor) as i64 as f64 / 4_294_967_296.0;
        let seconds = reported + f64::from(ticks) / f64::from(report.rate);
        let apart = Duration::try_from_secs_f64(seconds.abs()).ok()?;
        if seconds < 0.0 { ours.checked_sub(apart) } else { ours.checked_add(apart) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Kind, Timeline};
    use std::time::{Duration, Instant};

    #[test]
    fn what_was_captured_together_is_at_the_same_time() {
        let (timeline, now) = (Timeline::default(), Instant::now());
        assert_eq!(timeline.at(Kind::Audio, 0), None);
        let second = 1_u64 << 32;
        timeline.set(now, Kind::Video, Clock { ntp: 100 * second, timestamp: u32::MAX }, 90_000);
        timeline.set(now, Kind::Audio, Clock { ntp: 101 * second, timestamp: 48_000 }, 48_000);
        let video = timeline.at(Kind::Video, 90_000 - 1).unwrap();
        let audio = timeline.at(Kind::Audio, 48_000).unwrap();
        assert!(video.duration_since(now).abs_diff(Duration::from_secs(1)) < Duration::from_micros(1));
        assert!(audio.duration_since(now).abs_diff(Duration::from_secs(1)) < Duration::from_micros(1));
        assert!(timeline.at(Kind::Audio, 0).unwrap() <= now);
    }

    #[test]
    fn nonsense_of_a_sender_is_no_panic() {
        let (timeline, now) = (Timeline::default(), Instant::now());
        timeline.set(now, Kind::Video, Clock { ntp: 0, timestamp: 0 }, 0);
        timeline.set(now, Kind::Audio, Clock { ntp: u64::MAX / 2, timestamp: 7 }, 1);
        let _ = (timeline.at(Kind::Audio, u32::MAX / 2), timeline.at(Kind::Video, u32::MAX / 2 + 9));
    }
}
