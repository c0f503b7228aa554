//! As on the first day.

use super::{
    Database,
    failure::is_damage,
    open::{FILE, beside},
};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use sidetone_api::{Failure, FailureCode};
use std::{fs, io, path::Path};

impl Database {
    /// Deletes every row and overwrites what it was written on, in the file and beside it, and deletes the files that were
    /// moved aside or left alone. What the disk itself keeps of overwritten blocks is beyond a program's reach.
    ///
    /// # Errors
    /// What could not be deleted, in words.
    pub(crate) fn delete_everything(&mut self) -> Result<(), Failure> {
        let emptied = match empty(&self.connection) {
            Err(error) if is_damage(&error) || error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                self.begin_anew()
            }
            other => other.map_err(|error| self.failure(&error)),
        };
        let mut left = Vec::new();
        for file in std::mem::take(&mut self.left) {
            let all = beside(&file).into_iter().chain([file.clone()]);
            if all.map(|file| remove(&file)).filter(Result::is_err).count() > 0 {
                left.push(file);
            }
        }
        let names: Vec<_> = left.iter().map(|file| file.display().to_string()).collect();
        self.left = left;
        emptied?;
        if names.is_empty() {
            return Ok(());
        }
        Err(Failure::new(FailureCode::Storage, format!("this could not be deleted: {}", names.join(", "))))
    }

    /// Where there is no room to delete in: away with the whole file.
    fn begin_anew(&mut self) -> Result<(), Failure> {
        let Some(file) = self.file.clone() else { return Ok(()) };
        let memory = Connection::open_in_memory().map_err(|error| self.failure(&error))?;
        drop(std::mem::replace(&mut self.connection, memory));
        for file in beside(&file).into_iter().chain([file.clone()]) {
            remove(&file).map_err(|error| {
                Failure::new(FailureCode::Storage, format!("{}: {error}", file.display()))
            })?;
        }
        let folder = file.parent().filter(|_| file.ends_with(FILE));
        if let Some((new, _)) = Self::open(folder, 0) {
            (self.connection, self.file) = (new.connection, new.file);
        }
        Ok(())
    }
}

fn empty(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA secure_delete = ON")?;
    // Dropped, it is undone: a part that fails leaves no transaction open for the next job.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch("DELETE FROM history; DELETE FROM contact; DELETE FROM outbox;")?;
    transaction.commit()?;
    connection.execute_batch("VACUUM")?;
    let busy: bool = connection.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(error, None));
    }
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
