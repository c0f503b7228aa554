//! A call goes on through trouble with devices and networks, and says what happened.

use super::phone::Phone;
use serde_json::{Value, json};
use sidetone_testkit::{Needs, PeerNet, PulseServer, Sipp, SippOptions, audio, room};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);

fn notice(phone: &mut Phone, about: &str) -> Value {
    phone.wait(&format!("a notice about {about:?}"), PATIENCE, |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains(about))
    })
}

fn levels(phone: &mut Phone, what: &str, fits: impl Fn(&Value) -> bool) {
    phone.wait(what, PATIENCE, |value| value["event"] == "CallMeasured" && fits(&value["statistics"]));
}

#[test]
fn a_call_survives_the_loss_of_its_devices_and_a_change_of_the_defaults() {
    let needs = Needs::tools(&["pulseaudio", "pactl", "paplay", "parecord"]).network();
    let Some(room) = room!(needs) else { return };
    let sound = PulseServer::start(room.dir()).unwrap();
    let speaker = sound.add_sink("desk").unwrap();
    sound.set_default_sink("desk").unwrap();
    let speech = room.dir().join("speech.wav");
    audio::speech_like(60.0, 48_000).write(&speech).unwrap();
    let _voice = sound.speak(&speech).unwrap();

    let mut phone = Phone::start(&[]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let call = phone.call("echo");
    phone.status("CallStatusEvent", "ESTABLISHED");
    let loud = |level: &Value| level["rms"].as_f64().is_some_and(|rms| rms > -45.0);
    levels(&mut phone, "our voice and its echo", |now| loud(&now["microphone"]) && loud(&now["speaker"]));

    // The speaker is unplugged: the call goes on at another one.
    sound.unload_module(speaker).unwrap();
    notice(&mut phone, "speaker");
    levels(&mut phone, "the echo after the speaker was lost", |now| loud(&now["speaker"]));

    // The default speaker and microphone change: both are followed.
    sound.add_sink("headset").unwrap();
    sound.set_default_sink("headset").unwrap();
    notice(&mut phone, "headset");
    let streams = || sound.streams_on_sink("headset").is_ok_and(|streams| streams > 0);
    sidetone_testkit::until("a stream on the new speaker", PATIENCE, || streams().then_some(())).unwrap();
    sound.set_default_source("headset.monitor").unwrap();
    notice(&mut phone, "microphone");
    let streams = || sound.streams_on_source("headset.monitor").is_ok_and(|streams| streams > 0);
    sidetone_testkit::until("a stream on the new microphone", PATIENCE, || streams().then_some(())).unwrap();

    assert_eq!(phone.statuses_of(&call).last().unwrap(), "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
}

#[test]
fn a_call_survives_five_seconds_without_the_peers_network() {
    let Some(room) = room!(Needs::tools(&["sipp"]).network()) else { return };
    let net = PeerNet::new(room.dir()).unwrap();
    let options = SippOptions { scenario: "uas.xml", echo: true, net: Some(&net), ..SippOptions::default() };
    let mut sipp = Sipp::start(room.dir(), &options).unwrap();
    let mut phone = Phone::with_account(
        "sip:alice@sip.invalid",
        &["--no-register", "--mic", "tone", "--speaker", "null"],
    );
    let call = phone.call(&format!("sip:bob@{}", sipp.address()));
    phone.status("CallStatusEvent", "ESTABLISHED");
    levels(&mut phone, "sound", |now| now["packetsReceived"].as_u64().is_some_and(|packets| packets > 20));
    net.plug(false).unwrap();
    let unplugged = std::time::Instant::now();
    notice(&mut phone, "nothing has been heard");
    // The point of the test is a loss of five seconds.
    std::thread::sleep(Duration::from_secs(5).saturating_sub(unplugged.elapsed()));
    net.plug(true).unwrap();
    notice(&mut phone, "heard again");
    assert_eq!(phone.statuses_of(&call).last().unwrap(), "ESTABLISHED");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    assert!(sipp.wait(PATIENCE).unwrap().is_clean(1));
}

/// As where another program takes the processor: the process is stopped again and again.
#[cfg(unix)]
#[test]
fn a_machine_without_time_for_the_sound_is_named_in_the_report() {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(_room) = room!(Needs::tools(&[])) else { return };
    let mut phone = Phone::start(&["--mic", "silence", "--speaker", "null"]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    phone.call("echo");
    phone.status("CallStatusEvent", "ESTABLISHED");
    let pid = Pid::from_raw(i32::try_from(phone.process()).unwrap()).unwrap();
    let kinds = |phone: &mut Phone| {
        let reply = phone.ask(json!({"command": "prepareBugReport"}));
        let verdicts = reply["reply"]["report"]["report"]["verdicts"].as_array().cloned().unwrap();
        verdicts.iter().map(|verdict| verdict["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    levels(&mut phone, "figures", |_| true);
    assert!(!kinds(&mut phone).iter().any(|kind| kind == "machineTooSlow"));
    for _ in 0..8 {
        levels(&mut phone, "figures before it is stopped", |_| true);
        kill_process(pid, Signal::STOP).unwrap();
        std::thread::sleep(Duration::from_millis(900));
        kill_process(pid, Signal::CONT).unwrap();
    }
    levels(&mut phone, "figures", |_| true);
    let found = kinds(&mut phone);
    assert!(found.iter().any(|kind| kind == "machineTooSlow"), "{found:?}");
}
