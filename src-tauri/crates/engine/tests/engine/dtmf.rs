//! Keys, by each way and from each to each.

use crate::{
    kit::{Phone, gateway, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::Established;
use sidetone_api::{CallId, Command, DtmfMode, Event, FailureCode, SettingsChange};
use sidetone_sip::CallEvent;
use std::time::Instant;

fn keys(call: &CallId, dtmf: &str) -> Command {
    Command::SendDtmf { call_id: call.clone(), dtmf: dtmf.into() }
}

async fn signal(peer: &mut Peer) -> String {
    peer.told("an INFO", |event| match event {
        CallEvent::Info { content_type, body } => {
            Some(format!("{content_type} {}", String::from_utf8(body.clone()).unwrap()))
        }
        _ => None,
    })
    .await
}

async fn received(phone: &mut Phone) -> String {
    phone
        .wait("a key", |event| match event {
            Event::DtmfReceived { digit, .. } => Some(digit.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn keys_go_by_info_where_the_far_end_has_no_telephone_events_or_the_account_says_so() {
    for (mode, formats) in [(DtmfMode::Automatic, "0"), (DtmfMode::Info, "0 101")] {
        let mut settings = quiet();
        settings.accounts.push(sidetone_api::Account { dtmf: mode, ..unregistered("alice") });
        let (mut phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.answer(sip, &sdp(formats, "sendrecv"));
        bob.serve_while(phone.status(&call, Established)).await;
        phone.done(keys(&call, "5#")).await;
        assert!(signal(&mut bob).await.starts_with("application/dtmf-relay Signal=5\r\n"));
        assert!(signal(&mut bob).await.contains("Signal=#"));
        bob.ua.info(Instant::now(), sip, "application/dtmf-relay", b"Signal=*\r\nDuration=100\r\n".to_vec());
        assert_eq!(bob.serve_while(received(&mut phone)).await, "*");
        phone.until("shown", |state| state.calls[0].dtmf == "5#").await;
        phone.hang_up(&call).await;
        bob.ended().await;
        phone.finish().await;
    }
}

#[tokio::test]
async fn keys_that_must_go_as_telephone_events_are_refused_where_there_are_none() {
    let mut settings = quiet();
    settings.accounts.push(sidetone_api::Account { dtmf: DtmfMode::Rfc4733, ..unregistered("alice") });
    let (mut phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.serve_while(phone.status(&call, Established)).await;
    assert_eq!(phone.ask(keys(&call, "5")).await.unwrap_err().code, FailureCode::WrongState);
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn keys_of_a_number_are_dialled_after_the_answer() {
    let mut settings = quiet();
    settings.accounts.push(sidetone_api::Account { dtmf: DtmfMode::Info, ..unregistered("alice") });
    let (phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
    let uri = bob.uri("$1");
    let rule =
        sidetone_api::DialRule { pattern: "(.*)".into(), replace: uri, account_id: None, refuse: false };
    let calls = sidetone_api::CallSettings { dial_plan: vec![rule], ..Default::default() };
    phone
        .done(Command::ChangeSettings(SettingsChange { calls: Some(calls), ..SettingsChange::default() }))
        .await;
    let call = phone.call("tel:123;postd=45").await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    assert!(signal(&mut bob).await.contains("Signal=4"));
    assert!(signal(&mut bob).await.contains("Signal=5"));
    phone.hang_up(&call).await;
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_gateway_turns_keys_into_what_the_other_extension_takes() {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut bob = Peer::new().await;
    bob.register("bob", host.gateway()).await;
    let call = alice.call("bob").await;
    let (sip, _) = bob.called().await;
    // Bob has no telephone events: those of alice come to him by INFO, and his INFO to her as telephone events.
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.serve_while(alice.status(&call, Established)).await;
    alice.done(keys(&call, "7")).await;
    assert!(signal(&mut bob).await.contains("Signal=7"));
    bob.ua.info(Instant::now(), sip, "application/dtmf", b"9".to_vec());
    assert_eq!(bob.serve_while(received(&mut alice)).await, "9");
    alice.hang_up(&call).await;
    bob.ended().await;
    for phone in [alice, host] {
        phone.finish().await;
    }
}
