//! One stream on its way to a page.

use super::header;
use crate::door::{Door, PictureSource};
use axum::extract::ws::Message;
use serde_json::json;
use sidetone_api::{Failure, StreamId};
use sidetone_media::video::{FramePool, Picture, Scaler, Size};
use std::sync::Arc;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{AbortHandle, spawn_blocking},
};

/// Room for the next message of all channels: whoever comes to it takes the newest picture only then.
pub(super) type Out = mpsc::Sender<Message>;

/// A channel that is open. It closes when it is dropped.
pub(super) struct Channel {
    pub(super) room: watch::Sender<Size>,
    pub(super) credits: Arc<Semaphore>,
    task: AbortHandle,
}

impl Channel {
    pub(super) fn open(number: u32, stream: StreamId, room: Size, door: Arc<dyn Door>, out: Out) -> Self {
        let (room, shown) = watch::channel(room);
        let credits = Arc::new(Semaphore::new(0));
        let carrier = Carrier { number, room: shown, credits: Arc::clone(&credits), out, sent: 0 };
        let task = tokio::spawn(carrier.run(stream, door)).abort_handle();
        Self { room, credits, task }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Carrier {
    number: u32,
    room: watch::Receiver<Size>,
    credits: Arc<Semaphore>,
    out: Out,
    sent: u64,
}

impl Carrier {
    async fn run(mut self, stream: StreamId, door: Arc<dyn Door>) {
        let last = match door.pictures(stream).await {
            Ok(pictures) => {
                let Some(()) = self.carry(pictures).await else { return };
                json!({ "channel": self.number, "ended": true })
            }
            Err(failure) => failed(self.number, &failure),
        };
        let _ = self.out.send(Message::Text(last.to_string().into())).await;
    }

    /// Until the stream ends; `None` where the socket does.
    async fn carry(&mut self, mut pictures: Box<dyn PictureSource>) -> Option<()> {
        let mut shrink = Shrink::default();
        let mut last: Option<Picture> = None;
        // One that pauses has its picture already, and one that is shown larger shows the same again.
        let mut again = pictures.latest().is_some();
        loop {
            if !std::mem::take(&mut again) {
                tokio::select! {
                    next = pictures.next() => if next.is_none() { return Some(()) },
                    changed = self.room.changed() => {
                        changed.ok()?;
                        last = None;
                    }
                }
            }
            let credit = Arc::clone(&self.credits).acquire_owned().await.ok()?;
            let place = self.out.reserve().await.ok()?;
            let Some(picture) = pictures.latest() else { continue };
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
