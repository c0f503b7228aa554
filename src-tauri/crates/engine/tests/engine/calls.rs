//! Each status by its cause, and hanging up in every state.

use crate::{
    kit::{Phone, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::{CallDirection, CallId, CallStatus, Command, Event, FailureCode};
use std::net::SocketAddr;

async fn caller() -> Phone {
    let mut settings = quiet();
    settings.accounts.push(unregistered("alice"));
    Phone::start(settings).await
}

#[tokio::test]
async fn an_outgoing_call_tells_trying_ring_progress_established_finish_once_each() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.progress(sip, 180, None);
    bob.progress(sip, 180, None);
    bob.serve_while(phone.status(&call, CallStatus::Ring)).await;
    bob.progress(sip, 183, Some(sdp("0", "sendrecv")));
    bob.serve_while(phone.status(&call, CallStatus::SessionProgress)).await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    assert_eq!(bob.serve_while(phone.status(&call, CallStatus::Established)).await, "200 OK");
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    let all = [
        CallStatus::Trying,
        CallStatus::Ring,
        CallStatus::SessionProgress,
        CallStatus::Established,
        CallStatus::Finish,
    ];
    assert_eq!(phone.statuses(&call), all);
    phone.check().await;
    let entry = phone.state().history.first().expect("it is in the history").clone();
    assert_eq!((entry.direction, entry.status), (CallDirection::Outgoing, CallStatus::Finish));
    assert_eq!((entry.account_id.as_str(), entry.remote), ("alice", bob.uri("bob")));
    assert_eq!(entry.seconds, Some(0));
    phone.finish().await;
}

#[tokio::test]
async fn without_a_100_there_is_no_trying() {
    let mut phone = caller().await;
    let call = phone.call("sip:bob@name.invalid").await;
    let info = phone.status(&call, CallStatus::Failed).await;
    assert!(info.contains("name.invalid"), "{info}");
    phone.check().await;
    assert_eq!(phone.statuses(&call), [CallStatus::Failed]);
    assert_eq!(phone.state().history[0].seconds, None);
    phone.finish().await;
}

#[tokio::test]
async fn refusals_are_busy_or_failed_with_their_code_and_text() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    for (code, text, status) in [
        (486, "Busy Here", CallStatus::Busy),
        (600, "Busy Everywhere", CallStatus::Busy),
        (404, "Not Found", CallStatus::Failed),
        (480, "Temporarily Unavailable", CallStatus::Failed),
        (488, "Not Acceptable Here", CallStatus::Failed),
        (503, "Service Unavailable", CallStatus::Failed),
        (603, "Decline", CallStatus::Failed),
    ] {
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.reject(sip, code, text);
        assert_eq!(bob.serve_while(phone.status(&call, status)).await, format!("{code} {text}"));
    }
    phone.finish().await;
}

#[tokio::test]
async fn an_answer_without_a_common_codec_fails_and_the_far_end_gets_a_bye() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("18", "sendrecv"));
    let info = bob.serve_while(phone.status(&call, CallStatus::Failed)).await;
    assert!(info.starts_with("488 "), "{info}");
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn hanging_up_before_the_way_is_known_sends_nothing() {
    let mut phone = caller().await;
    let call = phone.call("sip:bob@name.invalid").await;
    phone.hang_up(&call).await;
    phone.status(&call, CallStatus::Finish).await;
    assert_eq!(phone.statuses(&call), [CallStatus::Finish]);
    phone.finish().await;
}

#[tokio::test]
async fn hanging_up_while_it_rings_there_cancels_and_twice_is_once() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    for early_media in [false, true] {
        let call = phone.call(&bob.uri("bob")).await;
        let (sip, _) = bob.called().await;
        bob.progress(sip, 180, early_media.then(|| sdp("0", "sendrecv")));
        bob.serve_while(phone.status(&call, CallStatus::Ring)).await;
        phone.hang_up(&call).await;
        let again = phone.ask(Command::Hangup { call_id: call.clone() }).await;
        assert!(again.is_ok_and(|_| true) || !phone.state().calls.is_empty());
        assert_eq!(bob.ended().await, 487);
        phone.status(&call, CallStatus::Finish).await;
    }
    phone.finish().await;
}

