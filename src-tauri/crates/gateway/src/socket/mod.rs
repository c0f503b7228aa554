//! `/ui/socket`: one client of the engine in a browser.

pub(crate) mod outbox;
pub(crate) mod rate;

use crate::{
    app::App,
    listener::Site,
    upgrade::{admit, check},
    wire,
};
use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, Uri},
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use outbox::{Item, Outbox, TooSlow};
use rate::Rate;
use sidetone_api::Command;
use sidetone_engine::{Next, wcs::is_mostly_text};
use std::{
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

pub(crate) const MAX_SOCKETS: usize = 16;
/// Longest command, bytes.
pub(crate) const MAX_COMMAND: usize = 64 * 1024;
/// Longest import of contacts, bytes: a file of 10 MiB, whose line ends and quotes take two bytes each in JSON. Nothing longer is read.
pub(crate) const MAX_IMPORT: usize = 2 * 10 * 1024 * 1024 + MAX_COMMAND;
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that said nothing after this many pings has gone.
const MAX_UNANSWERED: u32 = 3;
/// How long a closing frame may take.
pub(crate) const GOODBYE: Duration = Duration::from_secs(2);
/// A client that did not read gets longer to read why it is closed.
const SLOW_GOODBYE: Duration = Duration::from_secs(10);

/// Why the server closes a UI socket.
pub mod close_code {
    /// The engine or the gateway stops.
    pub const GOING_AWAY: u16 = 1001;
    /// A frame that is no WebSocket frame.
    pub const PROTOCOL: u16 = 1002;
    /// Commands are text.
    pub const NOT_TEXT: u16 = 1003;
    /// More commands a second than anyone can press keys.
    pub const FLOOD: u16 = 1008;
    /// A command of more than 64 KiB that imports no contacts.
    pub const TOO_BIG: u16 = 1009;
    /// The client did not read its events in time: open the socket again, which begins with a snapshot.
    pub const TOO_SLOW: u16 = 4008;
    /// No answer to pings.
    pub const SILENT: u16 = 4009;
}

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(site): Extension<Site>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let admitted =
        check(&app, &site, &headers, &uri).and_then(|()| admit(&app.sockets, MAX_SOCKETS, upgrade));
    let (upgrade, permit) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    upgrade.max_message_size(MAX_IMPORT).max_frame_size(MAX_IMPORT).on_upgrade(async move |socket| {
        run(socket, &app).await;
        drop(permit);
    })
}

/// Why a socket ends; `None` where the client left.
pub(crate) struct Farewell {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Farewell {
    pub(crate) fn new(code: u16, reason: impl Into<String>) -> Option<Self> {
        Some(Self { code, reason: reason.into() })
    }
}

impl From<TooSlow> for Farewell {
    fn from(_: TooSlow) -> Self {
        Self {
            code: close_code::TOO_SLOW,
            reason: "what was said was not read in time; open the socket again".into(),
        }
    }
}

async fn run(socket: WebSocket, app: &App) {
    let (mut sink, mut stream) = socket.split();
    let outbox = Outbox::default();
    let unanswered = AtomicU32::new(0);
    let farewell = tokio::select! {
        farewell = receive(&mut stream, app, &outbox, &unanswered) => farewell,
        farewell = forward(app, &outbox) => farewell,
        farewell = keep_alive(&outbox, &unanswered) => farewell,
        () = transmit(&mut sink, &outbox) => None,
        () = app.stopped() => Farewell::new(close_code::GOING_AWAY, "the gateway stops"),
    };
    let Some(Farewell { code, reason }) = farewell else { return };
    tracing::debug!(code, reason, "a UI socket is closed");
    let patience = if code == close_code::TOO_SLOW { SLOW_GOODBYE } else { GOODBYE };
    let _ = timeout(patience, say_goodbye(&mut sink, &mut stream, code, reason)).await;
}

/// Reads commands and queues their answers.
async fn receive(
    stream: &mut SplitStream<WebSocket>,
    app: &App,
    outbox: &Outbox,
    unanswered: &AtomicU32,
) -> Option<Farewell> {
    let mut rate = Rate::new(Instant::now(), rate::PER_SECOND, rate::BURST);
    while let Some(message) = stream.next().await {
        unanswered.store(0, Relaxed);
        if !rate.admits(Instant::now()) {
            return Farewell::new(
                close_code::FLOOD,
                format!("more than {} messages a second", rate::PER_SECOND),
            );
        }
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Binary(_)) => {
                return Farewell::new(close_code::NOT_TEXT, "commands are text frames of JSON");
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Close(_)) => return None,
            Err(error) => return Farewell::new(close_code::PROTOCOL, error.to_string()),
        };
        let is_long = text.len() > MAX_COMMAND;
        let too_big =
            || Farewell::new(close_code::TOO_BIG, format!("a command has at most {MAX_COMMAND} bytes"));
        if is_long && !is_mostly_text(text.as_str()) {
            return too_big();
        }
        let request = wire::Request::parse(text.as_str());
        drop(text);
        if is_long && !matches!(request.command, Ok(Command::ImportContacts { .. })) {
            return too_big();
        }
        let outcome = match request.command {
            Ok(command) => app.door.command(command).await,
            Err(failure) => Err(failure),
        };
        if let Err(slow) = outbox.push(Item::Text(wire::answer(request.id.as_ref(), &outcome))) {
            return Some(slow.into());
        }
    }
    None
}

/// Queues the snapshot and every event after it.
async fn forward(app: &App, outbox: &Outbox) -> Option<Farewell> {
    let (snapshot, mut events) = match app.door.attach().await {
        Ok(attached) => attached,
        Err(failure) => return Farewell::new(close_code::GOING_AWAY, failure.message),
    };
    if let Err(slow) = outbox.push(Item::Text(wire::snapshot(&snapshot))) {
        return Some(slow.into());
    }
    drop(snapshot);
    loop {
        let envelope = match events.next().await {
            Some(Next::Event(envelope)) => envelope,
            Some(Next::Lagged) => return Some(TooSlow.into()),
            None => return Farewell::new(close_code::GOING_AWAY, "the engine has stopped"),
        };
        let item = if envelope.event.is_measurement() {
            Item::Measurement(wire::line(&*envelope))
        } else {
            Item::Text(wire::line(&*envelope))
        };
        if let Err(slow) = outbox.push(item) {
            return Some(slow.into());
        }
    }
}

async fn keep_alive(outbox: &Outbox, unanswered: &AtomicU32) -> Option<Farewell> {
    loop {
        sleep(PING_EVERY).await;
        if unanswered.fetch_add(1, Relaxed) >= MAX_UNANSWERED {
            return Farewell::new(close_code::SILENT, "no answer to pings");
        }
        if let Err(slow) = outbox.push(Item::Ping) {
            return Some(slow.into());
        }
    }
}

/// Writes what is queued. Ends when the connection does.
pub(crate) async fn transmit(sink: &mut SplitSink<WebSocket, Message>, outbox: &Outbox) {
    loop {
        let message = match outbox.next().await {
            Item::Text(text) | Item::Measurement(text) => Message::Text(text.into()),
            Item::Ping => Message::Ping(Vec::new().into()),
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

/// Sends the closing frame and reads on, unanswered, until the client closes: bytes left unread would make the system reset
/// the connection and the reason would be lost.
pub(crate) async fn say_goodbye(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    code: u16,
    reason: String,
) {
    let mut reason = reason;
    // RFC 6455 section 5.5: 125 bytes with the code.
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.truncate(end);
    let frame = CloseFrame { code, reason: reason.into() };
    if sink.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = stream.next().await {}
    }
}
