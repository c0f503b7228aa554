//! Real devices, as far as a sound server with null sinks has them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests as well")]

#[path = "pulse/beat.rs"]
mod beat;

use std::fs;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use beat::Beat;
use sidetone_device::{DeviceEvent, Hardware};
use sidetone_media::{Devices, Direction, Flow, Selection};
use sidetone_testkit::audio::{Heard, Wav, hear, hear_again, speech_like};
use sidetone_testkit::{Needs, PulseOptions, PulseServer, Room, room, until};

const TOOLS: [&str; 4] = ["pulseaudio", "pactl", "paplay", "parecord"];
const LONG: Duration = Duration::from_secs(20);
/// Correlation of a sound that was heard, also on a machine so busy that the beat or the sound server comes late now and
/// then and a device runs empty. Another sound has less than 0.4, one that is broken all the time less than this, one that
/// comes through whole more than 0.95.
const HEARD: f64 = 0.7;
/// How often something is said to be heard.
const TIMES: usize = 8;

fn speech() -> Wav {
    speech_like(2.0, 48_000)
}

/// Waits for an event that `wanted` accepts and gives it with those before it.
fn wait(events: &Receiver<DeviceEvent>, wanted: impl Fn(&DeviceEvent) -> bool) -> Vec<DeviceEvent> {
    let deadline = Instant::now() + LONG;
    let mut seen = Vec::new();
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => seen.push(event),
            Err(error) => panic!("the event did not come ({error}), but {seen:?}"),
        }
        if seen.last().is_some_and(&wanted) {
            return seen;
        }
    }
}

/// Speaks into `feed` while the beat runs and says how it was heard at the source that the beat reads.
fn converse(room: &Room, server: &PulseServer, beat: &Beat, feed: &str) -> Heard {
    let path = room.dir().join("speech.wav");
    let speech = speech();
    speech.write(&path).unwrap();
    hear_again(TIMES, HEARD, || {
        let from = beat.heard_len();
        server.play(&path, feed).unwrap().wait(LONG).unwrap();
        beat.wait_heard(beat.heard_len() + 24_000);
        hear(&speech, &Wav { rate: 48_000, samples: beat.heard_since(from) })
    })
}

/// Plays speech through the sink of the beat and says how it was heard at `monitor`.
fn say(server: &PulseServer, beat: &Beat, monitor: &str) -> Heard {
    hear_again(TIMES, HEARD, || say_once(server, beat, monitor))
}

fn say_once(server: &PulseServer, beat: &Beat, monitor: &str) -> Heard {
    let speech = speech();
    let recording = server.record(monitor).unwrap();
    beat.say(&speech.samples);
    beat.wait_said();
    let end = recording.seconds() + 0.5;
    until("the rest of the recording", LONG, || (recording.seconds() > end).then_some(())).unwrap();
    hear(&speech, &recording.finish().unwrap())
}

fn assert_heard(what: &str, heard: Heard) {
    assert!(heard.peak > HEARD, "{what}: {heard:?}");
}

fn on_sink(server: &PulseServer, name: &str, count: usize) {
    let reached = || (server.streams_on_sink(name).ok()? == count).then_some(());
    until(&format!("{count} streams on {name}"), LONG, reached).unwrap();
}

fn on_source(server: &PulseServer, name: &str, count: usize) {
    let reached = || (server.streams_on_source(name).ok()? == count).then_some(());
    until(&format!("{count} streams on {name}"), LONG, reached).unwrap();
}

#[test]
fn devices_are_listed_with_names_and_the_default_first() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let _server = PulseServer::start(room.dir()).unwrap();
    let listed = Hardware::new().list().unwrap();
    let first = |direction| listed.iter().find(|info| info.direction == direction).unwrap();
    let speaker = first(Direction::Output);
    assert_eq!((speaker.id.as_str(), speaker.name.as_str()), ("pulse:spk", "Speaker"));
    assert!(speaker.is_default);
    let microphone = first(Direction::Input);
    assert_eq!((microphone.id.as_str(), microphone.name.as_str()), ("pulse:mic", "Microphone"));
    assert_eq!(listed.iter().filter(|info| info.is_default).count(), 2);
}

#[test]
fn the_microphone_hears_what_is_spoken() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    let hardware = Hardware::new();
    let opened = hardware.open_source(&Selection::Default).unwrap();
    assert_eq!(opened.effective.id, "pulse:mic");
    let beat = Beat::start(Some(opened.source), None);
    beat.wait_live();
    let heard = converse(&room, &server, &beat, "micfeed");
    eprintln!("{heard:?}, {}", beat.figures());
    assert_heard("microphone", heard);
}

