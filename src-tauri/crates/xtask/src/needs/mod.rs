//! What building and testing want of the machine, and how to get it there.

mod manager;
mod probe;
mod table;

use crate::node::{self, Node};
pub(crate) use manager::Manager;
pub(crate) use table::Group;
use table::{NEEDS, Need};

/// Finds what the groups lack and installs it, or prints the command where `install` is false.
///
/// # Errors
/// Where something without which the build fails is still missing; it is listed.
pub(crate) fn ensure(groups: &[Group], install: bool) -> Result<(), String> {
    let missing = missing(groups);
    if missing.is_empty() {
        return Ok(());
    }
    println!("This machine lacks:");
    for need in &missing {
        println!("  {:<28} {}", need.name, need.why);
    }
    let manager = Manager::of_this_machine();
    let installed = match &manager {
        Some(manager) => manager.install(&missing, install),
        None => {
            Err("no package manager that this program knows (apt-get, dnf, pacman, brew, winget)".to_owned())
        }
    };
    if let Err(reason) = &installed {
        println!("{reason}");
    }
    if install {
        table::after_install(&missing);
    }
    still_missing(groups)
}

/// [`ensure`], and a Node.js. What is missing of either is said in one go.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn ensure_with_node(groups: &[Group], install: bool) -> Result<Node, String> {
    let machine = ensure(groups, install);
    let node = node::find(install);
    match (machine, node) {
        (Ok(()), node) => node,
        (Err(missing), Ok(_)) => Err(missing),
        (Err(missing), Err(node)) => Err(format!("{missing}\n{node}")),
    }
}

/// All that any task wants.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn everything(install: bool) -> Result<(), String> {
    ensure_with_node(&[Group::Build, Group::Window, Group::Test], install)?;
    println!("This machine has what building and testing need.");
    Ok(())
}

fn missing(groups: &[Group]) -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| groups.contains(&need.group) && need.applies() && !need.probe.found())
        .collect()
}

fn still_missing(groups: &[Group]) -> Result<(), String> {
    let (required, optional): (Vec<_>, Vec<_>) =
        missing(groups).into_iter().partition(|need| need.group != Group::Test);
    for need in optional {
        println!("Without {}: {}", need.name, need.why);
    }
    if required.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = required.iter().map(|need| format!("  {:<28} {}", need.name, need.why)).collect();
    Err(format!("still missing:\n{}", list.join("\n")))
}
