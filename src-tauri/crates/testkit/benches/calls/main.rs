//! 1 to 100 G.711 calls at once in one engine, on file audio, with SIPp sending their sound back: what each costs. Run it
//! through `cargo xtask bench calls`.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod engine;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    sidetone_testkit::bench::ended(run())
}

/// Whether the aims are met.
#[cfg(target_os = "linux")]
fn run() -> sidetone_testkit::Result<bool> {
    use std::path::PathBuf;
    use std::time::Duration;

    use sidetone_testkit::bench::{self, Arguments, MOST_SECONDS};
    use sidetone_testkit::{Needs, enter_room_as_program};

    const USAGE: &str = "bench calls --phone FILE [--seconds N]";
    let (mut phone, mut seconds) = (None, 10);
    let mut arguments = Arguments::of_this_program(USAGE);
    while let Some(name) = arguments.name() {
        match name.as_str() {
            "--phone" => phone = Some(PathBuf::from(arguments.value(&name)?)),
            "--seconds" => seconds = arguments.number(&name, 1..=MOST_SECONDS)?,
            _ => return Err(arguments.unknown(&name)),
        }
    }
    let Some(phone) = phone else {
        // A test run of all targets.
        println!("{USAGE}");
        return Ok(true);
    };
    let phone = bench::program(&phone)?;
    let Some(room) = enter_room_as_program(&Needs::tools(&["sipp"]).network())? else { return Ok(true) };
    let rows = engine::measure_all(room.dir(), &phone, Duration::from_secs(seconds))?;
    let (text, met) = table::of(&rows, seconds);
    println!("{text}");
    Ok(met)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs Linux: SIPp and /proc");
}
