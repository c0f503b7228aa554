//! The one deadline of a user agent, and who gets it.

use std::time::Instant;

use super::{Due, UserAgent};

impl UserAgent {
    /// Does everything that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.deadlines.pop(now) {
            match due {
                Due::Client(id) => self.on_client_timer(now, id),
                Due::Server(id) => self.on_server_timer(now, id),
                Due::Call(id) => self.on_call_timer(now, id),
                Due::Registration(id) => self.on_registration_timer(now, id),
                Due::Subscription(id) => self.on_subscription_timer(now, id),
                Due::Publication(id) => self.on_publication_timer(now, id),
                Due::Message(id) => self.on_message_timer(now, id),
                Due::KeepAlive(flow) => self.on_keep_alive_timer(now, flow),
                Due::Bindings => self.on_bindings_timer(now),
            }
        }
    }
}
