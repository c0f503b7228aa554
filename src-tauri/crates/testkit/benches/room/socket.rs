//! A client's connection to the gateway: the Web SDK's protocol, as text frames.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use sidetone_testkit::{Result, RigError};

pub(crate) struct Socket {
    stream: TcpStream,
    said: Vec<u8>,
}

fn failed(error: std::io::Error) -> RigError {
    RigError::while_doing("the gateway's socket", error)
}

impl Socket {
    /// A session of a page with the room module; reads do not wait from now on.
    pub(crate) fn open(address: &str, login: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .map_err(failed)?;
        let mut said = Vec::new();
        let end = loop {
            if let Some(end) = said.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            let mut bytes = [0; 1_024];
            let length = stream.read(&mut bytes).map_err(failed)?;
            if length == 0 {
                return Err(RigError::new("the gateway has closed its socket"));
            }
            said.extend_from_slice(&bytes[..length]);
        };
        let head: Vec<u8> = said.drain(..end).collect();
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(RigError::new(format!("no socket: {}", String::from_utf8_lossy(&head))));
        }
        stream.set_nonblocking(true).map_err(failed)?;
        let mut socket = Self { stream, said };
        let custom = json!({ "login": login });
        let client = json!({ "appKey": "roomApp", "mediaProviders": ["WebRTC"], "clientVersion": "2.0", "custom": custom });
        socket.say("connection", &client)?;
        Ok(socket)
    }

    pub(crate) fn say(&mut self, message: &str, data: &Value) -> Result<()> {
        let text = json!({ "message": message, "data": [data] }).to_string();
        let mut frame = vec![0x81];
        match text.len() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            middle @ 126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        // A mask of zeros leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).map_err(failed)
    }

    /// What was said meanwhile.
    pub(crate) fn heard(&mut self) -> Result<Option<Value>> {
        loop {
            while let Some((kind, payload)) = self.take_frame() {
                match kind {
                    1 => return Ok(serde_json::from_slice(&payload).ok()),
                    8 => return Err(RigError::new("the gateway has closed the session")),
                    _ => {}
                }
            }
            let mut bytes = [0; 4_096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(RigError::new("the gateway has gone")),
                Ok(length) => self.said.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, second) = (*self.said.first()?, *self.said.get(1)?);
        let (start, length) = match second & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(self.said.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.said.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let payload = self.said.get(start..start + length)?.to_vec();
        self.said.drain(..start + length);
        Some((first & 0x0f, payload))
    }
}
