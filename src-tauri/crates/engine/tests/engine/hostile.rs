//! Strangers and clients who mean no good.

use crate::{
    kit::{LOOPBACK, Phone, gateway, quiet},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Established, Finish};
use sidetone_api::{CallId, Command, Event, FailureCode};
use std::net::UdpSocket;

#[tokio::test]
async fn a_callers_name_is_one_short_line_whatever_it_was() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    let name = format!("<b>Bob</b>\u{202e} \\\u{7}{}", "x".repeat(5000));
    bob.invite(&format!("\"{name}\" <sip:bob@example.org>"), &us, Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    phone.check().await;
    let view = phone.state().calls.first().unwrap().clone();
    assert!(view.remote_name.starts_with("<b>Bob</b>"), "{:?}", view.remote_name);
    assert!(view.remote_name.chars().count() <= 257);
    assert!(!view.remote_name.chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", view.remote_name);
    phone.hang_up(&call).await;
    bob.ended().await;
    // A caller who is longer than anything that one could call back.
    let endless = format!("<sip:{}@example.org>", "b".repeat(3000));
    bob.invite(&endless, &us, Some(&sdp("0", "sendrecv")));
    assert_eq!(bob.ended().await, 400);
    phone.finish().await;
}

#[tokio::test]
async fn a_refusal_in_many_words_is_cut_to_a_line() {
    let mut settings = quiet();
    settings.accounts.push(crate::kit::unregistered("alice"));
    let (mut phone, mut bob) = (Phone::start(settings).await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.reject(sip, 480, &format!("no\u{2066}\u{1b}[31m {}", "way ".repeat(2000)));
    let info = bob.serve_while(phone.status(&call, sidetone_api::CallStatus::Failed)).await;
    assert!(info.starts_with("480 no") && info.chars().count() <= 257, "{info}");
    assert!(!info.chars().any(|c| c.is_control() || c == '\u{2066}'), "{info}");
    phone.finish().await;
}

#[tokio::test]
async fn commands_of_any_length_and_content_get_short_failures() {
    let phone = Phone::start(gateway()).await;
    for text in
        ["x".repeat(1_000_000), "\u{0}\r\nVia: x".into(), "\u{202e}".repeat(1000), "%00%0d%0a@".into()]
    {
        let commands = [
            Command::call(text.clone(), None),
            Command::SendDtmf { call_id: CallId::new("c"), dtmf: text.clone() },
            Command::SelectDevices { microphone: Some(text.clone()), speaker: None, ringer: None },
            Command::SelectDevices { microphone: None, speaker: Some(text.clone()), ringer: None },
        ];
        for command in commands {
            let failure = phone.ask(command).await.unwrap_err();
            assert!(matches!(failure.code, FailureCode::Invalid), "{failure}");
            assert!(failure.message.len() < 5000, "{} bytes", failure.message.len());
        }
    }
    phone.finish().await;
}

#[tokio::test]
async fn datagrams_of_rubbish_change_nothing_in_a_call() {
    let mut host = Phone::start(gateway()).await;
    let mut alice = Phone::direct("alice", quiet()).await;
    host.is_registered().await;
    let call = host.call("echo").await;
    host.status(&call, Established).await;
    let stranger = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let mut rubbish: Vec<Vec<u8>> = vec![
        b"INVITE sip:local@x SIP/2.0\r\n\r\n".to_vec(),
        b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n".to_vec(),
        b"\r\n\r\n".to_vec(),
        vec![0xff; 60_000],
    ];
    rubbish.extend((0..200_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes().repeat(50)));
    for bytes in &rubbish {
        for target in [host.gateway(), alice.address()] {
            stranger.send_to(bytes, target).unwrap();
        }
    }
    host.wait("figures after the rubbish", |event| matches!(event, Event::CallMeasured { .. }).then_some(()))
        .await;
    host.hang_up(&call).await;
    assert_eq!(host.status(&call, Finish).await, "200 Call ended");
    alice.check().await;
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_flood_of_callers_rings_as_often_as_there_are_lines_and_ends() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    let calls: Vec<_> =
        (0..80).map(|_| bob.invite("<sip:bob@example.org>", &us, Some(&sdp("0", "sendrecv")))).collect();
    for _ in 64..80 {
        let cause = bob.end().await;
        assert!(matches!(cause.code, 486 | 503), "{cause}");
    }
    bob.serve_while(phone.until("64 ringing calls", |state| state.calls.len() == 64)).await;
    for call in calls {
        bob.hang_up(call);
    }
    bob.serve_while(phone.until("none", |state| state.calls.is_empty() && state.history.len() == 64)).await;
    phone.finish().await;
}
