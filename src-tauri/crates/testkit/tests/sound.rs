//! The sound server of the rig carries sound.
#![cfg(unix)]

use std::time::Duration;

use sidetone_testkit::audio::{hear, hear_again, speak_into};
use sidetone_testkit::{Needs, PulseServer, room, until};

const TOOLS: [&str; 4] = ["pulseaudio", "pactl", "paplay", "parecord"];
/// Nothing lies between what is spoken and what is recorded.
const WHOLE: f64 = 0.95;

#[test]
fn what_is_spoken_is_recorded_at_the_microphone() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    let path = room.dir().join("speech.wav");
    let speech = speak_into(&path, 48_000).unwrap();
    let heard = hear_again(8, WHOLE, || {
        let recording = server.record("mic").unwrap();
        let mut player = server.speak(&path).unwrap();
        player.wait(Duration::from_secs(30)).unwrap();
        let end = recording.seconds() + 0.5;
        until("the end of the recording", Duration::from_secs(10), || {
            (recording.seconds() > end).then_some(())
        })
        .unwrap();
        hear(&speech, &recording.finish().unwrap())
    });
    eprintln!("{heard:?}");
    assert!(heard.peak > WHOLE, "{heard:?}");
}

#[test]
fn modules_and_defaults_change_while_it_runs_and_it_can_be_restarted() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let mut server = PulseServer::start(room.dir()).unwrap();
    let index = server.add_sink("other").unwrap();
    server.set_default_sink("other").unwrap();
    assert!(server.pactl(&["info"]).unwrap().contains("Default Sink: other"));
    server.unload_module(index).unwrap();
    assert!(!server.pactl(&["list", "short", "sinks"]).unwrap().contains("other"));
    server.kill();
    assert!(server.pactl(&["info"]).is_err());
    server.restart().unwrap();
    assert!(server.pactl(&["info"]).unwrap().contains("Default Source: mic"));
}
