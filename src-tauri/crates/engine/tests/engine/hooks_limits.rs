//! What waits for whom: sessions that were not answered, key stores, crowds; and what nobody waits for.

use crate::{
    backend::{Backend, Reply},
    hooks_calls::{hooked, strict},
    kit::{LOOPBACK, Phone, options},
    peer::{Peer, sdp},
    services::{answered, message},
};
use serde_json::json;
use sidetone_api::{
    CallStatus, Command, ConnectionStatus, DataStatus, Event, FailureCode, HookAuthentication, Secret,
    SecretUse, Settings, Snapshot,
};
use sidetone_engine::{Options, secrets::SecretStore};
use std::{
    sync::{Arc, Condvar, Mutex},
    time::Instant,
};

/// Asks its user, who answers when the test wants: that there is nothing.
#[derive(Clone, Default)]
struct Asking(Arc<(Mutex<bool>, Condvar)>);

impl Asking {
    fn answer(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

impl SecretStore for Asking {
    fn get(&self, _name: &str) -> Option<Secret> {
        let mut answered = self.0.0.lock().unwrap();
        while !*answered {
            answered = self.0.1.wait(answered).unwrap();
        }
        None
    }

    fn set(&mut self, _name: &str, _secret: &Secret) -> Result<(), String> {
        Ok(())
    }

    fn remove(&mut self, _name: &str) -> Result<(), String> {
        Ok(())
    }
}

/// With a port of its own for calls without a registrar.
fn reached(bob: &Peer, backend: &Backend) -> Settings {
    let mut settings = hooked(bob, backend);
    settings.network.sip_port = sidetone_testkit::free_port(LOOPBACK).unwrap();
    settings
}

async fn refused(phone: &mut Phone) {
    phone
        .until("the refusal", |state| {
            let first = state.sessions.first();
            first.is_some_and(|session| session.connection == Some(ConnectionStatus::Failed))
        })
        .await;
}

fn hello(to: String) -> Command {
    Command::SendData { to, body: "hello".into(), content_type: None, session_id: None }
}

#[tokio::test]
async fn a_session_that_nobody_decided_on_asks_again() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.rule("connect", Reply::Drop);
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    refused(&mut phone).await;
    let command = Command::call(bob.uri("bob"), None);
    assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::WrongState);
    backend.rule("connect", Reply::With(json!({})));
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.send_all().await;
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn who_does_not_want_to_wait_for_that_registers() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.rule("connect", Reply::Status(503, "Service Unavailable", ""));
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    refused(&mut phone).await;
    backend.rule("connect", Reply::With(json!({})));
    phone.done(Command::Register { session_id: phone.session() }).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn a_refused_session_takes_neither_calls_nor_messages_but_of_the_emergency_service() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.refuse("connect");
    backend.rule("answer", Reply::Silence);
    let mut phone = Phone::start(reached(&bob, &backend)).await;
    refused(&mut phone).await;
    let here = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    assert_eq!(bob.ended().await, 403);
    bob.ua.message(Instant::now(), message(&here, "text/plain", b"hello"));
    assert_eq!(answered(&mut bob).await, 403);
    // Anybody may say so.
    bob.invite("<sip:112@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    assert_eq!(bob.ended().await, 403);

    let call = phone.call("112").await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    bob.invite("<sip:112@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    let helps = |state: &Snapshot| state.calls.iter().any(|it| it.call_id == call && it.emergency);
    bob.serve_while(phone.until("a call of the emergency service", helps)).await;
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    bob.serve_while(backend.hears("answer")).await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn a_message_that_waited_for_a_session_is_not_sent_after_its_refusal() {
    let (bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.rule("connect", Reply::Silence);
    let mut settings = hooked(&bob, &backend);
    settings.hooks.timeout_ms = 1_000;
    let mut phone = Phone::start(settings).await;
    // Else the message may be asked about first, and its time is over first.
    backend.hears("connect").await;
    phone.done(hello(bob.uri("bob"))).await;
    let info = phone
        .wait("what became of it", |event| match event {
            Event::DataStatusEvent { status, info, .. } => Some((*status, info.clone())),
            _ => None,
        })
        .await;
    assert_eq!(info, (DataStatus::Failed, "the backend did not answer in time".into()));
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn nothing_of_a_session_passes_while_its_password_is_awaited() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let keys = Asking::default();
    let mut settings = hooked(&bob, &backend);
    settings.hooks.timeout_ms = 15_000;
    let options = Options { secrets: Box::new(keys.clone()), ..options(settings) };
    let mut phone = Phone::with(options).await;
    let call = phone.call(&bob.uri("bob")).await;
    keys.answer();
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    let hooks: Vec<_> = backend.hooks().into_iter().filter(|hook| !hook.ends_with("Event")).collect();
    let asked: Vec<_> = hooks.iter().filter(|hook| !hook.contains(' ')).collect();
    assert_eq!(asked, ["connect", "call"]);
    phone.finish().await;
}

#[tokio::test]
async fn a_key_store_that_asks_its_user_keeps_nobody_waiting_longer_than_the_backend() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let keys = Asking::default();
    let mut settings = hooked(&bob, &backend);
    settings.accounts.clear();
    settings.hooks.timeout_ms = 500;
    settings.hooks.authentication = HookAuthentication::Sha256;
    settings.hooks.secret_kept = true;
    settings.hooks.methods = vec!["publishStream".into(), "ConnectionStatusEvent".into(), "connect".into()];
    settings.gateway.enabled = true;
    settings.gateway.sip_port = 0;
    let options = Options { secrets: Box::new(keys.clone()), ..options(settings) };
    let mut phone = Phone::with(options).await;
    // The account of the gateway, which waits for no password.
    refused(&mut phone).await;
    assert_eq!(backend.hooks(), Vec::<String>::new(), "nothing goes out without the secret");
    let secret = Some(Secret::new("a word"));
    phone.done(Command::SetSecret { of: SecretUse::Hooks, secret, remember: false }).await;
    let heard = bob.serve_while(backend.hears("ConnectionStatusEvent")).await;
    assert!(heard.headers.contains_key("x-sidetone-signature"));
    phone.handle.shut_down().await;
    keys.answer();
}

#[tokio::test]
async fn who_sends_more_than_the_backend_takes_is_told_and_others_are_not_held_up() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.rule("OnDataEvent", Reply::Silence);
    let mut settings = hooked(&bob, &backend);
    settings.hooks.timeout_ms = 15_000;
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    for _ in 0..16 {
        phone.done(hello(bob.uri("bob"))).await;
    }
    assert_eq!(phone.ask(hello(bob.uri("bob"))).await.unwrap_err().code, FailureCode::Limit);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn a_call_that_the_backend_sends_to_an_emergency_number_is_one() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let overwrite = json!({"restPolicy": "OVERWRITE", "restOverwrite": "callee"});
    let mut config = strict();
    config["call"] = overwrite;
    backend.configure(config);
    backend.rule("call", Reply::With(json!({"callee": bob.uri("112")})));
    backend.refuse("answer");
    backend.refuse("hold");
    let mut settings = hooked(&bob, &backend);
    settings.accounts[0].anonymous = true;
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, from) = bob
        .wait("a call", |event| match event {
            sidetone_sip::Event::Incoming { call, from, .. } => Some((*call, from.uri.to_string())),
            _ => None,
        })
        .await;
    assert!(from.contains("alice@"), "who calls for help is not hidden: {from}");
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    assert!(phone.view(&call).emergency);
    phone.hold(&call).await;
    bob.agree("sendonly", "recvonly").await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.finish().await;
}
