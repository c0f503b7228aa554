//! Calls with encryption and ICE between an account and the gateway, and what may not be.

use crate::audio::{CORRELATED, Voice, measured, voice};
use crate::kit::{Phone, account, gateway, options, quiet};
use sidetone_api::CallStatus::{Established, Failed, Finish};
use sidetone_api::{Account, Command, Encryption, MediaEncryption, Settings};
use sidetone_testkit::audio::{Wav, hear};
use std::net::SocketAddr;

/// Reports of a call, two each second, until its echo must have been heard.
const PATIENCE: usize = 60;

fn with(domain: SocketAddr, mut settings: Settings, change: impl FnOnce(&mut Account)) -> Settings {
    let mut account = account("alice", domain);
    change(&mut account);
    settings.accounts.push(account);
    settings
}

/// Calls `echo`, says something, and hears it back; gives encryption and suite of the call.
async fn echoed(change: impl FnOnce(&mut Account)) -> (Encryption, Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    let host = Phone::start(gateway()).await;
    let Voice { spoken, heard, mut settings } = voice(dir.path(), "a", 1, "opus");
    let microphone = std::mem::replace(&mut settings.audio.microphone, "silence".into());
    let mut alice = Phone::with(options(with(host.gateway(), settings, change))).await;
    alice.is_registered().await;
    let call = alice.call("echo").await;
    alice.status(&call, Established).await;
    // What comes back proves that both sides have their keys and their path: only now is something said.
    while measured(&mut alice).await.packets_received == 0 {}
    // Again and again: a machine that is busy with other tests tears holes into the sound.
    let microphone = microphone.replacen("file:", "loop:", 1);
    alice.done(Command::SelectDevices { microphone: Some(microphone), speaker: None, ringer: None }).await;
    let mut best = 0.0_f64;
    for _ in 0..PATIENCE {
        measured(&mut alice).await;
        best = best.max(Wav::read(&heard).map_or(0.0, |wav| hear(&spoken, &wav).peak));
        if best > CORRELATED {
            break;
        }
    }
    assert!(best > CORRELATED, "heard something else: {best}");
    alice.check().await;
    let view = alice.view(&call);
    let found = (view.encryption, view.suite.clone());
    alice.hang_up(&call).await;
    alice.status(&call, Finish).await;
    alice.finish().await;
    host.finish().await;
    found
}

#[tokio::test]
async fn keys_in_the_sdp_protect_a_call_where_the_account_allows_them_on_plain_signalling() {
    let found = echoed(|account| {
        account.media_encryption = MediaEncryption::Sdes;
        account.sdes_over_plain = true;
    });
    assert_eq!(found.await, (Encryption::Sdes, Some("AEAD_AES_256_GCM".into())));
}

#[tokio::test]
async fn dtls_protects_a_call_and_the_view_names_its_suite() {
    let found = echoed(|account| account.media_encryption = MediaEncryption::Dtls).await;
    assert_eq!(found, (Encryption::Dtls, Some("AEAD_AES_256_GCM".into())));
}

#[tokio::test]
async fn dtls_and_ice_go_together() {
    let found = echoed(|account| {
        account.media_encryption = MediaEncryption::Dtls;
        account.ice = true;
    });
    assert_eq!(found.await, (Encryption::Dtls, Some("AEAD_AES_256_GCM".into())));
}

#[tokio::test]
async fn ice_alone_finds_the_way_of_plain_media() {
    assert_eq!(echoed(|account| account.ice = true).await, (Encryption::Loopback, None));
}

#[tokio::test]
async fn rtp_and_rtcp_share_a_port_where_asked() {
    assert_eq!(echoed(|account| account.rtcp_mux = true).await, (Encryption::Loopback, None));
}

#[tokio::test]
async fn keys_in_the_sdp_are_not_sent_over_plain_signalling_unless_allowed() {
    let host = Phone::start(gateway()).await;
    let settings = with(host.gateway(), quiet(), |account| account.media_encryption = MediaEncryption::Sdes);
    let mut alice = Phone::with(options(settings)).await;
    alice.is_registered().await;
    let call = alice.call("echo").await;
    let info = alice.status(&call, Failed).await;
    assert!(info.contains("SDES") && info.contains("TLS"), "{info}");
    alice.finish().await;
    host.finish().await;
}
