//! Our own client at a Web Call Server: `sidetone-cli gateway`, asked for everything over one WebSocket.

use super::{
    phone::Phone,
    streams::{Program, SILENT, film::Film},
};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, Room,
    audio::{self, Wav},
    room,
};
use std::{path::PathBuf, time::Duration};

const SOON: Duration = Duration::from_secs(30);

fn needs(tools: &[&'static str]) -> Needs {
    Needs::tools(&["ffmpeg", "ffprobe"]).and(tools).network().within(Duration::from_secs(150))
}

/// A server, and where it listens.
fn server(room: &Room) -> (Program, String) {
    let mut gateway = Program::start(room, &[&["gateway"][..], &SILENT].concat());
    let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
    let url = line["http"].as_str().unwrap().replace("http:", "ws:");
    (gateway, url)
}

fn path(room: &Room, name: &str) -> (PathBuf, String) {
    let path = room.dir().join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

fn publish(room: &Room, stream: &str, more: &[&str]) -> Program {
    let mut publisher = Program::start(room, &[&["publish", stream, "--camera", "bars"][..], more].concat());
    publisher.status("PUBLISHING");
    publisher
}

fn last_info(lines: &[Value]) -> (String, String) {
    let last = lines.iter().rev().find(|line| line["event"] == "StreamStatusEvent").unwrap();
    let text = |key: &str| last[key].as_str().unwrap().to_owned();
    (text("status"), text("info"))
}

/// A phone with a session there, and the session's id.
fn phone(url: &str, more: &[&str]) -> (Phone, String) {
    let mut phone = Phone::start(&[&["--wcs", url][..], more].concat());
    let established = phone.status("ConnectionStatusEvent", "ESTABLISHED");
    let session = established["sessionId"].as_str().unwrap().to_owned();
    (phone, session)
}

fn stream(phone: &mut Phone, command: Value) -> String {
    let reply = phone.ask(command);
    reply["reply"]["streamId"].as_str().unwrap_or_else(|| panic!("no stream: {reply}")).to_owned()
}

#[test]
fn what_is_published_at_a_server_is_played_there_with_its_sound_and_pictured() {
    let Some(room) = room!(needs(&[])) else { return };
    let (_gateway, url) = server(&room);
    let tv = format!("{url}/tv");
    let (said, said_text) = path(&room, "said.wav");
    let ours = audio::speak_into(&said, 48_000).unwrap();
    let mic = format!("loop:{said_text}");
    let publisher = publish(&room, &tv, &["--mic", &mic, "--size", "640x360"]);
    let (film, film_text) = path(&room, "seen.y4m");
    let (heard, heard_text) = path(&room, "heard.wav");
    let (video, speaker) = (format!("file:{film_text}"), format!("file:{heard_text}"));
    let arguments = ["play", "tv", "--wcs", &url, "--video", &video, "--speaker", &speaker, "--for", "11s"];
    let mut player = Program::start(&room, &arguments);
    player.status("PLAYING");
    let (picture, text) = path(&room, "now.png");
    let (code, lines) = Program::start(&room, &["snapshot", &tv, &text]).end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let taken = Film::decode(&picture);
    assert_eq!(taken.size(), (640, 360));
    taken.assert_is_of_bars(1);
    let (code, lines) = player.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(0), "STOPPED"), "{lines:#?}");
    let film = Film::read(&film);
    assert_eq!(film.size(), (640, 360));
    film.assert_is_of_bars(100);
    let alike = audio::hear(&ours, &Wav::read(&heard).unwrap());
    assert!(alike.peak > 0.7, "what was said is heard as {alike:?}");
    publisher.signal("-INT");
    let (code, lines) = publisher.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(130), "UNPUBLISHED"), "{lines:#?}");
}

