//! What the accounts' user agent says, handed to whom it is about.

use super::{Owner, call::Arrival};
use sidetone_sip::Event;

impl Owner {
    pub(super) fn on_phone_event(&mut self, event: Event) {
        match event {
            Event::Registered { id, expires, hop, .. } => self.on_registered(id, &hop, expires),
            Event::RegistrationFailed { id, cause, kind, retry_in } => {
                self.on_registration_failed(id, &cause, kind, retry_in);
            }
            Event::Unregistered { id, reason } => self.on_unregistered(id, &reason),
            Event::OptionsAnswered { id, status, reason, hop } => {
                self.on_options_answered(id, status, &reason, hop.as_ref());
            }
            Event::Incoming {
                call, from, request_uri, headers, offer, hop, registration, replaces, ..
            } => {
                let arrival =
                    Arrival { sip: call, from, request_uri, offer, hop, headers, replaces, registration };
                self.on_incoming(arrival);
            }
            Event::Call { call, event } => self.on_call_event(call, event),
            Event::BindingsChanged { .. } => {}
            event => self.on_service_event(event),
        }
    }
}
