//! Web Call Servers that are none, or mean harm: what they do is told in words, and the engine goes on.

use crate::kit::{Phone, SOON, quiet};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sidetone_api::{
    Account, AccountId, CallId, CallStatus, Command, ConnectionStatus, Event, Reply, SessionId, StreamStatus,
    WcsServer,
};
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// A server that answers each message with what `answers` has for it; a close is the end.
pub(crate) async fn server(answers: impl Fn(&str, &Value) -> Vec<Message> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut socket) = accept_async(stream).await else { continue };
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                let said: Value = serde_json::from_str(text.as_str()).unwrap();
                for answer in answers(said["message"].as_str().unwrap(), &said["data"][0]) {
                    let _ = socket.send(answer).await;
                }
            }
        }
    });
    url
}

pub(crate) fn text(name: &str, data: Value) -> Message {
    Message::text(json!({ "message": name, "data": data }).to_string())
}

pub(crate) fn accepted() -> Message {
    text("getUserData", json!([{ "authToken": "t1", "sipLogin": 1001, "unknown": [{}] }]))
}

fn account(url: &str) -> Account {
    let wcs = Some(WcsServer { url: url.into(), app_key: None, custom: None });
    Account { register: false, enabled: false, wcs, ..Account::new(AccountId::new("server"), "server", "") }
}

pub(crate) async fn connect(phone: &Phone, url: &str) -> SessionId {
    phone.done(Command::SaveAccount { account: account(url), password: None, remember: false }).await;
    let account_id = AccountId::new("server");
    match phone.ask(Command::Connect { account_id, password: None, auth_token: None }).await {
        Ok(Reply::Session { session_id }) => session_id,
        other => panic!("no session: {other:?}"),
    }
}

async fn connection(phone: &mut Phone, wanted: ConnectionStatus) -> String {
    let status = |event: &Event| match event {
        Event::ConnectionStatusEvent { status, info, .. } => Some((*status, info.clone())),
        _ => None,
    };
    let (status, info) = phone.wait("a status of the connection", status).await;
    assert_eq!(status, wanted, "{info}");
    info
}

async fn play(phone: &Phone, session: &SessionId) {
    let command = Command::PlayStream { name: "tv".into(), token: None, session_id: Some(session.clone()) };
    phone.ask(command).await.unwrap();
}

async fn failed(phone: &mut Phone) -> String {
    let status = |event: &Event| match event {
        Event::StreamStatusEvent { status, info, .. } => Some((*status, info.clone())),
        _ => None,
    };
    let (status, info) = phone.wait("the stream's end", status).await;
    assert_eq!(status, StreamStatus::Failed, "{info}");
    info
}

#[tokio::test]
async fn what_is_wrong_with_a_server_that_accepts_no_session_is_told() {
    let mut phone = Phone::start(quiet()).await;
    let refusal = json!([{ "status": "FAILED", "info": "Forbidden", "apiMethod": "ConnectionStatusEvent" }]);
    let huge = format!("{{\"message\":\"getUserData\",\"data\":[{{\"a\":\"{}\"}}]}}", "x".repeat(13 << 20));
    for (answers, word) in [
        (vec![Message::text("hello")], "JSON"),
        (vec![text("getUserData", json!([7]))], "getUserData: data[0]"),
        (vec![text("getUserData", json!(null))], "getUserData: data[0]"),
        (vec![text("setRemoteSDP", json!(["m1", 7]))], "setRemoteSDP: data[1]"),
        (vec![text("fail", refusal), Message::Close(None)], "Forbidden"),
        (vec![Message::Close(None)], "closed"),
        (vec![Message::text(huge)], "too long"),
        (vec![Message::text(format!("[{}0]", "0,".repeat(100_000)))], "mostly text"),
    ] {
        let url = server(move |_, _| answers.clone()).await;
        let session = connect(&phone, &url).await;
        let info = connection(&mut phone, ConnectionStatus::Failed).await;
        assert!(info.to_lowercase().contains(&word.to_lowercase()), "{word}: {info}");
        phone.done(Command::Disconnect { session_id: session }).await;
        let closed = |event: &Event| matches!(event, Event::SessionClosed { .. }).then_some(());
        phone.wait("the end of the session", closed).await;
    }
}

#[tokio::test]
async fn a_refused_session_is_not_asked_for_again_by_itself_and_a_lost_one_is() {
    let mut phone = Phone::start(quiet()).await;
    let refusal = json!([{ "info": "Forbidden", "apiMethod": "ConnectionStatusEvent" }]);
    let url = server(move |_, _| vec![text("fail", refusal.clone()), Message::Close(None)]).await;
    connect(&phone, &url).await;
    connection(&mut phone, ConnectionStatus::Failed).await;
    let retry = |event: &Event| match event {
        Event::SessionChanged { session } if session.connection.is_some() => Some(session.retry_at),
        _ => None,
    };
    assert_eq!(phone.wait("its view", retry).await, None);
    let kept = std::sync::atomic::AtomicU32::new(0);
    let url = server(move |name, data| {
        let before = kept.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match (name, before) {
            ("connection", 0) => vec![accepted(), Message::Close(None)],
            ("connection", _) if data["authToken"] == "t1" => {
                vec![text("fail", json!([{ "info": "Session does not exist" }])), Message::Close(None)]
            }
            ("connection", _) => vec![accepted()],
            _ => vec![],
        }
    })
    .await;
    connect(&phone, &url).await;
    connection(&mut phone, ConnectionStatus::Established).await;
    connection(&mut phone, ConnectionStatus::Disconnected).await;
    // By the token that it has; and as that is of no use any more, anew.
    connection(&mut phone, ConnectionStatus::Established).await;
}

