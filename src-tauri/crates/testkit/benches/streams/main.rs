//! What it costs to forward a stream to many players, beside Janus VideoRoom in the same run; what publishing, playing and
//! calling with 720p30 in H.264 costs; and how old a picture is when it is drawn in the app's window. Run it through
//! `cargo xtask bench streams`.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod coding;
#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod forward;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod window;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    sidetone_testkit::bench::ended(run())
}

/// Whether the aims are met.
#[cfg(target_os = "linux")]
fn run() -> sidetone_testkit::Result<bool> {
    use arguments::Part;
    use sidetone_testkit::{Janus, Needs, enter_room_as_program};

    let Some(arguments) = arguments::of_this_program()? else {
        // A test run of all targets.
        println!("{}", arguments::USAGE);
        return Ok(true);
    };
    let mut tools = Vec::new();
    if arguments.parts.contains(&Part::Forward) {
        tools.push(Janus::TOOL);
    }
    if arguments.parts.contains(&Part::Window) {
        tools.extend(window::TOOLS);
    }
    let Some(room) = enter_room_as_program(&Needs::tools(&tools).network())? else { return Ok(true) };
    println!("{}", table::machine());
    let mut met = true;
    for part in &arguments.parts {
        met &= match part {
            Part::Forward => forward::run(room.dir(), &arguments)?,
            Part::Coding => coding::run(room.dir(), &arguments)?,
            Part::Window => window::run(room.dir(), &arguments)?,
        };
    }
    Ok(met)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs Linux: Janus and /proc");
}
