//! A played stream's encoded pictures for whoever shows them and decodes by themselves.
//!
//! Unlike a [`Tap`](super::tap), which loses nothing for ten seconds, this one stays near the present: a reader that is slow loses all
//! that waits for it, and goes on at the next key frame, which is asked for when the reader has room again.

use sidetone_media::video::Encoded;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::sync::Notify;

/// Pictures that wait for one reader: a quarter of a second. What is older is not worth its decoding.
const WAITING: usize = 8;

/// Those who decode a stream by themselves.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    readers: Mutex<Vec<Weak<Display>>>,
    any: AtomicBool,
    wants_key: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Display {
    queue: Mutex<Queue>,
    news: Notify,
    wants_key: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Queue {
    frames: VecDeque<Encoded>,
    waits_for_key: bool,
}

/// A stream's encoded pictures in decoding order, each when it is to be decoded: the first is a key frame, and so is the first after a gap.
#[derive(Debug)]
pub struct EncodedPictures(Arc<Display>);

impl Display {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, frame: &Encoded) {
        let mut queue = self.queue();
        if frame.key {
            // What came before is not needed any more.
            queue.frames.clear();
            queue.waits_for_key = false;
        } else if queue.waits_for_key {
            return;
        } else if queue.frames.len() >= WAITING {
            queue.frames.clear();
            queue.waits_for_key = true;
            return;
        }
        queue.frames.push_back(frame.clone());
        drop(queue);
        self.news.notify_one();
    }
}

impl Displays {
    pub(super) fn open(&self) -> EncodedPictures {
        let queue = Queue { frames: VecDeque::new(), waits_for_key: true };
        let display = Arc::new(Display {
            queue: Mutex::new(queue),
            news: Notify::new(),
            wants_key: Arc::clone(&self.wants_key),
        });
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.push(Arc::downgrade(&display));
        self.any.store(true, Relaxed);
        self.wants_key.store(true, Relaxed);
        EncodedPictures(display)
    }

    pub(super) fn has_readers(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// True once where a reader cannot begin without a new key frame.
    pub(super) fn take_wants_key(&self) -> bool {
        self.wants_key.load(Relaxed) && self.wants_key.swap(false, Relaxed)
    }

    /// Never waits.
    pub(super) fn offer(&self, frame: &Encoded) {
        if !self.has_readers() {
            return;
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if frame.key {
            // It is what everybody waited for.
            self.wants_key.store(false, Relaxed);
        }
        readers.retain(|reader| match reader.upgrade() {
            Some(display) => {
                display.offer(frame);
                true
            }
            None => false,
        });
        self.any.store(!readers.is_empty(), Relaxed);
    }

    /// Whoever has gone is forgotten without a picture, too.
    pub(super) fn forget_gone(&self) {
        if self.has_readers() {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.retain(|reader| reader.strong_count() > 0);
            self.any.store(!readers.is_empty(), Relaxed);
        }
    }
}

impl EncodedPictures {
    /// Returns where there is one to [`Self::take`]; it stays there.
    pub async fn ready(&mut self) {
        loop {
            if !self.0.queue().frames.is_empty() {
                return;
            }
            self.0.news.notified().await;
        }
    }

    /// The next one; nothing where it was too late for it.
    pub fn take(&mut self) -> Option<Encoded> {
        let mut queue = self.0.queue();
        let next = queue.frames.pop_front();
        if next.is_none() && queue.waits_for_key {
            self.0.wants_key.store(true, Relaxed);
        }
        next
    }

    /// Nothing comes before there is a key frame.
    pub fn waits_for_key(&self) -> bool {
        self.0.queue().waits_for_key
    }

    /// Asks for a key frame (again), where one is waited for.
    pub fn ask_again(&self) {
        if self.waits_for_key() {
            self.0.wants_key.store(true, Relaxed);
        }
    }

    /// The reader cannot go on: from the next key frame on.
    pub fn restart(&mut self) {
        let mut queue = self.0.queue();
        queue.frames.clear();
        queue.waits_for_key = true;
        self.0.wants_key.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Displays, EncodedPictures, WAITING};
    use bytes::Bytes;
    use sidetone_media::video::{Encoded, Size, VideoCodec};
    use std::time::Instant;

    fn frame(timestamp: u32, key: bool) -> Encoded {
        Encoded {
            codec: VideoCodec::Vp8,
            data: Bytes::from_static(b"vp8"),
            key,
            timestamp,
            size: Size::P360,
            captured: Instant::now(),
        }
    }

    fn taken(reader: &mut EncodedPictures) -> Vec<u32> {
        std::iter::from_fn(|| reader.take()).map(|frame| frame.timestamp).collect()
    }

    #[test]
    fn a_reader_begins_at_a_key_frame_that_is_asked_for_once() {
        let displays = Displays::default();
        assert!(!displays.has_readers() && !displays.take_wants_key());
        let mut reader = displays.open();
        assert!(displays.take_wants_key() && !displays.take_wants_key());
        displays.offer(&frame(1, false));
        assert!(reader.waits_for_key());
        displays.offer(&frame(2, true));
        displays.offer(&frame(3, false));
        assert_eq!(taken(&mut reader), [2, 3]);
        assert!(!displays.take_wants_key());
        drop(reader);
        displays.forget_gone();
        assert!(!displays.has_readers());
    }

    #[test]
    fn a_slow_reader_goes_on_at_a_key_frame_which_is_asked_for_when_it_has_room() {
        let displays = Displays::default();
        let (mut slow, mut fast) = (displays.open(), displays.open());
        displays.take_wants_key();
        let most = u32::try_from(WAITING).unwrap();
        for timestamp in 0..=most {
            displays.offer(&frame(timestamp, timestamp == 0));
            assert_eq!(taken(&mut fast), [timestamp], "nobody waits for another");
        }
        displays.offer(&frame(most + 1, false));
        assert!(slow.waits_for_key() && !displays.take_wants_key(), "it has no room yet");
        assert_eq!(taken(&mut slow), [0; 0], "all that waited is old");
        assert!(displays.take_wants_key());
        displays.offer(&frame(90, true));
        displays.offer(&frame(91, false));
        displays.offer(&frame(92, true));
        assert_eq!(taken(&mut slow), [92], "a key frame needs nothing before it");
    }

    #[test]
    fn a_reader_whose_decoder_failed_begins_again() {
        let displays = Displays::default();
        let mut reader = displays.open();
        displays.offer(&frame(1, true));
        displays.take_wants_key();
        reader.restart();
        assert!(displays.take_wants_key());
        reader.ask_again();
        assert!(displays.take_wants_key());
        displays.offer(&frame(2, false));
        assert_eq!(taken(&mut reader), [0; 0]);
        displays.offer(&frame(3, true));
        reader.ask_again();
        assert!(!displays.take_wants_key(), "there is one");
        assert_eq!(taken(&mut reader), [3]);
    }
}
