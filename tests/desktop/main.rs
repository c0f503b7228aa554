//! The whole program as its user meets it: the app in its window, and the same pages in a browser.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod page;
mod streams;
mod window;

use std::path::{Path, PathBuf};

/// The app, as cargo built it for these tests.
fn app() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sidetone"))
}

/// The command line, which `cargo test --workspace` builds beside the app.
fn cli() -> PathBuf {
    let cli = app().with_file_name("sidetone-cli");
    assert!(cli.is_file(), "{} is not built: run `cargo build --workspace` first", cli.display());
    cli
}

/// Where pictures go: the folder that `SIDETONE_SCREENS` names, else cargo's folder for tests.
fn picture(name: &str) -> PathBuf {
    let folder = std::env::var_os("SIDETONE_SCREENS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("screens"), PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}.png"))
}
