//! One run of our client through all rows of the contract, before a backend that records.

use crate::{
    backend::{Backend, Reply},
    kit::{Phone, account, quiet},
    peer::{Peer, sdp},
    wcs_hostile::{self, connect, server, text},
};
use serde_json::json;
use sidetone_api::{Account, CallStatus, Command, DataStatus, Event, StreamStatus, TransferStatus};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Event as SipEvent, MessageRequest};
use std::{collections::HashSet, time::Instant};

const COMMON: [&str; 3] = ["nodeId", "appKey", "sessionId"];
const CONNECTION: [&str; 12] = [
    "mediaProviders",
    "clientVersion",
    "clientOSVersion",
    "clientBrowserVersion",
    "keepAlive",
    "useWsTunnel",
    "useWsTunnelPacketization2",
    "useBase64BinaryEncoding",
    "sipLogin",
    "sipAuthenticationName",
    "sipDomain",
    "sipRegisterRequired",
];
const STREAM: [&str; 24] = [
    "mediaSessionId",
    "name",
    "published",
    "hasVideo",
    "hasAudio",
    "status",
    "record",
    "width",
    "height",
    "bitrate",
    "minBitrate",
    "maxBitrate",
    "quality",
    "mediaProvider",
    "history",
    "gop",
    "fps",
    "audioBitrate",
    "codecImpl",
    "transport",
    "createDate",
    "mediaType",
    "audioState",
    "videoState",
];
const CALL: [&str; 11] = [
    "callId",
    "incoming",
    "status",
    "caller",
    "callee",
    "visibleName",
    "hasAudio",
    "hasVideo",
    "mediaProvider",
    "isMsrp",
    "holdForTransfer",
];

/// What the protocol says that each hook has, besides what all have.
fn documented(hook: &str) -> Vec<&'static str> {
    let with = |own: &[&'static str], more: &[&'static str]| [own, more].concat();
    match hook {
        "connect" => CONNECTION.to_vec(),
        "ConnectionStatusEvent" | "RegistrationStatusEvent" => with(&CONNECTION, &["status", "info"]),
        "publishStream" | "playStream" | "pauseStream" | "stopStream" | "unPublishStream" | "snapshot" => {
            STREAM.to_vec()
        }
        "StreamStatusEvent" => with(&STREAM, &["info", "audioCodec", "videoCodec", "cvoExtension"]),
        "StreamKeepAliveEvent" => with(&STREAM, &["audioCodec", "videoCodec"]),
        "call" => with(&CALL, &["inviteParameters"]),
        "OnCallEvent" => with(&CALL, &["sdp"]),
        "answer" | "hold" | "unhold" | "hangup" => CALL.to_vec(),
        "sendDtmf" => with(&CALL, &["dtmf", "type"]),
        "transfer" => with(&CALL, &["target"]),
        "CallStatusEvent" => with(&CALL, &["info"]),
        "TransferStatusEvent" => vec!["callId", "target", "status", "info"],
        "OnDataEvent" => vec!["operationId", "payload", "incoming"],
        "DataStatusEvent" => vec!["operationId", "status", "info"],
        "sessionDebug" => vec!["command"],
        "pushLogs" => vec!["logs"],
        "SessionDebugStatusEvent" => vec!["status", "info"],
        other => panic!("{other} is no hook of the contract"),
    }
}

/// What comes whenever it does: answers that are only under way, signs of life, lines of logs.
fn is_incidental(line: &str) -> bool {
    line == "CallStatusEvent TRYING" || line.starts_with("StreamKeepAliveEvent") || line == "pushLogs"
}

