//! WHIP and WHEP clients at the gateway under the rules of a backend.

use crate::{
    backend::{Backend, Reply},
    endpoint::Endpoint,
    kit::{Phone, gateway, quiet},
    streams::bars_and_tone,
    streams_network::small,
};
use serde_json::{Value, json};
use sidetone_api::{Command, Settings, StreamStatus};

/// A gateway whose backend has these policies.
fn hooked(backend: &Backend, policies: Value) -> Settings {
    let mut settings = small(gateway());
    settings.hooks.url = backend.url();
    settings.hooks.policies = serde_json::from_value(policies).unwrap();
    settings
}

/// Hooks of the object that has come by this id.
fn of(backend: &mut Backend, id: &str) -> Vec<String> {
    let lines = backend.hooks();
    let heard = backend.seen.iter().zip(lines);
    heard.filter(|(heard, _)| heard.body["sessionId"] == id).map(|(_, line)| line).collect()
}

#[tokio::test]
async fn a_backend_hears_of_whip_and_whep_clients_what_it_hears_of_streams_of_ours() {
    let mut backend = Backend::start().await;
    let host = Phone::start(hooked(&backend, json!({}))).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    let publishing = backend.hears_status("StreamStatusEvent", "PUBLISHING").await.body;
    let played = alice.play(&endpoint.whep("tv")).await;
    let playing = backend.hears_status("StreamStatusEvent", "PLAYING").await.body;
    alice.stream_status(&played, StreamStatus::Playing).await;
    alice.done(Command::StopStream { stream_id: played }).await;
    backend.hears_status("ConnectionStatusEvent", "DISCONNECTED").await;
    alice.done(Command::UnPublishStream { stream_id: published }).await;
    backend.hears_status("ConnectionStatusEvent", "DISCONNECTED").await;

    let (publisher, player) =
        (publishing["mediaSessionId"].as_str().unwrap(), playing["mediaSessionId"].as_str().unwrap());
    let expected = |start: &str, flows: &str, stop: &str, ended: &str| {
        let events =
            [format!("StreamStatusEvent {flows}"), stop.into(), format!("StreamStatusEvent {ended}")];
        let mut all = vec![start.to_owned(), "ConnectionStatusEvent ESTABLISHED".into()];
        all.extend(events);
        all.push("ConnectionStatusEvent DISCONNECTED".into());
        all
    };
    assert_eq!(
        of(&mut backend, publisher),
        expected("publishStream", "PUBLISHING", "unPublishStream", "UNPUBLISHED")
    );
    assert_eq!(of(&mut backend, player), expected("playStream", "PLAYING", "stopStream", "STOPPED"));
    assert_eq!(
        (&publishing["name"], &publishing["published"], &publishing["mediaType"]),
        (&json!("tv"), &json!(true), &json!("publish"))
    );
    assert_eq!((&publishing["videoCodec"], &publishing["audioCodec"]), (&json!("H264"), &json!("opus")));
    assert_eq!((&publishing["hasVideo"], &publishing["hasAudio"]), (&json!(true), &json!(true)));
    assert_eq!((&playing["published"], &playing["mediaType"]), (&json!(false), &json!("play")));
    assert!(publishing.get("sdp").is_none(), "{publishing}");
    let asked = backend.seen.iter().find(|heard| heard.hook == "publishStream").unwrap();
    assert!(asked.body["sdp"].as_str().is_some_and(|sdp| sdp.starts_with("v=0")), "{}", asked.raw);
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn players_of_a_publisher_that_leaves_are_told_of_with_it() {
    let mut backend = Backend::start().await;
    let host = Phone::start(hooked(&backend, json!({}))).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    let played = alice.play(&endpoint.whep("tv")).await;
    backend.hears_status("StreamStatusEvent", "PLAYING").await;
    alice.stream_status(&played, StreamStatus::Playing).await;
    alice.done(Command::UnPublishStream { stream_id: published }).await;
    let stopped = backend.hears_status("StreamStatusEvent", "STOPPED").await;
    assert_eq!(stopped.body["info"], "Stopped by publisher stop");
    alice.stream_status(&played, StreamStatus::Stopped).await;
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_refused_whip_client_is_told_the_reason_and_so_is_the_backend() {
    let mut backend = Backend::start().await;
    let fail = json!({"publishStream": {"restOnError": "FAIL"}, "playStream": {"restOnError": "FAIL"}});
    let mut host = Phone::start(hooked(&backend, fail)).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    backend.refuse("publishStream");
    let refused = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    assert!(alice.stream_status(&refused, StreamStatus::Failed).await.contains("not before nine"));
    let told = backend.hears_status("StreamStatusEvent", "FAILED").await;
    assert_eq!((&told.body["info"], &told.body["published"]), (&json!("not before nine"), &json!(true)));

    backend.rule("publishStream", Reply::With(json!({})));
    host.published("tv").await;
    backend.refuse("playStream");
    let refused = alice.play(&endpoint.whep("tv")).await;
    assert!(alice.stream_status(&refused, StreamStatus::Failed).await.contains("not before nine"));
    backend.rule("playStream", Reply::With(json!({})));
    let unknown = alice.play(&endpoint.whep("radio")).await;
    assert_eq!(alice.stream_status(&unknown, StreamStatus::Failed).await, "Stream not found");
    backend.hears_that("StreamStatusEvent", |body| body["info"] == "Stream not found").await;
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_whip_client_is_stopped_by_a_refused_sign_of_life_under_fail() {
    let mut backend = Backend::start().await;
    let mut settings = hooked(&backend, json!({"StreamKeepAliveEvent": {"restOnError": "FAIL"}}));
    settings.hooks.keep_alive_seconds = 1;
    let mut host = Phone::start(settings).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let alice = Phone::start(small(quiet())).await;
    alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    backend.hears_status("StreamKeepAliveEvent", "PUBLISHING").await;
    backend.hears_status("StreamKeepAliveEvent", "PUBLISHING").await;
    backend.refuse("StreamKeepAliveEvent");
    let ended = backend.hears_status("StreamStatusEvent", "FAILED").await;
    assert_eq!(ended.body["info"], "not before nine");
    backend.hears_status("ConnectionStatusEvent", "DISCONNECTED").await;
    host.until("no stream", |state| state.gateway.streams.is_empty()).await;
    alice.handle.shut_down().await;
    host.finish().await;
}
