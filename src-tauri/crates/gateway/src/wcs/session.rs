//! One connection of the Web SDK, from its first message to its end.

use super::{
    check_shape,
    logs::Logs,
    opening::{Caller, introduced},
};
use crate::{
    app::App,
    socket::{
        Farewell, GOODBYE, close_code,
        outbox::{Item, Outbox, TooSlow},
        rate::Rate,
        say_goodbye, transmit,
    },
};
use axum::extract::ws::{Message, WebSocket};
use futures_util::{StreamExt, stream::SplitStream};
use sidetone_api::SessionId;
use sidetone_engine::{
    ClientAsk, ClientNewsReader,
    wcs::{ClientMessage, Flood, ServerMessage, flood, parse, refusal},
};
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// As of Web Call Server: after ten pings without a word of the client it has gone.
const PING_EVERY: Duration = Duration::from_secs(5);
const MAX_UNANSWERED: u32 = 10;
/// Whether the engine has given up a client that does not read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The engine, and a backend that it asks, decide within this.
const DECISION: Duration = Duration::from_secs(20);
/// A client that says more than it may in a second, for so long, is not read for a while. Lines of logs count for less: a page that is debugged makes a flood of them.
const BURST_SECONDS: u32 = 4;
const LOGS_PER_SECOND: u32 = 500;
const LOGS_BURST: u32 = 2_000;
const WHILE_FLOODED: Duration = Duration::from_millis(20);
/// A message counts once, and once more for each so many bytes.
const COUNTED_ONCE: usize = 4 * 1024;

/// Everything of the session ends with this, but what the client asked to be kept.
pub(super) async fn run(mut socket: WebSocket, app: &App, caller: Caller) {
    let mut logs = Logs::default();
    let opening = tokio::select! {
        opening = introduced(&mut socket, caller, &mut logs) => opening,
        () = app.stopped() => Err(Some("the gateway stops".into())),
    };
    let opening = match opening {
        Ok(opening) => opening,
        Err(None) => return,
        Err(Some(info)) => return refuse(socket, info).await,
    };
    let opened = match timeout(DECISION, app.door.open_client(opening)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(refused)) => return refuse(socket, refused.info).await,
        Err(_) => return refuse(socket, "the engine has too much to do".into()).await,
    };
    let (mut sink, mut stream) = socket.split();
    let (outbox, unanswered) = (Outbox::default(), AtomicU32::new(0));
    let _ = say(&outbox, &ServerMessage::UserData(opened.connection));
    let session = (opened.session_id, opened.connected);
    let farewell = tokio::select! {
        farewell = receive(&mut stream, app, session, &outbox, (&unanswered, logs)) => farewell,
        farewell = forward(opened.news, &outbox) => farewell,
        farewell = keep_alive(&outbox, &unanswered) => farewell,
        () = transmit(&mut sink, &outbox) => None,
        () = app.stopped() => Farewell::new(close_code::GOING_AWAY, "the gateway stops"),
    };
    let Some(Farewell { code, reason }) = farewell else { return };
    tracing::debug!(code, reason, "a client's connection is closed");
    let _ = timeout(GOODBYE, say_goodbye(&mut sink, &mut stream, code, reason)).await;
}

/// The client is told why, and closed.
async fn refuse(mut socket: WebSocket, info: String) {
    tracing::debug!(info, "a client is refused");
    let said = socket.send(Message::Text(refusal(info.clone()).text().into())).await;
    let (mut sink, mut stream) = socket.split();
    if said.is_ok() {
        let _ = timeout(GOODBYE, say_goodbye(&mut sink, &mut stream, close_code::FLOOD, info)).await;
    }
}

fn say(outbox: &Outbox, message: &ServerMessage) -> Result<(), TooSlow> {
    let text = message.text();
    outbox.push(if message.is_measurement() { Item::Measurement(text) } else { Item::Text(text) })
}

