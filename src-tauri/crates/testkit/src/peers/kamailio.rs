//! Kamailio as registrar and proxy.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::net::{PeerNet, command_in};
use crate::certificates::TestCertificate;
use crate::error::{Result, RigError};
use crate::ports::free_port;
use crate::process::{Process, until};
use crate::require::find;

const CONFIG: &str = include_str!("kamailio.cfg");
const START: Duration = Duration::from_secs(15);

/// The digest that the registrar asks for; it offers and accepts no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    #[default]
    Md5,
    Sha256,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        })
    }
}

/// How a registrar is to be.
#[derive(Debug, Clone)]
pub struct KamailioOptions<'a> {
    pub algorithm: Algorithm,
    /// Of every user.
    pub password: &'a str,
    /// Seconds until a nonce is stale.
    pub nonce_expire: u32,
    /// The address to listen on; the peer's if it is in a network of its own.
    pub address: IpAddr,
    /// The port for UDP and TCP; any free one unless said.
    pub port: Option<u16>,
    pub net: Option<&'a PeerNet>,
    /// Is a presence server too: presence, message-summary, and dialog-info of the calls that pass. Needs `sqlite3`.
    pub presence: bool,
    /// Speaks RFC 5626 and routes GRUUs (RFC 5627). Every Contact that registers is in the log.
    pub outbound: bool,
    /// Speaks TLS, and WSS on the same port, with this certificate.
    pub tls: Option<&'a TestCertificate>,
    /// The port for TLS and WSS; any free one unless said.
    pub tls_port: Option<u16>,
}

impl Default for KamailioOptions<'_> {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Md5,
            password: "secret",
            nonce_expire: 300,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            net: None,
            presence: false,
            outbound: false,
            tls: None,
            tls_port: None,
        }
    }
}

/// A registrar and proxy for any user with the one password, on UDP and TCP.
///
/// Calls need proxy authentication, except from the user `anon`. A call to `status-NNN` is answered with that
/// status, one to an unknown user with 404. Presence is refused with 489 unless it is asked for.
#[derive(Debug)]
pub struct Kamailio {
    process: Process,
    address: SocketAddr,
    tls: Option<SocketAddr>,
}

impl Kamailio {
    /// Starts it in `dir` and waits until it answers OPTIONS.
    pub fn start(dir: &Path, options: &KamailioOptions<'_>) -> Result<Self> {
        let ip = options.net.map_or(options.address, PeerNet::address);
        let port = match (options.port, options.net) {
            (Some(port), _) => port,
            // Nothing else runs over there.
            (None, Some(_)) => 5060,
            (None, None) => free_port(ip)?,
        };
        let name = format!("kamailio-{port}");
        let own = dir.join(&name);
        fs::create_dir_all(own.join("run"))?;
        let config = own.join("kamailio.cfg");
        let tls_port = match (options.tls_port, options.net) {
            (Some(port), _) => port,
            (None, Some(_)) => 5061,
            (None, None) => free_port(ip)?,
        };
        let text = CONFIG
            .replace("@DIR@", &own.display().to_string())
            .replace("@ADDRESS@", &ip.to_string())
            .replace("@PORT@", &port.to_string())
            .replace("@TLS_PORT@", &tls_port.to_string())
            .replace("@ALGORITHM@", &options.algorithm.to_string())
            .replace("@NONCE_EXPIRE@", &options.nonce_expire.to_string())
            .replace("@PASSWORD@", options.password);
        fs::write(&config, text)?;

        let program = find("kamailio").ok_or_else(|| RigError::new("kamailio is not installed"))?;
        let mut command = command_in(options.net, program);
        command.arg("-f").arg(&config).arg("-Y").arg(own.join("run")).arg("-P").arg(own.join("run/pid"));
        command.args(["-DD", "-E", "-m", "64", "-M", "8"]);
        if options.presence {
            make_database(&own.join("presence.db"))?;
            command.args(["-A", "WITH_PRESENCE"]);
        }
        if options.outbound {
            command.args(["-A", "WITH_OUTBOUND"]);
        }
        if let Some(certificate) = options.tls {
            certificate.write(&own)?;
            command.args(["-A", "WITH_TLS"]);
        }
        let tls = options.tls.map(|_| SocketAddr::new(ip, tls_port));
        let process = Process::spawn(&name, &mut command, dir)?;
        let mut kamailio = Self { process, address: SocketAddr::new(ip, port), tls };
        kamailio.await_answer()?;
        Ok(kamailio)
    }

    /// Where it listens, for UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for TLS and WSS, if it does.
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Where it takes WebSocket connections.
    pub fn websocket(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// The address of record of a user here.
    pub fn aor(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address)
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn await_answer(&mut self) -> Result<()> {
        let any = if self.address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let mut tries = 0;
        let result = until("an answer of Kamailio", START, || {
            if !self.process.is_running() {
                return Some(Err(RigError::new("Kamailio ended at once")));
            }
            tries += 1;
            ask(&socket, self.address, tries).then_some(Ok(()))
        });
        result
            .and_then(|result| result)
            .map_err(|error| RigError::new(format!("{error}\n{}", self.process.tail())))
    }
}

/// The tables of the presence modules, from the statements that come with them.
fn make_database(file: &Path) -> Result<()> {
    const TABLES: [&str; 2] = ["standard-create.sql", "presence-create.sql"];
    let mut statements = String::new();
    for table in TABLES {
        let path = Path::new("/usr/share/kamailio/db_sqlite").join(table);
        statements.push_str(
            &fs::read_to_string(&path).map_err(|error| RigError::while_doing(path.display(), error))?,
        );
    }
    let output = Command::new("sqlite3").arg(file).arg(statements).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(RigError::new(format!("sqlite3: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// Sends an OPTIONS and says whether it was answered with 200.
fn ask(socket: &UdpSocket, to: SocketAddr, number: u32) -> bool {
    let Ok(port) = socket.local_addr().map(|address| address.port()) else { return false };
    let request = format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bKready{number}\r\n\
         From: <sip:ready@127.0.0.1>;tag=ready\r\nTo: <sip:{to}>\r\nCall-ID: ready{number}@127.0.0.1\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let mut answer = [0; 2_048];
    socket.send_to(request.as_bytes(), to).is_ok()
        && socket.recv(&mut answer).is_ok_and(|length| answer[..length].starts_with(b"SIP/2.0 200"))
}
