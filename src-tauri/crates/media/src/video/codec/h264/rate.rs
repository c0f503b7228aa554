use std::time::{Duration, Instant};

/// How long the rate is measured before it is believed.
const WINDOW: Duration = Duration::from_secs(1);

/// Change from what was told last that is worth telling, as a part of it.
const WORTH_TELLING: f32 = 0.15;

/// Measures how many pictures a second really come. An encoder that is told more than that spends too few bits on each.
#[derive(Debug)]
pub(super) struct FrameRateMeter {
    told: f32,
    most: f32,
    since: Option<Instant>,
    pictures: u32,
}

impl FrameRateMeter {
    pub(super) fn new(configured: u32) -> Self {
        Self { told: configured as f32, most: configured as f32, since: None, pictures: 0 }
    }

    /// Counts a picture; gives the rate when it is another than before.
    pub(super) fn next(&mut self, captured: Instant) -> Option<f32> {
        let Some(since) = self.since else {
            self.since = Some(captured);
            return None;
        };
        self.pictures += 1;
        let span = captured.saturating_duration_since(since);
        if span < WINDOW {
            return None;
        }
        let rate = (self.pictures as f32 / span.as_secs_f32()).clamp(1.0, self.most);
        (self.since, self.pictures) = (Some(captured), 0);
        if (rate - self.told).abs() < self.told * WORTH_TELLING {
            return None;
        }
        self.told = rate;
        Some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_rate_that_really_comes_and_only_when_it_changed() {
        let start = Instant::now();
        let mut meter = FrameRateMeter::new(30);
        let told: Vec<(u64, f32)> = (0..60u64)
            .filter_map(|at| Some((at, meter.next(start + Duration::from_millis(at * 100))?)))
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, 10);
        assert!((told[0].1 - 10.0).abs() < 0.1);
    }
}
