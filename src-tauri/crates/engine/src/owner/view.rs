//! The whole state as clients see it.

use super::{Owner, call::Call, session::Session};
use crate::io::clock;
use sidetone_api::{Event, Failure, FailureCode, GatewayView, SessionView, Snapshot};
use std::time::Instant;

impl Owner {
    /// Told after all events that led to it.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        if self.exchange.take_news() {
            self.tell_gateway();
        }
        self.tell_hooks_now();
        self.tell_rooms_now(Instant::now());
        Snapshot {
            streams: self.streams.views(),
            rooms: self.room_views(),
            seq: self.publisher.seq(),
            version: env!("CARGO_PKG_VERSION").into(),
            sessions: self
                .sessions
                .values()
                .filter(|session| !session.is_of_client())
                .map(|session| self.session_view(session))
                .collect(),
            calls: self.calls.values().filter(|call| call.is_ours()).map(Call::view).collect(),
            history: self.history.latest().cloned().collect(),
            missed_calls: self.history.missed_calls(),
            contacts: self.contacts.values().cloned().collect(),
            contact_states: self.services.contact_states(),
            devices: self.desk.view(),
            gateway: self.gateway_view(),
            hooks: self.hooks.view(),
            settings: self.settings.get().clone(),
        }
    }

    pub(super) fn session_view(&self, session: &Session) -> SessionView {
        SessionView { messages_waiting: self.services.messages_waiting(&session.id), ..session.view() }
    }

    /// Now, or a little later where it was told just now.
    pub(super) fn publish_gateway(&mut self) {
        if self.exchange.may_tell(Instant::now()) {
            self.tell_gateway();
        }
    }

    fn gateway_view(&self) -> GatewayView {
        let (clients, client_count) = self.clients.listed();
        GatewayView { streams: self.streams.listed(), clients, client_count, ..self.exchange.view() }
    }

    fn tell_gateway(&mut self) {
        let gateway = self.gateway_view();
        self.publish(Event::GatewayChanged { gateway });
    }

    pub(super) fn publish_devices(&mut self) {
        let devices = self.desk.view();
        self.publish(Event::DevicesChanged { devices });
    }
}

/// An id that sorts by the time it was given and that nobody gives again.
pub(super) fn new_id(prefix: &str) -> Result<String, Failure> {
    let random: [u8; 5] = clock::random()
        .map_err(|error| Failure::new(FailureCode::Limit, format!("no randomness: {error}")))?;
    let random = random.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    Ok(format!("{prefix}{:011x}{random:010x}", clock::wallclock_ms()))
}
