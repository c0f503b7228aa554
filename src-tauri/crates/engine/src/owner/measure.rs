//! What is counted here, for the gateway's metrics.

use super::Owner;
use crate::{io::clock, metrics::Metrics};
use sidetone_api::RegistrationStatus;
use std::time::Duration;

impl Owner {
    pub(super) fn metrics(&self) -> Metrics {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (uptime, counted) = self.tally.counted();
        let is_registered = |registration| registration == Some(RegistrationStatus::Registered);
        let own = self.sessions.values().filter(|session| !session.is_of_client());
        let views: Vec<_> = own.map(|session| self.session_view(session).registration).collect();
        let streams = self.streams.views();
        let published =
            streams.iter().filter(|stream| stream.direction == sidetone_api::StreamDirection::Published);
        let published = count(published.count());
        let hooks = self.hooks.view();
        let rooms = self.room_views();
        let oldest = hooks.oldest.map_or(0, |oldest| clock::wallclock_ms().saturating_sub(oldest));
        Metrics {
            version: env!("CARGO_PKG_VERSION"),
            uptime,
            sessions: count(views.len()),
            registered: count(views.into_iter().filter(|registration| is_registered(*registration)).count()),
            extensions: count(self.exchange.view().extensions.len()),
            clients: u64::from(self.clients.listed().1),
            calls: count(self.calls.len()),
            published,
            played: count(streams.len()) - published,
            rooms: count(rooms.len()),
            participants: rooms.iter().map(|room| count(room.participants.len())).sum(),
            hooks_waiting: u64::from(hooks.waiting),
            hooks_failed: u64::from(hooks.failed),
            hooks_oldest: Duration::from_millis(oldest),
            counted,
        }
    }
}
