//! Pages from loopback: a browser gives its microphone to no other plain page.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::error::Result;

/// A file: its path, its media type, its text.
pub(crate) type File = (&'static str, &'static str, String);

/// Media type and content of a path.
type Find = dyn Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync;

/// Serves until it goes.
#[derive(Debug)]
pub(crate) struct Pages {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Pages {
    pub(crate) fn serve(files: Vec<File>) -> Result<Self> {
        Self::serve_with(move |path| {
            let (_, kind, body) = files.iter().find(|(own, ..)| *own == path)?;
            Some((*kind, body.clone().into_bytes()))
        })
    }

    /// What is below a folder.
    pub(crate) fn of_folder(folder: PathBuf) -> Result<Self> {
        Self::serve_with(move |path| {
            let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
            let body = fs::read(folder.join(path)).ok().filter(|_| !path.contains(".."))?;
            let kind = match path.rsplit('.').next().unwrap_or_default() {
                "html" => "text/html",
                "js" => "text/javascript",
                "css" => "text/css",
                "svg" => "image/svg+xml",
                _ => "application/octet-stream",
            };
            Some((kind, body))
        })
    }

    fn serve_with(
        find: impl Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + Sync + 'static,
    ) -> Result<Self> {
        let find: Arc<Find> = Arc::new(find);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let pages = Self { address: listener.local_addr()?, stop: Arc::default() };
        let stop = Arc::clone(&pages.stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A browser opens connections on suspicion that it says nothing on.
                let find = Arc::clone(&find);
                std::thread::spawn(move || answer(&stream, &*find));
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

fn answer(mut stream: &TcpStream, find: &Find) -> std::io::Result<()> {
    let mut first = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut first)?;
    for line in reader.lines() {
        if line?.is_empty() {
            break;
        }
    }
    let wanted = first.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match find(wanted) {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}
