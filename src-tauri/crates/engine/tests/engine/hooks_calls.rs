//! Sessions and calls under the rules of a backend.

use crate::{
    backend::{Backend, Reply},
    kit::{Phone, account, quiet},
    peer::{Peer, sdp},
};
use serde_json::json;
use sidetone_api::{
    Account, CallId, CallStatus, Command, ConnectionStatus, DataStatus, Event, FailureCode, Reply as Done,
    Settings, TransferStatus,
};

/// Of a phone whose account is at `bob`, without a registration.
pub(crate) fn hooked(bob: &Peer, backend: &Backend) -> Settings {
    let mut settings = quiet();
    settings.accounts.push(Account { register: false, ..account("alice", bob.address()) });
    settings.hooks.url = backend.url();
    settings
}

/// All hooks of calls can refuse.
pub(crate) fn strict() -> serde_json::Value {
    let fail = json!({"restOnError": "FAIL"});
    let hooks = ["call", "answer", "hold", "transfer", "sendDtmf", "OnCallEvent", "OnDataEvent"];
    hooks.into_iter().map(|hook| (hook.to_owned(), fail.clone())).collect()
}

pub(crate) async fn strict_phone() -> (Phone, Peer, Backend) {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.configure(strict());
    let phone = Phone::start(hooked(&bob, &backend)).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    (phone, bob, backend)
}

/// A call of `phone` to `bob` that is up.
pub(crate) async fn established(phone: &mut Phone, bob: &mut Peer, backend: &mut Backend) -> CallId {
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "ESTABLISHED")).await;
    call
}

impl Phone {
    /// Waits for an error of a hook; gives its info.
    pub(crate) async fn error_of(&mut self, name: &str) -> String {
        self.wait(&format!("an error of {name}"), |event| match event {
            Event::ErrorEvent { hook, info, .. } if hook == name => Some(info.clone()),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_backend_hears_the_hooks_of_a_call_in_order_with_their_fields() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    let call = established(&mut phone, &mut bob, &mut backend).await;
    phone.hold(&call).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "HOLD")).await;
    phone.unhold(&call).await;
    bob.agree("sendrecv", "sendrecv").await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "ESTABLISHED")).await;
    phone.done(Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() }).await;
    bob.serve_while(backend.hears("sendDtmf")).await;
    phone.hang_up(&call).await;
    bob.serve_while(backend.hears_status("CallStatusEvent", "FINISH")).await;
    let hooks: Vec<_> = backend.hooks().into_iter().filter(|hook| hook != "CallStatusEvent TRYING").collect();
    let expected = [
        "connect",
        "ConnectionStatusEvent ESTABLISHED",
        "call",
        "CallStatusEvent ESTABLISHED",
        "hold",
        "CallStatusEvent HOLD",
        "unhold",
        "CallStatusEvent ESTABLISHED",
        "sendDtmf",
        "hangup",
        "CallStatusEvent FINISH",
    ];
    assert_eq!(hooks, expected);
    let of = |name: &str| backend.seen.iter().find(|heard| heard.hook == name).expect("it came").body.clone();
    let session = phone.session();
    for name in ["connect", "ConnectionStatusEvent", "call", "hold", "sendDtmf", "hangup", "CallStatusEvent"]
    {
        let body = of(name);
        assert_eq!(body["appKey"], "defaultApp", "{name}");
        assert_eq!(body["sessionId"], session.as_str(), "{name}");
        assert!(body["nodeId"].as_str().is_some_and(|node| node.contains('@')), "{name}");
    }
    let connect = of("connect");
    assert_eq!((&connect["sipLogin"], &connect["sipRegisterRequired"]), (&json!("alice"), &json!(false)));
    assert_eq!(connect["sipDomain"], "127.0.0.1");
    let asked = of("call");
    assert_eq!(asked["callId"], call.as_str());
    assert_eq!(asked["callee"], bob.uri("bob"));
    assert_eq!((&asked["status"], &asked["incoming"]), (&json!("PENDING"), &json!(false)));
    assert_eq!((&asked["hasAudio"], &asked["hasVideo"]), (&json!(true), &json!(false)));
    assert_eq!((&of("sendDtmf")["dtmf"], &of("sendDtmf")["type"]), (&json!("1"), &json!("RFC2833")));
    let mut keys: Vec<_> = backend.seen.iter().map(|heard| heard.key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), backend.seen.len(), "each has a key of its own");
    phone.finish().await;
}

