//! What it costs to forward a stream to many players, beside Janus VideoRoom in the same run, and to publish one. Run it through
//! `cargo xtask bench streams`.
// Talking to the terminal is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod crowd;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod server;
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
    use server::{Ours, Server, Theirs};
    use sidetone_testkit::{Janus, Needs, RigError, enter_room_as_program};
    use std::{path::PathBuf, time::Duration};

    const USAGE: &str = "bench streams --program FILE [--seconds N] [--players N,N,...]";
    let (mut program, mut seconds, mut players) = (None, 5, vec![1, 10, 50, 100, 200]);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| RigError::new(format!("{name} wants a value")));
        match name.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--program" => program = Some(PathBuf::from(value()?)),
            "--seconds" => {
                let given = value()?;
                seconds = given.parse().ok().filter(|n| (1..=600).contains(n)).ok_or_else(|| {
                    RigError::new(format!("--seconds wants a number from 1 to 600, not {given:?}"))
                })?;
            }
            "--players" => {
                let given = value()?;
                let numbers =
                    given.split(',').map(|text| text.parse().ok().filter(|n| (1..=400).contains(n)));
                players = numbers.collect::<Option<Vec<u32>>>().ok_or_else(|| {
                    RigError::new(format!("--players wants numbers from 1 to 400, not {given:?}"))
                })?;
            }
            _ => return Err(RigError::new(format!("unknown option {name:?}\n{USAGE}"))),
        }
    }
    let Some(program) = program else {
        // A test run of all targets.
        println!("{USAGE}");
        return Ok(true);
    };
    let program = std::fs::canonicalize(&program).map_err(|e| RigError::while_doing(program.display(), e))?;
    let Some(room) = enter_room_as_program(&Needs::tools(&[Janus::TOOL]).network())? else { return Ok(true) };
    let measured = Duration::from_secs(seconds);
    let mut rows = Vec::new();
    for count in players {
        // In turn, each afresh, so that the machine's mood is the same for both.
        let ours = measure(&mut Ours::start(room.dir(), &program)?, count, measured)?;
        let theirs = measure(&mut Theirs::start(room.dir())?, count, measured)?;
        rows.push(table::Row { players: count, ours, theirs });
        println!("{}", table::line(&rows[rows.len() - 1]));
    }
    let publishing = program::publishing(room.dir(), &program, measured)?;
    let (text, met) = table::of(&rows, publishing, seconds);
    println!("{text}");
    return Ok(met);

    fn measure(
        server: &mut dyn Server,
        players: u32,
        measured: Duration,
    ) -> sidetone_testkit::Result<table::Cost> {
        let mut crowd = crowd::Crowd::gather(server, players)?;
        crowd.measure(server.process(), measured)
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this bench needs Linux: Janus and /proc");
}
