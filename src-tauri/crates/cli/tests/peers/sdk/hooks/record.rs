//! One run of pages through all rows of the contract, before a backend that records: a session that is registered for calls, and
//! one for streams.

use super::{super::calls, SOON, needs, rig};
use serde_json::{Value, json};
use sidetone_testkit::{
    AnswerMode, Backend, Baresip, BaresipOptions, Heard, Kamailio, KamailioOptions, Sipp, SippOptions, room,
    until,
};
use std::collections::{BTreeMap, BTreeSet};

const COMMON: &str = "nodeId appKey sessionId";
const CONNECTION: &str = "mediaProviders clientVersion clientOSVersion clientBrowserVersion msePacketizationVersion keepAlive origin";
const TUNNELS: &str = "useWsTunnel useWsTunnelPacketization2 useBase64BinaryEncoding";
const SIP: &str = "sipLogin sipAuthenticationName sipDomain sipOutboundProxy sipPort sipRegisterRequired";
const STREAM: &str = "mediaSessionId name published hasVideo hasAudio status info record width height bitrate minBitrate \
    maxBitrate quality history gop fps audioBitrate codecImpl transport cvoExtension createDate mediaType audioState \
    videoState mediaProvider";
const CODECS: &str = "audioCodec videoCodec";
const CALL: &str =
    "callId incoming status caller callee visibleName hasAudio hasVideo mediaProvider isMsrp holdForTransfer";

