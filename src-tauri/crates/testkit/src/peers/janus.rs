//! Janus with its VideoRoom: a foreign server that forwards streams, for comparison.

mod api;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::error::{Result, RigError};
use crate::ports::{free_port, free_port_range};
use crate::process::{Process, until};
use crate::require::find;

pub use api::{JanusHandle, JanusSession};

const START: Duration = Duration::from_secs(20);
/// Each connection takes one.
const MEDIA_PORTS: u16 = 600;
/// The room that the configuration has.
const ROOM: u64 = 1234;

/// A Janus with one room, over its HTTP interface.
#[derive(Debug)]
pub struct Janus {
    process: Process,
    address: IpAddr,
    port: u16,
}

impl Janus {
    /// The program that it needs.
    pub const TOOL: &'static str = "janus";
    /// Its room: any number of publishers, VP8, H.264 and Opus, no limit to the bit rate.
    pub const ROOM: u64 = ROOM;

    /// Starts it in `dir`, with media at `address`, and waits until it answers.
    pub fn start(dir: &Path, address: IpAddr) -> Result<Self> {
        let program = find(Self::TOOL).ok_or_else(|| RigError::new("Janus is not installed"))?;
        let port = free_port(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let media = free_port_range(address, MEDIA_PORTS)?;
        let own = dir.join(format!("janus-{port}"));
        fs::create_dir_all(&own)?;
        configure(&own, address, port, media)?;
        let mut command = Command::new(program);
        command.arg("--config").arg(own.join("janus.jcfg")).arg("--configs-folder").arg(&own);
        command.args(["--disable-colors", "--debug-level=4"]);
        let process = Process::spawn(&format!("janus-{port}"), &mut command, dir)?;
        let mut janus = Self { process, address, port };
        let result = until("an answer of Janus", START, || {
            if !janus.process.is_running() {
                return Some(Err(RigError::new("Janus ended at once")));
            }
            api::info(port).then_some(Ok(()))
        });
        let started = result.and_then(|result| result);
        started.map_err(|error| RigError::new(format!("{error}\n{}", janus.process.tail())))?;
        Ok(janus)
    }

    /// Its media are here.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// For measurements of what it uses.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.stdout()
    }

    /// A session of a client; it ends with the value.
    pub fn session(&self) -> Result<JanusSession> {
        JanusSession::open(self.port)
    }

    /// Publishes into the room: gives the handle, the number by which others subscribe, and the answer to `offer`.
    pub fn publish(&self, session: &JanusSession, offer: &str) -> Result<(JanusHandle, u64, String)> {
        let handle = session.attach("janus.plugin.videoroom")?;
        let body = json!({ "request": "join", "ptype": "publisher", "room": ROOM });
        let joined = session.message(handle, &body, None)?;
        let feed = joined["plugindata"]["data"]["id"].as_u64();
        let feed = feed.ok_or_else(|| RigError::new(format!("Janus: {joined}")))?;
        let jsep = json!({ "type": "offer", "sdp": offer });
        let answered = session.message(handle, &json!({ "request": "publish" }), Some(&jsep))?;
        Ok((handle, feed, sdp(&answered)?))
    }

    /// Subscribes to what was published: gives the handle and Janus's offer. [`Janus::begin`] follows.
    pub fn subscribe(&self, session: &JanusSession, feed: u64) -> Result<(JanusHandle, String)> {
        let handle = session.attach("janus.plugin.videoroom")?;
        let body =
            json!({ "request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{ "feed": feed }] });
        let offered = session.message(handle, &body, None)?;
        Ok((handle, sdp(&offered)?))
    }

    /// Answers the offer of [`Janus::subscribe`]; media flow then.
    pub fn begin(&self, session: &JanusSession, handle: JanusHandle, answer: &str) -> Result<()> {
        let jsep = json!({ "type": "answer", "sdp": answer });
        session.message(handle, &json!({ "request": "start", "room": ROOM }), Some(&jsep)).map(|_| ())
    }
}

fn sdp(event: &serde_json::Value) -> Result<String> {
    let sdp = event["jsep"]["sdp"].as_str().map(str::to_owned);
    sdp.ok_or_else(|| RigError::new(format!("Janus gave no description: {event}")))
}

/// Where the distribution keeps plugins and transports.
fn library(kind: &str) -> Result<PathBuf> {
    let arch = std::env::consts::ARCH;
    let folders =
        [format!("/usr/lib/{arch}-linux-gnu/janus"), "/usr/lib64/janus".into(), "/usr/lib/janus".into()];
    let found = folders.iter().map(|folder| Path::new(folder).join(kind)).find(|folder| folder.is_dir());
    found.ok_or_else(|| RigError::new(format!("Janus has no {kind} in {}", folders.join(", "))))
}

fn configure(own: &Path, address: IpAddr, port: u16, media: u16) -> Result<()> {
    // The others would open ports of their own, or want files.
    let (plugins, transports) = (library("plugins")?, library("transports")?);
    let others = |folder: &Path, keep: &str| -> Result<String> {
        let mut names: Vec<_> = fs::read_dir(folder)?
            .filter_map(|file| file.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".so") && name != keep)
            .collect();
        names.sort();
        Ok(names.join(","))
    };
    let general = format!(
        "general: {{\n configs_folder = \"{}\"\n plugins_folder = \"{}\"\n transports_folder = \"{}\"\n \
         events = false\n session_timeout = 0\n log_to_stdout = true\n}}\n\
         media: {{\n rtp_port_range = \"{media}-{}\"\n}}\n\
         nat: {{\n ice_lite = false\n ice_enforce_list = \"{address}\"\n ignore_mdns = true\n}}\n\
         plugins: {{\n disable = \"{}\"\n}}\n\
         transports: {{\n disable = \"{}\"\n}}\n\
         events: {{\n broadcast = false\n}}\n",
        own.display(),
        plugins.display(),
        transports.display(),
        media + MEDIA_PORTS - 1,
        others(&plugins, "libjanus_videoroom.so")?,
        others(&transports, "libjanus_http.so")?,
    );
    fs::write(own.join("janus.jcfg"), general)?;
    let http = format!(
        "general: {{\n json = \"compact\"\n base_path = \"/janus\"\n http = true\n port = {port}\n \
         ip = \"127.0.0.1\"\n https = false\n}}\nadmin: {{\n admin_http = false\n}}\n"
    );
    fs::write(own.join("janus.transport.http.jcfg"), http)?;
    let room = format!(
        "general: {{\n}}\nroom-{ROOM}: {{\n description = \"tests\"\n publishers = 1000\n bitrate = 0\n \
         fir_freq = 0\n audiocodec = \"opus\"\n videocodec = \"vp8,h264\"\n record = false\n \
         notify_joining = false\n}}\n"
    );
    fs::write(own.join("janus.plugin.videoroom.jcfg"), room)?;
    Ok(())
}
