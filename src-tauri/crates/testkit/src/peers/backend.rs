//! An integrator's backend that does what the test says and remembers all that it was asked and told, on a real socket.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::error::{Result, RigError};
use crate::process::until;

/// A hook as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its name, the last part of the path.
    pub hook: String,
    pub body: Value,
}

/// What a hook is answered with.
#[derive(Debug, Clone)]
pub enum HookReply {
    /// 200, and what came with these fields changed.
    With(Value),
    /// Status, reason, body.
    Status(u16, &'static str, &'static str),
    /// None, and the connection stays open.
    Silence,
}

#[derive(Debug, Default)]
struct State {
    rules: HashMap<String, HookReply>,
    heard: Vec<Heard>,
    passed: usize,
    gone: bool,
    open: Vec<TcpStream>,
}

/// Everything is answered 200 and sent back, but for what [`Backend::rule`] says. Dropped, it is gone, with its connections.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backend {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let backend = Self { address: listener.local_addr()?, state: Arc::default() };
        let state = Arc::clone(&backend.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                {
                    let mut state = lock(&state);
                    if state.gone {
                        return;
                    }
                    state.open.extend(stream.try_clone());
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Ok(backend)
    }

    /// Where hooks go.
    pub fn url(&self) -> String {
        format!("http://{}/apps/Ours", self.address)
    }

    pub fn rule(&self, hook: &str, reply: HookReply) {
        lock(&self.state).rules.insert(hook.into(), reply);
    }

    /// What `connect` is answered with from now on.
    pub fn configure(&self, config: &Value) {
        self.rule("connect", HookReply::With(json!({ "restClientConfig": config })));
    }

    /// Refuses a hook by a reason of its own.
    pub fn refuse(&self, hook: &str) {
        self.rule(hook, HookReply::Status(403, "Forbidden", r#"{"status":403,"reason":"not before nine"}"#));
    }

    /// Answers a hook as at the beginning.
    pub fn allow(&self, hook: &str) {
        lock(&self.state).rules.remove(hook);
    }

    /// Waits for the next hook of a name that fits, after those of earlier waits.
    pub fn hears(&self, hook: &str, patience: Duration, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let found = until(hook, patience, || {
            let mut state = lock(&self.state);
            let from = state.passed;
            let place = state.heard.iter().skip(from).position(|it| it.hook == hook && fits(&it.body))?;
            state.passed = from + place + 1;
            Some(state.heard[from + place].body.clone())
        });
        found.map_err(|error| RigError::new(format!("{error}; what came: {:#?}", self.hooks())))
    }

    /// All that came.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.state).heard.clone()
    }

    /// Names, and statuses of events, of all that came, in order.
    pub fn hooks(&self) -> Vec<String> {
        let line = |heard: &Heard| match heard.body["status"].as_str() {
            Some(status) if heard.hook.ends_with("StatusEvent") => format!("{} {status}", heard.hook),
            _ => heard.hook.clone(),
        };
        lock(&self.state).heard.iter().map(line).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        {
            let mut state = lock(&self.state);
            state.gone = true;
            for stream in &state.open {
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        }
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (first, body) = request(&mut reader)?;
        let mut parts = first.split(' ');
        let (method, path) = (parts.next()?, parts.next()?);
        let hook = path.rsplit('/').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let reply = {
            let mut state = lock(state);
            if method == "POST" {
                state.heard.push(Heard { hook: hook.clone(), body: body.clone() });
            }
            state.rules.get(&hook).cloned().unwrap_or_else(|| HookReply::With(json!({})))
        };
        let (status, reason, text) = match reply {
            HookReply::With(changes) => {
                let mut whole = body;
                if let (Some(whole), Some(changes)) = (whole.as_object_mut(), changes.as_object()) {
                    whole.extend(changes.clone());
                }
                (200, "OK", whole.to_string())
            }
            HookReply::Status(status, reason, text) => (status, reason, text.to_owned()),
            HookReply::Silence => {
                let mut rest = Vec::new();
                let _ = reader.read_to_end(&mut rest);
                return None;
            }
        };
        write!(stream, "HTTP/1.1 {status} {reason}\r\nContent-Length: {}\r\n\r\n{text}", text.len()).ok()?;
    }
}

/// First line and body of the next request of a connection.
fn request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((_, value)) =
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, String::from_utf8_lossy(&body).into_owned()))
}