/// Without its credentials. What we end is ended by no message of theirs.
#[tokio::test]
async fn the_message_that_ended_a_call_is_told_to_the_backend() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 404, "Not Found");
    bob.serve_while(phone.status(&call, CallStatus::Failed)).await;
    let told = bob.serve_while(backend.hears_status("CallStatusEvent", "FAILED")).await.body;
    let message = told["sipMessageRaw"].as_str().unwrap();
    assert!(message.starts_with("SIP/2.0 404 Not Found\r\n") && message.contains("\r\nCSeq: "), "{message}");
    assert_eq!(told["sipStatus"], 404);
    for ended_there in [true, false] {
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.answer(sip, &sdp("0 101", "sendrecv"));
        bob.serve_while(phone.status(&call, CallStatus::Established)).await;
        if ended_there {
            bob.hang_up(sip);
        } else {
            phone.hang_up(&call).await;
        }
        bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
        let told = bob.serve_while(backend.hears_status("CallStatusEvent", "FINISH")).await.body;
        let is_bye = told["sipMessageRaw"].as_str().is_some_and(|message| message.starts_with("BYE sip:"));
        assert_eq!(is_bye, ended_there, "{told}");
        assert!(ended_there || told.get("sipMessageRaw").is_none(), "{told}");
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_refused_call_fails_with_the_backends_reason_and_nothing_goes_out() {
    let (mut phone, mut bob, backend) = strict_phone().await;
    backend.refuse("call");
    let call = phone.call(&bob.uri("bob")).await;
    assert_eq!(phone.status(&call, CallStatus::Failed).await, "not before nine");
    assert_eq!(phone.statuses(&call), [CallStatus::Failed]);
    backend.rule("call", Reply::With(json!({})));
    let call = phone.call(&bob.uri("carol")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    phone.finish().await;
}

#[tokio::test]
async fn under_log_a_refused_call_goes_on() {
    let (mut bob, backend) = (Peer::new().await, Backend::start().await);
    backend.refuse("call");
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_call_waits_for_its_verdict_and_can_be_given_up_meanwhile() {
    let (mut phone, bob, mut backend) = strict_phone().await;
    backend.rule("call", Reply::Silence);
    let call = phone.call(&bob.uri("bob")).await;
    backend.hears("call").await;
    phone.hang_up(&call).await;
    phone.status(&call, CallStatus::Finish).await;
    let call = phone.call(&bob.uri("bob")).await;
    let info = phone.status(&call, CallStatus::Failed).await;
    assert_eq!(info, "the backend did not answer in time");
    phone.finish().await;
}

#[tokio::test]
async fn the_backend_sends_a_call_elsewhere_and_the_client_does_not_see_it() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.configure(
        json!({"call": {"restPolicy": "OVERWRITE", "restOverwrite": "callee", "clientExclude": "callee",
                                      "restExclude": "visibleName"}}),
    );
    backend.rule("call", Reply::With(json!({"callee": bob.uri("eve"), "visibleName": "Not this"})));
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    bob.serve_while(backend.hears("connect")).await;
    let call = phone.call(&bob.uri("bob")).await;
    let asked = bob.serve_while(backend.hears("call")).await;
    assert!(asked.body.get("visibleName").is_none(), "{}", asked.body);
    let (sip, _, to) = bob
        .wait("a call", |event| match event {
            sidetone_sip::Event::Incoming { call, from, to, .. } => {
                Some((*call, from.uri.to_string(), to.uri.to_string()))
            }
            _ => None,
        })
        .await;
    assert_eq!(to, bob.uri("eve"));
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    phone.check().await;
    assert_eq!(phone.state().history[0].remote, bob.uri("bob"));
    phone.finish().await;
}

#[tokio::test]
async fn who_calls_for_help_waits_for_nobody() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    backend.refuse("call");
    let call = phone.call("112").await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 486, "Busy Here");
    bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    assert_eq!(bob.serve_while(backend.hears("call")).await.body["callId"], call.as_str());
    phone.finish().await;
}

#[tokio::test]
async fn who_calls_for_help_by_a_session_that_was_refused_waits_for_nobody() {
    let (mut bob, backend) = (Peer::new().await, Backend::start().await);
    backend.refuse("connect");
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    phone
        .until("the refusal", |state| {
            state.sessions.first().is_some_and(|it| it.connection == Some(ConnectionStatus::Failed))
        })
        .await;
    for session in [Some(phone.session()), None] {
        let refused = phone.ask(Command::call(bob.uri("bob"), session.clone())).await.unwrap_err();
        assert_eq!(refused.code, FailureCode::WrongState);
        let Ok(Done::Call { call_id: call }) = phone.ask(Command::call("112", session)).await else {
            panic!("nobody is called")
        };
        let (sip, _) = bob.called().await;
        bob.reject(sip, 486, "Busy Here");
        bob.serve_while(phone.status(&call, CallStatus::Busy)).await;
    }
    phone.finish().await;
}

