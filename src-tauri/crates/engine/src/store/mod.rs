//! History, contacts and the hooks' outbox on disk: SQLite, on a thread of its own behind a bounded queue, so that the owner never waits for a
//! disk. Jobs are done in the order in which they are asked.

mod contacts;
mod delete;
mod failure;
mod history;
mod import;
mod open;
mod outbox;
mod private;
mod schema;
#[cfg(test)]
mod tests;

pub(crate) use history::{MAX_PAGE, Page};
pub(crate) use import::{Import, Rules};
pub(crate) use private::create_folder;

use rusqlite::Connection;
use sidetone_api::{CallId, Contact, HistoryEntry, NoticeLevel};
use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    time::Duration,
};
use tokio::sync::oneshot;

/// Jobs that may wait for the disk.
const QUEUE: usize = 256;
/// How long the end of the engine waits for what has still to be written.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Entries of the history; beyond it the oldest go.
pub(super) const MAX_HISTORY: u32 = 200_000;
/// Addresses of one contact.
pub(crate) const MAX_ADDRESSES: usize = 32;
/// Contacts; a snapshot carries them all.
pub(crate) const MAX_CONTACTS: usize = 10_000;

type Job = Box<dyn FnOnce(&mut Database) + Send>;

/// The way to the database.
pub(crate) struct Store(SyncSender<Job>);

/// What the database held when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// Newest first.
    pub(crate) history: Vec<HistoryEntry>,
    /// Missed calls that nobody has looked at.
    pub(crate) unseen: Vec<CallId>,
    /// The newest outgoing call.
    pub(crate) last_called: Option<HistoryEntry>,
    pub(crate) contacts: Vec<Contact>,
    /// Events that the hooks' backend has not taken, oldest first.
    pub(crate) outbox: Vec<crate::hooks::Row>,
    /// What the user should know about the file.
    pub(crate) notices: Vec<(NoticeLevel, String)>,
}

impl Store {
    /// Opens the database in `folder`, or one in memory, and reads the `latest` entries.
    ///
    /// # Errors
    /// Where no thread can be started. A file that cannot be used is told in [`Opened::notices`].
    pub(crate) fn start(
        folder: Option<PathBuf>,
        latest: u32,
    ) -> io::Result<(Self, oneshot::Receiver<Opened>)> {
        let (jobs, inward) = sync_channel::<Job>(QUEUE);
        let (ready, opened) = oneshot::channel();
        let run = move || {
            let Some((mut database, opened)) = Database::open(folder.as_deref(), latest) else { return };
            let _ = ready.send(opened);
            for job in inward {
                job(&mut database);
            }
            database.close();
        };
        std::thread::Builder::new().name("store".into()).spawn(run)?;
        Ok((Self(jobs), opened))
    }

    /// Never waits. Where too many jobs wait already, this one is dropped with what it holds, and `false` comes back.
    pub(crate) fn ask(&self, job: impl FnOnce(&mut Database) + Send + 'static) -> bool {
        self.0.try_send(Box::new(job)).is_ok()
    }

    /// Waits until everything that was asked has been done, a few seconds at most.
    pub(crate) async fn finish(&self) {
        let (last, done) = oneshot::channel::<()>();
        if self.ask(move |database| {
            database.close();
            drop(last);
        }) {
            let _ = tokio::time::timeout(LAST_WORDS, done).await;
        }
    }
}

/// The database, on its thread.
pub(crate) struct Database {
    connection: Connection,
    /// `None`: in memory.
    file: Option<PathBuf>,
    /// Files with history or contacts that this run does not use: damaged ones, one of a newer version.
    left: Vec<PathBuf>,
    max_history: u32,
    added: u32,
}

impl Database {
    fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or_else(|| Path::new("memory"))
    }

    /// Brings everything into the one file and lets go of it.
    fn close(&mut self) {
        let _ = self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
        if let Ok(nothing) = Connection::open_in_memory() {
            self.connection = nothing;
        }
    }
}
