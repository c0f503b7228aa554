//! `cargo xtask run`.

use crate::{
    arguments,
    needs::{self, Group},
    shell, ui,
};
use std::env;

/// The window where there is a display, else the same pages for a browser.
pub(crate) fn run(options: &arguments::Run) -> Result<(), String> {
    let no_display = no_display();
    if let Some(reason) = no_display {
        println!("No window can open here: {reason}. Its pages are served to a browser instead.");
    }
    let groups: &[Group] =
        if no_display.is_some() { &[Group::Build] } else { &[Group::Build, Group::Window] };
    ui::build(&needs::ensure_with_node(groups, options.install)?)?;

    let package = if no_display.is_some() { "sidetone-cli" } else { "sidetone" };
    let mut arguments = vec!["run", "--package", package];
    if options.release {
        arguments.push("--release");
    }
    arguments.push("--");
    if no_display.is_some() {
        arguments.push("gateway");
    }
    arguments.extend(options.rest.iter().map(String::as_str));
    shell::become_it(shell::cargo(&arguments))
}

/// Why no window can open.
fn no_display() -> Option<&'static str> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let display = !cfg!(target_os = "linux") || set("WAYLAND_DISPLAY") || set("DISPLAY");
    (!display).then_some("neither WAYLAND_DISPLAY nor DISPLAY is set")
}