#[test]
fn what_the_server_says_of_a_stream_is_passed_on() {
    let Some(room) = room!(needs(&[])) else { return };
    let (_gateway, url) = server(&room);
    let tv = format!("{url}/tv");
    let (code, lines) = Program::start(&room, &["play", &tv, "--speaker", "null"]).end();
    assert_eq!((code, last_info(&lines)), (Some(5), ("FAILED".into(), "Stream not found".into())));
    let publisher = publish(&room, &tv, &["--mic", "none", "--size", "320x180"]);
    let second = ["publish", &tv, "--camera", "bars", "--mic", "none", "--size", "320x180"];
    let (code, lines) = Program::start(&room, &second).end();
    assert_eq!(
        (code, last_info(&lines)),
        (Some(5), ("FAILED".into(), "Stream name is already in use".into()))
    );
    let mut player = Program::start(&room, &["play", &tv, "--speaker", "null"]);
    player.status("PLAYING");
    publisher.signal("-INT");
    assert_eq!(player.status("STOPPED").1["info"], "Stopped by publisher stop");
    assert_eq!(player.end().0, Some(0));
    let nobody = ["play", "ws://127.0.0.1:9/tv", "--speaker", "null"];
    assert_eq!(Program::start(&room, &nobody).end().0, Some(2));
}

#[test]
fn a_stream_is_paused_and_muted_and_data_reaches_who_plays_it_and_who_is_named() {
    let Some(room) = room!(needs(&[])) else { return };
    let (mut gateway, url) = server(&room);
    let silent = SILENT;
    let (mut anna, hers) = phone(&url, &silent);
    let (_, line) = gateway.wait("anna's session", |line| {
        line["event"] == "GatewayChanged" && line["gateway"]["clientCount"] == 1
    });
    let annas = line["gateway"]["clients"][0]["sessionId"].as_str().unwrap().to_owned();
    let (mut bob, his) = phone(&url, &silent);
    let published = stream(
        &mut anna,
        json!({ "command": "publishStream", "name": "tv", "sessionId": hers,
            "sources": { "video": "bars", "audio": [{ "source": "tone" }] } }),
    );
    anna.status("StreamStatusEvent", "PUBLISHING");
    let played = stream(&mut bob, json!({ "command": "playStream", "name": "tv", "sessionId": his }));
    bob.status("StreamStatusEvent", "PLAYING");
    for _ in 0..2 {
        bob.ask(json!({ "command": "pauseStream", "streamId": played, "paused": true }));
        bob.status("StreamStatusEvent", "PAUSED");
        bob.ask(json!({ "command": "pauseStream", "streamId": played, "paused": false }));
        bob.status("StreamStatusEvent", "PLAYING");
    }
    anna.ask(json!({ "command": "changeStream", "streamId": published, "audioMuted": true }));
    bob.wait("the mute", SOON, |line| line["stream"]["audioMuted"] == true);
    let payload = json!({ "score": [3, 1] });
    anna.ask(json!({ "command": "sendStreamEvent", "streamId": published, "payload": payload.to_string() }));
    let told = bob.wait("data of the stream", SOON, |line| line["event"] == "OnStreamEvent");
    let read: Value = serde_json::from_str(told["payload"].as_str().unwrap()).unwrap();
    assert_eq!((told["kind"].as_str(), read), (Some("data"), payload));

    bob.ask(json!({ "command": "sendData", "to": annas, "body": "hello", "sessionId": his }));
    bob.status("DataStatusEvent", "ACCEPTED");
    let data = anna.wait("data", SOON, |line| line["event"] == "OnDataEvent" && line["incoming"] == true);
    assert_eq!((data["body"].as_str(), data["contentType"].as_str()), (Some("hello"), Some("text/plain")));
    bob.ask(json!({ "command": "sendData", "to": "nobody", "body": "hello", "sessionId": his }));
    let failed = bob.status("DataStatusEvent", "FAILED");
    assert!(failed["info"].as_str().unwrap().contains("nobody"), "{failed}");

    let folder = room.dir().to_str().unwrap();
    bob.ask(json!({ "command": "changeSettings", "video": { "folder": folder } }));
    bob.ask(json!({ "command": "snapshot", "streamId": played }));
    let taken = bob.wait("a snapshot", SOON, |line| line["event"] == "SnapshotTaken");
    assert!(taken["file"]["width"].as_u64().is_some_and(|width| width > 0), "{taken}");
    std::fs::remove_file(taken["file"]["path"].as_str().unwrap()).unwrap();
    anna.ask(json!({ "command": "unPublishStream", "streamId": published }));
    let stopped = bob.status("StreamStatusEvent", "STOPPED");
    assert_eq!(stopped["info"], "Stopped by publisher stop");
    anna.finish();
    bob.finish();
    // Their sessions are kept for a while, without anything in them.
    let has_gone =
        |client: &Value| client["connected"] == false && client["published"] == 0 && client["played"] == 0;
    gateway.wait("nobody", |line| {
        let clients = line["gateway"]["clients"].as_array();
        clients.is_some_and(|clients| clients.len() == 2 && clients.iter().all(has_gone))
    });
}