/// What the protocol says that a hook of the session has, and what of it only some have.
fn documented(heard: &Heard) -> (BTreeSet<String>, &'static str) {
    let is_of_calls = heard.body["sipLogin"] == "alice";
    let connection = if is_of_calls { [CONNECTION, SIP].join(" ") } else { CONNECTION.to_owned() };
    let (fields, some) = match heard.hook.as_str() {
        "connect" => (format!("{connection} {TUNNELS}"), "custom"),
        "ConnectionStatusEvent" | "RegistrationStatusEvent" => {
            (format!("{connection} authToken status info"), "custom")
        }
        "publishStream" | "playStream" => (format!("{STREAM} sdp"), "custom"),
        "pauseStream"
        | "stopStream"
        | "unPublishStream"
        | "snapshot"
        | "StreamStatusEvent"
        | "StreamKeepAliveEvent" => (format!("{STREAM} {CODECS}"), "custom"),
        "call" => (format!("{CALL} sdp inviteParameters"), "custom"),
        "OnCallEvent" => (format!("{CALL} sdp"), ""),
        "answer" | "hold" | "unhold" | "hangup" => (CALL.to_owned(), "custom"),
        "sendDtmf" => (format!("{CALL} dtmf type"), "custom"),
        "transfer" => (format!("{CALL} target"), "custom"),
        "CallStatusEvent" => (format!("{CALL} info"), "custom sipStatus sipMessageRaw"),
        "TransferStatusEvent" => ("callId target status info".into(), ""),
        "OnDataEvent" => ("operationId payload incoming".into(), ""),
        "DataStatusEvent" => ("operationId status info".into(), ""),
        "submitBugReport" => ("text type".into(), ""),
        "BugReportStatusEvent" => ("status info filename".into(), ""),
        "SessionDebugStatusEvent" => ("status info".into(), ""),
        "sessionDebug" => ("command".into(), ""),
        "pushLogs" => ("logs".into(), ""),
        other => panic!("{other} is no hook of the contract"),
    };
    (words(&format!("{COMMON} {fields}")), some)
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// What comes whenever it does: answers that are only under way, signs of life, lines of logs.
fn is_incidental(line: &str) -> bool {
    ["CallStatusEvent TRYING", "StreamKeepAliveEvent", "pushLogs"]
        .iter()
        .any(|incidental| line.starts_with(incidental))
}

/// A hook, and its status where it is an event.
fn line(heard: &Heard) -> String {
    match heard.body["status"].as_str() {
        Some(file) if file.starts_with("report-page-") => format!("{} FILE", heard.hook),
        Some(status) if heard.hook.ends_with("StatusEvent") => format!("{} {status}", heard.hook),
        _ => heard.hook.clone(),
    }
}

/// The lines of each stream, call, message and session, in order; objects as they were heard of first.
fn by_object(heard: &[Heard]) -> Vec<Vec<String>> {
    let (mut order, mut lines) = (Vec::new(), BTreeMap::<String, Vec<String>>::new());
    for heard in heard {
        let of = |key: &str| heard.body[key].as_str();
        let object = match of("mediaSessionId").or(of("callId")).or(of("operationId")) {
            Some(id) => id.to_owned(),
            None => {
                let kind = match heard.hook.as_str() {
                    "submitBugReport" | "BugReportStatusEvent" => "report",
                    "sessionDebug" | "SessionDebugStatusEvent" => "debug",
                    _ => "session",
                };
                format!("{kind} {}", heard.body["sessionId"])
            }
        };
        if !lines.contains_key(&object) {
            order.push(object.clone());
        }
        lines.entry(object).or_default().push(line(heard));
    }
    order.iter().filter_map(|object| lines.remove(object)).collect()
}

#[test]
#[allow(clippy::too_many_lines)]
fn a_run_of_two_sessions_through_all_rows_is_recorded_hook_for_hook_with_the_documented_fields() {
    let Some(room) = room!(needs().and(&["baresip", "kamailio", "sipp"])) else { return };
    let backend = Backend::start().unwrap();
    let rig = rig(&room, &backend, "keepAliveSeconds = 1");
    let proxy = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let answer = AnswerMode::Manual;
    let mut bob =
        Baresip::start(room.dir(), &BaresipOptions { answer, ..BaresipOptions::default() }).unwrap();
    let told = |hook: &str, status: &str| backend.hears(hook, SOON, |body| body["status"] == status).unwrap();
    let of_stream = |status: &str| told("StreamStatusEvent", status);
    let of_call = |status: &str| told("CallStatusEvent", status);

    // The session for streams.
    let streams = rig.session();
    told("ConnectionStatusEvent", "ESTABLISHED");
    let publisher = rig.publish(streams, "tv", json!({ "custom": { "of": "ours" } }));
    of_stream("PUBLISHING");
    told("StreamKeepAliveEvent", "PUBLISHING");
    let player = rig.play(streams, "tv");
    let id = of_stream("PLAYING")["mediaSessionId"].clone();
    told("StreamKeepAliveEvent", "PLAYING");
    rig.page.tell(player, "snapshot", &[]);
    of_stream("SNAPSHOT_COMPLETE");
    rig.page.send_raw(0, "pauseStream", &json!({ "mediaSessionId": id, "name": "tv" }));
    of_stream("PAUSED");
    rig.page.tell(player, "stop", &[]);
    of_stream("STOPPED");
    rig.page.tell(publisher, "stop", &[]);
    of_stream("UNPUBLISHED");

    // The session for calls.
    let calls = rig.session_with(json!({ "sipOptions": calls::account(&proxy, "secret") }));
    rig.page.status(calls, "REGISTERED", SOON).unwrap();
    told("RegistrationStatusEvent", "REGISTERED");
    let call = calls::dial_with(&rig, calls, &bob.uri(), json!({}));
    of_call("RING");
    bob.answer().unwrap();
    of_call("ESTABLISHED");
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "sendDTMF", &[json!("5"), json!("RFC2833")]);
    backend.hears("sendDtmf", SOON, |_| true).unwrap();
    rig.page.tell(call, "hold", &[]);
    of_call("HOLD");
    rig.page.tell(call, "unhold", &[]);
    of_call("ESTABLISHED");
    rig.page.tell(call, "hangup", &[]);
    of_call("FINISH");
    bob.wait_event("CALL_CLOSED", SOON).unwrap();

    let options = SippOptions { scenario: "uas_progress.xml", hold_ms: 200, ..SippOptions::default() };
    let mut early = Sipp::start(room.dir(), &options).unwrap();
    let call = calls::dial_with(&rig, calls, &format!("sip:early@{}", early.address()), json!({}));
    of_call("SESSION_PROGRESS");
    of_call("ESTABLISHED");
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "hangup", &[]);
    of_call("FINISH");
    assert!(early.wait(SOON).unwrap().is_clean(1));

    let keys = vec![("wanted", "sip:carol@127.0.0.1:5099".to_owned())];
    let options = SippOptions { scenario: "uas_referred.xml", keys, echo: true, ..SippOptions::default() };
    let mut referred = Sipp::start(room.dir(), &options).unwrap();
    let call = calls::dial_with(&rig, calls, &format!("sip:bob@{}", referred.address()), json!({}));
    of_call("ESTABLISHED");
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "transfer", &[json!("sip:carol@127.0.0.1:5099")]);
    told("TransferStatusEvent", "COMPLETED");
    let ended = of_call("FINISH");
    assert!(referred.wait(SOON).unwrap().is_clean(1));
    assert_eq!(ended.get("sipMessageRaw"), None, "it was hung up here");

    bob.dial(&proxy.aor("alice")).unwrap();
    let came = |event: &Value| event["name"] == "incoming" && event["session"] == calls;
    let call = rig.page.wait_for("a call", SOON, came).unwrap()["id"].as_u64().unwrap();
    of_call("RING");
    rig.page.status(call, "RING", SOON).unwrap();
    rig.page.run("answer", &[json!(call), json!({})]);
    of_call("ESTABLISHED");
    rig.page.status(call, "ESTABLISHED", SOON).unwrap();
    rig.page.tell(call, "hangup", &[]);
    of_call("FINISH");
    bob.wait_event("CALL_CLOSED", SOON).unwrap();

    // Data, from one to the other.
    let to = rig.page.run("connection", &[json!(calls)]);
    rig.page.run("send", &[json!(streams), json!({ "to": to, "body": "hello" })]);
    told("DataStatusEvent", "ACCEPTED");

    // Diagnostics.
    rig.page.tell(streams, "submitBugReport", &[json!({ "text": "no sound", "type": "stream" })]);
    let kept = |body: &Value| body["filename"].is_string() && body["status"] == body["filename"];
    backend.hears("BugReportStatusEvent", SOON, kept).unwrap();
    for method in ["startDebug", "stopDebug"] {
        rig.page.tell(streams, method, &[]);
        told("SessionDebugStatusEvent", "STOPPED");
    }
    // They go over the connection that was opened last.
    let of_calls = rig.page.run("connection", &[json!(calls)]);
    backend.hears("pushLogs", SOON, |body| body["sessionId"] == of_calls).unwrap();

    for session in [calls, streams] {
        rig.page.tell(session, "disconnect", &[]);
        told("ConnectionStatusEvent", "DISCONNECTED");
    }
    until("the account's end", SOON, || {
        backend.hooks().iter().any(|line| line == "RegistrationStatusEvent UNREGISTERED").then_some(())
    })
    .unwrap();

    let of_pages = |heard: &Heard| heard.body["sipLogin"] != "local" && heard.body["appKey"] == "defaultApp";
    let all: Vec<_> = backend.heard().into_iter().filter(of_pages).collect();
    let own: Vec<_> = all.iter().filter(|heard| !is_incidental(&line(heard))).cloned().collect();
    let expected: [&[&str]; 12] = [
        &["connect", "ConnectionStatusEvent ESTABLISHED", "ConnectionStatusEvent DISCONNECTED"],
        &[
            "publishStream",
            "StreamStatusEvent PUBLISHING",
            "unPublishStream",
            "StreamStatusEvent UNPUBLISHED",
        ],
        &[
            "playStream",
            "StreamStatusEvent PLAYING",
            "snapshot",
            "StreamStatusEvent SNAPSHOT_COMPLETE",
            "pauseStream",
            "StreamStatusEvent PAUSED",
            "stopStream",
            "StreamStatusEvent STOPPED",
        ],
        &[
            "connect",
            "ConnectionStatusEvent ESTABLISHED",
            "RegistrationStatusEvent REGISTERED",
            "ConnectionStatusEvent DISCONNECTED",
            "RegistrationStatusEvent UNREGISTERED",
        ],
        &[
            "call",
            "CallStatusEvent RING",
            "CallStatusEvent ESTABLISHED",
            "sendDtmf",
            "hold",
            "CallStatusEvent HOLD",
            "unhold",
            "CallStatusEvent ESTABLISHED",
            "hangup",
            "CallStatusEvent FINISH",
        ],
        &[
            "call",
            "CallStatusEvent SESSION_PROGRESS",
            "CallStatusEvent ESTABLISHED",
            "hangup",
            "CallStatusEvent FINISH",
        ],
        &[
            "call",
            "CallStatusEvent ESTABLISHED",
            "transfer",
            "CallStatusEvent HOLD",
            "TransferStatusEvent ACCEPTED",
            "TransferStatusEvent TRYING",
            "TransferStatusEvent COMPLETED",
            "CallStatusEvent FINISH",
        ],
        &[
            "OnCallEvent",
            "CallStatusEvent RING",
            "answer",
            "CallStatusEvent ESTABLISHED",
            "hangup",
            "CallStatusEvent FINISH",
        ],
        &["OnDataEvent", "DataStatusEvent ACCEPTED"],
        &["OnDataEvent"],
        &["submitBugReport", "BugReportStatusEvent FILE"],
        &[
            "sessionDebug",
            "SessionDebugStatusEvent STOPPED",
            "sessionDebug",
            "SessionDebugStatusEvent STOPPED",
        ],
    ];
    assert_eq!(by_object(&own), expected);
    for heard in &all {
        let (wanted, some) = documented(heard);
        let there: BTreeSet<String> = heard.body.as_object().unwrap().keys().cloned().collect();
        let known: BTreeSet<String> = wanted.union(&words(some)).cloned().collect();
        let (missing, unknown): (Vec<_>, Vec<_>) =
            (wanted.difference(&there).collect(), there.difference(&known).collect());
        assert!(missing.is_empty() && unknown.is_empty(), "{heard:?} lacks {missing:?} and has {unknown:?}");
        assert!(!heard.body.to_string().contains("secret"), "{heard:?}");
    }
    rig.end();
}
