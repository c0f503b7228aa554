//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
bench call --phone FILE [--seconds N] [--rounds N] [--no-recording]

  --phone FILE     a release build of sidetone-cli
  --seconds N      how much of each call is measured (20)
  --rounds N       calls of each program and codec, of which the median counts (3)
  --no-recording   neither writes what it hears to a file";

/// The longest call: the sound files are made for it, and baresip holds its in memory.
const MOST_SECONDS: u64 = 600;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) phone: PathBuf,
    pub(crate) measured: Duration,
    pub(crate) rounds: u32,
    pub(crate) recording: bool,
}

/// `None` where nothing is asked for, as in a test run of all targets.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let (mut phone, mut seconds, mut rounds, mut recording) = (None, 20, 3, true);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            // What cargo adds.
            "--bench" => continue,
            "--no-recording" => {
                recording = false;
                continue;
            }
            _ => {}
        }
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value\n{HELP}"))?;
        match name.as_str() {
            "--phone" => phone = Some(PathBuf::from(value)),
            "--seconds" => seconds = number(&name, &value, MOST_SECONDS)?,
            "--rounds" => rounds = number(&name, &value, 100)? as u32,
            _ => return Err(format!("unknown option {name:?}\n{HELP}")),
        }
    }
    let measured = Duration::from_secs(seconds);
    Ok(phone.map(|phone| Arguments { phone, measured, rounds, recording }))
}

fn number(name: &str, value: &str, most: u64) -> Result<u64, String> {
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("{name} wants a number from 1 to {most}, not {value:?}"))
}
