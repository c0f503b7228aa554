//! A PulseAudio server with null sinks for a speaker and a microphone.

use std::ffi::OsString;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::audio::Wav;
use crate::error::{Result, RigError};
use crate::process::{Process, Signal, until};
use crate::room::pulse_server;

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(5);

/// What the server is to have.
#[derive(Debug, Clone, Default)]
pub struct PulseOptions {
    /// Moves streams of a removed device to another one, as the configuration of a desktop does. Without it
    /// their clients lose them.
    pub rescue_streams: bool,
    /// Further lines of its start script.
    pub script: Vec<String>,
}

/// A server of the test's own, on a socket in its directory, open to every local process.
///
/// The sink `spk` is the default speaker; its monitor `spk.monitor` hears what is played. The source `mic` is the
/// default microphone; it hears what is played into the sink `micfeed`.
#[derive(Debug)]
pub struct PulseServer {
    dir: PathBuf,
    script: PathBuf,
    process: Process,
}

impl PulseServer {
    /// Starts a server in `dir` and waits until it answers.
    pub fn start(dir: &Path) -> Result<Self> {
        Self::start_with(dir, &PulseOptions::default())
    }

    /// Starts a server with more than the usual.
    pub fn start_with(dir: &Path, options: &PulseOptions) -> Result<Self> {
        let mut lines = vec![
            "module-null-sink sink_name=spk sink_properties=device.description=Speaker".to_owned(),
            "module-null-sink sink_name=micfeed sink_properties=device.description=Feed".to_owned(),
            "module-remap-source source_name=mic master=micfeed.monitor \
             source_properties=device.description=Microphone"
                .to_owned(),
            format!(
                "module-native-protocol-unix auth-anonymous=1 socket={}",
                dir.join("pulse.sock").display()
            ),
        ];
        lines.iter_mut().for_each(|line| line.insert_str(0, "load-module "));
        if options.rescue_streams {
            lines.insert(0, "load-module module-rescue-streams".to_owned());
        }
        lines.extend(options.script.iter().cloned());
        lines.extend(["set-default-sink spk".to_owned(), "set-default-source mic".to_owned()]);
        let script = dir.join("pulse.pa");
        fs::write(&script, format!(".fail\n{}\n", lines.join("\n")))?;
        // Anybody may connect, but a client must still bring a cookie of the right length.
        fs::write(dir.join("cookie"), [0x5a; 256])?;
        let process = launch(dir, &script)?;
        let mut server = Self { dir: dir.to_owned(), script, process };
        server.await_answer()?;
        Ok(server)
    }

    /// What a client process needs in its environment to find this server.
    pub fn env(&self) -> Vec<(&'static str, OsString)> {
        environment(&self.dir)
    }

