//! What is kept of calls, and over restarts.

use crate::{
    kit::{Phone, SOON, kept_in, options, quiet, unregistered, write_settings},
    peer::{Peer, sdp},
};
use sidetone_api::{
    CallId, CallSettings, CallStatus, Command, Event, FailureCode, HistoryEntry, Reply, Secret,
    SettingsChange,
};
use sidetone_engine::{Options, secrets::SecretStore};
use std::{fs, path::Path};
use tokio::sync::mpsc;

/// A phone that keeps its history below `root` and is called at its address.
async fn phone(root: &Path) -> Phone {
    let port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    let account =
        "[[accounts]]\nid = \"alice\"\nname = \"alice\"\naor = \"sip:alice@127.0.0.1:9\"\nregister = false\n";
    write_settings(root, &format!("network = {{ sipPort = {port} }}\n{account}"));
    Phone::with(kept_in(root)).await
}

fn uri(phone: &Phone) -> String {
    format!("sip:alice@{}", phone.address())
}

async fn ring(phone: &mut Phone, bob: &mut Peer, name: &str) -> (CallId, sidetone_sip::CallId) {
    let from = format!("\"{name}\" <{}>", bob.uri("bob"));
    let sip = bob.invite(&from, &uri(phone), Some(&sdp("0", "sendrecv")));
    (bob.serve_while(phone.ringing()).await, sip)
}

/// A call that rings and that the caller gives up, with the reason that its CANCEL tells.
async fn gives_up(phone: &mut Phone, bob: &mut Peer, name: &str) -> CallId {
    let (call, sip) = ring(phone, bob, name).await;
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    bob.ended().await;
    call
}

async fn page(phone: &Phone, command: Command) -> Vec<HistoryEntry> {
    match phone.ask(command).await {
        Ok(Reply::History { entries }) => entries,
        other => panic!("{other:?}"),
    }
}

fn get(before: Option<u64>, limit: u32, missed: bool, search: Option<&str>) -> Command {
    Command::GetHistory { before, limit, missed, search: search.map(str::to_owned) }
}

fn names(entries: &[HistoryEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.remote_name.as_str()).collect()
}

#[tokio::test]
async fn history_and_missed_calls_come_back_after_a_restart_until_they_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (mut phone_one, mut bob) = (phone(dir.path()).await, Peer::new().await);
    gives_up(&mut phone_one, &mut bob, "First").await;
    gives_up(&mut phone_one, &mut bob, "Second").await;
    phone_one.until("two missed calls", |state| state.missed_calls == 2).await;
    let before = phone_one.state().history.clone();
    phone_one.finish().await;
    let mut again = phone(dir.path()).await;
    assert_eq!((&again.state().history, again.state().missed_calls), (&before, 2));
    again.done(Command::SeeMissedCalls).await;
    again.until("none unseen", |state| state.missed_calls == 0).await;
    again.finish().await;
    let last = phone(dir.path()).await;
    assert_eq!((last.state().history.len(), last.state().missed_calls), (2, 0));
    assert!(last.state().history.iter().all(|entry| entry.missed), "they were missed, seen or not");
    last.finish().await;
}

#[tokio::test]
async fn missed_is_what_rang_here_and_nobody_answered_or_declined() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let missed = gives_up(&mut phone, &mut bob, "Missed").await;
    let (declined, _) = ring(&mut phone, &mut bob, "Declined").await;
    phone.hang_up(&declined).await;
    bob.serve_while(phone.status(&declined, CallStatus::Finish)).await;
    bob.ended().await;
    let (answered, sip) = ring(&mut phone, &mut bob, "Answered").await;
    phone.done(Command::Answer { call_id: answered.clone(), video: false }).await;
    bob.answered().await;
    bob.hang_up(sip);
    bob.serve_while(phone.status(&answered, CallStatus::Finish)).await;
    bob.ended().await;
    let (elsewhere, sip) = ring(&mut phone, &mut bob, "Elsewhere").await;
    bob.ua.hang_up(std::time::Instant::now(), sip, Some("Call completed elsewhere"));
    bob.serve_while(phone.status(&elsewhere, CallStatus::Finish)).await;
    bob.ended().await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 480, "Temporarily Unavailable");
    bob.serve_while(phone.status(&call, CallStatus::Failed)).await;
    phone.check().await;
    let found: Vec<_> = phone
        .state()
        .history
        .iter()
        .filter(|entry| entry.missed)
        .map(|entry| entry.call_id.clone())
        .collect();
    assert_eq!(found, [missed], "{:?}", phone.state().history);
    assert_eq!(phone.state().missed_calls, 1);
    phone.finish().await;
}

#[tokio::test]
async fn history_is_asked_for_by_pages_missed_ones_and_words() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    for name in ["Zoë", "Yann", "Xaver"] {
        gives_up(&mut phone, &mut bob, name).await;
    }
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    let newest = page(&phone, get(None, 2, false, None)).await;
    assert_eq!(names(&newest), ["", "Xaver"]);
    let older = page(&phone, get(Some(newest[1].started_at), 500, false, None)).await;
    assert_eq!(names(&older), ["Yann", "Zoë"]);
    assert_eq!(names(&page(&phone, get(None, 500, true, None)).await), ["Xaver", "Yann", "Zoë"]);
    assert_eq!(names(&page(&phone, get(None, 500, false, Some("ZOË"))).await), ["Zoë"]);
    for (field, command) in [
        ("limit", get(None, 0, false, None)),
        ("limit", get(None, 501, false, None)),
        ("search", get(None, 1, false, Some(&"x".repeat(1000)))),
    ] {
        let failure = phone.ask(command).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (FailureCode::Invalid, Some(field)));
    }
    phone.finish().await;
}

