//! Files that only this user may read.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(not(unix))]
#[path = "other.rs"]
mod platform;

use std::{fs, io, io::Write, path::Path};

/// Replaces `path` at once: a reader sees the old text or the new one. `unique` keeps two writers apart.
pub(crate) fn replace(path: &Path, unique: &str, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        platform::create_folder(folder)?;
    }
    let draft = path.with_extension(format!("{unique}.tmp"));
    let written = platform::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.flush()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}
