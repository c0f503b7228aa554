//! A phone that dials a meeting.

use super::{Program, SOON};
use crate::audio::CORRELATED;
use serde_json::{Value, json};
use sidetone_testkit::{
    Baresip, BaresipOptions, Needs,
    audio::{hear, speech_like},
    room,
};

#[test]
fn a_phone_that_dials_a_room_waits_to_be_let_in_and_mutes_itself_by_its_keys() {
    let Some(room) = room!(Needs::tools(&["baresip"]).network().alone()) else { return };
    let voice = speech_like(2.5, 16_000);
    let path = room.dir().join("voice.wav");
    voice.write(&path).unwrap();
    let arguments = ["gateway", "--commands", "--mic", "silence", "--speaker", "null"];
    let mut program = Program::start(&room, &arguments);
    let (_, line) = program.wait("its addresses", |line| line["http"].is_string());
    let sip = line["sip"].as_str().unwrap().to_owned();
    let source = format!("loop:{}", path.display());
    let joined = program.ask(&json!({ "command": "joinRoom", "name": "tea", "login": "host",
        "sources": { "audio": [{ "source": source, "gain": 1.0 }] } }));
    let id = joined["reply"]["roomId"].as_str().unwrap_or_else(|| panic!("{joined}")).to_owned();
    let ask = |program: &mut Program, ask: Value| {
        let reply = program.ask(&json!({ "command": "askRoom", "roomId": id, "room": ask }));
        assert!(reply["reply"].is_object(), "{reply}");
    };
    let knocks = |program: &mut Program| {
        let (_, line) = program.wait("who waits", |line| line["room"]["knocking"][0]["login"] == "bob");
        line["room"]["knocking"][0]["participantId"].clone()
    };
    let options = BaresipOptions { registrar: Some(sip.parse().unwrap()), ..BaresipOptions::default() };
    let mut bob = Baresip::start(room.dir(), &options).unwrap();
    bob.dial(&format!("sip:room-coffee@{sip}")).unwrap();
    assert!(bob.wait_event("CALL_CLOSED", SOON).unwrap().text("param").contains("404"));
    bob.dial(&format!("sip:room-tea@{sip}")).unwrap();
    let waiting = knocks(&mut program);
    ask(&mut program, json!({ "ask": "refuse", "participantId": waiting }));
    assert!(bob.wait_event("CALL_CLOSED", SOON).unwrap().text("param").contains("403"));
    program.wait("nobody waits", |line| line["room"]["knocking"] == json!([]));
    bob.dial(&format!("sip:room-tea@{sip}")).unwrap();
    let waiting = knocks(&mut program);
    ask(&mut program, json!({ "ask": "admit", "participantId": waiting }));
    bob.wait_event("CALL_ESTABLISHED", SOON).unwrap();
    let of_bob = |line: &Value, muted: bool| {
        let bob = &line["room"]["participants"][1];
        bob["kind"] == "phone" && bob["audioMuted"] == muted && bob["streams"][0]["streamId"].is_string()
    };
    let (_, line) = program.wait("him", |line| of_bob(line, false));
    assert_eq!(line["room"]["participants"][1]["callId"], Value::Null);
    bob.wait_heard(7.0, SOON).unwrap();
    for muted in [true, false] {
        for key in ["*", "6"] {
            bob.command("sndcode", key).unwrap();
        }
        program.wait("his keys", |line| of_bob(line, muted));
    }
    ask(&mut program, json!({ "ask": "remove", "participantId": waiting }));
    bob.wait_event("CALL_CLOSED", SOON).unwrap();
    program.wait("that he is gone", |line| {
        line["room"]["participants"].as_array().is_some_and(|all| all.len() == 1)
    });
    let words = hear(&voice, &bob.recordings().unwrap().1);
    assert!(words.peak > CORRELATED, "{words:?}");
}