#[test]
fn a_lost_server_is_connected_again_and_its_streams_go_on() {
    let Some(room) = room!(needs(&[])) else { return };
    let (gateway, url) = server(&room);
    let port = url.rsplit(':').next().unwrap().to_owned();
    let (mut anna, hers) = phone(&url, &SILENT);
    stream(
        &mut anna,
        json!({ "command": "publishStream", "name": "tv", "sessionId": hers,
            "sources": { "video": "bars", "audio": [] } }),
    );
    anna.status("StreamStatusEvent", "PUBLISHING");
    gateway.signal("-KILL");
    anna.status("ConnectionStatusEvent", "DISCONNECTED");
    let waits = anna.wait("a time to retry", SOON, |line| line["session"]["retryAt"].is_u64());
    assert_eq!(waits["session"]["sessionId"], hers.as_str());
    drop(gateway);
    let mut again = Program::start(&room, &[&["gateway", "--http-port", &port][..], &SILENT].concat());
    again.wait("its addresses", |line| line["http"].is_string());
    anna.ask(json!({ "command": "register", "sessionId": hers }));
    anna.status_within("ConnectionStatusEvent", "ESTABLISHED", SOON);
    anna.status_within("StreamStatusEvent", "PUBLISHING", SOON);
    let mut player =
        Program::start(&room, &["play", "tv", "--wcs", &url, "--speaker", "null", "--for", "1s"]);
    player.status("PLAYING");
    assert_eq!(player.end().0, Some(0));
    anna.finish();
}

