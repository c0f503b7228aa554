use std::time::{Duration, Instant};

/// How long the rate is measured before it is believed.
const WINDOW: Duration = Duration::from_secs(1);

/// Change from what was told last that is worth telling, as a part of it.
const WORTH_TELLING: f32 = 0.15;

/// A gap of more intervals than this is one in which pictures were left out, where it stands alone: what follows it is not to get
/// the bits of all of it. Of a source that has become slower each counts as so many, so that it is believed step by step.
const LONGEST_GAP: f32 = 3.0;

/// Measures how many pictures a second really come. An encoder that is told more than that spends too few bits on each; one that is
/// told less, since pictures were left out for a while, gives the next one all their bits.
#[derive(Debug)]
pub(super) struct FrameRateMeter {
    told: f32,
    most: f32,
    since: Option<Instant>,
    last: Option<Instant>,
    /// The last gap was such a one.
    after_gap: bool,
    span: f32,
    pictures: u32,
}

impl FrameRateMeter {
    pub(super) fn new(configured: u32) -> Self {
        let configured = configured as f32;
        Self {
            told: configured,
            most: configured,
            since: None,
            last: None,
            after_gap: false,
            span: 0.0,
            pictures: 0,
        }
    }

    /// What was given last.
    pub(super) fn rate(&self) -> f32 {
        self.told
    }

    /// Counts a picture; gives the rate when it is another than before.
    pub(super) fn next(&mut self, captured: Instant) -> Option<f32> {
        let since = *self.since.get_or_insert(captured);
        let last = self.last.replace(captured)?;
        let (gap, longest) =
            (captured.saturating_duration_since(last).as_secs_f32(), LONGEST_GAP / self.told);
        if !std::mem::replace(&mut self.after_gap, gap > longest) && gap > longest {
            (self.since, self.span, self.pictures) = (Some(captured), 0.0, 0);
            return None;
        }
        self.pictures += 1;
        self.span += gap.min(longest);
        if captured.saturating_duration_since(since) < WINDOW {
            return None;
        }
        let rate = (self.pictures as f32 / self.span).clamp(1.0, self.most.max(1.0));
        (self.since, self.span, self.pictures) = (Some(captured), 0.0, 0);
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

    #[test]
    fn a_gap_is_no_slower_source_and_a_slower_source_is_believed_after_some_pictures() {
        let mut at = Instant::now();
        for pictures in 30..62 {
            let mut meter = FrameRateMeter::new(30);
            for _ in 0..pictures {
                at += Duration::from_micros(33_333);
                meter.next(at);
            }
            at += Duration::from_secs(2);
            meter.next(at);
            for _ in 0..60 {
                at += Duration::from_micros(33_333);
                meter.next(at);
            }
            assert!(meter.rate() > 25.0, "{} after a gap", meter.rate());
            for _ in 0..8 {
                at += Duration::from_secs(1);
                meter.next(at);
            }
            assert!(meter.rate() < 1.2, "{} of 1", meter.rate());
        }
    }
}
