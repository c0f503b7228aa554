//! aiortc, a WebRTC peer for tests, in a Python environment of its own below `target/`: distributions have it seldom or old.

use crate::{
    project::{self, find_program},
    shell,
};
use std::path::{Path, PathBuf};

/// What is fetched from PyPI.
const PACKAGES: [&str; 2] = ["aiortc==1.16.0", "aiohttp==3.14.5"];
const WHY: &str = "streams with a peer that is no browser";

/// Finds it, or installs it where `install` is true. Tests that want it are skipped without it, and fail in CI.
pub(crate) fn provide(install: bool) {
    // Peers for tests are Linux programs.
    if !cfg!(target_os = "linux") || is_there(&folder().join("bin/python")) {
        return;
    }
    if let Err(reason) = fetch(install) {
        println!("Without aiortc: {WHY}: {reason}");
    }
}

fn fetch(install: bool) -> Result<(), String> {
    let system = find_program("python3").ok_or("there is no Python 3")?;
    if is_there(&system) {
        return Ok(());
    }
    let folder = folder();
    let mut make = shell::command(system, &["-m", "venv", "--clear", &folder.display().to_string()]);
    let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut get = shell::command(folder.join("bin/python"), &[&words[..], &PACKAGES].concat());
    if !install {
        return Err(format!("`{}` and `{}` install it", shell::show(&make), shell::show(&get)));
    }
    println!("aiortc goes to {}: {WHY}.", folder.display());
    shell::run(&mut make)?;
    shell::run(&mut get)
}

fn folder() -> PathBuf {
    project::target().join("tools").join("aiortc")
}

fn is_there(python: &Path) -> bool {
    python.is_file()
        && shell::output(&mut shell::command(python, &["-c", "import aiortc, aiohttp"])).is_some()
}
