//! Keys as tones in the sound, for far ends that know neither telephone events nor INFO.

use super::phone::Phone;
use serde_json::json;
use sidetone_testkit::{Baresip, BaresipOptions, Needs, audio::Wav, room};
use std::{f32::consts::TAU, time::Duration};

const RATE: u32 = 8_000;
/// ITU-T Q.23.
const FIVE: [f32; 2] = [770.0, 1336.0];
const HASH: [f32; 2] = [941.0, 1477.0];

/// Silence of two seconds, then each key for 100 ms with 100 ms after it.
fn keys(keys: &[[f32; 2]]) -> Wav {
    let mut samples = vec![0.0; 2 * RATE as usize];
    for key in keys {
        let at = |n: u32| n as f32 / RATE as f32;
        samples
            .extend((0..RATE / 10).map(|n| key.iter().map(|hz| 0.2 * (TAU * hz * at(n)).sin()).sum::<f32>()));
        samples.extend(vec![0.0; RATE as usize / 10]);
    }
    Wav { rate: RATE, samples }
}

/// The loudest that a frequency is in 50 ms of the sound (Goertzel), full scale is 1.
fn loudest(sound: &Wav, hz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hz / sound.rate as f32).cos();
    let power = |window: &[f32]| {
        let (a, b) = window.iter().fold((0.0, 0.0), |(a, b), sample| (sample + coefficient * a - b, a));
        (a * a + b * b - coefficient * a * b).max(0.0).sqrt() * 2.0 / window.len() as f32
    };
    sound.samples.chunks_exact(sound.rate as usize / 20).map(power).fold(0.0, f32::max)
}

#[test]
fn keys_are_heard_as_tones_in_both_directions() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let file = room.dir().join("keys.wav");
    keys(&[FIVE, HASH]).write(&file).unwrap();
    let options = BaresipOptions { user: "bob", source: Some(&file), ..BaresipOptions::default() };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    let account = room.dir().join("alice.toml");
    std::fs::write(&account, "aor = \"sip:alice@127.0.0.1\"\nregister = false\ndtmf = \"inBand\"\n").unwrap();
    let account = account.display().to_string();
    let mut phone = Phone::start(&["--account", &account, "--mic", "silence", "--speaker", "null"]);
    let call = phone.call(&baresip.uri());
    phone.status("CallStatusEvent", "ESTABLISHED");
    for key in ["5", "#"] {
        let heard = phone.wait(key, Duration::from_secs(10), |value| value["event"] == "DtmfReceived");
        assert_eq!(heard["digit"], key);
    }
    phone.ask(json!({"command": "sendDtmf", "callId": call, "dtmf": "5"}));
    baresip.wait_heard(5.0, Duration::from_secs(20)).unwrap();
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
    baresip.wait_event("CALL_CLOSED", Duration::from_secs(10)).unwrap();
    let there = baresip.recordings().unwrap().1;
    for hz in FIVE {
        assert!(loudest(&there, hz) > 0.05, "{hz} Hz: {}", loudest(&there, hz));
    }
    assert!(loudest(&there, HASH[1]) < 0.02, "a key that nobody pressed");
}
