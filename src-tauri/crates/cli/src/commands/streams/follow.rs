//! One stream from its command to its end.

use crate::{
    client::{Client, Next},
    exit::{Error, Exit},
};
use sidetone_api::{Command, Envelope, Event, Reply, StreamId, StreamStatus};
use std::time::Duration;
use tokio::time::Instant;

/// How long a stream may take to end after we stopped it: its session at the endpoint is deleted meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Stream {
    pub(super) id: StreamId,
    publishes: bool,
    live: bool,
    ended: bool,
}

/// What a stream did.
#[derive(Debug)]
pub(super) enum Seen {
    /// Anything that is not about its status.
    Event(std::sync::Arc<Envelope>),
    /// Its media flows, for the first time.
    Live,
    /// It is over, and not by us.
    Ended(Exit),
    Deadline,
    Interrupted,
}

impl Stream {
    /// Publishes or plays.
    ///
    /// # Errors
    /// The command was refused.
    pub(super) async fn begin(client: &Client, command: Command) -> Result<Self, Error> {
        let publishes = matches!(command, Command::PublishStream { .. });
        match client.command(command).await? {
            Reply::Stream { stream_id: id } => Ok(Self { id, publishes, live: false, ended: false }),
            other => Err(Error::new(Exit::Internal, format!("the command was answered by {other:?}"))),
        }
    }

    /// The next thing that happens.
    ///
    /// # Errors
    /// The engine has gone.
    pub(super) async fn next(
        &mut self,
        client: &mut Client,
        deadline: Option<Instant>,
    ) -> Result<Seen, Error> {
        loop {
            let status = match client.next(deadline).await {
                Next::Event(envelope) => match &envelope.event {
                    Event::StreamStatusEvent { status, stream_id, .. } if *stream_id == self.id => *status,
                    _ => return Ok(Seen::Event(envelope)),
                },
                Next::Behind(snapshot) => {
                    match snapshot.streams.into_iter().find(|view| view.stream_id == self.id) {
                        Some(view) => match view.status {
                            Some(status) => status,
                            None => continue,
                        },
                        // Its last event was missed.
                        None => StreamStatus::Stopped,
                    }
                }
                Next::Deadline => return Ok(Seen::Deadline),
                Next::Interrupted => return Ok(Seen::Interrupted),
                Next::Ended => return Err(Client::ended()),
            };
            if status.is_end() {
                self.ended = true;
                let well = self.live && status != StreamStatus::Failed;
                return Ok(Seen::Ended(if well { Exit::Done } else { Exit::CallFailed }));
            }
            let flows = matches!(status, StreamStatus::Publishing | StreamStatus::Playing);
            if flows && !std::mem::replace(&mut self.live, true) {
                return Ok(Seen::Live);
            }
        }
    }

    /// To its end, or until `limit` after its media flowed first.
    pub(super) async fn rest(&mut self, client: &mut Client, limit: Option<Duration>) -> Result<Exit, Error> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            match self.next(client, deadline).await? {
                Seen::Event(_) | Seen::Live => {}
                Seen::Ended(exit) => return Ok(exit),
                Seen::Deadline => return Ok(Exit::Done),
                Seen::Interrupted => return Ok(Exit::Interrupted),
            }
        }
    }

    /// Until its media flows; else the exit code.
    pub(super) async fn until_live(&mut self, client: &mut Client) -> Result<Option<Exit>, Error> {
        loop {
            match self.next(client, None).await? {
                Seen::Live => return Ok(None),
                Seen::Event(_) | Seen::Deadline => {}
                Seen::Ended(exit) => return Ok(Some(exit)),
                Seen::Interrupted => return Ok(Some(Exit::Interrupted)),
            }
        }
    }

    /// Ends it, where it has not ended. A second Ctrl-C does not wait.
    pub(super) async fn stop(&mut self, client: &mut Client) {
        if self.ended {
            return;
        }
        let stream_id = self.id.clone();
        let command = match self.publishes {
            true => Command::UnPublishStream { stream_id },
            false => Command::StopStream { stream_id },
        };
        // It may have ended this very moment; then its last event is under way.
        let _ = client.command(command).await;
        let deadline = Some(Instant::now() + PATIENCE);
        while let Ok(Seen::Event(_) | Seen::Live) = self.next(client, deadline).await {}
    }
}
