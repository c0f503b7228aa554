//! coturn as STUN and TURN server.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::certificates::TestCertificate;
use crate::error::{Result, RigError};
use crate::peers::net::{PeerNet, command_in};
use crate::ports::{free_port, free_port_range};
use crate::process::{Process, until};
use crate::require::find;

const START: Duration = Duration::from_secs(15);
/// Relayed addresses.
const RELAYS: u16 = 40;

/// How a server is to be.
#[derive(Debug, Clone)]
pub struct CoturnOptions<'a> {
    /// Where it listens and relays.
    pub address: IpAddr,
    pub user: &'a str,
    pub password: &'a str,
    /// Speaks TLS and DTLS on a port of its own, with this certificate.
    pub tls: Option<&'a TestCertificate>,
    /// Gives time-limited credentials of this secret instead of the user and password (`use-auth-secret`).
    pub secret: Option<&'a str>,
    /// Where it runs; `None`: on this side.
    pub net: Option<&'a PeerNet>,
    /// Further arguments.
    pub more: &'a [&'a str],
}

impl Default for CoturnOptions<'_> {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user: "mara",
            password: "secret",
            tls: None,
            secret: None,
            net: None,
            more: &[],
        }
    }
}

/// A STUN and TURN server, over UDP and TCP, that relays to loopback as well.
#[derive(Debug)]
pub struct Coturn {
    process: Process,
    address: SocketAddr,
    tls: Option<SocketAddr>,
}

impl Coturn {
    /// The program that it needs.
    pub const TOOL: &'static str = "turnserver";

    /// Starts it in `dir` and waits until it listens.
    pub fn start(dir: &Path, options: &CoturnOptions<'_>) -> Result<Self> {
        let program = find(Self::TOOL).ok_or_else(|| RigError::new("coturn is not installed"))?;
        // At the other end of a cable nobody else has ports.
        let own = if options.net.is_some() { Ipv4Addr::LOCALHOST.into() } else { options.address };
        let (port, relays) = (free_port(own)?, free_port_range(own, RELAYS)?);
        let name = format!("coturn-{port}");
        let folder = dir.join(&name);
        fs::create_dir_all(&folder)?;
        let ip = options.address.to_string();
        let mut command = command_in(options.net, program);
        command
            .args([
                "-n",
                "--no-cli",
                "--simple-log",
                "--log-file=stdout",
                "--verbose",
                "--allow-loopback-peers",
            ])
            .args(["--fingerprint", "--lt-cred-mech", "--realm=sidetone.test"])
            .arg(format!("--listening-ip={ip}"))
            .arg(format!("--relay-ip={ip}"))
            .arg(format!("--listening-port={port}"))
            .arg(format!("--min-port={relays}"))
            .arg(format!("--max-port={}", relays + RELAYS - 1))
            .arg(format!("--pidfile={}", folder.join("pid").display()))
            .arg(format!("--userdb={}", folder.join("users.db").display()))
            .args(options.more);
        match options.secret {
            Some(secret) => command.arg("--use-auth-secret").arg(format!("--static-auth-secret={secret}")),
            None => command.arg(format!("--user={}:{}", options.user, options.password)),
        };
        let tls = match options.tls {
            Some(certificate) => {
                let (file, key) = certificate.write(&folder)?;
                let port = free_port(own)?;
                command
                    .arg(format!("--tls-listening-port={port}"))
                    .arg(format!("--cert={}", file.display()))
                    .arg(format!("--pkey={}", key.display()));
                Some(SocketAddr::new(options.address, port))
            }
            None => {
                command.args(["--no-tls", "--no-dtls"]);
                None
            }
        };
        let process = Process::spawn(&name, &mut command, dir)?;
        let mut coturn = Self { process, address: SocketAddr::new(options.address, port), tls };
        coturn.await_answer()?;
        Ok(coturn)
    }

    /// Where it listens, for UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for TLS and DTLS, if it does.
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// `turn:ADDRESS?transport=udp`, or `tcp`.
    pub fn url(&self, transport: &str) -> String {
        format!("turn:{}?transport={transport}", self.address)
    }

    /// Its log so far: allocations, permissions, channels.
    pub fn log(&self) -> String {
        self.process.stdout()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn await_answer(&mut self) -> Result<()> {
        let any = if self.address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let to = self.address;
        let result = until("an answer of coturn", START, || {
            if !self.process.is_running() {
                return Some(Err(RigError::new("coturn ended at once")));
            }
            is_bound(&socket, to).then_some(Ok(()))
        });
        result
            .and_then(|result| result)
            .map_err(|error| RigError::new(format!("{error}\n{}", self.process.tail())))
    }
}

/// Whether a Binding request is answered (RFC 8489).
fn is_bound(socket: &std::net::UdpSocket, to: SocketAddr) -> bool {
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend_from_slice(b"sidetone-rig");
    let mut answer = [0; 512];
    socket.send_to(&request, to).is_ok()
        && socket.recv(&mut answer).is_ok_and(|length| length > 20 && answer[..2] == [1, 1])
}
