//! Ended calls.

use super::{Database, Opened};
use rusqlite::{OptionalExtension, Row, ToSql, params, params_from_iter};
use sidetone_api::{AccountId, CallDirection, CallId, CallStatus, Failure, HistoryEntry};

/// Entries that are asked for at once.
pub(crate) const MAX_PAGE: u32 = 500;
/// Calls that began in the same millisecond and belong to one page, whatever its limit.
const TIES: u32 = 64;
/// Additions between two looks at how many there are.
const LOOK_EVERY: u32 = 64;

const COLUMNS: &str = "call_id, account_id, incoming, remote, remote_name, status, info, started_at, seconds, missed, recording";

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Only entries that began before this, milliseconds since 1970.
    pub(crate) before: Option<u64>,
    pub(crate) limit: u32,
    pub(crate) missed: bool,
    /// Only where name or address contains this.
    pub(crate) search: Option<String>,
}

impl Database {
    /// Newest first. Calls that began in the same millisecond come on the same page, which may exceed `limit` for it:
    /// `before` could not tell them apart.
    pub(crate) fn history(&self, page: &Page) -> Result<Vec<HistoryEntry>, Failure> {
        self.read_history(page).map_err(|error| self.failure(&error))
    }

    fn read_history(&self, page: &Page) -> rusqlite::Result<Vec<HistoryEntry>> {
        let mut conditions = vec!["1"];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        if page.missed {
            conditions.push("missed = 1");
        }
        if let Some(before) = page.before {
            conditions.push("started_at < ?");
            values.push(Box::new(signed(before)));
        }
        if let Some(search) = page.search.as_deref().filter(|text| !text.is_empty()) {
            conditions.push("instr(folded, ?) > 0");
            values.push(Box::new(search.to_lowercase()));
        }
        let conditions = conditions.join(" AND ");
        let entries = self.query(
            &format!("{conditions} ORDER BY started_at DESC, rowid DESC LIMIT {}", page.limit),
            &values,
        )?;
        let Some(last) = entries.last().filter(|_| entries.len() as u64 == u64::from(page.limit)) else {
            return Ok(entries);
        };
        let last = last.started_at;
        let whole = entries.iter().take_while(|entry| entry.started_at != last).count();
        values.push(Box::new(signed(last)));
        let ties = self.query(
            &format!(
                "{conditions} AND started_at = ? ORDER BY rowid DESC LIMIT {}",
                TIES.saturating_add(page.limit)
            ),
            &values,
        )?;
        Ok(entries.into_iter().take(whole).chain(ties).collect())
    }

