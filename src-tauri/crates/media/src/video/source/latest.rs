use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::{Polled, VideoSource};
use crate::video::codec::ContentHint;
use crate::video::error::VideoError;
use crate::video::picture::Picture;

/// How long [`Latest`] lets its reader wait at most.
const PATIENCE: Duration = Duration::from_millis(100);

/// A source that another thread fills, such as one that a camera runs on. There is room for one picture: the newest
/// wins, so whoever is slow loses pictures and gains no delay.
pub fn latest(name: impl Into<String>, content: ContentHint) -> (Deliver, Latest) {
    let slot = Arc::new(Slot::default());
    (Deliver { slot: Arc::clone(&slot) }, Latest { slot, name: name.into(), content })
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    picture: Option<Picture>,
    fault: Option<VideoError>,
    replaced: u64,
    ended: bool,
    closed: bool,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the thread that has the pictures. Dropping it ends the source.
pub struct Deliver {
    slot: Arc<Slot>,
}

impl Deliver {
    /// Puts `picture` in place of the one that was not fetched. False once nobody wants pictures any more.
    pub fn picture(&self, picture: Picture) -> bool {
        let mut state = self.slot.lock();
        if state.picture.replace(picture).is_some() {
            state.replaced += 1;
        }
        self.slot.news.notify_all();
        !state.closed
    }

    /// Tells a fault once; pictures may follow.
    pub fn fault(&self, fault: VideoError) {
        self.slot.lock().fault = Some(fault);
        self.slot.news.notify_all();
    }

    /// Nobody wants pictures any more.
    pub fn is_closed(&self) -> bool {
        self.slot.lock().closed
    }
}

impl Drop for Deliver {
    fn drop(&mut self) {
        self.slot.lock().ended = true;
        self.slot.news.notify_all();
    }
}

/// The side of the reader.
pub struct Latest {
    slot: Arc<Slot>,
    name: String,
    content: ContentHint,
}

impl Latest {
    /// Pictures that were replaced before they were fetched.
    pub fn replaced(&self) -> u64 {
        self.slot.lock().replaced
    }
}

/// What is known of the thread that fills a [`Latest`].
pub(super) struct Trace(Weak<Slot>);

impl Latest {
    pub(super) fn trace(&self) -> Trace {
        Trace(Arc::downgrade(&self.slot))
    }
}

impl Trace {
    /// Nobody wants its pictures any more, and it has not ended yet.
    pub(super) fn is_left(&self) -> bool {
        self.0.upgrade().is_some_and(|slot| slot.lock().closed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl VideoSource for Latest {
    fn name(&self) -> &str {
        &self.name
    }

    fn content(&self) -> ContentHint {
        self.content
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        let mut state = self.slot.lock();
        if let Some(fault) = state.fault.take() {
            return Err(fault);
        }
        match state.picture.take() {
            Some(picture) => Ok(Polled::Picture(picture)),
            None if state.ended => Ok(Polled::Ended),
            None => Ok(Polled::Wait(now + PATIENCE)),
        }
    }

    fn wait(&self, until: Instant) {
        let mut state = self.slot.lock();
        while state.picture.is_none() && state.fault.is_none() && !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.slot.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Latest {
    fn drop(&mut self) {
        self.slot.lock().closed = true;
    }
}

impl std::fmt::Debug for Latest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latest").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Deliver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliver").field("closed", &self.is_closed()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::picture::Size;

    fn picture(captured: Instant) -> Picture {
        Picture::black(Size::clamped(2, 2), captured)
    }

    #[test]
    fn the_newest_picture_wins_and_a_fault_is_told_once() {
        let now = Instant::now();
        let (deliver, mut latest) = latest("camera", ContentHint::Motion);
        assert!(matches!(latest.poll(now), Ok(Polled::Wait(_))));
        assert!(deliver.picture(picture(now)) && deliver.picture(picture(now + PATIENCE)));
        assert_eq!(latest.replaced(), 1);
        deliver.fault(VideoError::Source { source_name: "camera".into(), reason: "gone".into() });
        assert_eq!(latest.poll(now).unwrap_err().to_string(), "camera: gone");
        let Ok(Polled::Picture(got)) = latest.poll(now) else { panic!("no picture after the fault") };
        assert_eq!(got.captured(), now + PATIENCE);
        assert!(matches!(latest.poll(now), Ok(Polled::Wait(_))));
    }

    #[test]
    fn either_side_learns_that_the_other_is_gone() {
        let now = Instant::now();
        let (deliver, mut source) = latest("camera", ContentHint::Motion);
        deliver.picture(picture(now));
        drop(deliver);
        assert!(matches!(source.poll(now), Ok(Polled::Picture(_))), "what is there is still given");
        assert!(matches!(source.poll(now), Ok(Polled::Ended)));
        let (deliver, source) = latest("camera", ContentHint::Motion);
        drop(source);
        assert!(deliver.is_closed() && !deliver.picture(picture(now)));
    }

    #[test]
    fn a_waiting_reader_wakes_for_a_picture() {
        let now = Instant::now();
        let (deliver, mut source) = latest("camera", ContentHint::Motion);
        let reader = std::thread::spawn(move || {
            source.wait(now + Duration::from_secs(60));
            matches!(source.poll(now), Ok(Polled::Picture(_)))
        });
        deliver.picture(picture(now));
        assert!(reader.join().unwrap());
    }
}
