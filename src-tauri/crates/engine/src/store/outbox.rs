//! The hooks' outbox on disk.

use super::Database;
use crate::hooks::{Hook, Row, Write};
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use sidetone_api::Failure;

impl Database {
    /// What an earlier run left, oldest first. Rows of hooks that this version does not know stay where they are.
    pub(super) fn outbox(&self) -> rusqlite::Result<Vec<Row>> {
        let mut rows = self.connection.prepare(
            "SELECT id, hook, session, object, at, length(CAST(body AS BLOB)), attempts, failed, info \
             FROM outbox ORDER BY seq",
        )?;
        let rows = rows.query_map([], |row| {
            let hook: String = row.get(1)?;
            let Some(hook) = Hook::of_name(&hook) else { return Ok(None) };
            Ok(Some(Row {
                id: row.get(0)?,
                hook,
                session: row.get(2)?,
                object: row.get(3)?,
                at: row.get::<_, i64>(4)?.unsigned_abs(),
                bytes: row.get::<_, i64>(5)?.unsigned_abs(),
                attempts: row.get(6)?,
                failed: row.get(7)?,
                info: row.get(8)?,
            }))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// All of them or none.
    pub(crate) fn write_outbox(&mut self, writes: &[Write]) -> Result<(), Failure> {
        self.write_each(writes).map_err(|error| self.failure(&error))
    }

    fn write_each(&mut self, writes: &[Write]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for write in writes {
            match write {
                Write::Add(entry) => transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO outbox (id, hook, session, object, at, body) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        entry.id,
                        entry.hook.name(),
                        entry.session,
                        entry.object,
                        signed(entry.at),
                        &*entry.body,
                    ])?,
                Write::Gone(id) => {
                    transaction.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id])?
                }
                Write::Failed { id, attempts, info } => transaction
                    .prepare_cached("UPDATE outbox SET failed = 1, attempts = ?2, info = ?3 WHERE id = ?1")?
                    .execute(params![id, attempts, info])?,
                Write::Again(id) => transaction
                    .prepare_cached("UPDATE outbox SET failed = 0, attempts = 0 WHERE id = ?1")?
                    .execute([id])?,
            };
        }
        transaction.commit()
    }

    /// The body of an event; `None` where there is no such event any more.
    pub(crate) fn outbox_body(&mut self, id: &str) -> Result<Option<String>, Failure> {
        let body = self
            .connection
            .query_one("SELECT body FROM outbox WHERE id = ?1", [id], |row| row.get(0))
            .optional();
        body.map_err(|error| self.failure(&error))
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
