//! Video in calls with other phones, both ways, their pictures compared by the clock in them: baresip, which decodes what it sees and
//! sends it back encoded anew, and JsSIP in Chromium, whose camera is a clock of its own.

use super::{
    browser::{SECURE, account, id, needs, proxy, view},
    phone::{Phone, text},
    streams::film::Film,
};
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, JsSip, JsSipOptions, Kamailio, Room, ShownPicture, StunServer, room, until,
};
use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const SOON: Duration = Duration::from_secs(20);
/// How long a call lasts.
const LONG: &str = "8s";
/// Half of the pictures are younger where they are seen; 60 to 70 ms are usual.
const OLD_MS: u64 = 250;
/// Of 30 a second, on a busy machine, after the first key frame.
const LEAST: usize = 60;

/// A call from a terminal, with bars before its camera and a film of what it sees.
struct Call {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    film: PathBuf,
}

impl Call {
    fn start(room: &Room, codec: &str, task: &[&str]) -> Self {
        let film = room.dir().join("seen.y4m");
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidetone-cli"))
            .args(task)
            .args(["--mic", "tone", "--speaker", "null", "--video", "--camera", "bars", "--size", "640x360"])
            .args(["--video-codec", codec, "--video-out", &format!("file:{}", text(&film))])
            .args(["--for", LONG, "--json"])
            .env("SIDETONE_TEST_PASSWORD", "secret")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, film }
    }

    /// Reads events up to one that fits.
    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let mut values = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        values.find(|value| fits(value)).unwrap_or_else(|| panic!("{what} did not come"))
    }

    /// To its end: how its video was last, while it was both ways, and what was seen.
    fn end(mut self) -> (Value, Film) {
        let mut video = Value::Null;
        for line in self.lines.by_ref().map_while(Result::ok) {
            let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
            let now = &value["call"]["video"];
            if now["sending"] == true && now["receiving"] == true {
                video = now.clone();
            }
        }
        assert!(self.child.wait().unwrap().success(), "the call went well");
        (video, Film::read(&self.film))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Its clocks are of now, and time runs forward in them.
fn assert_is_live(film: &Film, began: u64) {
    let clocks = film.clocks();
    assert!(film.pictures.len() >= LEAST, "{} pictures", film.pictures.len());
    let (read, all) = (clocks.len(), film.pictures.len());
    assert!(read * 100 >= all * 95, "{read} of {all}");
    assert!(clocks.windows(2).all(|pair| pair[0] <= pair[1]), "{clocks:?}");
    let now = now_ms();
    assert!(clocks.iter().all(|clock| (began..=now).contains(clock)), "{began} to {now}: {clocks:?}");
}

fn baresip(room: &Room, codec: &str) -> Baresip {
    let options = BaresipOptions { video: Some(codec), record: false, ..BaresipOptions::default() };
    Baresip::start(room.dir(), &options).unwrap()
}

const ALICE: [&str; 4] = ["--aor", "sip:alice@127.0.0.1", "--no-register", "--sip-port"];

/// We call baresip, which shows us what it sees.
fn we_call_baresip(room: &Room, ours: &str, theirs: &str) {
    let baresip = baresip(room, theirs);
    let began = now_ms();
    let uri = baresip.uri();
    let call = Call::start(room, ours, &["call", &uri, "--aor", "sip:alice@127.0.0.1", "--no-register"]);
    let (video, film) = call.end();
    assert_eq!(video["codec"], ours, "{}", baresip.log());
    assert_is_live(&film, began);
    film.assert_is_of_bars(LEAST);
}

/// Baresip calls us.
fn baresip_calls_us(room: &Room, ours: &str, theirs: &str) {
    let mut baresip = baresip(room, theirs);
    let began = now_ms();
    let port = sidetone_testkit::free_port("127.0.0.1".parse().unwrap()).unwrap().to_string();
    let mut call = Call::start(room, ours, &[&["answer"][..], &ALICE, &[port.as_str()]].concat());
    call.wait("its session", |value| value["event"] == "SessionChanged");
    baresip.dial(&format!("sip:alice@127.0.0.1:{port}")).unwrap();
    let (video, film) = call.end();
    assert_eq!(video["codec"], ours, "{}", baresip.log());
    assert_is_live(&film, began);
    film.assert_is_of_bars(LEAST);
}

#[test]
fn baresip_is_called_with_vp8_and_sends_back_what_it_sees() {
    let Some(room) = room!(Baresip::needs_for("vp8").network()) else { return };
    we_call_baresip(&room, "VP8", "vp8");
}

#[test]
fn baresip_is_called_with_h264_and_sends_back_what_it_sees() {
    let Some(room) = room!(Baresip::needs_for("h264").network()) else { return };
    we_call_baresip(&room, "H264", "h264");
}

#[test]
fn baresip_calls_with_vp8_and_sends_back_what_it_sees() {
    let Some(room) = room!(Baresip::needs_for("vp8").network()) else { return };
    baresip_calls_us(&room, "VP8", "vp8");
}

#[test]
fn baresip_calls_with_h264_and_sends_back_what_it_sees() {
    let Some(room) = room!(Baresip::needs_for("h264").network()) else { return };
    baresip_calls_us(&room, "H264", "h264");
}

fn browser(room: &Room, proxy: &Kamailio, video: bool) -> JsSip {
    let (uri, server) = (proxy.aor("bob"), proxy.websocket());
    let options = JsSipOptions { uri: &uri, server: &server, video, ..JsSipOptions::default() };
    JsSip::start(room.dir(), &options).unwrap()
}

/// The browser shows our bars, whole and soon.
fn assert_is_seen(bob: &JsSip, session: u64, began: u64) {
    let seen = bob.seen(session, 0);
    let read = |picture: &ShownPicture| picture.clock.map(|clock| (picture.looked, clock));
    let clocks: Vec<_> = seen.iter().filter_map(read).collect();
    assert!(seen.len() >= LEAST, "{} pictures", seen.len());
    assert!(clocks.len() * 100 >= seen.len() * 95, "{} of {}", clocks.len(), seen.len());
    assert!(clocks.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{clocks:?}");
    // One clock for all processes: nothing is seen before it was drawn.
    assert!(clocks.iter().all(|(at, clock)| (began..=*at).contains(clock)), "{began}: {clocks:?}");
    let mut ages: Vec<u64> = clocks.iter().map(|(at, clock)| at - clock).collect();
    ages.sort_unstable();
    let (median, worst) = (ages[ages.len() / 2], ages[ages.len() * 95 / 100]);
    eprintln!("{} pictures, {median} ms old, 95 of 100 at most {worst} ms", ages.len());
    assert!(median < OLD_MS, "{median} ms old");
    let last = seen.last().unwrap();
    assert_eq!((last.width, last.height), (640, 360));
}

#[test]
fn a_browser_is_called_with_vp8_over_ice_and_dtls_and_both_see_each_other() {
    let Some(room) = room!(needs().alone()) else { return };
    let proxy = proxy(&room);
    let bob = browser(&room, &proxy, true);
    let file = text(&account(&room, &proxy.aor("alice"), SECURE));
    let began = now_ms();
    let call = Call::start(&room, "VP8", &["call", &proxy.aor("bob"), "--account", &file]);
    let session = id(&bob.wait("confirmed", SOON).unwrap());
    let (video, film) = call.end();
    assert_eq!(video["codec"], "VP8");
    assert_is_live(&film, began);
    assert_is_seen(&bob, session, began);
}

#[test]
fn a_browser_calls_with_h264_over_ice_and_dtls_and_both_see_each_other() {
    let Some(room) = room!(needs().alone()) else { return };
    let proxy = proxy(&room);
    let bob = browser(&room, &proxy, true);
    let file = text(&account(&room, &proxy.aor("alice"), SECURE));
    let began = now_ms();
    let mut call = Call::start(&room, "H264", &["answer", "--account", &file]);
    call.wait("its registration", |value| value["status"] == "REGISTERED");
    let session = bob.dial(&proxy.aor("alice"));
    let (video, film) = call.end();
    assert_eq!(video["codec"], "H264");
    assert_is_live(&film, began);
    assert_is_seen(&bob, session, began);
}

/// Alice at a phone that stays open, with bars before its camera.
fn with_bars(account: &str) -> Phone {
    let mut alice = Phone::start(&["--account", account, "--mic", "tone", "--speaker", "null"]);
    alice.status("RegistrationStatusEvent", "REGISTERED");
    let snapshot = alice.ask(json!({"command": "getSnapshot"}));
    let mut settings = snapshot["reply"]["snapshot"]["settings"]["video"].clone();
    (settings["camera"], settings["width"], settings["height"]) = (json!("bars"), json!(640), json!(360));
    let reply = alice.ask(json!({"command": "changeSettings", "video": settings}));
    assert!(reply["failure"].is_null(), "{reply}");
    alice
}

/// The browser shows what alice's camera sees from now on.
fn sees_bars(bob: &JsSip, session: u64, what: &str) {
    let (before, began) = (bob.seen(session, 0).len(), now_ms());
    let fresh = |picture: &&ShownPicture| picture.clock >= Some(began);
    until("our bars in the browser", SOON, || {
        (bob.seen(session, before).iter().filter(fresh).count() > 30).then_some(())
    })
    .unwrap_or_else(|error| panic!("{what}: {error}"));
}

/// Drops the video of a call and adds it again: at once, and when both ends have forgotten it.
fn is_dropped_and_added_again(alice: &mut Phone, call: &Value, bob: &JsSip, session: u64) {
    for soon in [true, false] {
        alice.ask(json!({"command": "setCallVideo", "callId": call, "on": false}));
        let is_over = |video: &Value| video.is_null() || (soon && video["sending"] == false);
        view(alice, "no picture", |call| is_over(&call["video"]));
        alice.ask(json!({"command": "setCallVideo", "callId": call, "on": true}));
        view(alice, "our picture", |call| call["video"]["sending"] == true);
        sees_bars(bob, session, if soon { "added again at once" } else { "added again later" });
    }
}

#[test]
fn video_is_added_to_a_call_with_a_browser_and_dropped_again() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let bob = browser(&room, &proxy, false);
    let mut alice = with_bars(&text(&account(&room, &proxy.aor("alice"), SECURE)));
    let call = json!(alice.call(&proxy.aor("bob")));
    alice.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    let session = id(&bob.wait("confirmed", SOON).unwrap());
    alice.ask(json!({"command": "setCallVideo", "callId": call, "on": true}));
    view(&mut alice, "our picture", |call| call["video"]["sending"] == true);
    sees_bars(&bob, session, "added");
    is_dropped_and_added_again(&mut alice, &call, &bob, session);
    alice.ask(json!({"command": "hangup", "callId": call}));
    alice.status("CallStatusEvent", "FINISH");
    alice.finish();
}

/// What the browser offers is bundled, and has names of its own.
#[test]
fn video_of_a_call_that_a_browser_placed_is_dropped_and_added_again() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let bob = browser(&room, &proxy, true);
    let mut alice = with_bars(&text(&account(&room, &proxy.aor("alice"), SECURE)));
    let session = bob.dial(&proxy.aor("alice"));
    let call = alice.wait("a call", SOON, |value| value["event"] == "OnCallEvent")["callId"].clone();
    alice.ask(json!({"command": "answer", "callId": call, "video": true}));
    alice.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    view(&mut alice, "both pictures", |call| {
        call["video"]["sending"] == true && call["video"]["receiving"] == true
    });
    sees_bars(&bob, session, "from the beginning");
    is_dropped_and_added_again(&mut alice, &call, &bob, session);
    alice.ask(json!({"command": "hangup", "callId": call}));
    alice.status("CallStatusEvent", "FINISH");
    alice.finish();
}

