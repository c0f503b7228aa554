//! Waiting for the registrar's decision.

use super::{Client, Connected, Next, Session};
use crate::exit::{Error, Exit};
use sidetone_api::{ConnectionStatus, Envelope, Event, RegistrationStatus, SessionId, SessionView};

/// What has been heard of the link and of the registrar.
#[derive(Debug, Default)]
struct Heard {
    /// Why the link does not answer.
    unreachable: Option<String>,
    registration: Option<(RegistrationStatus, String)>,
}

impl Connected {
    /// Returns when the session can place and take calls: once registered, or at once where it does not register.
    ///
    /// # Errors
    /// Exit code 2 where the registrar cannot be reached, 3 where it refuses.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        if !self.session.registers {
            let session = self.session.id.clone();
            return if self.session.at_server { self.client.established(&session).await } else { Ok(()) };
        }
        let closed = || Error::new(Exit::Internal, "the session was closed");
        let mut heard = self.session.known.take().map(Heard::of).unwrap_or_default();
        while !heard.is_registered(&self.session.aor)? {
            match self.client.next(None).await {
                Next::Event(envelope) => heard.on_event(&self.session, &envelope).ok_or_else(closed)?,
                Next::Behind(snapshot) => {
                    let mut sessions = snapshot.sessions.into_iter();
                    let session = sessions.find(|session| session.session_id == self.session.id);
                    heard = Heard::of(session.ok_or_else(closed)?);
                }
                Next::Interrupted => return Err(Client::interrupted()),
                Next::Deadline => {}
                Next::Ended => return Err(Client::ended()),
            }
        }
        Ok(())
    }
}

impl Heard {
    fn of(session: SessionView) -> Self {
        let answers = session.connection.is_none_or(|status| status == ConnectionStatus::Established);
        Self {
            unreachable: (!answers).then_some(session.connection_info),
            registration: session.registration.map(|status| (status, session.registration_info)),
        }
    }

    /// `None`: the session has gone.
    fn on_event(&mut self, session: &Session, envelope: &Envelope) -> Option<()> {
        match &envelope.event {
            Event::ConnectionStatusEvent { status, session_id, info } if *session_id == session.id => {
                self.unreachable = (*status != ConnectionStatus::Established).then(|| info.clone());
            }
            Event::RegistrationStatusEvent { status, session_id, info } if *session_id == session.id => {
                self.registration = Some((*status, info.clone()));
            }
            Event::SessionClosed { session_id } if *session_id == session.id => return None,
            _ => {}
        }
        Some(())
    }

    /// False: not decided yet.
    fn is_registered(&self, aor: &str) -> Result<bool, Error> {
        match (&self.registration, &self.unreachable) {
            (Some((RegistrationStatus::Registered, _)), _) => Ok(true),
            (_, Some(why)) => {
                Err(Error::new(Exit::Network, format!("the registrar of {aor} does not answer: {why}")))
            }
            (Some((_, why)), None) => {
                Err(Error::new(Exit::Registration, format!("{aor} is not registered: {why}")))
            }
            (None, None) => Ok(false),
        }
    }
}

impl Client {
    /// Returns when the session stands.
    ///
    /// # Errors
    /// Exit code 2 where the server cannot be reached or refuses it.
    pub(crate) async fn established(&mut self, session: &SessionId) -> Result<(), Error> {
        loop {
            let (status, info) = match self.next(None).await {
                Next::Event(envelope) => match &envelope.event {
                    Event::ConnectionStatusEvent { status, session_id, info } if session_id == session => {
                        (*status, info.clone())
                    }
                    _ => continue,
                },
                Next::Behind(snapshot) => {
                    let view = snapshot.sessions.into_iter().find(|view| view.session_id == *session);
                    match view.and_then(|view| Some((view.connection?, view.connection_info))) {
                        Some(known) => known,
                        None => continue,
                    }
                }
                Next::Interrupted => return Err(Self::interrupted()),
                Next::Deadline => continue,
                Next::Ended => return Err(Self::ended()),
            };
            if status == ConnectionStatus::Established {
                return Ok(());
            }
            return Err(Error::new(Exit::Network, info));
        }
    }

    pub(crate) fn interrupted() -> Error {
        Error::new(Exit::Interrupted, "interrupted")
    }

    pub(crate) fn ended() -> Error {
        Error::new(Exit::Internal, "the engine has stopped")
    }
}
