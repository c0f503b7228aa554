//! The files of a recording.

use std::io;
use std::path::{Path, PathBuf};

pub(super) use crate::record::{Medium, words};
use crate::record::{Open, new_files};

/// Files of one recording.
const MOST_FILES: u32 = 1_000;

/// Finds names for them.
pub(super) struct Files {
    path: PathBuf,
    open: Open,
    number: u32,
    created: Vec<PathBuf>,
}

impl Files {
    pub(super) fn new(path: &Path) -> Self {
        Self::with(path, new_files())
    }

    pub(super) fn with(path: &Path, open: Open) -> Self {
        Self { path: path.into(), open, number: 0, created: Vec::new() }
    }

    pub(super) fn created(&self) -> &[PathBuf] {
        &self.created
    }

    /// A file of the next name that nobody has: `tv-2.mp4` after `tv.mp4`.
    pub(super) fn next(&mut self, ending: &str) -> io::Result<Box<dyn Medium>> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = [".mp4", ".webm"].into_iter().find_map(|ending| name.strip_suffix(ending));
        let stem = known.unwrap_or(&name);
        while self.number < MOST_FILES {
            self.number += 1;
            let counted = if self.number == 1 { String::new() } else { format!("-{}", self.number) };
            let path = self.path.with_file_name(format!("{stem}{counted}.{ending}"));
            match (self.open)(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    self.created.push(path);
                    return Ok(file);
                }
            }
        }
        Err(io::Error::other("a recording has at most 1000 files"))
    }
}
