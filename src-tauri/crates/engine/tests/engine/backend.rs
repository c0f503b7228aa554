//! An integrator's backend that does what the test says, on a real socket.

use crate::kit::SOON;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

/// A hook as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) hook: String,
    /// Its idempotency key.
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) headers: HashMap<String, String>,
    /// The bytes of the body.
    pub(crate) raw: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// 200, and what came with these fields changed.
    With(Value),
    /// Status, reason, body.
    Status(u16, &'static str, &'static str),
    /// None, and the connection stays open.
    Silence,
    /// None, and the connection is closed.
    Drop,
}

type Rules = Arc<Mutex<HashMap<String, Reply>>>;

/// Everything is answered 200 and sent back, but for what [`Backend::rule`] says. Dropped, it is gone, with its connections.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Heard>,
    pub(crate) seen: Vec<Heard>,
    passed: usize,
    rules: Rules,
    _serving: JoinSet<()>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (told, heard) = mpsc::unbounded_channel();
        let rules = Rules::default();
        let mut serving = JoinSet::new();
        let of_server = Arc::clone(&rules);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, told.clone(), Arc::clone(&of_server)));
            }
        });
        Self { address, heard, seen: Vec::new(), passed: 0, rules, _serving: serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/apps/Ours", self.address)
    }

    pub(crate) fn rule(&self, hook: &str, reply: Reply) {
        self.rules.lock().expect("rules").insert(hook.into(), reply);
    }

    /// What `connect` is answered with from now on.
    pub(crate) fn configure(&self, config: Value) {
        self.rule("connect", Reply::With(json!({ "restClientConfig": config })));
    }

    /// Refuses a hook by its own reason.
    pub(crate) fn refuse(&self, hook: &str) {
        self.rule(hook, Reply::Status(403, "Forbidden", r#"{"status":403,"reason":"not before nine"}"#));
    }

    /// Waits for the next hook of a name, after those of earlier waits.
    pub(crate) async fn hears(&mut self, hook: &str) -> Heard {
        self.hears_that(hook, |_| true).await
    }

    /// Waits for a hook with this status.
    pub(crate) async fn hears_status(&mut self, hook: &str, status: &str) -> Heard {
        self.hears_that(hook, |body| body["status"] == status).await
    }

    pub(crate) async fn hears_that(&mut self, hook: &str, fits: impl Fn(&Value) -> bool) -> Heard {
        loop {
            while let Some(heard) = self.seen.get(self.passed) {
                self.passed += 1;
                if heard.hook == hook && fits(&heard.body) {
                    return heard.clone();
                }
            }
            match timeout(SOON, self.heard.recv()).await {
                Ok(Some(heard)) => self.seen.push(heard),
                _ => panic!("{hook} did not come, but {:#?}", self.hooks()),
            }
        }
    }

    /// Waits until more has come.
    pub(crate) async fn hears_more(&mut self) {
        match timeout(SOON, self.heard.recv()).await {
            Ok(Some(heard)) => self.seen.push(heard),
            _ => panic!("no more came, but {:#?}", self.hooks()),
        }
    }

    /// Names and statuses of all that came, in order.
    pub(crate) fn hooks(&mut self) -> Vec<String> {
        while let Ok(heard) = self.heard.try_recv() {
            self.seen.push(heard);
        }
        let line = |heard: &Heard| match heard.body["status"].as_str() {
            Some(status) if heard.hook.ends_with("Event") => format!("{} {status}", heard.hook),
            _ => heard.hook.clone(),
        };
        self.seen.iter().map(line).collect()
    }
}

async fn serve(mut stream: TcpStream, told: mpsc::UnboundedSender<Heard>, rules: Rules) {
    let mut bytes = Vec::new();
    while let Some((head, raw)) = request(&mut stream, &mut bytes).await {
        let mut lines = head.lines();
        let target = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: HashMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let hook = target.rsplit('/').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_str(&raw).unwrap_or_default();
        let reply = rules.lock().expect("rules").get(&hook).cloned();
        if head.starts_with("POST") {
            let key = headers.get("idempotency-key").cloned().unwrap_or_default();
            let _ = told.send(Heard { hook, key, body: body.clone(), headers, raw });
        }
        let (status, reason, text) = match reply.unwrap_or_else(|| Reply::With(json!({}))) {
            Reply::With(changes) => {
                let mut whole = body;
                if let (Some(whole), Some(changes)) = (whole.as_object_mut(), changes.as_object()) {
                    whole.extend(changes.clone());
                }
                (200, "OK", whole.to_string())
            }
            Reply::Status(status, reason, text) => (status, reason, text.to_owned()),
            Reply::Silence => std::future::pending().await,
            Reply::Drop => return,
        };
        let answer = format!("HTTP/1.1 {status} {reason}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Head and body of the next request of a connection.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
            });
            let length = length.unwrap_or_default();
            if body.len() >= length {
                let whole = (head.to_owned(), body[..length].to_owned());
                bytes.drain(..head.len() + 4 + length);
                return Some(whole);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
