//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use sidetone_testkit::bench::{self, MOST_SECONDS};
use sidetone_testkit::{Result, RigError};

pub(crate) const USAGE: &str = "\
bench streams --program FILE [--app FILE] [--seconds N] [--players N,N,...] [--only forward|coding|window]...

  --program FILE   a release build of sidetone-cli
  --app FILE       a release build of the app, for the part `window`
  --seconds N      how much of each is measured (5; for pictures 20)
  --players N,...  how many players a stream is forwarded to (1,10,50,100,200)
  --only PART      forward: packets forwarded, beside Janus; coding: 720p30 in H.264; window: from capture to drawn";

const FORWARDED_SECONDS: u64 = 5;
const SHOWN_SECONDS: u64 = 20;
const MOST_PLAYERS: u32 = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Forward,
    Coding,
    Window,
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) program: PathBuf,
    app: Option<PathBuf>,
    seconds: Option<u64>,
    pub(crate) players: Vec<u32>,
    pub(crate) parts: Vec<Part>,
}

impl Arguments {
    /// How long packets are counted.
    pub(crate) fn forwarded(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(FORWARDED_SECONDS))
    }

    /// How long pictures are.
    pub(crate) fn shown(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(SHOWN_SECONDS))
    }

    pub(crate) fn app(&self) -> Result<&PathBuf> {
        self.app.as_ref().ok_or_else(|| RigError::new(format!("the part `window` wants --app\n{USAGE}")))
    }
}

/// `None` where nothing is asked for, as in a test run of all targets.
pub(crate) fn of_this_program() -> Result<Option<Arguments>> {
    let (mut program, mut app, mut seconds) = (None, None, None);
    let (mut players, mut parts) = (vec![1, 10, 50, 100, 200], Vec::new());
    let mut arguments = bench::Arguments::of_this_program(USAGE);
    while let Some(name) = arguments.name() {
        match name.as_str() {
            "--program" => program = Some(PathBuf::from(arguments.value(&name)?)),
            "--app" => app = Some(PathBuf::from(arguments.value(&name)?)),
            "--seconds" => seconds = Some(arguments.number(&name, 1..=MOST_SECONDS)?),
            "--players" => players = arguments.numbers(&name, 1..=MOST_PLAYERS)?,
            "--only" => parts.push(match arguments.value(&name)?.as_str() {
                "forward" => Part::Forward,
                "coding" => Part::Coding,
                "window" => Part::Window,
                other => return Err(arguments.unknown(&format!("--only {other}"))),
            }),
            _ => return Err(arguments.unknown(&name)),
        }
    }
    let Some(program) = program else { return Ok(None) };
    let program = bench::program(&program)?;
    let app = app.map(|app| bench::program(&app)).transpose()?;
    if parts.is_empty() {
        parts = vec![Part::Forward, Part::Coding, Part::Window];
    }
    Ok(Some(Arguments { program, app, seconds, players, parts }))
}
