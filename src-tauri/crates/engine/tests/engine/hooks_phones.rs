//! SIP phones at the exchange under the rules of the gateway's backend: they are other engines, which have none.

use crate::{
    backend::{Backend, Reply},
    kit::{Phone, gateway, quiet},
};
use serde_json::{Value, json};
use sidetone_api::{
    CallId, CallStatus, Command, DataStatus, DtmfMode, Event, IncomingTransfer, Reply as Done, TransferStatus,
};

/// An exchange whose backend has these policies for all.
async fn host(backend: &Backend, policies: Value) -> Phone {
    let mut settings = gateway();
    settings.hooks.url = backend.url();
    settings.hooks.policies = serde_json::from_value(policies).unwrap();
    let mut host = Phone::start(settings).await;
    host.is_registered().await;
    host
}

fn fail(hooks: &[&str]) -> Value {
    hooks.iter().map(|hook| ((*hook).to_owned(), json!({"restOnError": "FAIL"}))).collect()
}

/// A phone that sends its keys by INFO and lets itself be transferred.
async fn phone(user: &str, host: &Phone) -> Phone {
    let mut settings = quiet();
    let mut account = crate::kit::account(user, host.gateway());
    account.dtmf = DtmfMode::Info;
    account.incoming_transfer = IncomingTransfer::Allow;
    settings.accounts.push(account);
    let mut phone = Phone::start(settings).await;
    phone.is_registered().await;
    phone
}

async fn established(alice: &mut Phone, bob: &mut Phone) -> (CallId, CallId) {
    let call = alice.call("bob").await;
    let there = bob.answer().await;
    alice.status(&call, CallStatus::Established).await;
    (call, there)
}

/// The hooks of a user at the exchange, in order.
fn of(backend: &mut Backend, host: &Phone, user: &str) -> Vec<String> {
    let session = format!("sip:{user}@{}", host.gateway());
    let lines = backend.hooks();
    let heard = backend.seen.iter().zip(lines);
    heard.filter(|(heard, _)| heard.body["sessionId"] == session.as_str()).map(|(_, line)| line).collect()
}

/// Waits until these are the hooks of a user at the exchange. What comes next waits for them: events go by the outbox,
/// and gates may overtake them.
async fn come(backend: &mut Backend, host: &Phone, user: &str, expected: &[&str]) {
    loop {
        let hooks = of(backend, host, user);
        assert!(expected.iter().zip(&hooks).all(|(expected, hook)| expected == hook), "{hooks:#?}");
        if hooks.len() >= expected.len() {
            assert_eq!(hooks, expected);
            return;
        }
        backend.hears_more().await;
    }
}

