//! Finding the file in whatever state it is, and always ending with a database that works.

use super::{
    Database, MAX_HISTORY, Opened,
    failure::{in_words, is_damage},
    private, schema,
};
use crate::io::clock;
use rusqlite::{Connection, OpenFlags};
use sidetone_api::NoticeLevel;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) const FILE: &str = "sidetone.db";
/// Of a file that was moved aside; the time follows.
pub(super) const DAMAGED: &str = "sidetone.db.damaged-";
/// How long another process may write before this one gives up.
const BUSY: Duration = Duration::from_secs(2);

/// Why a file is not used.
pub(super) enum Unusable {
    Damaged,
    /// Of a newer version of the program.
    Future(u32),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { Self::Damaged } else { Self::Sql(error) }
    }
}

impl Database {
    /// `None` only where not even memory gives a database.
    pub(super) fn open(folder: Option<&Path>, latest: u32) -> Option<(Self, Opened)> {
        let mut notices = Vec::new();
        let mut left = Vec::new();
        let kept = folder.and_then(|folder| {
            left = damaged(folder);
            Self::open_in(folder, latest, &mut notices, &mut left)
        });
        let opened = kept.or_else(|| Self::in_memory(latest).inspect_err(log).ok());
        let (mut database, mut opened) = opened?;
        database.left = left;
        opened.notices = notices;
        Some((database, opened))
    }

    fn open_in(
        folder: &Path,
        latest: u32,
        notices: &mut Vec<(NoticeLevel, String)>,
        left: &mut Vec<PathBuf>,
    ) -> Option<(Self, Opened)> {
        let file = folder.join(FILE);
        let shown = file.display();
        let only_memory = "history and contacts of this run are forgotten at its end";
        if let Err(error) = private::create_folder(folder) {
            notices.push((NoticeLevel::Error, format!("{}: {error}; {only_memory}", folder.display())));
            return None;
        }
        let mut failed = match Self::open_file(&file, latest) {
            Ok(opened) => return Some(opened),
            Err(failed) => failed,
        };
        if matches!(failed, Unusable::Damaged) {
            match move_aside(folder, &file) {
                Ok(aside) => {
                    let info =
                        format!("{shown} was damaged. It is now {}; a new one begins", aside.display());
                    notices.push((NoticeLevel::Error, info));
                    left.push(aside);
                }
                Err(error) => {
                    let info = format!("{shown} is damaged and cannot be moved ({error}); {only_memory}");
                    notices.push((NoticeLevel::Error, info));
                    return None;
                }
            }
            failed = match Self::open_file(&file, latest) {
                Ok(opened) => return Some(opened),
                Err(failed) => failed,
            };
        }
        left.push(file.clone());
        let info = match failed {
            Unusable::Future(version) => format!(
                "{shown} was written by a newer Sidetone (version {version}, this one knows {}) and stays as it is; \
                 {only_memory}",
                schema::newest()
            ),
            Unusable::Damaged => format!("{shown} cannot be created; {only_memory}"),
            Unusable::Sql(error) => {
                let copy = Self::copy_of(&file, latest);
                let what = if copy.is_ok() { "changes are forgotten at the end" } else { only_memory };
                notices.push((NoticeLevel::Error, format!("{shown}: {}; {what}", in_words(&error))));
                return copy.ok();
            }
        };
        notices.push((NoticeLevel::Error, info));
        None
    }

    fn open_file(file: &Path, latest: u32) -> Result<(Self, Opened), Unusable> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY)?;
        let version = schema::version(&connection)?;
        if version > schema::newest() {
            return Err(Unusable::Future(version));
        }
        let healthy: String = connection.query_one("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if healthy != "ok" {
            return Err(Unusable::Damaged);
        }
        // What is deleted is overwritten; a commit survives a crash of the program, the last ones may not survive a power cut.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 4194304; PRAGMA trusted_schema = OFF;",
        )?;
        schema::migrate(&mut connection)?;
        // A file that is only readable opens too: say so now, not at the first call.
        connection.execute_batch("BEGIN IMMEDIATE; PRAGMA user_version; ROLLBACK;")?;
        let database = Self::around(connection, Some(file.to_owned()));
        let opened = database.read_latest(latest)?;
        Ok((database, opened))
    }

    fn in_memory(latest: u32) -> rusqlite::Result<(Self, Opened)> {
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection)?;
        let database = Self::around(connection, None);
        let opened = database.read_latest(latest)?;
        Ok((database, opened))
    }

    /// What a file that cannot be written holds, in memory. `immutable`: its folder takes no `-shm` file either.
    pub(super) fn copy_of(file: &Path, latest: u32) -> Result<(Self, Opened), Unusable> {
        let escaped = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let source = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
        let mut connection = Connection::open_in_memory()?;
        rusqlite::backup::Backup::new(&source, &mut connection)?.run_to_completion(
            1024,
            Duration::ZERO,
            None,
        )?;
        schema::migrate(&mut connection)?;
        let database = Self::around(connection, None);
        let opened = database.read_latest(latest)?;
        Ok((database, opened))
    }

    fn around(connection: Connection, file: Option<PathBuf>) -> Self {
        Self { connection, file, left: Vec::new(), max_history: MAX_HISTORY, added: 0 }
    }
}

/// The files that SQLite keeps beside a database.
pub(super) fn beside(file: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        name.into()
    })
}

fn move_aside(folder: &Path, file: &Path) -> io::Result<PathBuf> {
    let aside = folder.join(format!("{DAMAGED}{}", clock::wallclock_ms()));
    fs::rename(file, &aside)?;
    for (from, to) in beside(file).iter().zip(beside(&aside)) {
        match fs::rename(from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// Those that earlier runs moved aside.
fn damaged(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let is_damaged =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DAMAGED));
    files.flatten().map(|file| file.path()).filter(is_damaged).collect()
}

fn log(error: &rusqlite::Error) {
    tracing::error!("no database: {error}");
}
