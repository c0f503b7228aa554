//! Accounts, their links and their passwords.

use crate::{
    kit::{LOOPBACK, Phone, account, gateway, options, quiet},
    peer::{Peer, sdp},
};
use sidetone_api::{
    Account, AccountId, CallStatus, Command, ConnectionStatus, Event, FailureCode, NoticeLevel,
    RegistrationStatus, Reply, Secret,
};
use sidetone_engine::{Options, secrets::SecretStore};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex},
};

const RIGHT: &str = "open sesame";

fn connect(password: Option<&str>) -> Command {
    Command::Connect {
        account_id: AccountId::new("alice"),
        password: password.map(Secret::new),
        auth_token: None,
    }
}

fn save(account: Account, password: Option<&str>, remember: bool) -> Command {
    Command::SaveAccount { account, password: password.map(Secret::new), remember }
}

fn needs_password(phone: &Phone) -> bool {
    phone.state().sessions.iter().any(|session| session.password_needed)
}

#[tokio::test]
async fn a_password_that_is_missing_is_needed_a_wrong_one_fails_and_the_right_one_registers() {
    let mut registrar = Peer::registrar("alice", RIGHT).await;
    let phone = Phone::start(quiet()).await;
    let story = passwords(phone, registrar.address());
    registrar.serve_while(story).await;
}

/// From no password over a wrong one to the right one, and to another wrong one.
async fn passwords(mut phone: Phone, domain: SocketAddr) {
    phone.done(save(account("alice", domain), None, false)).await;
    let (_, info) = phone.registration(RegistrationStatus::Unregistered).await;
    assert!(info.contains("password"), "{info}");
    phone.check().await;
    assert!(needs_password(&phone));

    phone.done(connect(Some("wrong"))).await;
    let (_, info) = phone.registration(RegistrationStatus::AuthenticationFail).await;
    assert!(info.starts_with("401"), "{info}");
    phone.check().await;
    assert!(!needs_password(&phone));
    assert_eq!(phone.state().sessions.len(), 1, "the session before has gone");

    phone.done(connect(Some(RIGHT))).await;
    let (session_id, _) = phone.registration(RegistrationStatus::Registered).await;
    phone.done(Command::Unregister { session_id: session_id.clone() }).await;
    phone.registration(RegistrationStatus::Unregistered).await;
    let again = phone.ask(Command::Unregister { session_id: session_id.clone() }).await.unwrap_err();
    assert_eq!(again.code, FailureCode::WrongState);
    phone.done(Command::Register { session_id: session_id.clone() }).await;
    phone.registration(RegistrationStatus::Registered).await;

    // A new password of an account that is connected counts at once.
    phone.done(save(account("alice", domain), Some("wrong again"), false)).await;
    let (other, _) = phone.registration(RegistrationStatus::AuthenticationFail).await;
    assert_ne!(other, session_id);
    phone.finish().await;
}

