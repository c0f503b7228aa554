//! A call outlives trouble with the network, the proxy and this machine; one whose far end is gone ends by itself.

use super::phone::{Phone, SOON};
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, PeerNet, Room, audio, room, skip, until,
};
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(15);
/// How long a call may be without sound, once it could go on.
const SOUND_AGAIN: Duration = Duration::from_secs(3);

/// A minute of speech for baresip.
fn speech(room: &Room) -> PathBuf {
    let path = room.dir().join("theirs.wav");
    audio::speech_like(60.0, 8_000).write(&path).unwrap();
    path
}

fn received(value: &Value) -> Option<u64> {
    (value["event"] == "CallMeasured").then(|| value["statistics"]["packetsReceived"].as_u64())?
}

/// Waits for half a second of packets beyond those that have come, and for sound of theirs in the speaker.
fn hears(phone: &mut Phone, patience: Duration) {
    let so_far = phone.seen.iter().rev().find_map(received).unwrap_or(0);
    phone.wait("packets", patience, |value| received(value).is_some_and(|packets| packets > so_far + 25));
    phone.wait("sound", patience, |value| {
        value["statistics"]["speaker"]["rms"].as_f64().is_some_and(|rms| rms > -50.0)
    });
}

fn assert_one_call_up(phone: &Phone, call: &str) {
    assert_eq!(phone.statuses_of(call).last().unwrap(), "ESTABLISHED");
    assert!(
        !phone.statuses_of(call).iter().any(|status| status == "FINISH" || status == "FAILED"),
        "{:?}",
        phone.statuses_of(call)
    );
}

fn hang_up(phone: &mut Phone, call: &str, bob: &mut Baresip) {
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
}

/// Alice at a proxy over TCP, in a call with baresip there.
struct AtProxy {
    room: Room,
    proxy: Kamailio,
    bob: Baresip,
    phone: Phone,
    call: String,
}

impl AtProxy {
    fn call(room: Room) -> Self {
        let source = speech(&room);
        let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
        let options = BaresipOptions {
            registrar: Some(proxy.address()),
            source: Some(&source),
            ..BaresipOptions::default()
        };
        let bob = Baresip::start(room.dir(), &options).unwrap();
        let extra = ["--transport", "tcp", "--mic", "tone", "--speaker", "null"];
        let mut phone = Phone::with_account(&proxy.aor("alice"), &extra);
        phone.status("RegistrationStatusEvent", "REGISTERED");
        let call = phone.call("bob");
        phone.status("CallStatusEvent", "ESTABLISHED");
        hears(&mut phone, SOON);
        bob.wait_heard(1.0, SOON).unwrap();
        Self { room, proxy, bob, phone, call }
    }

    /// Hold and resume are agreed with the far end.
    fn holds(&mut self) {
        self.phone.ask(json!({"command": "hold", "callId": self.call}));
        self.phone.status("CallStatusEvent", "HOLD");
        self.phone.ask(json!({"command": "unhold", "callId": self.call}));
        self.phone.status("CallStatusEvent", "ESTABLISHED");
        hears(&mut self.phone, SOON);
    }

    /// Hangs up, which reaches the far end, and is called by it through the proxy.
    fn ends_and_is_reached(mut self) {
        hang_up(&mut self.phone, &self.call, &mut self.bob);
        self.bob.dial(&self.proxy.aor("alice")).unwrap();
        let incoming = self.phone.wait("a call to us", SOON, |value| value["event"] == "OnCallEvent");
        self.phone.ask(json!({"command": "hangup", "callId": incoming["callId"]}));
        self.phone.finish();
    }
}

