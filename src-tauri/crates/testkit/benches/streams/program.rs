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
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) struct Program {
    child: Child,
    lines: Receiver<Value>,
}

impl Program {
    pub(crate) fn start(dir: &Path, program: &Path, arguments: &[&str]) -> Result<Self> {
        let failed = |error| RigError::while_doing(program.display(), error);
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        for variable in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(variable, dir);
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

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Part of a core that publishing 720p30 bars in H.264 with a tone takes, and pictures a second.
pub(crate) fn publishing(dir: &Path, program: &Path, measured: Duration) -> Result<(f64, f64)> {
    let arguments = [
        "publish", "bench", "--camera", "bars", "--mic", "tone", "--codec", "H264", "--size", "1280x720",
        "--json",
    ];
    let mut publisher = Program::start(dir, program, &arguments)?;
    publisher.wait("PUBLISHING", |line| line["status"] == "PUBLISHING")?;
    thread::sleep(SETTLE);
    let frames = |line: &Value| line["statistics"]["frames"].as_u64();
    let is_measured = |line: &Value| line["event"] == "StreamMeasured";
    while publisher.lines.try_recv().is_ok() {}
    let first = frames(&publisher.wait("a measurement", is_measured)?).unwrap_or_default();
    let (cpu, began) = (measure::cpu_time(publisher.process())?, Instant::now());
    thread::sleep(measured);
    let (cpu, took) = (measure::cpu_time(publisher.process())?.saturating_sub(cpu), began.elapsed());
    let mut last = first;
    while let Ok(line) = publisher.lines.try_recv() {
        last = if is_measured(&line) { frames(&line).unwrap_or(last) } else { last };
    }
    // Measurements come each second; the last one may be up to a second old.
    let rate = (last - first) as f64 / took.as_secs_f64().floor().max(1.0);
    Ok((cpu.as_secs_f64() / took.as_secs_f64(), rate))
}
