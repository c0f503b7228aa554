//! Who may publish and play at the gateway by HTTP, and whom a stream believes at an endpoint that speaks TLS.

use crate::endpoint::Endpoint;
use crate::kit::{LOOPBACK, Phone, gateway, quiet};
use crate::streams::bars_and_tone;
use crate::streams_network::small;
use sidetone_api::{
    Command, GatewaySettings, Reply, Secret, SecretUse, SettingsChange, StreamId, StreamStatus,
};
use sidetone_testkit::{CertificateOptions, TestAuthority, TestCertificate};

const TOKEN: &str = "a-token-of-the-gateway";

fn set_token(token: Option<&str>) -> Command {
    Command::SetSecret { of: SecretUse::StreamToken, secret: token.map(Secret::new), remember: false }
}

fn want_token(phone: &Phone, wanted: bool) -> Command {
    let gateway = GatewaySettings { stream_token: wanted, ..phone.state().settings.gateway.clone() };
    Command::ChangeSettings(SettingsChange { gateway: Some(gateway), ..SettingsChange::default() })
}

async fn publish(phone: &Phone, url: &str, token: Option<&str>) -> StreamId {
    let command = Command::PublishStream {
        name: url.into(),
        token: token.map(Secret::new),
        sources: bars_and_tone(),
        settings: None,
        session_id: None,
    };
    match phone.ask(command).await {
        Ok(Reply::Stream { stream_id }) => stream_id,
        other => panic!("not published: {other:?}"),
    }
}

#[tokio::test]
async fn with_a_token_in_the_settings_the_gateway_lets_in_who_shows_it() {
    let mut host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let refused = host.ask(want_token(&host, true)).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("gateway.streamToken"));
    for bad in ["short", "with spaces in it"] {
        let refused = host.ask(set_token(Some(bad))).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("secret"));
    }
    host.done(set_token(Some(TOKEN))).await;
    host.done(want_token(&host, true)).await;

    let mut alice = Phone::start(small(quiet())).await;
    for (token, words) in [
        (None, "token"),
        (Some("a-token-of-the-gatewaz"), "token"),
        (Some("a-token-of-the-gateway2"), "token"),
        (Some("a-token"), "token"),
    ] {
        let refused = publish(&alice, &endpoint.whip("tv"), token).await;
        let info = alice.stream_status(&refused, StreamStatus::Failed).await;
        assert!(info.contains(words), "{token:?}: {info}");
        let command = Command::PlayStream {
            name: endpoint.whep("tv"),
            token: token.map(Secret::new),
            session_id: None,
        };
        let Ok(Reply::Stream { stream_id }) = alice.ask(command).await else { panic!("not played") };
        let info = alice.stream_status(&stream_id, StreamStatus::Failed).await;
        assert!(info.contains(words), "{token:?}: {info}");
    }
    let published = publish(&alice, &endpoint.whip("tv"), Some(TOKEN)).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    // Our own window needs none.
    host.played("tv").await;
    let refused = host.ask(set_token(None)).await.unwrap_err();
    assert!(refused.message.contains("switch gateway.streamToken off"), "{refused}");
    host.done(want_token(&host, false)).await;
    host.done(set_token(None)).await;
    let free = publish(&alice, &endpoint.whip("radio"), None).await;
    alice.stream_status(&free, StreamStatus::Publishing).await;
    for phone in [alice, host] {
        let seen = format!("{:?}", phone.finish().await);
        assert!(!seen.contains(TOKEN));
    }
}

/// What is said of a server with this certificate, to a stream that trusts this authority; `None`: it publishes.
async fn told(host: &Phone, own: &TestCertificate, ca: Option<&str>, name: &str) -> Option<String> {
    let endpoint = Endpoint::start_with_tls(host.handle.clone(), own).await;
    let mut settings = small(quiet());
    settings.video.trusted_ca = ca.map(str::to_owned);
    let mut alice = Phone::start(settings).await;
    let url = endpoint.whip("tv").replace("127.0.0.1", name);
    let published = alice.publish(&url, bars_and_tone()).await;
    let status = alice
        .wait("a verdict", |event| match event {
            sidetone_api::Event::StreamStatusEvent { status, stream_id, info, .. }
                if *stream_id == published =>
            {
                Some((*status, info.clone()))
            }
            _ => None,
        })
        .await;
    if status.0 == StreamStatus::Publishing {
        alice.done(Command::UnPublishStream { stream_id: published }).await;
    }
    alice.finish().await;
    (status.0 != StreamStatus::Publishing).then_some(status.1)
}

#[tokio::test]
async fn an_endpoint_is_believed_by_the_authority_of_the_settings_and_refused_in_words() {
    let host = Phone::start(small(gateway())).await;
    let authority = TestAuthority::new("Stream CA").unwrap();
    let other = TestAuthority::new("Another CA").unwrap().pem();
    let local = CertificateOptions { addresses: &[LOOPBACK], ..CertificateOptions::default() };
    let own = authority.issue(&local).unwrap();
    assert_eq!(told(&host, &own, Some(&authority.pem()), "127.0.0.1").await, None);
    assert_eq!(told(&host, &own, Some(&authority.pem()), "localhost").await, None);
    let info = told(&host, &own, None, "127.0.0.1").await.unwrap();
    assert!(info.contains("issuer Stream CA is unknown") && info.contains("settings of streams"), "{info}");
    let info = told(&host, &own, Some(&other), "127.0.0.1").await.unwrap();
    assert!(info.contains("neither this computer nor the settings of streams trusts it"), "{info}");
    let elsewhere = authority.issue(&CertificateOptions { dns: &["media.example"], ..local }).unwrap();
    let info = told(&host, &elsewhere, Some(&authority.pem()), "localhost").await.unwrap();
    assert!(info.contains("for media.example") && info.contains("not for localhost"), "{info}");
    let signed = TestCertificate::self_signed(&CertificateOptions::default()).unwrap();
    let info = told(&host, &signed, Some(&other), "localhost").await.unwrap();
    assert!(info.contains("self-signed"), "{info}");
    assert_eq!(told(&host, &signed, Some(&signed.certificate), "localhost").await, None);
    host.finish().await;
}
