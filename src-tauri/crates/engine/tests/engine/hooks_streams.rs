//! Streams under the rules of a backend.

use crate::{
    backend::{Backend, Reply},
    kit::{Phone, unregistered},
    streams::{bars_and_tone, settings, stream},
};
use serde_json::{Value, json};
use sidetone_api::{Command, Event, Settings, SettingsChange, StreamStatus};

fn hooked(backend: &Backend, policies: Value) -> Settings {
    let mut settings = settings();
    settings.accounts.push(unregistered("alice"));
    settings.hooks.url = backend.url();
    settings.hooks.policies = serde_json::from_value(policies).unwrap();
    settings
}

#[tokio::test]
async fn a_backend_hears_the_hooks_of_streams_in_order_with_their_fields() {
    let mut backend = Backend::start().await;
    let mut phone = Phone::start(hooked(&backend, json!({}))).await;
    let published = phone.published("tv").await;
    backend.hears_status("StreamStatusEvent", "PUBLISHING").await;
    let played = phone.played("tv").await;
    backend.hears_status("StreamStatusEvent", "PLAYING").await;
    phone.done(Command::PauseStream { stream_id: played.clone(), paused: true }).await;
    backend.hears_status("StreamStatusEvent", "PAUSED").await;
    phone.done(Command::StopStream { stream_id: played.clone() }).await;
    backend.hears_status("StreamStatusEvent", "STOPPED").await;
    phone.done(Command::UnPublishStream { stream_id: published.clone() }).await;
    backend.hears_status("StreamStatusEvent", "UNPUBLISHED").await;
    let all = backend.hooks();
    let streams: Vec<_> = all.iter().filter(|hook| hook.to_lowercase().contains("stream")).collect();
    let expected = [
        "publishStream",
        "StreamStatusEvent PUBLISHING",
        "playStream",
        "StreamStatusEvent PLAYING",
        "pauseStream",
        "StreamStatusEvent PAUSED",
        "stopStream",
        "StreamStatusEvent STOPPED",
        "unPublishStream",
        "StreamStatusEvent UNPUBLISHED",
    ];
    assert_eq!(streams, expected);
    let of = |name: &str| backend.seen.iter().find(|heard| heard.hook == name).unwrap().body.clone();
    let asked = of("publishStream");
    assert_eq!(
        (&asked["name"], &asked["published"], &asked["status"]),
        (&json!("tv"), &json!(true), &json!("PENDING"))
    );
    assert_eq!(asked["mediaSessionId"], published.as_str());
    assert_eq!(asked["sessionId"], phone.session().as_str());
    assert_eq!(
        (&of("playStream")["published"], &of("playStream")["mediaType"]),
        (&json!(false), &json!("play"))
    );
    phone.finish().await;
}

#[tokio::test]
async fn a_refused_stream_fails_with_the_backends_reason() {
    let mut backend = Backend::start().await;
    let fail = json!({"publishStream": {"restOnError": "FAIL"}, "playStream": {"restOnError": "FAIL"},
                      "pauseStream": {"restOnError": "FAIL"}, "snapshot": {"restOnError": "FAIL"}});
    let mut phone = Phone::start(hooked(&backend, fail)).await;
    backend.refuse("publishStream");
    let stream = phone.publish("tv", bars_and_tone()).await;
    assert_eq!(phone.stream_status(&stream, StreamStatus::Failed).await, "not before nine");
    backend.rule("publishStream", Reply::With(json!({})));
    phone.published("tv").await;
    backend.refuse("playStream");
    let stream = phone.play("tv").await;
    assert_eq!(phone.stream_status(&stream, StreamStatus::Failed).await, "not before nine");
    assert_eq!(phone.stream_statuses(&stream), [StreamStatus::Failed]);
    backend.rule("playStream", Reply::With(json!({})));
    let stream = phone.played("tv").await;
    for (hook, command) in [
        ("pauseStream", Command::PauseStream { stream_id: stream.clone(), paused: true }),
        ("snapshot", Command::Snapshot { stream_id: stream.clone() }),
    ] {
        backend.refuse(hook);
        if hook == "snapshot" {
            let folder = tempfile::tempdir().unwrap();
            let mut video = phone.state().settings.video.clone();
            video.folder = folder.path().display().to_string();
            phone.done(change_video(video)).await;
        }
        phone.done(command).await;
        let info = phone
            .wait(hook, |event| match event {
                Event::ErrorEvent { hook: name, info, stream_id: Some(_), .. } if name == hook => {
                    Some(info.clone())
                }
                Event::SnapshotTaken { file: None, info, .. } => Some(info.clone()),
                _ => None,
            })
            .await;
        assert_eq!(info, "not before nine", "{hook}");
    }
    assert_eq!(phone.stream_statuses(&stream), [StreamStatus::Playing]);
    let told = backend.hears_status("StreamStatusEvent", "SNAPSHOT_FAILED").await;
    assert_eq!(told.body["mediaSessionId"], stream.as_str());
    phone.finish().await;
}

