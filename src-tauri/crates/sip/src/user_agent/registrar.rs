//! REGISTER in, and the callers that the registrar knows.

use std::time::Instant;

use crate::message::Request;
use crate::registrar::Caller;

use super::event::Event;
use super::hop::Hop;
use super::{Due, UserAgent};

impl UserAgent {
    pub(super) fn on_register(&mut self, now: Instant, request: &Request, hop: Hop) {
        let tag = self.stateless_tag(&request.headers);
        let Some(registrar) = &mut self.registrar else { return };
        let registered = registrar.on_register(now, request, hop, &tag);
        self.respond_with(now, request, hop, registered.response);
        self.on_bindings_changed(registered.changed.into_iter().collect());
    }

    /// The user who calls, if the registrar has to know: `Err` if the INVITE was refused. Calls to the Contact of one of our own
    /// registrations come from other domains and are not asked.
    pub(super) fn authenticate_invite(
        &mut self,
        now: Instant,
        request: &Request,
        hop: Hop,
        called_by_registrar: bool,
    ) -> Result<Option<String>, ()> {
        let tag = self.stateless_tag(&request.headers);
        let Some(registrar) = self.registrar.as_mut().filter(|_| !called_by_registrar) else {
            return Ok(None);
        };
        match registrar.check_caller(now, request, &tag) {
            Caller::Unchecked => Ok(None),
            Caller::User(user) => Ok(Some(user)),
            Caller::Refused(response) => {
                self.respond_stateless(hop, response);
                Err(())
            }
        }
    }

    pub(super) fn on_registrar_flow_closed(&mut self, _now: Instant, hop: &Hop) {
        let Some(registrar) = &mut self.registrar else { return };
        let changed = registrar.on_flow_closed(hop);
        self.on_bindings_changed(changed);
    }

    pub(super) fn on_bindings_timer(&mut self, now: Instant) {
        let Some(registrar) = &mut self.registrar else { return };
        let changed = registrar.on_timer(now);
        self.on_bindings_changed(changed);
    }

    fn on_bindings_changed(&mut self, users: Vec<String>) {
        let Some(registrar) = &self.registrar else { return };
        self.deadlines.set(Due::Bindings, registrar.next_deadline());
        let events: Vec<Event> = users
            .into_iter()
            .map(|user| Event::BindingsChanged { bindings: registrar.bindings(&user), user })
            .collect();
        events.into_iter().for_each(|event| self.emit(event));
    }
}
