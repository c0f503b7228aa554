//! Addresses, and a network that a peer has to itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::error::{Result, RigError};
use crate::process::{Process, until};

/// What SIP messages travel over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

impl fmt::Display for Transport {
    /// As in a SIP URI.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Each network of a test gets its own third number.
static NEXT: AtomicU8 = AtomicU8::new(1);

/// A second machine, as far as the network is concerned: a namespace at the other end of a cable that can be
/// pulled. Needs the rights of a room with [`crate::Needs::network`].
#[derive(Debug)]
pub struct PeerNet {
    /// Keeps the namespace alive.
    holder: Process,
    ours: String,
    theirs: String,
    net: u8,
}

impl PeerNet {
    /// Makes the namespace and the cable and waits until both ends can talk.
    pub fn new(dir: &Path) -> Result<Self> {
        let net = NEXT.fetch_add(1, Ordering::Relaxed);
        let script = "ip link set lo up && echo ready && exec sleep 1000000";
        let holder = Process::spawn(
            &format!("net{net}"),
            Command::new("unshare").args(["-n", "sh", "-c", script]),
            dir,
        )?;
        until("a network namespace", Duration::from_secs(5), || {
            holder.stdout().contains("ready").then_some(())
        })
        .map_err(|error| RigError::new(format!("{error}\n{}", holder.tail())))?;
        let peer = Self { holder, ours: format!("peer{net}a"), theirs: format!("peer{net}b"), net };
        let pid = peer.holder.id().to_string();
        ip(&["link", "add", &peer.ours, "type", "veth", "peer", "name", &peer.theirs, "netns", &pid])?;
        ip(&["addr", "add", &format!("{}/24", peer.our_address()), "dev", &peer.ours])?;
        ip(&["link", "set", &peer.ours, "up"])?;
        peer.inside(&["addr", "add", &format!("{}/24", peer.address()), "dev", &peer.theirs])?;
        peer.plug(true)?;
        Ok(peer)
    }

    /// The peer's address.
    pub fn address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 78, self.net, 2))
    }

    /// Our address on the cable, until [`PeerNet::move_us`].
    pub fn our_address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 78, self.net, 1))
    }

    /// Gives our end of the cable another address, as another Wi-Fi does, and takes the first one away.
    pub fn move_us(&self) -> Result<IpAddr> {
        let moved = IpAddr::V4(Ipv4Addr::new(10, 78, self.net, 3));
        // With the same prefix length it would depend on the first address, and go with it.
        ip(&["addr", "add", &format!("{moved}/25"), "dev", &self.ours])?;
        ip(&["addr", "del", &format!("{}/24", self.our_address()), "dev", &self.ours])?;
        Ok(moved)
    }

    /// Takes the peer's interface down or up.
    pub fn plug(&self, up: bool) -> Result<()> {
        self.inside(&["link", "set", &self.theirs, if up { "up" } else { "down" }])
    }

    /// Its end of the cable.
    pub fn their_interface(&self) -> &str {
        &self.theirs
    }

    /// A command that runs at the peer's side.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-t").arg(self.holder.id().to_string()).arg("-n").arg("--").arg(program);
        command
    }

    fn inside(&self, arguments: &[&str]) -> Result<()> {
        run(self.command("ip").args(arguments))
    }
}

/// `program` on this side, or at the peer's.
pub(super) fn command_in(net: Option<&PeerNet>, program: impl AsRef<std::ffi::OsStr>) -> Command {
    match net {
        Some(net) => net.command(program),
        None => Command::new(program),
    }
}

/// True where this machine has an address besides loopback.
pub(crate) fn has_second_address() -> bool {
    Command::new("ip")
        .args(["-o", "-4", "addr", "show", "up", "scope", "global"])
        .output()
        .is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(RigError::new(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
