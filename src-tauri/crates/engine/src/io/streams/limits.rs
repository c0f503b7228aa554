//! How much of the network the gateway's streams may take: of one session in each direction, and in all. What there is goes to those
//! who have a use for it; nobody gets less than [`LEAST`], and where that is not left a stream does not begin.

use crate::options::{LEAST_KBIT as LEAST, MediaLimits};
use std::{collections::HashMap, sync::Arc};

/// A stream of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Load {
    /// Of all streams of one session; `None`: it is one by itself.
    pub(super) session: Option<Arc<str>>,
    pub(super) is_published: bool,
    /// Kbit/s of now.
    pub(super) kbit: u32,
}

/// Whether one more would leave the others enough.
pub(super) fn has_room<'a>(limits: MediaLimits, loads: impl Iterator<Item = &'a Load>, next: &Load) -> bool {
    let (mut all, mut of_session) = (1, 1);
    for load in loads {
        all += 1;
        of_session += u32::from(next.session.is_some() && is_beside(load, next));
    }
    let fits = |limit: Option<u32>, count: u32| limit.is_none_or(|limit| limit / count >= LEAST);
    fits(limits.kbit, all) && fits(limits.session_kbit, of_session)
}

/// What each may have, in their order, kbit/s; `None`: as much as it likes.
pub(super) fn ceilings(limits: MediaLimits, loads: &[Load]) -> Vec<Option<u32>> {
    let mut ceilings = vec![None; loads.len()];
    let mut lower = |places: &[usize], limit: u32| {
        let wanted: Vec<_> = places.iter().filter_map(|place| loads.get(*place)).map(wanted).collect();
        for (place, share) in places.iter().zip(shares(limit, &wanted)) {
            if let Some(ceiling) = ceilings.get_mut(*place) {
                *ceiling = Some(ceiling.map_or(share, |before: u32| before.min(share)));
            }
        }
    };
    if let Some(limit) = limits.kbit {
        lower(&(0..loads.len()).collect::<Vec<_>>(), limit);
    }
    if let Some(limit) = limits.session_kbit {
        let mut sessions: HashMap<(&str, bool), Vec<usize>> = HashMap::new();
        for (place, load) in loads.iter().enumerate() {
            match &load.session {
                Some(session) => sessions.entry((session, load.is_published)).or_default().push(place),
                None => lower(&[place], limit),
            }
        }
        sessions.values().for_each(|places| lower(places, limit));
    }
    ceilings
}

/// One that grows has room to.
fn wanted(load: &Load) -> u32 {
    (load.kbit + load.kbit / 4).max(LEAST)
}

/// Divides `limit` so that who wants little gets that, and the others the same of the rest.
fn shares(limit: u32, wanted: &[u32]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|place| wanted.get(*place));
    let (mut rest, mut shares) = (limit, vec![0; wanted.len()]);
    for (left, place) in (1..=u32::try_from(wanted.len()).unwrap_or(u32::MAX)).rev().zip(order) {
        let (Some(share), Some(wanted)) = (shares.get_mut(place), wanted.get(place)) else { continue };
        *share = (*wanted).min(rest / left);
        rest -= *share;
    }
    let beside = rest / u32::try_from(wanted.len()).unwrap_or(u32::MAX).max(1);
    shares.iter_mut().for_each(|share| *share = (*share + beside).max(LEAST));
    shares
}

fn is_beside(one: &Load, other: &Load) -> bool {
    one.session == other.session && one.is_published == other.is_published
}

#[cfg(test)]
mod tests {
    use super::{LEAST, Load, ceilings, has_room, shares};
    use crate::options::MediaLimits;

    fn load(session: &str, is_published: bool, kbit: u32) -> Load {
        let session = (!session.is_empty()).then(|| session.into());
        Load { session, is_published, kbit }
    }

    fn limits(session_kbit: u32, kbit: u32) -> MediaLimits {
        let some = |limit: u32| (limit > 0).then_some(limit);
        MediaLimits { session_kbit: some(session_kbit), kbit: some(kbit) }
    }

    #[test]
    fn who_wants_little_leaves_the_rest_to_the_others() {
        assert_eq!(shares(1_000, &[100, 2_000, 3_000]), [100, 450, 450]);
        // Nobody wants all of it: what is over is for all.
        assert_eq!(shares(1_000, &[100, 300]), [400, 600]);
        assert_eq!(shares(1_000, &[5_000]), [1_000]);
        assert_eq!(shares(150, &[5_000, 5_000]), [LEAST, LEAST]);
        assert!(shares(1_000, &[]).is_empty());
    }

    #[test]
    fn a_session_shares_its_limit_in_each_direction_and_all_share_that_of_the_gateway() {
        let loads = [
            load("a", true, 4_000),
            load("a", true, 4_000),
            load("a", false, 4_000),
            load("b", true, 4_000),
            load("", true, 4_000),
        ];
        assert_eq!(ceilings(limits(0, 0), &loads), [None; 5]);
        let of_session = [500, 500, 1_000, 1_000, 1_000].map(Some);
        assert_eq!(ceilings(limits(1_000, 0), &loads), of_session);
        assert_eq!(ceilings(limits(0, 2_000), &loads), [Some(400); 5]);
        let both = ceilings(limits(600, 2_000), &loads);
        assert_eq!(both, [300, 300, 400, 400, 400].map(Some));
    }

    #[test]
    fn a_stream_begins_only_where_each_has_something_left() {
        let loads = [load("a", true, 0), load("a", false, 0)];
        let fits = |limits, next: &Load| has_room(limits, loads.iter(), next);
        assert!(fits(limits(0, 0), &load("a", true, 0)));
        assert!(fits(limits(2 * LEAST, 0), &load("a", true, 0)));
        assert!(!fits(limits(2 * LEAST - 1, 0), &load("a", true, 0)));
        // Another session, the other direction, and one that is a session by itself.
        for next in [load("b", true, 0), load("", true, 0)] {
            assert!(fits(limits(LEAST, 0), &next), "{next:?}");
        }
        assert!(fits(limits(0, 3 * LEAST), &load("b", true, 0)));
        assert!(!fits(limits(0, 3 * LEAST - 1), &load("b", true, 0)));
    }
}
