//! `register`: stay reachable.

use crate::{
    client::{Client, Connected, Next},
    exit::{Error, Exit},
};
use sidetone_api::{Event, RegistrationStatus};
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn run(connected: &mut Connected, limit: Option<Duration>) -> Result<Exit, Error> {
    if !connected.session.registers {
        return Err(Error::usage(
            "register: this account does not register (`register = false` or --no-register)",
        ));
    }
    connected.ready().await?;
    let deadline = limit.map(|limit| Instant::now() + limit);
    loop {
        match connected.client.next(deadline).await {
            Next::Event(envelope) => match &envelope.event {
                // Anything else that is lost is tried again.
                Event::RegistrationStatusEvent {
                    status: RegistrationStatus::AuthenticationFail,
                    session_id,
                    info,
                } if *session_id == connected.session.id => {
                    return Err(Error::new(Exit::Registration, info.clone()));
                }
                _ => {}
            },
            Next::Behind(_) => {}
            Next::Deadline | Next::Interrupted => return Ok(Exit::Done),
            Next::Ended => return Err(Client::ended()),
        }
    }
}
