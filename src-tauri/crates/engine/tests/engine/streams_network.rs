//! Streams over WebRTC: engines as WHIP and WHEP clients, an engine's gateway as their server.

use crate::endpoint::{Endpoint, FarPeer, Silence};
use crate::kit::{Phone, SOON, gateway, quiet};
use crate::streams::{bars_and_tone, now_ms, stream};
use sidetone_api::{Command, Settings, StreamId, StreamStatus};
use sidetone_media::video::read_clock;
use std::time::{Duration, Instant};

pub(crate) fn small(mut settings: Settings) -> Settings {
    (settings.video.width, settings.video.height) = (640, 360);
    settings.video.max_kbit = 800;
    settings.video.start_kbit = 500;
    settings
}

pub(crate) async fn picture_is_fresh(phone: &Phone, stream: &StreamId) {
    let mut pictures = phone.handle.pictures(stream.clone()).await.unwrap();
    let fresh = async {
        loop {
            let picture = pictures.next().await.expect("a picture");
            let age = read_clock(&picture).map(|clock| now_ms() as i64 - clock as i64);
            if age.is_some_and(|age| (0..1_500).contains(&age)) {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, fresh).await.expect("a fresh picture");
}

async fn is_heard(phone: &mut Phone, id: &StreamId) {
    phone
        .until("sound", |state| {
            stream(state, id).and_then(|it| it.statistics).is_some_and(|it| it.level.rms > -30.0)
        })
        .await;
}

#[tokio::test]
async fn a_stream_goes_by_whip_into_the_gateway_and_by_whep_out_of_it_with_picture_and_sound() {
    let mut host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    host.until("the list", |state| state.gateway.streams.len() == 1).await;
    let listed = host.state().gateway.streams[0].clone();
    assert_eq!((listed.name.as_str(), listed.own), ("tv", false));
    assert_eq!(listed.video_codec.as_deref(), Some("H264"));
    assert_eq!(listed.audio_codec.as_deref(), Some("opus"));

    let inside = host.played("tv").await;
    picture_is_fresh(&host, &inside).await;
    is_heard(&mut host, &inside).await;

    let mut bob = Phone::start(small(quiet())).await;
    let outside = bob.play(&endpoint.whep("tv")).await;
    bob.stream_status(&outside, StreamStatus::Playing).await;
    picture_is_fresh(&bob, &outside).await;
    is_heard(&mut bob, &outside).await;
    host.until("two players", |state| state.gateway.streams.first().is_some_and(|it| it.players == 2)).await;
    alice
        .until("an estimate", |state| {
            let statistics = stream(state, &published).and_then(|it| it.statistics);
            statistics.is_some_and(|it| it.available_kbit.is_some() && it.round_trip_ms.is_some())
        })
        .await;

    alice.done(Command::UnPublishStream { stream_id: published }).await;
    assert_eq!(host.stream_status(&inside, StreamStatus::Stopped).await, "Stopped by publisher stop");
    assert_eq!(bob.stream_status(&outside, StreamStatus::Stopped).await, "Stopped by publisher stop");
    host.until("an empty list", |state| state.gateway.streams.is_empty()).await;
    for phone in [alice, bob, host] {
        phone.finish().await;
    }
    assert_eq!(endpoint.sessions(), 0, "the sessions were deleted");
}

#[tokio::test]
async fn one_engine_publishes_and_plays_several_streams_at_the_same_endpoint() {
    let host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    for name in ["one", "two"] {
        let published = alice.publish(&endpoint.whip(name), bars_and_tone()).await;
        alice.stream_status(&published, StreamStatus::Publishing).await;
    }
    for name in ["one", "two"] {
        let played = alice.play(&endpoint.whep(name)).await;
        alice.stream_status(&played, StreamStatus::Playing).await;
        picture_is_fresh(&alice, &played).await;
    }
    alice.check().await;
    assert!(alice.state().streams.iter().all(|stream| stream.retry_at.is_none()));
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn what_an_endpoint_refuses_fails_in_words() {
    let mut host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    host.published("tv").await;
    let mut alice = Phone::start(small(quiet())).await;
    let second = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    let info = alice.stream_status(&second, StreamStatus::Failed).await;
    assert_eq!(info, "Stream name is already in use");
    let nobody = alice.play(&endpoint.whep("radio")).await;
    let info = alice.stream_status(&nobody, StreamStatus::Failed).await;
    assert_eq!(info, "Stream not found");
    let port = sidetone_testkit::free_port(crate::kit::LOOPBACK).unwrap();
    let closed = alice.play(&format!("http://127.0.0.1:{port}/whep/x")).await;
    let info = alice.stream_status(&closed, StreamStatus::Failed).await;
    assert!(info.contains("nobody listens"), "{info}");
    alice.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_publisher_that_is_killed_gives_its_players_stopped_within_a_second_and_a_half() {
    let mut host = Phone::start(small(gateway())).await;
    let mut publisher = FarPeer::publish(&host.handle, "radio", Silence::default()).await;
    let speaking = publisher.run(Duration::from_secs(1));
    let listing = host.until("the list", |state| state.gateway.streams.len() == 1);
    tokio::join!(speaking, listing);
    let played = host.play("radio").await;
    let playing = async {
        let run = publisher.run(SOON);
        tokio::select! {
            () = run => panic!("nothing is played"),
            _ = host.stream_status(&played, StreamStatus::Playing) => {}
        }
    };
    playing.await;
    drop(publisher);
    let killed = Instant::now();
    assert_eq!(host.stream_status(&played, StreamStatus::Stopped).await, "Stopped by publisher stop");
    let took = killed.elapsed();
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    host.finish().await;
}

#[tokio::test]
async fn a_session_whose_client_has_left_can_be_deleted_once_by_it() {
    let mut host = Phone::start(small(gateway())).await;
    let mut publisher = FarPeer::publish(&host.handle, "radio", Silence::default()).await;
    let speaking = publisher.run(Duration::from_secs(1));
    let listing = host.until("the list", |state| state.gateway.streams.len() == 1);
    tokio::join!(speaking, listing);
    publisher.close().await;
    host.until("an empty list", |state| state.gateway.streams.is_empty()).await;
    let resource = publisher.resource.clone();
    assert_eq!(host.handle.end_stream(resource.clone(), None).await, Ok(()));
    let again = host.handle.end_stream(resource, None).await;
    assert_eq!(again, Err(sidetone_engine::StreamDeclined::SessionNotFound));
    host.finish().await;
}

#[tokio::test]
async fn a_lost_connection_is_told_and_tried_again_at_once_where_the_user_wants_that() {
    let host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let mut alice = Phone::start(small(quiet())).await;
    let published = alice.publish(&endpoint.whip("tv"), bars_and_tone()).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    endpoint.end_last().await;
    alice
        .until("the loss", |state| {
            stream(state, &published).is_some_and(|it| it.retry_at.is_some() && it.status.is_none())
        })
        .await;
    alice.done(Command::RetryStream { stream_id: published.clone() }).await;
    alice.stream_status(&published, StreamStatus::Publishing).await;
    assert_eq!(stream(alice.state(), &published).unwrap().retry_at, None);
    alice.check().await;
    alice.done(Command::UnPublishStream { stream_id: published }).await;
    alice.finish().await;
    host.finish().await;
}

/// A stream of the host that is played at its WHEP endpoint.
struct AtEndpoint {
    host: Phone,
    endpoint: Endpoint,
    published: StreamId,
    bob: Phone,
    played: StreamId,
}

async fn played_at_an_endpoint() -> AtEndpoint {
    let mut host = Phone::start(small(gateway())).await;
    let endpoint = Endpoint::start(host.handle.clone()).await;
    let published = host.published("tv").await;
    let mut bob = Phone::start(small(quiet())).await;
    let played = bob.play(&endpoint.whep("tv")).await;
    bob.stream_status(&played, StreamStatus::Playing).await;
    AtEndpoint { host, endpoint, published, bob, played }
}

#[tokio::test]
async fn a_player_whose_session_the_endpoint_ends_plays_on_where_the_stream_is_still_there() {
    let AtEndpoint { mut host, endpoint, published, mut bob, played } = played_at_an_endpoint().await;
    host.until("a player", |state| state.gateway.streams.first().is_some_and(|it| it.players == 1)).await;
    endpoint.end_last().await;
    endpoint.opened().await;
    host.until("the player again", |state| state.gateway.streams.first().is_some_and(|it| it.players == 1))
        .await;
    picture_is_fresh(&bob, &played).await;
    // Once more within seconds: it is not asked at once, and not given up.
    endpoint.end_last().await;
    bob.until("the loss", |state| stream(state, &played).is_some_and(|it| it.retry_at.is_some())).await;
    bob.stream_status(&played, StreamStatus::Playing).await;
    host.done(Command::UnPublishStream { stream_id: published }).await;
    let stopped = bob.stream_status(&played, StreamStatus::Stopped).await;
    assert_eq!(stopped, "Stopped by publisher stop");
    bob.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn a_player_waits_for_an_endpoint_that_is_restarted() {
    let AtEndpoint { host, mut endpoint, mut bob, played, .. } = played_at_an_endpoint().await;
    endpoint.shut().await;
    host.finish().await;
    bob.until("the loss", |state| {
        stream(state, &played).is_some_and(|it| it.retry_at.is_some() && it.info.contains("nobody listens"))
    })
    .await;
    // It is there again before its publisher is.
    let mut host = Phone::start(small(gateway())).await;
    endpoint.open(host.handle.clone()).await;
    bob.done(Command::RetryStream { stream_id: played.clone() }).await;
    bob.until("nothing to play yet", |state| {
        stream(state, &played).is_some_and(|it| it.retry_at.is_some() && it.info == "Stream not found")
    })
    .await;
    host.published("tv").await;
    bob.done(Command::RetryStream { stream_id: played.clone() }).await;
    bob.stream_status(&played, StreamStatus::Playing).await;
    picture_is_fresh(&bob, &played).await;
    bob.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn pause_and_resume_work_over_a_network_too() {
    let AtEndpoint { host, endpoint: _endpoint, mut bob, played, .. } = played_at_an_endpoint().await;
    bob.done(Command::PauseStream { stream_id: played.clone(), paused: true }).await;
    bob.stream_status(&played, StreamStatus::Paused).await;
    bob.done(Command::PauseStream { stream_id: played.clone(), paused: false }).await;
    bob.stream_status(&played, StreamStatus::Playing).await;
    picture_is_fresh(&bob, &played).await;
    bob.finish().await;
    host.finish().await;
}

#[tokio::test]
async fn players_at_a_whep_endpoint_see_black_and_hear_nothing_of_what_is_muted() {
    let AtEndpoint { host, endpoint: _endpoint, published, mut bob, played } = played_at_an_endpoint().await;
    is_heard(&mut bob, &played).await;
    let mute = |muted| Command::ChangeStream {
        stream_id: published.clone(),
        sources: None,
        audio_muted: Some(muted),
        video_muted: Some(muted),
        volume: None,
    };
    host.done(mute(true)).await;
    let mut pictures = bob.handle.pictures(played.clone()).await.unwrap();
    let dark = async { while pictures.next().await.expect("a picture").y().iter().any(|luma| *luma > 32) {} };
    tokio::time::timeout(SOON, dark).await.expect("black");
    bob.until("silence", |state| {
        stream(state, &played).and_then(|it| it.statistics).is_some_and(|it| it.level.rms < -70.0)
    })
    .await;
    host.done(mute(false)).await;
    picture_is_fresh(&bob, &played).await;
    is_heard(&mut bob, &played).await;
    bob.finish().await;
    host.finish().await;
}
