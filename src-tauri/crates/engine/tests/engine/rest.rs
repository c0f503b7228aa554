//! What programs ask for over the REST API, as the gateway passes it on.

use crate::kit::{Phone, SOON, gateway};
use serde_json::{Map, Value, json};
use sidetone_api::{Failure, FailureCode, StreamStatus};
use sidetone_engine::{ClientNews, ClientOpening, RestAsk, RestCall, RestFilter, RestReply};
use std::{net::SocketAddr, time::Instant};
use tokio::time::timeout;

fn opening(fields: &Value) -> ClientOpening {
    let address = SocketAddr::from(([127, 0, 0, 1], 4_000));
    ClientOpening {
        fields: fields.as_object().cloned().unwrap_or_else(Map::new),
        app_key: "defaultApp".into(),
        auth_token: None,
        keep_alive: false,
        remote: address,
        local: address,
        origin: None,
        trusted: true,
        is_guest: false,
    }
}

fn call(host: &Phone, id: &str, callee: &str) -> RestAsk {
    let fields = json!({ "sipLogin": "robot", "sipDomain": host.gateway().to_string() });
    let (id, callee, visible_name) = (id.to_owned(), callee.to_owned(), "Robot".to_owned());
    RestAsk::StartCall(Box::new(RestCall {
        id,
        callee,
        visible_name,
        custom: None,
        to_stream: None,
        opening: opening(&fields),
    }))
}

/// The same, and what the callee says is a stream.
fn call_to_stream(host: &Phone, id: &str, callee: &str, name: &str) -> RestAsk {
    let RestAsk::StartCall(wanted) = call(host, id, callee) else { unreachable!() };
    RestAsk::StartCall(Box::new(RestCall { to_stream: Some(name.into()), ..*wanted }))
}

fn filter(fields: Value) -> RestFilter {
    fields.as_object().cloned().unwrap_or_default()
}

async fn ask(host: &Phone, ask: RestAsk) -> Result<RestReply, Failure> {
    timeout(SOON, host.handle.rest(ask)).await.expect("in time")
}

async fn refused(host: &Phone, wanted: RestAsk) -> FailureCode {
    ask(host, wanted).await.expect_err("it is refused").code
}

async fn found(host: &Phone, wanted: RestAsk) -> Vec<Value> {
    match ask(host, wanted).await {
        Ok(RestReply::Found(found)) => found,
        Err(failure) if failure.code == FailureCode::NotFound => Vec::new(),
        other => panic!("{other:?}"),
    }
}

/// Asks until there are so many.
async fn until(host: &Phone, wanted: RestAsk, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + SOON;
    loop {
        let found = found(host, wanted.clone()).await;
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < deadline, "{count} were wanted of {wanted:?}: {found:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_of_a_program_is_placed_found_spoken_into_and_ended() {
    let mut settings = gateway();
    (settings.video.width, settings.video.height) = (640, 360);
    let mut host = Phone::start(settings).await;
    assert_eq!(ask(&host, call(&host, "k1", "echo")).await, Ok(RestReply::Done));
    let established = filter(json!({ "callId": "k1", "status": "ESTABLISHED" }));
    let view = until(&host, RestAsk::FindCalls(established), 1).await.remove(0);
    assert_eq!((&view["caller"], &view["visibleName"]), (&json!("robot"), &json!("Robot")), "{view}");
    assert_eq!(refused(&host, call(&host, "k1", "echo")).await, FailureCode::WrongState);
    assert_eq!(refused(&host, call(&host, "", "echo")).await, FailureCode::Invalid);
    // Its session is one among others, and tells no password.
    let sessions = found(&host, RestAsk::FindSessions(filter(json!({ "sipLogin": "robot" })))).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert!(sessions[0].get("authToken").is_none() && sessions[0]["status"] == "ESTABLISHED");
    let dtmf = |id: &str| RestAsk::SendDtmf { id: id.into(), kind: "RFC2833".into(), dtmf: "12#".into() };
    assert_eq!(ask(&host, dtmf("k1")).await, Ok(RestReply::Done));
    assert_eq!(refused(&host, dtmf("k2")).await, FailureCode::NotFound);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hello.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&file, spec).unwrap();
    (0..8_000).for_each(|n| wav.write_sample(if n % 20 < 10 { 8_000_i16 } else { -8_000 }).unwrap());
    wav.finalize().unwrap();
    let sound = |id: &str, file: &std::path::Path| RestAsk::InjectSound { id: id.into(), file: file.into() };
    assert_eq!(ask(&host, sound("k1", &file)).await, Ok(RestReply::Done));
    assert_eq!(refused(&host, sound("k1", &dir.path().join("none.wav"))).await, FailureCode::Invalid);
    assert_eq!(refused(&host, sound("k2", &file)).await, FailureCode::NotFound);
    let stop = |id: &str| RestAsk::StopInjectedStream { id: id.into() };
    assert_eq!(refused(&host, stop("k1")).await, FailureCode::NotFound);
    let stream = |id: &str, name: &str| RestAsk::InjectStream { id: id.into(), name: name.into() };
    assert_eq!(refused(&host, stream("k1", "none")).await, FailureCode::NotFound);
    assert_eq!(refused(&host, stream("k2", "none")).await, FailureCode::NotFound);
    host.published("cam").await;
    assert_eq!(ask(&host, stream("k1", "cam")).await, Ok(RestReply::Done));
    assert_eq!(refused(&host, stream("k1", "cam")).await, FailureCode::WrongState);
    assert_eq!(ask(&host, stop("k1")).await, Ok(RestReply::Done));
    assert_eq!(ask(&host, stream("k1", "cam")).await, Ok(RestReply::Done));
    let end = |id: &str| RestAsk::EndCall { id: id.into() };
    assert_eq!(ask(&host, end("k1")).await, Ok(RestReply::Done));
    until(&host, RestAsk::FindCalls(RestFilter::new()), 0).await;
    until(&host, RestAsk::FindSessions(RestFilter::new()), 0).await;
    assert_eq!(refused(&host, end("k1")).await, FailureCode::NotFound);
    // The id is free again.
    assert_eq!(ask(&host, call(&host, "k1", "tone")).await, Ok(RestReply::Done));
    host.finish().await;
}

