//! How many bits the pictures may take, by what the far end's reports say of loss: there is nothing else that every SIP peer tells.
//! The rule is the loss-based one of WebRTC (draft-ietf-rmcat-gcc-02, section 6).

use std::time::{Duration, Instant};

/// Above the first, less is sent; below the second, more.
const HEAVY: f32 = 0.10;
const LIGHT: f32 = 0.02;
/// Of a report without loss.
const RISE: f32 = 1.08;
/// Bits that nobody sends are not counted on: more than this times what is sent is not allowed.
const HEADROOM: f32 = 2.0;
/// Reports that come closer together are of the same loss.
const APART: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the last report was taken, and what had been sent by then.
    last: Option<(Instant, u64)>,
    /// kbit/s; `None` while no loss has been reported.
    allowed: Option<f32>,
}

impl Rate {
    /// A report that came at `at`; `octets` were sent so far. Gives what is allowed where that changes, kbit/s.
    pub(super) fn on_report(&mut self, at: Instant, fraction_lost: f32, octets: u64) -> Option<u32> {
        let Some((before, sent)) = self.last else {
            self.last = Some((at, octets));
            return None;
        };
        let span = at.saturating_duration_since(before);
        if span < APART {
            return None;
        }
        self.last = Some((at, octets));
        let kbit = octets.saturating_sub(sent) as f32 * 8.0 / 1_000.0 / span.as_secs_f32();
        let next = match self.allowed {
            _ if fraction_lost > HEAVY => {
                kbit.min(self.allowed.unwrap_or(kbit)) * (1.0 - 0.5 * fraction_lost)
            }
            Some(allowed) if fraction_lost < LIGHT => (allowed * RISE).min((kbit * HEADROOM).max(allowed)),
            Some(_) | None => return None,
        };
        self.allowed = Some(next);
        Some((next as u32).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;
    use std::time::{Duration, Instant};

    const NOTHING: [u32; 0] = [];

    /// Reports once a second of one who sends so much; what is allowed after each.
    fn told(
        rate: &mut Rate,
        start: Instant,
        seconds: std::ops::Range<u64>,
        lost: f32,
        kbit: u64,
    ) -> Vec<u32> {
        let reports = seconds.map(|second| (start + Duration::from_secs(second), second * kbit * 125));
        reports.filter_map(|(at, octets)| rate.on_report(at, lost, octets)).collect()
    }

    #[test]
    fn without_loss_nothing_is_limited() {
        assert_eq!(told(&mut Rate::default(), Instant::now(), 0..20, 0.0, 1_000), NOTHING);
        assert_eq!(told(&mut Rate::default(), Instant::now(), 0..20, 0.05, 1_000), NOTHING);
    }

    #[test]
    fn heavy_loss_takes_half_of_itself_away_and_light_loss_gives_back_slowly() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        assert_eq!(told(&mut rate, start, 0..2, 0.2, 1_000), [900]);
        assert_eq!(told(&mut rate, start, 2..4, 0.2, 1_000), [810, 729]);
        assert_eq!(told(&mut rate, start, 4..6, 0.05, 1_000), NOTHING);
        let risen = told(&mut rate, start, 6..9, 0.0, 1_000);
        assert_eq!(risen, [787, 850, 918]);
        // What nobody sends is not saved up.
        let all = told(&mut rate, start, 9..60, 0.0, 1_000);
        assert!(all.iter().all(|kbit| *kbit <= 2_000), "{all:?}");
    }

    #[test]
    fn reports_in_a_burst_count_once() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        assert_eq!(rate.on_report(start, 0.5, 0), None);
        assert_eq!(rate.on_report(start + Duration::from_secs(1), 0.5, 125_000), Some(750));
        assert_eq!(rate.on_report(start + Duration::from_millis(1_100), 0.5, 130_000), None);
    }
}