#[tokio::test]
async fn hanging_up_an_established_call_sends_a_bye() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.serve_while(phone.status(&call, CallStatus::Established)).await;
    phone.hang_up(&call).await;
    assert_eq!(bob.ended().await, 200);
    phone.status(&call, CallStatus::Finish).await;
    phone.finish().await;
}

#[tokio::test]
async fn an_incoming_call_is_announced_rings_and_can_be_declined_or_withdrawn() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    bob.invite("\"Bob\" <sip:bob@example.org>", &us, Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    let on_call = phone.seen.iter().find_map(|envelope| match &envelope.event {
        Event::OnCallEvent { call_id, caller, info, .. } => {
            Some((call_id.clone(), caller.clone(), info.clone()))
        }
        _ => None,
    });
    assert_eq!(on_call, Some((call.clone(), "sip:bob@example.org".into(), "Bob".into())));
    phone.hang_up(&call).await;
    assert_eq!(bob.ended().await, 486);
    assert_eq!(phone.status(&call, CallStatus::Finish).await, "486 Busy Here");

    let sip = bob.invite("<sip:bob@example.org>", &us, Some(&sdp("0", "sendrecv")));
    let call = bob.serve_while(phone.ringing()).await;
    bob.hang_up(sip);
    bob.serve_while(phone.status(&call, CallStatus::Finish)).await;
    assert_eq!(phone.statuses(&call), [CallStatus::Ring, CallStatus::Finish]);
    phone.finish().await;
}

#[tokio::test]
async fn an_offer_without_a_common_codec_is_refused_with_488_and_told() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    let us = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.org>", &us, Some(&sdp("18", "sendrecv")));
    assert_eq!(bob.ended().await, 488);
    phone.notice("could not be taken").await;
    bob.invite("<sip:bob@example.org>", &us, Some("v=0\r\nnonsense"));
    assert_eq!(bob.ended().await, 400);
    bob.invite("<sip:bob@example.org>", &us.replace("alice", "carol"), Some(&sdp("0", "sendrecv")));
    assert_eq!(bob.ended().await, 404);
    assert!(phone.state().calls.is_empty());
    phone.finish().await;
}

#[tokio::test]
async fn a_caller_who_neither_offers_nor_answers_is_hung_up() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    bob.invite("<sip:bob@example.org>", &format!("sip:alice@{}", phone.address()), None);
    let call = bob.serve_while(phone.ringing()).await;
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    let offer = bob.answered().await;
    assert!(offer.contains("opus/48000/2") && offer.contains("PCMU/8000"), "{offer}");
    let info = bob.serve_while(phone.status(&call, CallStatus::Failed)).await;
    assert_eq!(info, "488 no answer to our offer");
    bob.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn a_call_that_comes_in_during_another_rings_beside_it() {
    let (mut phone, mut bob, mut carol) =
        (Phone::direct("alice", quiet()).await, Peer::new().await, Peer::new().await);
    let first = phone.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.serve_while(phone.status(&first, CallStatus::Established)).await;
    let us = format!("sip:alice@{}", phone.address());
    carol.invite("<sip:carol@example.org>", &us, Some(&sdp("8", "sendrecv")));
    let second = carol.serve_while(phone.ringing()).await;
    phone.done(Command::Answer { call_id: second.clone(), video: false }).await;
    phone.status(&second, CallStatus::Established).await;
    carol.answered().await;
    phone.check().await;
    let codecs: Vec<_> = phone.state().calls.iter().filter_map(|call| call.codec.clone()).collect();
    assert_eq!(codecs.iter().map(|codec| codec.name.as_str()).collect::<Vec<_>>(), ["PCMU", "PCMA"]);
    phone.hang_up(&first).await;
    bob.ended().await;
    phone.status(&first, CallStatus::Finish).await;
    assert_eq!(phone.statuses(&second), [CallStatus::Ring, CallStatus::Established]);
    phone.hang_up(&second).await;
    carol.ended().await;
    phone.finish().await;
}

