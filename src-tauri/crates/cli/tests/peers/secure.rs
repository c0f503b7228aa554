//! Encrypted calls and ICE with baresip, in both directions, the sound compared both ways.

use super::audio::{CORRELATED, Voices, voices};
use super::phone::{Phone, text};
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipEncryption, BaresipOptions, Kamailio, KamailioOptions, Needs, Room,
    audio::{self, Wav},
    room, until,
};
use std::{fs, path::PathBuf, time::Duration};

/// A busy machine takes its time for a handshake.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    We,
    Baresip,
}

struct Case<'a> {
    caller: Caller,
    /// Lines of our account.
    account: &'a str,
    encryption: BaresipEncryption,
    ice: bool,
    rtcp_mux: bool,
    /// What the call's view must say.
    expected: (&'a str, Option<&'a str>),
}

fn call(room: &Room, case: &Case<'_>) {
    let Voices { ours, ours_path, theirs, .. } = voices(room);
    // It has begun before keys and path are found, and says it again.
    let theirs_path = repeated(room, &theirs, 6);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let heard_path = room.dir().join("heard.wav");
    let speaker = format!("file:{}", text(&heard_path));
    let file = room.dir().join("account.toml");
    let account = format!(
        "aor = \"{}\"\npassword-env = \"SIDETONE_TEST_PASSWORD\"\n{}\n",
        proxy.aor("alice"),
        case.account
    );
    fs::write(&file, account).unwrap();
    let mut phone = Phone::start(&["--account", &text(&file), "--mic", "silence", "--speaker", &speaker]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let options = BaresipOptions {
        user: "bob",
        registrar: Some(proxy.address()),
        source: Some(&theirs_path),
        encryption: case.encryption,
        ice: case.ice,
        rtcp_mux: case.rtcp_mux,
        ..BaresipOptions::default()
    };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    if case.caller == Caller::We {
        phone.call(&proxy.aor("bob"));
    } else {
        baresip.dial(&proxy.aor("alice")).unwrap();
        let incoming = phone.wait("a call", Duration::from_secs(20), |value| value["event"] == "OnCallEvent");
        phone.status("CallStatusEvent", "RING");
        phone.ask(json!({"command": "answer", "callId": incoming["callId"]}));
    }
    phone.status("CallStatusEvent", "ESTABLISHED");
    is_protected(&mut phone, case.expected);
    // Only now does it begin to speak: the far end has all that it needs to understand us.
    phone.ask(json!({"command": "selectDevices", "microphone": format!("file:{}", text(&ours_path))}));
    phone.wait("the end of our speech", Duration::from_secs(30), |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains("ended"))
    });
    let here = until("baresip's words here", Duration::from_secs(20), || {
        Some(audio::hear(&theirs, &Wav::read(&heard_path).ok()?)).filter(|here| here.peak > CORRELATED)
    })
    .unwrap();
    baresip.hang_up().unwrap();
    phone.status("CallStatusEvent", "FINISH");
    let shown = |value: &Value| {
        let call = &value["call"];
        (call["status"] == "ESTABLISHED").then(|| (call["encryption"].clone(), call["suite"].clone()))
    };
    let found = phone.seen.iter().filter_map(shown).next_back();
    phone.finish();
    let (_, at_baresip) = baresip.recordings().unwrap();
    let log = baresip.log();
    drop(baresip);
    assert_eq!(found, Some((json!(case.expected.0), json!(case.expected.1))), "{log}");
    let there = audio::hear(&ours, &at_baresip);
    println!("{:?} {:?}: at baresip {there:?}, here {here:?}", case.caller, case.encryption);
    assert!(there.peak > CORRELATED, "baresip heard something else: {there:?}\n{log}");
}

/// Waits until the view says so, and until media comes, which proves that both sides have their keys and their path.
fn is_protected(phone: &mut Phone, (encryption, suite): (&str, Option<&str>)) {
    let fits = |value: &Value| {
        let call = &value["call"];
        call["encryption"] == encryption && call["suite"].as_str() == suite
    };
    if !phone.seen.iter().any(fits) {
        phone.wait("encryption and suite", PATIENCE, fits);
    }
    phone.wait("media", PATIENCE, |value| {
        value["event"] == "CallMeasured"
            && value["statistics"]["packetsReceived"].as_u64().is_some_and(|packets| packets > 20)
    });
}

