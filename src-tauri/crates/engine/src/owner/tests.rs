//! What can only be seen from inside: when the loop wakes up.

use super::Owner;
use crate::Options;
use sidetone_api::{Account, AccountId, ConnectionStatus, Secret, Settings};
use sidetone_media::Synthetic;
use sidetone_sip::message::{Message, Response};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

async fn opened(gateway: bool) -> (Owner, super::Inbound) {
    let mut settings = Settings::default();
    (settings.gateway.enabled, settings.gateway.sip_port) = (gateway, 0);
    let (_, requests) = mpsc::channel(1);
    Owner::open(Options::in_memory(Arc::new(Synthetic), settings), requests).await.unwrap()
}

#[tokio::test]
async fn an_engine_without_accounts_waits_for_nothing() {
    let (mut owner, _inbound) = opened(false).await;
    owner.drain();
    assert_eq!(owner.next_deadline(), None);
}

#[tokio::test]
async fn a_registered_engine_does_not_wake_up_before_something_is_due() {
    let (mut owner, mut inbound) = opened(true).await;
    let is_registered = |owner: &Owner| {
        owner
            .sessions
            .values()
            .any(|session| session.registered == Some(sidetone_api::RegistrationStatus::Registered))
    };
    owner.drain();
    while !is_registered(&owner) {
        let (stack, message) = inbound.network.recv().await.unwrap();
        owner.on_network(stack, message);
        owner.drain();
    }
    let deadline = owner.next_deadline().expect("the registration is refreshed");
    assert!(deadline.saturating_duration_since(Instant::now()) > Duration::from_secs(1));
}

/// A server over TCP that answers each request with 200, one connection after the other.
async fn serve(listener: tokio::net::TcpListener) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut buffer = vec![0; 4096];
    while let Ok((mut stream, _)) = listener.accept().await {
        let Ok(length) = stream.read(&mut buffer).await else { continue };
        let Ok(Message::Request(request)) = Message::parse(&buffer[..length]) else { continue };
        let _ = stream.write_all(&Response::to(&request, 200, Some("there")).to_bytes()).await;
        // Read what may follow, so that the answer is not lost with the connection.
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
    }
}

async fn until_connection(owner: &mut Owner, inbound: &mut super::Inbound, wanted: ConnectionStatus) {
    loop {
        owner.drain();
        if owner.sessions.values().any(|session| session.connection == Some(wanted)) {
            return;
        }
        let told = tokio::time::timeout(Duration::from_secs(10), inbound.network.recv()).await;
        let (stack, message) = told.expect("something comes of the question").unwrap();
        owner.on_network(stack, message);
    }
}

/// Makes the next question due; it must be set, and not later than in a minute.
fn ask_now(owner: &mut Owner) {
    let now = Instant::now();
    for session in owner.sessions.values_mut() {
        let next = session.next_probe.replace(now).expect("it is asked again");
        assert!(next <= now + Duration::from_secs(60), "{:?}", next - now);
    }
    owner.on_timeout();
}

#[tokio::test]
async fn a_link_without_registration_is_asked_every_minute_and_lost_and_found_by_the_answers() {
    let (mut owner, mut inbound) = opened(false).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener));
    let mut account = Account::new(AccountId::new("a"), "A", format!("sip:a@{address}"));
    (account.register, account.transport) = (false, Some(sidetone_api::Transport::Tcp));
    owner.connect(account, Some(Secret::new("none"))).unwrap();
    until_connection(&mut owner, &mut inbound, ConnectionStatus::Established).await;
    let signalling = owner.sessions.values().find_map(|session| session.signalling.clone()).unwrap();
    assert_eq!((signalling.remote, signalling.secure), (address.to_string(), false));

    server.abort();
    let _ = server.await;
    // The connection goes with its server.
    let closed = inbound.network.recv().await.unwrap();
    owner.on_network(closed.0, closed.1);
    ask_now(&mut owner);
    until_connection(&mut owner, &mut inbound, ConnectionStatus::Disconnected).await;
    assert!(owner.sessions.values().all(|session| session.signalling.is_none()));

    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let server = tokio::spawn(serve(listener));
    ask_now(&mut owner);
    until_connection(&mut owner, &mut inbound, ConnectionStatus::Established).await;
    server.abort();
}
