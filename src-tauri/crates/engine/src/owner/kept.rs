//! What the database is asked, and what comes back of it.

use super::{Errand, Owner};
use crate::store::Database;
use sidetone_api::{Failure, FailureCode, NoticeLevel, Reply};
use std::{fmt, time::Duration};
use tokio::{sync::oneshot, time::timeout};

/// Where the answer to a command goes.
pub(super) type Answer = oneshot::Sender<Result<Reply, Failure>>;

/// How long a client waits for a disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Goes on in the owner with what the database gave.
pub(super) struct Stored(Box<dyn FnOnce(&mut Owner) + Send>);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

impl Owner {
    /// Carries a job to the database; `then` makes the answer of what came of it. A disk that hangs gives a failure after a
    /// while; what it does later still counts.
    pub(super) fn ask_store<T: Send + 'static>(
        &mut self,
        answer: Answer,
        job: impl FnOnce(&mut Database) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&mut Self, T) -> Result<Reply, Failure> + Send + 'static,
    ) {
        let (done, outcome) = oneshot::channel();
        self.in_store(job, move |owner, result| {
            let _ = done.send(result.and_then(|value| then(owner, value)));
        });
        tokio::spawn(async move {
            let late = || Err(Failure::new(FailureCode::Storage, "the disk does not answer"));
            let _ = answer.send(match timeout(PATIENCE, outcome).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) | Err(_) => late(),
            });
        });
    }

    /// For what nobody waits for: a failure is told once, until the disk takes something again.
    pub(super) fn keep_in_store<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Database) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&mut Self, T) + Send + 'static,
    ) {
        let asked = self.in_store(job, move |owner, result| match result {
            Ok(value) => {
                owner.history.trouble = None;
                then(owner, value);
            }
            Err(failure) => owner.tell_trouble(failure.message),
        });
        if !asked {
            self.tell_trouble("the disk does not answer".into());
        }
    }

    pub(super) fn in_store<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Database) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&mut Self, Result<T, Failure>) + Send + 'static,
    ) -> bool {
        let errands = self.errands.clone();
        self.store.ask(move |database| {
            let result = job(database);
            let stored = Stored(Box::new(move |owner| then(owner, result)));
            let _ = errands.blocking_send(Errand::Stored(stored));
        })
    }

    /// For files: on a thread of the job's own.
    pub(super) fn in_background<T: Send + 'static>(
        &mut self,
        job: impl FnOnce() -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&mut Self, Result<T, Failure>) + Send + 'static,
    ) {
        let errands = self.errands.clone();
        tokio::task::spawn_blocking(move || {
            let result = job();
            let stored = Stored(Box::new(move |owner| then(owner, result)));
            let _ = errands.blocking_send(Errand::Stored(stored));
        });
    }

    pub(super) fn on_stored(&mut self, stored: Stored) {
        (stored.0)(self);
    }

    pub(super) fn tell_trouble(&mut self, message: String) {
        if self.history.trouble.as_ref() == Some(&message) {
            return;
        }
        self.notice(NoticeLevel::Error, &format!("calls are not kept: {message}"), None);
        self.history.trouble = Some(message);
    }
}
