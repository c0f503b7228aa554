//! Six in one room at 640x360: our program with its gateway, and five headless peers that join as pages do, each a process of its
//! own. What each costs and gets; then the same once more while one of them has 300 kbit/s. Run it through `cargo xtask bench room`.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod crew;
#[cfg(target_os = "linux")]
mod frames;
#[cfg(target_os = "linux")]
mod leg;
#[cfg(target_os = "linux")]
mod media;
#[cfg(target_os = "linux")]
mod member;
#[cfg(target_os = "linux")]
mod ours;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
const USAGE: &str = "\
bench room --program FILE [--seconds N]

  --program FILE   a release build of sidetone-cli
  --seconds N      how long each of the two parts is measured (20)";
#[cfg(target_os = "linux")]
const SECONDS: u64 = 20;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    sidetone_testkit::bench::ended(run())
}

/// Whether the aims are met.
#[cfg(target_os = "linux")]
fn run() -> sidetone_testkit::Result<bool> {
    use sidetone_testkit::bench::{Arguments, MOST_SECONDS, program};
    use sidetone_testkit::{Needs, enter_room_as_program};

    let mut arguments = Arguments::of_this_program(USAGE);
    let (mut path, mut seconds, mut member, mut gateway, mut file) = (None, SECONDS, None, None, None);
    while let Some(name) = arguments.name() {
        match name.as_str() {
            "--program" => path = Some(program(arguments.value(&name)?.as_ref())?),
            "--seconds" => seconds = arguments.number(&name, 5..=MOST_SECONDS)?,
            // As this program starts itself.
            "--member" => member = Some(arguments.value(&name)?),
            "--gateway" => gateway = Some(arguments.value(&name)?),
            "--media" => file = Some(arguments.value(&name)?),
            _ => return Err(arguments.unknown(&name)),
        }
    }
    if let (Some(login), Some(gateway), Some(file)) = (member, gateway, file) {
        return member::run(&login, &gateway, file.as_ref()).map(|()| true);
    }
    let Some(path) = path else {
        // A test run of all targets.
        println!("{USAGE}");
        return Ok(true);
    };
    let Some(room) = enter_room_as_program(&Needs::tools(&[]).network())? else { return Ok(true) };
    crew::run(room.dir(), &path, std::time::Duration::from_secs(seconds))
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs Linux: its figures come from /proc");
}
