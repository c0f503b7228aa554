//! One socket.

use super::{
    channel::{Channel, What, failed},
    request::{MOST_CHANNELS, MOST_CREDITS, Request, room},
};
use crate::{close_code, door::Door};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use sidetone_api::{Failure, FailureCode};
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
    let mut channels = HashMap::new();
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
        match Request::parse(text.as_str()) {
            Ok(request) => {
                if let Err((channel, failure)) = obey(request, &mut channels, door, out) {
                    let text = failed(channel, &failure).to_string();
                    out.send(Message::Text(text.into())).await.ok()?;
                }
            }
            Err(failure) => {
                let text = crate::wire::line(&serde_json::json!({ "failure": failure }));
                out.send(Message::Text(text.into())).await.ok()?;
            }
        }
    }
    None
}

fn obey(
    request: Request,
    channels: &mut HashMap<u32, Channel>,
    door: &Arc<dyn Door>,
    out: &mpsc::Sender<Message>,
) -> Result<(), (u32, Failure)> {
    match request {
        Request::Open { channel, stream, width, height, credits } => {
            check_free(channel, channels)?;
            let what = What::Stream(stream);
            let opened = Channel::open(channel, what, room(width, height), Arc::clone(door), out.clone());
            grant(&opened, credits);
            channels.insert(channel, opened);
        }
        Request::Preview { channel, sources, width, height, credits } => {
            check_free(channel, channels)?;
            let what = What::Sources(sources);
            let opened = Channel::open(channel, what, room(width, height), Arc::clone(door), out.clone());
            grant(&opened, credits);
            channels.insert(channel, opened);
        }
        Request::Sources { channel, sources } => {
            if let Some(open) = channels.get(&channel) {
                open.change(sources);
            }
        }
        // A page may be late: its stream has ended meanwhile.
        Request::Size { channel, width, height } => {
            if let Some(open) = channels.get(&channel) {
                let size = room(width, height);
                open.room.send_if_modified(|room| std::mem::replace(room, size) != size);
            }
        }
        Request::Credit { channel, credits } => {
            if let Some(open) = channels.get(&channel) {
                grant(open, credits);
            }
        }
        Request::Close { channel } => {
            if let Some(open) = channels.remove(&channel) {
                open.close();
            }
        }
    }
    Ok(())
}

fn check_free(channel: u32, channels: &mut HashMap<u32, Channel>) -> Result<(), (u32, Failure)> {
    channels.retain(|_, open| !open.has_ended());
    if channels.contains_key(&channel) {
        return Err((channel, Failure::invalid("channel", format!("channel {channel} is open"))));
    }
    if channels.len() >= MOST_CHANNELS {
        let message = format!("{MOST_CHANNELS} channels are open, which is the most");
        return Err((channel, Failure::new(FailureCode::Limit, message)));
    }
    Ok(())
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
