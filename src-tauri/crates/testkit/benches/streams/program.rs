//! `sidetone-cli` in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sidetone_testkit::{Result, RigError, measure};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Program {
    child: Child,
    lines: Receiver<Value>,
}

impl Program {
    pub(crate) fn start(dir: &Path, program: &Path, arguments: &[&str]) -> Result<Self> {
        let failed = |error| RigError::while_doing(program.display(), error);
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // The room has set the others.
        for variable in ["XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, dir.join("home"));
        }
        let mut child = command.spawn().map_err(failed)?;
        let Some(stdout) = child.stdout.take() else {
            return Err(RigError::new("the program has no stdout"));
        };
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
        Ok(Self { child, lines })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if fits(&line) => return Ok(line),
                Ok(_) => {}
                Err(error) => return Err(RigError::new(format!("{what} did not come: {error}"))),
            }
        }
    }
}

impl Program {
    /// `sidetone-cli gateway`, and its address.
    pub(crate) fn gateway(dir: &Path, program: &Path) -> Result<(Self, String)> {
        let arguments = ["gateway", "--mic", "silence", "--speaker", "null", "--http-port", "0", "--json"];
        let mut program = Self::start(dir, program, &arguments)?;
        let line = program.wait("its address", |line| line["http"].is_string())?;
        Ok((program, line["http"].as_str().unwrap_or_default().to_owned()))
    }

    /// Bars, in H.264 where `more` names no other codec, 30 pictures a second, without sound; it is published when this returns.
    pub(crate) fn bars(dir: &Path, program: &Path, name: &str, size: &str, more: &[&str]) -> Result<Self> {
        let mut arguments = vec!["publish", name, "--camera", "bars", "--size", size];
        if !more.contains(&"--codec") {
            arguments.extend(["--codec", "H264"]);
        }
        arguments.extend(["--fps", "30", "--bitrate", "1500", "--json"]);
        arguments.extend(more);
        let mut publisher = Self::start(dir, program, &arguments)?;
        publisher.wait("PUBLISHING", |line| line["status"] == "PUBLISHING")?;
        Ok(publisher)
    }

    /// Calls or is called, without a registrar, with bars in H.264 as the picture and a tone as the sound.
    pub(crate) fn in_video_call(dir: &Path, program: &Path, task: &[&str]) -> Result<Self> {
        let mut arguments = task.to_vec();
        arguments.extend([
            "--aor",
            "sip:bob@127.0.0.1",
            "--no-register",
            "--mic",
            "tone",
            "--speaker",
            "null",
        ]);
        arguments.extend(["--video", "--camera", "bars", "--video-codec", "H264", "--size", "1280x720"]);
        arguments.extend(["--fps", "30", "--bitrate", "1500", "--json"]);
        let mut program = Self::start(dir, program, &arguments)?;
        program.wait("its session", |line| line["event"] == "SessionChanged" || line["call"].is_object())?;
        Ok(program)
    }

    /// Pictures of its only stream, shown or encoded, or of its call, shown, and when that was told; what was told before is forgotten.
    pub(crate) fn pictures(&mut self) -> Result<(u64, Instant)> {
        while self.lines.try_recv().is_ok() {}
        let count = |line: &Value| {
            let statistics = &line["statistics"];
            statistics["frames"].as_u64().or_else(|| statistics["video"]["framesShown"].as_u64())
        };
        let line = self.wait("a measurement", |line| count(line).is_some())?;
        Ok((count(&line).unwrap_or_default(), Instant::now()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What several processes took at once.
pub(crate) fn cpu_times(processes: &[u32]) -> Result<Vec<Duration>> {
    processes.iter().map(|process| measure::cpu_time(*process)).collect()
}
