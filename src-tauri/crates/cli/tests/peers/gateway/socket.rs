//! A client of the Web SDK's protocol as bytes, so that thousands are cheap and bad ones can be.

use super::SOON;
use serde_json::{Value, json};
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

pub(super) const HELLO: &str = r#"{"message":"connection","data":[{"appKey":"defaultApp","mediaProviders":["WebRTC"],"clientVersion":"2.0"}]}"#;
pub(super) const TEXT: u8 = 0x81;
/// As Chromium offers Opus, in short.
pub(super) const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=msid-semantic: WMS s\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\na=fingerprint:sha-256 \
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sendonly\r\na=msid:s a\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=ssrc:1001 cname:x\r\na=ssrc:1001 msid:s a\r\n";

pub(super) struct Socket {
    stream: TcpStream,
    said: Vec<u8>,
}

/// What a gateway says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Message(Value),
    /// The code of a close frame.
    Close(u16),
    /// The connection has ended.
    Gone,
}

impl Socket {
    /// Asks for the socket and does not wait.
    pub(super) fn ask(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .unwrap();
        Self { stream, said: Vec::new() }
    }

    /// The answer to that: its status.
    pub(super) fn upgraded(&mut self) -> u16 {
        while !self.said.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            assert!(self.read().unwrap() > 0, "it was closed: {:?}", String::from_utf8_lossy(&self.said));
        }
        let end = self.said.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(self.said.drain(..end + 4).collect()).unwrap();
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// A session that stands.
    pub(super) fn session(address: SocketAddr) -> Self {
        let mut socket = Self::ask(address);
        assert_eq!(socket.upgraded(), 101);
        socket.say(HELLO);
        socket.is_established();
        socket
    }

    pub(super) fn publish(&mut self, id: &str, name: &str) {
        let stream = json!({ "mediaSessionId": id, "name": name, "published": true, "hasAudio": true, "hasVideo": false,
            "mediaProvider": "WebRTC", "sdp": OFFER });
        self.say(&json!({ "message": "publishStream", "data": [stream] }).to_string());
    }

    pub(super) fn is_established(&mut self) {
        match self.heard() {
            Said::Message(message) if message["message"] == "getUserData" => {}
            other => panic!("no session: {other:?}"),
        }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes()).unwrap();
    }

    pub(super) fn frame(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = vec![first];
        match payload.len() {
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
        frame.extend(payload);
        self.stream.write_all(&frame)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next text or close frame.
    pub(super) fn heard(&mut self) -> Said {
        loop {
            if let Some((first, payload)) = self.take_frame() {
                match first & 0x0f {
                    1 => return Said::Message(serde_json::from_slice(&payload).unwrap()),
                    8 => {
                        let code =
                            payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                        return Said::Close(code);
                    }
                    _ => continue,
                }
            }
            match self.read() {
                Ok(0) => return Said::Gone,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("nothing is said"),
                Err(_) => return Said::Gone,
            }
        }
    }

    /// Until the end, or a word of why: whether there was one.
    pub(super) fn is_told_why(&mut self) -> bool {
        let mut told = false;
        loop {
            match self.heard() {
                Said::Message(message) => {
                    let name = message["message"].as_str().unwrap();
                    told |= ["fail", "finish", "notifyStreamStatusEvent"].contains(&name);
                }
                Said::Close(_) => told = true,
                Said::Gone => return told,
            }
            if told {
                return true;
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
        Some((first, payload))
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let length = self.stream.read(&mut bytes)?;
        self.said.extend(&bytes[..length]);
        Ok(length)
    }
}
