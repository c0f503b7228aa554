//! aiortc: a WebRTC that has nothing in common with browsers, in Python. It publishes, plays, or serves WHIP and WHEP.

use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Result, RigError};
use crate::ports::free_port;
use crate::process::{Process, Signal, until};
use crate::require::{find, skip};

const SCRIPT: &str = include_str!("aiortc/peer.py");
/// Where `cargo xtask` puts it, below cargo's target folder.
const PRIVATE: &str = "tools/aiortc/bin/python";
const START: Duration = Duration::from_secs(30);

/// What it publishes: a clock as the product's bars have it, and a tone.
#[derive(Debug, Clone)]
pub struct AiortcOptions<'a> {
    pub token: Option<&'a str>,
    /// `VP8`, `H264` or `none`.
    pub video: &'a str,
    pub width: u32,
    pub height: u32,
    pub frames_per_second: u32,
    /// Hz; 0: no sound.
    pub pitch: f64,
}

impl Default for AiortcOptions<'_> {
    fn default() -> Self {
        Self { token: None, video: "VP8", width: 320, height: 240, frames_per_second: 15, pitch: 440.0 }
    }
}

/// A peer in a process of its own. It ends its session politely when it goes.
#[derive(Debug)]
pub struct Aiortc {
    process: Process,
    port: u16,
}

impl Aiortc {
    /// True where it is installed. Prints that the test is skipped where it is not.
    ///
    /// # Panics
    /// Where it is missing although `CI=true` is set on Linux.
    pub fn is_there() -> bool {
        python().is_some() || skip("not installed: aiortc for Python (`cargo xtask setup` installs it)")
    }

    /// Publishes to a WHIP endpoint.
    pub fn publish(dir: &Path, name: &str, url: &str, options: &AiortcOptions<'_>) -> Result<Self> {
        let size = format!("{}x{}", options.width, options.height);
        let (fps, pitch) = (options.frames_per_second.to_string(), options.pitch.to_string());
        let mut words =
            vec!["publish", url, "--video", options.video, "--size", &size, "--fps", &fps, "--pitch", &pitch];
        words.extend(options.token.iter().flat_map(|token| ["--token", token]));
        Self::start(dir, name, &words, 0)
    }

    /// Plays from a WHEP endpoint.
    pub fn play(dir: &Path, name: &str, url: &str, token: Option<&str>) -> Result<Self> {
        let mut words = vec!["play", url];
        words.extend(token.iter().flat_map(|token| ["--token", token]));
        Self::start(dir, name, &words, 0)
    }

    /// Serves WHIP and WHEP: pictures are decoded and encoded on the way. Neither trickle nor restart.
    pub fn serve(dir: &Path, name: &str, token: Option<&str>) -> Result<Self> {
        let port = free_port(Ipv4Addr::LOCALHOST.into())?;
        let number = port.to_string();
        let mut words = vec!["serve", "--port", &number];
        words.extend(token.iter().flat_map(|token| ["--token", token]));
        let server = Self::start(dir, name, &words, port)?;
        server.wait("listening", START)?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT` of one that serves.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All it told so far: `answered`, `refused`, `state`, `picture`, `sound`, `deleted`, `ended`, `opened`, `closed`.
    pub fn events(&self) -> Vec<Value> {
        self.process.stdout().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for an event of this name, from the beginning.
    pub fn wait(&self, name: &str, patience: Duration) -> Result<Value> {
        self.wait_for(name, patience, |event| event["event"] == name)
    }

    /// Waits for an event that fits, from the beginning.
    pub fn wait_for(&self, what: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        until(what, patience, || self.events().into_iter().find(&fits))
            .map_err(|error| RigError::new(format!("{error}\n{}", self.process.tail())))
    }

    /// Ends its session with a DELETE.
    pub fn end(&mut self) -> Result<()> {
        self.process.signal(Signal::TERM)?;
        self.process.wait(Duration::from_secs(10)).map(|_| ())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn start(dir: &Path, name: &str, words: &[&str], port: u16) -> Result<Self> {
        let python = python().ok_or_else(|| RigError::new("aiortc is not installed"))?;
        let script = dir.join("aiortc-peer.py");
        fs::write(&script, SCRIPT)?;
        let mut command = Command::new(python);
        command.arg(&script).args(words);
        let process = Process::spawn(&format!("aiortc-{name}"), &mut command, dir)?;
        Ok(Self { process, port })
    }
}

/// A Python that has aiortc: ours, else the system's.
fn python() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let ours = program.ancestors().map(|folder| folder.join(PRIVATE)).find(|file| file.is_file());
    ours.or_else(|| find("python3").filter(|python| has_aiortc(python)))
}

fn has_aiortc(python: &Path) -> bool {
    let tried = Command::new(python).args(["-c", "import aiortc, aiohttp"]).output();
    tried.is_ok_and(|output| output.status.success())
}