#[tokio::test]
async fn one_entry_or_all_are_removed_and_stay_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut bob) = (phone(dir.path()).await, Peer::new().await);
    let first = gives_up(&mut one, &mut bob, "First").await;
    let second = gives_up(&mut one, &mut bob, "Second").await;
    one.done(Command::RemoveHistory { call_id: first.clone() }).await;
    one.until("one left", |state| state.history.len() == 1 && state.missed_calls == 1).await;
    let failure = one.ask(Command::RemoveHistory { call_id: first }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::NotFound);
    one.finish().await;
    let mut again = phone(dir.path()).await;
    assert_eq!(again.state().history[0].call_id, second);
    again.done(Command::ClearHistory).await;
    again.until("none left", |state| state.history.is_empty() && state.missed_calls == 0).await;
    again.finish().await;
    let last = phone(dir.path()).await;
    assert_eq!(last.state().history, []);
    last.finish().await;
}

#[tokio::test]
async fn what_is_older_than_the_settings_allow_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut bob) = (phone(dir.path()).await, Peer::new().await);
    gives_up(&mut one, &mut bob, "Old").await;
    gives_up(&mut one, &mut bob, "New").await;
    one.finish().await;
    let file = rusqlite::Connection::open(dir.path().join("data").join("sidetone.db")).unwrap();
    let two_days = 2 * 24 * 60 * 60 * 1000;
    let old = "UPDATE history SET started_at = started_at - ?1 WHERE remote_name = 'Old'";
    assert_eq!(file.execute(old, [two_days]).unwrap(), 1);
    drop(file);
    let mut again = phone(dir.path()).await;
    assert_eq!(names(&again.state().history), ["New", "Old"], "0 days: for ever");
    let calls = Some(CallSettings { keep_history_days: 1, ..CallSettings::default() });
    again.done(Command::ChangeSettings(SettingsChange { calls, ..SettingsChange::default() })).await;
    again
        .until("the old one gone", |state| names(&state.history) == ["New"] && state.missed_calls == 1)
        .await;
    again.finish().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_and_the_phone_works() {
    let dir = tempfile::tempdir().unwrap();
    // A file where the folder would be.
    fs::write(dir.path().join("data"), "").unwrap();
    let (mut one, mut bob) = (phone(dir.path()).await, Peer::new().await);
    one.notice("forgotten at its end").await;
    gives_up(&mut one, &mut bob, "Somebody").await;
    assert_eq!(page(&one, get(None, 9, false, None)).await.len(), 1);
    one.finish().await;
}

#[tokio::test]
async fn a_damaged_file_is_told_when_the_phone_starts() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    fs::write(dir.path().join("data").join("sidetone.db"), "no database at all".repeat(100)).unwrap();
    let mut one = phone(dir.path()).await;
    one.notice("was damaged").await;
    one.finish().await;
}

#[tokio::test]
async fn deleting_everything_is_as_on_the_first_day() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut bob) = (phone(dir.path()).await, Peer::new().await);
    gives_up(&mut one, &mut bob, "Trudy Secret").await;
    let contact = serde_json::from_str(
        r#"{"command":"importContacts","vcard":"BEGIN:VCARD\nFN:Trudy Secret\nTEL:1\nEND:VCARD"}"#,
    );
    one.done(contact.unwrap()).await;
    let (call, _) = ring(&mut one, &mut bob, "Trudy Secret").await;
    // As a gateway keeps it.
    let authority = dir.path().join("data/authority.json");
    fs::write(&authority, "Secret").unwrap();
    one.done(Command::DeleteEverything).await;
    bob.serve_while(one.status(&call, CallStatus::Finish)).await;
    one.until("nothing left", |state| {
        state.history.is_empty()
            && state.missed_calls == 0
            && state.contacts.is_empty()
            && state.sessions.is_empty()
            && state.settings == sidetone_api::Settings::default()
    })
    .await;
    assert!(one.state().calls.is_empty());
    let not_kept = |event: &Event| matches!(event, Event::HistoryAdded { entry } if entry.call_id == call);
    assert!(!one.seen.iter().any(|envelope| not_kept(&envelope.event)), "a call of before leaves no trace");
    one.handle.shut_down().await;
    assert!(!authority.exists());
    for folder in ["data", "config"] {
        for file in fs::read_dir(dir.path().join(folder)).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|six| six == b"Secret"), "{}", path.display());
        }
    }
}

/// A key store that tells what it is asked to forget.
struct Listened(mpsc::UnboundedSender<String>);

impl SecretStore for Listened {
    fn get(&self, _: &str) -> Option<Secret> {
        None
    }

    fn set(&mut self, _: &str, _: &Secret) -> Result<(), String> {
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        self.0.send(name.to_owned()).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn accounts_sessions_and_passwords_go_with_everything() {
    let (removed, mut forgotten) = mpsc::unbounded_channel();
    let mut phone = Phone::with(Options { secrets: Box::new(Listened(removed)), ..options(quiet()) }).await;
    for user in ["alice", "carol"] {
        let password = Some(Secret::new("a password"));
        phone.done(Command::SaveAccount { account: unregistered(user), password, remember: true }).await;
    }
    phone.until("two sessions", |state| state.sessions.len() == 2).await;
    phone.done(Command::DeleteEverything).await;
    phone.until("no session", |state| state.sessions.is_empty() && state.settings.accounts.is_empty()).await;
    for name in ["account:alice", "account:carol"] {
        let told = tokio::time::timeout(SOON, forgotten.recv()).await.expect("the key store is asked");
        assert_eq!(told.as_deref(), Some(name));
    }
    phone.finish().await;
}
