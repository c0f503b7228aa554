//! Streams between real programs: `sidetone-cli publish`, `play` and `snapshot`, a gateway, and what they write.

pub(crate) mod film;
mod foreign;
mod hostile;
mod moves;
mod names;
mod narrow;
mod recording;
mod relay;
mod sources;

use serde_json::Value;
use sidetone_testkit::{Needs, PeerNet, Room};
use std::{
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sidetone-cli");
const SOON: Duration = Duration::from_secs(30);
pub(crate) const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

fn needs() -> Needs {
    Needs::tools(&["ffmpeg", "ffprobe"]).network().within(Duration::from_secs(150))
}

/// A program with folders of the test's own, so that those of one test find each other and nobody else. Killed on drop.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    asked: u64,
    lines: Receiver<(Instant, Value)>,
    seen: Vec<(Instant, Value)>,
    passed: usize,
    name: String,
}

impl Program {
    pub(crate) fn start(room: &Room, arguments: &[&str]) -> Self {
        Self::start_with(room, arguments, &[])
    }

    /// With these variables in its environment.
    fn start_with(room: &Room, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.envs(variables.iter().copied());
        Self::run(command, room.dir(), arguments)
    }

    /// On another machine, which has folders of its own.
    fn start_at(net: &PeerNet, room: &Room, arguments: &[&str]) -> Self {
        let home = room.dir().join("elsewhere");
        std::fs::create_dir_all(&home).unwrap();
        Self::run(net.command(PROGRAM), &home, arguments)
    }

    fn run(mut command: Command, home: &Path, arguments: &[&str]) -> Self {
        command.args(arguments).arg("--json").current_dir(home).env("HOME", home);
        for (variable, folder) in [
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            let folder = home.join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            command.env(variable, folder);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // What reads no commands has no more of it than if there were nothing.
        let stdin = child.stdin.take().filter(|_| arguments.contains(&"--commands"));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send((Instant::now(), value)).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, asked: 0, lines, seen: Vec::new(), passed: 0, name: arguments.join(" ") }
    }

    /// The next line that fits, after those of earlier waits, and when it came.
    pub(crate) fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> (Instant, Value) {
        self.wait_within(SOON, what, fits)
    }

    pub(crate) fn wait_within(
        &mut self,
        patience: Duration,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> (Instant, Value) {
        let deadline = Instant::now() + patience;
        loop {
            while self.passed < self.seen.len() {
                self.passed += 1;
                if fits(&self.seen[self.passed - 1].1) {
                    return self.seen[self.passed - 1].clone();
                }
            }
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(error) => {
                    panic!("{}: {what} did not come ({error}); what came: {:#?}", self.name, self.seen)
                }
            }
        }
    }

    /// Sends a command; its reply, or the failure.
    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let line = serde_json::json!({ "id": id, "command": command });
        writeln!(self.stdin.as_mut().expect("it takes commands"), "{line}").unwrap();
        let deadline = Instant::now() + SOON;
        loop {
            if let Some((_, line)) = self.seen.iter().find(|(_, line)| line["id"] == id) {
                return line.clone();
            }
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(error) => panic!("{}: no reply ({error}) to {command}", self.name),
            }
        }
    }

    pub(crate) fn status(&mut self, status: &str) -> (Instant, Value) {
        self.wait(status, |line| line["event"] == "StreamStatusEvent" && line["status"] == status)
    }

    /// What came so far.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Value> {
        self.seen.iter().map(|(_, line)| line)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Its exit code and every line.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let deadline = Instant::now() + SOON;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push(line);
        }
        let code = self.child.wait().unwrap().code();
        (code, std::mem::take(&mut self.seen).into_iter().map(|(_, line)| line).collect())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway that the others find.
fn gateway(room: &Room) -> Program {
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT].concat());
    gateway.wait("its addresses", |line| line["http"].is_string());
    gateway
}

pub(crate) fn publish(room: &Room, name: &str, more: &[&str]) -> Program {
    let mut program = Program::start(room, &[&["publish", name, "--camera", "bars"][..], more].concat());
    program.status("PUBLISHING");
    program
}

/// Of a `StreamStatusEvent` of the end.
fn last_info(lines: &[Value]) -> (String, String) {
    let last = lines.iter().rev().find(|line| line["event"] == "StreamStatusEvent").expect("a status");
    let text = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("info"))
}

pub(crate) fn path(room: &Room, name: &str) -> (PathBuf, String) {
    let path = room.dir().join(name);
    let text = path.display().to_string();
    (path, text)
}
