//! Waiting for the registrar's decision.

use super::{Client, Connected, Next};
use crate::exit::{Error, Exit};
use sidetone_api::{ConnectionStatus, Event, RegistrationStatus};

impl Connected {
    /// Returns when the session can place and take calls: once registered, or at once where it does not register.
    ///
    /// # Errors
    /// Exit code 2 where the registrar cannot be reached, 3 where it refuses.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        if !self.registers {
            return Ok(());
        }
        let mut unreachable = None;
        loop {
            let (connection, registration) = match self.client.next(None).await {
                Next::Event(envelope) => match &envelope.event {
                    Event::ConnectionStatusEvent { status, session_id, info }
                        if *session_id == self.session =>
                    {
                        (Some((*status, info.clone())), None)
                    }
                    Event::RegistrationStatusEvent { status, session_id, info }
                        if *session_id == self.session =>
                    {
                        (None, Some((*status, info.clone())))
                    }
                    Event::SessionClosed { session_id } if *session_id == self.session => {
                        return Err(Error::new(Exit::Internal, "the session was closed"));
                    }
                    _ => continue,
                },
                Next::Behind(snapshot) => {
                    let session =
                        snapshot.sessions.into_iter().find(|session| session.session_id == self.session);
                    let Some(session) = session else {
                        return Err(Error::new(Exit::Internal, "the session was closed"));
                    };
                    let connection = session.connection.map(|status| (status, session.connection_info));
                    (connection, session.registration.map(|status| (status, session.registration_info)))
                }
                Next::Interrupted => return Err(Client::interrupted()),
                Next::Deadline => continue,
                Next::Ended => return Err(Client::ended()),
            };
            if let Some((status, info)) = connection {
                unreachable = (status != ConnectionStatus::Established).then_some(info);
            }
            match (registration, &unreachable) {
                (Some((RegistrationStatus::Registered, _)), _) => return Ok(()),
                (_, Some(why)) => {
                    return Err(Error::new(
                        Exit::Network,
                        format!("the registrar of {} does not answer: {why}", self.aor),
                    ));
                }
                (Some((_, why)), None) => {
                    return Err(Error::new(
                        Exit::Registration,
                        format!("{} is not registered: {why}", self.aor),
                    ));
                }
                (None, None) => {}
            }
        }
    }
}

impl Client {
    pub(crate) fn interrupted() -> Error {
        Error::new(Exit::Interrupted, "interrupted")
    }

    pub(crate) fn ended() -> Error {
        Error::new(Exit::Internal, "the engine has stopped")
    }
}
