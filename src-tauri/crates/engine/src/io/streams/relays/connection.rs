//! One connection: TCP, and TLS in it. It never waits.

use super::Opened;
use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read, Write};

/// What waits to be sent: a second of 2 Mbit/s. Media that comes later is worth nothing.
const QUEUE: usize = 256 * 1024;

pub(super) struct Connection {
    stream: mio::net::TcpStream,
    tls: Option<Box<ClientConnection>>,
    out: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Why, in words.
    Over(String),
}

impl Connection {
    pub(super) fn new(opened: Opened) -> Self {
        let stream = mio::net::TcpStream::from_std(opened.stream);
        Self { stream, tls: opened.tls, out: Vec::new() }
    }

    pub(super) fn source(&mut self) -> &mut mio::net::TcpStream {
        &mut self.stream
    }

    /// Sends a whole message, or none of it where too much waits already.
    pub(super) fn send(&mut self, message: &[u8]) -> State {
        if self.out.len() + message.len() > QUEUE {
            return State::Open;
        }
        self.out.extend_from_slice(message);
        self.flush()
    }

    pub(super) fn flush(&mut self) -> State {
        loop {
            let written = match &mut self.tls {
                Some(tls) if tls.wants_write() => match tls.write_tls(&mut self.stream) {
                    Ok(0) => Err(ErrorKind::WriteZero.into()),
                    other => other.map(|_| 0),
                },
                _ if self.out.is_empty() => return State::Open,
                Some(tls) => tls.writer().write(&self.out),
                None => self.stream.write(&self.out),
            };
            match written {
                Ok(length) => drop(self.out.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return State::Open,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return State::Over(broken(&error)),
            }
        }
    }

    /// Up to a buffer of what has come; 0 where nothing more waits.
    ///
    /// # Errors
    /// The connection is over: why, in words.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        loop {
            let read = match &mut self.tls {
                None => self.stream.read(buffer),
                Some(tls) => match tls.reader().read(buffer) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        match tls.read_tls(&mut self.stream) {
                            Ok(0) => Ok(0),
                            Ok(_) => {
                                tls.process_new_packets().map_err(|error| format!("TLS failed: {error}"))?;
                                continue;
                            }
                            Err(error) => Err(error),
                        }
                    }
                    other => other,
                },
            };
            match read {
                Ok(0) => return Err("it closed the connection".into()),
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Says goodbye, where there is room for it.
    pub(super) fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.flush();
    }
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "it broke the connection".into()
        }
        _ => format!("the connection is broken: {error}"),
    }
}
