//! The page of the browser phone.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::Pages;
use crate::error::{Result, RigError};
use crate::peers::{ear::EAR, streams::CLOCK};

const PAGE: &str = include_str!("page.html");
const PHONE: &str = include_str!("phone.js");
/// In the UI's folder.
const BUNDLER: &str = "node_modules/.bin/esbuild";
const LIBRARY: &str = "node_modules/jssip/lib/JsSIP.js";

pub(super) fn serve(dir: &Path) -> Result<Pages> {
    Pages::serve(vec![
        ("/", "text/html", PAGE.into()),
        ("/clock.js", "text/javascript", CLOCK.into()),
        ("/ear.js", "text/javascript", EAR.into()),
        ("/phone.js", "text/javascript", PHONE.into()),
        ("/jssip.js", "text/javascript", library(dir)?),
    ])
}

pub(super) fn has_library() -> bool {
    [BUNDLER, LIBRARY].iter().all(|file| ui().join(file).exists())
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui")
}

/// JsSIP as one script, made of the package that the UI's lock file names.
fn library(dir: &Path) -> Result<String> {
    let out = dir.join("jssip.js");
    if !has_library() {
        return Err(RigError::new("JsSIP is not installed: run `npm ci` in ui"));
    }
    let output = Command::new(ui().join(BUNDLER))
        .current_dir(ui())
        .args([LIBRARY, "--bundle", "--format=iife", "--global-name=JsSIP"])
        .arg("--log-level=warning")
        .arg(format!("--outfile={}", out.display()))
        .output()?;
    if !output.status.success() {
        return Err(RigError::new(format!("JsSIP: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(std::fs::read_to_string(out)?)
}
