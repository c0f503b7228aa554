//! `cargo xtask run`.

use crate::{
    arguments,
    needs::{self, Group},
    project, shell, ui,
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

    let program = if no_display.is_some() { "sidetone-cli" } else { "sidetone" };
    // With the features that the whole workspace asks for, as the tests are built: neither makes the other start afresh.
    let mut build = shell::cargo(&["build", "--workspace", "--bin", program]);
    if options.release {
        build.arg("--release");
    }
    shell::run(&mut build)?;

    let profile = if options.release { "release" } else { "debug" };
    let program = project::target().join(profile).join(format!("{program}{}", env::consts::EXE_SUFFIX));
    let mut program = shell::command(program, if no_display.is_some() { &["gateway"] } else { &[] });
    program.args(&options.rest);
    shell::become_it(program)
}

/// Why no window can open.
fn no_display() -> Option<&'static str> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let display = !cfg!(target_os = "linux") || set("WAYLAND_DISPLAY") || set("DISPLAY");
    (!display).then_some("neither WAYLAND_DISPLAY nor DISPLAY is set")
}