#[test]
fn the_speaker_is_heard_and_the_delay_there_and_back_is_short() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    let hardware = Hardware::new();
    let sink = hardware.open_sink(&Selection::Default).unwrap();
    assert_eq!(sink.effective.id, "pulse:spk");
    let source = hardware.open_source(&Selection::Device("pulse:spk.monitor".into())).unwrap();
    let beat = Beat::start(Some(source.source), Some(sink.sink));
    beat.wait_live();
    on_sink(&server, "spk", 1);
    // The first playback on a null sink pauses for two seconds.
    beat.say_until_heard();
    let mut delay = f64::NAN;
    // Both of the same words.
    let worse = hear_again(TIMES, HEARD, || {
        let from = beat.heard_len();
        let heard = say_once(&server, &beat, "spk.monitor");
        let back = hear(&speech(), &Wav { rate: 48_000, samples: beat.heard_since(from) });
        delay = back.lag_ms - beat.said_at(from);
        eprintln!("speaker {heard:?}, and from there at the microphone {back:?} after {delay:.1} ms");
        if heard.peak < back.peak { heard } else { back }
    });
    eprintln!("{}", beat.figures());
    assert_heard("speaker and microphone", worse);
    assert!(delay < 250.0, "{delay} ms");
}

#[test]
fn what_the_machine_plays_is_heard_and_its_default_speaker_is_followed() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    server.add_sink("headset").unwrap();
    let hardware = Hardware::new();
    let events = hardware.events();
    let opened = hardware.open_source(&Selection::System).unwrap();
    let effective = opened.effective;
    assert_eq!(
        (effective.id.as_str(), effective.name.as_str()),
        ("system:pulse:spk.monitor", "What Speaker plays")
    );
    assert!(!opened.source.is_microphone(), "there is no echo in it");
    let beat = Beat::start(Some(opened.source), None);
    beat.wait_live();
    let heard = converse(&room, &server, &beat, "spk");
    assert!(heard.peak > HEARD, "{heard:?}");
    server.set_default_sink("headset").unwrap();
    on_source(&server, "headset.monitor", 1);
    on_source(&server, "spk.monitor", 0);
    let heard = converse(&room, &server, &beat, "headset");
    assert!(heard.peak > HEARD, "{heard:?}");
    let of_inputs: Vec<DeviceEvent> = events.try_iter().filter(|event| event.endpoint().is_some()).collect();
    assert!(of_inputs.is_empty(), "nobody is told that a microphone changed: {of_inputs:?}");
    assert!(hardware.open_sink(&Selection::System).is_err());
}

#[test]
fn the_system_default_is_followed() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    server.add_sink("headset").unwrap();
    let hardware = Hardware::new();
    let events = hardware.events();
    let sink = hardware.open_sink(&Selection::Default).unwrap();
    let source = hardware.open_source(&Selection::Default).unwrap();
    let beat = Beat::start(Some(source.source), Some(sink.sink));
    on_sink(&server, "spk", 1);
    beat.wait_live();

    server.set_default_sink("headset").unwrap();
    let changed = |id: &'static str| move |event: &DeviceEvent| matches!(event, DeviceEvent::DefaultChanged { device, .. } if device.id == id);
    wait(&events, changed("pulse:headset"));
    on_sink(&server, "headset", 1);
    on_sink(&server, "spk", 0);
    let heard = say(&server, &beat, "headset.monitor");
    assert_heard("speaker that became the default", heard);

    server.set_default_source("headset.monitor").unwrap();
    wait(&events, changed("pulse:headset.monitor"));
    on_source(&server, "mic", 0);
    let heard = converse(&room, &server, &beat, "headset");
    assert_heard("microphone that became the default", heard);
}

/// Unloads the module of the chosen devices in the middle, and loads it again.
fn unplug_and_plug(room: &Room, options: &PulseOptions) {
    let server = PulseServer::start_with(room.dir(), options).unwrap();
    let module = server.add_sink("usb").unwrap();
    let hardware = Hardware::new();
    let events = hardware.events();
    let sink = hardware.open_sink(&Selection::Device("pulse:usb".into())).unwrap();
    let source = hardware.open_source(&Selection::Device("pulse:usb.monitor".into())).unwrap();
    let beat = Beat::start(Some(source.source), Some(sink.sink));
    on_sink(&server, "usb", 1);
    beat.wait_live();

    server.unload_module(module).unwrap();
    // Both directions tell of it, in any order.
    let mut seen = wait(&events, |event| matches!(event, DeviceEvent::Fallback { .. }));
    seen.extend(wait(&events, |event| matches!(event, DeviceEvent::Fallback { .. })));
    for direction in [Direction::Input, Direction::Output] {
        let told = |kind: fn(&DeviceEvent) -> bool| {
            seen.iter().any(|event| event.direction() == Some(direction) && kind(event))
        };
        assert!(told(|event| matches!(event, DeviceEvent::Lost { .. })), "{direction}: {seen:?}");
        assert!(told(|event| matches!(event, DeviceEvent::Fallback { .. })), "{direction}: {seen:?}");
    }
    assert!(beat.had_fault(), "the audio thread was not told");
    on_sink(&server, "spk", 1);
    on_source(&server, "mic", 1);
    let heard = converse(room, &server, &beat, "micfeed");
    assert_heard("on the default microphone", heard);

    server.add_sink("usb").unwrap();
    for _ in 0..2 {
        wait(&events, |event| matches!(event, DeviceEvent::Recovered { .. }));
    }
    on_sink(&server, "usb", 1);
    on_sink(&server, "spk", 0);
    let heard = say(&server, &beat, "usb.monitor");
    assert_heard("back on the chosen speaker", heard);
}

