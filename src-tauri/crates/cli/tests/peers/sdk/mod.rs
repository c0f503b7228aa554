//! Pages with the official Web SDK, unmodified, in Chromium against `sidetone-cli gateway`. In each of them nothing may go wrong in
//! the page itself: no exception, no rejection that nobody handles.

mod calls;
mod deaths;
mod examples;
mod hooks;
mod media;
mod playing;
mod publishing;
mod rest;
mod rooms;
mod secure;
mod sessions;

pub(crate) use sessions::freeze;

use super::streams::{Program, SILENT};
use serde_json::{Value, json};
use sidetone_testkit::{Needs, Room, WebSdk};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn needs() -> Needs {
    Needs::tools(&WebSdk::TOOLS).network().within(Duration::from_secs(150))
}

/// A gateway and a page.
struct Rig {
    gateway: Program,
    url: String,
    page: WebSdk,
}

impl Rig {
    fn start(room: &Room) -> Self {
        Self::of(room, Program::start(room, &[&["gateway"][..], &SILENT].concat())).0
    }

    /// With what the gateway said of its addresses.
    fn of(room: &Room, mut gateway: Program) -> (Self, Value) {
        let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
        let url = line["http"].as_str().unwrap().replace("http:", "ws:");
        (Self { gateway, url, page: WebSdk::start(room.dir(), "page").unwrap() }, line)
    }

    /// A session that stands.
    fn session(&self) -> u64 {
        self.session_with(json!({}))
    }

    fn session_with(&self, more: Value) -> u64 {
        let mut options = json!({ "urlServer": self.url });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let session = self.page.connect(&options);
        self.page.status(session, "ESTABLISHED", SOON).unwrap();
        session
    }

    /// A stream that is published, with these options besides.
    fn publish(&self, session: u64, name: &str, more: Value) -> u64 {
        let mut options = json!({ "name": name });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let stream = self.page.publish(session, &options);
        let end = |event: &Value| event["status"] == "PUBLISHING" || event["status"] == "FAILED";
        let event =
            self.page.wait_for("PUBLISHING", SOON, |event| event["id"] == stream && end(event)).unwrap();
        assert_eq!(event["status"], "PUBLISHING", "{event}");
        stream
    }

    fn play(&self, session: u64, name: &str) -> u64 {
        let stream = self.page.play(session, &json!({ "name": name }));
        self.page.status(stream, "PLAYING", SOON).unwrap();
        stream
    }

    /// The gateway as it is when this is true of it.
    fn gateway_is(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.gateway_within(SOON, what, fits)
    }

    fn gateway_within(&mut self, patience: Duration, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let fits = |line: &Value| line["event"] == "GatewayChanged" && fits(&line["gateway"]);
        self.gateway.wait_within(patience, what, fits).1["gateway"].clone()
    }

    /// Nothing went wrong in the page.
    fn end(self) {
        assert_eq!(self.page.errors(), Vec::<String>::new());
    }
}
