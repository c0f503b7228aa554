//! Files that the program has written, shown where they are.

use sidetone_api::{Failure, FailureCode};
use std::path::{Path, PathBuf};

/// The folder of a recording in the system's file browser, the file marked where that can do so. It runs and opens no file.
///
/// # Errors
/// `path` where no recording is there, or why the file browser does not open.
pub(crate) async fn show_recording(path: PathBuf) -> Result<(), Failure> {
    match tauri::async_runtime::spawn_blocking(move || show(&path)).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Failure::new(FailureCode::Stopped, error.to_string())),
    }
}

fn show(path: &Path) -> Result<(), Failure> {
    let folder = folder_of(path)?;
    tauri_plugin_opener::reveal_item_in_dir(path).or_else(|reason| {
        tracing::debug!("the file browser marks no file: {reason}");
        tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|error| {
            Failure::new(FailureCode::Device, format!("no file browser opens {}: {error}", folder.display()))
        })
    })
}

/// A page is trusted with no other file than a recording of this machine.
fn folder_of(path: &Path) -> Result<&Path, Failure> {
    if !path.is_absolute() || path.extension().is_none_or(|kind| kind != "wav") {
        return Err(Failure::invalid("path", "not the path of a recording"));
    }
    let there = path.is_file();
    let folder = path.parent().filter(|_| there);
    folder.ok_or_else(|| Failure::invalid("path", format!("{} is not there any more", path.display())))
}

#[cfg(test)]
mod tests {
    use super::folder_of;
    use std::path::Path;

    fn field_of(path: &Path) -> Option<String> {
        folder_of(path).err().and_then(|failure| failure.field)
    }

    #[test]
    fn a_recording_that_is_there_is_shown_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("Ada.wav");
        assert_eq!(field_of(&recording).as_deref(), Some("path"), "not recorded yet");
        std::fs::write(&recording, b"RIFF").unwrap();
        assert_eq!(folder_of(&recording).unwrap(), folder.path());
    }

    #[test]
    fn nothing_but_a_recording_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("settings.toml");
        std::fs::write(&other, b"").unwrap();
        for path in [&other, Path::new("Ada.wav"), folder.path(), Path::new("")] {
            assert_eq!(field_of(path).as_deref(), Some("path"), "{}", path.display());
        }
    }
}