#[test]
fn video_that_is_added_names_the_address_that_a_stun_server_sees() {
    let Some(room) = room!(needs()) else { return };
    let proxy = proxy(&room);
    let server = StunServer::start(proxy.address().ip(), Ipv4Addr::new(203, 0, 113, 7)).unwrap();
    let bob = browser(&room, &proxy, false);
    let more = format!("{SECURE}\nstun = \"{}\"", server.address());
    let mut alice = with_bars(&text(&account(&room, &proxy.aor("alice"), &more)));
    let call = json!(alice.call(&proxy.aor("bob")));
    alice.status_within("CallStatusEvent", "ESTABLISHED", SOON);
    let session = id(&bob.wait("confirmed", SOON).unwrap());
    alice.ask(json!({"command": "setCallVideo", "callId": call, "on": true}));
    let offered = |event: &Value| event["name"] == "sdp" && event["originator"] == "remote";
    let offer = bob.wait_for("the offer of video", SOON, offered).unwrap();
    let (_, line) = offer["sdp"].as_str().unwrap().split_once("m=video").expect("a line of video");
    assert!(line.contains(" 203.0.113.7 ") && line.contains(" typ srflx raddr "), "{line}");
    sees_bars(&bob, session, "added");
    alice.ask(json!({"command": "hangup", "callId": call}));
    alice.status("CallStatusEvent", "FINISH");
    alice.finish();
}
