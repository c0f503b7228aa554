//! The tables, and how older files become newer ones. A published step is never changed: a new one is added.

use super::history::folded;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

type Step = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// The step at index `n` leads to version `n + 1` (`PRAGMA user_version`).
pub(super) const STEPS: [Step; 3] = [tables, search, outbox];

pub(super) fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that are missing, all or none.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, newest())
}

pub(super) fn migrate_to(connection: &mut Connection, wanted: u32) -> rusqlite::Result<()> {
    // Another process may do the same at this moment: who comes second finds nothing to do.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let present = version(&transaction)?;
    for (step, reached) in STEPS.iter().zip(1..=wanted) {
        if reached > present {
            step(&transaction)?;
            transaction.pragma_update(None, "user_version", reached)?;
        }
    }
    transaction.commit()
}

fn tables(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE history (
             call_id TEXT PRIMARY KEY,
             account_id TEXT NOT NULL,
             incoming INTEGER NOT NULL,
             remote TEXT NOT NULL,
             remote_name TEXT NOT NULL,
             status TEXT NOT NULL,
             info TEXT NOT NULL,
             started_at INTEGER NOT NULL,
             seconds INTEGER,
             missed INTEGER NOT NULL,
             seen INTEGER NOT NULL DEFAULT 0,
             recording TEXT
         ) STRICT;
         CREATE INDEX history_by_time ON history (started_at);
         CREATE TABLE contact (
             id TEXT PRIMARY KEY,
             uid TEXT UNIQUE,
             name TEXT NOT NULL,
             organisation TEXT NOT NULL,
             addresses TEXT NOT NULL,
             note TEXT NOT NULL,
             favourite INTEGER NOT NULL,
             watch INTEGER NOT NULL
         ) STRICT;",
    )
}

/// What is searched, in small letters of every alphabet, and the missed calls by themselves.
fn search(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE history ADD COLUMN folded TEXT NOT NULL DEFAULT '';
         CREATE INDEX history_missed ON history (started_at) WHERE missed = 1;
         CREATE INDEX history_unseen ON history (call_id) WHERE missed = 1 AND seen = 0;",
    )?;
    let mut rows = transaction.prepare("SELECT rowid, remote_name, remote FROM history")?;
    let mut fill = transaction.prepare("UPDATE history SET folded = ?2 WHERE rowid = ?1")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name, remote): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        fill.execute(params![id, folded(&name, &remote)])?;
    }
    Ok(())
}

/// Events that the hooks' backend has not taken.
fn outbox(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE outbox (
             seq INTEGER PRIMARY KEY AUTOINCREMENT,
             id TEXT NOT NULL UNIQUE,
             hook TEXT NOT NULL,
             session TEXT NOT NULL,
             object TEXT NOT NULL,
             at INTEGER NOT NULL,
             body TEXT NOT NULL,
             attempts INTEGER NOT NULL DEFAULT 0,
             failed INTEGER NOT NULL DEFAULT 0,
             info TEXT NOT NULL DEFAULT ''
         ) STRICT;",
    )
}
