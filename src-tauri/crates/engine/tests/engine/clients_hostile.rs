//! Pages that mean it badly: what they may not do to others, and what they leave behind.

use crate::{
    backend::{Backend, Reply},
    clients::{Client, opening, stream},
    kit::{Phone, SOON, gateway},
};
use serde_json::{Value, json};
use sidetone_api::{CallStatus, Settings};
use sidetone_engine::{
    ClientAsk, ClientCall, ClientNews, ClientOpening, ClientStream, RestAsk, RestCall, RestReply,
};
use sidetone_peer::Direction;
use tokio::time::timeout;

fn hooked(backend: &Backend, timeout_ms: u32) -> Settings {
    let mut settings = gateway();
    settings.hooks.url = backend.url();
    settings.hooks.timeout_ms = timeout_ms;
    settings
}

fn data(id: &str, payload: &str) -> ClientAsk {
    ClientAsk::StreamEvent { id: id.into(), kind: "data".into(), payload: json!(payload).into() }
}

/// All that it is told until it hears whether there is a stream of a name that it asks for.
async fn told_so_far(client: &mut Client) -> Vec<ClientNews> {
    client.ask(ClientAsk::Available { id: "last".into(), name: "none".into() }).await;
    let mut told = Vec::new();
    loop {
        match client.told().await {
            ClientNews::Available { .. } => return told,
            news => told.push(news),
        }
    }
}

fn call(id: &str, callee: &str, visible_name: &str) -> ClientAsk {
    let sdp = stream("", "", Direction::Both).sdp;
    let (callee, visible_name) = (callee.to_owned(), visible_name.to_owned());
    ClientAsk::Call(ClientCall { id: id.into(), callee, sdp, visible_name, custom: None })
}

async fn called(client: &mut Client) -> (CallStatus, String, String, String) {
    loop {
        if let ClientNews::Call(view) = client.told().await {
            return (view.status, view.info, view.callee, view.visible_name);
        }
    }
}

/// By a name that is another one's, before it is known whether it can be had.
#[tokio::test]
async fn who_only_asks_for_a_stream_tells_its_players_nothing_and_hears_nothing_of_it() {
    let mut backend = Backend::start().await;
    backend.rule("playStream", Reply::Silence);
    let host = Phone::start(hooked(&backend, 15_000)).await;
    let (mut one, mut other) = (Client::with(&host, &json!({})).await, Client::with(&host, &json!({})).await);
    one.ask(ClientAsk::Publish(stream("m1", "cam", Direction::Send))).await;
    assert!(matches!(one.told().await, ClientNews::Description { .. }));
    other.ask(ClientAsk::Publish(stream("m2", "cam", Direction::Send))).await;
    other.ask(data("m2", "forged")).await;
    other.ask(ClientAsk::Play(stream("m3", "cam", Direction::Receive))).await;
    backend.hears("playStream").await;
    one.ask(data("m1", "for players")).await;
    let of_program = RestAsk::StreamEvent { name: "cam".into(), payload: json!("for all of it") };
    assert_eq!(timeout(SOON, host.handle.rest(of_program)).await.unwrap(), Ok(RestReply::Done));
    let wanted = ClientNews::StreamEvent {
        id: "m1".into(),
        kind: "data".into(),
        payload: json!("for all of it").into(),
    };
    assert_eq!(one.told().await, wanted);
    let told = told_so_far(&mut other).await;
    let why = |news: &ClientNews| matches!(news, ClientNews::Failed { info, .. } if info == "Publish stream is not ready");
    assert!(told.iter().any(why), "{told:?}");
    assert!(!told.iter().any(|news| matches!(news, ClientNews::StreamEvent { .. })), "{told:?}");
    host.handle.shut_down().await;
}

#[tokio::test]
async fn what_a_page_says_of_itself_is_bounded_however_it_comes() {
    let host = Phone::start(gateway()).await;
    let named = ClientOpening { app_key: "x".repeat(257), ..opening(&json!({}), None, false) };
    assert!(host.handle.open_client(named).await.unwrap_err().info.starts_with("appKey: "));
    let kept = host.handle.open_client(opening(&json!({}), None, true)).await.unwrap();
    let token = kept.connection["authToken"].as_str().unwrap().to_owned();
    let large = json!({ "custom": { "token": "x".repeat(40_000) } });
    let again = host.handle.open_client(opening(&large, Some(&token), true)).await;
    assert!(again.unwrap_err().info.starts_with("custom: "));
    let again = host.handle.open_client(opening(&json!({}), Some(&token), true)).await;
    assert_eq!(again.unwrap().session_id, kept.session_id);
    drop(kept);
    host.finish().await;
}

