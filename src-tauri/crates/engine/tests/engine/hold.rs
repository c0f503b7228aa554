//! The far end changes its mind inside a call.

use crate::{
    kit::{Phone, gateway, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Finish, Hold};
use sidetone_api::{CallId, Command, FailureCode, HoldView};

async fn caller() -> Phone {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    Phone::start(settings).await
}

/// A call that `bob` has answered.
async fn talking(phone: &mut Phone, bob: &mut Peer) -> (CallId, sidetone_sip::CallId) {
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.confirmed().await;
    bob.serve_while(phone.status(&call, Established)).await;
    (call, sip)
}

fn held(local: bool, remote: bool) -> HoldView {
    HoldView { local, remote }
}

#[tokio::test]
async fn a_call_held_here_offers_sendonly_and_resumed_sendrecv() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let (call, _) = talking(&mut phone, &mut bob).await;
    for _ in 0..2 {
        phone.hold(&call).await;
        bob.agree("sendonly", "recvonly").await;
        assert_eq!(bob.serve_while(phone.status(&call, Hold)).await, "held here");
        bob.serve_while(phone.until("held", |state| state.calls[0].hold == held(true, false))).await;
        phone.unhold(&call).await;
        bob.agree("sendrecv", "sendrecv").await;
        bob.serve_while(phone.status(&call, Established)).await;
        bob.serve_while(phone.until("resumed", |state| state.calls[0].hold == held(false, false))).await;
    }
    let twice = phone.ask(Command::Unhold { call_id: call.clone() }).await.unwrap_err();
    assert_eq!(twice.code, FailureCode::WrongState);
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_call_that_both_hold_is_inactive_and_established_again_only_when_nobody_holds() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    bob.reinvite(sip, &sdp("0 101", "sendonly")).await;
    bob.serve_while(phone.status(&call, Hold)).await;
    phone.hold(&call).await;
    bob.agree("inactive", "inactive").await;
    bob.serve_while(phone.until("both", |state| state.calls[0].hold == held(true, true))).await;
    // The far end resumes: we still hold.
    let answer = bob.reinvite(sip, &sdp("0 101", "sendrecv")).await;
    assert!(answer.contains("a=sendonly"), "{answer}");
    bob.serve_while(phone.until("ours", |state| state.calls[0].hold == held(true, false))).await;
    assert_eq!(phone.statuses(&call).last(), Some(&Hold));
    // And holds again; then we resume.
    let answer = bob.reinvite(sip, &sdp("0 101", "inactive")).await;
    assert!(answer.contains("a=inactive"), "{answer}");
    phone.unhold(&call).await;
    bob.agree("sendrecv", "sendonly").await;
    bob.serve_while(phone.until("theirs", |state| state.calls[0].hold == held(false, true))).await;
    assert_eq!(phone.statuses(&call).last(), Some(&Hold));
    bob.reinvite(sip, &sdp("0 101", "sendrecv")).await;
    bob.serve_while(phone.status(&call, Established)).await;
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_refused_hold_gives_the_call_back_and_says_why() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let (call, sip) = talking(&mut phone, &mut bob).await;
    phone.hold(&call).await;
    bob.reoffered().await;
    bob.reject(sip, 488, "Not Acceptable Here");
    bob.serve_while(phone.notice("refused the hold: 488 Not Acceptable Here")).await;
    bob.serve_while(phone.until("given back", |state| state.calls[0].hold == held(false, false))).await;
    assert!(!phone.statuses(&call).contains(&Hold));
    // A hold that met an offer of the far end is tried again by itself.
    phone.hold(&call).await;
    bob.reoffered().await;
    bob.reject(sip, 491, "Request Pending");
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(phone.status(&call, Hold)).await;
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_call_held_before_it_is_answered_is_held_from_its_answer_on() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.progress(sip, 180, None);
    bob.send_all().await;
    phone.hold(&call).await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.agree("sendonly", "recvonly").await;
    bob.serve_while(phone.status(&call, Hold)).await;
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_ringing_call_cannot_be_held() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    bob.invite("<sip:bob@127.0.0.1>", &format!("sip:alice@{}", phone.address()), Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    let failure = phone.ask(Command::Hold { call_id: call.clone() }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::WrongState);
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn calls_that_are_placed_answered_or_swapped_hold_the_others() {
    let mut phone = Phone::direct("alice", quiet()).await;
    let (mut bob, mut carol) = (Peer::new().await, Peer::new().await);
    let (first, _) = talking(&mut phone, &mut bob).await;
    carol.invite("<sip:c@127.0.0.1>", &format!("sip:alice@{}", phone.address()), Some(&sdp("0", "sendrecv")));
    let second = carol.serve_while(phone.ringing()).await;
    phone.done(Command::Answer { call_id: second.clone(), video: false }).await;
    bob.agree("sendonly", "recvonly").await;
    carol.answered().await;
    carol.send_all().await;
    bob.serve_while(phone.status(&first, Hold)).await;
    phone.done(Command::Swap { call_id: first.clone() }).await;
    bob.agree("sendrecv", "sendrecv").await;
    carol.agree("sendonly", "recvonly").await;
    bob.serve_while(carol.serve_while(phone.status(&second, Hold))).await;
    bob.serve_while(phone.until("swapped", |state| {
        state.calls.iter().all(|call| call.hold.local == (call.call_id == second))
    }))
    .await;
    let third = phone.call(&carol.uri("dora")).await;
    bob.agree("sendonly", "recvonly").await;
    phone.hang_up(&third).await;
    for call in [first, second] {
        phone.hang_up(&call).await;
    }
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_far_end_that_holds_is_hold_and_one_that_resumes_established() {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    let (mut phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.confirmed().await;
    bob.serve_while(phone.status(&call, Established)).await;
    for (direction, ours) in [("sendonly", "recvonly"), ("inactive", "inactive")] {
        let answer = bob.reinvite(sip, &sdp("0 101", direction)).await;
        assert!(answer.contains(&format!("a={ours}")), "{answer}");
        phone.status(&call, Hold).await;
        let dtmf = Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() };
        assert_eq!(phone.ask(dtmf).await.unwrap_err().code, FailureCode::WrongState);
        let answer = bob.reinvite(sip, &sdp("0 101", "sendrecv")).await;
        assert!(answer.contains("a=sendrecv"), "{answer}");
        phone.status(&call, Established).await;
    }
    // A re-INVITE without an offer gets ours.
    let offer = bob.reinvite(sip, "").await;
    assert!(offer.contains("m=audio"), "{offer}");
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, Finish)).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_and_the_call_goes_on() {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    let (mut phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.confirmed().await;
    phone.status(&call, Established).await;
    bob.ua.reinvite(std::time::Instant::now(), sip, sdp("18", "sendrecv").into_bytes());
    let code = bob.told("the refusal", |event| match event {
        sidetone_sip::CallEvent::ReofferFailed { cause } => Some(cause.code),
        _ => None,
    });
    assert_eq!(code.await, 488);
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn hold_of_one_extension_is_hold_at_the_other() {
    let mut host = Phone::start(gateway()).await;
    let domain = host.gateway();
    host.is_registered().await;
    let mut bob = Peer::new().await;
    bob.register("bob", domain).await;
    let call = host.call("bob").await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendrecv"));
    bob.confirmed().await;
    host.status(&call, Established).await;
    for _ in 0..2 {
        bob.reinvite(sip, &sdp("0 101", "sendonly")).await;
        bob.serve_while(host.status(&call, Hold)).await;
        bob.reinvite(sip, &sdp("0 101", "sendrecv")).await;
        bob.serve_while(host.status(&call, Established)).await;
    }
    host.hang_up(&call).await;
    bob.ended().await;
    host.status(&call, Finish).await;
    host.finish().await;
}

#[tokio::test]
async fn a_far_end_that_knows_nothing_of_the_call_any_more_ends_it() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let (call, _) = talking(&mut phone, &mut bob).await;
    // It has crashed and is back: nothing is heard of it, and our question is answered 481.
    bob.ua = sidetone_sip::UserAgent::new(sidetone_sip::Config::default(), [5; 32]);
    let info = bob.serve_while(phone.wait("the end", |event| match event {
        sidetone_api::Event::CallStatusEvent { status, call_id, info, .. } if *call_id == call => {
            status.is_end().then(|| info.clone())
        }
        _ => None,
    }));
    assert!(info.await.starts_with("481"));
    phone.finish().await;
}
