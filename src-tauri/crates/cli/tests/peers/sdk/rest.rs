//! What programs of the REST API send to pages.

use super::{Program, Rig, SILENT, SOON, needs};
use crate::gateway::rest::ask;
use serde_json::{Value, json};
use sidetone_testkit::room;

#[test]
fn data_and_events_of_a_program_reach_sessions_and_those_who_play_a_stream() {
    let Some(room) = room!(needs()) else { return };
    let listen = ["--rest-listen", "127.0.0.1:0"];
    let (rig, line) = Rig::of(&room, Program::start(&room, &[&["gateway"][..], &SILENT, &listen].concat()));
    let rest = line["rest"].as_str().unwrap();
    let rest = rest.split('/').nth(2).unwrap().parse().unwrap();
    let (publishes, plays) = (rig.session(), rig.session());
    let payload = json!({ "text": "ü", "list": [1, { "deep": null }] });
    let to = rig.page.run("connection", &[json!(plays)]);
    let data = json!({ "sessionId": to, "operationId": "o1", "payload": payload });
    assert_eq!(ask(rest, "/data/send", &data).0, 200);
    let is_data = |event: &Value| event["status"] == "APP_DATA";
    let told = rig.page.wait_for("the data", SOON, is_data).unwrap();
    assert_eq!(
        (&told["id"], &told["object"]),
        (&json!(plays), &json!({ "operationId": "o1", "payload": payload }))
    );
    rig.publish(publishes, "cam", json!({}));
    let player = rig.play(plays, "cam");
    let event = json!({ "streamName": "cam", "payload": payload });
    assert_eq!(ask(rest, "/stream/event/send", &event).0, 200);
    let is_of_player = |event: &Value| event["id"] == player && event["name"] == "event";
    let told = rig.page.wait_for("the event", SOON, is_of_player).unwrap();
    assert_eq!((&told["type"], &told["payload"]), (&json!("data"), &payload));
    assert_eq!(rig.page.events().iter().filter(|event| is_data(event)).count(), 1);
    rig.end();
}