/// What is kept, and told to the backend, is what was read.
#[tokio::test]
async fn names_are_kept_without_what_surrounds_them_and_of_no_length() {
    let mut backend = Backend::start().await;
    let host = Phone::start(hooked(&backend, 15_000)).await;
    let mut page = Client::with(&host, &json!({ "sipLogin": "page", "sipDomain": "127.0.0.1:9" })).await;
    let around = " ".repeat(100_000);
    page.ask(call("k1", &format!("bob{around}"), &format!("{around}Alice"))).await;
    let (_, _, callee, name) = called(&mut page).await;
    assert_eq!((callee.as_str(), name.as_str()), ("bob", "Alice"));
    let asked = backend.hears("call").await;
    assert!(asked.raw.len() < 20_000, "{}", asked.raw.len());
    let custom = Some(json!({ "text": "x".repeat(100_000) }));
    let long = ClientStream { name: "x".repeat(100_000), custom, ..stream("m1", "", Direction::Send) };
    page.ask(ClientAsk::Publish(long)).await;
    let told = backend.hears_status("StreamStatusEvent", "FAILED").await;
    assert!(told.raw.len() < 4_000, "{}", told.raw.len());
    host.handle.shut_down().await;
}

/// A program's ids are easily guessed, and what it does by them is done to its own call.
#[tokio::test]
async fn a_page_has_no_call_by_the_id_of_a_programs() {
    let host = Phone::start(gateway()).await;
    let fields = json!({ "sipLogin": "robot", "sipDomain": host.gateway().to_string() });
    let wanted = RestCall {
        id: "k1".into(),
        callee: "tone".into(),
        visible_name: String::new(),
        custom: None,
        to_stream: None,
        opening: opening(&fields, None, false),
    };
    let started = host.handle.rest(RestAsk::StartCall(Box::new(wanted)));
    assert_eq!(timeout(SOON, started).await.unwrap(), Ok(RestReply::Done));
    let mut page = Client::with(&host, &fields).await;
    page.ask(call("k1", "tone", "")).await;
    let (status, info, ..) = called(&mut page).await;
    assert_eq!((status, info.as_str()), (CallStatus::Failed, "this callId is empty or in use"));
    timeout(SOON, host.handle.shut_down()).await.expect("it stops");
}

/// The names that it gives are its own, also where they are those of others' objects.
#[tokio::test]
async fn nobody_waits_behind_what_a_page_calls_as_others_are_called() {
    let mut backend = Backend::start().await;
    backend.rule("snapshot", Reply::Silence);
    let host = Phone::start(hooked(&backend, 15_000)).await;
    let (page, mut victim) = (Client::with(&host, &json!({})).await, Client::with(&host, &json!({})).await);
    let id = format!("data of {}", victim.opened.session_id);
    for _ in 0..16 {
        page.ask(ClientAsk::Snapshot { id: id.clone(), name: "none".into() }).await;
    }
    backend.hears("snapshot").await;
    victim
        .ask(ClientAsk::SendData { operation_id: "o1".into(), payload: json!({ "for": "the backend" }) })
        .await;
    let wanted = ClientNews::DataStatus { operation_id: "o1".into(), accepted: true, info: String::new() };
    assert_eq!(victim.told().await, wanted);
    host.handle.shut_down().await;
}

/// It has gone while the backend thought.
#[tokio::test]
async fn no_picture_is_taken_for_a_page_that_has_gone() {
    let mut backend = Backend::start().await;
    backend.rule("snapshot", Reply::Silence);
    let host = Phone::start(hooked(&backend, 1_000)).await;
    let (gone, stays) = (Client::with(&host, &json!({})).await, Client::with(&host, &json!({})).await);
    let id = |client: &Client| json!(client.opened.session_id);
    let (of_gone, of_one) = (id(&gone), id(&stays));
    for client in [&gone, &stays] {
        client.ask(ClientAsk::Snapshot { id: "m1".into(), name: "none".into() }).await;
        backend.hears("snapshot").await;
    }
    drop(gone);
    let is_over = |body: &Value| body["status"] == "DISCONNECTED" && body["sessionId"] == of_gone;
    backend.hears_that("ConnectionStatusEvent", is_over).await;
    let told = backend.hears("StreamStatusEvent").await;
    assert_eq!((&told.body["sessionId"], &told.body["status"]), (&of_one, &json!("SNAPSHOT_FAILED")));
    host.handle.shut_down().await;
}
