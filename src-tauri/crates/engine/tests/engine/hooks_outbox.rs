//! Events that the backend does not take at once; the settings of hooks, and their test.

use crate::{
    backend::{Backend, Reply},
    hooks_calls::{hooked, strict},
    kit::{Phone, kept_in, quiet},
    peer::{Peer, sdp},
};
use serde_json::json;
use sidetone_api::{
    CallStatus, Command, FailureCode, HookAuthentication, HookExchange, HookSettings, Reply as Done, Secret,
    SecretUse, SettingsChange,
};
use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::{Command as Process, Stdio},
};

/// The folder of the run that is killed.
const CHILD: &str = "SIDETONE_TEST_HOOKS_CHILD";

fn change(hooks: HookSettings) -> Command {
    Command::ChangeSettings(SettingsChange { hooks: Some(hooks), ..SettingsChange::default() })
}

#[tokio::test]
async fn a_backend_that_comes_back_gets_every_event_once_and_in_order() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let mut settings = hooked(&bob, &backend);
    settings.hooks.timeout_ms = 200;
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let address = backend.address;
    drop(backend);
    let mut calls = Vec::new();
    for _ in 0..6 {
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.progress(sip, 180, None);
        bob.serve_while(phone.status(&call, CallStatus::Ring)).await;
        bob.answer(sip, &sdp("0 101", "sendrecv"));
        bob.serve_while(phone.status(&call, CallStatus::Established)).await;
        phone.hang_up(&call).await;
        bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
        calls.push(call);
    }
    phone.until("what waits", |state| state.hooks.waiting >= 24 && state.hooks.problem.is_some()).await;
    let mut backend = Backend::at(address).await;
    phone.until("all delivered", |state| state.hooks.waiting == 0).await;
    let waited = backend.hooks();
    assert!(waited.len() >= 24, "{waited:?}");
    for call in &calls {
        let of_call = backend.seen.iter().filter(|heard| heard.body["callId"] == call.as_str());
        let mut seen = HashSet::new();
        let of_call = of_call.filter(|heard| seen.insert(heard.key.clone()));
        let told: Vec<_> =
            of_call.map(|heard| (heard.hook.as_str(), heard.body["status"].as_str().unwrap())).collect();
        let told: Vec<_> = told.into_iter().filter(|(_, status)| *status != "TRYING").collect();
        let expected = [
            ("CallStatusEvent", "RING"),
            ("CallStatusEvent", "ESTABLISHED"),
            ("hangup", "ESTABLISHED"),
            ("CallStatusEvent", "FINISH"),
        ];
        assert_eq!(told, expected);
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_backend_that_drops_one_hook_gets_the_others_at_once() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.configure(strict());
    backend.refuse("OnDataEvent");
    backend.rule("CallStatusEvent", Reply::Drop);
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    for _ in 0..5 {
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.reject(sip, 486, "Busy Here");
        bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
        // No call is in its way.
        let (to, body) = (bob.uri("bob"), "hello".into());
        let message = Command::SendData { to, body, content_type: None, session_id: None };
        phone.done(message).await;
        bob.serve_while(backend.hears_status("DataStatusEvent", "FAILED")).await;
    }
    phone.until("all but the calls' events", |state| state.hooks.waiting >= 5).await;
    backend.rule("CallStatusEvent", Reply::With(json!({})));
    phone.until("all delivered", |state| state.hooks.waiting == 0).await;
    phone.finish().await;
}

/// Not a test of its own: the run that [`events_survive_a_run_that_is_killed`] kills.
#[tokio::test]
async fn a_run_that_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let phone = Phone::with(kept_in(Path::new(&folder))).await;
    for number in 0..5 {
        phone.call(&format!("sip:{number}@name.invalid")).await;
    }
    std::future::pending::<()>().await;
}

/// What the file of the outbox holds.
fn kept(folder: &Path) -> Vec<(String, String)> {
    let path = folder.join("data").join("sidetone.db");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let Ok(file) = rusqlite::Connection::open_with_flags(path, flags) else { return Vec::new() };
    let Ok(mut rows) = file.prepare("SELECT id, hook FROM outbox ORDER BY seq") else { return Vec::new() };
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.map(|rows| rows.flatten().collect()).unwrap_or_default()
}

fn failed_calls(kept: &[(String, String)]) -> usize {
    kept.iter().filter(|(_, hook)| hook == "CallStatusEvent").count()
}

