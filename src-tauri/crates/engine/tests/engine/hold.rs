//! The far end changes its mind inside a call.

use crate::{
    kit::{Phone, gateway, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Finish, Hold};
use sidetone_api::{Command, FailureCode};

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
