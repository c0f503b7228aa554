//! Wrong passwords, by where they come from.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Wrong ones from one address ...
const MOST: u32 = 10;
/// ... in this time; then it waits.
const WINDOW: Duration = Duration::from_secs(60);
const MOST_ADDRESSES: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Guesses(HashMap<IpAddr, (Instant, u32)>);

impl Guesses {
    /// False where it has guessed too often.
    pub(super) fn may(&mut self, now: Instant, from: IpAddr) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        match self.0.get(&from) {
            Some((since, _)) if is_over(*since) => {
                self.0.remove(&from);
                true
            }
            Some((_, wrong)) => *wrong < MOST,
            None => true,
        }
    }

    pub(super) fn wrong(&mut self, now: Instant, from: IpAddr) {
        if self.0.len() >= MOST_ADDRESSES {
            self.0.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
        }
        if self.0.len() < MOST_ADDRESSES {
            self.0.entry(from).or_insert((now, 0)).1 += 1;
        }
    }
}
