//! What pages and phones hear and see of each other: speech compared with what was said, pictures by the clocks in them.

use super::{Program, Rig, SILENT, SOON, WebSdk, needs};
use crate::audio::{CORRELATED, Voices, voices};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Room, ShownPicture, audio::hear,
    room, until,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Of about 30 a second.
const LEAST: usize = 60;
/// How much is listened to after a hold, seconds.
const AGAIN: f64 = 7.0;
const LONG: Duration = Duration::from_secs(40);

/// A gateway, and a page that says something and shows a clock.
fn performing(room: &Room, voices: &Voices) -> Rig {
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let url = line["http"].as_str().unwrap().replace("http:", "ws:");
    let page = WebSdk::start_performing(room.dir(), "page", &voices.ours_path).unwrap();
    Rig { gateway, url, page }
}

/// The page hears what the far end says.
fn hears(rig: &Rig, call: u64, voices: &Voices, what: &str) {
    rig.page.run("attend", &[json!(call)]);
    until(what, LONG, || (hear(&voices.theirs, &rig.page.heard(call).ok()?).peak > CORRELATED).then_some(()))
        .unwrap_or_else(|error| {
            panic!("{error}: {:?}", rig.page.heard(call).map(|heard| hear(&voices.theirs, &heard)))
        });
}

/// The phone has heard what the page says.
fn was_heard(bob: &Baresip, voices: &Voices, what: &str) {
    let (_, heard) = bob.recordings().unwrap();
    let heard = hear(&voices.ours, &heard);
    assert!(heard.peak > CORRELATED, "{what}: {heard:?}");
}

fn account() -> Value {
    json!({ "sipOptions": { "login": "alice", "domain": "127.0.0.1", "registerRequired": false } })
}

fn talker(room: &Room, voices: &Voices, codec: &'static str) -> Baresip {
    let options =
        BaresipOptions { codecs: &[codec], source: Some(&voices.theirs_path), ..BaresipOptions::default() };
    Baresip::start(room.dir(), &options).unwrap()
}

/// Passed on as it is where both speak Opus, transcoded where not.
fn a_call_out_is_understood(room: &Room, codec: &'static str) {
    let voices = voices(room);
    let rig = performing(room, &voices);
    let session = rig.session_with(account());
    let mut bob = talker(room, &voices, codec);
    let call = super::calls::dial_with(&rig, session, &bob.uri(), json!({}));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    hears(&rig, call, &voices, "their words in the page");
    bob.wait_heard(13.0, LONG).unwrap();
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    was_heard(&bob, &voices, codec);
    rig.end();
}

#[test]
fn a_call_out_is_understood_transcoded() {
    let Some(room) = room!(needs().and(&["baresip"])) else { return };
    a_call_out_is_understood(&room, "pcmu");
}

#[test]
fn a_call_out_is_understood_passed_on() {
    let Some(room) = room!(needs().and(&["baresip"])) else { return };
    a_call_out_is_understood(&room, "opus");
}

