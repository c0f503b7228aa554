use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt as _, path::Path};

pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
