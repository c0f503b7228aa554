//! `cargo xtask bindings`.

use crate::{project, shell};
use std::{fs, process::Stdio};

const FILE: &str = "ui/src/api/types.ts";

/// Writes the UI's types from the engine's vocabulary.
pub(crate) fn write() -> Result<(), String> {
    let arguments =
        ["run", "--quiet", "--package", "sidetone-api", "--features", "typescript", "--example", "bindings"];
    let output = shell::cargo(&arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err("the vocabulary does not compile".into());
    }
    let file = project::root().join(FILE);
    if fs::read(&file).is_ok_and(|found| found == output.stdout) {
        println!("{FILE} is current.");
        return Ok(());
    }
    fs::write(&file, &output.stdout).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{FILE} is written.");
    Ok(())
}
