//! What pages send for whoever looks into their troubles.

use super::{SOON, fails, needs, rig, session, warned};
use serde_json::{Value, json};
use sidetone_testkit::{Backend, HookReply, Room, room, until};
use std::time::Duration;

/// As much as one batch of lines has, and what is said of those that are left out.
const BATCH: usize = 16 * 1024 + 64;

/// Until the backend has heard so many.
fn hears_many(backend: &Backend, hook: &str, many: usize) -> Vec<Value> {
    let all = || {
        let of_hook = backend.heard().into_iter().filter(|heard| heard.hook == hook);
        of_hook.map(|heard| heard.body).collect::<Vec<_>>()
    };
    until(hook, SOON, || Some(all()).filter(|all| all.len() >= many)).unwrap()
}

fn debugged(rig: &super::Rig, session: u64) -> Value {
    rig.page.status(session, "DEBUG", SOON).unwrap()["object"].clone()
}

/// A report is kept here with what happened, unless the backend will not have it; debug logs are not, and nobody is told that they were.
#[test]
fn reports_are_kept_and_are_the_backends_to_refuse_and_no_debug_log_is_said_to_be_kept() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let fail = json!({ "restOnError": "FAIL" });
    let config = json!({ "submitBugReport": fail, "sessionDebug": fail });
    let strict = session(&rig, &backend, &config, json!({}));
    let lax = session(&rig, &backend, &json!({}), json!({}));
    let id = |session: u64| rig.page.run("connection", &[json!(session)]);
    let report = json!({ "text": "no sound", "type": "call", "nodeId": "mine", "more": { "deep": [1] } });
    for (from, refuses, is_kept) in
        [(lax, false, true), (strict, false, true), (lax, true, true), (strict, true, false)]
    {
        if refuses {
            backend.refuse("submitBugReport");
        }
        rig.page.tell(from, "submitBugReport", std::slice::from_ref(&report));
        let asked = backend.hears("submitBugReport", SOON, |body| body["sessionId"] == id(from)).unwrap();
        for field in ["text", "type", "more"] {
            assert_eq!(asked[field], report[field]);
        }
        assert_ne!(asked["nodeId"], "mine");
        let told = backend.hears("BugReportStatusEvent", SOON, |body| body["sessionId"] == id(from)).unwrap();
        if is_kept {
            let file = told["filename"].as_str().unwrap();
            assert_eq!(told["status"], file);
            assert!(file.starts_with("report-page-") && file.ends_with(".zip"), "{file}");
        } else {
            assert_eq!((&told["status"], &told["info"]), (&json!("FAILED"), &json!("not before nine")));
            let warning = warned(&rig, from);
            assert_eq!(
                (&warning["object"]["apiMethod"], &warning["info"]),
                (&json!("BugReportStatusEvent"), &json!("not before nine"))
            );
        }
    }
    for (from, refuses) in [(lax, false), (strict, false), (lax, true), (strict, true)] {
        if refuses {
            backend.refuse("sessionDebug");
        }
        for (method, command) in [("startDebug", "start"), ("stopDebug", "stop")] {
            rig.page.tell(from, method, &[]);
            let info =
                if refuses && from == strict { "not before nine" } else { "debug logs are not kept here" };
            if refuses && from == strict {
                let warning = warned(&rig, from);
                let told = (&warning["object"]["apiMethod"], &warning["info"]);
                assert_eq!(told, (&json!("SessionDebugStatusEvent"), &json!(info)));
            } else {
                assert_eq!(debugged(&rig, from), json!({ "status": "STOPPED", "info": info }));
            }
            let of_session = |body: &Value| body["sessionId"] == id(from);
            assert_eq!(backend.hears("sessionDebug", SOON, of_session).unwrap()["command"], command);
            let told = backend.hears("SessionDebugStatusEvent", SOON, of_session).unwrap();
            assert_eq!((&told["status"], &told["info"]), (&json!("STOPPED"), &json!(info)));
        }
    }
    rig.end();
}

