//! REGISTER out: the registrations of this user agent.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::digest::Authorizer;
use crate::message::{NameAddr, Response, Uri};
use crate::registration::{Registering, Registration as State, Verdict};

use super::attempt::{Attempt, Purpose};
use super::challenge::Login;
use super::event::{Event, RegistrationId};
use super::headers::{self, Binding, Contact};
use super::hop::Hop;
use super::outcome::Outcome;
use super::{Due, UserAgent};

pub use crate::registration::Settings as Registration;

impl UserAgent {
    /// Registers and keeps registered until `unregister`.
    pub fn register(&mut self, now: Instant, registration: Registration) -> RegistrationId {
        let id = RegistrationId(self.new_id());
        if let Some(credentials) = &registration.credentials {
            self.logins.insert(Login::Registration(id), Authorizer::new(credentials.clone()));
        }
        let (sip_id, from_tag, line) = (self.random.token(), self.random.token(), self.random.token());
        self.registrations.insert(id, State::new(registration, sip_id, from_tag, line));
        self.send_register(now, id, Registering::Bind);
        id
    }

    /// Removes the binding and stops trying. Ends with [`Event::Unregistered`], whatever the registrar says.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        if registration.is_leaving() {
            return;
        }
        let is_bound = registration.leave(now);
        if registration.is_busy() {
            return;
        }
        if is_bound {
            self.send_register(now, id, Registering::Remove);
        } else {
            self.forget_registration(id, "not registered".to_owned());
        }
    }

    /// Registers at once: the network came back, or the password was corrected by a new registration's user.
    pub fn refresh(&mut self, now: Instant, id: RegistrationId) {
        let free = |registration: &State| !registration.is_busy() && !registration.is_leaving();
        if self.registrations.get(&id).is_some_and(free) {
            self.send_register(now, id, Registering::Bind);
        }
    }

    /// Our address towards the registrar is this one by now: registers from there at once, and leaves a connection from another
    /// address behind, which would swallow what is sent.
    pub fn reregister_from(&mut self, now: Instant, id: RegistrationId, address: IpAddr) {
        let bound = self.registrations.get(&id).and_then(State::bound_over);
        if let Some(hop) = bound.filter(|hop| hop.transport.is_reliable() && hop.local.ip() != address) {
            self.on_flow_dead(now, hop, "our address has changed");
        }
        self.refresh(now, id);
    }

    fn send_register(&mut self, now: Instant, id: RegistrationId, what: Registering) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        let request = registration.request(what);
        let settings = registration.settings();
        let next = headers::next_hop(&request);
        let mut attempt = Attempt::new(Purpose::Register(id), request, next);
        let binding =
            settings.instance.clone().map(|instance| Binding { instance, outbound: settings.outbound });
        attempt.contact = Some(Contact {
            user: settings.aor.uri.user.clone(),
            line: Some(registration.line.clone()),
            binding,
            ..Contact::default()
        });
        // with outbound the new binding replaces the old one by its reg-id
        attempt.retired = registration.bound_over().filter(|_| !registration.has_outbound());
        attempt.transport = settings.transport;
        attempt.authority = settings.authority;
        attempt.login = Some(Login::Registration(id));
        attempt.own_route = true;
        self.deadlines.set(Due::Registration(id), None);
        let attempt_id = self.new_attempt_id();
        self.launch(now, attempt_id, attempt);
    }

    pub(super) fn on_register_outcome(
        &mut self,
        now: Instant,
        id: RegistrationId,
        attempt: Attempt,
        outcome: Outcome,
    ) {
        let chance = self.chance();
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        let verdict =
            registration.on_outcome(now, &outcome, attempt.hop, attempt.cseq(), &self.config, chance);
        let deadline = registration.next_deadline();
        let leaving = registration.is_leaving();
        self.deadlines.set(Due::Registration(id), deadline);
        self.update_flows(now);
        match verdict {
            Verdict::Registered { expires } => {
                let Some(hop) = attempt.hop else { return };
                let public = match &outcome {
                    Outcome::Response(response) => public_address(response, &hop),
                    _ => None,
                };
                self.emit(Event::Registered { id, expires, hop, public });
            }
            Verdict::Again if leaving => self.send_register(now, id, Registering::Remove),
            Verdict::Again => self.send_register(now, id, Registering::Bind),
            Verdict::Failed { cause, kind, retry_in } => {
                self.emit(Event::RegistrationFailed { id, cause, kind, retry_in });
            }
            Verdict::Gone { reason } => {
                self.forget_registration(id, reason);
                self.update_flows(now);
            }
        }
    }

    /// The proxies that requests of this registration's user have to pass, nearest first (RFC 3608); empty where the registrar named
    /// none, or while there is no registration.
    pub fn service_route(&self, id: RegistrationId) -> Vec<Uri> {
        self.registrations
            .get(&id)
            .map(|registration| registration.service_route().to_vec())
            .unwrap_or_default()
    }

    /// The address that reaches this device of the user from everywhere (RFC 5627), where the registrar gave one.
    pub fn gruu(&self, id: RegistrationId) -> Option<Uri> {
        self.registrations.get(&id)?.gruu(false).cloned()
    }

    /// The Contact of requests by `own`: the GRUU of its registration where there is one, the temporary one for the anonymous, and
    /// marked for replies over the flow of the registration where that is what the registrar supports.
    pub(super) fn contact_of(&self, own: &NameAddr, anonymous: bool) -> Contact {
        let is_own = |registration: &&State| {
            let aor = &registration.settings().aor.uri;
            aor.user == own.uri.user && aor.host == own.uri.host
        };
        let contact = Contact::of(own);
        match self.registrations.values().find(is_own) {
            Some(registration) => self.contact_by(registration, contact, anonymous),
            None if anonymous => Contact { user: None, ..contact },
            None => contact,
        }
    }

    fn contact_by(&self, registration: &State, contact: Contact, anonymous: bool) -> Contact {
        let user = if anonymous { None } else { contact.user };
        // Many registrars give one by default, before proxies that do not know what to do with it. Those that were set up for
        // outbound route it.
        let gruu = registration.gruu(anonymous).filter(|_| registration.has_outbound()).cloned();
        Contact { user, gruu, through_flow: registration.has_outbound(), ..Contact::default() }
    }

    /// The Contact of our side of a call that came to this Request-URI.
    pub(super) fn contact_called(&self, called: &Uri, id: Option<RegistrationId>) -> Contact {
        let contact = Contact { user: called.user.clone(), ..Contact::default() };
        match id.and_then(|id| self.registrations.get(&id)) {
            Some(registration) => self.contact_by(registration, contact, false),
            None => contact,
        }
    }

    fn forget_registration(&mut self, id: RegistrationId, reason: String) {
        if let Some(registration) = self.registrations.remove(&id) {
            self.trusted.forget(&registration.settings().aor.uri);
        }
        self.logins.remove(&Login::Registration(id));
        self.deadlines.set(Due::Registration(id), None);
        self.emit(Event::Unregistered { id, reason });
    }

    pub(super) fn on_registration_timer(&mut self, now: Instant, id: RegistrationId) {
        self.refresh(now, id);
    }

    pub(super) fn on_registration_flow_closed(&mut self, now: Instant, hop: &Hop) {
        for (id, registration) in &mut self.registrations {
            registration.on_flow_closed(now, hop);
            self.deadlines.set(Due::Registration(*id), registration.next_deadline());
        }
    }

    /// The registration whose Contact this Request-URI is.
    pub(super) fn registration_called(&self, uri: &Uri) -> Option<RegistrationId> {
        let line = uri.params.get("line")?;
        self.registrations.iter().find(|(_, registration)| registration.line == line).map(|(id, _)| *id)
    }
}

/// Our address as the peer saw it, if that is not the one we think we have.
fn public_address(response: &Response, hop: &Hop) -> Option<SocketAddr> {
    let via = response.headers.top_via().ok()?;
    let seen = SocketAddr::new(
        via.received().unwrap_or(hop.local.ip()),
        // the source port of a stream connection is never the one we listen on
        via.rport().filter(|_| !hop.transport.is_reliable()).unwrap_or(hop.local.port()),
    );
    (seen != hop.local).then_some(seen)
}