#[test]
fn an_unplugged_choice_falls_back_and_is_returned_to() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    unplug_and_plug(&room, &PulseOptions::default());
}

#[test]
fn an_unplugged_choice_whose_streams_the_server_moves_is_returned_to_as_well() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    unplug_and_plug(&room, &PulseOptions { rescue_streams: true, ..PulseOptions::default() });
}

#[test]
fn a_sound_server_that_dies_and_comes_back_is_used_again() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let mut server = PulseServer::start(room.dir()).unwrap();
    let hardware = Hardware::new();
    let events = hardware.events();
    let sink = hardware.open_sink(&Selection::Default).unwrap();
    let source = hardware.open_source(&Selection::Default).unwrap();
    let beat = Beat::start(Some(source.source), Some(sink.sink));
    on_sink(&server, "spk", 1);
    beat.wait_live();
    server.kill();
    for _ in 0..2 {
        wait(&events, |event| matches!(event, DeviceEvent::Lost { .. }));
    }
    assert!(hardware.list().unwrap().is_empty());
    server.restart().unwrap();
    let restarted = Instant::now();
    for _ in 0..2 {
        wait(&events, |event| matches!(event, DeviceEvent::Recovered { .. }));
    }
    eprintln!("in use {} ms after the restart", restarted.elapsed().as_millis());
    let heard = converse(&room, &server, &beat, "micfeed");
    assert_heard("microphone after the restart", heard);
    let heard = say(&server, &beat, "spk.monitor");
    assert_heard("speaker after the restart", heard);
}

#[test]
fn a_sound_server_that_hangs_blocks_nobody_for_long_and_is_used_again() {
    let Some(room) = room!(Needs::tools(&TOOLS)) else { return };
    let server = PulseServer::start(room.dir()).unwrap();
    let hardware = Hardware::new();
    let source = hardware.open_source(&Selection::Default).unwrap();
    let beat = Beat::start(Some(source.source), None);
    beat.wait_live();
    server.freeze(true).unwrap();
    beat.wait_starved();
    let asked = Instant::now();
    assert!(hardware.list().is_err());
    assert!(asked.elapsed() < LONG);
    assert!(beat.worst_call() < Duration::from_millis(50), "{:?}", beat.worst_call());
    server.freeze(false).unwrap();
    beat.wait_live();
    let heard = converse(&room, &server, &beat, "micfeed");
    assert_heard("microphone after the hang", heard);
    assert!(!hardware.list().unwrap().is_empty());
}

#[test]
fn a_machine_without_sound_lists_nothing_and_still_opens() {
    let Some(_room) = room!(Needs::tools(&[])) else { return };
    let cards = fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    if !cards.is_empty() && !cards.contains("no soundcards") {
        eprintln!("skipped: this machine has a sound card");
        return;
    }
    let hardware = Hardware::new();
    let events = hardware.events();
    assert_eq!(hardware.list().unwrap(), []);
    let mut source = hardware.open_source(&Selection::Default).unwrap().source;
    let mut sink = hardware.open_sink(&Selection::Device("pulse:gone".into())).unwrap().sink;
    let mut frame = [1.0; 480];
    assert_eq!(source.read(&mut frame), Flow::Starved);
    assert_eq!(frame, [0.0; 480]);
    sink.write(&frame);
    for _ in 0..2 {
        wait(&events, |event| matches!(event, DeviceEvent::Missing { .. }));
    }
    let refused = hardware.open_source(&Selection::System).unwrap_err().to_string();
    assert!(refused.contains("PulseAudio or PipeWire"), "{refused}");
    assert_eq!(hardware.open_source(&Selection::Silence).unwrap().source.read(&mut frame), Flow::Live);
}
