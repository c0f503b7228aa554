//! A process of its own for one test: its environment, its directory and, where asked for, its network.
//!
//! Sound clients find their server through environment variables, which a process cannot change safely while it
//! runs. So a test that needs its own starts itself again, with these set.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::error::{Result, RigError};
use crate::peers::has_second_address;
use crate::process::Process;
use crate::require::{Needs, skip};
use crate::turn::Turn;

/// Set in the process of a room, to the test's name.
const TEST: &str = "SIDETONE_TESTKIT_TEST";
const DIR: &str = "SIDETONE_TESTKIT_DIR";

/// Brings loopback up and gives the namespace a link with an address, so that it looks like a machine in a LAN.
const NETWORK_UP: &str = "ip link set lo up && ip link add lan0 type veth peer name lan1 \
    && ip addr add 10.77.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && exec \"$0\" \"$@\"";

/// Where a test runs.
#[derive(Debug)]
pub struct Room {
    dir: PathBuf,
}

impl Room {
    /// An empty directory that goes when the test ends.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Starts `test` again in a process of its own and waits for its end; in that process, gives the room.
///
/// Use [`room!`](crate::room), which knows the name. In the room, `HOME`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`,
/// `PULSE_SERVER`, `PULSE_COOKIE` and `TMPDIR` point into the room's directory, so that no server, setting or
/// secret of the user is touched.
///
/// # Panics
/// When the test fails in there, with its output, or hangs.
pub fn enter_room(test: &str, needs: &Needs) -> Option<Room> {
    if env::var(TEST).is_ok_and(|name| name == test) {
        return Some(Room { dir: env::var_os(DIR).map(PathBuf::from)? });
    }
    if !needs.are_met() {
        return None;
    }
    let prefix = match network(needs) {
        Ok(prefix) => prefix,
        Err(reason) => {
            skip(&reason);
            return None;
        }
    };
    let _turn = Turn::take(needs.alone);
    if let Err(reason) = run(test, needs, &prefix) {
        panic!("{reason}");
    }
    None
}

/// As [`enter_room`], for a program that is no test, such as a benchmark: it is started again with the same arguments
/// and shares this one's output. `None`: it ran in there and ended well.
///
/// # Errors
/// What is missing on this machine, or how the program ended.
pub fn enter_room_as_program(needs: &Needs) -> Result<Option<Room>> {
    let marker = "a program";
    if env::var(TEST).is_ok_and(|name| name == marker) {
        return Ok(env::var_os(DIR).map(|dir| Room { dir: dir.into() }));
    }
    let missing = needs.missing();
    if !missing.is_empty() {
        return Err(RigError::new(format!("not installed: {}", missing.join(", "))));
    }
    let prefix = network(needs).map_err(RigError::new)?;
    let (_outer, mut command) = prepare(marker, &prefix, env::args_os().skip(1))?;
    let status = command.status()?;
    if status.success() { Ok(None) } else { Err(RigError::new(format!("it ended with {status}"))) }
}

fn run(test: &str, needs: &Needs, prefix: &[OsString]) -> std::result::Result<(), String> {
    let words = [test, "--exact", "--nocapture", "--test-threads=1"].map(OsString::from);
    let (outer, mut command) = prepare(test, prefix, words).map_err(|error| error.to_string())?;
    let mut process =
        Process::spawn("test", &mut command, outer.path()).map_err(|error| error.to_string())?;
    let status = process.wait(needs.timeout).map_err(|error| format!("{error}\n{}", process.tail()))?;
    let output = process.stdout();
    if !status.success() {
        return Err(format!("{test} failed in its own process ({status})\n{output}\n{}", process.stderr()));
    }
    if !output.contains("1 passed") {
        return Err(format!("{test} was not found by its name\n{output}"));
    }
    #[expect(clippy::print_stderr, reason = "figures that a passing test printed belong in its output")]
    {
        eprint!("{}", process.stderr());
    }
    Ok(())
}

/// The directory of a room, and the command that starts this program in it.
fn prepare(
    marker: &str,
    prefix: &[OsString],
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(TempDir, Command)> {
    let outer = tempfile::Builder::new().prefix("sidetone-").tempdir()?;
    let dir = outer.path().join("room");
    for part in ["", "home", "run", "config", "tmp"] {
        fs::create_dir_all(dir.join(part))?;
    }
    restrict(&dir.join("run"))?;
    let mut words = priority();
    words.extend_from_slice(prefix);
    words.push(env::current_exe()?.into_os_string());
    words.extend(arguments);
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env(TEST, marker)
        .env(DIR, &dir)
        .env("HOME", dir.join("home"))
        .env("XDG_RUNTIME_DIR", dir.join("run"))
        .env("XDG_CONFIG_HOME", dir.join("config"))
        .env("TMPDIR", dir.join("tmp"))
        .env("PULSE_SERVER", pulse_server(&dir))
        .env("PULSE_COOKIE", dir.join("cookie"))
        .env_remove("PULSE_RUNTIME_PATH")
        .env_remove("DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    Ok((outer, command))
}

/// The words that put the room before other work on the machine, such as compilers, where that is allowed: sound
/// that is late is not heard.
fn priority() -> Vec<OsString> {
    let nice = ["nice", "-n", "-15"];
    let allowed = Command::new(nice[0]).args(&nice[1..]).arg("true").output();
    // It runs the program even where the priority is refused, and says so.
    let granted = allowed.is_ok_and(|output| output.status.success() && output.stderr.is_empty());
    if granted { nice.map(OsString::from).to_vec() } else { Vec::new() }
}

/// The words to put before the command so that it runs in the network that is needed.
fn network(needs: &Needs) -> std::result::Result<Vec<OsString>, String> {
    if !needs.network {
        return Ok(Vec::new());
    }
    // As root a plain namespace does. Others get one inside of a user namespace, where the system allows it: as
    // themselves with all rights there, else as its root, whom some programs take for the system's.
    for options in [&["-n"][..], &["-cn", "--keep-caps"], &["-rn"]] {
        let words = [&["unshare"], options, &["sh", "-c", NETWORK_UP]].concat();
        let probe = Command::new(words[0]).args(&words[1..]).arg("true").output();
        if probe.is_ok_and(|output| output.status.success()) {
            return Ok(words.into_iter().map(OsString::from).collect());
        }
    }
    if has_second_address() {
        return Ok(Vec::new());
    }
    Err("this machine has only loopback addresses and allows no network namespace".into())
}

/// Where the sound server of a room listens.
pub(crate) fn pulse_server(dir: &Path) -> OsString {
    let mut server = OsString::from("unix:");
    server.push(dir.join("pulse.sock"));
    server
}

/// A runtime directory must be the user's alone.
fn restrict(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}