#[tokio::test]
async fn a_run_through_all_rows_is_recorded_hook_for_hook_with_the_documented_fields() {
    let (mut bob, mut backend) = (Peer::registrar("1001", "a word").await, Backend::start().await);
    let (host, port) = (bob.address().ip().to_string(), bob.address().port());
    backend.rule(
        "connect",
        Reply::With(json!({"sipLogin": "1001", "sipAuthenticationName": "1001", "sipPassword": "a word",
                           "sipDomain": host, "sipPort": port, "sipRegisterRequired": true})),
    );
    let folder = tempfile::tempdir().unwrap();
    let mut settings = quiet();
    settings.accounts.push(Account { register: false, ..account("alice", "127.0.0.1:9".parse().unwrap()) });
    settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    settings.video.folder = folder.path().display().to_string();
    (settings.video.width, settings.video.height) = (320, 180);
    settings.hooks.url = backend.url();
    settings.hooks.keep_alive_seconds = 1;
    let mut phone = Phone::start(settings).await;
    // Session.
    bob.serve_while(backend.hears_status("RegistrationStatusEvent", "REGISTERED")).await;

    // Streams.
    let published = phone.published("tv").await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "PUBLISHING")).await;
    bob.serve_while(backend.hears_status("StreamKeepAliveEvent", "PUBLISHING")).await;
    let played = phone.played("tv").await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "PLAYING")).await;
    bob.serve_while(backend.hears_status("StreamKeepAliveEvent", "PLAYING")).await;
    phone.done(Command::Snapshot { stream_id: played.clone() }).await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "SNAPSHOT_COMPLETE")).await;
    phone.done(Command::PauseStream { stream_id: played.clone(), paused: true }).await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "PAUSED")).await;
    phone.done(Command::StopStream { stream_id: played.clone() }).await;
    bob.serve_while(phone.stream_status(&played, StreamStatus::Stopped)).await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "STOPPED")).await;
    phone.done(Command::UnPublishStream { stream_id: published }).await;
    bob.serve_while(backend.hears_status("StreamStatusEvent", "UNPUBLISHED")).await;

    // A call of ours.
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.progress(sip, 180, None);
    bob.serve_while(backend.hears_status("CallStatusEvent", "RING")).await;
    bob.progress(sip, 183, None);
    bob.serve_while(backend.hears_status("CallStatusEvent", "SESSION_PROGRESS")).await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.serve_while(backend.hears_status("CallStatusEvent", "ESTABLISHED")).await;
    phone.done(Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() }).await;
    bob.serve_while(backend.hears("sendDtmf")).await;
    phone.hold(&call).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "HOLD")).await;
    phone.unhold(&call).await;
    bob.agree("sendrecv", "sendrecv").await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "ESTABLISHED")).await;
    phone.done(Command::Transfer { call_id: call.clone(), target: bob.uri("carol") }).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "HOLD")).await;
    bob.referred().await;
    assert!(bob.ua.accept_refer(Instant::now(), sip));
    bob.serve_while(backend.hears_status("TransferStatusEvent", "TRYING")).await;
    bob.ua.notify_refer(Instant::now(), sip, 200, "OK");
    bob.serve_while(phone.transfer(&call, TransferStatus::Completed)).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "FINISH")).await;

    // One that comes.
    let here = format!("sip:1001@{}", phone.address());
    bob.invite("<sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "RING")).await;
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "ESTABLISHED")).await;
    phone.hang_up(&call).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "FINISH")).await;

    // Data.
    let to = bob.uri("bob");
    phone.done(Command::SendData { to, body: "hello".into(), content_type: None, session_id: None }).await;
    let message = bob.wait("a MESSAGE", |event| match event {
        SipEvent::MessageReceived(message) => Some(message.id),
        _ => None,
    });
    let message = message.await;
    bob.ua.reply_message(Instant::now(), message, 200, "");
    let accepted = phone.wait("the outcome", |event| match event {
        Event::DataStatusEvent { status: DataStatus::Accepted, .. } => Some(()),
        _ => None,
    });
    bob.serve_while(accepted).await;
    bob.serve_while(backend.hears_status("DataStatusEvent", "ACCEPTED")).await;
    let from = NameAddr::parse("<sip:peer@127.0.0.1>").unwrap();
    let to = Uri::parse(&here).unwrap();
    bob.ua.message(Instant::now(), MessageRequest::new(from, to, "text/plain", b"back".to_vec()));
    bob.serve_while(backend.hears("OnDataEvent")).await;

    let session_id = phone.session();
    phone.done(Command::Disconnect { session_id }).await;
    bob.serve_while(backend.hears_status("RegistrationStatusEvent", "UNREGISTERED")).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "DISCONNECTED")).await;

    // Debugging, which only Web Call Servers do.
    backend.rule("connect", Reply::With(json!({})));
    let url = server(|name, said| match (name, said["command"].as_str()) {
        ("connection", _) => vec![wcs_hostile::accepted()],
        ("sessionDebug", Some("start")) => {
            vec![text("notifySessionDebugEvent", json!([{ "status": "STARTED", "file": "a.log" }]))]
        }
        ("sessionDebug", _) => vec![text("notifySessionDebugEvent", json!([{ "status": "STOPPED" }]))],
        _ => Vec::new(),
    });
    let session_id = connect(&phone, &url.await).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    for (on, status) in [(true, "STARTED"), (false, "STOPPED")] {
        phone.done(Command::SessionDebug { session_id: session_id.clone(), on }).await;
        bob.serve_while(backend.hears_status("SessionDebugStatusEvent", status)).await;
        if on {
            let pushed = bob.serve_while(backend.hears("pushLogs")).await;
            assert!(pushed.body["logs"].as_str().is_some_and(|logs| logs.starts_with("Sidetone ")));
        }
    }
    phone.done(Command::Disconnect { session_id }).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "DISCONNECTED")).await;

    let hooks: Vec<_> = backend.hooks().into_iter().filter(|line| !is_incidental(line)).collect();
    let expected = [
        "connect",
        "ConnectionStatusEvent ESTABLISHED",
        "RegistrationStatusEvent REGISTERED",
        "publishStream",
        "StreamStatusEvent PUBLISHING",
        "playStream",
        "StreamStatusEvent PLAYING",
        "snapshot",
        "StreamStatusEvent SNAPSHOT_COMPLETE",
        "pauseStream",
        "StreamStatusEvent PAUSED",
        "stopStream",
        "StreamStatusEvent STOPPED",
        "unPublishStream",
        "StreamStatusEvent UNPUBLISHED",
        "call",
        "CallStatusEvent RING",
        "CallStatusEvent SESSION_PROGRESS",
        "CallStatusEvent ESTABLISHED",
        "sendDtmf",
        "hold",
        "CallStatusEvent HOLD",
        "unhold",
        "CallStatusEvent ESTABLISHED",
        "transfer",
        "CallStatusEvent HOLD",
        "TransferStatusEvent ACCEPTED",
        "TransferStatusEvent TRYING",
        "TransferStatusEvent COMPLETED",
        "CallStatusEvent FINISH",
        "OnCallEvent PENDING",
        "CallStatusEvent RING",
        "answer",
        "CallStatusEvent ESTABLISHED",
        "hangup",
        "CallStatusEvent FINISH",
        "OnDataEvent",
        "DataStatusEvent ACCEPTED",
        "OnDataEvent",
        "RegistrationStatusEvent UNREGISTERED",
        "ConnectionStatusEvent DISCONNECTED",
        "connect",
        "ConnectionStatusEvent ESTABLISHED",
        "sessionDebug",
        "SessionDebugStatusEvent STARTED",
        "sessionDebug",
        "SessionDebugStatusEvent STOPPED",
        "ConnectionStatusEvent DISCONNECTED",
    ];
    assert_eq!(hooks, expected);
    let mut keys = HashSet::new();
    for heard in &backend.seen {
        for field in documented(&heard.hook).into_iter().chain(COMMON) {
            assert!(heard.body.get(field).is_some(), "{} has no {field}: {}", heard.hook, heard.raw);
        }
        assert!(!heard.raw.contains("a word"), "{}", heard.raw);
        assert!(keys.insert(heard.key.clone()), "each has a key of its own");
    }
    phone.handle.shut_down().await;
}