#[test]
fn a_call_follows_this_machine_to_another_address() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let source = speech(&room);
    let net = PeerNet::new(room.dir()).unwrap();
    let options = BaresipOptions { net: Some(&net), source: Some(&source), ..BaresipOptions::default() };
    let bob = Baresip::start(room.dir(), &options).unwrap();
    let extra = ["--no-register", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@sip.invalid", &extra);
    let call = phone.call(&bob.uri());
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone, SOON);
    bob.wait_heard(1.0, SOON).unwrap();

    let moved = net.move_us().unwrap();
    let since = Instant::now();
    let told = phone.wait("a notice of the move", PATIENCE, |value| {
        value["event"] == "Notice" && value["info"].as_str().is_some_and(|info| info.contains("has changed"))
    });
    assert!(told["info"].as_str().unwrap().contains(&moved.to_string()), "{told}");
    phone.wait("the end of the trouble", PATIENCE, |value| {
        value["event"] == "Notice" && value["info"] == "the far end is there again"
    });
    hears(&mut phone, PATIENCE);
    println!("moved after {:?}", since.elapsed());
    assert!(since.elapsed() < SOUND_AGAIN, "the move took {:?}", since.elapsed());
    assert_one_call_up(&phone, &call);
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    // What it tells us came over a connection from the old address.
    until("the end at baresip", SOON, || bob.log().contains("session closed").then_some(())).unwrap();
}

fn moves_with_its_account(room: &Room, transport: &str) {
    let source = speech(room);
    let net = PeerNet::new(room.dir()).unwrap();
    let options = KamailioOptions { net: Some(&net), ..KamailioOptions::default() };
    let proxy = Kamailio::start(room.dir(), &options).unwrap();
    let options = BaresipOptions {
        registrar: Some(proxy.address()),
        net: Some(&net),
        source: Some(&source),
        ..BaresipOptions::default()
    };
    let bob = Baresip::start(room.dir(), &options).unwrap();
    let extra = ["--transport", transport, "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account(&proxy.aor("alice"), &extra);
    phone.status("RegistrationStatusEvent", "REGISTERED");
    let call = phone.call("bob");
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone, SOON);

    net.move_us().unwrap();
    let since = Instant::now();
    phone.wait("the end of the trouble", PATIENCE, |value| {
        value["event"] == "Notice" && value["info"] == "the far end is there again"
    });
    hears(&mut phone, PATIENCE);
    println!("moved over {transport} after {:?}", since.elapsed());
    assert!(since.elapsed() < SOUND_AGAIN, "the move took {:?}", since.elapsed());
    phone.ask(json!({"command": "hold", "callId": call}));
    phone.status("CallStatusEvent", "HOLD");
    phone.ask(json!({"command": "hangup", "callId": call}));
    phone.status("CallStatusEvent", "FINISH");
    until("the end at baresip", SOON, || bob.log().contains("session closed").then_some(())).unwrap();

    // The registrar knows where we are now.
    let mut carol = Phone::with_account(&proxy.aor("carol"), &["--no-register"]);
    carol.call("alice");
    let incoming = phone.wait("a call to us", SOON, |value| value["event"] == "OnCallEvent");
    phone.ask(json!({"command": "hangup", "callId": incoming["callId"]}));
    phone.finish();
}

#[test]
fn a_call_and_its_account_follow_this_machine_to_another_address_over_udp() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    moves_with_its_account(&room, "udp");
}

#[test]
fn a_call_and_its_account_follow_this_machine_to_another_address_over_tcp() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    moves_with_its_account(&room, "tcp");
}

#[test]
fn a_call_and_its_account_outlive_a_restart_of_the_proxy() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    let mut at = AtProxy::call(room);
    let port = Some(at.proxy.address().port());
    at.proxy.kill();
    at.phone.status("RegistrationStatusEvent", "UNREGISTERED");
    hears(&mut at.phone, SOUND_AGAIN);
    at.proxy =
        Kamailio::start(at.room.dir(), &KamailioOptions { port, ..KamailioOptions::default() }).unwrap();
    let since = Instant::now();
    at.phone.status_within("RegistrationStatusEvent", "REGISTERED", Duration::from_secs(60));
    println!("registered {:?} after the proxy was back", since.elapsed());
    hears(&mut at.phone, SOUND_AGAIN);
    assert_one_call_up(&at.phone, &at.call);
    at.holds();
    at.ends_and_is_reached();
}

