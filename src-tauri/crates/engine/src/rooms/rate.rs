//! How much one participant may say.

use std::time::Instant;

/// One message to each of 32 participants, four times over, is said at once ...
const BURST: u32 = 128;
/// ... and so much each second for long.
const PER_SECOND: u32 = 32;

/// A bucket of things that can be said.
#[derive(Debug)]
pub(super) struct Rate {
    left: u32,
    filled: Option<Instant>,
}

impl Default for Rate {
    fn default() -> Self {
        Self { left: BURST, filled: None }
    }
}

impl Rate {
    /// False where it is too much.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let filled = *self.filled.get_or_insert(now);
        let passed = now.saturating_duration_since(filled);
        let more = (passed.as_millis() * u128::from(PER_SECOND) / 1_000).min(u128::from(BURST));
        let more = u32::try_from(more).unwrap_or(BURST);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            self.filled = Some(now);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
