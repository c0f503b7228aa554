//! One call from here to its end.

use super::film::Film;
use crate::{
    arguments::{CallVideo, Screen},
    client::{Client, Next},
    exit::Error,
};
use sidetone_api::{CallId, CallStatus, CallView, Command, Event, Snapshot, StreamId};
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
/// meanwhile are declined as busy. Its pictures go where `video` says.
pub(super) async fn follow(
    client: &mut Client,
    call: &CallId,
    limit: Option<Duration>,
    video: &CallVideo,
) -> Result<Outcome, Error> {
    let mut pictures = Pictures { call, video, film: None };
    let outcome = until_end(client, call, limit, &mut pictures).await;
    if let Some(film) = pictures.film {
        film.end().await?;
    }
    outcome
}

/// What is done with the video of a call.
struct Pictures<'a> {
    call: &'a CallId,
    video: &'a CallVideo,
    film: Option<Film>,
}

impl Pictures<'_> {
    async fn on_view(&mut self, client: &Client, view: &CallView) -> Result<(), Error> {
        let Some(seen) = view.video.as_ref().filter(|_| view.call_id == *self.call) else { return Ok(()) };
        if let (None, Screen::File(path)) = (&self.film, &self.video.video_out) {
            // It may have ended this very moment.
            let pictures = client.handle().pictures(StreamId::new(self.call.as_str())).await;
            self.film = pictures.ok().map(|pictures| Film::begin(path.clone(), pictures)).transpose()?;
        }
        let answered = matches!(view.status, CallStatus::Established | CallStatus::Hold);
        if seen.requested && answered {
            let command = Command::SetCallVideo { call_id: self.call.clone(), on: self.video.video };
            let _ = client.command(command).await;
        }
        Ok(())
    }
}

async fn until_end(
    client: &mut Client,
    call: &CallId,
    limit: Option<Duration>,
    pictures: &mut Pictures<'_>,
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
                Event::CallChanged { call: view } => {
                    pictures.on_view(client, view).await?;
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