/// Also where the backend does not answer them: everything else goes on.
#[test]
fn lines_of_logs_go_to_the_backend_in_batches_and_nobody_waits_for_them() {
    let Some(room) = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let session = session(&rig, &backend, &fails("pushLogs"), json!({}));
    let id = rig.page.run("connection", &[json!(session)]);
    rig.page.tell(session, "startDebug", &[]);
    let first = backend.hears("pushLogs", SOON, |body| body["sessionId"] == id).unwrap();
    let lines = first["logs"].as_str().unwrap();
    assert!(lines.lines().count() > 1 && lines.ends_with('\n'), "the SDK's own lines: {lines}");
    backend.rule("pushLogs", HookReply::Silence);
    // 4 MB of lines.
    let line = "x".repeat(2_000);
    rig.page.driver().script(
        "for (let n = 0; n < 2000; n++) sockets[0].send(JSON.stringify({ message: 'pushLogs', data: [{ logs: arguments[0] + '\\n' }] }))",
        &[json!(line)],
    );
    for name in ["one", "other"] {
        rig.publish(session, name, json!({}));
        let is_told = |body: &Value| body["name"] == name && body["status"] == "PUBLISHING";
        backend.hears("StreamStatusEvent", SOON, is_told).unwrap();
    }
    let silent = hears_many(&backend, "pushLogs", 2).len();
    backend.allow("pushLogs");
    let is_short = |body: &Value| body["logs"].as_str().is_some_and(|logs| logs.len() <= BATCH);
    let left_out =
        |body: &Value| body["logs"].as_str().is_some_and(|logs| logs.contains("lines were left out"));
    until("what was left out", Duration::from_secs(60), || {
        rig.page.send_raw(0, "pushLogs", &json!({ "logs": "one more\n" }));
        hears_many(&backend, "pushLogs", silent).iter().any(left_out).then_some(())
    })
    .unwrap();
    let heard = hears_many(&backend, "pushLogs", silent);
    assert!(heard.iter().all(is_short));
    // A refusal is nothing that a page would have to log.
    backend.refuse("pushLogs");
    let before = heard.len();
    rig.page.send_raw(0, "pushLogs", &json!({ "logs": "refused\n" }));
    hears_many(&backend, "pushLogs", before + 1);
    rig.page.tell(session, "submitBugReport", &[json!({ "text": "last" })]);
    backend.hears("BugReportStatusEvent", SOON, |body| body["filename"].is_string()).unwrap();
    rig.end();
}

/// Those that a logger says before the session stands, too.
#[test]
fn lines_that_come_before_the_session_are_not_lost_and_those_that_nobody_wants_go_nowhere() {
    let Some(room): Option<Room> = room!(needs()) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "");
    let disabled = json!({ "pushLogs": { "restPolicy": "DISABLE" } });
    let unwanted = session(&rig, &backend, &disabled, json!({}));
    rig.page.send_raw(0, "pushLogs", &json!({ "logs": "for nobody\n" }));
    backend.configure(&json!({}));
    rig.page.driver().script(
        "const socket = new WebSocket(arguments[0])
         const say = (message, data) => socket.send(JSON.stringify({ message, data: [data] }))
         socket.onopen = () => { say('pushLogs', { logs: 'early\\n' }); say('connection', { appKey: 'early' }); say('pushLogs', { logs: 'late\\n' }) }",
        &[json!(rig.url)],
    );
    let logs = backend.hears("pushLogs", SOON, |body| body["appKey"] == "early").unwrap();
    assert_eq!(logs["logs"], "early\nlate\n");
    rig.page.tell(unwanted, "submitBugReport", &[json!({})]);
    backend.hears("BugReportStatusEvent", SOON, |body| body["filename"].is_string()).unwrap();
    assert!(!format!("{:?}", backend.heard()).contains("for nobody"));
    rig.end();
}
