//! A far end that does again what a bug report says that it did, so that a fault of the signalling can be seen in a test.
//!
//! Of the report's messages with one Call-ID, those that came are sent again and those that went out are waited for, in their order. What
//! belongs to the new exchange is taken from it: Via, tags, Call-ID and CSeq of requests that are answered, addresses of our own.

use crate::error::{Result, RigError};
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Of the whole of it.
const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST: usize = 65_535;
/// Headers of a response that are those of its request (RFC 3261 8.2.6.2), and those that are made anew.
const OF_REQUEST: [&str; 5] = ["via", "from", "to", "call-id", "cseq"];
const OWN: [&str; 4] = ["contact", "content-length", "record-route", "route"];

#[derive(Debug, Clone)]
struct Step {
    /// The far end sends it.
    sent: bool,
    /// `INVITE`, or the code of a response.
    what: String,
    /// The method that a response answers.
    of: String,
    text: String,
}

/// Plays until it is dropped.
#[derive(Debug)]
pub struct Replay {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::result::Result<(), String>>>,
}

impl Replay {
    /// Plays the messages of `report` (as `report.json` has it) with this Call-ID at any port of `ip`. Where the far end begins, its
    /// requests go to `target`.
    pub fn start(ip: IpAddr, report: &Value, call_id: &str, target: Option<SocketAddr>) -> Result<Self> {
        let steps = steps(report, call_id);
        if steps.is_empty() {
            return Err(RigError::new(format!("the report has no message with Call-ID {call_id}")));
        }
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let player = Player {
            socket,
            address,
            remote: target,
            requests: HashMap::new(),
            response: None,
            tag: fastrand::u32(..),
            ended: Arc::clone(&ended),
        };
        let thread = std::thread::spawn(move || player.play(steps));
        Ok(Self { address, ended, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all of it was played.
    ///
    /// # Errors
    /// Names the message that did not come.
    pub fn finish(mut self) -> Result<()> {
        let played = self.thread.take().and_then(|thread| thread.join().ok());
        played.unwrap_or_else(|| Err("the replay panicked".into())).map_err(RigError::new)
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn steps(report: &Value, call_id: &str) -> VecDeque<Step> {
    let messages = report["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_call =
        messages.iter().filter(|message| message["callId"] == call_id && message["repeated"] != true);
    of_call
        .filter_map(|message| {
            let summary = message["summary"].as_str()?;
            Some(Step {
                sent: message["incoming"].as_bool()?,
                what: summary.split(' ').next()?.to_owned(),
                of: message["cseq"].as_str()?.split_whitespace().nth(1)?.to_owned(),
                text: message["text"].as_str()?.to_owned(),
            })
        })
        .collect()
}

struct Player {
    socket: UdpSocket,
    address: SocketAddr,
    remote: Option<SocketAddr>,
    /// The last of each method that came.
    requests: HashMap<String, String>,
    /// The last that came.
    response: Option<String>,
    tag: u32,
    ended: Arc<AtomicBool>,
}

impl Player {
    fn play(mut self, steps: VecDeque<Step>) -> std::result::Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        for step in steps {
            if step.sent {
                self.send(&step)?;
            } else {
                self.wait(&step.what, deadline)?;
            }
        }
        Ok(())
    }

    fn wait(&mut self, what: &str, deadline: Instant) -> std::result::Result<(), String> {
        let mut buffer = vec![0; LARGEST];
        while Instant::now() < deadline && !self.ended.load(Ordering::Relaxed) {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else { continue };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let first = text.lines().next().unwrap_or_default().to_owned();
            let came = match first.strip_prefix("SIP/2.0 ") {
                Some(status) => {
                    self.response = Some(text);
                    status.split(' ').next().unwrap_or_default().to_owned()
                }
                None => {
                    let method = first.split(' ').next().unwrap_or_default().to_owned();
                    self.requests.insert(method.clone(), text);
                    method
                }
            };
            self.remote = Some(from);
            if came == what {
                return Ok(());
            }
        }
        Err(format!("{what} did not come"))
    }

    fn send(&self, step: &Step) -> std::result::Result<(), String> {
        let remote = self.remote.ok_or_else(|| format!("nobody to send {} to", step.what))?;
        let message = if step.what.starts_with(|c: char| c.is_ascii_digit()) {
            let request = self.requests.get(&step.of);
            let request = request.ok_or_else(|| format!("{} answers no {}", step.what, step.of))?;
            self.response_to(request, step)
        } else {
            self.request(step, remote)
        };
        self.socket.send_to(message.as_bytes(), remote).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn response_to(&self, request: &str, step: &Step) -> String {
        let mut text = format!("{}\r\n", first_line(&step.text));
        for (name, value) in headers(request).filter(|(name, _)| is_one_of(name, &OF_REQUEST)) {
            let is_to = name.eq_ignore_ascii_case("to");
            let tag = if is_to && step.what != "100" && !value.contains(";tag=") {
                format!(";tag={:x}", self.tag)
            } else {
                String::new()
            };
            text.push_str(&format!("{name}: {value}{tag}\r\n"));
        }
        let others = headers(&step.text).filter(|(name, _)| !is_one_of(name, &OF_REQUEST));
        self.rest(&mut text, others, &step.text);
        text
    }

    fn request(&self, step: &Step, remote: SocketAddr) -> String {
        let line = first_line(&step.text);
        let uri = line.split(' ').nth(1).unwrap_or_default();
        let user =
            uri.split_once(':').and_then(|(_, rest)| rest.split_once('@')).map_or("", |(user, _)| user);
        let (address, branch) = (self.address, fastrand::u64(..));
        let mut text = format!(
            "{} sip:{user}@{remote} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{branch:x};rport\r\n",
            step.what
        );
        // Within a dialog, and for an ACK, the far end's tag is that of now (RFC 3261 17.1.1.3).
        let now = self
            .response
            .as_deref()
            .and_then(|response| headers(response).find(|(name, _)| name.eq_ignore_ascii_case("to")));
        let others = headers(&step.text).filter(|(name, _)| !name.eq_ignore_ascii_case("via"));
        let others = others.map(|(name, value)| match now {
            Some((_, to)) if name.eq_ignore_ascii_case("to") => (name, to),
            _ => (name, value),
        });
        self.rest(&mut text, others, &step.text);
        text
    }

    fn rest<'a>(&self, text: &mut String, others: impl Iterator<Item = (&'a str, &'a str)>, recorded: &str) {
        let mut has_contact = false;
        for (name, value) in others {
            has_contact |= name.eq_ignore_ascii_case("contact");
            if !is_one_of(name, &OWN) {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if has_contact {
            text.push_str(&format!("Contact: <sip:replay@{}>\r\n", self.address));
        }
        let body = recorded.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn headers(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}