#[test]
fn calls_go_by_the_servers_sip_side() {
    let Some(room) = room!(needs(&["baresip"])) else { return };
    let (_gateway, url) = server(&room);
    let (said, said_text) = path(&room, "said.wav");
    let ours = audio::speak_into(&said, 8_000).unwrap();
    let mic = format!("loop:{said_text}");
    let account = ["--aor", "sip:alice@127.0.0.1", "--no-register", "--mic", &mic, "--speaker", "null"];
    let (mut alice, _) = phone(&url, &account);
    let options =
        BaresipOptions { answer: AnswerMode::Manual, codecs: &["pcmu"], ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    let call = alice.call(&bob.uri());
    alice.status("CallStatusEvent", "RING");
    bob.answer().unwrap();
    alice.status("CallStatusEvent", "ESTABLISHED");
    let measured = alice.wait("sound of the far end", SOON, |line| {
        line["event"] == "CallMeasured" && line["statistics"]["packetsReceived"].as_u64() > Some(50)
    });
    assert_eq!(measured["callId"], call.as_str());
    bob.wait_heard(8.0, SOON).unwrap();
    // This baresip's recorder does not outlive a hold.
    bob.hang_up().unwrap();
    let ended = alice.status("CallStatusEvent", "FINISH");
    assert_eq!(ended["info"], "Normal call clearing");
    let (_, heard) = bob.recordings().unwrap();
    let alike = audio::hear(&ours, &heard);
    assert!(alike.peak > 0.7, "what was said is heard as {alike:?}");
    let call = alice.call(&bob.uri());
    alice.status("CallStatusEvent", "RING");
    bob.answer().unwrap();
    alice.status("CallStatusEvent", "ESTABLISHED");
    for by_far_end in [false, true] {
        if by_far_end {
            bob.command("hold", "").unwrap();
        } else {
            alice.ask(json!({ "command": "hold", "callId": call }));
        }
        alice.status("CallStatusEvent", "HOLD");
        if by_far_end {
            bob.command("resume", "").unwrap();
        } else {
            alice.ask(json!({ "command": "unhold", "callId": call }));
        }
        alice.status("CallStatusEvent", "ESTABLISHED");
    }
    alice.ask(json!({ "command": "sendDtmf", "callId": call, "dtmf": "5" }));
    bob.wait_event("CALL_DTMF_START", SOON).unwrap();
    alice.ask(json!({ "command": "hangup", "callId": call }));
    alice.status("CallStatusEvent", "FINISH");
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    let declined = alice.call(&bob.uri());
    alice.status("CallStatusEvent", "RING");
    bob.hang_up().unwrap();
    let ended = alice.wait("the end of a call that bob declines", SOON, |line| {
        line["event"] == "CallStatusEvent" && (line["status"] == "BUSY" || line["status"] == "FAILED")
    });
    assert_eq!(ended["callId"], declined.as_str());
    assert!(ended["info"].as_str().unwrap().starts_with("SIP "), "{ended}");
    alice.finish();
}

#[test]
fn a_call_comes_in_by_the_account_that_the_server_has_registered() {
    let Some(room) = room!(needs(&["baresip", "kamailio"])) else { return };
    let (_gateway, url) = server(&room);
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let registrar = format!("sip:{}", proxy.address());
    let account = ["--aor", "sip:alice@127.0.0.1", "--registrar", &registrar];
    let wrong = [&account[..], &["--password-env", "SIDETONE_WRONG_PASSWORD"], &SILENT].concat();
    let (mut alice, _) = phone(&url, &wrong);
    alice.status("RegistrationStatusEvent", "AUTHENTICATION_FAIL");
    alice.finish();
    let right = [&account[..], &["--password-env", "SIDETONE_TEST_PASSWORD"], &SILENT].concat();
    let (mut alice, _) = phone(&url, &right);
    alice.status_within("RegistrationStatusEvent", "REGISTERED", SOON);
    let options = BaresipOptions { answer: AnswerMode::Auto, codecs: &["pcmu"], ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    for answers in [true, false] {
        bob.dial(&proxy.aor("alice")).unwrap();
        let on_call = alice.wait("a call", SOON, |line| line["event"] == "OnCallEvent");
        let call = on_call["callId"].as_str().unwrap().to_owned();
        assert!(on_call["caller"].as_str().unwrap().contains("bob"), "{on_call}");
        alice.status("CallStatusEvent", "RING");
        if answers {
            alice.ask(json!({ "command": "answer", "callId": call }));
            alice.status("CallStatusEvent", "ESTABLISHED");
            bob.wait_heard(1.0, SOON).unwrap();
            bob.hang_up().unwrap();
        } else {
            alice.ask(json!({ "command": "hangup", "callId": call }));
        }
        alice.status("CallStatusEvent", "FINISH");
        bob.wait_event("CALL_CLOSED", SOON).unwrap();
    }
    alice.finish();
}

/// A room with these two in it, each of whom is sent and seen.
fn is_whole(line: &Value) -> bool {
    let all = line["room"]["participants"].as_array();
    line["event"] == "RoomChanged"
        && line["room"]["status"] == "JOINED"
        && all.is_some_and(|all| {
            let flows = |person: &Value| {
                let stream = &person["streams"][0];
                person["kind"] == "app" && stream["streamId"].is_string() && stream["level"] == "good"
            };
            all.len() == 2 && all.iter().all(flows)
        })
}

#[test]
fn a_room_at_a_server_is_what_its_hosts_make_it_and_is_come_back_to_after_a_loss() {
    let Some(room) = room!(needs(&[])) else { return };
    let sources = json!({ "video": "bars", "audio": [{ "source": "tone", "gain": 1.0 }] });
    let rules = json!({ "locked": false, "lobby": false, "mostParticipants": 16, "mutedOnEntry": false });
    let host = |port: &str| {
        let arguments = ["gateway", "--commands", "--http-port", port];
        let mut gateway = Program::start(&room, &[&arguments[..], &SILENT].concat());
        let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
        let url = line["http"].as_str().unwrap().trim_end_matches('/').replace("http:", "ws:");
        let joined = gateway.ask(&json!({ "command": "joinRoom", "name": "tea", "login": "host",
            "sources": sources, "settings": rules }));
        let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
        (gateway, url, id)
    };
    let (mut gateway, url, hosts_room) = host("0");
    let (mut anna, session) = phone(&url, &SILENT);
    let joined = anna.ask(json!({ "command": "joinRoom", "name": "tea", "login": "anna",
        "sources": sources, "sessionId": session }));
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    let whole = anna.wait("both at hers", SOON, is_whole);
    assert_eq!(whole["room"]["sessionId"], session.as_str());
    let (_, whole) = gateway.wait("both at the host's", is_whole);
    let of_anna = whole["room"]["participants"][1]["participantId"].clone();
    let ask =
        |anna: &mut Phone, ask: Value| anna.ask(json!({ "command": "askRoom", "roomId": id, "room": ask }));
    ask(&mut anna, json!({ "ask": "raiseHand", "on": true }));
    ask(&mut anna, json!({ "ask": "sendMessage", "text": "hello" }));
    let (_, said) = gateway.wait("her words", |line| line["event"] == "RoomMessage");
    assert_eq!((&said["from"], &said["text"]), (&of_anna, &json!("hello")));
    anna.wait("her own words", SOON, |line| line["event"] == "RoomMessage" && line["login"] == "anna");
    let hosts = |ask: Value| json!({ "command": "askRoom", "roomId": hosts_room, "room": ask });
    gateway.ask(&hosts(json!({ "ask": "muteOther", "participantId": of_anna })));
    let is_muted = |line: &Value, muted: bool| {
        line["event"] == "RoomChanged" && line["room"]["participants"][1]["audioMuted"] == muted
    };
    anna.wait("that she is muted", SOON, |line| is_muted(line, true));
    ask(&mut anna, json!({ "ask": "mute", "audio": false }));
    gateway.wait("that she speaks again", |line| {
        is_muted(line, false) && line["room"]["participants"][1]["hand"] == 1
    });
    ask(&mut anna, json!({ "ask": "close" }));
    let refused = anna.wait("the refusal", SOON, |line| line["event"] == "Notice");
    assert_eq!(refused["info"], "this is for hosts");
    let refused = ask(&mut anna, json!({ "ask": "invite" }));
    assert_eq!(refused["failure"]["code"], "wrongState", "{refused}");

    gateway.signal("-KILL");
    let lost =
        anna.wait("the loss", SOON, |line| line["event"] == "RoomStatusEvent" && line["status"] == "JOINING");
    assert!(!lost["info"].as_str().unwrap().is_empty(), "{lost}");
    drop(gateway);
    let (mut gateway, _, hosts_room) = host(url.rsplit(':').next().unwrap());
    anna.ask(json!({ "command": "register", "sessionId": session }));
    anna.status_within("RoomStatusEvent", "JOINED", SOON);
    anna.wait("both again", SOON, is_whole);
    let (_, whole) = gateway.wait("both again at the host's", is_whole);
    let of_anna = whole["room"]["participants"][1]["participantId"].clone();
    let out = json!({ "ask": "remove", "participantId": of_anna });
    gateway.ask(&json!({ "command": "askRoom", "roomId": hosts_room, "room": out }));
    assert_eq!(anna.status("RoomStatusEvent", "LEFT")["info"], "a host has sent you out");
    anna.finish();
}
