//! `connect`, data, and a backend that is not there.

use super::{SOON, fails, needs, rig, rig_with, session, warned};
use serde_json::{Value, json};
use sidetone_testkit::{Backend, HookReply, room};
use std::time::Duration;

fn statuses(rig: &super::Rig, session: u64) -> Vec<String> {
    let events = rig.page.events();
    let of_session = events.iter().filter(|event| event["name"] == "session" && event["id"] == session);
    of_session.filter_map(|event| event["status"].as_str()).map(String::from).collect()
}

#[test]
fn a_session_that_the_backend_refuses_is_told_why_and_closed() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    for (body, info) in
        [("", "Forbidden"), (r#"{"status":403,"reason":"not before nine"}"#, "not before nine")]
    {
        backend.rule("connect", HookReply::Status(403, "Forbidden", body));
        let session = rig.page.connect(&json!({ "urlServer": rig.url, "appKey": "ourApp" }));
        let warned = rig.page.status(session, "WARN", SOON).unwrap();
        assert_eq!(
            (&warned["info"], &warned["object"]["apiMethod"]),
            (&json!(info), &json!("ConnectionStatusEvent"))
        );
        rig.page.status(session, "DISCONNECTED", SOON).unwrap();
        assert_eq!(statuses(&rig, session), ["CONNECTED", "WARN", "DISCONNECTED"]);
        let asked = backend.hears("connect", SOON, |body| body["appKey"] == "ourApp").unwrap();
        let failed = backend.hears("ConnectionStatusEvent", SOON, |body| body["status"] == "FAILED").unwrap();
        assert_eq!((&failed["sessionId"], &failed["info"]), (&asked["sessionId"], &json!(info)));
        assert_eq!(asked["appKey"], "ourApp");
    }
    rig.end();
}

/// Its words take the place of the page's; the page reads its login back.
#[test]
fn a_session_has_the_account_that_the_backend_gives_it() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let mut rig = rig(&room, &backend, "");
    backend.rule(
        "connect",
        HookReply::With(json!({
            "sipLogin": "carol", "sipDomain": "127.0.0.1", "sipPort": 9, "sipRegisterRequired": false,
            "restClientConfig": { "connect": { "clientExclude": "custom" } },
        })),
    );
    let session = rig.page.connect(&json!({
        "urlServer": rig.url, "appKey": "ourApp", "custom": { "user": "a" },
        "sipOptions": { "login": "alice", "password": "swordfish", "domain": "10.9.9.9", "registerRequired": true },
    }));
    let event = rig.page.status(session, "ESTABLISHED", SOON).unwrap();
    assert_eq!((&event["object"]["sipLogin"], &event["object"]["custom"]), (&json!("carol"), &Value::Null));
    let asked = backend.hears("connect", SOON, |body| body["appKey"] == "ourApp").unwrap();
    assert_eq!((&asked["sipLogin"], &asked["custom"]), (&json!("alice"), &json!({ "user": "a" })));
    for field in ["nodeId", "sessionId", "mediaProviders", "clientVersion", "clientBrowserVersion", "origin"]
    {
        assert!(!asked[field].is_null(), "{field} of {asked}");
    }
    let stands =
        backend.hears("ConnectionStatusEvent", SOON, |body| body["status"] == "ESTABLISHED").unwrap();
    assert_eq!((&stands["sessionId"], &stands["appKey"]), (&event["object"]["sessionId"], &json!("ourApp")));
    assert_eq!(stands["sipLogin"], "carol");
    let options = json!({ "callee": "bob", "visibleName": "Carol" });
    let call = rig.page.run("dial", &[json!(session), options]).as_u64().unwrap();
    let trying = rig.page.status(call, "TRYING", SOON).unwrap();
    assert_eq!(trying["caller"], "carol");
    let called = backend.hears("call", SOON, |_| true).unwrap();
    assert_eq!((&called["caller"], &called["callee"]), (&json!("carol"), &json!("bob")));
    rig.page.tell(session, "disconnect", &[]);
    rig.gateway_is("its end", |view| view["clientCount"] == 0);
    backend
        .hears("ConnectionStatusEvent", SOON, |body| {
            body["status"] == "DISCONNECTED" && body["sessionId"] == event["object"]["sessionId"]
        })
        .unwrap();
    let heard = format!("{:?}", backend.heard());
    assert!(!heard.contains("swordfish"), "{heard}");
    rig.end();
}