    fn query(&self, conditions: &str, values: &[Box<dyn ToSql>]) -> rusqlite::Result<Vec<HistoryEntry>> {
        let sql = format!("SELECT {COLUMNS} FROM history WHERE {conditions}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(params_from_iter(values), entry)?.collect()
    }

    /// Keeps an entry, in the place of one with the same id. Gives those that had to go for it.
    pub(crate) fn add_history(&mut self, entry: &HistoryEntry) -> Result<Vec<CallId>, Failure> {
        self.write_history(entry).map_err(|error| self.failure(&error))
    }

    fn write_history(&mut self, entry: &HistoryEntry) -> rusqlite::Result<Vec<CallId>> {
        self.connection
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO history ({COLUMNS}, folded) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))?
            .execute(params![
                entry.call_id.as_str(),
                entry.account_id.as_str(),
                entry.direction == CallDirection::Incoming,
                entry.remote,
                entry.remote_name,
                entry.status.as_str(),
                entry.info,
                signed(entry.started_at),
                entry.seconds,
                entry.missed,
                entry.recording,
                folded(&entry.remote_name, &entry.remote),
            ])?;
        self.added = self.added.wrapping_add(1);
        if self.added % LOOK_EVERY == 1 { self.drop_oldest() } else { Ok(Vec::new()) }
    }

    fn drop_oldest(&mut self) -> rusqlite::Result<Vec<CallId>> {
        let all: i64 = self.connection.query_one("SELECT count(*) FROM history", [], |row| row.get(0))?;
        let excess = all - i64::from(self.max_history);
        if excess <= 0 {
            return Ok(Vec::new());
        }
        let mut drop = self.connection.prepare_cached(
            "DELETE FROM history WHERE rowid IN \
             (SELECT rowid FROM history ORDER BY started_at, rowid LIMIT ?1) RETURNING call_id",
        )?;
        drop.query_map([excess], call_id)?.collect()
    }

    /// Drops what began before `since`, milliseconds since 1970, and gives it.
    pub(crate) fn drop_history_before(&mut self, since: u64) -> Result<Vec<CallId>, Failure> {
        let dropped = || {
            let mut drop = self
                .connection
                .prepare_cached("DELETE FROM history WHERE started_at < ?1 RETURNING call_id")?;
            drop.query_map([signed(since)], call_id)?.collect::<rusqlite::Result<_>>()
        };
        dropped().map_err(|error| self.failure(&error))
    }

    /// `false` where there is no such entry.
    pub(crate) fn remove_history(&mut self, call: &CallId) -> Result<bool, Failure> {
        let removed = self.connection.execute("DELETE FROM history WHERE call_id = ?1", [call.as_str()]);
        removed.map(|rows| rows > 0).map_err(|error| self.failure(&error))
    }

    /// Leaves nothing of them in the file.
    pub(crate) fn clear_history(&mut self) -> Result<(), Failure> {
        let cleared = self
            .connection
            .execute_batch("DELETE FROM history; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory;");
        cleared.map_err(|error| self.failure(&error))
    }

    pub(crate) fn see_missed(&mut self) -> Result<(), Failure> {
        let seen = self.connection.execute("UPDATE history SET seen = 1 WHERE missed = 1 AND seen = 0", []);
        seen.map(|_| ()).map_err(|error| self.failure(&error))
    }

    /// The newest outgoing call.
    pub(crate) fn last_called(&self) -> Result<Option<HistoryEntry>, Failure> {
        self.read_last_called().map_err(|error| self.failure(&error))
    }

    fn read_last_called(&self) -> rusqlite::Result<Option<HistoryEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM history WHERE incoming = 0 ORDER BY started_at DESC, rowid DESC LIMIT 1"
        );
        self.connection.query_one(&sql, [], entry).optional()
    }

    /// What the owner keeps in memory.
    pub(super) fn read_latest(&self, latest: u32) -> rusqlite::Result<Opened> {
        let page = Page { limit: latest, ..Page::default() };
        let mut history = self.read_history(&page)?;
        history.truncate(usize::try_from(latest).unwrap_or(usize::MAX));
        let mut unseen =
            self.connection.prepare("SELECT call_id FROM history WHERE missed = 1 AND seen = 0")?;
        Ok(Opened {
            history,
            unseen: unseen.query_map([], call_id)?.collect::<Result<_, _>>()?,
            last_called: self.read_last_called()?,
            contacts: self.read_contacts()?.into_iter().map(|kept| kept.contact).collect(),
            outbox: self.outbox()?,
            notices: Vec::new(),
        })
    }
}

/// What a search looks at.
pub(super) fn folded(name: &str, remote: &str) -> String {
    format!("{name}\n{remote}").to_lowercase()
}

fn call_id(row: &Row<'_>) -> rusqlite::Result<CallId> {
    row.get::<_, String>(0).map(CallId::new)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let incoming: bool = row.get(2)?;
    let status: String = row.get(5)?;
    Ok(HistoryEntry {
        call_id: call_id(row)?,
        account_id: AccountId::new(row.get::<_, String>(1)?),
        direction: if incoming { CallDirection::Incoming } else { CallDirection::Outgoing },
        remote: row.get(3)?,
        remote_name: row.get(4)?,
        status: [CallStatus::Finish, CallStatus::Busy]
            .into_iter()
            .find(|known| known.as_str() == status)
            .unwrap_or(CallStatus::Failed),
        info: row.get(6)?,
        started_at: u64::try_from(row.get::<_, i64>(7)?).unwrap_or_default(),
        seconds: row.get(8)?,
        missed: row.get(9)?,
        recording: row.get(10)?,
    })
}

/// SQLite's integers are signed.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
