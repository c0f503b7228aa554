//! All of them, and the two parts that are measured.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sidetone_testkit::{Result, RigError, measure};

use crate::media::Media;
use crate::ours::{Ours, Played};
use crate::table::{self, Part, Row, Seen};

const LOGINS: [&str; 5] = ["ann", "bob", "cem", "dora", "slow"];
const PATIENCE: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_secs(3);

struct Member {
    login: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Whether the aims are met.
pub(crate) fn run(dir: &Path, program: &Path, measured: Duration) -> Result<bool> {
    let file = dir.join("media");
    let media = Media::encode()?;
    media.write(&file)?;
    println!("{}", table::head(media.kbit(), measured));
    let (mut ours, address) = Ours::start(dir, program)?;
    ours.join()?;
    let mut members = Vec::new();
    for login in LOGINS {
        members.push(Member::start(login, &address, &file)?);
    }
    gather(&mut ours, &mut members)?;
    let wide = part(&mut ours, &mut members, measured, false)?;
    println!("{}", table::part("all paths are wide", &wide));
    let narrow = part(&mut ours, &mut members, measured, true)?;
    println!("{}", table::part("the path to `slow` becomes 300 kbit/s wide as this begins", &narrow));
    // All at once: nobody is to miss the others.
    for member in &mut members {
        let _ = member.child.kill();
    }
    let (text, met) = table::end(&wide, &narrow);
    println!("{text}");
    Ok(met)
}

/// Until everybody sees everybody.
fn gather(ours: &mut Ours, members: &mut [Member]) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        tell(members, "begin")?;
        thread::sleep(SETTLE);
        let mut all = true;
        for member in members.iter_mut() {
            let (_, seen) = member.report()?;
            all &= seen.len() == LOGINS.len() && seen.iter().all(|seen| seen.pictures > 0);
        }
        let played = ours.played();
        all &= played.len() == LOGINS.len() && played.values().all(|played| played.pictures > 0);
        if all {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(RigError::new(format!(
                "not everybody sees everybody within {} s",
                PATIENCE.as_secs()
            )));
        }
    }
}

fn tell(members: &mut [Member], word: &str) -> Result<()> {
    members.iter_mut().try_for_each(|member| member.say(word))
}

fn part(ours: &mut Ours, members: &mut [Member], measured: Duration, narrow: bool) -> Result<Part> {
    let processes: Vec<u32> =
        members.iter().map(|member| member.child.id()).chain([ours.process()]).collect();
    let times = || processes.iter().map(|process| measure::cpu_time(*process)).collect::<Result<Vec<_>>>();
    if let Some(slow) = members.last_mut().filter(|_| narrow) {
        slow.say("narrow")?;
    }
    tell(members, "begin")?;
    let (began, before, played) = (Instant::now(), times()?, ours.played());
    thread::sleep(measured);
    let (after, took, now) = (times()?, began.elapsed(), ours.played());
    let mut rows = Vec::new();
    let share =
        |place: usize| (after[place].saturating_sub(before[place])).as_secs_f64() / took.as_secs_f64();
    for (place, member) in members.iter_mut().enumerate() {
        let (report, seen) = member.report()?;
        let kbit = |key: &str| report[key].as_f64().unwrap_or_default() * 8.0 / 1_000.0 / took.as_secs_f64();
        let (up, down) = (kbit("up"), kbit("down"));
        rows.push(Row { login: member.login, cpu: share(place), up, down, seen });
    }
    let seen = since(&played, &now);
    let (up, down) = (rows.iter().map(|row| row.down).sum(), rows.iter().map(|row| row.up).sum());
    rows.push(Row { login: table::OURS, cpu: share(members.len()), up, down, seen });
    Ok(Part { rows, seconds: took.as_secs_f64() })
}

fn since(before: &BTreeMap<String, Played>, now: &BTreeMap<String, Played>) -> Vec<Seen> {
    let seen = now.iter().map(|(name, now)| {
        let before = before.get(name).cloned().unwrap_or_default();
        Seen {
            name: name.clone(),
            pictures: now.pictures.saturating_sub(before.pictures),
            longest: now.frozen_ms.saturating_sub(before.frozen_ms) as f64 / 1_000.0,
            sounds: None,
        }
    });
    seen.collect()
}

impl Member {
    fn start(login: &'static str, gateway: &str, media: &Path) -> Result<Self> {
        let failed = |error| RigError::while_doing(login, error);
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(["--member", login, "--gateway", gateway, "--media"]).arg(media);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = BufReader::new(stdout.ok_or_else(|| RigError::new("no stdout"))?);
        Ok(Self { login, child, stdin, stdout })
    }

    fn say(&mut self, word: &str) -> Result<()> {
        let failed = |error| RigError::while_doing(self.login, error);
        let stdin = self.stdin.as_mut().ok_or_else(|| RigError::new("no stdin"))?;
        writeln!(stdin, "{word}").map_err(failed)
    }

    fn report(&mut self) -> Result<(Value, Vec<Seen>)> {
        self.say("end")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(|error| RigError::while_doing(self.login, error))?;
        let report: Value = serde_json::from_str(&line)
            .map_err(|error| RigError::new(format!("{}: {error}: {line:?}", self.login)))?;
        let streams = report["streams"].as_array().into_iter().flatten();
        let seen = streams.map(|stream| Seen {
            name: stream["name"].as_str().unwrap_or_default().to_owned(),
            pictures: stream["pictures"].as_u64().unwrap_or_default(),
            longest: stream["longest"].as_f64().unwrap_or_default(),
            sounds: stream["sounds"].as_u64(),
        });
        let seen = seen.collect();
        Ok((report, seen))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
