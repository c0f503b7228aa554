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
    use std::process::ExitCode;
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("an aim was missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the aims are met.
#[cfg(target_os = "linux")]
fn run() -> sidetone_testkit::Result<bool> {
    use std::path::PathBuf;
    use std::time::Duration;

    use sidetone_testkit::{Needs, RigError, enter_room_as_program};

    let (mut phone, mut seconds) = (None, 10);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| RigError::new(format!("{name} wants a value")));
        match name.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--phone" => phone = Some(PathBuf::from(value()?)),
            "--seconds" => {
                let given = value()?;
                seconds = given.parse().ok().filter(|n| (1..=600).contains(n)).ok_or_else(|| {
                    RigError::new(format!("--seconds wants a number from 1 to 600, not {given:?}"))
                })?;
            }
            _ => {
                return Err(RigError::new(format!(
                    "unknown option {name:?}\nbench calls --phone FILE [--seconds N]"
                )));
            }
        }
    }
    let Some(phone) = phone else {
        // A test run of all targets.
        println!("bench calls --phone FILE [--seconds N]");
        return Ok(true);
    };
    let phone = std::fs::canonicalize(&phone).map_err(|e| RigError::while_doing(phone.display(), e))?;
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
