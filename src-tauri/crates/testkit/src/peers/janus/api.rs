//! Janus's interface over HTTP: commands by POST, news by long poll.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::http;
use crate::error::{Result, RigError};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a session talks to in a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JanusHandle(u64);

/// A session of a client. It ends with the value.
#[derive(Debug)]
pub struct JanusSession {
    port: u16,
    id: u64,
    transactions: Cell<u64>,
    /// News that nobody has waited for yet.
    news: RefCell<VecDeque<Value>>,
}

/// Whether it answers.
pub(super) fn info(port: u16) -> bool {
    http::json(port, "GET", "/janus/info", &Value::Null).is_ok_and(|answer| answer["janus"] == "server_info")
}

impl JanusSession {
    pub(super) fn open(port: u16) -> Result<Self> {
        let mut session = Self { port, id: 0, transactions: Cell::default(), news: RefCell::default() };
        let created = session.post("/janus", json!({ "janus": "create" }))?;
        session.id = id(&created)?;
        Ok(session)
    }

    /// A handle of a plugin, such as `janus.plugin.videoroom`.
    pub fn attach(&self, plugin: &str) -> Result<JanusHandle> {
        let path = format!("/janus/{}", self.id);
        id(&self.post(&path, json!({ "janus": "attach", "plugin": plugin }))?).map(JanusHandle)
    }

    /// Sends a plugin a message and waits for its answer.
    pub fn message(&self, handle: JanusHandle, body: &Value, jsep: Option<&Value>) -> Result<Value> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep.clone();
        }
        let answer = self.post(&format!("/janus/{}/{}", self.id, handle.0), message)?;
        let event = match answer["janus"].as_str() {
            Some("ack") => {
                let transaction = answer["transaction"].clone();
                self.wait("an answer", |news| news["transaction"] == transaction)?
            }
            _ => answer,
        };
        match event["plugindata"]["data"]["error"].as_str() {
            Some(error) => Err(RigError::new(format!("Janus refused: {error}"))),
            None => Ok(event),
        }
    }

    /// Waits for news of a handle: `webrtcup`, `media`, `hangup`, `slowlink`, `event`.
    pub fn wait_for(&self, handle: JanusHandle, name: &str) -> Result<Value> {
        self.wait(name, |news| news["sender"] == handle.0 && news["janus"] == name)
    }

    fn wait(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.news.borrow().iter().position(&fits);
            if let Some(news) = found.and_then(|at| self.news.borrow_mut().remove(at)) {
                return Ok(news);
            }
            if Instant::now() >= deadline {
                let known = json!(self.news.borrow().iter().collect::<Vec<_>>());
                return Err(RigError::new(format!("Janus: {what}: not in time; it told {known}")));
            }
            let path = format!("/janus/{}?maxev=10", self.id);
            let news = http::json(self.port, "GET", &path, &Value::Null).map_err(failed)?;
            let news = if let Value::Array(all) = news { all } else { vec![news] };
            let told = |one: &Value| one["janus"] != "keepalive";
            self.news.borrow_mut().extend(news.into_iter().filter(told));
        }
    }

    fn post(&self, path: &str, mut body: Value) -> Result<Value> {
        self.transactions.set(self.transactions.get() + 1);
        body["transaction"] = json!(format!("t{}", self.transactions.get()));
        let answer = http::json(self.port, "POST", path, &body).map_err(failed)?;
        match answer["janus"].as_str() {
            Some("error") => Err(RigError::new(format!("Janus: {}", answer["error"]["reason"]))),
            _ => Ok(answer),
        }
    }
}

impl Drop for JanusSession {
    fn drop(&mut self) {
        let _ = self.post(&format!("/janus/{}", self.id), json!({ "janus": "destroy" }));
    }
}

fn id(answer: &Value) -> Result<u64> {
    answer["data"]["id"].as_u64().ok_or_else(|| RigError::new(format!("Janus: {answer}")))
}

fn failed(error: std::io::Error) -> RigError {
    RigError::while_doing("Janus", error)
}
