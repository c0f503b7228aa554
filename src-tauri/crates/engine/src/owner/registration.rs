//! What registrars answer, told as statuses by their causes.

use super::{Owner, text};
use sidetone_api::{ConnectionStatus, Event, RegistrationStatus, SessionId};
use sidetone_sip::{Cause, FailureKind, Hop, RegistrationId, Transport};
use std::time::Duration;

impl Owner {
    pub(super) fn on_registered(&mut self, registration: RegistrationId, hop: &Hop, expires: Duration) {
        let Some(id) = self.open_session_of(registration) else { return };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.server = Some(hop.remote);
            session.near = Some(hop.local).filter(|_| hop.transport != Transport::Udp);
        }
        self.reached(&id, hop);
        self.set_connection(&id, ConnectionStatus::Established, &hop.to_string());
        self.set_registered(
            &id,
            RegistrationStatus::Registered,
            &format!("for {} s", expires.as_secs()),
            false,
        );
        self.start_services(registration);
    }

    pub(super) fn on_registration_failed(
        &mut self,
        registration: RegistrationId,
        cause: &Cause,
        kind: FailureKind,
        retry_in: Option<Duration>,
    ) {
        let Some(id) = self.open_session_of(registration) else { return };
        let again = retry_in
            .map(|pause| format!("; trying again in {} s", pause.as_secs().max(1)))
            .unwrap_or_default();
        let info = format!("{cause}{again}");
        let without_password = self.sessions.get(&id).is_some_and(|session| session.credentials.is_none());
        match kind {
            FailureKind::Unreachable => {
                self.lose_connection(&id, &cause.to_string());
                self.set_registered(&id, RegistrationStatus::Unregistered, &info, false);
            }
            FailureKind::Refused => {
                self.set_connection(&id, ConnectionStatus::Established, &cause.to_string());
                self.set_registered(&id, RegistrationStatus::Unregistered, &info, false);
            }
            FailureKind::AuthenticationFailed => {
                self.set_connection(&id, ConnectionStatus::Established, &cause.to_string());
                let needed = without_password && cause.code != 403;
                if needed {
                    let info = "the registrar asks for a password";
                    self.set_registered(&id, RegistrationStatus::Unregistered, info, true);
                } else {
                    self.set_registered(&id, RegistrationStatus::AuthenticationFail, &info, false);
                }
            }
        }
    }

    pub(super) fn on_unregistered(&mut self, registration: RegistrationId, reason: &str) {
        let Some(id) = self.session_of(registration) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.registration = None;
        let was_registered = session.registered == Some(RegistrationStatus::Registered);
        if was_registered || !session.is_closing() {
            self.set_registered(&id, RegistrationStatus::Unregistered, reason, false);
        }
        self.close_when_left(&id);
    }

    fn session_of(&self, registration: RegistrationId) -> Option<SessionId> {
        let mut sessions = self.sessions.values();
        sessions.find(|session| session.registration == Some(registration)).map(|session| session.id.clone())
    }

    pub(super) fn open_session_of(&self, registration: RegistrationId) -> Option<SessionId> {
        self.session_of(registration).filter(|id| self.open_session(id).is_ok())
    }

    pub(super) fn lose_connection(&mut self, id: &SessionId, info: &str) {
        let status = match self.sessions.get(id).and_then(|session| session.connection) {
            Some(ConnectionStatus::Established | ConnectionStatus::Disconnected) => {
                ConnectionStatus::Disconnected
            }
            Some(ConnectionStatus::Failed) | None => ConnectionStatus::Failed,
        };
        self.set_connection(id, status, info);
    }

    pub(super) fn set_connection(&mut self, id: &SessionId, status: ConnectionStatus, info: &str) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.connection == Some(status) {
            return;
        }
        let info = text::shown(info);
        session.connection = Some(status);
        if status != ConnectionStatus::Established {
            session.signalling = None;
        }
        session.connection_info.clone_from(&info);
        self.publish(Event::ConnectionStatusEvent { status, session_id: id.clone(), info });
        self.publish_session(id);
    }

    pub(super) fn set_registered(
        &mut self,
        id: &SessionId,
        status: RegistrationStatus,
        info: &str,
        password_needed: bool,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let info = text::shown(info);
        let news = session.registered != Some(status);
        // A refresh is no news; another reason for the same trouble is.
        if !news && (status == RegistrationStatus::Registered || session.registered_info == info) {
            return;
        }
        session.registered = Some(status);
        session.registered_info.clone_from(&info);
        session.password_needed = password_needed;
        if news {
            self.publish(Event::RegistrationStatusEvent { status, session_id: id.clone(), info });
        }
        self.publish_session(id);
    }

    pub(super) fn publish_session(&mut self, id: &SessionId) {
        if let Some(session) = self.sessions.get(id).map(|session| self.session_view(session)) {
            self.publish(Event::SessionChanged { session });
        }
    }
}
