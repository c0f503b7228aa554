//! SIPp with the scenarios of `tests/sipp`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::net::{PeerNet, Transport, command_in};
use crate::error::{Result, RigError};
use crate::ports::{free_port, free_port_range};
use crate::process::{Process, Signal, until};

static NEXT: AtomicU32 = AtomicU32::new(1);
const START: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Debug, Clone)]
pub struct SippOptions<'a> {
    /// A file name in `tests/sipp`, or a path.
    pub scenario: &'a str,
    /// Whom to call; none for a scenario that waits.
    pub target: Option<SocketAddr>,
    pub address: IpAddr,
    /// Its SIP port; any free one unless said.
    pub port: Option<u16>,
    pub transport: Transport,
    /// After so many calls it ends. None: it goes on until [`Sipp::stop`].
    pub calls: Option<u32>,
    /// New calls a second.
    pub rate: u32,
    /// Lines of `[field0]`, `[field1]`, …, used in turn.
    pub fields: Vec<Vec<String>>,
    /// Words of the scenario in brackets, such as `status` and `reason` of `uas_reject.xml`.
    pub keys: Vec<(&'a str, String)>,
    /// Sends back all RTP that it gets.
    pub echo: bool,
    /// How long one call of a caller lasts, in ms.
    pub hold_ms: u32,
    pub net: Option<&'a PeerNet>,
    /// Keeps every message for [`Sipp::messages`].
    pub log: bool,
}

impl Default for SippOptions<'_> {
    fn default() -> Self {
        Self {
            scenario: "uas.xml",
            target: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            transport: Transport::Udp,
            calls: Some(1),
            rate: 10,
            fields: Vec::new(),
            keys: Vec::new(),
            echo: false,
            hold_ms: 500,
            net: None,
            log: false,
        }
    }
}

/// A running SIPp.
#[derive(Debug)]
pub struct Sipp {
    process: Process,
    statistics: PathBuf,
    errors: PathBuf,
    messages: PathBuf,
    address: SocketAddr,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SippOutcome {
    pub created: u32,
    pub successful: u32,
    pub failed: u32,
    pub retransmissions: u32,
    /// Unexpected messages and the like, as SIPp words them.
    pub errors: String,
}

impl SippOutcome {
    /// True when all of `calls` calls went as the scenario says.
    pub fn is_clean(&self, calls: u32) -> bool {
        self.successful == calls && self.failed == 0
    }
}

impl Sipp {
    /// The authentication field of a user, as the scenarios want it.
    pub fn credentials(user: &str, password: &str) -> String {
        format!("[authentication username={user} password={password}]")
    }

