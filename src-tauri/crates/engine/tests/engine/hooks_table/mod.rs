//! Every gate of the contract against everything that a backend can do to it.

mod scene;

use crate::{
    backend::{Backend, Heard, Reply},
    hooks_calls::hooked,
    kit::Phone,
    peer::{Peer, sdp},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use scene::{Expected, INCOMING_DATA, Prepared, Scene};
use serde_json::json;
use sidetone_api::{
    CallStatus, Command, HookAuthentication, HookPolicy, HookSettings, RestOnError, RestPolicy, Secret,
    SecretUse, SettingsChange, Snapshot,
};
use sidetone_sip::Event as SipEvent;
use std::collections::BTreeSet;

/// The contract's rows that wait for the backend.
const GATES: [&str; 12] = [
    "playStream",
    "pauseStream",
    "publishStream",
    "snapshot",
    "call",
    "sendDtmf",
    "answer",
    "hold",
    "transfer",
    "OnCallEvent",
    "OnDataEvent",
    "connect",
];
/// Those of pages: what our own client has of them is asked of Web Call Servers, or comes with its diagnostics.
const GATES_OF_PAGES: [&str; 2] = ["submitBugReport", "sessionDebug"];
/// Those that never wait, and events.
const TOLD: [&str; 14] = [
    "stopStream",
    "unPublishStream",
    "unhold",
    "hangup",
    "ConnectionStatusEvent",
    "RegistrationStatusEvent",
    "CallStatusEvent",
    "TransferStatusEvent",
    "StreamStatusEvent",
    "StreamKeepAliveEvent",
    "DataStatusEvent",
    "BugReportStatusEvent",
    "SessionDebugStatusEvent",
    "pushLogs",
];
/// Called only where they are named.
const EXTRAS: [&str; 2] = ["OnTransferEvent", "availableStream"];
const REASON: &str = "not before nine";
const LATE: &str = "the backend did not answer in time";

#[tokio::test]
async fn the_engine_has_the_hooks_of_the_contract_and_its_own_extras() {
    let phone = Phone::start(crate::kit::quiet()).await;
    let policies = [("nothing".to_owned(), HookPolicy::default())].into();
    let hooks = HookSettings { policies, ..HookSettings::default() };
    let failure = phone.ask(change(hooks)).await.unwrap_err();
    let names = failure.message.split_once("is no hook: ").expect("the names").1;
    let known: BTreeSet<_> = names.split(", ").collect();
    let contract: BTreeSet<_> =
        GATES.iter().chain(&GATES_OF_PAGES).chain(&TOLD).chain(&EXTRAS).copied().collect();
    assert_eq!(known, contract);
    phone.finish().await;
}

fn change(hooks: HookSettings) -> Command {
    Command::ChangeSettings(SettingsChange { hooks: Some(hooks), ..SettingsChange::default() })
}

/// Everything that can be asked.
fn all() -> Vec<&'static str> {
    let mut all: Vec<_> = GATES.into_iter().filter(|gate| *gate != "connect").collect();
    all.extend([INCOMING_DATA, "OnTransferEvent", "connect"]);
    all
}

