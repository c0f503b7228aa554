//! What recordings are written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;

/// A file, or what a test puts in its place.
pub(crate) trait Medium: Write + Seek + Send {
    /// Cuts off what is beyond `length` and brings everything to the disk.
    fn settle(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn settle(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_data()
    }
}

pub(crate) type Open = Box<dyn FnMut(&Path) -> io::Result<Box<dyn Medium>> + Send>;

/// Makes files that are not there yet.
pub(crate) fn new_files() -> Open {
    Box::new(|path| {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(file) as Box<dyn Medium>)
    })
}

/// What went wrong, as a user would say it.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".into(),
        io::ErrorKind::PermissionDenied => "no permission to write there".into(),
        io::ErrorKind::AlreadyExists => "the file exists already".into(),
        io::ErrorKind::FileTooLarge => "the file system takes no larger file".into(),
        _ => error.to_string(),
    }
}