/// The words so many times, each time after a second of silence.
fn repeated(room: &Room, words: &Wav, times: usize) -> PathBuf {
    let pause = vec![0.0; words.rate as usize];
    let once = [&pause[..], &words.samples].concat();
    let path = room.dir().join("theirs-again.wav");
    Wav { rate: words.rate, samples: once.repeat(times) }.write(&path).unwrap();
    path
}

fn needs() -> Needs {
    Needs::tools(&["kamailio", "baresip"]).network()
}

const PLAIN: Case<'_> = Case {
    caller: Caller::We,
    account: "",
    encryption: BaresipEncryption::None,
    ice: false,
    rtcp_mux: false,
    expected: ("loopback", None),
};
const SDES: Case<'_> = Case {
    account: "mediaEncryption = \"sdes\"\nsdesOverPlain = true",
    encryption: BaresipEncryption::Sdes,
    ..PLAIN
};
const DTLS: Case<'_> =
    Case { account: "mediaEncryption = \"dtls\"", encryption: BaresipEncryption::Dtls, ..PLAIN };

#[test]
fn sdes_is_heard_both_ways_when_we_call() {
    let Some(room) = room!(needs()) else { return };
    call(&room, &Case { expected: ("sdes", Some("AEAD_AES_256_GCM")), ..SDES });
}

#[test]
fn sdes_is_heard_both_ways_when_baresip_calls() {
    let Some(room) = room!(needs()) else { return };
    let expected = ("sdes", Some("AES_CM_128_HMAC_SHA1_80"));
    call(&room, &Case { caller: Caller::Baresip, account: "sdesOverPlain = true", expected, ..SDES });
}

#[test]
fn dtls_is_heard_both_ways_when_we_call() {
    let Some(room) = room!(needs()) else { return };
    call(&room, &Case { expected: ("dtls", Some("AES_CM_128_HMAC_SHA1_80")), ..DTLS });
}

#[test]
fn dtls_is_heard_both_ways_when_baresip_calls() {
    let Some(room) = room!(needs()) else { return };
    let expected = ("dtls", Some("AES_CM_128_HMAC_SHA1_80"));
    call(&room, &Case { caller: Caller::Baresip, account: "", expected, ..DTLS });
}

#[test]
fn ice_is_heard_both_ways_when_we_call() {
    let Some(room) = room!(needs()) else { return };
    call(&room, &Case { account: "ice = true", ice: true, expected: ("none", None), ..PLAIN });
}

#[test]
fn ice_is_heard_both_ways_when_baresip_calls() {
    let Some(room) = room!(needs()) else { return };
    call(&room, &Case { caller: Caller::Baresip, ice: true, ..PLAIN });
}

#[test]
fn ice_with_dtls_and_a_shared_port_is_heard_both_ways() {
    let Some(room) = room!(needs()) else { return };
    let account = "mediaEncryption = \"dtls\"\nice = true";
    let expected = ("dtls", Some("AES_CM_128_HMAC_SHA1_80"));
    call(&room, &Case { account, ice: true, rtcp_mux: true, expected, ..DTLS });
}

#[test]
fn a_strict_sdes_call_over_udp_is_refused_in_words_unless_allowed() {
    let Some(room) = room!(needs()) else { return };
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let mut phone = Phone::with_account(&proxy.aor("alice"), &[]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let options = BaresipOptions {
        user: "bob",
        registrar: Some(proxy.address()),
        encryption: BaresipEncryption::Sdes,
        ..BaresipOptions::default()
    };
    let mut baresip = Baresip::start(room.dir(), &options).unwrap();
    baresip.dial(&proxy.aor("alice")).unwrap();
    let closed = baresip.wait_event("CALL_CLOSED", Duration::from_secs(10)).unwrap();
    assert!(format!("{closed:?}").contains("488"), "{closed:?}");
    phone.wait("why", Duration::from_secs(5), |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains("a=crypto"))
    });
    phone.finish();
}
