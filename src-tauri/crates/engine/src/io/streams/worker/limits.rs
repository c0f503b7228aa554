//! The gateway's streams are kept within what they may take of the network.

use super::Worker;
use crate::{
    io::streams::{
        News,
        limits::{Load, ceilings, has_room},
        peers::{Adopted, Role, Session, Use},
        router::{Key, Refused},
    },
    options::MediaLimits,
};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(900);
/// Looks in a row at a publisher that sends much more than it may before it is ended, as it does not know how to be told.
const MOST_OVER: u8 = 6;
/// Looks in a row at a player whose stream does not fit before it is told, and again after so many more.
const TOLD_AFTER: u8 = 3;
const TOLD_AGAIN: u8 = 10;

/// What is known of one peer.
#[derive(Debug, Default)]
pub(in super::super) struct Measured {
    at: Option<Instant>,
    octets: u64,
    kbit: u32,
    ceiling: Option<u32>,
    over: u8,
}

impl Worker {
    pub(super) fn set_limits(&mut self, limits: MediaLimits) {
        self.limits = limits;
    }

    /// Nothing is looked at where there is no limit.
    pub(super) fn is_limited(&self) -> bool {
        self.limits != MediaLimits::default() && !self.peers.sessions.is_empty()
    }

    /// Whether there is room for one more of the gateway's streams.
    pub(super) fn check_bandwidth(&self, adopted: &Adopted) -> Result<(), Refused> {
        let is_published = matches!(adopted.role, Role::Publisher { .. });
        let next = Load { session: adopted.session.clone(), is_published, kbit: 0 };
        let loads: Vec<_> = self.of_gateway().map(|(_, session)| load(session)).collect();
        if adopted.of != Use::Gateway || has_room(self.limits, loads.iter(), &next) {
            return Ok(());
        }
        Err(Refused::NoBandwidth)
    }

    fn of_gateway(&self) -> impl Iterator<Item = (&Key, &Session)> {
        self.peers.sessions.iter().filter(|(_, session)| session.of == Use::Gateway)
    }

    /// Measures, shares anew, and ends who does not keep to it.
    pub(super) fn look_at_bandwidth(&mut self, now: Instant) {
        if !self.is_limited() {
            return;
        }
        for session in self.peers.sessions.values_mut().filter(|session| session.of == Use::Gateway) {
            measure(now, session);
        }
        let (keys, loads): (Vec<Key>, Vec<Load>) =
            self.of_gateway().map(|(key, session)| (*key, load(session))).unzip();
        for (key, ceiling) in keys.into_iter().zip(ceilings(self.limits, &loads)) {
            self.limit(now, key, ceiling);
        }
    }

    fn limit(&mut self, now: Instant, key: Key, ceiling: Option<u32>) {
        let source = self.router.publisher_of(key);
        let source = source.and_then(|key| self.peers.sessions.get(&key)).map_or(0, |it| it.measured.kbit);
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let before = session.measured.ceiling;
        if differs(before, ceiling) {
            session.measured.ceiling = ceiling;
            session.peer.set_ceiling(now, ceiling.map(|kbit| u64::from(kbit) * 1_000));
        }
        // What was in force while it sent this.
        let Some(most) = before else { return self.peers.touch(key) };
        let is_published = matches!(session.role, Role::Publisher { .. });
        let kbit = if is_published { session.measured.kbit } else { source };
        let is_over = kbit > most + most / 4 + 50;
        session.measured.over = if is_over { session.measured.over.saturating_add(1) } else { 0 };
        let over = session.measured.over;
        self.peers.touch(key);
        if is_published && over >= MOST_OVER {
            let info = format!("Not enough bandwidth: {kbit}/{most} kbit/s");
            self.end_peer(now, key, &info, true);
        } else if !is_published && over >= TOLD_AFTER && (over - TOLD_AFTER).is_multiple_of(TOLD_AGAIN) {
            self.tell(News::NarrowPlayer { session: key, kbit, most });
        }
    }
}

fn load(session: &Session) -> Load {
    let is_published = matches!(session.role, Role::Publisher { .. });
    Load { session: session.client.clone(), is_published, kbit: session.measured.kbit }
}

fn measure(now: Instant, session: &mut Session) {
    let (sent, received) = session.peer.octets();
    let octets = if matches!(session.role, Role::Publisher { .. }) { received } else { sent };
    let known = &mut session.measured;
    let passed = known.at.map(|at| now.saturating_duration_since(at));
    if passed.is_some_and(|passed| passed < LOOK) {
        return;
    }
    if let Some(passed) = passed {
        let kbit = octets.saturating_sub(known.octets) as f64 * 8.0 / 1_000.0 / passed.as_secs_f64();
        known.kbit = kbit as u32;
    }
    (known.at, known.octets) = (Some(now), octets);
}

/// By more than a twentieth: each change is told.
fn differs(one: Option<u32>, other: Option<u32>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) * 20 > one,
        _ => one != other,
    }
}
