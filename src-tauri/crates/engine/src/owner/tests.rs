//! What can only be seen from inside: when the loop wakes up.

use super::Owner;
use crate::Options;
use sidetone_api::Settings;
use sidetone_media::Synthetic;
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
