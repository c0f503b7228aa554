//! Transfers, each of the three parties in turn.

use crate::{
    kit::{Phone, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Failed, Finish, Hold, Ring};
use sidetone_api::TransferStatus::{self, Accepted, Completed, Trying};
use sidetone_api::{CallId, Command, Event, FailureCode, IncomingTransfer};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{CallEvent, Invite, Refer};
use std::time::Instant;

/// A phone that the far ends can call, and that answers REFER so.
async fn phone(policy: IncomingTransfer) -> Phone {
    let mut settings = quiet();
    settings.network.sip_port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    let mut account = unregistered("alice");
    account.incoming_transfer = policy;
    settings.accounts.push(account);
    Phone::start(settings).await
}

/// A call that `peer` has answered.
async fn talking(phone: &mut Phone, peer: &mut Peer) -> (CallId, sidetone_sip::CallId) {
    let call = phone.call(&peer.uri("bob")).await;
    let (sip, _) = peer.called().await;
    peer.answer(sip, &sdp("0 101", "sendrecv"));
    peer.confirmed().await;
    peer.serve_while(phone.status(&call, Established)).await;
    (call, sip)
}

fn transfer(call: &CallId, target: &str) -> Command {
    Command::Transfer { call_id: call.clone(), target: target.into() }
}

#[tokio::test]
async fn a_blind_transfer_holds_tells_each_step_and_hangs_up() {
    let (mut phone, mut bob) = (phone(IncomingTransfer::Ask).await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    phone.done(transfer(&call, "sip:carol@127.0.0.1:5099")).await;
    bob.agree("sendonly", "recvonly").await;
    let (_, target, replaces) = bob.referred().await;
    assert_eq!((target.to_string().as_str(), replaces), ("sip:carol@127.0.0.1:5099", None));
    assert!(bob.ua.accept_refer(Instant::now(), sip));
    bob.serve_while(phone.transfer(&call, Accepted)).await;
    bob.serve_while(phone.transfer(&call, Trying)).await;
    let again = phone.ask(transfer(&call, "sip:dora@127.0.0.1")).await.unwrap_err();
    assert_eq!(again.code, FailureCode::WrongState);
    bob.ua.notify_refer(Instant::now(), sip, 180, "Ringing");
    bob.ua.notify_refer(Instant::now(), sip, 200, "OK");
    assert_eq!(bob.serve_while(phone.transfer(&call, Completed)).await, "200 OK");
    bob.ended().await;
    bob.serve_while(phone.status(&call, Finish)).await;
    assert_eq!(phone.transfers(), [Accepted, Trying, Completed]);
    phone.finish().await;
}

#[tokio::test]
async fn a_transfer_that_fails_gives_the_call_back() {
    let (mut phone, mut bob) = (phone(IncomingTransfer::Ask).await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    // By a report of 486.
    phone.done(transfer(&call, "carol")).await;
    bob.agree("sendonly", "recvonly").await;
    bob.referred().await;
    bob.ua.accept_refer(Instant::now(), sip);
    bob.ua.notify_refer(Instant::now(), sip, 486, "Busy Here");
    assert_eq!(bob.serve_while(phone.transfer(&call, TransferStatus::Failed)).await, "486 Busy Here");
    bob.agree("sendrecv", "sendrecv").await;
    bob.serve_while(phone.until("given back", |state| state.calls[0].status == Established)).await;
    // By a refusal of the REFER.
    phone.done(transfer(&call, "carol")).await;
    bob.agree("sendonly", "recvonly").await;
    bob.referred().await;
    bob.ua.refuse_refer(Instant::now(), sip, 603, "Decline");
    assert_eq!(bob.serve_while(phone.transfer(&call, TransferStatus::Failed)).await, "603 Decline");
    bob.agree("sendrecv", "sendrecv").await;
    bob.serve_while(phone.until("given back", |state| state.calls[0].status == Established)).await;
    let view = phone.view(&call).transfer.clone().unwrap();
    assert_eq!((view.status, view.info.as_str()), (Some(TransferStatus::Failed), "603 Decline"));
    // By the end of the call.
    phone.done(transfer(&call, "carol")).await;
    bob.agree("sendonly", "recvonly").await;
    bob.referred().await;
    bob.hang_up(sip);
    bob.serve_while(phone.transfer(&call, TransferStatus::Failed)).await;
    bob.serve_while(phone.status(&call, Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_transfer_is_not_lost_where_the_far_end_refuses_to_be_resumed_before_it() {
    let (mut phone, mut bob) = (phone(IncomingTransfer::Ask).await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    phone.hold(&call).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(phone.status(&call, Hold)).await;
    phone.unhold(&call).await;
    bob.reoffered().await;
    phone.done(transfer(&call, "sip:carol@127.0.0.1:5099")).await;
    bob.reject(sip, 488, "Not Acceptable Here");
    bob.referred().await;
    bob.ua.refuse_refer(Instant::now(), sip, 603, "Decline");
    assert_eq!(bob.serve_while(phone.transfer(&call, TransferStatus::Failed)).await, "603 Decline");
    phone.finish().await;
}

#[tokio::test]
async fn an_attended_transfer_names_the_consultation_and_ends_both() {
    let mut phone = phone(IncomingTransfer::Ask).await;
    let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
    let (first, at_bob) = talking(&mut phone, &mut bob).await;
    let second = phone.call(&carol.uri("carol")).await;
    bob.agree("sendonly", "recvonly").await;
    let (at_carol, _) = carol.called().await;
    carol.answer(at_carol, &sdp("0 101", "sendrecv"));
    carol.confirmed().await;
    carol.serve_while(phone.status(&second, Established)).await;
    let itself = Command::TransferAttended { call_id: first.clone(), consultation_call_id: first.clone() };
    assert_eq!(phone.ask(itself).await.unwrap_err().field.as_deref(), Some("consultationCallId"));
    let command = Command::TransferAttended { call_id: first.clone(), consultation_call_id: second.clone() };
    phone.done(command).await;
    let (_, target, replaces) = bob.referred().await;
    assert_eq!(target.to_string(), carol.uri("carol"));
    bob.ua.accept_refer(Instant::now(), at_bob);
    // Bob takes our place at carol.
    let offer = sdp("0 101", "sendrecv").into_bytes();
    let from = NameAddr::new(Uri::parse(&bob.uri("bob")).unwrap());
    bob.ua.invite(Instant::now(), Invite { replaces, ..Invite::new(from, target, offer) });
    bob.send_all().await;
    let (new, replaced) = carol
        .wait("Replaces", |event| match event {
            sidetone_sip::Event::Incoming { call, replaces, .. } => Some((*call, *replaces)),
            _ => None,
        })
        .await;
    assert_eq!(replaced, Some(at_carol));
    carol.answer(new, &sdp("0 101", "sendrecv"));
    carol.hang_up(at_carol);
    carol.send_all().await;
    bob.answered().await;
    bob.ua.notify_refer(Instant::now(), at_bob, 200, "OK");
    bob.serve_while(phone.transfer(&first, Completed)).await;
    bob.ended().await;
    bob.serve_while(phone.until("both ended", |state| state.calls.is_empty())).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_far_end_that_asks_is_obeyed_when_the_user_agrees() {
    let mut phone = phone(IncomingTransfer::Ask).await;
    let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
    let (old, sip) = talking(&mut phone, &mut bob).await;
    let to = Uri::parse(&carol.uri("carol")).unwrap();
    bob.ua.refer(Instant::now(), sip, Refer::blind(to.clone()));
    let asked = phone.wait("OnTransferEvent", |event| match event {
        Event::OnTransferEvent { target, referred_by, .. } => Some((target.clone(), referred_by.clone())),
        _ => None,
    });
    let (target, by) = bob.serve_while(asked).await;
    assert_eq!((target, by), (to.to_string(), bob.uri("bob")));
    bob.serve_while(phone.until("asked", |state| state.calls[0].transfer_requested.is_some())).await;
    phone.done(Command::AcceptTransfer { call_id: old.clone() }).await;
    let (at_carol, _) = carol.called().await;
    carol.progress(at_carol, 180, None);
    carol.send_all().await;
    bob.told("a report of 180", |event| {
        matches!(event, CallEvent::ReferProgress { status: 180, .. }).then_some(())
    })
    .await;
    carol.answer(at_carol, &sdp("0 101", "sendrecv"));
    carol.send_all().await;
    assert_eq!(bob.refer_final().await, 200);
    bob.hang_up(sip);
    bob.serve_while(phone.status(&old, Finish)).await;
    phone.until("one call", |state| state.calls.len() == 1).await;
    let left = phone.state().calls.clone();
    assert_eq!(left[0].status, Established);
    assert_eq!(left[0].callee, to.to_string());
    phone.hang_up(&left[0].call_id).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_transfer_to_nobody_leaves_the_call_as_it_was() {
    let (mut phone, mut bob) = (phone(IncomingTransfer::Allow).await, Peer::new().await);
    let (old, sip) = talking(&mut phone, &mut bob).await;
    let mut carol = Peer::new().await;
    bob.ua.refer(Instant::now(), sip, Refer::blind(Uri::parse(&carol.uri("carol")).unwrap()));
    bob.send_all().await;
    let (at_carol, _) = carol.called().await;
    carol.reject(at_carol, 486, "Busy Here");
    carol.send_all().await;
    assert_eq!(bob.refer_final().await, 486);
    bob.serve_while(phone.notice("the transfer came to nothing: 486")).await;
    assert_eq!(phone.view(&old).status, Established);
    phone.hang_up(&old).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_transfer_that_the_account_or_the_user_refuses_is_603() {
    let (mut phone_, mut bob) = (phone(IncomingTransfer::Refuse).await, Peer::new().await);
    let (_, sip) = talking(&mut phone_, &mut bob).await;
    bob.ua.refer(Instant::now(), sip, Refer::blind(Uri::parse("sip:x@127.0.0.1").unwrap()));
    assert_eq!(bob.refer_final().await, 603);
    phone_.finish().await;
    let (mut phone, mut bob) = (phone(IncomingTransfer::Ask).await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    bob.ua.refer(Instant::now(), sip, Refer::blind(Uri::parse("sip:x@127.0.0.1").unwrap()));
    bob.serve_while(phone.until("asked", |state| state.calls[0].transfer_requested.is_some())).await;
    phone.done(Command::RefuseTransfer { call_id: call.clone() }).await;
    assert_eq!(bob.refer_final().await, 603);
    phone.until("no request", |state| state.calls[0].transfer_requested.is_none()).await;
    let again = phone.ask(Command::AcceptTransfer { call_id: call }).await.unwrap_err();
    assert_eq!(again.code, FailureCode::WrongState);
    phone.finish().await;
}

#[tokio::test]
async fn a_call_that_replaces_ours_takes_its_place_with_its_hold_and_mute() {
    let mut phone = phone(IncomingTransfer::Ask).await;
    let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    phone.hold(&call).await;
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(phone.status(&call, Hold)).await;
    let replaces = bob.ua.dialog_name(sip);
    let to = Uri::parse(&format!("sip:alice@{}", phone.address())).unwrap();
    let from = NameAddr::parse("\"Carol\" <sip:carol@127.0.0.1>").unwrap();
    let offer = sdp("0 101", "sendrecv").into_bytes();
    let at_carol =
        carol.ua.invite(Instant::now(), Invite { replaces, ..Invite::new(from, to.clone(), offer.clone()) });
    let answer = carol.answered().await;
    carol.send_all().await;
    assert!(answer.contains("a=sendonly"), "{answer}");
    bob.ended().await;
    phone.until("carol", |state| state.calls.len() == 1 && state.calls[0].remote_name == "Carol").await;
    assert_eq!((phone.view(&call).status, phone.view(&call).hold.local), (Hold, true));
    let hop = phone.view(&call).signalling.as_ref().map(|hop| hop.remote.clone());
    assert_eq!(hop, Some(carol.address().to_string()), "of the far end that there is now");
    phone.unhold(&call).await;
    carol.agree("sendrecv", "sendrecv").await;
    carol.serve_while(phone.status(&call, Established)).await;
    // The far end's new name is bounded as any caller's is.
    let replaces = carol.ua.dialog_name(at_carol);
    let from = NameAddr::parse(&format!("<sip:{}@127.0.0.1>", "m".repeat(1100))).unwrap();
    let mut mallory = Peer::new().await;
    mallory.ua.invite(Instant::now(), Invite { replaces, ..Invite::new(from, to.clone(), offer.clone()) });
    assert_eq!(mallory.ended().await, 400);
    // What does not exist any more cannot be replaced.
    let gone = sidetone_sip::DialogName {
        call_id: "gone".into(),
        to_tag: "a".into(),
        from_tag: "b".into(),
        early_only: false,
    };
    let from = NameAddr::parse("<sip:eve@127.0.0.1>").unwrap();
    let mut eve = Peer::new().await;
    eve.ua.invite(Instant::now(), Invite { replaces: Some(gone), ..Invite::new(from, to, offer) });
    assert_eq!(eve.ended().await, 481);
    assert!(!phone.statuses(&call).contains(&Failed) && !phone.statuses(&call).contains(&Ring));
    phone.hang_up(&call).await;
    carol.ended().await;
    phone.finish().await;
}

/// A gateway with three extensions on phones of their own.
async fn extensions() -> (Phone, [Phone; 3]) {
    let mut host = Phone::start(crate::kit::gateway()).await;
    host.is_registered().await;
    let at = |name| Phone::registered(name, host.gateway(), quiet());
    let phones = [at("alice").await, at("bob").await, at("carol").await];
    (host, phones)
}

async fn connected(caller: &mut Phone, name: &str, callee: &mut Phone) -> (CallId, CallId) {
    let call = caller.call(name).await;
    let there = callee.answer().await;
    caller.status(&call, Established).await;
    (call, there)
}

#[tokio::test]
async fn an_extension_transfers_another_to_a_third() {
    let (host, [mut alice, mut bob, mut carol]) = extensions().await;
    let (call, at_bob) = connected(&mut alice, "bob", &mut bob).await;
    alice.done(transfer(&call, "carol")).await;
    let at_carol = carol.ringing().await;
    alice.transfer(&call, Accepted).await;
    alice.transfer(&call, Trying).await;
    carol.done(Command::Answer { call_id: at_carol.clone(), video: false }).await;
    alice.transfer(&call, Completed).await;
    alice.status(&call, Finish).await;
    bob.until("resumed", |state| state.calls[0].status == Established && !state.calls[0].hold.remote).await;
    carol.hang_up(&at_carol).await;
    bob.status(&at_bob, Finish).await;
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn the_called_extension_transfers_its_caller_after_asking() {
    let (host, [mut alice, mut bob, mut carol]) = extensions().await;
    let (call, at_bob) = connected(&mut alice, "bob", &mut bob).await;
    let (asking, at_carol) = connected(&mut bob, "carol", &mut carol).await;
    alice.status(&call, Hold).await;
    let command = Command::TransferAttended { call_id: at_bob.clone(), consultation_call_id: asking.clone() };
    bob.done(command).await;
    bob.transfer(&at_bob, Completed).await;
    bob.until("both ended", |state| state.calls.is_empty()).await;
    alice.until("resumed", |state| state.calls[0].status == Established).await;
    alice.hang_up(&call).await;
    carol.status(&at_carol, Finish).await;
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_transfer_between_extensions_that_fails_gives_the_call_back() {
    let (host, [mut alice, mut bob, mut carol]) = extensions().await;
    let (call, at_bob) = connected(&mut alice, "bob", &mut bob).await;
    alice.done(transfer(&call, "nobody")).await;
    assert!(alice.transfer(&call, TransferStatus::Failed).await.starts_with("404"));
    alice.done(transfer(&call, "carol")).await;
    let busy = carol.ringing().await;
    carol.hang_up(&busy).await;
    assert!(alice.transfer(&call, TransferStatus::Failed).await.starts_with("486"));
    alice.until("given back", |state| state.calls[0].status == Established).await;
    bob.until("given back", |state| state.calls[0].status == Established).await;
    // Whoever leaves before the third has answered leaves the second waiting for it.
    alice.done(transfer(&call, "carol")).await;
    let at_carol = carol.ringing().await;
    alice.transfer(&call, Accepted).await;
    alice.hang_up(&call).await;
    alice.status(&call, Finish).await;
    carol.done(Command::Answer { call_id: at_carol.clone(), video: false }).await;
    carol.status(&at_carol, Established).await;
    bob.hang_up(&at_bob).await;
    carol.status(&at_carol, Finish).await;
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn an_extension_is_transferred_to_a_service() {
    let (host, [mut alice, mut bob, carol]) = extensions().await;
    let (call, at_bob) = connected(&mut alice, "bob", &mut bob).await;
    alice.done(transfer(&call, "echo")).await;
    alice.transfer(&call, Completed).await;
    alice.status(&call, Finish).await;
    bob.until("resumed", |state| state.calls[0].status == Established && !state.calls[0].hold.remote).await;
    bob.hang_up(&at_bob).await;
    bob.status(&at_bob, Finish).await;
    for phone in [alice, bob, carol, host] {
        phone.finish().await;
    }
}
