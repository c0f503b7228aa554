//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use sidetone_testkit::Result;
use sidetone_testkit::bench::{self, MOST_SECONDS};

pub(crate) const HELP: &str = "\
bench call --phone FILE [--seconds N] [--rounds N] [--no-recording]

  --phone FILE     a release build of sidetone-cli
  --seconds N      how much of each call is measured (20)
  --rounds N       calls of each program and codec, of which the median counts (3)
  --no-recording   neither writes what it hears to a file";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) phone: PathBuf,
    pub(crate) measured: Duration,
    pub(crate) rounds: u32,
    pub(crate) recording: bool,
}

/// `None` where nothing is asked for, as in a test run of all targets.
pub(crate) fn of_this_program() -> Result<Option<Arguments>> {
    let (mut phone, mut seconds, mut rounds, mut recording) = (None, 20, 3, true);
    let mut arguments = bench::Arguments::of_this_program(HELP);
    while let Some(name) = arguments.name() {
        match name.as_str() {
            "--phone" => phone = Some(PathBuf::from(arguments.value(&name)?)),
            // The sound files are made for the whole call, and baresip holds its in memory.
            "--seconds" => seconds = arguments.number(&name, 1..=MOST_SECONDS)?,
            "--rounds" => rounds = arguments.number(&name, 1..=100)? as u32,
            "--no-recording" => recording = false,
            _ => return Err(arguments.unknown(&name)),
        }
    }
    let measured = Duration::from_secs(seconds);
    Ok(phone.map(|phone| Arguments { phone, measured, rounds, recording }))
}