#[tokio::test]
async fn what_is_refused_inside_a_call_leaves_it_as_it_is_and_is_told() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    let call = established(&mut phone, &mut bob, &mut backend).await;
    for hook in ["hold", "sendDtmf", "transfer"] {
        backend.refuse(hook);
    }
    phone.hold(&call).await;
    assert_eq!(bob.serve_while(phone.error_of("hold")).await, "not before nine");
    phone.done(Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() }).await;
    assert_eq!(bob.serve_while(phone.error_of("sendDtmf")).await, "not before nine");
    phone.done(Command::Transfer { call_id: call.clone(), target: "carol".into() }).await;
    let info = bob.serve_while(phone.transfer(&call, TransferStatus::Failed)).await;
    assert_eq!(info, "not before nine");
    let view = phone.view(&call);
    assert_eq!((view.status, view.dtmf.as_str()), (CallStatus::Established, ""));
    assert!(!view.hold.local);
    let told = bob.serve_while(backend.hears_status("TransferStatusEvent", "FAILED")).await;
    assert_eq!(told.body["callId"], call.as_str());
    let wrong = phone.ask(Command::SendDtmf { call_id: call.clone(), dtmf: "x".into() }).await;
    assert_eq!(
        wrong.unwrap_err().code,
        FailureCode::Invalid,
        "what is wrong is told before anybody is asked"
    );
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn an_incoming_call_is_refused_with_403_and_rings_where_it_is_allowed() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.configure(strict());
    backend.refuse("OnCallEvent");
    let mut settings = hooked(&bob, &backend);
    settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let here = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    assert_eq!(bob.ended().await, 403);
    let asked = backend.hears("OnCallEvent").await;
    assert_eq!(asked.body["incoming"], json!(true));
    assert_eq!(asked.body["caller"], "sip:bob@example.com");
    phone.check().await;
    assert!(phone.state().calls.is_empty(), "nobody was disturbed");

    backend.rule("OnCallEvent", Reply::Silence);
    let sip = bob.invite("<sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    bob.serve_while(backend.hears("OnCallEvent")).await;
    bob.hang_up(sip);
    assert_eq!(bob.ended().await, 487);
    phone.until("a missed call", |state| state.missed_calls == 1).await;

    backend.rule("OnCallEvent", Reply::With(json!({})));
    bob.invite("<sip:bob@example.com>", &here, Some(&sdp("0 101", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    backend.refuse("answer");
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    assert_eq!(bob.serve_while(phone.error_of("answer")).await, "not before nine");
    backend.rule("answer", Reply::With(json!({})));
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_refused_session_sends_nothing_and_says_why() {
    let (bob, backend) = (Peer::new().await, Backend::start().await);
    backend.refuse("connect");
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    let info = phone
        .wait("the refusal", |event| match event {
            Event::ConnectionStatusEvent { status: ConnectionStatus::Failed, info, .. } => Some(info.clone()),
            _ => None,
        })
        .await;
    assert_eq!(info, "not before nine");
    let session_id = Some(phone.session());
    for session_id in [session_id, None] {
        let command = Command::call(bob.uri("bob"), session_id);
        assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::WrongState);
    }
    phone.finish().await;
}

#[tokio::test]
async fn the_backend_gives_a_session_its_account() {
    let (mut bob, mut backend) = (Peer::registrar("1001", "a word").await, Backend::start().await);
    let (host, port) = (bob.address().ip().to_string(), bob.address().port());
    backend.rule(
        "connect",
        Reply::With(json!({"sipLogin": "1001", "sipAuthenticationName": "1001", "sipPassword": "a word",
                           "sipDomain": host, "sipPort": port, "sipRegisterRequired": true})),
    );
    let mut settings = quiet();
    settings.accounts.push(Account { register: false, ..account("alice", "127.0.0.1:9".parse().unwrap()) });
    settings.hooks.url = backend.url();
    let mut phone = Phone::start(settings).await;
    bob.serve_while(phone.is_registered()).await;
    assert_eq!(phone.state().sessions[0].aor, format!("sip:1001@{}", bob.address()));
    let told = bob.serve_while(backend.hears_status("RegistrationStatusEvent", "REGISTERED")).await;
    assert_eq!(told.body["sipLogin"], "1001");
    assert!(!told.raw.contains("a word"), "{}", told.raw);
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn messages_are_refused_in_both_directions() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    backend.refuse("OnDataEvent");
    let send =
        Command::SendData { to: bob.uri("bob"), body: "hello".into(), content_type: None, session_id: None };
    phone.done(send.clone()).await;
    let info = phone
        .wait("the refusal", |event| match event {
            Event::DataStatusEvent { status: DataStatus::Failed, info, .. } => Some(info.clone()),
            _ => None,
        })
        .await;
    assert_eq!(info, "not before nine");
    let asked = backend.hears("OnDataEvent").await;
    assert_eq!((&asked.body["payload"]["body"], &asked.body["incoming"]), (&json!("hello"), &json!(false)));
    bob.serve_while(backend.hears_status("DataStatusEvent", "FAILED")).await;
    phone.finish().await;
}
