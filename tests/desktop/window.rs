//! The app as its user meets it: a window, a keyboard, a microphone that somebody speaks into.

use crate::{
    display::Display,
    driver::{Driver, ESCAPE},
    page::Page,
};
use sidetone_testkit::{
    Needs, PulseServer, Room,
    audio::{hear, speak_into},
    room, until,
};

use std::time::Duration;

const WINDOW: [&str; 4] = ["Xvfb", "WebKitWebDriver", "dbus-run-session", "import"];
const SOUND: [&str; 5] = ["pulseaudio", "pactl", "paplay", "parecord", "espeak-ng"];

fn needs(tools: &[&[&'static str]]) -> Needs {
    Needs::tools(&tools.concat()).within(Duration::from_secs(180))
}

fn open(room: &Room) -> (Display, Driver) {
    let display = Display::start(room.dir());
    let driver = Driver::of_app(crate::app(), display.name(), room.dir());
    (display, driver)
}

#[test]
fn a_newcomer_calls_echo_by_keyboard_and_hears_what_they_say() {
    let Some(room) = room!(needs(&[&WINDOW, &SOUND])) else { return };
    let sound = PulseServer::start(room.dir()).unwrap();
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };

    page.wait_for_status("registration-state", "REGISTERED");
    page.wait_for_status("session-state", "ESTABLISHED");
    display.picture("idle");

    page.dial("echo");
    page.wait_for_status("call-status", "ESTABLISHED");
    let file = room.dir().join("spoken.wav");
    let spoken = speak_into(&file, 48_000).unwrap();
    let recording = sound.record("spk.monitor").unwrap();
    let mut speaking = sound.speak(&file).unwrap();
    page.wait("the microphone's meter moves", || page.meter("meter-mic") > -50.0);
    page.wait("the speaker's meter moves", || page.meter("meter-speaker") > -50.0);
    display.picture("in-call");
    assert!(!page.text("codec").is_empty());
    page.wait("packets are measured", || page.text("stat-jitter").contains("ms"));
    speaking.wait(Duration::from_secs(20)).unwrap();
    let end = recording.seconds() + 1.0;
    until("the way back", Duration::from_secs(10), || (recording.seconds() > end).then_some(())).unwrap();
    let heard = hear(&spoken, &recording.finish().unwrap());
    assert!(heard.peak > 0.7, "{heard:?}");

    driver.type_keys(ESCAPE);
    page.wait("the call has ended", || !page.is_shown("call-panel"));
    page.wait("history has the call", || page.text("history-item").contains("echo"));
    display.picture("history");
}

#[test]
fn without_a_sound_server_the_window_says_so_and_still_calls() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };

    page.wait_for_status("registration-state", "REGISTERED");
    page.dial("tone");
    page.wait_for_status("call-status", "ESTABLISHED");
    page.wait_for("device-note");
    display.picture("no-devices");
    driver.type_keys(ESCAPE);
    page.wait("history has the call", || page.text("history-item").contains("tone"));
}
