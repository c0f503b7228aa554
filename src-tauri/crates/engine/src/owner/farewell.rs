//! The end: hang up, unregister, stop, within a few seconds.

use super::Owner;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long hanging up and unregistering may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Farewell {
    pub(super) deadline: Instant,
    pub(super) done: Vec<oneshot::Sender<()>>,
}

impl Owner {
    pub(super) fn start_farewell(&mut self, done: Option<oneshot::Sender<()>>) {
        let deadline = Instant::now() + FAREWELL;
        let is_first = self.farewell.is_none();
        self.farewell.get_or_insert_with(|| Farewell { deadline, done: Vec::new() }).done.extend(done);
        if !is_first {
            return;
        }
        for call in self.calls.keys().cloned().collect::<Vec<_>>() {
            let _ = self.hang_up(&call);
        }
        for session in self.sessions.keys().cloned().collect::<Vec<_>>() {
            let _ = self.disconnect(&session);
        }
        self.refuse_arriving();
        self.end_rooms();
        self.end_clients();
        self.end_streams();
        self.exchange.hang_up_all();
    }

    pub(super) fn is_finished(&self) -> bool {
        let Some(farewell) = &self.farewell else { return false };
        (self.calls.is_empty()
            && self.sessions.is_empty()
            && self.streams.is_idle()
            && !self.streams.are_recorded()
            && self.exchange.is_idle()
            && self.phone.is_idle()
            && self.hooks.is_idle())
            || Instant::now() >= farewell.deadline
    }
}