#[tokio::test]
async fn a_link_that_answers_is_established_and_one_that_never_did_failed() {
    let mut phone = Phone::start(gateway()).await;
    let domain = phone.gateway();
    // Nobody listens there: ICMP or TCP says so at once.
    let nobody = sidetone_testkit::free_port(LOOPBACK).unwrap();
    let mut dead = account("dead", SocketAddr::new(LOOPBACK, nobody));
    dead.transport = Some(sidetone_api::Transport::Tcp);
    let mut alive = account("alive", domain);
    alive.register = false;
    phone.done(save(dead, None, false)).await;
    phone.done(save(alive, None, false)).await;
    for (user, wanted) in [("dead", ConnectionStatus::Failed), ("alive", ConnectionStatus::Established)] {
        phone
            .until("the connection", |state| {
                let mut sessions = state.sessions.iter();
                let session = sessions.find(|session| session.account_id.as_str() == user);
                session.is_some_and(|session| session.connection == Some(wanted))
            })
            .await;
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_link_without_a_registrar_answers_options_and_only_that() {
    let mut far = Peer::new().await;
    let mut settings = quiet();
    settings.accounts.push(Account { register: false, ..account("alice", far.address()) });
    let mut phone = Phone::start(settings).await;
    let wait = phone.wait("the connection", |event| match event {
        Event::ConnectionStatusEvent { status, .. } => Some(*status),
        _ => None,
    });
    assert_eq!(far.serve_while(wait).await, ConnectionStatus::Established);
    let session = phone.session();
    let unregister = Command::Unregister { session_id: session.clone() };
    assert_eq!(phone.ask(unregister).await.unwrap_err().code, FailureCode::WrongState);
    // Its calls end before it does.
    let call = phone.call("bob").await;
    let (sip, _) = far.called().await;
    far.answer(sip, &sdp("0", "sendrecv"));
    far.serve_while(phone.status(&call, CallStatus::Established)).await;
    phone.done(Command::Disconnect { session_id: session.clone() }).await;
    far.ended().await;
    phone.status(&call, CallStatus::Finish).await;
    phone
        .wait("the connection's end", |event| match event {
            Event::ConnectionStatusEvent { status, .. } => {
                (*status == ConnectionStatus::Disconnected).then_some(())
            }
            _ => None,
        })
        .await;
    phone.wait("the session's end", |event| matches!(event, Event::SessionClosed { .. }).then_some(())).await;
    phone.check().await;
    assert_eq!(phone.state().history[0].account_id.as_str(), "alice");
    let gone = Command::Disconnect { session_id: session };
    assert_eq!(phone.ask(gone).await.unwrap_err().code, FailureCode::NotFound);
    phone.finish().await;
}

#[tokio::test]
async fn disconnecting_from_a_registrar_that_is_silent_takes_two_seconds_and_not_thirty() {
    let mut far = Peer::registrar("alice", RIGHT).await;
    let mut phone = Phone::start(quiet()).await;
    phone.done(save(account("alice", far.address()), Some(RIGHT), false)).await;
    far.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    phone.done(Command::Disconnect { session_id: phone.session() }).await;
    // The registrar is there no more, so nobody answers.
    phone.wait("the session's end", |event| matches!(event, Event::SessionClosed { .. }).then_some(())).await;
    phone.check().await;
}

#[tokio::test]
async fn a_removed_account_is_disconnected_and_forgotten() {
    let mut phone = Phone::start(gateway()).await;
    let domain = phone.gateway();
    let reply = phone.ask(save(account("alice", domain), None, false)).await.unwrap();
    assert_eq!(reply, Reply::Account { account_id: AccountId::new("alice") });
    phone.done(Command::RemoveAccount { account_id: AccountId::new("alice") }).await;
    phone.wait("the session's end", |event| matches!(event, Event::SessionClosed { .. }).then_some(())).await;
    phone.check().await;
    assert!(phone.state().settings.accounts.is_empty());
    assert!(phone.state().sessions.iter().all(|session| session.local));
    phone.finish().await;
}

#[tokio::test]
async fn what_is_wrong_in_an_account_is_named() {
    let phone = Phone::start(quiet()).await;
    let good = account("alice", SocketAddr::new(LOOPBACK, 9));
    let long = "x".repeat(600);
    let cases: Vec<(&str, Account)> = vec![
        ("id", Account { id: AccountId::new(""), ..good.clone() }),
        ("id", Account { id: AccountId::new("local"), ..good.clone() }),
        ("id", Account { id: AccountId::new(long.clone()), ..good.clone() }),
        ("name", Account { name: "a\nb".into(), ..good.clone() }),
        ("aor", Account { aor: "sip:example.org".into(), ..good.clone() }),
        ("aor", Account { aor: "no address".into(), ..good.clone() }),
        ("aor", Account { aor: "sips:alice@example.org;transport=udp".into(), ..good.clone() }),
        (
            "transport",
            Account {
                aor: "sips:alice@example.org".into(),
                transport: Some(sidetone_api::Transport::Tcp),
                ..good.clone()
            },
        ),
        ("trustedCa", Account { trusted_ca: Some("no certificate".into()), ..good.clone() }),
        ("websocketUrl", Account { websocket_url: Some("https://x/ws".into()), ..good.clone() }),
        ("aor", Account { aor: format!("sip:alice@{long}"), ..good.clone() }),
        ("registrar", Account { registrar: Some("sip:".into()), ..good.clone() }),
        ("registrar", Account { registrar: Some("sip:x;transport=dccp".into()), ..good.clone() }),
        ("outboundProxy", Account { outbound_proxy: Some("::".into()), ..good.clone() }),
        ("displayName", Account { display_name: Some("\u{7}".into()), ..good.clone() }),
        ("voicemail", Account { voicemail: Some(long.clone()), ..good.clone() }),
        ("user", Account { user: Some(long), ..good.clone() }),
        ("expires", Account { expires: 0, ..good }),
    ];
    for (field, account) in cases {
        let failure = phone.ask(save(account, None, false)).await.unwrap_err();
        assert_eq!(
            (failure.code, failure.field.as_deref()),
            (FailureCode::Invalid, Some(field)),
            "{failure}"
        );
        assert!(failure.message.len() < 1500);
    }
    phone.finish().await;
}

/// A key store as the test wants it.
#[derive(Default, Clone)]
struct Store(Arc<Shared>);

#[derive(Default)]
struct Shared {
    entries: Mutex<HashMap<String, String>>,
    refuses: bool,
    /// Somebody is asked to unlock it.
    locked: Mutex<bool>,
    unlocked: Condvar,
}

impl Store {
    fn wait(&self) {
        let mut locked = self.0.locked.lock().unwrap();
        while *locked {
            locked = self.0.unlocked.wait(locked).unwrap();
        }
    }

    fn unlock(&self) {
        *self.0.locked.lock().unwrap() = false;
        self.0.unlocked.notify_all();
    }

    fn entries(&self) -> Vec<(String, String)> {
        self.0.entries.lock().unwrap().iter().map(|(name, secret)| (name.clone(), secret.clone())).collect()
    }
}

impl SecretStore for Store {
    fn get(&self, name: &str) -> Option<Secret> {
        self.wait();
        self.0.entries.lock().unwrap().get(name).map(Secret::new)
    }

    fn set(&mut self, name: &str, secret: &Secret) -> Result<(), String> {
        self.wait();
        if self.0.refuses {
            return Err("nobody holds the keys".into());
        }
        self.0.entries.lock().unwrap().insert(name.into(), secret.expose().into());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        self.wait();
        if self.0.refuses {
            return Err("nobody holds the keys".into());
        }
        self.0.entries.lock().unwrap().remove(name);
        Ok(())
    }
}

async fn phone_with(store: &Store, accounts: Vec<Account>) -> Phone {
    let mut settings = quiet();
    settings.accounts = accounts;
    Phone::with(Options { secrets: Box::new(store.clone()), ..options(settings) }).await
}

#[tokio::test]
async fn a_password_is_remembered_in_the_key_store_and_found_there_again() {
    let mut registrar = Peer::registrar("alice", RIGHT).await;
    let domain = registrar.address();
    let store = Store::default();
    let mut phone = phone_with(&store, Vec::new()).await;
    phone.done(save(account("alice", domain), Some(RIGHT), true)).await;
    registrar.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    registrar.serve_while(phone.finish()).await;
    assert_eq!(store.entries(), [("account:alice".to_owned(), RIGHT.to_owned())]);

    let mut phone = phone_with(&store, vec![account("alice", domain)]).await;
    registrar.serve_while(phone.is_registered()).await;
    // A new password that is not to be remembered leaves no old one behind.
    phone.done(save(account("alice", domain), Some(RIGHT), false)).await;
    registrar.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    registrar.serve_while(phone.finish()).await;
    assert!(store.entries().is_empty());
}

#[tokio::test]
async fn a_key_store_that_refuses_leaves_the_password_in_memory_and_says_so() {
    let mut registrar = Peer::registrar("alice", RIGHT).await;
    let store = Store(Arc::new(Shared { refuses: true, ..Shared::default() }));
    let mut phone = phone_with(&store, Vec::new()).await;
    phone.done(save(account("alice", registrar.address()), Some(RIGHT), true)).await;
    registrar.serve_while(phone.is_registered()).await;
    let level = registrar.serve_while(phone.notice("nobody holds the keys")).await;
    assert_eq!(level, NoticeLevel::Warning);
    // It is there for the rest of this run.
    phone.done(connect(None)).await;
    registrar.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    // What it does not delete is told too.
    phone.done(Command::DeleteEverything).await;
    let level =
        registrar.serve_while(phone.notice("did not delete a password (nobody holds the keys)")).await;
    assert_eq!(level, NoticeLevel::Error);
    registrar.serve_while(phone.finish()).await;
}

#[tokio::test]
async fn a_key_store_that_waits_for_its_user_does_not_stop_the_engine() {
    let mut registrar = Peer::registrar("alice", RIGHT).await;
    let store = Store::default();
    store.0.entries.lock().unwrap().insert("account:alice".into(), RIGHT.into());
    *store.0.locked.lock().unwrap() = true;
    let mut phone = phone_with(&store, vec![account("alice", registrar.address())]).await;
    phone.check().await;
    assert_eq!(phone.state().sessions[0].connection, None);
    store.unlock();
    registrar.serve_while(phone.registration(RegistrationStatus::Registered)).await;
    registrar.serve_while(phone.finish()).await;
}
