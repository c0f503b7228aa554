//! `gateway.json` in the runtime folder: how other programs of this user find the gateway that runs.

use crate::private_file;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    net::{IpAddr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const NAME: &str = "gateway.json";
/// Longest file, and longest answer of `/healthz`, that is read.
const MAX_BYTES: u64 = 8 * 1024;
/// A gateway on loopback that does not answer within this has hung.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What the file says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    /// Random; `/healthz` says the same while this very gateway runs.
    pub(crate) instance: String,
    /// Opens `/login-link`; the reason why nobody else may read the file.
    pub(crate) key: String,
    pub(crate) sip: Option<SocketAddr>,
    pub(crate) http: SocketAddr,
    pub(crate) pid: u32,
    /// Milliseconds since 1970.
    pub(crate) started: u64,
}

/// A gateway that runs on this machine for this user.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The registrar, UDP and TCP; `None` where only pages are served.
    pub sip: Option<SocketAddr>,
    pub http: SocketAddr,
    pub pid: u32,
    /// Milliseconds since 1970.
    pub started: u64,
    key: String,
}

impl Found {
    /// A fresh login link of that gateway; `None` where it does not answer.
    pub async fn login_link(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Link {
            url: String,
        }
        let head =
            format!("POST /login-link HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Length: 0", self.key);
        let link: Link = timeout(PATIENCE, ask(self.http, &head)).await.ok()??;
        Some(link.url)
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("sip", &self.sip).field("http", &self.http).finish_non_exhaustive()
    }
}

/// Reads `gateway.json` in `runtime` and asks that address whether it still is that gateway. `None` where there is no file,
/// it is not ours to trust, or it was left behind by a gateway that is gone.
pub async fn find_running(runtime: &Path) -> Option<Found> {
    let record = read(&runtime.join(NAME)).ok()?;
    let ours = is_ours(record.http.ip()) && record.sip.is_none_or(|sip| is_ours(sip.ip()));
    if !ours || timeout(PATIENCE, instance_at(record.http)).await.ok()?? != record.instance {
        return None;
    }
    Some(Found {
        sip: record.sip,
        http: record.http,
        pid: record.pid,
        started: record.started,
        key: record.key,
    })
}

/// An address of this machine: nobody else is asked.
fn is_ours(ip: IpAddr) -> bool {
    ip.is_loopback() || (!ip.is_unspecified() && UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok())
}

/// Our own file. Removed on drop, where it still is ours.
pub(crate) struct RuntimeFile {
    path: PathBuf,
    record: Record,
}

impl RuntimeFile {
    /// Writes the file, unless another gateway that runs has one: then that one stays the one to be found.
    pub(crate) async fn claim(runtime: &Path, record: Record) -> io::Result<Option<Self>> {
        if find_running(runtime).await.is_some() {
            return Ok(None);
        }
        let file = Self { path: runtime.join(NAME), record };
        file.write()?;
        Ok(Some(file))
    }

    /// The registrar has moved.
    pub(crate) fn set_sip(&mut self, sip: Option<SocketAddr>) -> io::Result<()> {
        if self.record.sip == sip {
            return Ok(());
        }
        self.record.sip = sip;
        if self.is_ours() { self.write() } else { Ok(()) }
    }

    fn write(&self) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.record).map_err(io::Error::other)?;
        private_file::replace(&self.path, &self.record.instance, &text)
    }

    fn is_ours(&self) -> bool {
        read(&self.path).is_ok_and(|record| record.instance == self.record.instance)
    }
}

impl Drop for RuntimeFile {
    fn drop(&mut self) {
        if self.is_ours() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn read(path: &Path) -> io::Result<Record> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

async fn instance_at(address: SocketAddr) -> Option<String> {
    #[derive(Deserialize)]
    struct Health {
        instance: String,
    }
    let health: Health = ask(address, "GET /healthz HTTP/1.1").await?;
    Some(health.instance)
}

/// One request to a gateway, as bytes: an HTTP client would be much for two questions.
async fn ask<T: DeserializeOwned>(address: SocketAddr, head: &str) -> Option<T> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_BYTES).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    if head.starts_with("HTTP/1.1 200 ") { serde_json::from_str(body).ok() } else { None }
}