/// What a backend does, and what a client hears of it under FAIL. Where nobody answers comes between answers: three silences in a
/// row would be another matter.
fn faults() -> [(Reply, &'static str); 4] {
    let refusal = r#"{"status":403,"reason":"not before nine"}"#;
    [
        (Reply::Status(403, "Forbidden", refusal), REASON),
        (Reply::Silence, LATE),
        (Reply::Status(500, "Internal Server Error", "{}"), "Internal Server Error"),
        (Reply::Drop, ""),
    ]
}

async fn table(rest_on_error: RestOnError) {
    let policy = HookPolicy { rest_on_error, rest_exclude: "appKey, sdp".into(), ..HookPolicy::default() };
    let mut scene = Scene::new(&policy).await;
    for gate in all() {
        let hook = gate.split(' ').next().unwrap_or_default();
        for (reply, info) in faults() {
            let it = scene.prepare(gate).await;
            scene.backend.rule(hook, reply.clone());
            // Silence is waited for: no healthy answer may come too late for it.
            let waits = matches!(reply, Reply::Silence);
            if waits {
                scene.set_limit(200).await;
            }
            let refuses = rest_on_error == RestOnError::Fail || gate == "connect";
            let expected = if refuses { Expected::Refused(info) } else { Expected::On };
            scene.act(gate, it, expected).await;
            if waits {
                scene.set_limit(15_000).await;
            }
            let asked = scene.bob.serve_while(scene.backend.hears(hook)).await.body;
            assert!(asked.get("appKey").is_none() && asked.get("sdp").is_none(), "{gate}: {asked}");
            assert!(asked["nodeId"].is_string() && asked["sessionId"].is_string(), "{gate}: {asked}");
            scene.backend.rule(hook, Reply::With(json!({})));
            if gate == "connect" {
                let it = scene.prepare(gate).await;
                scene.act(gate, it, Expected::On).await;
            }
        }
    }
    // Nobody is there any more.
    drop(scene.backend);
    scene.backend = Backend::start().await;
    for gate in ["call", "publishStream", "call", "playStream", "OnCallEvent"] {
        let expected = if rest_on_error == RestOnError::Fail { Expected::Refused("") } else { Expected::On };
        scene.act(gate, Prepared::default(), expected).await;
    }
    scene.phone.handle.shut_down().await;
}

#[tokio::test]
async fn under_fail_every_gate_is_shut_by_a_refusal_a_time_out_and_nobody_there() {
    table(RestOnError::Fail).await;
}

#[tokio::test]
async fn under_log_no_gate_but_connect_is_shut_by_anything() {
    table(RestOnError::Log).await;
}

/// What an answer can change, and that it does only where the policy says so.
#[tokio::test]
async fn what_can_be_overwritten_is_under_overwrite_and_not_under_notify() {
    for overwrites in [true, false] {
        let (mut bob, backend) = (Peer::new().await, Backend::start().await);
        let mut settings = hooked(&bob, &backend);
        settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
        let policy = |fields: &str| HookPolicy {
            rest_policy: if overwrites { RestPolicy::Overwrite } else { RestPolicy::Notify },
            rest_overwrite: fields.into(),
            ..HookPolicy::default()
        };
        let fields = [
            ("call", "callee,caller,visibleName,inviteParameters"),
            ("OnCallEvent", "visibleName"),
            ("transfer", "target"),
            ("sendDtmf", "dtmf"),
        ];
        settings.hooks.policies =
            fields.iter().map(|(hook, fields)| ((*hook).to_owned(), policy(fields))).collect();
        let chosen = |own: &'static str, other: &'static str| if overwrites { other } else { own };
        backend.rule(
            "call",
            Reply::With(json!({"callee": bob.uri("eve"), "caller": "sip:1001@example.com",
                "visibleName": "Sales", "inviteParameters": {"campaign": "spring"}})),
        );
        backend.rule("OnCallEvent", Reply::With(json!({"visibleName": "Ada Lovelace"})));
        backend.rule("transfer", Reply::With(json!({"target": "dora"})));
        backend.rule("sendDtmf", Reply::With(json!({"dtmf": "9"})));
        let mut phone = Phone::start(settings).await;

        let call = phone.call(&bob.uri("bob")).await;
        let (sip, from, to) = bob
            .wait("a call", |event| match event {
                SipEvent::Incoming { call, from, request_uri, .. } => {
                    Some((*call, from.clone(), request_uri.clone()))
                }
                _ => None,
            })
            .await;
        assert_eq!(to.user_text().as_deref(), Some(chosen("bob", "eve")));
        assert_eq!(to.params.get("campaign"), overwrites.then_some("spring"));
        assert_eq!(from.uri.user_text().as_deref(), Some(chosen("alice", "1001")));
        assert_eq!(from.display.as_deref() == Some("Sales"), overwrites);
        bob.answer(sip, &sdp("0 101", "sendrecv"));
        bob.serve_while(phone.status(&call, CallStatus::Established)).await;
        phone.done(Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() }).await;
        let key = chosen("1", "9");
        let is_sent = |state: &Snapshot| state.calls.iter().any(|view| view.dtmf == key);
        bob.serve_while(phone.until("the key", is_sent)).await;
        phone.done(Command::Transfer { call_id: call.clone(), target: "carol".into() }).await;
        bob.agree("sendonly", "recvonly").await;
        let (_, target, _) = bob.referred().await;
        assert_eq!(target.user_text().as_deref(), Some(chosen("carol", "dora")));
        phone.hang_up(&call).await;
        bob.serve_while(phone.status(&call, CallStatus::Finish)).await;

        let here = format!("sip:alice@{}", phone.address());
        bob.invite("\"Bob\" <sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
        let call = bob.serve_while(phone.ringing()).await;
        let name = chosen("Bob", "Ada Lovelace");
        let is_named = |state: &Snapshot| {
            state.calls.iter().any(|view| view.call_id == call && view.remote_name == name)
        };
        bob.serve_while(phone.until("the name", is_named)).await;
        phone.hang_up(&call).await;
        bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
        phone.handle.shut_down().await;
    }
}

const SECRET: &str = "a secret word";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a backend checks it.
fn is_signed(authentication: HookAuthentication, heard: &Heard) -> bool {
    let header = |name: &str| heard.headers.get(name).map(String::as_str).unwrap_or_default();
    match authentication {
        HookAuthentication::None => !heard.headers.contains_key("authorization"),
        HookAuthentication::Basic => header("authorization") == "Basic b3VyczphIHNlY3JldCB3b3Jk",
        HookAuthentication::Wcs => {
            let code = Hmac::<md5::Md5>::new_from_slice(SECRET.as_bytes()).unwrap();
            let code = code.chain_update(heard.raw.as_bytes()).finalize().into_bytes();
            header("authorization") == format!("WCS {}", hex(&code))
        }
        HookAuthentication::Sha256 => {
            let at = header("x-sidetone-timestamp");
            let seconds: u64 = at.parse().unwrap_or_default();
            let text = format!("{at}.{}.{}.{}", heard.hook, heard.key, heard.raw);
            let code = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            let code = code.chain_update(text.as_bytes()).finalize().into_bytes();
            (crate::streams::now_ms() / 1_000).abs_diff(seconds) < 300
                && header("x-sidetone-signature") == format!("v1={}", hex(&code))
        }
    }
}

#[tokio::test]
async fn gates_and_events_are_signed_in_each_of_the_three_ways() {
    for authentication in [HookAuthentication::Basic, HookAuthentication::Wcs, HookAuthentication::Sha256] {
        let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
        let mut settings = hooked(&bob, &backend);
        settings.hooks.authentication = authentication;
        settings.hooks.user = "ours".into();
        let mut phone = Phone::start(settings).await;
        // Events wait for it.
        let secret = Some(Secret::new(SECRET));
        phone.done(Command::SetSecret { of: SecretUse::Hooks, secret, remember: false }).await;
        bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.reject(sip, 486, "Busy Here");
        bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
        let asked = bob.serve_while(backend.hears("call")).await;
        let told = bob.serve_while(backend.hears_status("CallStatusEvent", "BUSY")).await;
        for heard in [asked, told] {
            assert!(is_signed(authentication, &heard), "{authentication:?} {heard:?}");
            let other = Heard { raw: heard.raw.replace("bob", "eve"), ..heard };
            let covers_body = authentication != HookAuthentication::Basic;
            assert_eq!(!is_signed(authentication, &other), covers_body, "{authentication:?}");
        }
        phone.finish().await;
    }
}
