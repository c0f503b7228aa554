//! Hops that failed: for a while they are tried last (RFC 3263 section 4.3).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::hop::{Flow, Hop};

const MAX_ENTRIES: usize = 256;
/// How long a hop that did not answer comes last.
const AVOIDED: Duration = Duration::from_secs(120);
/// A server may ask to be left alone for at most so long.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub(super) struct Avoided(HashMap<Flow, Instant>);

impl Avoided {
    /// It failed now; `retry_after` is what it said of itself.
    pub(super) fn add(&mut self, now: Instant, hop: &Hop, retry_after: Option<Duration>) {
        self.0.retain(|_, until| *until > now);
        if self.0.len() < MAX_ENTRIES {
            self.0.insert(hop.flow(), now + retry_after.unwrap_or(AVOIDED).min(LONGEST));
        }
    }

    /// It answered.
    pub(super) fn forget(&mut self, hop: &Hop) {
        self.0.remove(&hop.flow());
    }

    /// The same hops, those that failed behind the others.
    pub(super) fn sort(&self, now: Instant, hops: &mut [Hop]) {
        hops.sort_by_key(|hop| self.0.get(&hop.flow()).filter(|until| **until > now).copied());
    }
}