#[test]
fn data_is_the_backends_to_accept() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let sent = |from: u64, payload: Value| {
        rig.page.run("send", &[json!(from), payload]);
        rig.page.wait_for("the promise", SOON, |event| event["name"] == "promise").unwrap()
    };
    let strict = session(&rig, &backend, &fails("OnDataEvent"), json!({}));
    assert_eq!(sent(strict, json!({ "order": 7 }))["result"], "resolved");
    let heard = backend.hears("OnDataEvent", SOON, |_| true).unwrap();
    assert_eq!((&heard["payload"], &heard["incoming"]), (&json!({ "order": 7 }), &json!(false)));
    backend
        .hears("DataStatusEvent", SOON, |body| {
            body["status"] == "ACCEPTED" && body["operationId"] == heard["operationId"]
        })
        .unwrap();
    let lax = session(&rig, &backend, &json!({}), json!({}));
    backend.refuse("OnDataEvent");
    let refused = sent(strict, json!({ "order": 8 }));
    assert_eq!(
        (&refused["result"], &refused["value"]["info"]),
        (&json!("rejected"), &json!("not before nine"))
    );
    assert_eq!(sent(lax, json!({ "order": 9 }))["result"], "resolved");
    // What is for another session is asked of that one's behalf, too.
    backend.allow("OnDataEvent");
    let to = rig.page.run("connection", &[json!(lax)]);
    assert_eq!(sent(strict, json!({ "to": to, "body": "hello" }))["result"], "resolved");
    for incoming in [false, true] {
        let heard = backend.hears("OnDataEvent", SOON, |body| body["payload"]["body"] == "hello").unwrap();
        assert_eq!((&heard["incoming"], heard["sessionId"] == to), (&json!(incoming), incoming), "{heard}");
    }
    rig.end();
}

#[test]
fn without_the_backend_sessions_are_refused_and_the_rest_does_as_it_was_told() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    // A question without an answer for 16 s is one for 3 s, too: the limit is ours.
    let rig = rig_with(&room, &backend, "timeoutMs = 3000");
    let strict = session(&rig, &backend, &fails("publishStream"), json!({}));
    let lax = session(&rig, &backend, &json!({}), json!({}));
    let publish = |session: u64, name: &str| {
        let stream = rig.page.publish(session, &json!({ "name": name }));
        let is_verdict = |event: &Value| event["status"] == "PUBLISHING" || event["status"] == "FAILED";
        rig.page.wait_for(name, SOON, |event| event["id"] == stream && is_verdict(event)).unwrap()
    };
    backend.rule("publishStream", HookReply::Silence);
    let late = publish(strict, "late");
    assert_eq!(
        (&late["status"], &late["info"]),
        (&json!("FAILED"), &json!("the backend did not answer in time"))
    );
    assert_eq!(warned(&rig, strict)["object"]["apiMethod"], "StreamStatusEvent");
    assert_eq!(publish(lax, "late")["status"], "PUBLISHING");
    drop(backend);
    assert_eq!(publish(strict, "gone")["status"], "FAILED");
    assert_eq!(publish(lax, "gone")["status"], "PUBLISHING");
    let refused = rig.page.connect(&json!({ "urlServer": rig.url }));
    let warned = rig.page.status(refused, "WARN", Duration::from_secs(30)).unwrap();
    assert!(!warned["info"].as_str().unwrap_or_default().is_empty(), "{warned}");
    rig.page.status(refused, "DISCONNECTED", SOON).unwrap();
    rig.end();
}