#[tokio::test]
async fn what_a_call_cannot_do_in_its_state_is_refused() {
    let (mut phone, mut bob) = (caller().await, Peer::new().await);
    let call = phone.call(&bob.uri("bob")).await;
    let dtmf = |digits: &str| Command::SendDtmf { call_id: call.clone(), dtmf: digits.into() };
    let code = async |command| phone.ask(command).await.unwrap_err().code;
    assert_eq!(code(Command::Answer { call_id: call.clone(), video: false }).await, FailureCode::WrongState);
    assert_eq!(code(dtmf("1")).await, FailureCode::WrongState);
    assert_eq!(code(dtmf("1x")).await, FailureCode::Invalid);
    assert_eq!(code(dtmf("")).await, FailureCode::Invalid);
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0 101", "sendonly"));
    bob.serve_while(phone.status(&call, CallStatus::Hold)).await;
    // Who holds us takes no digits, and an answered call cannot be answered.
    let digit = Command::SendDtmf { call_id: call.clone(), dtmf: "1".into() };
    for command in [digit, Command::Answer { call_id: call.clone(), video: false }] {
        assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::WrongState);
    }
    phone.finish().await;
}

#[tokio::test]
async fn an_unknown_call_or_session_is_not_found() {
    let phone = caller().await;
    let call_id = CallId::new("c-none");
    let session_id = sidetone_api::SessionId::new("s-none");
    for command in [
        Command::Answer { call_id: call_id.clone(), video: false },
        Command::Hangup { call_id: call_id.clone() },
        Command::MuteAudio { call_id: call_id.clone(), muted: true },
        Command::SendDtmf { call_id, dtmf: "1".into() },
        Command::call("echo", Some(session_id.clone())),
        Command::Register { session_id: session_id.clone() },
        Command::Unregister { session_id: session_id.clone() },
        Command::Disconnect { session_id },
        Command::Connect {
            account_id: sidetone_api::AccountId::new("none"),
            password: None,
            auth_token: None,
        },
        Command::RemoveAccount { account_id: sidetone_api::AccountId::new("none") },
    ] {
        let text = format!("{command:?}");
        assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::NotFound, "{text}");
    }
    phone.finish().await;
}

#[tokio::test]
async fn there_is_a_limit_of_calls_in_both_directions() {
    let (mut phone, mut bob) = (Phone::direct("alice", quiet()).await, Peer::new().await);
    // Nobody answers there, so they stay.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent: SocketAddr = silent.local_addr().unwrap();
    for _ in 0..256 {
        phone.call(&format!("sip:x@{silent}")).await;
    }
    let command = Command::call(format!("sip:x@{silent}"), None);
    assert_eq!(phone.ask(command).await.unwrap_err().code, FailureCode::Limit);
    let us = format!("sip:alice@{}", phone.address());
    bob.invite("<sip:bob@example.org>", &us, Some(&sdp("0", "sendrecv")));
    assert!(matches!(bob.ended().await, 486 | 503));
    phone.check().await;
    for call in phone.state().calls.clone() {
        phone.hang_up(&call.call_id).await;
    }
    phone.check().await;
    assert!(phone.state().calls.is_empty());
}

/// The value of a message's header.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {message}"))
}

#[tokio::test]
async fn an_offer_of_ours_is_answered_in_the_ack() {
    let mut phone = Phone::direct("alice", quiet()).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (us, them) = (phone.address(), socket.local_addr().unwrap());
    let request = |method: &str, to: &str, branch: &str, body: &str| {
        format!(
            "{method} sip:alice@{us} SIP/2.0\r\nVia: SIP/2.0/UDP {them};branch=z9hG4bK{branch}\r\n\
             From: <sip:bob@{them}>;tag=b\r\nTo: {to}\r\nCall-ID: late\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:bob@{them}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let invite = request("INVITE", &format!("<sip:alice@{us}>"), "1", "");
    socket.send_to(invite.as_bytes(), us).await.unwrap();
    let call = phone.ringing().await;
    phone.done(Command::Answer { call_id: call.clone(), video: false }).await;
    let mut buffer = vec![0; 4096];
    let ok = loop {
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if message.starts_with("SIP/2.0 200 ") {
            break message;
        }
    };
    assert!(ok.contains("opus/48000/2"), "{ok}");
    let ack = request("ACK", header(&ok, "To"), "2", &sdp("8", "sendrecv"));
    socket.send_to(ack.as_bytes(), us).await.unwrap();
    phone
        .until("the codec", |state| {
            let codec = state.calls.first().and_then(|call| call.codec.as_ref());
            codec.is_some_and(|codec| codec.name == "PCMA")
        })
        .await;
    assert_eq!(phone.statuses(&call), [CallStatus::Ring, CallStatus::Established]);
}
