//! From the first message to a session.

use super::{
    logs::Logs,
    session::{logs_rate, slow_down},
};
use axum::extract::ws::{Message, WebSocket};
use serde_json::{Map, Value};
use sidetone_engine::{
    ClientOpening,
    wcs::{ClientMessage, Flood, ServerMessage, flood, parse},
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// A client that has not introduced itself by then is no client.
const PATIENCE: Duration = Duration::from_secs(15);
/// Messages that may come before: a logger does not wait.
const MOST_BEFORE: usize = 1_000;
const DEFAULT_APP: &str = "defaultApp";

/// Who has connected, as the connection shows it.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) origin: Option<String>,
    /// From where guests come in.
    pub(super) is_guest: bool,
}

/// Waits for the first message that counts. Lines of a log may come before it.
///
/// # Errors
/// Why there is none, for the client; `None` where it has gone.
pub(super) async fn introduced(
    socket: &mut WebSocket,
    caller: Caller,
    logs: &mut Logs,
) -> Result<ClientOpening, Option<String>> {
    let introduction = timeout(PATIENCE, first(socket, logs)).await;
    let fields =
        introduction.map_err(|_| Some("a session begins with the message connection".to_owned()))??;
    let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(ClientOpening {
        app_key: text("appKey").filter(|key| !key.is_empty()).unwrap_or_else(|| DEFAULT_APP.into()),
        auth_token: text("authToken").filter(|token| !token.is_empty()),
        keep_alive: fields.get("keepAlive").and_then(Value::as_bool).unwrap_or_default(),
        remote: caller.remote,
        local: caller.local,
        origin: caller.origin,
        trusted: false,
        is_guest: caller.is_guest,
        fields,
    })
}

async fn first(socket: &mut WebSocket, logs: &mut Logs) -> Result<Map<String, Value>, Option<String>> {
    let mut rate = logs_rate();
    for _ in 0..MOST_BEFORE {
        let text = match socket.recv().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Binary(_))) => return Err(Some("messages are text frames of JSON".into())),
            Some(Ok(Message::Close(_))) | None => return Err(None),
            Some(Err(error)) => return Err(Some(error.to_string())),
        };
        slow_down(&mut rate, text.len()).await;
        match flood(text.as_str()) {
            Some(Flood::Logs(lines)) => {
                logs.add(&lines);
                continue;
            }
            Some(Flood::Metrics) => continue,
            None => {}
        }
        super::check_shape(text.as_str()).map_err(Some)?;
        match parse(text.as_str()) {
            Ok(ClientMessage::Connection(fields)) => return Ok(fields),
            Ok(ClientMessage::Ping) => {
                let pong = Message::Text(ServerMessage::Pong.text().into());
                socket.send(pong).await.map_err(|_| None)?;
            }
            Ok(ClientMessage::Pong) => {}
            Ok(_) => return Err(Some("Session not ready".into())),
            Err(malformed) => return Err(Some(malformed.to_string())),
        }
    }
    Err(Some("a session begins with the message connection".into()))
}