fn change_video(video: sidetone_api::VideoSettings) -> Command {
    Command::ChangeSettings(SettingsChange { video: Some(video), ..SettingsChange::default() })
}

#[tokio::test]
async fn a_player_asks_for_an_alias_and_sees_the_real_stream_under_it() {
    let backend = Backend::start().await;
    let overwrite = json!({"restPolicy": "OVERWRITE", "restOverwrite": "name"});
    let settings = hooked(&backend, json!({"playStream": overwrite.clone(), "publishStream": overwrite}));
    let mut phone = Phone::start(settings).await;
    backend.rule("publishStream", Reply::With(json!({"name": "real"})));
    let published = phone.published("tv").await;
    assert_eq!(stream(phone.state(), &published).unwrap().name, "real");
    phone.until("the list", |state| state.gateway.streams.iter().any(|it| it.name == "real")).await;
    backend.rule("playStream", Reply::With(json!({"name": "real"})));
    let played = phone.played("alias").await;
    assert_eq!(stream(phone.state(), &played).unwrap().name, "alias");
    backend.rule("playStream", Reply::With(json!({"name": "../nothing"})));
    let wrong = phone.play("alias").await;
    let info = phone.stream_status(&wrong, StreamStatus::Failed).await;
    assert!(info.starts_with("of the backend: "), "{info}");
    phone.finish().await;
}

#[tokio::test]
async fn a_refused_sign_of_life_stops_its_stream_under_fail_and_under_log_it_lives() {
    let mut backend = Backend::start().await;
    backend.refuse("StreamKeepAliveEvent");
    for (fail, lives) in [("LOG", true), ("FAIL", false)] {
        let mut settings = hooked(&backend, json!({"StreamKeepAliveEvent": {"restOnError": fail}}));
        settings.hooks.keep_alive_seconds = 1;
        let mut phone = Phone::start(settings).await;
        let stream = phone.published("tv").await;
        backend.hears_status("StreamKeepAliveEvent", "PUBLISHING").await;
        if lives {
            backend.hears_status("StreamKeepAliveEvent", "PUBLISHING").await;
            assert_eq!(phone.stream_statuses(&stream), [StreamStatus::Publishing]);
        } else {
            assert_eq!(phone.stream_status(&stream, StreamStatus::Failed).await, "not before nine");
        }
        phone.finish().await;
    }
}

#[tokio::test]
async fn a_backend_that_is_not_there_stops_no_stream_even_under_fail() {
    let backend = Backend::start().await;
    let mut settings = hooked(&backend, json!({"StreamKeepAliveEvent": {"restOnError": "FAIL"}}));
    settings.hooks.keep_alive_seconds = 1;
    let mut phone = Phone::start(settings).await;
    let stream = phone.published("tv").await;
    drop(backend);
    phone.until("a problem", |state| state.hooks.problem.is_some()).await;
    assert_eq!(phone.stream_statuses(&stream), [StreamStatus::Publishing]);
    phone.finish().await;
}

#[tokio::test]
async fn who_goes_on_while_a_pause_is_asked_for_is_not_paused_by_its_verdict() {
    let mut backend = Backend::start().await;
    let mut phone = Phone::start(hooked(&backend, json!({}))).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    let pause = |paused| Command::PauseStream { stream_id: played.clone(), paused };
    backend.rule("pauseStream", Reply::Silence);
    phone.done(pause(true)).await;
    backend.hears("pauseStream").await;
    phone.done(pause(false)).await;
    backend.rule("pauseStream", Reply::With(json!({})));
    phone.done(pause(true)).await;
    backend.hears("pauseStream").await;
    backend.hears_status("StreamStatusEvent", "PAUSED").await;
    phone.finish().await;
}
