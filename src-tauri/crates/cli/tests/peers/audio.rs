//! Calls whose sound is compared with what was spoken, both ways.

use super::phone::{Phone, text};
use serde_json::json;
use sidetone_testkit::{
    Algorithm, AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Room, Transport,
    audio::{self, Wav},
    room,
};
use std::{path::PathBuf, time::Duration};

/// Speech of two voices, so that each direction can only be taken for itself.
pub(crate) struct Voices {
    pub(crate) ours: Wav,
    pub(crate) ours_path: PathBuf,
    pub(crate) theirs: Wav,
    pub(crate) theirs_path: PathBuf,
}

pub(crate) fn voices(room: &Room) -> Voices {
    let (ours_path, theirs_path) = (room.dir().join("ours.wav"), room.dir().join("theirs.wav"));
    let ours = audio::speak_into(&ours_path, 16_000).unwrap();
    let theirs = audio::speech_like(6.0, 8_000);
    theirs.write(&theirs_path).unwrap();
    Voices { ours, ours_path, theirs, theirs_path }
}

/// The least correlation of speech that went through a codec, a network and a jitter buffer.
pub(crate) const CORRELATED: f64 = 0.7;

fn call_to_baresip(room: &Room, algorithm: Algorithm, transport: Transport, codec: &str) {
    let voices = voices(room);
    let options = KamailioOptions { algorithm, ..KamailioOptions::default() };
    let proxy = Kamailio::start(room.dir(), &options).unwrap();
    // This baresip knows MD5 alone, so it registers at a registrar of its own where ours speaks only SHA-256.
    let own;
    let registrar = if algorithm == Algorithm::Md5 {
        proxy.address()
    } else {
        own = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
        own.address()
    };
    let options = BaresipOptions {
        user: "bob",
        registrar: Some(registrar),
        codecs: &[codec],
        answer: AnswerMode::Auto,
        source: Some(&voices.theirs_path),
        ..BaresipOptions::default()
    };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    let heard_path = room.dir().join("heard.wav");
    let transport = if transport == Transport::Tcp { "tcp" } else { "udp" };
    let (mic, speaker) = (format!("file:{}", text(&voices.ours_path)), format!("file:{}", text(&heard_path)));
    // The call goes through the proxy in any case, and is challenged there in its algorithm.
    let through = format!("sip:{}", proxy.address());
    let extra =
        ["--outbound-proxy", &through, "--transport", transport, "--mic", &mic, "--speaker", &speaker];
    let mut phone = Phone::with_account(&proxy.aor("alice"), &extra);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let callee = if algorithm == Algorithm::Md5 { proxy.aor("bob") } else { baresip.uri() };
    let call = phone.call(&callee);
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.wait("the end of our speech", Duration::from_secs(20), |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains("ended"))
    });
    let view = phone.wait("the codec", Duration::from_secs(5), |value| value["event"] == "CallMeasured");
    assert!(view["statistics"]["packetsReceived"].as_u64().unwrap() > 50, "{view}");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    let used = phone.seen.iter().filter_map(|value| value["call"]["codec"]["name"].as_str()).next_back();
    assert!(
        used.is_some_and(|used| codec.to_lowercase().starts_with(&used.to_lowercase())),
        "{used:?} is not {codec}"
    );
    phone.finish();
    baresip.wait_event("CALL_CLOSED", Duration::from_secs(5)).unwrap();
    let (_, at_baresip) = baresip.recordings().unwrap();
    drop(baresip);
    let there = audio::hear(&voices.ours, &at_baresip);
    let here = audio::hear(&voices.theirs, &Wav::read(&heard_path).unwrap());
    println!("{codec} {transport} {algorithm:?}: at baresip {there:?}, here {here:?}");
    assert!(there.peak > CORRELATED, "baresip heard something else: {there:?}");
    assert!(here.peak > CORRELATED, "we heard something else: {here:?}");
}

fn needs() -> Needs {
    Needs::tools(&["kamailio", "baresip"]).network()
}

#[test]
fn g711_over_udp_with_md5_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    call_to_baresip(&room, Algorithm::Md5, Transport::Udp, "pcmu");
}

#[test]
fn g711_a_law_over_tcp_with_sha_256_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    call_to_baresip(&room, Algorithm::Sha256, Transport::Tcp, "pcma");
}

#[test]
fn g722_over_tcp_with_md5_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    call_to_baresip(&room, Algorithm::Md5, Transport::Tcp, "g722/16000/1");
}

#[test]
fn opus_over_udp_with_sha_256_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    call_to_baresip(&room, Algorithm::Sha256, Transport::Udp, "opus/48000/2");
}

#[test]
fn opus_over_udp_with_md5_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    call_to_baresip(&room, Algorithm::Md5, Transport::Udp, "opus/48000/2");
}

#[test]
fn baresip_calls_us_through_the_proxy() {
    let Some(room) = room!(needs()) else { return };
    let voices = voices(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let heard_path = room.dir().join("heard.wav");
    let (mic, speaker) = (format!("file:{}", text(&voices.ours_path)), format!("file:{}", text(&heard_path)));
    let mut phone = Phone::with_account(&proxy.aor("alice"), &["--mic", &mic, "--speaker", &speaker]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let registrar = Some(proxy.address());
    let options = BaresipOptions {
        user: "bob",
        registrar,
        source: Some(&voices.theirs_path),
        ..BaresipOptions::default()
    };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    baresip.dial(&proxy.aor("alice")).unwrap();
    let incoming =
        phone.wait("OnCallEvent", Duration::from_secs(10), |value| value["event"] == "OnCallEvent");
    assert!(incoming["caller"].as_str().unwrap().contains("bob"), "{incoming}");
    phone.status("CallStatusEvent", "RING");
    phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    phone.status("CallStatusEvent", "ESTABLISHED");
    phone.wait("the end of our speech", Duration::from_secs(20), |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains("ended"))
    });
    baresip.hang_up().unwrap();
    phone.status("CallStatusEvent", "FINISH");
    phone.finish();
    let (_, at_baresip) = baresip.recordings().unwrap();
    let there = audio::hear(&voices.ours, &at_baresip);
    let here = audio::hear(&voices.theirs, &Wav::read(&heard_path).unwrap());
    assert!(there.peak > CORRELATED && here.peak > CORRELATED, "{there:?} {here:?}");
}
