//! The built UI inside this program.

use sidetone_gateway::{Asset, Ui, mime_of};
use std::path::PathBuf;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The pages of `folder`, else those that this program was built with.
pub(crate) fn ui(folder: Option<PathBuf>) -> Ui {
    match folder {
        Some(folder) => Ui::Directory(folder),
        None => Ui::embedded(|path| {
            let (name, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
            Some(Asset { bytes: (*bytes).into(), mime: mime_of(name).into() })
        }),
    }
}

/// Whether this program was built with pages.
pub(crate) fn are_built() -> bool {
    !FILES.is_empty()
}
