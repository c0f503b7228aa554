//! What a peer knows of its path.

use crate::io::streams::{
    measure::Path,
    peers::{Peers, Role},
    router::Key,
};
use std::time::Instant;

/// What a peer of a stream of our own knows of its path; its counters go among the stream's.
pub(in super::super) fn path(peers: &mut Peers, now: Instant, key: Key) -> Path {
    let Some(session) = peers.sessions.get_mut(&key) else { return Path::default() };
    let statistics = session.peer.statistics(now);
    let round_trip = statistics.round_trip;
    let mut path =
        Path { round_trip_ms: round_trip.map(|time| time.as_secs_f32() * 1_000.0), ..Path::default() };
    match &session.role {
        Role::Sender { own, .. } => {
            let sending = &statistics.sending;
            path.available_kbit = Some(statistics.estimate as f32 / 1_000.0);
            let loss = sending.iter().map(|track| track.loss * 100.0).fold(0.0, f32::max);
            path.loss_percent = Some(loss);
            let lost = sending.iter().map(|track| u64::try_from(track.lost).unwrap_or(0)).sum();
            own.counters.lost.set(lost);
            own.counters.repaired.set(sending.iter().map(|track| track.resent).sum());
            let jitter = sending.iter().map(|track| track.jitter).max().unwrap_or_default();
            own.counters.jitter_ms.set(jitter.as_secs_f32() * 1_000.0);
        }
        Role::Receiver { own, sink } => {
            own.counters.repaired.set(statistics.receiving.iter().map(|track| track.repaired).sum());
            if let Some(time) = round_trip {
                sink.round_trip(time);
            }
        }
        Role::Publisher { .. } | Role::Player { .. } => {}
    }
    path
}
