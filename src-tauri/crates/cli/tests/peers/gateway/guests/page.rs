//! The page of guests as a browser opens it from an invite: by TLS, with a camera, and against a host who lets it in, writes, mutes it
//! and sends it out.

use super::{super::BROWSER, SOON, needs, shared};
use crate::streams::Program;
use serde_json::{Value, json};
use sidetone_testkit::{Room, WebSdk, browser::Driver, room, until};

/// A change of size that is told a frame later is an event without an error.
const ERRORS: &str = "
    window.errors = []
    addEventListener('error', (event) => event.error && errors.push(event.message))
    addEventListener('unhandledrejection', (event) => errors.push(`unhandled: ${event.reason?.stack ?? event.reason}`))
    addEventListener('securitypolicyviolation', (event) => errors.push(`${event.violatedDirective}: ${event.blockedURI}`))";
/// How many colours stand beside each other in somebody's picture, and its width.
const COLOURS: &str = "
    const video = document.querySelector(`${arguments[0]} video`)
    if (!video?.videoWidth) return [0, 0]
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
    const context = canvas.getContext('2d')
    context.drawImage(video, 0, 0)
    const seen = new Set()
    for (let at = 0; at < 16; at++) {
        const x = (at + 0.5) * canvas.width / 16
        const [red, green, blue] = context.getImageData(x, canvas.height / 4, 1, 1).data
        seen.add([red, green, blue].map((part) => part > 96).join())
    }
    return [seen.size, canvas.width]";

struct Page {
    driver: Driver,
}

impl Page {
    fn open(room: &Room, url: &str) -> Self {
        let dir = room.dir().join("guest-page");
        std::fs::create_dir_all(&dir).unwrap();
        let driver = Driver::of_chromium(&dir, &BROWSER.map(String::from)).unwrap();
        driver.before_each_page(ERRORS);
        let page = Self { driver };
        // A browser drops what it is loading where the machine's addresses change, as they do while a network comes up.
        until("the page of guests", SOON, || {
            page.driver.go_to(url);
            until("its form", SOON / 6, || page.has("guest-form").then_some(())).ok()
        })
        .unwrap();
        page
    }

    fn text(&self, testid: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.textContent ?? null";
        self.driver.script(script, &[json!(selector(testid))]).as_str().map(String::from)
    }

    fn has(&self, testid: &str) -> bool {
        self.text(testid).is_some()
    }

    fn comes(&self, testid: &str) {
        until(testid, SOON, || self.has(testid).then_some(())).unwrap_or_else(|error| {
            panic!("{error}: {}", self.driver.script("return document.body.innerText", &[]))
        });
    }

