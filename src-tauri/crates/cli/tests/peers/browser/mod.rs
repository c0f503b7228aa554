//! Calls with JsSIP in Chromium: WebSocket, ICE, DTLS-SRTP, Opus, hold by re-INVITE and UPDATE, DTMF both ways, MESSAGE,
//! transfers with Replaces.

mod calls;
mod encrypted;
mod transfers;

use super::phone::{Phone, text};
use serde_json::Value;
use sidetone_testkit::{
    JsSip, JsSipOptions, Kamailio, KamailioOptions, Needs, Room,
    audio::{self, Wav},
};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

const SOON: Duration = Duration::from_secs(20);
/// The least correlation of speech that went through Opus, a browser's and our own jitter buffer.
const CORRELATED: f64 = 0.7;

pub(crate) fn needs() -> Needs {
    JsSip::needs(&["kamailio"]).within(Duration::from_secs(180))
}

/// A browser cannot be called on loopback alone.
fn address() -> IpAddr {
    "10.77.0.1".parse().unwrap()
}

pub(crate) fn proxy(room: &Room) -> Kamailio {
    let options = KamailioOptions { address: address(), ..KamailioOptions::default() };
    Kamailio::start(room.dir(), &options).unwrap()
}

/// An account file as a user writes it.
pub(crate) fn account(room: &Room, aor: &str, more: &str) -> PathBuf {
    let file = room.dir().join("account.toml");
    std::fs::write(&file, format!("aor = \"{aor}\"\npassword-env = \"SIDETONE_TEST_PASSWORD\"\n{more}\n"))
        .unwrap();
    file
}

pub(crate) const SECURE: &str = "mediaEncryption = \"dtls\"\nice = true\nrtcpMux = true";

struct Talk {
    ours: Wav,
    theirs: Wav,
    heard: PathBuf,
    their_file: PathBuf,
    phone: Phone,
}

/// Our phone, registered, that says its words over and over.
fn talk(room: &Room, proxy: &Kamailio, more: &str) -> Talk {
    let (our_file, their_file) = (room.dir().join("ours.wav"), room.dir().join("theirs.wav"));
    let heard = room.dir().join("heard.wav");
    let ours = audio::speak_into(&our_file, 48_000).unwrap();
    let theirs = audio::speech_like(6.0, 48_000);
    theirs.write(&their_file).unwrap();
    let file = account(room, &proxy.aor("alice"), more);
    let (mic, speaker) = (format!("loop:{}", text(&our_file)), format!("file:{}", text(&heard)));
    let mut phone = Phone::start(&["--account", &text(&file), "--mic", &mic, "--speaker", &speaker]);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    Talk { ours, theirs, heard, their_file, phone }
}

pub(crate) fn view(phone: &mut Phone, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    phone.wait(what, SOON, |value| value["event"] == "CallChanged" && fits(&value["call"]))["call"].clone()
}

pub(crate) fn id(value: &Value) -> u64 {
    value["id"].as_u64().expect("a session's number")
}

/// A browser that is registered at the proxy and answers.
fn browser(room: &Room, proxy: &Kamailio, user: &str, microphone: Option<&Path>, obeys_refer: bool) -> JsSip {
    let (uri, server) = (proxy.aor(user), proxy.websocket());
    let options =
        JsSipOptions { uri: &uri, server: &server, microphone, obeys_refer, ..JsSipOptions::default() };
    JsSip::start(room.dir(), &options).unwrap()
}
