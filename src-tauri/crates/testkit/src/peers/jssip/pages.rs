//! The pages of the browser phone, from loopback: a browser gives its microphone to no other plain page.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Result, RigError};

const PAGE: &str = include_str!("page.html");
const PHONE: &str = include_str!("phone.js");

/// Serves until it goes.
#[derive(Debug)]
pub(super) struct Pages {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Pages {
    pub(super) fn serve(dir: &Path) -> Result<Self> {
        let library: Arc<str> = library(dir)?.into();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let pages = Self { address: listener.local_addr()?, stop: Arc::default() };
        let stop = Arc::clone(&pages.stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A browser opens connections on suspicion that it says nothing on.
                let library = Arc::clone(&library);
                std::thread::spawn(move || answer(&stream, &library));
            }
        });
        Ok(pages)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: &TcpStream, library: &str) -> std::io::Result<()> {
    let mut first = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut first)?;
    for line in reader.lines() {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match path {
        "/" => ("200 OK", "text/html", PAGE),
        "/phone.js" => ("200 OK", "text/javascript", PHONE),
        "/jssip.js" => ("200 OK", "text/javascript", library),
        _ => ("404 Not Found", "text/plain", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// JsSIP as one script, made of the package that the UI's lock file names.
fn library(dir: &Path) -> Result<String> {
    let ui: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui");
    let out = dir.join("jssip.js");
    let bundler = ui.join("node_modules/.bin/esbuild");
    if !bundler.exists() {
        return Err(RigError::new("JsSIP is not installed: run `npm ci` in ui"));
    }
    let output = Command::new(bundler)
        .current_dir(&ui)
        .args(["node_modules/jssip/lib/JsSIP.js", "--bundle", "--format=iife", "--global-name=JsSIP"])
        .arg("--log-level=warning")
        .arg(format!("--outfile={}", out.display()))
        .output()?;
    if !output.status.success() {
        return Err(RigError::new(format!("JsSIP: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(std::fs::read_to_string(out)?)
}
