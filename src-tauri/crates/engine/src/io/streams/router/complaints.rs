//! How often one player among several may have a key frame: each costs all the others bits.

use super::{Key, Router};
use std::time::{Duration, Instant};

/// One in so long ...
const EACH: Duration = Duration::from_secs(2);
/// ... and so much of that at once: three in a row.
const AHEAD: Duration = Duration::from_secs(4);

#[derive(Debug, Default)]
pub(super) struct Complaints(Option<Instant>);

impl Complaints {
    /// When it may have one: now, where that is taken for it, or later.
    fn take(&mut self, now: Instant) -> Instant {
        let paid = self.0.unwrap_or(now).max(now);
        if paid > now + AHEAD {
            return paid.checked_sub(AHEAD).unwrap_or(now);
        }
        self.0 = Some(paid + EACH);
        now
    }
}

impl Router {
    /// A player cannot go on without a key frame. Where others look at the same, one that wants them again and again waits longer.
    pub(super) fn complain(&mut self, now: Instant, player: Key, publisher: Key, layer: u8) {
        let Some(found) = self.publishers.get_mut(&publisher) else { return };
        if found.players.len() > 1
            && let Some(complaining) = self.players.get_mut(&player)
        {
            let at = complaining.complaints.take(now);
            if at > now {
                if let Some(layer) = found.layers.get_mut(usize::from(layer)) {
                    layer.want_key_at(at);
                }
                return;
            }
        }
        self.want_key(now, publisher, layer);
    }
}
