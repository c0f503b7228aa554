//! Where the user's folders are private by inheritance, as `AppData` is.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
