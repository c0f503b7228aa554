//! One engine, its events, and the user who may lose patience.

mod audio;
mod camera;
pub(crate) mod hooks;
mod open;
mod ready;

pub(crate) use audio::{check_file, check_folder, check_sink, check_source, devices};
pub(crate) use camera::{check_camera, find_camera, is_hardware};
pub(crate) use open::{Role, open};

use crate::{output::Output, signals::Interrupt};
use sidetone_api::{Command, Envelope, Failure, Reply, SessionId, SessionView, Snapshot};
use sidetone_engine::{Events, Handle};
use sidetone_gateway::Running;
use std::{future::pending, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};

/// How long hanging up and unregistering may take at the end. The engine's own bound is shorter.
const GOODBYE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Client {
    handle: Handle,
    events: Events,
    output: Output,
    interrupt: Interrupt,
    /// Pages, where this run started a gateway that others shall find.
    pages: Option<Running>,
    /// Nobody reads stdout any more.
    deaf: bool,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Next {
    /// Printed already.
    Event(Arc<Envelope>),
    /// Events were missed; this is the state after them.
    Behind(Box<Snapshot>),
    /// Ctrl-C and the like, or nobody reads stdout any more.
    Interrupted,
    Deadline,
    /// The engine has stopped.
    Ended,
}

/// A client with the session that its arguments ask for.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) client: Client,
    pub(crate) session: Session,
}

/// The one session that a run is about.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Whom others call to reach us.
    pub(crate) aor: String,
    /// It registers.
    pub(crate) registers: bool,
    /// At a Web Call Server.
    at_server: bool,
    /// How it was when we attached, where it is older than that.
    known: Option<SessionView>,
}

impl Client {
    pub(crate) async fn attach(
        handle: Handle,
        json: bool,
        interrupt: Interrupt,
    ) -> Result<(Self, Snapshot), Failure> {
        let (snapshot, events) = handle.attach().await?;
        let client = Self { handle, events, output: Output::new(json), interrupt, pages: None, deaf: false };
        Ok((client, snapshot))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// These pages close with the client.
    pub(crate) fn keep(&mut self, pages: Running) {
        self.pages = Some(pages);
    }

    pub(crate) async fn command(&self, command: Command) -> Result<Reply, Failure> {
        self.handle.command(command).await
    }

    /// The next thing that happens; may be dropped and called again. Prints events.
    pub(crate) async fn next(&mut self, deadline: Option<Instant>) -> Next {
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        let next = tokio::select! {
            biased;
            () = self.interrupt.next() => return Next::Interrupted,
            next = self.events.next() => next,
            () = late => return Next::Deadline,
        };
        match next {
            Some(sidetone_engine::Next::Event(envelope)) => {
                let printed = if self.deaf { Ok(()) } else { self.output.event(&envelope) };
                self.deaf |= printed.is_err();
                if printed.is_err() { Next::Interrupted } else { Next::Event(envelope) }
            }
            Some(sidetone_engine::Next::Lagged) => match self.handle.attach().await {
                Ok((snapshot, events)) => {
                    self.events = events;
                    Next::Behind(Box::new(snapshot))
                }
                Err(_) => Next::Ended,
            },
            None => Next::Ended,
        }
    }

    /// A line of our own in the readable form.
    pub(crate) fn say(&mut self, text: &str) {
        self.deaf = self.deaf || self.output.say(text).is_err();
    }

    /// A line in both forms. False: nobody reads stdout any more.
    pub(crate) fn line(&mut self, text: &str) -> bool {
        self.deaf = self.deaf || self.output.line(text).is_err();
        !self.deaf
    }

    /// Hangs up, unregisters, prints what comes of it. A second Ctrl-C ends it at once.
    pub(crate) async fn close(mut self) {
        if let Some(pages) = self.pages.take() {
            pages.stop().await;
        }
        let handle = self.handle.clone();
        let stop = tokio::spawn(async move { handle.shut_down().await });
        // The events end with the engine.
        let drain = async { while !matches!(self.next(None).await, Next::Ended | Next::Interrupted) {} };
        let _ = timeout(GOODBYE, drain).await;
        if self.deaf {
            let _ = timeout(GOODBYE, stop).await;
        }
    }
}