    /// Crashes the server.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Suspends or resumes the process: while suspended it hangs.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.process.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Starts the server again after [`Self::kill`], with its first configuration.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        let _ = fs::remove_file(self.dir.join("pulse.sock"));
        self.process = launch(&self.dir, &self.script)?;
        self.await_answer()
    }

    /// Runs `pactl` and gives what it printed.
    pub fn pactl(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("pactl").args(arguments).envs(self.env()).env("LC_ALL", "C").output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(RigError::new(format!("pactl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Loads a module, given with its arguments, and gives its index.
    pub fn load_module(&self, module: &str) -> Result<u32> {
        let mut words = vec!["load-module"];
        words.extend(module.split_whitespace());
        let index = self.pactl(&words)?;
        index.trim().parse().map_err(|error| RigError::while_doing(format_args!("index of {module}"), error))
    }

    /// Unloads a module by its index.
    pub fn unload_module(&self, index: u32) -> Result<()> {
        self.pactl(&["unload-module", &index.to_string()]).map(drop)
    }

    /// Adds a null sink, with its monitor as a source.
    pub fn add_sink(&self, name: &str) -> Result<u32> {
        self.load_module(&format!(
            "module-null-sink sink_name={name} sink_properties=device.description={name}"
        ))
    }

    /// Makes a sink the default one.
    pub fn set_default_sink(&self, name: &str) -> Result<()> {
        self.pactl(&["set-default-sink", name]).map(drop)
    }

    /// Makes a source the default one.
    pub fn set_default_source(&self, name: &str) -> Result<()> {
        self.pactl(&["set-default-source", name]).map(drop)
    }

    /// Starts to play a wav file into the microphone.
    pub fn speak(&self, wav: &Path) -> Result<Process> {
        self.play(wav, "micfeed")
    }

    /// Starts to play a wav file on any sink. The process ends when all of it was heard.
    pub fn play(&self, wav: &Path, sink: &str) -> Result<Process> {
        let mut command = Command::new("paplay");
        command.arg(format!("--device={sink}")).arg("--latency-msec=500").arg(wav).envs(self.env());
        Process::spawn(&format!("paplay-{sink}"), &mut command, &self.dir)
    }

    /// Starts to record a source, such as `spk.monitor`, and waits until samples come.
    pub fn record(&self, source: &str) -> Result<Recording> {
        let path = self.dir.join(format!("{source}.wav"));
        let _ = fs::remove_file(&path);
        let mut command = Command::new("parecord");
        command
            .arg(format!("--device={source}"))
            .args([
                "--format=s16le",
                "--rate=48000",
                "--channels=1",
                "--file-format=wav",
                "--latency-msec=20",
            ])
            .arg(&path)
            .envs(self.env());
        let process = Process::spawn(&format!("parecord-{source}"), &mut command, &self.dir)?;
        let recording = Recording { process, path };
        until("the first recorded samples", START, || (recording.bytes() > 44).then_some(()))
            .map_err(|error| RigError::new(format!("{error}\n{}", recording.process.tail())))?;
        Ok(recording)
    }

    /// How many streams play on a sink now.
    pub fn streams_on_sink(&self, sink: &str) -> Result<usize> {
        self.count_streams("sinks", "sink-inputs", sink)
    }

    /// How many streams record from a source now.
    pub fn streams_on_source(&self, source: &str) -> Result<usize> {
        self.count_streams("sources", "source-outputs", source)
    }

    /// Counts the lines of a short list of streams whose device (second column) is `name`.
    fn count_streams(&self, devices: &str, streams: &str, name: &str) -> Result<usize> {
        let devices = self.pactl(&["list", "short", devices])?;
        let index = devices.lines().find_map(|line| {
            let mut columns = line.split('\t');
            let index = columns.next()?;
            (columns.next() == Some(name)).then_some(index)
        });
        let Some(index) = index else { return Ok(0) };
        let streams = self.pactl(&["list", "short", streams])?;
        Ok(streams.lines().filter(|line| line.split('\t').nth(1) == Some(index)).count())
    }

    fn await_answer(&mut self) -> Result<()> {
        let socket = self.dir.join("pulse.sock");
        until("an answer of PulseAudio", START, || {
            if !self.process.is_running() {
                return Some(Err(RigError::new("PulseAudio ended at once")));
            }
            UnixStream::connect(&socket).ok()?;
            self.pactl(&["info"]).ok().map(|_| Ok(()))
        })
        .and_then(|result| result)
        .map_err(|error| RigError::new(format!("{error}\n{}", self.process.tail())))
    }
}

/// A recording under way.
#[derive(Debug)]
pub struct Recording {
    process: Process,
    path: PathBuf,
}

impl Recording {
    /// What was recorded so far, in seconds. Blocks of 20 ms come late by as much.
    pub fn seconds(&self) -> f64 {
        self.bytes().saturating_sub(44) as f64 / 96_000.0
    }

    /// Ends the recording and gives it.
    pub fn finish(mut self) -> Result<Wav> {
        self.process.signal(Signal::INT)?;
        self.process.wait(STOP)?;
        Wav::read(&self.path)
    }

    fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map(|meta| meta.len()).unwrap_or(0)
    }
}

fn launch(dir: &Path, script: &Path) -> Result<Process> {
    let mut command = Command::new("pulseaudio");
    command
        .args(["-n", "--daemonize=no", "--system=no", "--exit-idle-time=-1", "--use-pid-file=no"])
        .args(["--disallow-exit=yes", "--realtime=no", "--high-priority=no", "--log-target=stderr"])
        .arg("-F")
        .arg(script)
        .envs(environment(dir));
    Process::spawn("pulseaudio", &mut command, dir)
}

fn environment(dir: &Path) -> Vec<(&'static str, OsString)> {
    let own = dir.join("pulse-home");
    let _ = fs::create_dir_all(&own);
    let own = own.into_os_string();
    vec![
        ("PULSE_SERVER", pulse_server(dir)),
        ("PULSE_RUNTIME_PATH", own.clone()),
        ("PULSE_STATE_PATH", own.clone()),
        ("PULSE_COOKIE", dir.join("cookie").into_os_string()),
        ("XDG_RUNTIME_DIR", own.clone()),
        ("HOME", own),
    ]
}