#[tokio::test]
async fn a_stream_fails_by_the_field_that_cannot_be_read_and_the_session_goes_on() {
    let mut phone = Phone::start(quiet()).await;
    let count = std::sync::atomic::AtomicUsize::new(0);
    let url = server(move |name, data| {
        let id = &data["mediaSessionId"];
        let all = [
            text("setRemoteSDP", json!([id, { "sdp": 1 }])),
            text("setRemoteSDP", json!([id, "no description", true])),
            text("setRemoteSDP", json!([id, "v=0", false])),
            text("notifyStreamStatusEvent", json!([{ "mediaSessionId": id, "status": ["FAILED"] }])),
            text(
                "fail",
                json!([{ "id": id, "info": "Restricted access", "apiMethod": "StreamStatusEvent" }]),
            ),
            text(
                "notifyStreamStatusEvent",
                json!([{ "mediaSessionId": id, "status": "FAILED", "info": "Stream not found" }]),
            ),
        ];
        match name {
            "connection" => vec![accepted()],
            "playStream" => {
                let at = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let strange = [text("news", json!([null])), Message::binary(vec![0; 9])];
                strange.into_iter().chain(all.get(at).cloned()).collect()
            }
            _ => vec![],
        }
    })
    .await;
    let session = connect(&phone, &url).await;
    connection(&mut phone, ConnectionStatus::Established).await;
    for word in ["data[1]", "", "offer", "status", "Restricted access", "Stream not found"] {
        play(&phone, &session).await;
        let info = failed(&mut phone).await;
        assert!(info.contains(word) && !info.is_empty(), "{word}: {info}");
    }
    let Ok(Reply::Snapshot { snapshot }) = phone.ask(Command::GetSnapshot).await else { panic!("no state") };
    assert!(snapshot.streams.is_empty(), "{:?}", snapshot.streams);
}

#[tokio::test]
async fn what_is_wrong_with_an_account_at_a_server_is_named() {
    let phone = Phone::start(quiet()).await;
    let good = account("ws://127.0.0.1:9");
    let of = |wcs: WcsServer| Account { wcs: Some(wcs), ..good.clone() };
    let server = good.wcs.clone().unwrap();
    for (account, field) in [
        (of(WcsServer { url: "http://x".into(), ..server.clone() }), "wcs.url"),
        (of(WcsServer { app_key: Some("a\nb".into()), ..server.clone() }), "wcs.appKey"),
        (of(WcsServer { custom: Some("[1]".into()), ..server }), "wcs.custom"),
        (Account { wcs: None, ..good.clone() }, "aor"),
    ] {
        let command = Command::SaveAccount { account, password: None, remember: false };
        assert_eq!(phone.ask(command).await.unwrap_err().field.as_deref(), Some(field));
    }
    let session_id = Some(SessionId::new("none"));
    let command = Command::PlayStream { name: "tv".into(), token: None, session_id };
    assert!(phone.ask(command).await.is_err());
}

async fn call(phone: &Phone, session: &SessionId) -> CallId {
    let command = Command::call("1002", Some(session.clone()));
    match phone.ask(command).await {
        Ok(Reply::Call { call_id }) => call_id,
        other => panic!("no call: {other:?}"),
    }
}

#[tokio::test]
async fn a_transfer_that_nobody_asked_for_ends_nothing_and_is_no_news() {
    let mut phone = Phone::start(quiet()).await;
    let url = server(|name, data| {
        let id = &data["callId"];
        let transfer = |status: &str| {
            let info = "\u{202e}no\nline";
            text(
                "notifyTransferEvent",
                json!([{ "callId": id, "status": status, "target": "x", "info": info }]),
            )
        };
        match name {
            "connection" => vec![accepted()],
            "call" => {
                let lies = ["PENDING", "ACCEPTED", "FAILED", "FAILED", "COMPLETED"].map(transfer);
                let trying = text("notifyTryingResponse", json!([{ "callId": id, "status": "TRYING" }]));
                let ring = text("ring", json!([{ "callId": id, "status": "RING" }]));
                std::iter::once(trying).chain(lies).chain([ring]).collect()
            }
            _ => vec![],
        }
    })
    .await;
    let session = connect(&phone, &url).await;
    connection(&mut phone, ConnectionStatus::Established).await;
    let call = call(&phone, &session).await;
    phone.status(&call, CallStatus::Ring).await;
    let is_lie = |event: &Event| matches!(event, Event::TransferStatusEvent { .. } | Event::Notice { .. });
    let lies = phone.seen.iter().filter(|envelope| is_lie(&envelope.event)).count();
    assert_eq!(lies, 0, "{:?}", phone.seen);
}

#[tokio::test]
async fn a_call_that_is_answered_without_a_word_on_its_media_does_not_stand_for_ever() {
    let mut phone = Phone::start(quiet()).await;
    let (told, mut hung_up) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |name, data| {
        let id = &data["callId"];
        match name {
            "connection" => vec![accepted()],
            "call" => vec![
                text("notifyTryingResponse", json!([{ "callId": id, "status": "TRYING" }])),
                text("talk", json!([{ "callId": id, "status": "ESTABLISHED" }])),
            ],
            "hangup" => {
                let _ = told.send(());
                vec![]
            }
            _ => vec![],
        }
    })
    .await;
    let session = connect(&phone, &url).await;
    connection(&mut phone, ConnectionStatus::Established).await;
    let call = call(&phone, &session).await;
    phone.status(&call, CallStatus::Established).await;
    // Longer than the server has.
    tokio::time::timeout(2 * SOON, hung_up.recv()).await.expect("the server is told").unwrap();
    let info = phone.status(&call, CallStatus::Failed).await;
    assert!(info.contains("where its media goes"), "{info}");
}
