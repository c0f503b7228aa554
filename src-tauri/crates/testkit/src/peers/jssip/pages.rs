//! The page of the browser phone.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::Pages;
use crate::error::{Result, RigError};
use crate::peers::streams::CLOCK;

const PAGE: &str = include_str!("page.html");
const PHONE: &str = include_str!("phone.js");

pub(super) fn serve(dir: &Path) -> Result<Pages> {
    Pages::serve(vec![
        ("/", "text/html", PAGE.into()),
        ("/clock.js", "text/javascript", CLOCK.into()),
        ("/phone.js", "text/javascript", PHONE.into()),
        ("/jssip.js", "text/javascript", library(dir)?),
    ])
}

/// JsSIP as one script, made of the package that the UI's lock file names.
fn library(dir: &Path) -> Result<String> {
    let ui: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui");
    let out = dir.join("jssip.js");
    let bundler = ui.join("node_modules/.bin/esbuild");
    if !bundler.exists() {
        return Err(RigError::new("JsSIP is not installed: run `npm ci` in ui"));
    }
    let output = Command::new(bundler)
        .current_dir(&ui)
        .args(["node_modules/jssip/lib/JsSIP.js", "--bundle", "--format=iife", "--global-name=JsSIP"])
        .arg("--log-level=warning")
        .arg(format!("--outfile={}", out.display()))
        .output()?;
    if !output.status.success() {
        return Err(RigError::new(format!("JsSIP: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(std::fs::read_to_string(out)?)
}