#[test]
fn a_call_goes_on_by_a_new_connection_when_the_old_one_is_lost() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip", "ss"]).network()) else { return };
    let mut at = AtProxy::call(room);
    let port = at.proxy.address().port().to_string();
    let connections = || {
        let output = Command::new("ss").args(["-Htn", "dport", "=", &port]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = connections();
    assert_eq!(before.lines().count(), 1, "{before}");
    let killed = Command::new("ss").args(["-K", "-Htn", "dport", "=", &port]).output().unwrap();
    if connections() == before {
        skip(&format!("the kernel ends no connections for others: {killed:?}"));
        return;
    }
    let since = Instant::now();
    at.holds();
    println!("held and resumed {:?} after the connection was lost", since.elapsed());
    let after = connections();
    assert!(!after.is_empty() && after != before, "{before} {after}");
    assert_eq!(at.phone.statuses_of(&at.call), ["TRYING", "RING", "ESTABLISHED", "HOLD", "ESTABLISHED"]);
    at.ends_and_is_reached();
}

/// The far end is killed in a call, without a BYE; another one may take its place. Gives the last status, and when it came.
fn lose_far_end(room: &Room, comes_back: bool, patience: Duration) -> (Value, Duration) {
    let source = speech(room);
    let options = BaresipOptions { source: Some(&source), ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let extra = ["--no-register", "--mic", "tone", "--speaker", "null"];
    let mut phone = Phone::with_account("sip:alice@127.0.0.1", &extra);
    phone.call(&bob.uri());
    phone.status("CallStatusEvent", "ESTABLISHED");
    hears(&mut phone, SOON);
    let port = Some(bob.address().port());
    bob.kill();
    let since = Instant::now();
    let told = phone.wait("the silence in words", PATIENCE, |value| {
        value["call"]["problem"]["kind"] == "nothingReceived"
    });
    println!("told of the silence after {:?}: {}", since.elapsed(), told["call"]["problem"]["info"]);
    assert!(since.elapsed() < Duration::from_secs(5), "told only after {:?}", since.elapsed());
    let _other =
        comes_back.then(|| Baresip::start(room.dir(), &BaresipOptions { port, ..options.clone() }).unwrap());
    let end = phone.wait("the end of the call", patience, |value| {
        value["event"] == "CallStatusEvent" && (value["status"] == "FINISH" || value["status"] == "FAILED")
    });
    let took = since.elapsed();
    println!("ended after {took:?}: {end}");
    let seen = phone.finish();
    let ends = seen.iter().filter(|value| {
        value["event"] == "CallStatusEvent" && (value["status"] == "FINISH" || value["status"] == "FAILED")
    });
    assert_eq!(ends.count(), 1);
    (end, took)
}

#[test]
fn a_call_whose_far_end_knows_it_no_more_ends_by_itself() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let (end, took) = lose_far_end(&room, true, Duration::from_secs(30));
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(end["info"].as_str().is_some_and(|info| info.contains("481")), "{end}");
}

#[test]
fn a_call_whose_far_end_is_gone_without_a_bye_ends_by_itself() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network()) else { return };
    let (end, _) = lose_far_end(&room, false, Duration::from_secs(60));
    assert!(end["info"].as_str().is_some_and(|info| !info.is_empty()), "{end}");
}

#[test]
fn a_call_and_its_account_outlive_a_sleep() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    let mut at = AtProxy::call(room);
    let signal = |name: &str| {
        let status = Command::new("kill").args([name, &at.phone.process().to_string()]).status().unwrap();
        assert!(status.success());
    };
    signal("-STOP");
    // The point of the test is a sleep of eight seconds.
    std::thread::sleep(Duration::from_secs(8));
    signal("-CONT");
    let since = Instant::now();
    hears(&mut at.phone, SOUND_AGAIN);
    println!("heard {:?} after the sleep", since.elapsed());
    assert!(since.elapsed() < SOUND_AGAIN, "{:?}", since.elapsed());
    at.holds();
    assert_one_call_up(&at.phone, &at.call);
    let registered =
        at.phone.seen.iter().rev().find(|value| value["event"] == "RegistrationStatusEvent").unwrap();
    assert_eq!(registered["status"], "REGISTERED");
    at.ends_and_is_reached();
}