    fn says(&self, testid: &str, words: &str) {
        until(words, SOON, || self.text(testid)?.contains(words).then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {testid} says {:?}", self.text(testid)));
    }

    fn click(&self, testid: &str) {
        self.comes(testid);
        self.driver.click(&selector(testid));
    }

    fn write(&self, testid: &str, words: &str) {
        self.click(testid);
        self.driver.type_keys(words);
    }

    fn attribute(&self, testid: &str, name: &str) -> Value {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        self.driver.script(script, &[json!(selector(testid)), json!(name)])
    }

    /// Colours in somebody's picture, and the width of it.
    fn picture(&self, of: &str) -> (u64, u64) {
        let seen = self.driver.script(COLOURS, &[json!(of)]);
        (seen[0].as_u64().unwrap(), seen[1].as_u64().unwrap())
    }

    fn errors(&self) -> Value {
        self.driver.script("return errors", &[])
    }
}

fn selector(testid: &str) -> String {
    format!("[data-testid=\"{testid}\"]")
}

/// The host's side of it.
struct Host {
    program: Program,
    room_id: String,
}

impl Host {
    fn ask(&mut self, ask: Value) -> Value {
        let reply = self.program.ask(&json!({ "command": "askRoom", "roomId": self.room_id, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
        reply
    }

    /// The room, when this is true of it.
    fn room(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let fits = |line: &Value| line["event"] == "RoomChanged" && fits(&line["room"]);
        self.program.wait(what, fits).1["room"].clone()
    }

    fn guest(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let of = |room: &Value| {
            let all = room["participants"].as_array().into_iter().flatten();
            all.into_iter().find(|person| person["login"] == "Rosa Lund").cloned()
        };
        let room = self.room(what, |room| of(room).is_some_and(|person| fits(&person)));
        of(&room).unwrap()
    }

    fn message(&mut self, text: &str) -> Value {
        self.program.wait(text, |line| line["event"] == "RoomMessage" && line["text"] == text).1
    }
}

#[test]
fn a_guest_comes_by_a_link_waits_is_seen_writes_is_muted_and_is_sent_out_for_good() {
    let Some(room) = room!(needs().and(&WebSdk::TOOLS)) else { return };
    let (mut program, _) = shared(&room);
    let sources = json!({ "video": "bars", "audio": [{ "source": "tone", "gain": 0.1 }] });
    let join = json!({ "command": "joinRoom", "name": "tea", "login": "host", "sources": sources });
    let joined = program.ask(&join);
    let room_id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    let mut host = Host { program, room_id };
    let link = host.ask(json!({ "ask": "invite" }))["reply"]["invite"]["url"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://"), "{link}");

    let page = Page::open(&room, &link);
    page.click("guest-media");
    until("the preview", SOON, || (page.picture(&selector("guest-preview")).1 > 0).then_some(())).unwrap();
    page.write("guest-login", "Rosa Lund");
    page.click("guest-join");
    page.says("guest-wait", "in the lobby of tea");
    let lobby = host.room("who waits", |room| room["knocking"][0]["login"] == "Rosa Lund");
    let streams = &lobby["participants"].as_array().unwrap().len();
    assert_eq!(*streams, 1, "nobody sees who waits: {lobby}");
    host.ask(json!({ "ask": "admit", "participantId": lobby["knocking"][0]["participantId"] }));
    page.comes("guest-room");

    // Both see each other.
    until("the host's bars", SOON, || (page.picture(&selector("seat")).0 >= 4).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {:?}", page.picture(&selector("seat"))));
    let rosa = host.guest("her stream", |person| person["streams"][0]["streamId"].is_string());
    let stream = rosa["streams"][0]["streamId"].clone();
    let seen = |line: &Value| {
        let told = &line["stream"];
        line["event"] == "StreamChanged"
            && told["streamId"] == stream
            && told["video"]["width"].as_u64() > Some(0)
    };
    host.program.wait("her picture", seen);
    let rosa_id = rosa["participantId"].clone();

    host.ask(json!({ "ask": "sendMessage", "text": "good morning" }));
    host.ask(json!({ "ask": "sendMessage", "text": "psst", "to": rosa_id }));
    page.says("guest-chat", "2 unread messages");
    page.click("guest-chat");
    page.says("guest-panel", "good morning");
    assert_eq!(page.attribute("chat-line", "data-private"), Value::Null);
    page.says("guest-panel", "to you alone");
    page.write("chat-text", "hello all\u{e007}");
    let said = host.message("hello all");
    assert!(said["to"].is_null(), "{said}");
    let choose = "const list = document.querySelector(arguments[0])
        list.value = [...list.options].at(-1).value
        list.dispatchEvent(new Event('change', { bubbles: true }))";
    page.driver.script(choose, &[json!(selector("chat-to"))]);
    page.write("chat-text", "hello you\u{e007}");
    let said = host.message("hello you");
    assert!(said["to"].is_string(), "{said}");
    page.click("guest-panel-close");

    page.click("guest-hand");
    host.guest("her hand", |person| person["hand"] == 1);
    assert_eq!(page.attribute("guest-mute", "aria-pressed"), "false");
    host.ask(json!({ "ask": "muteOther", "participantId": rosa_id }));
    until("that she is muted", SOON, || {
        (page.attribute("guest-mute", "aria-pressed") == "true").then_some(())
    })
    .unwrap();
    page.says("announce-news", "You are muted");
    page.click("guest-mute");
    host.guest("her sound", |person| person["audioMuted"] == false && person["hand"] == 1);

    host.ask(json!({ "ask": "remove", "participantId": rosa_id }));
    page.says("guest-wait", "a host has sent you out");
    page.click("guest-again");
    page.click("guest-join");
    page.says("guest-info", "not good any more");
    assert_eq!(page.errors(), json!([]));
}
