//! One stream, or sources before they are published, on the way to a page.

use super::{
    header,
    passed::{Decoders, Passed, ready},
    shrink::Shrink,
};
use crate::door::{Door, PictureSource};
use axum::extract::ws::Message;
use serde_json::json;
use sidetone_api::{Failure, Level, StreamId, StreamSources};
use sidetone_media::video::{Picture, Size};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, Semaphore, mpsc, watch},
    task::{AbortHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

/// As often as sound is measured.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Room for the next message of all channels: whoever comes to it takes the newest picture only then.
pub(super) type Out = mpsc::Sender<Message>;

/// What a channel shows.
pub(super) enum What {
    Stream {
        stream: StreamId,
        decoders: Decoders,
    },
    /// Before they are published.
    Sources(StreamSources),
}

/// A channel that is open. It closes when it is dropped.
pub(super) struct Channel {
    pub(super) room: watch::Sender<Size>,
    pub(super) credits: Arc<Semaphore>,
    /// The page's decoder is to begin again.
    restart: Arc<Notify>,
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
            What::Stream { .. } => None,
            What::Sources(sources) => Some(watch::Sender::new(sources.clone())),
        };
        let wanted = sources.as_ref().map(watch::Sender::subscribe);
        let restart = Arc::new(Notify::new());
        let carrier = Carrier {
            number,
            room: shown,
            credits: Arc::clone(&credits),
            restart: Arc::clone(&restart),
            passed: None,
            wanted,
            out,
            sent: 0,
            told: Told::default(),
        };
        let task = tokio::spawn(carrier.run(what, door)).abort_handle();
        Self { room, credits, restart, sources, task, cut_off: true }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// The page's decoder has failed: from a key frame on.
    pub(super) fn restart(&self) {
        self.restart.notify_one();
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
    restart: Arc<Notify>,
    /// Where the page decodes by itself.
    passed: Option<Passed>,
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
            What::Stream { stream, decoders } => door.pictures(stream).await.inspect(|source| {
                self.passed = Passed::of(&**source, decoders);
            }),
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
                    () = ready(&mut self.passed) => {
                        self.pass(source).await?;
                        last = None;
                        continue;
                    }
                    () = self.restart.notified() => {
                        if let Some(passed) = &mut self.passed {
                            passed.restart();
                        }
                        continue;
                    }
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
                        if let Some(passed) = &mut self.passed
                            && self.credits.available_permits() > 0
                        {
                            passed.look(Instant::now(), source);
                        }
                        continue;
                    }
                }
            }
            if self.passed.as_ref().is_some_and(Passed::flows) {
                continue;
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

    /// Gives the page an encoded picture; `None` where the page closes the channel.
    async fn pass(&mut self, source: &mut dyn PictureSource) -> Option<()> {
        let credit = Arc::clone(&self.credits).acquire_owned().await.ok()?;
        let place = self.out.reserve().await.ok()?;
        match self.passed.as_mut()?.take(source) {
            Ok(Some(encoded)) => {
                credit.forget();
                place.send(Message::Binary(header::encoded(self.number, &encoded, self.sent).into()));
                self.sent += 1;
            }
            Ok(None) => {}
            Err(codec) => {
                tracing::debug!("the page does not decode {codec}");
                self.passed = None;
            }
        }
        Some(())
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

pub(super) fn failed(channel: u32, failure: &Failure) -> serde_json::Value {
    json!({ "channel": channel, "failure": failure })
}
