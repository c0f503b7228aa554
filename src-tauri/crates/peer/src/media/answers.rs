use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Longest wait for an answer: beyond it a player would stand still.
const LONGEST: Duration = Duration::from_millis(200);
/// Packets of which it is not known yet which request was answered.
const OPEN: usize = 32;

/// How long the far end takes to send again what it is asked for: its way, its pacing, a busy machine. Smoothed as RFC 6298
/// smooths round trips.
#[derive(Debug, Default)]
pub(super) struct Answers {
    smoothed: Option<(Duration, Duration)>,
    /// Asked for more than once: how long after the first request it came.
    open: VecDeque<(u64, Duration)>,
}

impl Answers {
    /// What was asked for so often, first at `asked`, is here.
    pub(super) fn arrived(&mut self, now: Instant, number: u64, asked: Instant, times: u32) {
        let took = now.saturating_duration_since(asked);
        if times == 1 {
            return self.take(took);
        }
        if self.open.len() >= OPEN {
            self.open.pop_front();
        }
        self.open.push_back((number, took));
    }

    /// A retransmission came a second time: the first one answered the first request, the others were too early.
    pub(super) fn arrived_again(&mut self, number: u64) {
        if let Some(place) = self.open.iter().position(|(open, _)| *open == number)
            && let Some((_, took)) = self.open.remove(place)
        {
            self.take(took);
        }
    }

    fn take(&mut self, took: Duration) {
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2),
            Some((smoothed, variation)) => {
                ((smoothed * 7 + took) / 8, (variation * 3 + smoothed.abs_diff(took)) / 4)
            }
        });
    }

    /// Before this an answer may still be on its way.
    pub(super) fn patience(&self) -> Duration {
        let patience = self.smoothed.map(|(smoothed, variation)| smoothed + 4 * variation);
        patience.unwrap_or_default().min(LONGEST)
    }
}
