//! The same pages in a browser, as on a machine without a display.

use crate::page::Page;
use sidetone_testkit::{
    Needs, Process, PulseServer, Signal,
    browser::{Driver, ESCAPE},
    room, until,
};

use std::{process::Command, time::Duration};

#[test]
fn a_browser_opens_the_printed_link_and_calls_echo() {
    let tools = ["chromium", "chromedriver", "pulseaudio", "pactl", "paplay", "parecord"];
    let Some(room) = room!(Needs::tools(&tools).network().within(Duration::from_secs(180))) else { return };
    let _sound = PulseServer::start(room.dir()).unwrap();
    let mut gateway = Command::new(crate::cli());
    gateway.arg("gateway");
    let mut gateway = Process::spawn("gateway", &mut gateway, room.dir()).unwrap();
    let link = until("the link", Duration::from_secs(20), || link(&gateway.stdout())).unwrap();

    let driver = Driver::of_chromium(room.dir(), &[]).unwrap();
    driver.go_to(&link);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");
    page.click("tab-sound");
    page.wait("whose devices these are is said", || page.text("device-note").contains("not of this browser"));
    page.dial("echo");
    page.wait_for_status("call-status", "ESTABLISHED");
    page.wait("packets are measured", || page.text("stat-jitter").contains("ms"));
    page.settle();
    driver.screenshot(&crate::picture("browser")).unwrap();
    driver.type_keys(ESCAPE);
    page.wait("history has the call", || page.text("history-item").contains("echo"));

    gateway.signal(Signal::INT).unwrap();
    assert!(gateway.wait(Duration::from_secs(10)).unwrap().success());
}

pub(crate) fn link(output: &str) -> Option<String> {
    let mut words = output.split_whitespace();
    words.find(|word| word.starts_with("http://127.0.0.1:") && word.contains("?token=")).map(str::to_owned)
}
