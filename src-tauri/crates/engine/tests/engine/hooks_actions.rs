//! One action, several commands: each passes its gate.

use crate::{
    backend::{Backend, Reply},
    hooks_calls::{established, hooked, strict, strict_phone},
    kit::{LOOPBACK, Phone},
    peer::{Peer, sdp},
};
use serde_json::json;
use sidetone_api::{CallId, CallStatus, Command};
use sidetone_sip::{Invite, message::NameAddr, message::Uri};
use std::time::Instant;

#[tokio::test]
async fn who_swaps_calls_asks_to_hold_and_tells_of_the_other() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    let first = established(&mut phone, &mut bob, &mut backend).await;
    let mut carol = Peer::new().await;
    let second = phone.call(&carol.uri("carol")).await;
    bob.agree("sendonly", "recvonly").await;
    let (sip, _) = carol.called().await;
    carol.answer(sip, &sdp("0 101", "sendrecv"));
    carol.serve_while(phone.status(&second, CallStatus::Established)).await;

    backend.refuse("hold");
    phone.done(Command::Swap { call_id: first.clone() }).await;
    assert_eq!(bob.serve_while(phone.error_of("hold")).await, "not before nine");
    assert!(phone.view(&first).hold.local && !phone.view(&second).hold.local, "as they were");
    assert_eq!(backend.hears("hold").await.body["callId"], second.as_str());

    backend.rule("hold", Reply::With(json!({})));
    phone.done(Command::Swap { call_id: first.clone() }).await;
    assert_eq!(bob.serve_while(backend.hears("hold")).await.body["callId"], second.as_str());
    bob.agree("sendrecv", "sendrecv").await;
    carol.agree("sendonly", "recvonly").await;
    assert_eq!(bob.serve_while(backend.hears("unhold")).await.body["callId"], first.as_str());
    let swapped = phone.until("swapped", |state| {
        let held = |id: &CallId| state.calls.iter().any(|call| call.call_id == *id && call.hold.local);
        held(&second) && !held(&first)
    });
    bob.serve_while(carol.serve_while(swapped)).await;

    phone.done(Command::Merge { call_ids: vec![first.clone(), second.clone()] }).await;
    carol.agree("sendrecv", "sendrecv").await;
    assert_eq!(bob.serve_while(backend.hears("unhold")).await.body["callId"], second.as_str());
    let merged = phone.until("both", |state| state.calls.iter().all(|call| call.in_conference));
    bob.serve_while(carol.serve_while(merged)).await;
    backend.refuse("hold");
    phone.done(Command::Split { call_id: second.clone() }).await;
    assert_eq!(bob.serve_while(phone.error_of("hold")).await, "not before nine");
    assert!(phone.view(&second).in_conference);
    phone.handle.shut_down().await;
}

#[tokio::test]
async fn who_goes_on_while_a_hold_is_asked_for_is_not_held_by_its_verdict() {
    let (mut phone, mut bob, mut backend) = strict_phone().await;
    let call = established(&mut phone, &mut bob, &mut backend).await;
    backend.rule("hold", Reply::Silence);
    phone.hold(&call).await;
    bob.serve_while(backend.hears("hold")).await;
    phone.unhold(&call).await;
    bob.serve_while(backend.hears("unhold")).await;
    backend.rule("hold", Reply::With(json!({})));
    phone.hold(&call).await;
    bob.serve_while(backend.hears("hold")).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(phone.status(&call, CallStatus::Hold)).await;
    phone.hang_up(&call).await;
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn who_calls_in_the_place_of_another_is_asked_about() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    backend.configure(strict());
    let mut settings = hooked(&bob, &backend);
    settings.network.sip_port = sidetone_testkit::free_port(LOOPBACK).unwrap();
    let mut phone = Phone::start(settings).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    backend.refuse("OnCallEvent");
    let mut carol = Peer::new().await;
    let replaces = bob.ua.dialog_name(sip);
    let to = Uri::parse(&format!("sip:alice@{}", phone.address())).unwrap();
    let invite = || {
        let from = NameAddr::parse("\"Carol\" <sip:carol@example.com>").unwrap();
        let offer = sdp("0 101", "sendrecv").into_bytes();
        Invite { replaces: replaces.clone(), ..Invite::new(from, to.clone(), offer) }
    };
    carol.ua.invite(Instant::now(), invite());
    assert_eq!(carol.ended().await, 403);
    let asked = backend.hears("OnCallEvent").await.body;
    assert_eq!((&asked["callId"], &asked["incoming"]), (&json!(call), &json!(true)));
    assert_eq!((&asked["caller"], &asked["visibleName"]), (&json!("sip:carol@example.com"), &json!("Carol")));
    backend.rule("OnCallEvent", Reply::With(json!({})));
    carol.ua.invite(Instant::now(), invite());
    carol.answered().await;
    bob.ended().await;
    phone.hang_up(&call).await;
    carol.serve_while(phone.status(&call, CallStatus::Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn where_a_call_is_sent_by_the_backend_the_client_need_not_see() {
    let (mut bob, mut backend) = (Peer::new().await, Backend::start().await);
    let transfer = json!({"restPolicy": "OVERWRITE", "restOverwrite": "target", "clientExclude": "target"});
    backend.configure(json!({ "transfer": transfer }));
    backend.rule("transfer", Reply::With(json!({"target": "sip:eve@example.com"})));
    let mut phone = Phone::start(hooked(&bob, &backend)).await;
    bob.serve_while(backend.hears_status("ConnectionStatusEvent", "ESTABLISHED")).await;
    let call = established(&mut phone, &mut bob, &mut backend).await;
    phone.done(Command::Transfer { call_id: call.clone(), target: "sip:carol@example.com".into() }).await;
    bob.agree("sendonly", "recvonly").await;
    let (_, target, _) = bob.referred().await;
    assert_eq!(target.to_string(), "sip:eve@example.com");
    bob.serve_while(phone.until("a transfer", |state| {
        let transfer = state.calls.first().and_then(|call| call.transfer.as_ref());
        transfer.is_some_and(|transfer| transfer.target == "sip:carol@example.com")
    }))
    .await;
    phone.handle.shut_down().await;
}
