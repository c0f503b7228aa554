//! The control connection: JSON in netstrings.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::START;
use crate::error::{Result, RigError};
use crate::peers::PeerNet;
use crate::process::{Process, until};

const ANSWER: Duration = Duration::from_secs(5);
/// No message of baresip is longer.
const LONGEST: usize = 1 << 20;

/// Something that happened in a phone.
#[derive(Debug, Clone, PartialEq)]
pub struct BaresipEvent {
    /// As baresip names it: `REGISTER_OK`, `CALL_INCOMING`, `CALL_RINGING`, `CALL_PROGRESS`, `CALL_ESTABLISHED`,
    /// `CALL_CLOSED`, `CALL_RTCP`, …
    pub kind: String,
    /// Everything else that it says.
    pub json: Value,
}

impl BaresipEvent {
    /// A text field, such as `param` (the reason of `CALL_CLOSED`) or `peeruri`; empty where it is not there.
    pub fn text(&self, field: &str) -> &str {
        self.json.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The connection, with what arrived on it.
#[derive(Debug)]
pub(super) struct Control {
    stream: TcpStream,
    received: Vec<u8>,
    events: VecDeque<BaresipEvent>,
    tokens: u32,
}

impl Control {
    /// Connects as soon as the phone listens.
    pub(super) fn connect(net: Option<&PeerNet>, port: u16, process: &mut Process) -> Result<Self> {
        let ip = net.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), PeerNet::address);
        let address = SocketAddr::new(ip, port);
        let result = until("the control port of baresip", START, || {
            if !process.is_running() {
                return Some(Err(RigError::new("baresip ended at once")));
            }
            let stream = TcpStream::connect_timeout(&address, ANSWER).ok()?;
            // Before baresip listens, a connection whose own port happens to be that one is connected to itself.
            let is_its_own = stream.local_addr().is_ok_and(|own| own == address);
            Some(if is_its_own {
                Err(RigError::new("the control port is already in use"))
            } else {
                Ok(stream)
            })
        });
        let stream = result
            .and_then(|result| result)
            .map_err(|error| RigError::new(format!("{error}\n{}", process.tail())))?;
        Ok(Self { stream, received: Vec::new(), events: VecDeque::new(), tokens: 0 })
    }

    /// Sends a command and gives the text of its answer.
    pub(super) fn command(&mut self, command: &str, parameters: &str) -> Result<String> {
        self.tokens += 1;
        let token = self.tokens.to_string();
        let message = json!({ "command": command, "params": parameters, "token": token }).to_string();
        self.stream.write_all(format!("{}:{message},", message.len()).as_bytes())?;
        let deadline = Instant::now() + ANSWER;
        loop {
            let value = self.next(deadline).map_err(|error| RigError::while_doing(command, error))?;
            let is_answer = value.get("response").and_then(Value::as_bool) == Some(true);
            if is_answer && value.get("token").and_then(Value::as_str) == Some(&token) {
                let text = value.get("data").and_then(Value::as_str).unwrap_or_default().to_owned();
                if value.get("ok").and_then(Value::as_bool) == Some(true) {
                    return Ok(text);
                }
                return Err(RigError::new(format!("baresip refused {command} {parameters}: {text}")));
            }
            self.keep(value);
        }
    }

    /// Waits for the next event of a type.
    pub(super) fn wait_event(&mut self, kind: &str, timeout: Duration) -> Result<BaresipEvent> {
        let deadline = Instant::now() + timeout;
        let mut others = Vec::new();
        loop {
            while let Some(event) = self.events.pop_front() {
                if event.kind == kind {
                    return Ok(event);
                }
                others.push(event.kind);
            }
            let value = self
                .next(deadline)
                .map_err(|error| RigError::new(format!("no event {kind}: {error}; there were {others:?}")))?;
            self.keep(value);
        }
    }

    fn keep(&mut self, value: Value) {
        if value.get("event").and_then(Value::as_bool) == Some(true) {
            let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            self.events.push_back(BaresipEvent { kind, json: value });
        }
    }

    fn next(&mut self, deadline: Instant) -> Result<Value> {
        loop {
            if let Some(message) = take_netstring(&mut self.received)? {
                return serde_json::from_slice(&message)
                    .map_err(|error| RigError::while_doing("a message of baresip", error));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(RigError::new("nothing in time"));
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut buffer = [0; 4_096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(RigError::new("baresip closed its control port")),
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Takes `LENGTH:BYTES,` from the front, once all of it is there.
fn take_netstring(bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
    let bad = || RigError::new("baresip sent no netstring");
    let Some(colon) = bytes.iter().position(|byte| *byte == b':') else {
        return if bytes.len() > 20 { Err(bad()) } else { Ok(None) };
    };
    let length: usize = std::str::from_utf8(&bytes[..colon])
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(bad)?;
    let end = colon + 1 + length;
    if length > LONGEST || bytes.get(end).is_some_and(|byte| *byte != b',') {
        return Err(bad());
    }
    if bytes.len() <= end {
        return Ok(None);
    }
    let message = bytes[colon + 1..end].to_vec();
    bytes.drain(..=end);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netstrings_are_taken_whole_and_in_order() {
        let mut bytes = b"3:abc,2:d".to_vec();
        assert_eq!(take_netstring(&mut bytes).unwrap(), Some(b"abc".to_vec()));
        assert_eq!(take_netstring(&mut bytes).unwrap(), None);
        bytes.extend_from_slice(b"e,");
        assert_eq!(take_netstring(&mut bytes).unwrap(), Some(b"de".to_vec()));
        assert!(take_netstring(&mut b"x:abc,".to_vec()).is_err());
        assert!(take_netstring(&mut b"1:abc,".to_vec()).is_err());
    }
}
