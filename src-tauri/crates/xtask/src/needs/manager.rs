use super::table::Need;
use crate::{project::find_program, shell};
use std::{fs, process::Command};

/// The system's package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
    Winget,
}

impl Manager {
    pub(crate) fn of_this_machine() -> Option<Self> {
        let candidates: &[(&str, Self)] = if cfg!(windows) {
            &[("winget", Self::Winget)]
        } else if cfg!(target_os = "macos") {
            &[("brew", Self::Brew)]
        } else {
            &[("apt-get", Self::Apt), ("dnf", Self::Dnf), ("pacman", Self::Pacman)]
        };
        candidates.iter().find_map(|(program, manager)| find_program(program).map(|_| *manager))
    }

    /// Prints the command and runs it, as root where that is needed; only prints it where `really` is false.
    ///
    /// # Errors
    /// Why the packages are not there now.
    pub(crate) fn install(self, missing: &[&Need], really: bool) -> Result<(), String> {
        let (packages, nowhere) = self.packages(missing);
        if !nowhere.is_empty() {
            println!("Not among this system's packages: {}", nowhere.join(", "));
        }
        self.install_packages(&packages, really)
    }

    /// Node.js and npm.
    ///
    /// # Errors
    /// Why they are not there now.
    pub(crate) fn install_node(self, really: bool) -> Result<(), String> {
        let packages: &[&str] = match self {
            Self::Apt | Self::Dnf | Self::Pacman => &["nodejs", "npm"],
            Self::Brew => &["node"],
            Self::Winget => &["OpenJS.NodeJS.LTS"],
        };
        self.install_packages(packages, really)
    }

    fn install_packages(self, packages: &[&str], really: bool) -> Result<(), String> {
        if packages.is_empty() {
            return Ok(());
        }
        if !really {
            for line in self.commands(packages) {
                println!("Install it with: {}", shell::show(&line));
            }
            return Ok(());
        }
        if self == Self::Apt && !knows_packages() {
            shell::run(&mut as_root(&["apt-get", "update"]))?;
        }
        let first = self.run(packages);
        if first.is_err() && self == Self::Apt {
            // An old list of packages points to versions that are gone.
            shell::run(&mut as_root(&["apt-get", "update"]))?;
            return self.run(packages);
        }
        first
    }

    fn run(self, packages: &[&str]) -> Result<(), String> {
        self.commands(packages).iter_mut().try_for_each(shell::run)
    }

    /// The packages, and the names of the things that have none here.
    fn packages(self, missing: &[&Need]) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut packages = Vec::new();
        let mut nowhere = Vec::new();
        for need in missing {
            let its = self.of(need);
            if its.is_empty() {
                nowhere.push(need.name);
            }
            for package in its {
                if !packages.contains(package) {
                    packages.push(*package);
                }
            }
        }
        (packages, nowhere)
    }

    fn of(self, need: &Need) -> &'static [&'static str] {
        match self {
            Self::Apt => need.apt,
            Self::Dnf => need.dnf,
            Self::Pacman => need.pacman,
            Self::Brew => need.brew,
            Self::Winget => need.winget,
        }
    }

    fn commands(self, packages: &[&str]) -> Vec<Command> {
        let with = |words: &[&'static str]| -> Vec<String> {
            words.iter().chain(packages).map(ToString::to_string).collect()
        };
        let root = |words: Vec<String>| as_root(&words.iter().map(String::as_str).collect::<Vec<_>>());
        match self {
            Self::Apt => vec![root(with(&[
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                "-qq",
                "-y",
                "--no-install-recommends",
            ]))],
            Self::Dnf => vec![root(with(&["dnf", "install", "-y"]))],
            Self::Pacman => vec![root(with(&["pacman", "-S", "--needed", "--noconfirm"]))],
            Self::Brew => {
                let mut command = shell::command("brew", &["install"]);
                command.args(packages);
                vec![command]
            }
            Self::Winget => packages
                .iter()
                .map(|package| {
                    let accept = ["--accept-source-agreements", "--accept-package-agreements"];
                    let mut command = shell::command("winget", &["install", "--exact", "--id", package]);
                    command.args(accept);
                    command
                })
                .collect(),
        }
    }
}

/// With `sudo` in front where this is not root.
pub(crate) fn as_root(words: &[&str]) -> Command {
    let root = shell::output(&mut shell::command("id", &["-u"])).is_some_and(|id| id == "0");
    if root { shell::command(words[0], &words[1..]) } else { shell::command("sudo", words) }
}

/// Whether apt has any list of packages.
fn knows_packages() -> bool {
    let Ok(lists) = fs::read_dir("/var/lib/apt/lists") else { return false };
    lists.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::Manager;
    use crate::needs::table::NEEDS;

    #[test]
    fn packages_are_named_once() {
        let all: Vec<_> = NEEDS.iter().collect();
        let (mut packages, nowhere) = Manager::Apt.packages(&all);
        let count = packages.len();
        packages.sort_unstable();
        packages.dedup();
        assert_eq!(packages.len(), count);
        assert!(nowhere.is_empty(), "Debian has everything: {nowhere:?}");
    }
}