async fn error(phone: &mut Phone, name: &str) -> String {
    phone
        .wait(name, |event| match event {
            Event::Notice { info, .. } if info.contains(name) => Some(info.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn each_phone_of_a_call_is_a_client_whose_hooks_come_in_order() {
    let mut backend = Backend::start().await;
    let host = host(&backend, json!({})).await;
    let (mut alice, mut bob) = (phone("alice", &host).await, phone("bob", &host).await);
    let (mut by_alice, mut by_bob) = (Vec::new(), Vec::new());
    for (user, hooks) in [("alice", &mut by_alice), ("bob", &mut by_bob)] {
        hooks.push("RegistrationStatusEvent REGISTERED");
        come(&mut backend, &host, user, hooks).await;
    }
    let call = alice.call("bob").await;
    let there = bob.ringing().await;
    by_alice.extend(["call", "CallStatusEvent TRYING", "CallStatusEvent RING"]);
    come(&mut backend, &host, "alice", &by_alice).await;
    by_bob.extend(["OnCallEvent PENDING", "CallStatusEvent RING"]);
    come(&mut backend, &host, "bob", &by_bob).await;

    bob.done(Command::Answer { call_id: there.clone(), video: false }).await;
    bob.status(&there, CallStatus::Established).await;
    alice.status(&call, CallStatus::Established).await;
    by_alice.push("CallStatusEvent ESTABLISHED");
    come(&mut backend, &host, "alice", &by_alice).await;
    by_bob.extend(["answer", "CallStatusEvent ESTABLISHED"]);
    come(&mut backend, &host, "bob", &by_bob).await;

    alice.hold(&call).await;
    bob.status(&there, CallStatus::Hold).await;
    by_alice.extend(["hold", "CallStatusEvent HOLD"]);
    come(&mut backend, &host, "alice", &by_alice).await;
    by_bob.push("CallStatusEvent HOLD");
    come(&mut backend, &host, "bob", &by_bob).await;

    alice.unhold(&call).await;
    bob.status(&there, CallStatus::Established).await;
    by_alice.extend(["unhold", "CallStatusEvent ESTABLISHED"]);
    come(&mut backend, &host, "alice", &by_alice).await;
    by_bob.push("CallStatusEvent ESTABLISHED");
    come(&mut backend, &host, "bob", &by_bob).await;

    alice.done(Command::SendDtmf { call_id: call.clone(), dtmf: "5".into() }).await;
    by_alice.push("sendDtmf");
    come(&mut backend, &host, "alice", &by_alice).await;
    bob.hang_up(&there).await;
    alice.status(&call, CallStatus::Finish).await;
    by_alice.push("CallStatusEvent FINISH");
    come(&mut backend, &host, "alice", &by_alice).await;
    by_bob.extend(["hangup", "CallStatusEvent FINISH"]);
    come(&mut backend, &host, "bob", &by_bob).await;

    let first =
        |name: &str| backend.seen.iter().find(|heard| heard.hook == name).expect("it came").body.clone();
    let (key, asked, rung) = (first("sendDtmf"), first("call"), first("OnCallEvent"));
    assert_eq!((&key["dtmf"], &key["type"]), (&json!("5"), &json!("INFO")));
    let caller = format!("sip:alice@{}", host.gateway());
    assert_eq!((&asked["caller"], &asked["incoming"]), (&json!(caller), &json!(false)));
    assert_eq!((&rung["caller"], &rung["incoming"]), (&json!(caller), &json!(true)));
    assert_eq!(rung["parentCallId"], asked["callId"]);
    assert_ne!(rung["callId"], asked["callId"]);
    assert!(asked["sdp"].as_str().is_some_and(|sdp| sdp.starts_with("v=0")), "{asked}");
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_refused_phone_hears_403_and_the_callee_nothing() {
    let mut backend = Backend::start().await;
    let host = host(&backend, fail(&["call", "OnCallEvent", "answer"])).await;
    let (mut alice, mut bob) = (phone("alice", &host).await, phone("bob", &host).await);
    backend.refuse("call");
    let call = alice.call("bob").await;
    assert_eq!(alice.status(&call, CallStatus::Failed).await, "403 not before nine");
    let told = backend.hears_status("CallStatusEvent", "FAILED").await.body;
    assert_eq!((&told["sipStatus"], &told["info"]), (&json!(403), &json!("403 not before nine")));

    backend.rule("call", Reply::With(json!({})));
    backend.refuse("OnCallEvent");
    let call = alice.call("bob").await;
    assert_eq!(alice.status(&call, CallStatus::Failed).await, "403 Forbidden");

    backend.rule("OnCallEvent", Reply::With(json!({})));
    backend.refuse("answer");
    let call = alice.call("bob").await;
    let there = bob.ringing().await;
    bob.done(Command::Answer { call_id: there.clone(), video: false }).await;
    assert_eq!(alice.status(&call, CallStatus::Failed).await, "403 not before nine");
    bob.status(&there, CallStatus::Finish).await;
    bob.check().await;
    let rung = bob.state().history.len();
    assert_eq!(rung, 1, "nobody was disturbed by the first two");
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn the_backend_sends_a_phones_call_to_another_extension() {
    let backend = Backend::start().await;
    let overwrite = json!({"call": {"restPolicy": "OVERWRITE", "restOverwrite": "callee,visibleName"}});
    let host = host(&backend, overwrite).await;
    let (mut alice, mut carol) = (phone("alice", &host).await, phone("carol", &host).await);
    backend.rule("call", Reply::With(json!({"callee": "carol", "visibleName": "Ada Lovelace"})));
    let call = alice.call("bob").await;
    let there = carol.ringing().await;
    let is_named = |state: &sidetone_api::Snapshot| {
        state.calls.iter().any(|view| view.call_id == there && view.remote_name == "Ada Lovelace")
    };
    carol.until("the name", is_named).await;
    carol.hang_up(&there).await;
    alice.status(&call, CallStatus::Busy).await;
    for phone in [alice, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_phone_that_gives_up_while_the_backend_thinks_is_told_of_and_nobody_rings() {
    let mut backend = Backend::start().await;
    let host = host(&backend, fail(&["call"])).await;
    let (mut alice, mut bob) = (phone("alice", &host).await, phone("bob", &host).await);
    backend.rule("call", Reply::Silence);
    let call = alice.call("bob").await;
    backend.hears("call").await;
    alice.hang_up(&call).await;
    alice.status(&call, CallStatus::Finish).await;
    backend.hears("hangup").await;
    backend.hears_status("CallStatusEvent", "FINISH").await;
    let call = alice.call("bob").await;
    let info = alice.status(&call, CallStatus::Failed).await;
    assert_eq!(info, "403 the backend did not answer in time");
    bob.check().await;
    assert!(bob.state().history.is_empty());
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn what_a_phone_asks_for_inside_a_call_can_be_refused() {
    let mut backend = Backend::start().await;
    let host = host(&backend, fail(&["hold", "transfer", "OnDataEvent"])).await;
    let (mut alice, mut bob) = (phone("alice", &host).await, phone("bob", &host).await);
    let carol = phone("carol", &host).await;
    let (call, there) = established(&mut alice, &mut bob).await;
    for hook in ["hold", "transfer", "OnDataEvent"] {
        backend.refuse(hook);
    }
    alice.hold(&call).await;
    error(&mut alice, "not before nine").await;
    alice.check().await;
    assert_eq!(alice.view(&call).status, CallStatus::Established);
    assert_eq!(bob.statuses(&there), [CallStatus::Ring, CallStatus::Established]);
    let data = |body: &str, to: &str| Command::SendData {
        to: to.into(),
        body: body.into(),
        content_type: None,
        session_id: None,
    };
    alice.done(data("hello", "bob")).await;
    let info = alice
        .wait("the refusal", |event| match event {
            Event::DataStatusEvent { status: DataStatus::Failed, info, .. } => Some(info.clone()),
            _ => None,
        })
        .await;
    assert_eq!(info, "403 not before nine");
    backend.hears_status("DataStatusEvent", "FAILED").await;

    backend.rule("hold", Reply::With(json!({})));
    alice.done(Command::Transfer { call_id: call.clone(), target: "carol".into() }).await;
    let info = alice.transfer(&call, TransferStatus::Failed).await;
    assert!(info.starts_with("403"), "{info}");
    let told = backend.hears_status("TransferStatusEvent", "FAILED").await.body;
    assert!(told["target"].as_str().is_some_and(|target| target.contains("carol")), "{told}");
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_phones_transfer_and_message_are_told_with_their_outcome() {
    let mut backend = Backend::start().await;
    let host = host(&backend, json!({})).await;
    let (mut alice, mut bob) = (phone("alice", &host).await, phone("bob", &host).await);
    let mut carol = phone("carol", &host).await;
    let command =
        Command::SendData { to: "bob".into(), body: "hello".into(), content_type: None, session_id: None };
    let Ok(Done::Data { .. }) = alice.ask(command).await else { panic!("no message") };
    backend.hears_status("DataStatusEvent", "ACCEPTED").await;
    let (call, there) = established(&mut alice, &mut bob).await;
    alice.done(Command::Transfer { call_id: call.clone(), target: "carol".into() }).await;
    let rung = carol.ringing().await;
    let by_carol = ["RegistrationStatusEvent REGISTERED", "OnCallEvent PENDING", "CallStatusEvent RING"];
    come(&mut backend, &host, "carol", &by_carol).await;
    carol.done(Command::Answer { call_id: rung, video: false }).await;
    alice.transfer(&call, TransferStatus::Completed).await;
    alice.status(&call, CallStatus::Finish).await;
    backend.hears_status("TransferStatusEvent", "COMPLETED").await;
    let hooks = of(&mut backend, &host, "alice");
    let told: Vec<_> = hooks.iter().filter(|hook| hook.starts_with("Transfer")).collect();
    assert_eq!(
        (told.first().map(|it| it.as_str()), told.last().map(|it| it.as_str())),
        (Some("TransferStatusEvent ACCEPTED"), Some("TransferStatusEvent COMPLETED"))
    );
    assert!(hooks.iter().any(|hook| hook == "transfer"), "{hooks:?}");
    let hooks = of(&mut backend, &host, "carol");
    assert_eq!(hooks[3], "answer", "{hooks:?}");
    let data: Vec<_> = backend.seen.iter().filter(|heard| heard.hook == "OnDataEvent").collect();
    let incoming: Vec<_> = data.iter().map(|heard| heard.body["incoming"].clone()).collect();
    assert_eq!(incoming, [json!(false), json!(true)]);
    bob.hang_up(&there).await;
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn our_own_account_at_the_exchange_is_asked_about_once() {
    let mut backend = Backend::start().await;
    let mut host = host(&backend, json!({})).await;
    let mut bob = phone("bob", &host).await;
    let call = host.call("bob").await;
    let there = bob.answer().await;
    host.status(&call, CallStatus::Established).await;
    host.hang_up(&call).await;
    bob.status(&there, CallStatus::Finish).await;
    for _ in 0..2 {
        backend.hears_status("CallStatusEvent", "FINISH").await;
    }
    let hooks = backend.hooks();
    for hook in ["call", "OnCallEvent PENDING", "answer", "hangup"] {
        assert_eq!(hooks.iter().filter(|it| *it == hook).count(), 1, "{hook} in {hooks:?}");
    }
    for phone in [bob, host] {
        phone.finish().await;
    }
}
