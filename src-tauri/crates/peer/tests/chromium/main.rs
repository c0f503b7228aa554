//! The gate: a real browser on a path that loses five per cent, and on one that narrows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]
#![cfg(unix)]

mod gateway;
mod life;
mod loss;
mod narrow;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use gateway::Gateway;
use serde_json::{Value, json};
use sidetone_peer::{Direction, Wanted};
use sidetone_testkit::browser::Driver;
use sidetone_testkit::{Needs, Room};

const PAGE: &str = include_str!("page.js");

fn browser(room: &Room) -> Driver {
    let more = ["--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection"];
    let driver = Driver::of_chromium(room.dir(), &more.map(str::to_owned)).unwrap();
    driver.go_to("about:blank");
    driver.script(PAGE, &[]);
    driver
}

fn needs() -> Needs {
    Needs::tools(&["chromium", "chromedriver"]).network().within(Duration::from_secs(120))
}

fn publish(driver: &Driver, gateway: &mut Gateway, codec: &str, layers: &[&str], kbit: u32) {
    let offer = driver.script("return publish(...arguments)", &[json!(codec), json!(layers), json!(kbit)]);
    let answer = gateway.answer(offer.as_str().unwrap(), &Wanted::both(Direction::Receive));
    driver.script("return answer(publisher, arguments[0])", &[json!(answer)]);
}

fn stats(driver: &Driver, which: &str, kind: &str) -> Vec<Value> {
    let all = driver.script(&format!("return stats({which})"), &[]);
    let all = all.as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|stat| stat["type"] == kind && stat["kind"] == "video").collect()
}
