//! Deadlines by reason. No timer objects and no tasks: a table says which deadline is next.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// The base timer values of RFC 3261 table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// round-trip time estimate
    pub t1: Duration,
    /// longest retransmission interval of non-INVITE requests and INVITE responses
    pub t2: Duration,
    /// longest time a message stays in the network
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timers {
    /// 64*T1: the life of a transaction (timers B, F, H, J, L and M).
    pub fn transaction(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Timer D over UDP: "at least 32 seconds".
    pub(crate) fn wait_d(&self) -> Duration {
        self.transaction().max(Duration::from_secs(32))
    }
}

/// The running deadlines of one object. An object has few of them at a time.
#[derive(Debug, Clone)]
pub(crate) struct TimerTable<R> {
    running: Vec<(R, Instant)>,
}

impl<R: Copy + Eq> TimerTable<R> {
    pub(crate) const fn new() -> Self {
        Self { running: Vec::new() }
    }

    /// Starts or restarts the timer.
    pub(crate) fn set(&mut self, reason: R, at: Instant) {
        self.stop(reason);
        self.running.push((reason, at));
    }

    pub(crate) fn stop(&mut self, reason: R) {
        self.running.retain(|(running, _)| *running != reason);
    }

    pub(crate) fn keep_only(&mut self, reason: R) {
        self.running.retain(|(running, _)| *running == reason);
    }

    pub(crate) fn clear(&mut self) {
        self.running.clear();
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.running.iter().map(|(_, at)| *at).min()
    }

    /// Takes out the earliest timer that is due.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<R> {
        let (reason, _) = *self.running.iter().filter(|(_, at)| *at <= now).min_by_key(|(_, at)| *at)?;
        self.stop(reason);
        Some(reason)
    }
}

/// Which object has the next deadline, over all objects.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    order: BTreeSet<(Instant, K)>,
    by_key: HashMap<K, Instant>,
}

impl<K: Copy + Ord + Hash> Deadlines<K> {
    pub(crate) fn new() -> Self {
        Self { order: BTreeSet::new(), by_key: HashMap::new() }
    }

    pub(crate) fn set(&mut self, key: K, at: Option<Instant>) {
        if let Some(old) = self.by_key.remove(&key) {
            self.order.remove(&(old, key));
        }
        if let Some(at) = at {
            self.order.insert((at, key));
            self.by_key.insert(key, at);
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out the first key that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.set(key, None);
        Some(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_due_timer_comes_out_first_and_once() {
        let now = Instant::now();
        let mut table = TimerTable::new();
        table.set('b', now + Duration::from_secs(2));
        table.set('a', now + Duration::from_secs(1));
        assert_eq!(table.next(), Some(now + Duration::from_secs(1)));
        assert_eq!(table.expired(now), None);
        let late = now + Duration::from_secs(3);
        assert_eq!(table.expired(late), Some('a'));
        assert_eq!(table.expired(late), Some('b'));
        assert_eq!(table.expired(late), None);
    }

    #[test]
    fn setting_a_timer_again_replaces_its_deadline() {
        let now = Instant::now();
        let mut deadlines = Deadlines::new();
        deadlines.set(1, Some(now));
        deadlines.set(1, Some(now + Duration::from_secs(1)));
        assert_eq!(deadlines.pop(now), None);
        assert_eq!(deadlines.pop(now + Duration::from_secs(1)), Some(1));
        assert_eq!(deadlines.len(), 0);
    }
}
