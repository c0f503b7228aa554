//! `answer`: one call in.

use super::follow::{Outcome, follow};
use crate::{
    arguments::CallVideo,
    client::{Client, Connected, Next},
    exit::{Error, Exit},
};
use sidetone_api::{CallDirection, CallId, CallStatus, Command, Event};
use std::time::Duration;

pub(super) async fn run(
    connected: &mut Connected,
    limit: Option<Duration>,
    video: &CallVideo,
) -> Result<Exit, Error> {
    connected.ready().await?;
    let aor = connected.session.aor.clone();
    connected.client.say(&format!("waiting for a call to {aor}"));
    loop {
        let Some(call) = incoming(&mut connected.client).await? else { return Ok(Exit::Interrupted) };
        // A caller who has hung up already is no reason to end.
        let command = Command::Answer { call_id: call.clone(), video: video.video };
        if connected.client.command(command).await.is_err() {
            continue;
        }
        match follow(&mut connected.client, &call, limit, video).await? {
            Outcome::Ended { status: CallStatus::Finish, established: false } => {}
            Outcome::Ended { status, established } => return Ok(Exit::of_call(status, established)),
            Outcome::TimeIsUp => return Ok(Exit::Done),
            Outcome::Interrupted => return Ok(Exit::Interrupted),
        }
    }
}

/// The next call that comes in; `None` when interrupted.
async fn incoming(client: &mut Client) -> Result<Option<CallId>, Error> {
    loop {
        match client.next(None).await {
            Next::Event(envelope) => {
                if let Event::OnCallEvent { call_id, .. } = &envelope.event {
                    return Ok(Some(call_id.clone()));
                }
            }
            Next::Behind(snapshot) => {
                let waiting =
                    |direction, status| direction == CallDirection::Incoming && status == CallStatus::Ring;
                let call = snapshot.calls.into_iter().find(|call| waiting(call.direction, call.status));
                if let Some(call) = call {
                    return Ok(Some(call.call_id));
                }
            }
            Next::Interrupted => return Ok(None),
            Next::Deadline => {}
            Next::Ended => return Err(Client::ended()),
        }
    }
}
