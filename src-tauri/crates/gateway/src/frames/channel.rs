//! One stream, or sources before they are published, on the way to a page.

use super::header;
use crate::door::{Door, PictureSource};
use axum::extract::ws::Message;
use serde_json::json;
use sidetone_api::{Failure, Level, StreamId, StreamSources};
use sidetone_media::video::{FramePool, Picture, Scaler, Size};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{AbortHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

/// As often as sound is measured.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Room for the next message of all channels: whoever comes to it takes the newest picture only then.
pub(super) type Out = mpsc::Sender<Message>;

/// What a channel shows.
pub(super) enum What {
    Stream(StreamId),
    /// Before they are published.
    Sources(StreamSources),
}

/// A channel that is open. It closes when it is dropped.
pub(super) struct Channel {
    pub(super) room: watch::Sender<Size>,
    pub(super) credits: Arc<Semaphore>,
    /// Of a preview.
    sources: Option<watch::Sender<StreamSources>>,
    task: AbortHandle,
    /// Dropping it cuts its task off.
    cut_off: bool,
}

impl Channel {
    pub(super) fn open(number: u32, what: What, room: Size, door: Arc<dyn Door>, out: Out) -> Self {
        let (room, shown) = watch::channel(room);
        let credits = Arc::new(Semaphore::new(0));
        let sources = match &what {
            What::Stream(_) => None,
            What::Sources(sources) => Some(watch::Sender::new(sources.clone())),
        };
        let wanted = sources.as_ref().map(watch::Sender::subscribe);
        let carrier = Carrier {
            number,
            room: shown,
            credits: Arc::clone(&credits),
            wanted,
            out,
            sent: 0,
            told: Told::default(),
        };
        let task = tokio::spawn(carrier.run(what, door)).abort_handle();
        Self { room, credits, sources, task, cut_off: true }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Of a preview: shows others.
    pub(super) fn change(&self, sources: StreamSources) {
        if let Some(wanted) = &self.sources {
            wanted.send_replace(sources);
        }
    }

    /// As the page asks for it, which of a preview wants to know when its devices are closed.
    pub(super) fn close(mut self) {
        self.cut_off = self.sources.is_none();
        self.credits.close();
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.cut_off {
            self.task.abort();
        }
    }
}

struct Carrier {
    number: u32,
    room: watch::Receiver<Size>,
    credits: Arc<Semaphore>,
    wanted: Option<watch::Receiver<StreamSources>>,
    out: Out,
    sent: u64,
    told: Told,
}

/// What the page knows.
#[derive(Default)]
struct Told {
    levels: Vec<Level>,
    problem: String,
    /// Why the page cannot have the sources that it asked for last.
    refused: Option<String>,
}

impl Carrier {
    async fn run(mut self, what: What, door: Arc<dyn Door>) {
        let is_preview = self.wanted.is_some();
        let source = match what {
            What::Stream(stream) => door.pictures(stream).await,
            What::Sources(sources) => door.preview(sources).await,
        };
        let last = match source {
            Ok(mut source) => {
                let ended = self.carry(&mut *source).await;
                source.close().await;
                if ended.is_none() && !is_preview {
                    return;
                }
                json!({ "channel": self.number, "ended": true })
            }
            Err(failure) => failed(self.number, &failure),
        };
        let _ = self.out.send(Message::Text(last.to_string().into())).await;
    }

    /// Until the stream ends; `None` where the page closes the channel.
    async fn carry(&mut self, source: &mut dyn PictureSource) -> Option<()> {
        let mut shrink = Shrink::default();
        let mut last: Option<Picture> = None;
        let mut look = interval(BETWEEN_LOOKS);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // One that pauses has its picture already, and one that is shown larger shows the same again.
        let mut again = source.latest().is_some();
        loop {
            if !std::mem::take(&mut again) {
                tokio::select! {
                    next = source.next() => if next.is_none() { return Some(()) },
                    changed = self.room.changed() => {
                        changed.ok()?;
                        last = None;
                    }
                    sources = wanted(&mut self.wanted) => {
                        self.told.refused = source.change(sources?).await.err().map(|failure| failure.message);
                        continue;
                    }
                    _ = look.tick() => {
                        self.tell(source);
                        continue;
                    }
                }
            }
            let credit = Arc::clone(&self.credits).acquire_owned().await.ok()?;
            let place = self.out.reserve().await.ok()?;
            let Some(picture) = source.latest() else { continue };
            if last.as_ref().is_some_and(|last| last.shares_pixels(&picture)) {
                continue;
            }
            credit.forget();
            let (number, sent, room) = (self.number, self.sent, *self.room.borrow_and_update());
            last = Some(picture.clone());
            let (bytes, kept) = spawn_blocking(move || {
                let bytes = shrink.frame(number, &picture, room, sent);
                (bytes, shrink)
            })
            .await
            .ok()?;
            shrink = kept;
            if let Some(bytes) = bytes {
                self.sent += 1;
                place.send(Message::Binary(bytes.into()));
            } else {
                self.credits.add_permits(1);
            }
        }
    }

    /// What has changed, as far as there is room for it now: a little later there is more.
    fn tell(&mut self, source: &dyn PictureSource) {
        let problem = self.told.refused.clone().or_else(|| source.problem()).unwrap_or_default();
        if problem != self.told.problem && self.say(&json!({ "channel": self.number, "problem": problem })) {
            self.told.problem = problem;
        }
        let levels = source.levels();
        if levels != self.told.levels && self.say(&json!({ "channel": self.number, "levels": levels })) {
            self.told.levels = levels;
        }
    }

    fn say(&self, what: &serde_json::Value) -> bool {
        self.out.try_send(Message::Text(what.to_string().into())).is_ok()
    }
}

/// The next sources of a preview; `None` when it is closed.
async fn wanted(sources: &mut Option<watch::Receiver<StreamSources>>) -> Option<StreamSources> {
    match sources {
        Some(sources) => {
            sources.changed().await.ok()?;
            Some(sources.borrow_and_update().clone())
        }
        None => std::future::pending().await,
    }
}

struct Shrink {
    scaler: Scaler,
    pool: FramePool,
}

impl Default for Shrink {
    fn default() -> Self {
        Self { scaler: Scaler::new(), pool: FramePool::new(2) }
    }
}

impl Shrink {
    fn frame(&mut self, channel: u32, picture: &Picture, room: Size, number: u64) -> Option<Vec<u8>> {
        let room = if picture.rotation().swaps_sides() { room.turned() } else { room };
        match self.scaler.within(picture, room, &self.pool) {
            Ok(scaled) => Some(header::frame(channel, &scaled, picture.size(), number)),
            Err(error) => {
                tracing::warn!(%error, "a picture was not scaled");
                None
            }
        }
    }
}

pub(super) fn failed(channel: u32, failure: &Failure) -> serde_json::Value {
    json!({ "channel": channel, "failure": failure })
}

#[cfg(test)]
mod tests {
    use super::{Shrink, Size, header};
    use sidetone_media::video::{Picture, Rotation};
    use std::time::Instant;

    #[test]
    fn a_picture_that_lies_on_its_side_is_fitted_as_it_is_shown() {
        let picture = Picture::black(Size::clamped(1280, 720), Instant::now());
        let picture = picture.with_rotation(Rotation::Clockwise90);
        let frame = Shrink::default().frame(7, &picture, Size::clamped(90, 160), 0).unwrap();
        let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
        assert_eq!((frame[5], word(8), word(12), word(16), word(20)), (1, 160, 90, 1280, 720));
        assert_eq!(frame.len(), header::LEN + 160 * 90 * 3 / 2);
    }
}
