//! What building and testing want of the machine, and how to get it there.

mod aiortc;
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
    let builds = groups.contains(&Group::Build);
    let wanted = |need: &Need| groups.contains(&need.group) || (builds && need.group == Group::Better);
    provide(&missing(wanted), install);
    let (required, optional): (Vec<_>, Vec<_>) = missing(wanted)
        .into_iter()
        .partition(|need| need.group != Group::Test && need.group != Group::Better);
    for need in optional {
        println!("Without {}: {}", need.name, need.why);
    }
    if groups.contains(&Group::Test) {
        aiortc::provide(install);
    }
    all_there(&required)
}

/// [`ensure`] for single things, by their names in the table; none of them can be done without.
///
/// # Errors
/// Where one of them is still missing; all are listed.
pub(crate) fn ensure_named(names: &[&str], install: bool) -> Result<(), String> {
    let wanted = |need: &Need| names.contains(&need.name);
    provide(&missing(wanted), install);
    all_there(&missing(wanted))
}

/// Installs what is missing, or prints how.
fn provide(missing: &[&'static Need], install: bool) {
    if missing.is_empty() {
        return;
    }
    println!("This machine lacks:");
    for need in missing {
        println!("  {:<28} {}", need.name, need.why);
    }
    let manager = Manager::of_this_machine();
    let installed = match &manager {
        Some(manager) => manager.install(missing, install),
        None => {
            Err("no package manager that this program knows (apt-get, dnf, pacman, brew, winget)".to_owned())
        }
    };
    if let Err(reason) = &installed {
        println!("{reason}");
    }
    if install {
        table::after_install(missing);
    }
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

fn missing(wanted: impl Fn(&Need) -> bool) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| wanted(need) && need.applies() && !need.probe.found()).collect()
}

fn all_there(missing: &[&Need]) -> Result<(), String> {
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = missing.iter().map(|need| format!("  {:<28} {}", need.name, need.why)).collect();
    Err(format!("still missing:\n{}", list.join("\n")))
}
