//! Pages from loopback: a browser gives its microphone to no other plain page.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::error::Result;

/// A file: its path, its media type, its text.
pub(crate) type File = (&'static str, &'static str, String);

/// Serves until it goes.
#[derive(Debug)]
pub(crate) struct Pages {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Pages {
    pub(crate) fn serve(files: Vec<File>) -> Result<Self> {
        let files: Arc<[File]> = files.into();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let pages = Self { address: listener.local_addr()?, stop: Arc::default() };
        let stop = Arc::clone(&pages.stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A browser opens connections on suspicion that it says nothing on.
                let files = Arc::clone(&files);
                std::thread::spawn(move || answer(&stream, &files));
            }
        });
        Ok(pages)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: &TcpStream, files: &[File]) -> std::io::Result<()> {
    let mut first = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut first)?;
    for line in reader.lines() {
        if line?.is_empty() {
            break;
        }
    }
    let wanted = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match files.iter().find(|(path, ..)| *path == wanted) {
        Some((_, kind, body)) => ("200 OK", *kind, body.as_str()),
        None => ("404 Not Found", "text/plain", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