#[test]
fn a_call_in_is_understood_and_after_a_hold_again() {
    let Some(room) = room!(needs().and(&["baresip", "kamailio"])) else { return };
    let voices = voices(&room);
    let rig = performing(&room, &voices);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let session = super::calls::registered(&rig, &proxy);
    let mut bob = talker(&room, &voices, "pcma");
    bob.dial(&proxy.aor("alice")).unwrap();
    let came = |event: &Value| event["name"] == "incoming" && event["session"] == session;
    let call = rig.page.wait_for("a call", SOON, came).unwrap()["id"].as_u64().unwrap();
    rig.page.status(call, "RING", SOON).unwrap();
    rig.page.run("answer", &[json!(call), json!({})]);
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    hears(&rig, call, &voices, "their words in the page");
    let before = rig.page.messages().iter().filter(|message| *message == "setRemoteSDP").count();
    rig.page.tell(call, "hold", &[]);
    rig.page.status(call, "HOLD", SOON).unwrap();
    rig.page.tell(call, "unhold", &[]);
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    assert_eq!(rig.page.messages().iter().filter(|message| *message == "setRemoteSDP").count(), before);
    speaks_on(&rig, call);
    bob.hang_up().unwrap();
    rig.page.status(call, "FINISH", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    // Of its end, which was after the hold.
    let (_, mut heard) = bob.recordings().unwrap();
    let length = (AGAIN * f64::from(heard.rate)) as usize;
    heard.samples.drain(..heard.samples.len().saturating_sub(length));
    let again = hear(&voices.ours, &heard);
    assert!(again.peak > CORRELATED, "after the hold: {again:?}");
    rig.end();
}

/// Until so much has gone out of the page.
fn speaks_on(rig: &Rig, call: u64) {
    let sent = || {
        rig.page.run("statistics", &[json!(call)]);
        let told = rig.page.wait_for("statistics", SOON, |event| event["name"] == "statistics").unwrap();
        told["stats"]["outboundStream"]["audio"]["packetsSent"].as_u64().unwrap_or_default()
    };
    let before = sent();
    until("packets", LONG, || (sent() as f64 >= before as f64 + (AGAIN + 1.0) * 50.0).then_some(())).unwrap();
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// The page sees its own clock, which the phone has seen, and sent back encoded anew.
fn sees_itself(rig: &Rig, call: u64, began: u64) {
    until("a picture", SOON, || {
        let shown = rig.page.run("shown", &[json!(call)]);
        (shown["width"].as_u64() > Some(0)).then_some(())
    })
    .unwrap();
    rig.page.run("attend", &[json!(call)]);
    let read = |picture: &ShownPicture| picture.clock.map(|clock| (picture.looked, clock));
    let fresh = |seen: &[ShownPicture]| seen.iter().filter_map(read).count();
    until("pictures", LONG, || (fresh(&rig.page.seen(call, 0)) >= LEAST).then_some(())).unwrap();
    let seen = rig.page.seen(call, 0);
    let clocks: Vec<_> = seen.iter().filter_map(read).collect();
    assert!(clocks.len() * 100 >= seen.len() * 90, "{} of {}", clocks.len(), seen.len());
    assert!(clocks.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{clocks:?}");
    assert!(clocks.iter().all(|(at, clock)| (began..=*at).contains(clock)), "{began}: {clocks:?}");
    let mut ages: Vec<_> = clocks.iter().map(|(at, clock)| at - clock).collect();
    ages.sort_unstable();
    eprintln!("{} pictures, {} ms old both ways", ages.len(), ages[ages.len() / 2]);
    let last = seen.last().unwrap();
    assert_eq!((last.width, last.height), (640, 360));
}

#[test]
fn a_stream_is_seen_and_heard_as_it_was_published() {
    let Some(room) = room!(needs()) else { return };
    let voices = voices(&room);
    let rig = performing(&room, &voices);
    let session = rig.session();
    let began = now_ms();
    rig.publish(session, "cam", json!({}));
    let player = rig.play(session, "cam");
    sees_itself(&rig, player, began);
    until("the words of the stream", LONG, || {
        (hear(&voices.ours, &rig.page.heard(player).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap_or_else(|error| {
        panic!("{error}: {:?}", rig.page.heard(player).map(|heard| hear(&voices.ours, &heard)))
    });
    rig.end();
}

fn mirror(room: &Room, codec: &'static str, answer: AnswerMode) -> Baresip {
    let options = BaresipOptions { video: Some(codec), record: false, answer, ..BaresipOptions::default() };
    Baresip::start(room.dir(), &options).unwrap()
}

fn needs_of(codec: &str) -> Needs {
    let of_page = [&WebSdk::TOOLS[..], &["kamailio"]].concat();
    Baresip::needs_for(codec).and(&of_page).network().within(Duration::from_secs(150))
}

const SEEN: &str = r#"{ "constraints": { "audio": true, "video": true } }"#;

fn pictures_go_both_ways(room: &Room, codec: &'static str) {
    let voices = voices(room);
    let rig = performing(room, &voices);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let session = super::calls::registered(&rig, &proxy);
    let mut bob = mirror(room, codec, AnswerMode::Auto);
    let with_video: Value = serde_json::from_str(SEEN).unwrap();
    let began = now_ms();
    let call = super::calls::dial_with(&rig, session, &bob.uri(), with_video.clone());
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    sees_itself(&rig, call, began);
    rig.page.tell(call, "hangup", &[]);
    rig.page.status(call, "FINISH", SOON).unwrap();
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    let began = now_ms();
    bob.dial(&proxy.aor("alice")).unwrap();
    let came = |event: &Value| event["name"] == "incoming" && event["session"] == session;
    let call = rig.page.wait_for("a call", SOON, came).unwrap()["id"].as_u64().unwrap();
    rig.page.status(call, "RING", SOON).unwrap();
    rig.page.run("answer", &[json!(call), with_video]);
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    sees_itself(&rig, call, began);
    bob.hang_up().unwrap();
    rig.page.status(call, "FINISH", SOON).unwrap();
    rig.end();
}

#[test]
fn pictures_of_a_call_go_both_ways_in_vp8() {
    let Some(room) = room!(needs_of("vp8")) else { return };
    pictures_go_both_ways(&room, "vp8");
}

#[test]
fn pictures_of_a_call_go_both_ways_in_h264() {
    let Some(room) = room!(needs_of("h264")) else { return };
    pictures_go_both_ways(&room, "h264");
}

/// Whoever has no camera, or wants none, speaks all the same.
#[test]
fn a_call_with_a_picture_is_answered_without_one_from_either_side() {
    let Some(room) = room!(needs_of("vp8")) else { return };
    let voices = voices(&room);
    let rig = performing(&room, &voices);
    let session = rig.session_with(account());
    let mut deaf = talker(&room, &voices, "opus");
    let with_video: Value = serde_json::from_str(SEEN).unwrap();
    let call = super::calls::dial_with(&rig, session, &deaf.uri(), with_video);
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    hears(&rig, call, &voices, "words without a picture");
    rig.page.tell(call, "hangup", &[]);
    deaf.wait_event("CALL_CLOSED", SOON).unwrap();
    drop(deaf);
    let mut seeing = mirror(&room, "vp8", AnswerMode::Auto);
    let call = super::calls::dial_with(&rig, session, &seeing.uri(), json!({}));
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    super::calls::is_heard(&rig, call);
    rig.page.tell(call, "hangup", &[]);
    seeing.wait_event("CALL_CLOSED", SOON).unwrap();
    rig.end();
}
