use std::{fs::DirBuilder, io, path::Path};

/// What the user's profile folder allows goes for this one too.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}
