//! One socket.

use super::{
    channel::{Channel, Out, What, failed},
    passed::Decoders,
    request::{MOST_CHANNELS, MOST_CREDITS, Request, decoders, room},
};
use crate::{close_code, door::Door};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use sidetone_api::{Failure, FailureCode};
use sidetone_media::video::Size;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

const PING_EVERY: Duration = Duration::from_secs(20);
/// A page that said nothing after this many pings has gone.
const MAX_UNANSWERED: u32 = 3;
const GOODBYE: Duration = Duration::from_secs(2);

type Farewell = Option<(u16, &'static str)>;

pub(super) async fn run(socket: WebSocket, door: Arc<dyn Door>, mut stop: watch::Receiver<bool>) {
    let (mut sink, mut stream) = socket.split();
    // One: what waits here is already old.
    let (out, queue) = mpsc::channel(1);
    let unanswered = AtomicU32::new(0);
    let farewell: Farewell = tokio::select! {
        farewell = receive(&mut stream, &door, &out, &unanswered) => farewell,
        () = transmit(&mut sink, queue) => None,
        farewell = keep_alive(&out, &unanswered) => farewell,
        _ = stop.wait_for(|stop| *stop) => Some((close_code::GOING_AWAY, "the gateway stops")),
    };
    let Some((code, reason)) = farewell else { return };
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = timeout(GOODBYE, async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    })
    .await;
}

async fn receive(
    stream: &mut SplitStream<WebSocket>,
    door: &Arc<dyn Door>,
    out: &mpsc::Sender<Message>,
    unanswered: &AtomicU32,
) -> Farewell {
    let mut page = Page::new(Arc::clone(door), out.clone());
    while let Some(message) = stream.next().await {
        unanswered.store(0, Relaxed);
        let text = match message {
            Ok(Message::Text(text)) => text,
            Ok(Message::Binary(_)) => {
                return Some((close_code::NOT_TEXT, "requests are text frames of JSON"));
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Close(_)) => return None,
            Err(_) => return Some((close_code::PROTOCOL, "no WebSocket frame, or one that is too long")),
        };
        if let Some(refusal) = page.obey(text.as_str()) {
            out.send(Message::Text(refusal.into())).await.ok()?;
        }
    }
    None
}

/// What one page shows.
pub(super) struct Page {
    door: Arc<dyn Door>,
    out: Out,
    decoders: Decoders,
    channels: HashMap<u32, Channel>,
}

impl Page {
    pub(super) fn new(door: Arc<dyn Door>, out: Out) -> Self {
        Self { door, out, decoders: Decoders::default(), channels: HashMap::new() }
    }

    /// Does what the page asks for; what it is to be told where it cannot have that.
    pub(super) fn obey(&mut self, text: &str) -> Option<String> {
        match Request::parse(text) {
            Ok(request) => {
                let (channel, failure) = self.carry_out(request).err()?;
                Some(failed(channel, &failure).to_string())
            }
            Err(failure) => Some(refused(&failure)),
        }
    }

    /// It shows nothing any more.
    pub(super) fn close(&mut self) {
        self.channels.clear();
    }

    fn carry_out(&mut self, request: Request) -> Result<(), (u32, Failure)> {
        match request {
            Request::Decoders { codecs } => self.decoders = Arc::new(decoders(&codecs)),
            Request::Open { channel, stream, width, height, credits, decoded } => {
                let decoders = if decoded { Decoders::default() } else { Arc::clone(&self.decoders) };
                self.open(channel, What::Stream { stream, decoders }, room(width, height), credits)?;
            }
            Request::Preview { channel, sources, width, height, credits } => {
                self.open(channel, What::Sources(sources), room(width, height), credits)?;
            }
            Request::Sources { channel, sources } => {
                if let Some(open) = self.channels.get(&channel) {
                    open.change(sources);
                }
            }
            // A page may be late: its stream has ended meanwhile.
            Request::Size { channel, width, height } => {
                if let Some(open) = self.channels.get(&channel) {
                    let size = room(width, height);
                    open.room.send_if_modified(|room| std::mem::replace(room, size) != size);
                }
            }
            Request::Credit { channel, credits } => {
                if let Some(open) = self.channels.get(&channel) {
                    grant(open, credits);
                }
            }
            Request::Key { channel } => {
                if let Some(open) = self.channels.get(&channel) {
                    open.restart();
                }
            }
            Request::Close { channel } => {
                if let Some(open) = self.channels.remove(&channel) {
                    open.close();
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, channel: u32, what: What, room: Size, credits: usize) -> Result<(), (u32, Failure)> {
        self.channels.retain(|_, open| !open.has_ended());
        if self.channels.contains_key(&channel) {
            return Err((channel, Failure::invalid("channel", format!("channel {channel} is open"))));
        }
        if self.channels.len() >= MOST_CHANNELS {
            let message = format!("{MOST_CHANNELS} channels are open, which is the most");
            return Err((channel, Failure::new(FailureCode::Limit, message)));
        }
        let opened = Channel::open(channel, what, room, Arc::clone(&self.door), self.out.clone());
        grant(&opened, credits);
        self.channels.insert(channel, opened);
        Ok(())
    }
}

/// What is said of a request that is none.
pub(super) fn refused(failure: &Failure) -> String {
    crate::wire::line(&serde_json::json!({ "failure": failure }))
}

fn grant(channel: &Channel, credits: usize) {
    let room = MOST_CREDITS.saturating_sub(channel.credits.available_permits());
    channel.credits.add_permits(credits.min(room));
}

async fn transmit(sink: &mut SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<Message>) {
    while let Some(message) = queue.recv().await {
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

async fn keep_alive(out: &mpsc::Sender<Message>, unanswered: &AtomicU32) -> Farewell {
    loop {
        sleep(PING_EVERY).await;
        if unanswered.fetch_add(1, Relaxed) >= MAX_UNANSWERED {
            return Some((close_code::SILENT, "no answer to pings"));
        }
        // Where there is no room a picture is being written, which tells as much.
        let _ = out.try_send(Message::Ping(Vec::new().into()));
    }
}
