//! Guests of a meeting who come from another machine: what they reach, what they are refused, and the lobby.

mod page;

use super::{Program, SILENT, SOON};
use serde_json::{Value, json};
use sidetone_testkit::{Needs, PeerNet, Process, Room, room, until};
use std::{net::IpAddr, path::PathBuf};

const GUEST: &str = include_str!("guest.py");

fn needs() -> Needs {
    Needs::tools(&["python3", "nsenter", "ip", "unshare"]).network()
}

/// A host in a meeting, and a machine beside it.
struct Meeting {
    program: Program,
    room_id: String,
    net: PeerNet,
    port: u64,
    authority: PathBuf,
    dir: PathBuf,
    guests: usize,
}

impl Meeting {
    fn start(room: &Room) -> Self {
        let net = PeerNet::new(room.dir()).unwrap();
        let (mut program, sharing) = shared(room);
        let here = format!("https://{}:{}", net.our_address(), sharing["port"]);
        assert!(sharing["urls"].as_array().unwrap().contains(&json!(here)), "{sharing}");
        let made = program.ask(&json!({ "command": "joinRoom", "name": "tea", "login": "host" }));
        let room_id = made["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        Self {
            room_id,
            port: sharing["port"].as_u64().unwrap(),
            authority: room.dir().join("authority.pem"),
            dir: room.dir().into(),
            guests: 0,
            program,
            net,
        }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let host: IpAddr = self.net.our_address();
        let mut command = self.net.command("python3");
        command.args(["-c", GUEST, &host.to_string(), &self.port.to_string()]);
        command.arg(&self.authority).args(arguments);
        command
    }

