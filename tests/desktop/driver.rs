//! A WebDriver session: a page and a keyboard.

use crate::http;
use base64::Engine as _;
use serde_json::{Value, json};
use sidetone_testkit::{Process, free_port, until};
use std::{
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";

/// Ends the session, and with it the browser or app, when it goes.
pub(crate) struct Driver {
    port: u16,
    session: String,
    _process: Process,
}

impl Driver {
    /// The app in its own webview.
    pub(crate) fn of_app(app: &Path, display: &str, dir: &Path) -> Self {
        let mut driver = Command::new("dbus-run-session");
        driver
            .args(["--", "WebKitWebDriver"])
            .env("DISPLAY", display)
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        Self::start(driver, &json!({ "webkitgtk:browserOptions": { "binary": app, "args": [] } }), dir)
    }

    /// A headless Chromium of its own profile.
    pub(crate) fn of_chromium(dir: &Path) -> Self {
        let profile = format!("--user-data-dir={}", dir.join("chromium").display());
        let arguments = [
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
        Self::start(
            Command::new("chromedriver"),
            &json!({ "goog:chromeOptions": { "args": arguments } }),
            dir,
        )
    }

    fn start(mut command: Command, wanted: &Value, dir: &Path) -> Self {
        let port = free_port(Ipv4Addr::LOCALHOST.into()).unwrap();
        command.arg(format!("--port={port}"));
        let process = Process::spawn("driver", &mut command, dir).unwrap();
        until("the driver", Duration::from_secs(20), || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
            .unwrap();
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = http::request(port, "POST", "/session", &wanted)
            .unwrap_or_else(|error| panic!("no session: {error}\n{}", process.tail()));
        let session = opened["sessionId"].as_str().unwrap().to_owned();
        Self { port, session, _process: process }
    }

    /// # Panics
    /// With the driver's own words.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        http::request(self.port, "POST", &format!("/session/{}{path}", self.session), body)
    }

    pub(crate) fn go_to(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs a function's body in the page and gives what it returns.
    pub(crate) fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// Clicks as a mouse does: on what is visible.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id =
            element.as_object().and_then(|element| element.values().next()).and_then(Value::as_str).unwrap();
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    /// Types on the keyboard, wherever the focus is.
    pub(crate) fn type_keys(&self, text: &str) {
        let keys: Vec<_> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key })))
            .collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }));
    }

    /// A picture of the page. Not for WebKitGTK's software renderer, which never answers: see `Display::picture`.
    pub(crate) fn screenshot(&self, file: &Path) {
        let path = format!("/session/{}/screenshot", self.session);
        let picture = http::request(self.port, "GET", &path, &Value::Null).unwrap();
        let picture = base64::prelude::BASE64_STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(file, picture).unwrap();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = http::request(self.port, "DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
