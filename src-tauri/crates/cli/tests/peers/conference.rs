//! A local conference with two foreign phones: each hears the other and us, and nobody himself.

use super::phone::{Phone, text};
use serde_json::json;
use sidetone_testkit::{
    Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs,
    audio::{self, Heard, Wav, hear},
    room,
};
use std::{path::Path, time::Duration};

const SOON: Duration = Duration::from_secs(20);
/// The least correlation of speech that went through G.711, the mixer and two jitter buffers.
const CORRELATED: f64 = 0.7;
/// Other words in the same recording give less.
const UNRELATED: f64 = 0.5;

/// `words` that begin after a pause, so that each voice is alone when it speaks.
fn after(pause: f64, words: &Wav, path: &Path) {
    let mut samples = vec![0.0; (pause * f64::from(words.rate)) as usize];
    samples.extend_from_slice(&words.samples);
    Wav { rate: words.rate, samples }.write(path).unwrap();
}

/// Words of speech-like sound that no other voice has.
fn words(number: usize) -> Wav {
    let mut all = audio::speech_like(12.0, 8_000);
    all.samples.drain(..number * 3 * 8_000);
    all.samples.truncate(3 * 8_000);
    all
}

#[test]
fn merged_calls_hear_each_other_and_us_and_not_themselves_and_split_again() {
    let needs = Needs::tools(&["kamailio", "baresip"]).network().within(Duration::from_secs(120));
    let Some(room) = room!(needs) else { return };
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let file = |name: &str| room.dir().join(name);
    let (ours, bobs, carols) = (words(0), words(1), words(2));
    after(5.0, &ours, &file("ours.wav"));
    after(10.0, &bobs, &file("bobs.wav"));
    after(14.0, &carols, &file("carols.wav"));
    let (bob_says, carol_says, heard) = (file("bobs.wav"), file("carols.wav"), file("heard.wav"));
    let of = |user, source| {
        let registrar = Some(proxy.address());
        let options = BaresipOptions { user, registrar, source: Some(source), ..BaresipOptions::default() };
        Baresip::start(room.dir(), &options).unwrap()
    };
    let (mut bob, mut carol) = (of("bob", &bob_says), of("carol", &carol_says));
    let mic = format!("file:{}", text(&file("ours.wav")));
    let speaker = format!("file:{}", text(&heard));
    // This baresip's recorder does not outlive a hold, so nobody is held before they are merged.
    let extra = ["--mic", &mic, "--speaker", &speaker, "--every-call-speaks"];
    let mut phone = Phone::with_account(&proxy.aor("alice"), &extra);
    phone.status("RegistrationStatusEvent", "REGISTERED");

    let first = phone.call(&proxy.aor("bob"));
    phone.status("CallStatusEvent", "ESTABLISHED");
    let second = phone.call(&proxy.aor("carol"));
    phone.wait("carol's answer", SOON, |value| {
        value["event"] == "CallStatusEvent"
            && value["callId"] == second.as_str()
            && value["status"] == "ESTABLISHED"
    });
    let members = std::cell::Cell::new(0);
    phone.ask(json!({"command": "merge", "callIds": [first, second]}));
    phone.wait("both in the conference", SOON, |value| {
        value["event"] == "CallChanged" && {
            members.set(members.get() + u8::from(value["call"]["inConference"] == true));
            members.get() >= 2
        }
    });
    for baresip in [&bob, &carol] {
        baresip.wait_heard(18.5, Duration::from_secs(40)).unwrap();
    }
    phone.ask(json!({"command": "split", "callId": second}));
    phone.wait("carol held", SOON, |value| {
        value["event"] == "CallStatusEvent" && value["callId"] == second.as_str() && value["status"] == "HOLD"
    });
    for call in [&first, &second] {
        phone.ask(json!({"command": "hangup", "callId": call}));
    }
    for baresip in [&mut bob, &mut carol] {
        baresip.wait_event("CALL_CLOSED", SOON).unwrap();
    }
    phone.finish();

    let (at_bob, at_carol) = (bob.recordings().unwrap().1, carol.recordings().unwrap().1);
    let here = Wav::read(&heard).unwrap();
    let is_there = |what: &str, heard: Heard| assert!(heard.peak > CORRELATED, "{what}: {heard:?}");
    is_there("ours at bob", hear(&ours, &at_bob));
    is_there("carol's at bob", hear(&carols, &at_bob));
    is_there("ours at carol", hear(&ours, &at_carol));
    is_there("bob's at carol", hear(&bobs, &at_carol));
    is_there("bob's here", hear(&bobs, &here));
    is_there("carol's here", hear(&carols, &here));
    for (what, heard) in [("bob", hear(&bobs, &at_bob)), ("carol", hear(&carols, &at_carol))] {
        assert!(heard.peak < UNRELATED, "{what} hears himself: {heard:?}");
    }
}