    /// What one look from there comes to.
    fn look(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(told.trim())
            .unwrap_or_else(|_| panic!("{told}{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn ask(&mut self, ask: Value) -> Value {
        self.program.ask(&json!({ "command": "askRoom", "roomId": self.room_id, "room": ask }))
    }

    fn invite(&mut self, more: Value) -> String {
        let mut ask = json!({ "ask": "invite" });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = self.ask(ask);
        let invite = &reply["reply"]["invite"];
        assert_eq!(invite["reach"], "network", "{reply}");
        let (link, token) = invite["url"].as_str().unwrap().split_once("invite=").unwrap();
        assert!(link.ends_with("/guest/#room=tea&"), "{link}");
        token.to_owned()
    }

    fn guest(&mut self, login: &str, token: &str, password: &str) -> Process {
        self.guests += 1;
        let mut command = self.command(&["join", "tea", login, token, password]);
        Process::spawn(&format!("guest{}", self.guests), &mut command, &self.dir).unwrap()
    }

    /// Who waits in the lobby, or is in.
    fn participant(&mut self, list: &str, login: &str) -> Value {
        let find = || {
            let snapshot = self.program.ask(&json!({ "command": "getSnapshot" }));
            let all = snapshot["reply"]["snapshot"]["rooms"][0][list].as_array().cloned()?;
            let found = all.into_iter().find(|participant| participant["login"] == login)?;
            Some(found["participantId"].clone())
        };
        until("the participant", SOON, find).unwrap()
    }
}

/// A gateway that others reach, and how.
fn shared(room: &Room) -> (Program, Value) {
    let file = room.dir().join("gateway.toml");
    std::fs::write(&file, "[sharing]\non = true\n").unwrap();
    let config = file.display().to_string();
    let mut program =
        Program::start(room, &[&["gateway", "--commands", "--config", &config][..], &SILENT].concat());
    program.wait("its addresses", |line| line["http"].is_string());
    let sharing = until("what others reach", SOON, || {
        let snapshot = program.ask(&json!({ "command": "getSnapshot" }));
        let sharing = snapshot["reply"]["snapshot"]["gateway"]["sharing"].clone();
        sharing["port"].as_u64().filter(|port| *port > 0).map(|_| sharing)
    })
    .unwrap();
    (program, sharing)
}

/// A message to a guest.
fn told(guest: &Process, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let find = || {
        let lines = guest.stdout();
        lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|line| fits(line))
    };
    until(what, SOON, find).unwrap_or_else(|error| panic!("{error}: {}", guest.tail()))
}

fn is_room_news(line: &Value, name: &str) -> bool {
    line["said"] == "OnDataEvent" && line["data"][0]["payload"]["name"] == name
}

#[test]
fn another_machine_gets_the_pages_of_guests_by_tls_alone() {
    let Some(room) = room!(needs()) else { return };
    let meeting = Meeting::start(&room);
    let plain = meeting.look(&["plain", "/guest/"]);
    assert_eq!(plain["status"], 400, "{plain}");
    assert!(plain["body"].as_str().unwrap().contains("https"), "{plain}");
    let stranger = meeting.look(&["stranger", "/guest/"]);
    assert!(stranger["untrusted"].is_string(), "{stranger}");
    // As a guest's device does it once: without looking, then compared by its fingerprint.
    let made = authority(&room);
    std::fs::write(&meeting.authority, &made).unwrap();
    for (path, status) in
        [("/trust", 200), ("/authority.crt", 200), ("/", 200), ("/ui/socket", 404), ("/whip/tv", 404)]
    {
        assert_eq!(meeting.look(&["get", path])["status"], status, "{path}");
    }
    let own = format!("https://{}:{}", meeting.net.our_address(), meeting.port);
    for (origin, status) in [("https://evil.example", 403), ("null", 403), ("", 403), (own.as_str(), 101)] {
        assert_eq!(meeting.look(&["upgrade", origin])["status"], status, "{origin}");
    }
}

#[test]
fn a_guest_from_another_machine_waits_is_let_in_and_does_not_come_back_when_sent_out() {
    let Some(room) = room!(needs()) else { return };
    let mut meeting = Meeting::start(&room);
    std::fs::write(&meeting.authority, authority(&room)).unwrap();

    let eve = meeting.guest("eve", "0123456789abcdef0123456789abcdef", "");
    let refused = told(&eve, "the refusal", |line| line["said"] == "fail");
    assert!(refused["data"][0]["info"].as_str().unwrap().contains("not good any more"), "{refused}");
    told(&eve, "the end", |line| line["said"] == "closed");

    meeting.ask(json!({ "ask": "setPassword", "password": "teapot" }));
    let token = meeting.invite(json!({}));
    let bob = meeting.guest("bob", &token, "kettle");
    let refused = told(&bob, "the refusal", |line| line["said"] == "DataStatusEvent");
    assert_eq!(refused["data"][0]["status"], "FAILED");
    assert!(refused["data"][0]["info"].as_str().unwrap().contains("password is wrong"), "{refused}");

    let bob = meeting.guest("bob", &token, "teapot");
    told(&bob, "the lobby", |line| is_room_news(line, "LOBBY"));
    let knocking = meeting.participant("knocking", "bob");
    meeting.ask(json!({ "ask": "admit", "participantId": knocking }));
    told(&bob, "the way in", |line| {
        line["said"] == "DataStatusEvent" && line["data"][0]["status"] == "ACCEPTED"
    });
    told(&bob, "who is there", |line| is_room_news(line, "STATE"));

    let participant = meeting.participant("participants", "bob");
    meeting.ask(json!({ "ask": "remove", "participantId": participant }));
    told(&bob, "that it is out", |line| is_room_news(line, "REMOVED"));
    let again = meeting.guest("bob", &token, "teapot");
    let refused = told(&again, "the refusal", |line| line["said"] == "fail");
    assert!(refused["data"][0]["info"].as_str().unwrap().contains("not good any more"), "{refused}");

    let admitted = meeting.invite(json!({ "admitted": true }));
    let carol = meeting.guest("carol", &admitted, "");
    told(&carol, "the way in", |line| {
        line["said"] == "DataStatusEvent" && line["data"][0]["status"] == "ACCEPTED"
    });
    meeting.ask(json!({ "ask": "revokeInvites" }));
    let late = meeting.guest("dave", &admitted, "");
    told(&late, "the refusal", |line| line["said"] == "fail");
}

/// Of the gateway's data folder.
fn authority(room: &Room) -> String {
    let file = room.dir().join("data/sidetone/authority.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str::<Value>(&text).unwrap()["certificate"].as_str().unwrap().to_owned()
}
