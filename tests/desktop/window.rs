//! The app in its own window.

use crate::page::Page;
use sidetone_testkit::{
    Needs, Process, PulseServer, Room, Signal,
    audio::{hear, hear_again, speak_into},
    browser::{Display, Driver, ESCAPE},
    room, until,
};
use std::{path::PathBuf, process::Command, time::Duration};

pub(crate) const WINDOW: [&str; 5] = ["Xvfb", "WebKitWebDriver", "dbus-run-session", "import", "xwininfo"];
const SOUND: [&str; 5] = ["pulseaudio", "pactl", "paplay", "parecord", "espeak-ng"];
/// The least correlation of our own words from `echo`. Other speech gives 0.4 at most, words that are broken all the time less
/// than this, whole ones 0.9.
const HEARD: f64 = 0.7;
/// The exit code of a call to somebody who is busy.
const BUSY: i32 = 4;

/// In a network of its own, so that every port is free.
pub(crate) fn needs(tools: &[&[&'static str]]) -> Needs {
    Needs::tools(&tools.concat()).network().within(Duration::from_secs(180))
}

fn display(room: &Room) -> Display {
    Display::start(room.dir(), 1_280, 800).unwrap()
}

pub(crate) fn open(room: &Room) -> (Display, Driver) {
    let display = display(room);
    let driver = Driver::of_app(crate::app(), display.name(), room.dir()).unwrap();
    (display, driver)
}

/// Before the app starts.
pub(crate) fn write_settings(room: &Room, text: &str) -> PathBuf {
    let settings = room.dir().join("config/sidetone/settings.toml");
    std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
    std::fs::write(&settings, text).unwrap();
    settings
}

pub(crate) fn picture(display: &Display, page: &Page<'_>, name: &str) {
    page.settle();
    display.picture(&crate::picture(name)).unwrap();
}

#[test]
fn a_newcomer_calls_echo_by_keyboard_and_hears_what_they_say() {
    let Some(room) = room!(needs(&[&WINDOW, &SOUND])) else { return };
    let sound = PulseServer::start(room.dir()).unwrap();
    // `echo` says our own words back while we speak, which processing is there to take away: the bench of echo has its figures.
    let plain = "[audio]\nechoCancellation = false\nnoiseSuppression = false\ngainControl = false\n";
    write_settings(&room, plain);
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };

    page.wait_for_status("registration-state", "REGISTERED");
    page.wait_for_status("session-state", "ESTABLISHED");
    picture(&display, &page, "idle");

    page.dial("echo");
    page.wait_for_status("call-status", "ESTABLISHED");
    // The jitter buffer has found its depth by the time that there are figures.
    page.wait("packets are measured", || page.text("stat-jitter").contains("ms"));
    page.settle();
    let file = room.dir().join("spoken.wav");
    let spoken = speak_into(&file, 48_000).unwrap();
    let heard = hear_again(8, HEARD, || {
        let recording = sound.record("spk.monitor").unwrap();
        let mut speaking = sound.speak(&file).unwrap();
        speaking.wait(Duration::from_secs(20)).unwrap();
        let end = recording.seconds() + 1.0;
        until("the way back", Duration::from_secs(10), || (recording.seconds() > end).then_some(())).unwrap();
        hear(&spoken, &recording.finish().unwrap())
    });
    assert!(heard.peak > HEARD, "{heard:?}");
    println!("{heard:?}");

    let _speaking = sound.speak(&file).unwrap();
    page.wait("both meters move", || page.meter("meter-mic") > -40.0 && page.meter("meter-speaker") > -40.0);
    picture(&display, &page, "in-call");
    assert!(page.text("codec").starts_with("Opus"), "{}", page.text("codec"));
    page.wait("packets are measured", || page.text("stat-jitter").contains("ms"));

    driver.type_keys(ESCAPE);
    page.wait("the call has ended", || !page.is_shown("call-panel"));
    page.wait("history has the call", || page.text("history-item").contains("echo"));
    picture(&display, &page, "history");
    page.click("tab-events");
    page.wait("the log has the end", || page.text("event-log").contains("FINISH"));
    picture(&display, &page, "events");
}

#[test]
fn a_call_from_elsewhere_rings_in_the_window_and_is_answered_or_declined() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");

    let mut call = ring(&room, "answered");
    page.wait_for("incoming-panel");
    picture(&display, &page, "incoming");
    page.click("answer-button");
    page.wait_for_status("call-status", "ESTABLISHED");
    assert!(call.wait(Duration::from_secs(20)).unwrap().success(), "{}", call.tail());
    page.wait("the caller has hung up", || !page.is_shown("call-panel"));

    let mut call = ring(&room, "declined");
    page.wait_for("incoming-panel");
    page.click("decline-button");
    assert_eq!(call.wait(Duration::from_secs(20)).unwrap().code(), Some(BUSY), "{}", call.tail());
}

