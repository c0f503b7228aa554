//! Several calls as one conversation.

use crate::{
    kit::{Phone, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Finish, Hold};
use sidetone_api::{CallId, Command, FailureCode};

/// `count` calls to a far end each; all but the last are held.
async fn calls(count: usize) -> (Phone, Vec<(CallId, Peer)>) {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    let mut phone = Phone::start(settings).await;
    let mut calls: Vec<(CallId, Peer)> = Vec::new();
    for _ in 0..count {
        let mut peer = Peer::new().await;
        let call = phone.call(&peer.uri("bob")).await;
        if let Some((_, before)) = calls.last_mut() {
            before.agree("sendonly", "recvonly").await;
        }
        let (sip, _) = peer.called().await;
        peer.answer(sip, &sdp("0 101", "sendrecv"));
        peer.confirmed().await;
        peer.serve_while(phone.status(&call, Established)).await;
        calls.push((call, peer));
    }
    (phone, calls)
}

fn ids(calls: &[(CallId, Peer)]) -> Vec<CallId> {
    calls.iter().map(|(id, _)| id.clone()).collect()
}

#[tokio::test]
async fn merging_resumes_held_calls_and_the_last_one_left_is_an_ordinary_call() {
    let (mut phone, mut calls) = calls(2).await;
    let merged = ids(&calls);
    phone.done(Command::Merge { call_ids: merged.clone() }).await;
    calls[0].1.agree("sendrecv", "sendrecv").await;
    phone
        .until("a conference", |state| {
            state.calls.len() == 2 && state.calls.iter().all(|call| call.in_conference && !call.hold.local)
        })
        .await;
    let (left, mut gone) = calls.pop().unwrap();
    phone.hang_up(&left).await;
    gone.ended().await;
    phone.status(&left, Finish).await;
    phone.until("an ordinary call", |state| !state.calls[0].in_conference).await;
    assert_eq!(phone.view(&merged[0]).status, Established);
    phone.hang_up(&merged[0]).await;
    phone.status(&merged[0], Finish).await;
    phone.finish().await;
}

#[tokio::test]
async fn a_call_that_is_split_off_is_held_and_the_others_stay_together() {
    let (mut phone, mut calls) = calls(3).await;
    let all = ids(&calls);
    phone.done(Command::Merge { call_ids: all.clone() }).await;
    calls[0].1.agree("sendrecv", "sendrecv").await;
    calls[1].1.agree("sendrecv", "sendrecv").await;
    phone.until("three", |state| state.calls.iter().all(|call| call.in_conference && !call.hold.local)).await;
    phone.done(Command::Split { call_id: all[2].clone() }).await;
    calls[2].1.agree("sendonly", "recvonly").await;
    phone.status(&all[2], Hold).await;
    for (id, together) in all.iter().zip([true, true, false]) {
        assert_eq!(phone.view(id).in_conference, together);
    }
    // Going on with the one outside holds the conference as a whole, and back again.
    phone.done(Command::Swap { call_id: all[2].clone() }).await;
    calls[0].1.agree("sendonly", "recvonly").await;
    calls[1].1.agree("sendonly", "recvonly").await;
    calls[2].1.agree("sendrecv", "sendrecv").await;
    phone.until("swapped", |s| s.calls.iter().all(|call| call.hold.local == call.in_conference)).await;
    phone.unhold(&all[0]).await;
    calls[2].1.agree("sendonly", "recvonly").await;
    calls[0].1.agree("sendrecv", "sendrecv").await;
    calls[1].1.agree("sendrecv", "sendrecv").await;
    phone.until("back", |s| s.calls.iter().all(|call| call.hold.local != call.in_conference)).await;
    phone.finish().await;
}

#[tokio::test]
async fn what_cannot_be_merged_or_split_is_refused() {
    let (phone, calls) = calls(1).await;
    let only = ids(&calls);
    let refused = phone.ask(Command::Merge { call_ids: only.clone() }).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("callIds"));
    let refused = phone.ask(Command::Merge { call_ids: vec![] }).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::Invalid);
    let unknown = vec![only[0].clone(), CallId::new("c-none")];
    assert_eq!(
        phone.ask(Command::Merge { call_ids: unknown }).await.unwrap_err().code,
        FailureCode::NotFound
    );
    let refused = phone.ask(Command::Split { call_id: only[0].clone() }).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::WrongState);
    phone.finish().await;
}