/// Reads what the client says. One that floods is read slowly.
async fn receive(
    stream: &mut SplitStream<WebSocket>,
    app: &App,
    (session, connected): (SessionId, u64),
    outbox: &Outbox,
    (unanswered, mut logs): (&AtomicU32, Logs),
) -> Option<Farewell> {
    let ask = async |ask| app.door.ask_client(session.clone(), connected, ask).await;
    let per_second = app.limits.messages_per_second;
    let mut rate = Rate::new(Instant::now(), per_second, per_second.saturating_mul(BURST_SECONDS));
    let mut flood_rate = logs_rate();
    loop {
        let message = tokio::select! {
            message = stream.next() => message,
            pushed = logs.due() => {
                ask(pushed).await;
                continue;
            }
        };
        unanswered.store(0, Relaxed);
        let text = match message? {
            Ok(Message::Text(text)) => text,
            Ok(Message::Binary(_)) => {
                return Farewell::new(close_code::NOT_TEXT, "messages are text frames of JSON");
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => {
                slow_down(&mut rate, 0).await;
                continue;
            }
            Ok(Message::Close(_)) => return None,
            Err(error) => return Farewell::new(close_code::PROTOCOL, error.to_string()),
        };
        // Before any work is done for it.
        let flood = flood(text.as_str());
        slow_down(if flood.is_some() { &mut flood_rate } else { &mut rate }, text.len()).await;
        match flood {
            Some(Flood::Logs(lines)) => {
                logs.add(&lines);
                continue;
            }
            Some(Flood::Metrics) => continue,
            None => {}
        }
        if let Err(reason) = check_shape(text.as_str()) {
            return Farewell::new(close_code::TOO_BIG, reason);
        }
        let parsed = parse(text.as_str());
        drop(text);
        let answer = match parsed {
            Ok(message) => match Next::of(message) {
                Next::Ask(asked) => {
                    ask(asked).await;
                    continue;
                }
                Next::Say(answer) => answer,
                Next::Nothing => continue,
            },
            Err(malformed) => ServerMessage::failed(None, malformed.to_string()),
        };
        if let Err(slow) = say(outbox, &answer) {
            return Some(slow.into());
        }
    }
}

pub(super) fn logs_rate() -> Rate {
    Rate::new(Instant::now(), LOGS_PER_SECOND, LOGS_BURST)
}

pub(super) async fn slow_down(rate: &mut Rate, bytes: usize) {
    let many = u32::try_from(1 + bytes / COUNTED_ONCE).unwrap_or(u32::MAX).min(rate.most());
    while !rate.admits_many(Instant::now(), many) {
        sleep(WHILE_FLOODED).await;
    }
}

/// What a message leads to.
enum Next {
    Ask(ClientAsk),
    Say(ServerMessage),
    Nothing,
}

impl Next {
    fn of(message: ClientMessage) -> Self {
        use ClientMessage as M;
        match message {
            M::Ask(ask) => Self::Ask(ask),
            M::Ping => Self::Say(ServerMessage::Pong),
            M::Connection(_) => Self::Say(ServerMessage::failed(None, "the session stands already")),
            M::Unknown { name } => {
                Self::Say(ServerMessage::failed(None, format!("{name:?} is not known here")))
            }
            M::Pong => Self::Nothing,
        }
    }
}

/// Queues what the engine tells. A client that reads hears all of it, however much comes at once; of one that does not, the engine
/// knows when it has too much waiting.
async fn forward(mut news: ClientNewsReader, outbox: &Outbox) -> Option<Farewell> {
    while let Some(next) = news.next().await {
        let message = ServerMessage::from(next);
        while timeout(LOOK_EVERY, outbox.room()).await.is_err() {
            if news.is_over() {
                return Some(TooSlow.into());
            }
        }
        if let Err(slow) = say(outbox, &message) {
            return Some(slow.into());
        }
    }
    Farewell::new(close_code::GOING_AWAY, "the session is over, or goes on elsewhere")
}

async fn keep_alive(outbox: &Outbox, unanswered: &AtomicU32) -> Option<Farewell> {
    loop {
        sleep(PING_EVERY).await;
        if unanswered.fetch_add(1, Relaxed) >= MAX_UNANSWERED {
            return Farewell::new(close_code::SILENT, "no answer to pings");
        }
        if let Err(slow) = say(outbox, &ServerMessage::Ping) {
            return Some(slow.into());
        }
    }
}