#[tokio::test]
async fn a_call_that_fails_and_one_without_an_account_leave_nothing() {
    let host = Phone::start(gateway()).await;
    assert_eq!(ask(&host, call(&host, "k1", "nobody")).await, Ok(RestReply::Done));
    until(&host, RestAsk::FindSessions(RestFilter::new()), 0).await;
    let no_account = opening(&json!({ "sipLogin": "a", "sipDomain": "x", "sipPort": 0 }));
    let wanted = RestCall {
        id: "k2".into(),
        callee: "b".into(),
        visible_name: String::new(),
        custom: None,
        to_stream: None,
        opening: no_account,
    };
    assert_eq!(refused(&host, RestAsk::StartCall(Box::new(wanted))).await, FailureCode::Invalid);
    assert_eq!(refused(&host, call(&host, "k3", "sip:")).await, FailureCode::Invalid);
    until(&host, RestAsk::FindSessions(RestFilter::new()), 0).await;
    assert_eq!(found(&host, RestAsk::FindCalls(RestFilter::new())).await, Vec::<Value>::new());
    host.finish().await;
}

#[tokio::test]
async fn data_goes_to_all_who_are_named_or_to_nobody_and_a_session_can_be_ended() {
    let host = Phone::start(gateway()).await;
    let mut one = host.handle.open_client(opening(&json!({}))).await.unwrap();
    let mut other = host.handle.open_client(opening(&json!({}))).await.unwrap();
    let (first, second) = (one.session_id.to_string(), other.session_id.to_string());
    let data = |sessions: &[&str], payload: Value| RestAsk::SendData {
        sessions: sessions.iter().map(|&id| id.to_owned()).collect(),
        operation_id: Some("o1".into()),
        payload,
    };
    assert_eq!(refused(&host, data(&[&first, "nobody"], json!(1))).await, FailureCode::NotFound);
    assert_eq!(refused(&host, data(&[&first], json!("x".repeat(70_000)))).await, FailureCode::Invalid);
    assert_eq!(ask(&host, data(&[&first, &second], json!({ "a": 1 }))).await, Ok(RestReply::Done));
    let told = ClientNews::Data { operation_id: "o1".into(), payload: json!({ "a": 1 }).into() };
    assert_eq!(timeout(SOON, one.news.next()).await.unwrap(), Some(told.clone()));
    assert_eq!(timeout(SOON, other.news.next()).await.unwrap(), Some(told));
    let log = |id: &str| RestAsk::LogSession { id: id.into(), asks: true };
    assert_eq!(ask(&host, log(&first)).await, Ok(RestReply::Done));
    assert_eq!(refused(&host, log("nobody")).await, FailureCode::NotFound);
    let end = |id: &str| RestAsk::EndSession { id: id.into() };
    assert_eq!(ask(&host, end(&first)).await, Ok(RestReply::Done));
    assert_eq!(timeout(SOON, one.news.next()).await.unwrap(), None);
    assert_eq!(refused(&host, end(&first)).await, FailureCode::NotFound);
    assert_eq!(found(&host, RestAsk::FindSessions(RestFilter::new())).await.len(), 1);
    host.finish().await;
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_not_found() {
    let host = Phone::start(gateway()).await;
    let named = || filter(json!({ "name": "cam" }));
    for wanted in [
        RestAsk::FindStreams(RestFilter::new()),
        RestAsk::EndStreams { filter: named(), ids: Vec::new() },
        RestAsk::Snapshot { name: "cam".into() },
        RestAsk::Record { id: "m1".into(), on: true },
        RestAsk::Record { id: "m1".into(), on: false },
        RestAsk::StreamEvent { name: "cam".into(), payload: json!(1) },
    ] {
        assert_eq!(refused(&host, wanted.clone()).await, FailureCode::NotFound, "{wanted:?}");
    }
    host.finish().await;
}

#[tokio::test]
async fn our_own_streams_are_found_pictured_recorded_and_ended() {
    let mut host = Phone::start(crate::streams::settings()).await;
    let stream = host.published("cam").await;
    let view =
        until(&host, RestAsk::FindStreams(filter(json!({ "status": "PUBLISHING" }))), 1).await.remove(0);
    assert_eq!((&view["name"], &view["published"]), (&json!("cam"), &json!(true)), "{view}");
    let RestReply::Picture(png) = ask(&host, RestAsk::Snapshot { name: "cam".into() }).await.unwrap() else {
        panic!("no picture")
    };
    assert!(png.starts_with(b"\x89PNG"));
    let data = RestAsk::StreamEvent { name: "cam".into(), payload: json!(1) };
    assert_eq!(ask(&host, data).await, Ok(RestReply::Done));
    let stop = RestAsk::Record { id: stream.to_string(), on: false };
    assert_eq!(refused(&host, stop).await, FailureCode::WrongState);
    let end = RestAsk::EndStreams {
        filter: filter(json!({ "published": true })),
        ids: vec!["none".into(), stream.as_str().into()],
    };
    assert_eq!(ask(&host, end.clone()).await, Ok(RestReply::Done));
    assert_eq!(refused(&host, end).await, FailureCode::NotFound);
    host.finish().await;
}

#[tokio::test]
async fn what_the_far_end_of_a_programs_call_says_is_a_stream_as_long_as_the_call() {
    let mut host = Phone::start(gateway()).await;
    assert_eq!(refused(&host, call_to_stream(&host, "k1", "tone", "no/name")).await, FailureCode::Invalid);
    assert_eq!(ask(&host, call_to_stream(&host, "k1", "tone", "hotline")).await, Ok(RestReply::Done));
    let published = filter(json!({ "name": "hotline", "status": "PUBLISHING", "published": true }));
    let view = until(&host, RestAsk::FindStreams(published.clone()), 1).await.remove(0);
    assert_eq!((&view["hasAudio"], &view["hasVideo"]), (&json!(true), &json!(false)), "{view}");
    host.until("the list", |state| state.gateway.streams.iter().any(|it| it.name == "hotline")).await;
    assert_eq!(refused(&host, call_to_stream(&host, "k2", "tone", "hotline")).await, FailureCode::WrongState);
    // The tone that the far end says, and no silence.
    let played = host.played("hotline").await;
    host.until("the tone", |state| {
        let played = state.streams.iter().find(|it| it.stream_id == played);
        played.and_then(|it| it.statistics).is_some_and(|it| it.level.rms > -30.0)
    })
    .await;
    let end = RestAsk::EndCall { id: "k1".into() };
    assert_eq!(ask(&host, end).await, Ok(RestReply::Done));
    assert_eq!(host.stream_status(&played, StreamStatus::Stopped).await, "Stopped by publisher stop");
    until(&host, RestAsk::FindStreams(filter(json!({ "name": "hotline", "published": true }))), 0).await;
    // Ended by itself, the call goes on without it; and the name is free again.
    assert_eq!(ask(&host, call_to_stream(&host, "k3", "tone", "hotline")).await, Ok(RestReply::Done));
    let again = until(&host, RestAsk::FindStreams(published), 1).await.remove(0);
    let id = again["mediaSessionId"].as_str().unwrap().to_owned();
    let end = RestAsk::EndStreams { filter: RestFilter::new(), ids: vec![id] };
    assert_eq!(ask(&host, end).await, Ok(RestReply::Done));
    until(&host, RestAsk::FindStreams(filter(json!({ "name": "hotline" }))), 0).await;
    until(&host, RestAsk::FindCalls(filter(json!({ "callId": "k3", "status": "ESTABLISHED" }))), 1).await;
    host.finish().await;
}