    /// Starts a scenario. One that waits for calls is ready when this returns.
    pub fn start(dir: &Path, options: &SippOptions<'_>) -> Result<Self> {
        let ip = options.net.map_or(options.address, PeerNet::address);
        let port = match (options.port, options.net) {
            (Some(port), _) => port,
            (None, Some(_)) => 5080,
            (None, None) => free_port(ip)?,
        };
        let media = if options.net.is_some() { 16_000 } else { free_port_range(ip, 4)? };
        let name = format!("sipp-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let statistics = dir.join(format!("{name}.csv"));
        let errors = dir.join(format!("{name}.errors"));

        // SIPp itself takes no word for a status code, so the words are put in here.
        let scenario = scenario(options.scenario);
        let mut text = fs::read_to_string(&scenario)
            .map_err(|error| RigError::while_doing(scenario.display(), error))?;
        for (key, value) in &options.keys {
            text = text.replace(&format!("[{key}]"), value);
        }
        fs::write(dir.join(format!("{name}.xml")), text)?;

        let mut command = command_in(options.net, "sipp");
        if let Some(target) = options.target {
            command.arg(target.to_string());
        }
        command
            .arg("-sf")
            .arg(dir.join(format!("{name}.xml")))
            .args(["-i", &ip.to_string(), "-p", &port.to_string(), "-mi", &ip.to_string()])
            .args(["-mp", &media.to_string()])
            .args(["-t", if options.transport == Transport::Tcp { "t1" } else { "u1" }])
            .args(["-r", &options.rate.to_string(), "-d", &options.hold_ms.to_string()])
            .args(["-nostdin", "-trace_stat", "-fd", "1", "-stf"])
            .arg(&statistics)
            .args(["-trace_err", "-error_file"])
            .arg(&errors)
            // The port of its remote control would clash between two of them.
            .args(["-cp", &free_port(IpAddr::V4(Ipv4Addr::LOCALHOST))?.to_string()]);
        if let Some(calls) = options.calls {
            command.args(["-m", &calls.to_string()]);
        }
        let messages = dir.join(format!("{name}.messages"));
        if options.log {
            command.args(["-trace_msg", "-message_file"]).arg(&messages);
        }
        if options.echo {
            command.arg("-rtp_echo");
        }
        if !options.fields.is_empty() {
            let file = dir.join(format!("{name}.fields"));
            let lines: Vec<String> = options.fields.iter().map(|fields| fields.join(";")).collect();
            fs::write(&file, format!("SEQUENTIAL\n{}\n", lines.join("\n")))?;
            command.arg("-inf").arg(file);
        }
        // It writes further files into its working directory.
        command.current_dir(dir);
        let process = Process::spawn(&name, &mut command, dir)?;
        let mut sipp = Self { process, statistics, errors, messages, address: SocketAddr::new(ip, port) };
        if options.target.is_none() {
            sipp.await_socket(options)?;
        }
        Ok(sipp)
    }

    /// Its SIP address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all calls are over.
    pub fn wait(&mut self, timeout: Duration) -> Result<SippOutcome> {
        self.process.wait(timeout).map_err(|error| RigError::new(format!("{error}\n{}", self.report())))?;
        self.outcome()
    }

    /// Everything that it has sent and received so far, as text, where [`SippOptions::log`] is set.
    pub fn messages(&self) -> String {
        fs::read(&self.messages).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Lets calls under way end, then ends. For a scenario without a number of calls.
    pub fn stop(&mut self, timeout: Duration) -> Result<SippOutcome> {
        if self.process.is_running() {
            self.process.signal(Signal::USR1)?;
        }
        self.wait(timeout)
    }

    /// The figures so far; SIPp writes them once a second and at its end.
    pub fn outcome(&self) -> Result<SippOutcome> {
        let text = fs::read_to_string(&self.statistics)
            .map_err(|error| RigError::new(format!("no statistics: {error}\n{}", self.report())))?;
        let figures = parse(&text).ok_or_else(|| {
            RigError::new(format!("statistics that cannot be read: {text}\n{}", self.report()))
        })?;
        Ok(SippOutcome { errors: self.errors(), ..figures })
    }

    fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    fn report(&self) -> String {
        format!("{}\n{}", self.errors(), self.process.tail())
    }

    /// A UDP or TCP socket of the system that listens where it should.
    fn await_socket(&mut self, options: &SippOptions<'_>) -> Result<()> {
        let kind = if options.transport == Transport::Tcp { "tcp" } else { "udp" };
        let wanted = format!(":{:04X} ", self.address.port());
        let result = until("the socket of SIPp", START, || {
            if !self.process.is_running() {
                return Some(Err(RigError::new("SIPp ended at once")));
            }
            let sockets = fs::read_to_string(format!("/proc/{}/net/{kind}", self.process.id())).ok()?;
            sockets
                .lines()
                .any(|line| {
                    line.split_whitespace().nth(1).is_some_and(|a| format!("{a} ").ends_with(&wanted))
                })
                .then_some(Ok(()))
        });
        result.and_then(|result| result).map_err(|error| RigError::new(format!("{error}\n{}", self.report())))
    }
}

fn scenario(name: &str) -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/sipp").join(name);
    if ours.is_file() { ours } else { PathBuf::from(name) }
}

/// The last line of the statistics under the names of the first.
fn parse(text: &str) -> Option<SippOutcome> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let names: Vec<&str> = lines.next()?.split(';').collect();
    let values: Vec<&str> = lines.next_back()?.split(';').collect();
    let figure = |name: &str| {
        let column = names.iter().position(|n| *n == name)?;
        values.get(column)?.trim().parse::<u32>().ok()
    };
    Some(SippOutcome {
        created: figure("TotalCallCreated")?,
        successful: figure("SuccessfulCall(C)")?,
        failed: figure("FailedCall(C)")?,
        retransmissions: figure("Retransmissions(C)").unwrap_or(0),
        errors: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_statistics_counts() {
        let text = "StartTime;TotalCallCreated;SuccessfulCall(C);FailedCall(C);\nx;1;0;0;\nx;3;2;1;\n";
        let outcome = parse(text).unwrap();
        assert_eq!((outcome.created, outcome.successful, outcome.failed), (3, 2, 1));
        assert!(!outcome.is_clean(3));
        assert!(parse("StartTime\n").is_none());
    }
}