#[tokio::test]
async fn events_survive_a_run_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::start().await;
    let (address, url) = (backend.address, backend.url());
    drop(backend);
    // Its port is free when its task has been dropped.
    tokio::task::yield_now().await;
    let config = dir.path().join("config");
    fs::create_dir_all(&config).unwrap();
    let settings = format!(
        "[audio]\nmicrophone = \"silence\"\nspeaker = \"null\"\n[gateway]\nenabled = false\n\
         [hooks]\nurl = \"{url}\"\ntimeoutMs = 100\nmethods = [\"CallStatusEvent\"]\n\
         [[accounts]]\nid = \"a\"\nname = \"a\"\naor = \"sip:a@127.0.0.1:9\"\nregister = false\n"
    );
    fs::write(config.join("settings.toml"), settings).unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "hooks_outbox::a_run_that_is_killed"])
        .env(CHILD, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let are_kept = || (failed_calls(&kept(dir.path())) >= 5).then_some(());
    sidetone_testkit::until("events are kept", crate::kit::SOON, are_kept).unwrap();
    // SIGKILL where there are signals.
    child.kill().unwrap();
    child.wait().unwrap();
    let before = kept(dir.path());

    let mut backend = Backend::at(address).await;
    let mut phone = Phone::with(kept_in(dir.path())).await;
    phone.until("all delivered", |state| state.hooks.waiting == 0).await;
    backend.hooks();
    let mut told: Vec<_> = backend.seen.iter().map(|heard| (heard.key.clone(), heard.hook.clone())).collect();
    told.sort();
    told.dedup();
    let mut expected = before.clone();
    expected.sort();
    assert_eq!(told, expected);
    assert!(backend.seen.iter().all(|heard| heard.body["status"] == "FAILED"));
    phone.finish().await;
    assert_eq!(kept(dir.path()), []);
}

#[tokio::test]
async fn a_refused_event_can_be_sent_again_or_forgotten() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.refuse("ConnectionStatusEvent");
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    bob.serve_while(backend.hears("ConnectionStatusEvent")).await;
    bob.serve_while(phone.until("a failed one", |state| state.hooks.failed == 1)).await;
    let Ok(Done::HookEvents { events }) = phone.ask(Command::GetHookEvents { limit: 10 }).await else {
        panic!("no events")
    };
    let failed = &events[0];
    assert_eq!(
        (failed.hook.as_str(), failed.info.as_str()),
        ("ConnectionStatusEvent", "403 not before nine")
    );
    let wrong = phone.ask(Command::SendHookAgain { id: Some("nothing".into()) }).await.unwrap_err();
    assert_eq!(wrong.code, FailureCode::NotFound);
    backend.rule("ConnectionStatusEvent", Reply::With(json!({})));
    phone.done(Command::SendHookAgain { id: Some(failed.id.clone()) }).await;
    let again = bob.serve_while(backend.hears("ConnectionStatusEvent")).await;
    assert_eq!(again.key, failed.id);
    bob.serve_while(phone.until("none", |state| state.hooks == Default::default())).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_slow_backend_holds_up_neither_hanging_up_nor_its_events_to_clients() {
    let (mut bob, backend) = (Peer::new().await, Backend::start().await);
    for hook in ["CallStatusEvent", "hangup", "unhold"] {
        backend.rule(hook, Reply::Silence);
    }
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    let began = std::time::Instant::now();
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    phone.handle.shut_down().await;
}

async fn tested(phone: &Phone, hooks: HookSettings) -> HookExchange {
    match phone.ask(Command::TestHook { hooks }).await {
        Ok(Done::HookTested { exchange }) => exchange,
        other => panic!("no exchange: {other:?}"),
    }
}

#[tokio::test]
async fn a_test_shows_the_exchange_without_the_secret() {
    let mut backend = Backend::start().await;
    let mut phone = Phone::start(quiet()).await;
    let hooks = HookSettings {
        url: backend.url(),
        authentication: HookAuthentication::Basic,
        user: "ours".into(),
        timeout_ms: 300,
        methods: vec!["call".into()],
        ..HookSettings::default()
    };
    phone.done(change(hooks.clone())).await;
    let secret = Some(Secret::new("a secret word"));
    phone.done(Command::SetSecret { of: SecretUse::Hooks, secret, remember: false }).await;
    let exchange = tested(&phone, hooks.clone()).await;
    assert_eq!((exchange.status, exchange.info.as_str()), (Some(200), "the backend took it"));
    assert!(exchange.url.ends_with("/apps/Ours/ConnectionStatusEvent"), "{}", exchange.url);
    assert!(exchange.answer_body.contains("This is a test"));
    let heard = backend.hears("ConnectionStatusEvent").await;
    assert_eq!(heard.headers["authorization"], "Basic b3VyczphIHNlY3JldCB3b3Jk");
    let shown = format!("{exchange:?}");
    assert!(shown.contains("authorization: Basic …") && !shown.contains("b3Vyc"), "{shown}");

    backend.refuse("ConnectionStatusEvent");
    let exchange = tested(&phone, hooks.clone()).await;
    assert_eq!((exchange.status, exchange.info.as_str()), (Some(403), "403 not before nine"));
    backend.rule("ConnectionStatusEvent", Reply::Silence);
    let exchange = tested(&phone, hooks.clone()).await;
    assert_eq!((exchange.status, exchange.info.as_str()), (None, "the backend did not answer in time"));
    let mut elsewhere = Backend::start().await;
    let other = HookSettings { url: elsewhere.url(), ..hooks.clone() };
    tested(&phone, other).await;
    let heard = elsewhere.hears("ConnectionStatusEvent").await;
    assert_eq!(heard.headers["authorization"], "Basic b3Vyczo=", "another place does not get the secret");
    let wrong = phone.ask(Command::TestHook { hooks: HookSettings { url: "x".into(), ..hooks } }).await;
    assert_eq!(wrong.unwrap_err().field.as_deref(), Some("hooks.url"));
    phone.check().await;
    phone.finish().await;
}