#[test]
fn a_window_that_is_loaded_again_shows_its_call_as_it_was() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (_display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");
    page.dial("tone");
    page.wait_for_status("call-status", "ESTABLISHED");
    page.wait("packets are measured", || page.text("stat-jitter").contains("ms"));
    // As after a crash of the page: the call belongs to the engine.
    driver.post("/refresh", &serde_json::json!({}));
    page.wait_for_status("call-status", "ESTABLISHED");
    page.wait("its figures go on", || page.text("stat-jitter").contains("ms"));
    driver.type_keys(ESCAPE);
    page.wait("history has the one call", || page.text("history-item").contains("tone"));
}

/// A call to the window's own account, for two seconds.
fn ring(room: &Room, name: &str) -> Process {
    let mut call = Command::new(crate::cli());
    call.args(["call", "local", "--user", "ada", "--mic", "tone", "--speaker", "null", "--for", "2s"]);
    Process::spawn(name, &mut call, room.dir()).unwrap()
}

#[test]
fn a_wrong_number_is_shown_with_its_reason() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");

    page.dial("4711");
    page.wait_for_status("call-status", "FAILED");
    assert!(page.text("ended-panel").contains("404"), "{}", page.text("ended-panel"));
    picture(&display, &page, "failed");
}

#[test]
fn without_a_sound_server_the_window_says_so_and_still_calls() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };

    page.wait_for_status("registration-state", "REGISTERED");
    picture(&display, &page, "no-devices");
    page.dial("tone");
    page.wait_for_status("call-status", "ESTABLISHED");
    driver.type_keys(ESCAPE);
    page.wait("history has the call", || page.text("history-item").contains("tone"));
    page.click("tab-sound");
    page.wait_for("device-note");
}

#[test]
fn the_dark_theme_is_chosen_in_the_settings() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };
    page.wait_for_status("registration-state", "REGISTERED");

    page.click("open-settings");
    page.choose("theme-select", "dark");
    page.wait("the page is dark", || page.is_dark());
    picture(&display, &page, "settings-dark");
}

#[test]
fn a_settings_file_with_an_unknown_key_is_named_and_read_again_once_it_is_repaired() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let settings = write_settings(&room, "[audio]\nmircophone = \"default\"\n");
    let (display, driver) = open(&room);
    let page = Page { driver: &driver };

    page.wait("the wrong key is named", || page.text("link-banner").contains("mircophone"));
    picture(&display, &page, "wrong-settings");
    std::fs::write(&settings, "[audio]\nmicrophone = \"silence\"\n").unwrap();
    page.wait_for_status("registration-state", "REGISTERED");
}

#[test]
fn a_program_that_is_told_to_end_ends_its_calls_first() {
    let Some(room) = room!(needs(&[&WINDOW])) else { return };
    let display = display(&room);
    let mut app = Command::new(crate::app());
    app.env("DISPLAY", display.name());
    let mut app = Process::spawn("app", &mut app, room.dir()).unwrap();
    let found = room.dir().join("run/sidetone/gateway.json");
    until("the gateway", Duration::from_secs(20), || found.exists().then_some(())).unwrap();

    let mut call = ring(&room, "ringing");
    until("the ringing", Duration::from_secs(20), || call.stdout().contains("RING").then_some(())).unwrap();
    app.signal(Signal::TERM).unwrap();
    assert!(app.wait(Duration::from_secs(8)).unwrap().success(), "{}", app.tail());
    assert!(!found.exists(), "nobody is sent to a gateway that is gone");
    assert!(!call.wait(Duration::from_secs(10)).unwrap().success(), "{}", call.tail());
}
