//! Starting and stopping.

use crate::kit::{LOOPBACK, Phone, SOON, account, gateway, options, quiet};
use sidetone_api::CallStatus::{Established, Finish};
use sidetone_api::{Command, ConnectionStatus, Event, FailureCode};
use sidetone_engine::Engine;
use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};
use tokio::time::timeout;

#[tokio::test]
async fn a_busy_port_of_the_phone_is_a_failure_that_names_it() {
    let busy = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let port = busy.local_addr().unwrap().port();
    let mut settings = quiet();
    settings.network.sip_port = port;
    let failure = Engine::start(options(settings)).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Network);
    assert!(failure.message.contains(&format!("SIP port {port}")), "{failure}");
}

#[tokio::test]
async fn a_busy_port_of_the_gateway_gives_the_next_and_says_so() {
    let busy = loop {
        let busy = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        let next = busy.local_addr().unwrap().port().saturating_add(1);
        if UdpSocket::bind((LOOPBACK, next)).is_ok() && std::net::TcpListener::bind((LOOPBACK, next)).is_ok()
        {
            break busy;
        }
    };
    let port = busy.local_addr().unwrap().port();
    let mut settings = gateway();
    settings.gateway.sip_port = port;
    let phone = Phone::start(settings).await;
    assert_ne!(phone.gateway().port(), port);
    let info = &phone.state().gateway.info;
    assert!(info.contains(&format!("port {port} is busy")), "{info}");
    phone.finish().await;
}

#[tokio::test]
async fn without_a_gateway_there_is_no_local_account_and_calls_say_why_not() {
    let phone = Phone::start(quiet()).await;
    let state = phone.state();
    assert!(!state.gateway.running && state.gateway.sip_address.is_none() && state.sessions.is_empty());
    let call = Command::call("echo", None);
    let failure = phone.ask(call).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::WrongState);
    assert!(failure.message.contains("account"), "{failure}");
    let local = Command::Connect {
        account_id: sidetone_api::AccountId::new("local"),
        password: None,
        auth_token: None,
    };
    assert_eq!(phone.ask(local).await.unwrap_err().code, FailureCode::WrongState);
    phone.finish().await;
}

#[tokio::test]
async fn stopping_hangs_up_unregisters_and_ends_the_events() {
    let mut host = Phone::start(gateway()).await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let call = alice.call("local").await;
    let incoming = host.answer().await;
    alice.status(&call, Established).await;
    let handle = alice.handle.clone();
    let seen = alice.finish().await;
    let place = |fits: &dyn Fn(&Event) -> bool| {
        seen.iter().position(|envelope| fits(&envelope.event)).expect("an event")
    };
    let finish = place(&|event| matches!(event, Event::CallStatusEvent { status: Finish, .. }));
    let unregistered = place(&|event| {
        matches!(event, Event::RegistrationStatusEvent { status, .. }
            if *status == sidetone_api::RegistrationStatus::Unregistered)
    });
    let disconnected = place(&|event| {
        matches!(event, Event::ConnectionStatusEvent { status: ConnectionStatus::Disconnected, .. })
    });
    let closed = place(&|event| matches!(event, Event::SessionClosed { .. }));
    assert!(finish < unregistered && unregistered < disconnected && disconnected < closed);
    host.status(&incoming, Finish).await;
    let failure = handle.command(Command::GetSnapshot).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Stopped);
    assert_eq!(handle.attach().await.unwrap_err().code, FailureCode::Stopped);
    handle.shut_down().await;
    host.finish().await;
}

#[tokio::test]
async fn stopping_does_not_wait_for_those_who_do_not_answer() {
    let silent = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let mut settings = quiet();
    settings.accounts.push(account("alice", silent.local_addr().unwrap()));
    let phone = Phone::start(settings).await;
    phone.call("bob").await;
    let begin = Instant::now();
    phone.finish().await;
    assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_engine_ends_with_its_last_handle() {
    let host = Phone::start(gateway()).await;
    let (_, mut events) = host.handle.attach().await.unwrap();
    drop(host);
    let end = async { while events.next().await.is_some() {} };
    timeout(SOON, end).await.expect("the events end");
}

#[tokio::test]
async fn a_gateway_that_stops_ends_the_calls_of_its_services() {
    let host = Phone::start(gateway()).await;
    let mut alice = Phone::registered("alice", host.gateway(), quiet()).await;
    let call = alice.call("echo").await;
    alice.status(&call, Established).await;
    host.finish().await;
    alice.status(&call, Finish).await;
    alice.finish().await;
}
