use std::time::{Duration, Instant};

/// Over so long the least way is known.
const WINDOW: Duration = Duration::from_secs(10);
/// A step of the far end's timestamps, no queue; in ms.
const STEP: f64 = 10_000.0;
const LONGEST: Duration = Duration::from_secs(1);

/// How long packets wait on their way, the repairs too: by how much longer than the shortest of the last seconds the way of
/// the newest picture was, from its timestamp.
#[derive(Debug, Default)]
pub(super) struct Queue {
    origin: Option<(Instant, u32)>,
    newest: u32,
    /// The least way of two windows, in ms.
    base: [Option<f64>; 2],
    since: Option<Instant>,
    wait: f64,
}

impl Queue {
    /// A packet that was sent for the first time.
    pub(super) fn arrived(&mut self, now: Instant, timestamp: u32, rate: u32) {
        let after = f64::from(timestamp.wrapping_sub(self.newest) as i32) * 1_000.0 / f64::from(rate.max(1));
        if self.since.is_some() && after < -STEP {
            *self = Self::default();
        }
        let (begun, first) = *self.origin.get_or_insert((now, timestamp));
        // Of a picture the packet that came first tells: its others were paced.
        if self.since.is_some() && after <= 0.0 {
            return;
        }
        self.newest = timestamp;
        let drawn = f64::from(timestamp.wrapping_sub(first) as i32) * 1_000.0 / f64::from(rate.max(1));
        let way = now.saturating_duration_since(begun).as_secs_f64() * 1_000.0 - drawn;
        let since = *self.since.get_or_insert(now);
        let least = self.base[0].into_iter().chain(self.base[1]).reduce(f64::min).unwrap_or(way);
        if (way - least).abs() > STEP {
            *self = Self::default();
            return self.arrived(now, timestamp, rate);
        }
        if now.saturating_duration_since(since) > WINDOW {
            // The way is told from here on, so that timestamps do not come round.
            let shift = way;
            self.base = [Some(0.0), self.base[0].map(|base| base - shift)];
            self.origin = Some((now, timestamp));
            self.since = Some(now);
            self.wait = self.base[1].map_or(0.0, |base| (-base).max(0.0));
            return;
        }
        self.base[0] = Some(self.base[0].map_or(way, |base| base.min(way)));
        self.wait = way - least.min(way);
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs_f64(self.wait.max(0.0) / 1_000.0).min(LONGEST)
    }
}
