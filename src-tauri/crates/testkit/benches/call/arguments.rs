//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
bench call --phone FILE [--seconds N] [--rounds N]

  --phone FILE   a release build of sidetone-cli
  --seconds N    how much of each call is measured (20)
  --rounds N     calls of each program and codec, of which the median counts (3)";

/// The longest call: the sound files are made for it, and baresip holds its in memory.
const MOST_SECONDS: u64 = 600;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) phone: PathBuf,
    pub(crate) measured: Duration,
    pub(crate) rounds: u32,
}

/// `None` where nothing is asked for, as in a test run of all targets.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let (mut phone, mut seconds, mut rounds) = (None, 20, 3);
    while let Some(name) = arguments.next() {
        // What cargo adds.
        if name == "--bench" {
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value\n{HELP}"))?;
        match name.as_str() {
            "--phone" => phone = Some(PathBuf::from(value)),
            "--seconds" => seconds = number(&name, &value, MOST_SECONDS)?,
            "--rounds" => rounds = number(&name, &value, 100)? as u32,
            _ => return Err(format!("unknown option {name:?}\n{HELP}")),
        }
    }
    Ok(phone.map(|phone| Arguments { phone, measured: Duration::from_secs(seconds), rounds }))
}

fn number(name: &str, value: &str, most: u64) -> Result<u64, String> {
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("{name} wants a number from 1 to {most}, not {value:?}"))
}
