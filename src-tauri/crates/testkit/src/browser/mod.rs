//! A browser or a webview under WebDriver: a page and a keyboard.

mod display;
pub(crate) mod http;
mod log;
mod pages;

pub use display::Display;
pub(crate) use log::Log;
pub(crate) use pages::Pages;

use crate::error::{Result, RigError};
use crate::ports::free_port;
use crate::process::{Process, until};
use base64::Engine as _;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

/// Keys as WebDriver names them.
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";

/// A WebDriver session. Ends the session, and with it the browser or app, when it goes.
#[derive(Debug)]
pub struct Driver {
    port: u16,
    session: String,
    process: Process,
}

impl Driver {
    /// The app in its own webview.
    pub fn of_app(app: &Path, display: &str, dir: &Path) -> Result<Self> {
        let mut driver = Command::new("dbus-run-session");
        driver
            .args(["--", "WebKitWebDriver"])
            .env("DISPLAY", display)
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        Self::start(driver, &json!({ "webkitgtk:browserOptions": { "binary": app, "args": [] } }), dir)
    }

    /// A headless Chromium of its own profile, with these arguments besides.
    pub fn of_chromium(dir: &Path, more: &[String]) -> Result<Self> {
        let profile = format!("--user-data-dir={}", dir.join("chromium").display());
        let mut arguments = vec![
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1000,840",
            &profile,
        ];
        arguments.extend(more.iter().map(String::as_str));
        Self::start(
            Command::new("chromedriver"),
            &json!({ "goog:chromeOptions": { "args": arguments } }),
            dir,
        )
    }

    fn start(mut command: Command, wanted: &Value, dir: &Path) -> Result<Self> {
        let port = free_port(Ipv4Addr::LOCALHOST.into())?;
        command.arg(format!("--port={port}"));
        let process = Process::spawn(&format!("driver-{port}"), &mut command, dir)?;
        until("the driver", Duration::from_secs(20), || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        })?;
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = http::request(port, "POST", "/session", &wanted)
            .map_err(|error| RigError::new(format!("no session: {error}\n{}", process.tail())))?;
        let session = opened["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(Self { port, session, process })
    }

    /// The process whose children browser or app are.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// # Panics
    /// With the driver's own words.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn try_post(&self, path: &str, body: &Value) -> std::result::Result<Value, String> {
        http::request(self.port, "POST", &format!("/session/{}{path}", self.session), body)
    }

    pub fn go_to(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs a function's body in the page and gives what it returns.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// Runs a script in each page before its own, where the browser is a Chromium.
    pub fn before_each_page(&self, script: &str) {
        let command =
            json!({ "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script } });
        self.post("/goog/cdp/execute", &command);
    }

    /// Clicks as a mouse does: on what is visible.
    pub fn click(&self, selector: &str) {
        let element = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = element.as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
        let id = id.unwrap_or_default();
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    /// Types on the keyboard, wherever the focus is.
    pub fn type_keys(&self, text: &str) {
        let keys: Vec<_> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key })))
            .collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }));
    }

    /// A picture of the page. Not for WebKitGTK's software renderer, which never answers.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let path = format!("/session/{}/screenshot", self.session);
        let picture = http::request(self.port, "GET", &path, &Value::Null).map_err(RigError::new)?;
        let picture = base64::prelude::BASE64_STANDARD
            .decode(picture.as_str().unwrap_or_default())
            .map_err(|error| RigError::while_doing("a screenshot", error))?;
        Ok(std::fs::write(file, picture)?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = http::request(self.port, "DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
