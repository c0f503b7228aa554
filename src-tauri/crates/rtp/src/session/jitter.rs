use std::time::{Duration, Instant};

/// Interarrival jitter (RFC 3550 appendix A.8), in timestamp units times 16.
#[derive(Debug, Clone, Default)]
pub(super) struct Jitter {
    scaled: u64,
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    arrival: Instant,
    timestamp: u32,
    clock_rate: u32,
}

impl Jitter {
    pub(super) fn update(&mut self, arrival: Instant, timestamp: u32, clock_rate: u32) {
        let last = self.last.replace(Last { arrival, timestamp, clock_rate });
        let Some(last) = last.filter(|last| last.clock_rate == clock_rate) else { return };
        let elapsed = units(arrival.saturating_duration_since(last.arrival), clock_rate);
        let advanced = i64::from(timestamp.wrapping_sub(last.timestamp) as i32);
        let deviation = (elapsed - advanced).unsigned_abs();
        // A timestamp that leaps by more than 10 s is a new timeline, not a late packet.
        if deviation > u64::from(clock_rate) * 10 {
            return;
        }
        self.scaled = self.scaled + deviation - ((self.scaled + 8) >> 4);
    }

    /// Timestamp units.
    pub(super) fn units(&self) -> u32 {
        u32::try_from(self.scaled >> 4).unwrap_or(u32::MAX)
    }

    pub(super) fn duration(&self) -> Duration {
        let rate = self.last.map_or(0, |last| last.clock_rate);
        to_duration(self.units(), rate)
    }
}

/// A time in timestamp units.
pub(super) fn units(time: Duration, clock_rate: u32) -> i64 {
    i64::try_from(time.as_nanos() * u128::from(clock_rate) / 1_000_000_000).unwrap_or(i64::MAX / 2)
}

pub(super) fn to_duration(units: u32, clock_rate: u32) -> Duration {
    match clock_rate {
        0 => Duration::ZERO,
        rate => Duration::from_nanos(u64::from(units) * 1_000_000_000 / u64::from(rate)),
    }
}
