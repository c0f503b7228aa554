//! One call from here to its end.

use crate::{
    client::{Client, Next},
    exit::Error,
};
use sidetone_api::{CallId, CallStatus, Command, Event, Snapshot};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call may take to end after we hung up.
const HANGUP_PATIENCE: Duration = Duration::from_secs(5);

/// How a call ended for us.
#[derive(Debug)]
pub(super) enum Outcome {
    /// By itself, or by the far end.
    Ended { status: CallStatus, established: bool },
    /// We hung up after `--for`.
    TimeIsUp,
    /// We hung up because we were told to end.
    Interrupted,
}

/// Prints events until `call` has ended. Hangs up `limit` after ESTABLISHED, or when interrupted. Other calls that come in
/// meanwhile are declined as busy.
pub(super) async fn follow(
    client: &mut Client,
    call: &CallId,
    limit: Option<Duration>,
) -> Result<Outcome, Error> {
    let mut established = false;
    let mut deadline = None;
    let mut hung_up: Option<Outcome> = None;
    loop {
        let status = match client.next(deadline).await {
            Next::Event(envelope) => match &envelope.event {
                Event::CallStatusEvent { status, call_id, .. } if call_id == call => *status,
                Event::OnCallEvent { call_id, .. } if call_id != call => {
                    let _ = client.command(Command::Hangup { call_id: call_id.clone() }).await;
                    continue;
                }
                _ => continue,
            },
            Next::Behind(snapshot) => match status_in(&snapshot, call) {
                Some(status) => status,
                None => continue,
            },
            Next::Ended => return Err(Client::ended()),
            // The far end does not answer our BYE, or the user has no patience for it.
            Next::Deadline | Next::Interrupted if hung_up.is_some() => {
                return Ok(hung_up.unwrap_or(Outcome::Interrupted));
            }
            end @ (Next::Deadline | Next::Interrupted) => {
                let by_time = matches!(end, Next::Deadline);
                hung_up = Some(if by_time { Outcome::TimeIsUp } else { Outcome::Interrupted });
                deadline = Some(Instant::now() + HANGUP_PATIENCE);
                // It may have ended this very moment; then its last event is under way.
                let _ = client.command(Command::Hangup { call_id: call.clone() }).await;
                continue;
            }
        };
        if status.is_end() {
            return Ok(hung_up.unwrap_or(Outcome::Ended { status, established }));
        }
        if status == CallStatus::Established && !established {
            established = true;
            if hung_up.is_none() {
                deadline = limit.map(|limit| Instant::now() + limit);
            }
        }
    }
}

fn status_in(snapshot: &Snapshot, call: &CallId) -> Option<CallStatus> {
    let alive = snapshot.calls.iter().find(|view| view.call_id == *call).map(|view| view.status);
    alive.or_else(|| snapshot.history.iter().find(|entry| entry.call_id == *call).map(|entry| entry.status))
}
