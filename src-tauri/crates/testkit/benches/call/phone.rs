//! Ours and baresip under one set of words.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sidetone_testkit::audio::Wav;
use sidetone_testkit::{Baresip, BaresipOptions, Process, Result, RigError, until};

pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
const PASSWORD: &str = "SIDETONE_BENCH_PASSWORD";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    G711,
    Opus,
}

impl Codec {
    pub(crate) const ALL: [Self; 2] = [Self::G711, Self::Opus];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::G711 => "G.711 (PCMU)",
            Self::Opus => "Opus",
        }
    }

    /// Of the file that is spoken. It is the codec's, so that baresip need not resample.
    pub(crate) fn rate(self) -> u32 {
        match self {
            Self::G711 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// A callee that accepts this codec alone.
    pub(crate) fn scenario(self) -> &'static str {
        match self {
            Self::G711 => "uas.xml",
            Self::Opus => "uas_opus.xml",
        }
    }

    fn ours(self) -> &'static str {
        match self {
            Self::G711 => "PCMU",
            Self::Opus => "opus",
        }
    }

    fn baresips(self) -> &'static str {
        match self {
            Self::G711 => "pcmu",
            Self::Opus => "opus",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Sidetone,
    Baresip,
}

/// One call that is to be placed.
pub(crate) struct Plan<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) cli: &'a Path,
    pub(crate) proxy: SocketAddr,
    pub(crate) callee: &'a str,
    pub(crate) codec: Codec,
    pub(crate) said: &'a Path,
    /// From the answer on.
    pub(crate) length: Duration,
    pub(crate) recording: bool,
}

/// A phone with a call that is established.
pub(crate) enum Phone {
    Sidetone { process: Process, heard: Option<PathBuf> },
    Baresip { baresip: Box<Baresip>, recording: bool },
}

impl Phone {
    /// Starts, registers, calls, and waits for the answer.
    pub(crate) fn call(program: Program, plan: &Plan<'_>) -> Result<Self> {
        match program {
            Program::Sidetone => call_with_sidetone(plan),
            Program::Baresip => call_with_baresip(plan),
        }
    }

    pub(crate) fn process(&self) -> &Process {
        match self {
            Self::Sidetone { process, .. } => process,
            Self::Baresip { baresip, .. } => baresip.process(),
        }
    }

    /// Ends the call and the program, and gives what it recorded of the far end, if it did.
    pub(crate) fn finish(self) -> Result<Option<Wav>> {
        match self {
            Self::Sidetone { mut process, heard } => {
                let status = process.wait(PATIENCE)?;
                if !status.success() {
                    return Err(RigError::new(format!("sidetone-cli: {status}\n{}", process.tail())));
                }
                heard.map(|heard| Wav::read(&heard)).transpose()
            }
            Self::Baresip { mut baresip, recording } => {
                baresip.hang_up()?;
                baresip.wait_event("CALL_CLOSED", PATIENCE)?;
                recording.then(|| baresip.recordings().map(|(_, heard)| heard)).transpose()
            }
        }
    }
}

fn call_with_sidetone(plan: &Plan<'_>) -> Result<Phone> {
    let heard = plan.recording.then(|| plan.dir.join("heard.wav"));
    let speaker = heard.as_ref().map_or("null".into(), |heard| format!("file:{}", heard.display()));
    let mut command = Command::new(plan.cli);
    command
        .args(["call", plan.callee, "--json", "--transport", "udp"])
        .args(["--aor", &format!("sip:alice@{}", plan.proxy), "--registrar", &format!("sip:{}", plan.proxy)])
        .args(["--password-env", PASSWORD])
        .args(["--codec", plan.codec.ours()])
        .args(["--mic", &format!("file:{}", plan.said.display())])
        .args(["--speaker", &speaker])
        .args(["--for", &format!("{}ms", plan.length.as_millis())])
        .env(PASSWORD, "secret");
    let mut process = Process::spawn("sidetone-cli", &mut command, plan.dir)?;
    let established = |line: &str| line.contains("CallStatusEvent") && line.contains("\"ESTABLISHED\"");
    let answered = until("our call's answer", PATIENCE, || {
        let answered = process.stdout().lines().any(established);
        (answered || !process.is_running()).then_some(answered)
    });
    match answered {
        Ok(true) => Ok(Phone::Sidetone { process, heard }),
        Ok(false) => Err(RigError::new(format!("sidetone-cli ended\n{}", process.tail()))),
        Err(error) => Err(RigError::new(format!("{error}\n{}", process.tail()))),
    }
}

fn call_with_baresip(plan: &Plan<'_>) -> Result<Phone> {
    let mut baresip = Baresip::start(
        plan.dir,
        &BaresipOptions {
            user: "bob",
            registrar: Some(plan.proxy),
            codecs: &[plan.codec.baresips()],
            source: Some(plan.said),
            then_silent: 0,
            record: plan.recording,
            ..BaresipOptions::default()
        },
    )?;
    baresip.dial(plan.callee)?;
    baresip.wait_event("CALL_ESTABLISHED", PATIENCE)?;
    Ok(Phone::Baresip { baresip: Box::new(baresip), recording: plan.recording })
}
