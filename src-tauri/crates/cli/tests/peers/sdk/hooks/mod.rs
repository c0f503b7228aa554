//! Pages under an integrator's backend: what it is asked and told in the names of their sessions, streams and calls, and what pages
//! see of its answers.

mod calls;
mod diagnostics;
mod record;
mod sessions;
mod streams;

use super::{Program, Rig, SILENT, SOON, WebSdk, needs};
use serde_json::{Value, json};
use sidetone_testkit::{Backend, Room};

/// A gateway under a backend, for which a busy machine has time, and a page.
fn rig(room: &Room, backend: &Backend, more: &str) -> Rig {
    rig_with(room, backend, &format!("timeoutMs = 10000\n{more}"))
}

fn rig_with(room: &Room, backend: &Backend, more: &str) -> Rig {
    let config = room.dir().join("config/sidetone");
    std::fs::create_dir_all(&config).unwrap();
    let hooks = format!("[hooks]\nurl = {:?}\n{more}\n", backend.url());
    std::fs::write(config.join("settings.toml"), hooks).unwrap();
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let url = line["http"].as_str().unwrap().replace("http:", "ws:");
    // The program has a session of its own.
    let is_own = |body: &Value| body["sipLogin"] == "local" && body["status"] == "REGISTERED";
    backend.hears("RegistrationStatusEvent", SOON, is_own).unwrap();
    Rig { gateway, url, page: WebSdk::start(room.dir(), "page").unwrap() }
}

/// A session of which `connect` was answered with this configuration.
fn session(rig: &Rig, backend: &Backend, config: &Value, more: Value) -> u64 {
    backend.configure(config);
    rig.session_with(more)
}

fn warned(rig: &Rig, session: u64) -> Value {
    rig.page.status(session, "WARN", SOON).unwrap()
}

fn fails(hook: &str) -> Value {
    json!({ hook: { "restOnError": "FAIL" } })
}
