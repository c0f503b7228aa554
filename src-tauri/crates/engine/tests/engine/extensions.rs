//! Extensions of one gateway call each other.

use crate::{
    kit::{Phone, gateway, quiet},
    peer::{Peer, sdp},
};
use sidetone_api::CallStatus::{Busy, Established, Failed, Finish, Ring};
use sidetone_api::{Command, DataId, DataStatus, Event, Reply, Settings};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Event as SipEvent, Registration};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn host() -> Phone {
    let mut host = Phone::start(gateway()).await;
    host.is_registered().await;
    host
}

fn speaking(codec: &str) -> Settings {
    let mut settings = quiet();
    settings.audio.codecs = vec![codec.into()];
    settings
}

#[tokio::test]
async fn a_busy_extension_is_busy_at_the_caller() {
    let host = host().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut bob = Phone::registered("bob", host.gateway(), quiet()).await;
    let call = alice.call("bob").await;
    let there = bob.ringing().await;
    alice.status(&call, Ring).await;
    bob.hang_up(&there).await;
    assert_eq!(alice.status(&call, Busy).await, "486 Busy Here");
    bob.status(&there, Finish).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn an_extension_that_declines_fails_with_its_code() {
    let mut host = host().await;
    let mut bob = Peer::new().await;
    bob.register("bob", host.gateway()).await;
    for (code, text) in [(603, "Decline"), (480, "No Answer"), (500, "Server Internal Error")] {
        let call = host.call("bob").await;
        let (sip, _) = bob.called().await;
        bob.reject(sip, code, text);
        assert_eq!(bob.serve_while(host.status(&call, Failed)).await, format!("{code} {text}"));
    }
    host.finish().await;
}

#[tokio::test]
async fn an_unknown_extension_is_404_and_one_that_has_gone_480() {
    let mut host = host().await;
    let call = host.call("nobody").await;
    assert!(host.status(&call, Failed).await.starts_with("404 "));
    let bob = Phone::registered("bob", host.gateway(), quiet()).await;
    bob.finish().await;
    let call = host.call("bob").await;
    assert!(host.status(&call, Failed).await.starts_with("480 "));
    host.finish().await;
}

#[tokio::test]
async fn a_caller_who_gives_up_ends_the_ringing() {
    let host = host().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut bob = Phone::registered("bob", host.gateway(), quiet()).await;
    let call = alice.call("bob").await;
    let there = bob.ringing().await;
    alice.status(&call, Ring).await;
    alice.hang_up(&call).await;
    alice.status(&call, Finish).await;
    bob.status(&there, Finish).await;
    assert_eq!(bob.statuses(&there), [Ring, Finish]);
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn all_contacts_ring_and_the_first_that_answers_has_the_call() {
    let host = host().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut desk = Phone::registered("bob", host.gateway(), quiet()).await;
    let mut home = Phone::registered("bob", host.gateway(), quiet()).await;
    let call = alice.call("bob").await;
    let at_home = home.ringing().await;
    let at_desk = desk.answer().await;
    alice.status(&call, Established).await;
    let info = home.status(&at_home, Finish).await;
    assert!(info.contains("elsewhere"), "{info}");
    desk.hang_up(&at_desk).await;
    alice.status(&call, Finish).await;
    for phone in [alice, desk, home, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn one_contact_that_is_busy_leaves_the_others_ringing() {
    let mut host = host().await;
    let (mut desk, mut home) = (Peer::new().await, Peer::new().await);
    desk.register("bob", host.gateway()).await;
    home.register("bob", host.gateway()).await;
    let call = host.call("bob").await;
    let (at_desk, _) = desk.called().await;
    let (at_home, _) = home.called().await;
    desk.reject(at_desk, 486, "Busy Here");
    desk.send_all().await;
    home.progress(at_home, 180, None);
    home.serve_while(host.status(&call, Ring)).await;
    home.answer(at_home, &sdp("0", "sendrecv"));
    home.serve_while(host.status(&call, Established)).await;
    home.hang_up(at_home);
    home.serve_while(host.status(&call, Finish)).await;
    host.finish().await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_a_refusal() {
    let mut host = host().await;
    let mut bob = Peer::new().await;
    bob.register("bob", host.gateway()).await;
    let call = host.call("bob").await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("18", "sendrecv"));
    let info = bob.serve_while(host.status(&call, Failed)).await;
    assert!(info.starts_with("488 "), "{info}");
    bob.ended().await;
    host.finish().await;
}

#[tokio::test]
async fn one_can_call_oneself() {
    let mut host = host().await;
    let out = host.call("local").await;
    let incoming = host.answer().await;
    host.until("both ends established", |state| {
        state.calls.iter().filter(|call| call.status == Established).count() == 2
    })
    .await;
    host.hang_up(&out).await;
    host.status(&incoming, Finish).await;
    host.finish().await;
}

#[tokio::test]
async fn a_contact_that_leads_back_to_the_gateway_does_not_ring_for_ever() {
    let mut host = host().await;
    let domain = host.gateway();
    let text = format!(
        "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKloop\r\n\
         From: <sip:again@{domain}>;tag=1\r\nTo: <sip:again@{domain}>\r\nCall-ID: loop\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:again@{domain}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    // Once the connection is gone there is only the contact to call.
    let mut connection = TcpStream::connect(domain).await.unwrap();
    connection.write_all(text.as_bytes()).await.unwrap();
    let mut reply = vec![0; 12];
    connection.read_exact(&mut reply).await.unwrap();
    assert_eq!(reply, b"SIP/2.0 200 ");
    drop(connection);
    host.wait("the extension", |event| match event {
        Event::GatewayChanged { gateway } => {
            gateway.extensions.iter().find(|e| e.user == "again").map(|_| ())
        }
        _ => None,
    })
    .await;
    let call = host.call("again").await;
    host.status(&call, Failed).await;
    host.finish().await;
}

#[tokio::test]
async fn keys_go_through_the_join_of_equal_and_of_different_codecs() {
    let host = host().await;
    let mut bob = Phone::registered("bob", host.gateway(), speaking("PCMU")).await;
    for codec in ["PCMU", "opus"] {
        let mut alice = Phone::registered("alice", host.gateway(), speaking(codec)).await;
        let call = alice.call("bob").await;
        bob.answer().await;
        alice.status(&call, Established).await;
        alice.done(Command::SendDtmf { call_id: call.clone(), dtmf: "1#d".into() }).await;
        let mut digits = String::new();
        while digits.len() < 3 {
            digits += &bob
                .wait("a digit", |event| match event {
                    Event::DtmfReceived { digit, .. } => Some(digit.clone()),
                    _ => None,
                })
                .await;
        }
        assert_eq!(digits, "1#D", "{codec}");
        alice.hang_up(&call).await;
        bob.wait("the end", |event| {
            matches!(event, Event::CallStatusEvent { status: Finish, .. }).then_some(())
        })
        .await;
        alice.finish().await;
    }
    bob.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn extensions_are_shown_and_go_with_their_registration() {
    let mut host = host().await;
    let mut peer = Peer::new().await;
    peer.register("bob", host.gateway()).await;
    let users = |host: &Phone| -> Vec<String> {
        host.state().gateway.extensions.iter().map(|extension| extension.user.clone()).collect()
    };
    host.check().await;
    assert_eq!(users(&host), ["bob", "local"]);
    let aor = NameAddr::new(Uri::parse(&format!("sip:carol@{}", host.gateway())).unwrap());
    let id = peer.ua.register(Instant::now(), Registration::of(aor));
    peer.wait("registration", |event| matches!(event, SipEvent::Registered { .. }).then_some(())).await;
    host.check().await;
    assert_eq!(users(&host), ["bob", "carol", "local"]);
    peer.ua.unregister(Instant::now(), id);
    peer.wait("the end", |event| matches!(event, SipEvent::Unregistered { .. }).then_some(())).await;
    host.check().await;
    assert_eq!(users(&host), ["bob", "local"]);
    host.finish().await;
}

async fn write(phone: &Phone, to: &str) -> DataId {
    let command =
        Command::SendData { to: to.into(), body: "Grüße".into(), content_type: None, session_id: None };
    match phone.ask(command).await {
        Ok(Reply::Data { data_id }) => data_id,
        other => panic!("{other:?}"),
    }
}

async fn delivered(phone: &mut Phone, wanted: &DataId) -> (DataStatus, String) {
    phone
        .wait("a DataStatusEvent", |event| match event {
            Event::DataStatusEvent { status, data_id, info, .. } if data_id == wanted => {
                Some((*status, info.clone()))
            }
            _ => None,
        })
        .await
}

async fn read(phone: &mut Phone) -> (String, String) {
    phone
        .wait("a message", |event| match event {
            Event::OnDataEvent { incoming: true, from, body, .. } => Some((from.clone(), body.clone())),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn extensions_write_to_each_other_and_every_contact_gets_it() {
    let host = host().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut desk = Phone::registered("bob", host.gateway(), quiet()).await;
    let mut home = Phone::registered("bob", host.gateway(), quiet()).await;
    let sent = write(&alice, "bob").await;
    assert_eq!(delivered(&mut alice, &sent).await, (DataStatus::Accepted, "200 OK".into()));
    let from = format!("sip:alice@{}", host.gateway());
    for bob in [&mut desk, &mut home] {
        assert_eq!(read(bob).await, (from.clone(), "Grüße".into()));
    }
    for phone in [alice, desk, home, host] {
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_message_to_an_extension_fails_by_what_became_of_it() {
    let mut host = host().await;
    let gone = Phone::registered("gone", host.gateway(), quiet()).await;
    gone.finish().await;
    for (to, code) in [("nobody", "404 "), ("gone", "480 "), ("echo", "405 ")] {
        let sent = write(&host, to).await;
        let (status, info) = delivered(&mut host, &sent).await;
        assert!(status == DataStatus::Failed && info.starts_with(code), "{to}: {info}");
    }
    let (mut desk, mut home) = (Peer::new().await, Peer::new().await);
    desk.register("bob", host.gateway()).await;
    home.register("bob", host.gateway()).await;
    for (at_desk, at_home, expected) in [(603, 415, "603 "), (302, 302, "480 "), (404, 202, "202 ")] {
        let sent = write(&host, "bob").await;
        for (peer, status) in [(&mut desk, at_desk), (&mut home, at_home)] {
            let id = peer
                .wait("a MESSAGE", |event| match event {
                    SipEvent::MessageReceived(message) => Some(message.id),
                    _ => None,
                })
                .await;
            peer.ua.reply_message(Instant::now(), id, status, "");
            peer.send_all().await;
        }
        let (_, info) = delivered(&mut host, &sent).await;
        assert!(info.starts_with(expected), "{info}");
    }
    host.finish().await;
}

#[tokio::test]
async fn a_message_in_a_call_of_two_extensions_reaches_the_other_end() {
    let host = host().await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let mut bob = Phone::registered("bob", host.gateway(), quiet()).await;
    let call = alice.call("bob").await;
    let there = bob.answer().await;
    alice.status(&call, Established).await;
    let sent = write(&alice, call.as_str()).await;
    assert_eq!(delivered(&mut alice, &sent).await.0, DataStatus::Accepted);
    assert_eq!(read(&mut bob).await.1, "Grüße");
    let sent = write(&bob, there.as_str()).await;
    assert_eq!(delivered(&mut bob, &sent).await.0, DataStatus::Accepted);
    assert_eq!(read(&mut alice).await.1, "Grüße");
    alice.hang_up(&call).await;
    bob.status(&there, Finish).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
}
