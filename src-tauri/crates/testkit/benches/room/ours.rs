//! Our program: the gateway with the room, and its user in it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidetone_testkit::{Result, RigError};

use crate::media::{FPS, HEIGHT, KBIT, WIDTH};
use crate::member::ROOM;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Ours {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    asked: u64,
    /// Of played streams, by their ids: the name, and what was measured last.
    played: BTreeMap<String, (String, Value)>,
}

/// Of one stream that it plays, since its beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Played {
    pub(crate) pictures: u64,
    pub(crate) frozen_ms: u64,
}

impl Ours {
    /// With its address.
    pub(crate) fn start(dir: &Path, program: &Path) -> Result<(Self, String)> {
        let failed = |error| RigError::while_doing(program.display(), error);
        let mut command = Command::new(program);
        command.args([
            "gateway",
            "--commands",
            "--mic",
            "tone",
            "--speaker",
            "null",
            "--http-port",
            "0",
            "--json",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // The room has set the others.
        for variable in ["XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, dir.join("home"));
        }
        let mut child = command.spawn().map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or_else(|| RigError::new("the program has no stdout"))?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                if let Ok(value) = serde_json::from_str(&line)
                    && sender.send(value).is_err()
                {
                    return;
                }
            }
        });
        let mut ours = Self { child, stdin, lines, asked: 0, played: BTreeMap::new() };
        let line = ours.wait("its address", |line| line["http"].is_string())?;
        let address = line["http"].as_str().unwrap_or_default().trim_start_matches("http://").to_owned();
        Ok((ours, address))
    }

    pub(crate) fn join(&mut self) -> Result<()> {
        let video = json!({
            "codecs": ["H264"], "width": WIDTH, "height": HEIGHT, "framesPerSecond": FPS,
            "minKbit": KBIT / 2, "startKbit": KBIT, "maxKbit": KBIT,
        });
        self.ask(&json!({ "command": "changeSettings", "video": video }))?;
        let sources = json!({ "video": "bars", "audio": [{ "source": "tone", "gain": 0.1 }] });
        let settings = json!({ "lobby": false });
        self.ask(&json!({ "command": "joinRoom", "name": ROOM, "login": "ours", "sources": sources, "settings": settings }))?;
        Ok(())
    }

    fn ask(&mut self, command: &Value) -> Result<Value> {
        self.asked += 1;
        let id = self.asked;
        let line = json!({ "id": id, "command": command });
        let failed = |error| RigError::while_doing("a command", error);
        let stdin = self.stdin.as_mut().ok_or_else(|| RigError::new("it takes no commands"))?;
        writeln!(stdin, "{line}").map_err(failed)?;
        let answer = self.wait("a reply", |line| line["id"] == id)?;
        if answer["reply"].is_null() {
            Err(RigError::new(format!("{command}: {answer}")))
        } else {
            Ok(answer)
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.note(&line);
                    if fits(&line) {
                        return Ok(line);
                    }
                }
                Err(error) => return Err(RigError::new(format!("{what} did not come: {error}"))),
            }
        }
    }

    fn note(&mut self, line: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match line["event"].as_str() {
            Some("StreamChanged") if line["stream"]["direction"] == "played" => {
                let stream = &line["stream"];
                self.played.entry(text(&stream["streamId"])).or_default().0 = text(&stream["name"]);
            }
            Some("StreamMeasured") => {
                if let Some(found) = self.played.get_mut(&text(&line["streamId"])) {
                    found.1 = line["statistics"].clone();
                }
            }
            _ => {}
        }
    }

    /// What it plays, by name.
    pub(crate) fn played(&mut self) -> BTreeMap<String, Played> {
        while let Ok(line) = self.lines.try_recv() {
            self.note(&line);
        }
        let of = |statistics: &Value| Played {
            pictures: statistics["frames"].as_u64().unwrap_or_default(),
            frozen_ms: statistics["frozenMs"].as_u64().unwrap_or_default(),
        };
        self.played.values().map(|(name, statistics)| (name.clone(), of(statistics))).collect()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
