//! `cargo xtask fuzz`: the fuzz targets are outside the workspace and want a nightly compiler.

use crate::{
    arguments,
    needs::{self, Group},
    project::{find_program, root},
    shell,
};
use std::process::Command;

const FOLDER: &str = "src-tauri/fuzz";

/// One target, or all of them one after the other.
pub(crate) fn run(options: &arguments::Fuzz) -> Result<(), String> {
    if !root().join(FOLDER).join("Cargo.toml").is_file() {
        return Err(format!("there are no fuzz targets yet ({FOLDER})"));
    }
    needs::ensure(&[Group::Build], options.install)?;
    tools(options.install)?;
    let all = targets()?;
    let chosen = match &options.target {
        None => all,
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => {
            return Err(format!("there is no fuzz target {target:?}; there are {}", all.join(", ")));
        }
    };
    let runs = format!("-runs={}", options.runs);
    chosen.iter().try_for_each(|target| {
        shell::run(&mut nightly(&[
            "fuzz",
            "run",
            "--fuzz-dir",
            FOLDER,
            target,
            "--",
            &runs,
            "-print_final_stats=1",
        ]))
    })
}

/// Nightly Rust and cargo-fuzz.
fn tools(install: bool) -> Result<(), String> {
    let mut missing = Vec::new();
    if shell::output(&mut nightly(&["--version"])).is_none() {
        missing.push(shell::command("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]));
    }
    if find_program("cargo-fuzz").is_none() {
        missing.push(shell::cargo(&["install", "--locked", "cargo-fuzz"]));
    }
    if install {
        return missing.iter_mut().try_for_each(shell::run);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = missing.iter().map(|command| format!("  {}", shell::show(command))).collect();
    Err(format!("fuzzing wants:\n{}", lines.join("\n")))
}

fn targets() -> Result<Vec<String>, String> {
    let list = shell::output(&mut nightly(&["fuzz", "list", "--fuzz-dir", FOLDER]))
        .ok_or_else(|| format!("`cargo fuzz list --fuzz-dir {FOLDER}` failed"))?;
    Ok(list.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// Through rustup's proxy, not the stable cargo that runs this, and without its toolchain in the environment.
fn nightly(arguments: &[&str]) -> Command {
    let mut words = vec!["run", "nightly", "cargo"];
    words.extend(arguments);
    let mut command = shell::command("rustup", &words);
    command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    command
}
