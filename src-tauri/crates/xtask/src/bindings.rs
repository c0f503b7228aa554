//! `cargo xtask bindings`.

use crate::{project, shell};

const FOLDER: &str = "ui/src/api";

/// Writes the UI's types from the engine's vocabulary.
pub(crate) fn write() -> Result<(), String> {
    let folder = project::root().join(FOLDER);
    let status = shell::cargo(&["run", "--quiet", "--package", "sidetone-api", "--features", "typescript"])
        .args(["--example", "bindings", "--"])
        .arg(&folder)
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !status.success() {
        return Err("the vocabulary does not compile, or its folder cannot be written".into());
    }
    println!("{FOLDER} is current.");
    Ok(())
}
