//! The room module of the official SDK: pages among themselves, and with our own program in the room.

mod out;

use super::{Program, SILENT, SOON, WebSdk, needs};
use crate::audio::{CORRELATED, voices};
use serde_json::{Value, json};
use sidetone_testkit::{Baresip, BaresipOptions, Room, audio::hear, room, until};
use std::{
    cell::RefCell,
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(40);
/// Unrelated speech gives 0.4 at most.
const UNHEARD: f64 = 0.5;
/// A browser that is killed is missed within this.
const MISSED: Duration = Duration::from_secs(5);

struct Rooms {
    gateway: Program,
    url: String,
    /// Where phones register.
    sip: SocketAddr,
    page: WebSdk,
    /// How many events of each room were looked at.
    told: RefCell<HashMap<u64, usize>>,
}

impl Rooms {
    fn start(room: &Room, devices: &[&str], microphone: Option<&Path>) -> Self {
        let mut gateway = Program::start(room, &[&["gateway", "--commands"][..], devices].concat());
        let (_, line) = gateway.wait("its addresses", |line| line["http"].is_string());
        let url = line["http"].as_str().unwrap().replace("http:", "ws:");
        let sip = line["sip"].as_str().unwrap().parse().unwrap();
        let page = WebSdk::start_with_rooms(room.dir(), "page", microphone).unwrap();
        Self { gateway, url, sip, page, told: RefCell::default() }
    }

    /// A session of the room module; it stands.
    fn connect(&self, login: &str) -> u64 {
        let session = number(&self.page, "connect", &[json!(self.url), json!(login)]);
        self.page.status(session, "ESTABLISHED", SOON).unwrap();
        session
    }

    fn join(&self, session: u64, name: &str) -> u64 {
        number(&self.page, "join", &[json!(session), json!(name)])
    }

    /// The next event of this room, as the page is told.
    fn event(&self, room: u64) -> Value {
        let mut told = self.told.borrow_mut();
        let told = told.entry(room).or_default();
        let of_room = |event: &Value| event["name"] == "room" && event["id"] == room;
        let next = || self.page.events().into_iter().filter(of_room).nth(*told);
        let mut event = until("an event of the room", SOON, next)
            .unwrap_or_else(|error| panic!("{error}: {:#?}", self.page.events()));
        *told += 1;
        for field in ["name", "id", "at"] {
            event.as_object_mut().unwrap().remove(field);
        }
        event
    }

    fn publish(&self, room: u64, options: Value) -> u64 {
        let stream = number(&self.page, "publish", &[json!(room), options]);
        self.page.status(stream, "PUBLISHING", SOON).unwrap();
        stream
    }

    fn play(&self, room: u64, login: &str) -> u64 {
        let stream = number(&self.page, "play", &[json!(room), json!(login), json!(0)]);
        self.page.status(stream, "PLAYING", SOON).unwrap();
        stream
    }

    fn has_picture(&self, stream: u64) {
        until("the picture", SOON, || {
            let shown = self.page.run("shown", &[json!(stream)]);
            (shown["width"].as_u64() > Some(0) && shown["time"].as_f64() > Some(0.0)).then_some(())
        })
        .unwrap();
    }
}

fn run(page: &WebSdk, function: &str, arguments: &[Value]) -> Value {
    page.driver().script(&format!("return rooms.{function}(...arguments) ?? null"), arguments)
}

fn number(page: &WebSdk, function: &str, arguments: &[Value]) -> u64 {
    run(page, function, arguments).as_u64().unwrap()
}

/// Checks 28 and 29, and 36 with them.
#[test]
fn two_pages_meet_speak_and_part() {
    let Some(room) = room!(needs()) else { return };
    let rooms = Rooms::start(&room, &SILENT, None);
    let (ann, bob) = (rooms.connect("ann"), rooms.connect("bob"));
    let of_ann = rooms.join(ann, "tea");
    assert_eq!(rooms.event(of_ann), json!({ "event": "STATE", "participants": [] }));
    rooms.publish(of_ann, json!({}));
    let of_bob = rooms.join(bob, "tea");
    let state = rooms.event(of_bob);
    assert_eq!((&state["event"], &state["participants"][0]["login"]), (&json!("STATE"), &json!("ann")));
    let name = state["participants"][0]["streams"][0].as_str().unwrap();
    assert!(name.starts_with("tea-ann-"), "{name}");
    assert_eq!(rooms.event(of_ann), json!({ "event": "JOINED", "login": "bob" }));
    let seen = rooms.play(of_bob, "ann");
    rooms.has_picture(seen);
    rooms.publish(of_bob, json!({ "constraints": { "audio": true, "video": false } }));
    let published = rooms.event(of_ann);
    assert_eq!((&published["event"], &published["login"]), (&json!("PUBLISHED"), &json!("bob")));
    rooms.play(of_ann, "bob");
    run(&rooms.page, "say", &[json!(of_bob), json!("ann"), json!("hello <b>")]);
    assert_eq!(rooms.event(of_ann), json!({ "event": "MESSAGE", "login": "bob", "text": "hello <b>" }));

    let twin = rooms.connect("ann");
    let refused = rooms.join(twin, "tea");
    let info = "somebody in this room is named ann already";
    assert_eq!(rooms.event(refused), json!({ "event": "FAILED", "info": info }));

    run(&rooms.page, "leave", &[json!(of_bob)]);
    assert_eq!(rooms.event(of_bob), json!({ "event": "left" }));
    assert_eq!(rooms.event(of_ann), json!({ "event": "LEFT", "login": "bob" }));
    let again = rooms.join(bob, "tea");
    let state = rooms.event(again);
    assert_eq!(state["participants"][0]["streams"], json!([name]), "she is still there, with her stream");
    assert_eq!(rooms.event(of_ann), json!({ "event": "JOINED", "login": "bob" }));
    rooms.page.tell(bob, "disconnect", &[]);
    assert_eq!(rooms.event(of_ann), json!({ "event": "LEFT", "login": "bob" }));
    assert_eq!(rooms.page.errors(), Vec::<String>::new());
}

#[test]
fn our_program_and_a_page_see_and_hear_each_other_until_the_page_is_killed() {
    let Some(room) = room!(needs()) else { return };
    let voices = voices(&room);
    let heard = room.dir().join("heard.wav");
    let (mic, speaker) =
        (format!("file:{}", voices.theirs_path.display()), format!("file:{}", heard.display()));
    let devices = ["--mic", &mic, "--speaker", &speaker];
    let mut rooms = Rooms::start(&room, &devices, Some(&voices.ours_path));
    let ann = rooms.connect("ann");
    let of_ann = rooms.join(ann, "tea");
    assert_eq!(rooms.event(of_ann)["event"], "STATE");
    rooms.publish(of_ann, json!({}));
    let sources = json!({ "video": "bars", "audio": [{ "source": mic, "gain": 1.0 }] });
    let joined = rooms
        .gateway
        .ask(&json!({ "command": "joinRoom", "name": "tea", "login": "our", "sources": sources }));
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    assert_eq!(rooms.event(of_ann), json!({ "event": "JOINED", "login": "our" }));
    assert_eq!(rooms.event(of_ann)["event"], "PUBLISHED");
    let seen = rooms.play(of_ann, "our");
    rooms.has_picture(seen);
    rooms.page.run("attend", &[json!(seen)]);
    rooms.gateway.wait("her picture", |line| {
        let stream = &line["stream"];
        line["event"] == "StreamChanged"
            && stream["direction"] == "played"
            && stream["video"]["width"] == 640
            && stream["roomId"] == id.as_str()
    });
    let (_, shows) = rooms.gateway.wait("how good it is", |line| {
        let of_ann = &line["room"]["participants"][0];
        line["event"] == "RoomChanged"
            && of_ann["login"] == "ann"
            && of_ann["streams"][0]["level"] != "unknown"
            && of_ann["streams"][0]["streamId"].is_string()
    });
    eprintln!("{}", shows["room"]["participants"][0]);
    let page = &rooms.page;
    until("our words in the page", LONG, || {
        (hear(&voices.theirs, &page.heard(seen).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", page.heard(seen).map(|it| hear(&voices.theirs, &it))));
    let own = hear(&voices.ours, &page.heard(seen).unwrap());
    assert!(own.peak < UNHEARD, "she hears herself: {own:?}");
    assert_eq!(rooms.page.errors(), Vec::<String>::new());

    let began = Instant::now();
    super::sessions::freeze(&rooms.page.driver().process().to_string(), "-KILL");
    rooms.gateway.wait_within(MISSED, "that she is gone", |line| {
        line["event"] == "RoomChanged"
            && line["room"]["participants"].as_array().is_some_and(|all| all.len() == 1)
    });
    eprintln!("missed after {} ms", began.elapsed().as_millis());
    let left = rooms.gateway.ask(&json!({ "command": "askRoom", "roomId": id, "room": { "ask": "leave" } }));
    assert!(left.get("failure").is_none(), "{left}");
    rooms.gateway.wait("our leaving", |line| line["event"] == "RoomStatusEvent" && line["status"] == "LEFT");
    rooms.gateway.signal("-TERM");
    let (code, _) = rooms.gateway.end();
    assert_eq!(code, Some(0));
    let at_us = sidetone_testkit::audio::Wav::read(&heard).unwrap();
    let words = hear(&voices.ours, &at_us);
    assert!(words.peak > CORRELATED, "her words: {words:?}");
    let own = hear(&voices.theirs, &at_us);
    assert!(own.peak < UNHEARD, "we hear ourselves: {own:?}");
}

/// A caller in the room, a page and our own program, each with a voice of its own.
#[test]
fn a_caller_the_page_and_our_program_hear_each_other_and_nobody_himself() {
    let Some(room) = room!(needs().and(&["baresip"]).alone()) else { return };
    let voices = voices(&room);
    let third = {
        let mut backwards = voices.theirs.clone();
        backwards.samples.reverse();
        backwards
    };
    let (third_path, heard) = (room.dir().join("third.wav"), room.dir().join("heard.wav"));
    third.write(&third_path).unwrap();
    let speaker = format!("file:{}", heard.display());
    let mut rooms =
        Rooms::start(&room, &["--mic", "silence", "--speaker", &speaker], Some(&voices.ours_path));
    let registrar = rooms.sip;
    let mut bob = Baresip::start(
        room.dir(),
        &BaresipOptions {
            registrar: Some(registrar),
            source: Some(&voices.theirs_path),
            ..BaresipOptions::default()
        },
    )
    .unwrap();
    let ann = rooms.connect("ann");
    let of_ann = rooms.join(ann, "tea");
    assert_eq!(rooms.event(of_ann)["event"], "STATE");
    let of_page = rooms.publish(of_ann, json!({ "constraints": { "audio": true, "video": false } }));
    let joined = rooms.gateway.ask(&json!({ "command": "joinRoom", "name": "tea", "login": "our" }));
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    assert_eq!(rooms.event(of_ann), json!({ "event": "JOINED", "login": "our" }));
    let ask = |rooms: &mut Rooms, ask: Value| {
        let reply = rooms.gateway.ask(&json!({ "command": "askRoom", "roomId": id, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
        reply
    };
    // What is said at once is not told apart: at our speaker the caller is alone.
    let (_, both) = rooms.gateway.wait("both", |line| {
        let participants = line["room"]["participants"].as_array();
        line["event"] == "RoomChanged" && participants.is_some_and(|all| all.len() == 2)
    });
    let page = &both["room"]["participants"][0]["participantId"];
    ask(&mut rooms, json!({ "ask": "hear", "participantId": page, "muted": true }));
    let called = ask(&mut rooms, json!({ "ask": "callIn", "callee": "bob" }));
    let call = called["reply"]["callId"].clone();
    let caller = rooms.event(of_ann)["login"].as_str().unwrap().to_owned();
    assert_eq!(rooms.event(of_ann)["event"], "PUBLISHED");
    let of_caller = rooms.play(of_ann, &caller);
    rooms.page.run("attend", &[json!(of_caller)]);
    let page = &rooms.page;
    until("the caller's words in the page", LONG, || {
        (hear(&voices.theirs, &page.heard(of_caller).ok()?).peak > CORRELATED).then_some(())
    })
    .unwrap_or_else(|error| {
        panic!("{error}: {:?}", page.heard(of_caller).map(|it| hear(&voices.theirs, &it)))
    });
    let own = hear(&voices.ours, &page.heard(of_caller).unwrap());
    assert!(own.peak < UNHEARD, "the page hears itself: {own:?}");
    bob.wait_heard(9.0, LONG).unwrap();
    // Now our program speaks, and the page does not.
    rooms.page.tell(of_page, "muteAudio", &[]);
    let source = format!("file:{}", third_path.display());
    let sources = json!({ "audio": [{ "source": source, "gain": 1.0 }] });
    ask(&mut rooms, json!({ "ask": "setSources", "sources": sources }));
    assert_eq!(rooms.event(of_ann)["event"], "PUBLISHED");
    bob.wait_heard(30.0, LONG).unwrap();
    ask(&mut rooms, json!({ "ask": "removeCall", "callId": call }));
    assert_eq!(rooms.event(of_ann), json!({ "event": "LEFT", "login": caller }));
    rooms.gateway.ask(&json!({ "command": "hangup", "callId": call }));
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    assert_eq!(rooms.page.errors(), Vec::<String>::new());
    rooms.gateway.signal("-TERM");
    let (code, _) = rooms.gateway.end();
    assert_eq!(code, Some(0));
    let (_, at_bob) = bob.recordings().unwrap();
    let at_us = sidetone_testkit::audio::Wav::read(&heard).unwrap();
    for (what, who, recording) in [
        ("the caller hears the page", &voices.ours, &at_bob),
        ("the caller hears our program", &third, &at_bob),
        ("our program hears the caller", &voices.theirs, &at_us),
    ] {
        let words = hear(who, recording);
        eprintln!("{what}: {words:?}");
        assert!(words.peak > CORRELATED, "{what}: {words:?}");
    }
    for (what, who, recording) in [("the caller", &voices.theirs, &at_bob), ("our program", &third, &at_us)] {
        let words = hear(who, recording);
        assert!(words.peak < UNHEARD, "{what} hears itself: {words:?}");
    }
}
