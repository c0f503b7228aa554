//! Encoded media of a stream for whoever wants it as it is: a recording, a window that decodes by itself.

use bytes::Bytes;
use sidetone_media::{Codec, video::Encoded};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::sync::mpsc;

/// Units that wait for one reader: about 10 s.
const WAITING: usize = 1_024;
/// Readers of one stream.
const READERS: usize = 16;

/// One access unit of a stream, in decoding order.
#[derive(Debug, Clone)]
pub struct Unit {
    pub media: UnitMedia,
    /// When it was captured, or as near to that as is known; sound and picture of one stream are on the same clock.
    pub at: Instant,
}

#[derive(Debug, Clone)]
pub enum UnitMedia {
    /// A reader's first picture, and its first after it was too slow, is a key frame.
    Video(Encoded),
    /// One packet's payload.
    Audio {
        codec: Codec,
        /// In units of the codec's clock.
        timestamp: u32,
        payload: Bytes,
    },
}

/// A stream's encoded media from the next key frame on. Ends with the stream.
#[derive(Debug)]
pub struct Units {
    units: mpsc::Receiver<Unit>,
    closer: Closer,
    has_video: bool,
    has_audio: bool,
}

/// Ends one reader's units, from wherever.
#[derive(Debug, Clone)]
pub(crate) struct Closer(Weak<Reading>);

impl Closer {
    pub(crate) fn close(&self) {
        if let Some(reading) = self.0.upgrade() {
            reading.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

/// The way to one reader, until it is closed.
#[derive(Debug)]
struct Reading(Mutex<Option<mpsc::Sender<Unit>>>);

impl Units {
    /// As far as it was known when they were asked for.
    pub fn has_video(&self) -> bool {
        self.has_video
    }

    /// The same of sound.
    pub fn has_audio(&self) -> bool {
        self.has_audio
    }

    pub(crate) fn closer(&self) -> Closer {
        self.closer.clone()
    }

    /// `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Unit> {
        self.units.recv().await
    }

    /// The same for a thread of its own.
    pub fn blocking_next(&mut self) -> Option<Unit> {
        self.units.blocking_recv()
    }
}

/// The readers of one stream.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    readers: Mutex<Vec<Reader>>,
    any: AtomicBool,
    wants_key: AtomicBool,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Reader {
    reading: Arc<Reading>,
    waits_for_key: bool,
}

enum Refused {
    Closed,
    Full,
}

impl Reader {
    fn is_closed(&self) -> bool {
        let reading = self.reading.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.as_ref().is_none_or(mpsc::Sender::is_closed)
    }

    fn send(&self, unit: &Unit) -> Result<(), Refused> {
        let reading = self.reading.0.lock().unwrap_or_else(PoisonError::into_inner);
        let units = reading.as_ref().ok_or(Refused::Closed)?;
        units.try_send(unit.clone()).map_err(|error| match error {
            mpsc::error::TrySendError::Closed(_) => Refused::Closed,
            mpsc::error::TrySendError::Full(_) => Refused::Full,
        })
    }
}

impl Taps {
    /// `None` where there are too many readers, or the stream has ended.
    pub(crate) fn open(&self, has_video: bool, has_audio: bool) -> Option<Units> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| !reader.is_closed());
        if readers.len() >= READERS || self.closed.load(Relaxed) {
            return None;
        }
        let (units, receiver) = mpsc::channel(WAITING);
        let reading = Arc::new(Reading(Mutex::new(Some(units))));
        let closer = Closer(Arc::downgrade(&reading));
        readers.push(Reader { reading, waits_for_key: true });
        self.any.store(true, Relaxed);
        self.wants_key.store(true, Relaxed);
        Some(Units { units: receiver, closer, has_video, has_audio })
    }

    pub(crate) fn has_readers(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// True once where a reader cannot begin without a new key frame.
    pub(crate) fn take_wants_key(&self) -> bool {
        self.wants_key.load(Relaxed) && self.wants_key.swap(false, Relaxed)
    }

    /// Never waits: a reader without room loses what comes until the next key frame.
    pub(crate) fn offer(&self, unit: &Unit) {
        if !self.has_readers() {
            return;
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_video = matches!(&unit.media, UnitMedia::Video(_));
        let is_key = matches!(&unit.media, UnitMedia::Video(encoded) if encoded.key);
        readers.retain_mut(|reader| {
            if is_key {
                reader.waits_for_key = false;
            }
            if is_video && reader.waits_for_key {
                return !reader.is_closed();
            }
            match reader.send(unit) {
                Ok(()) => true,
                Err(Refused::Closed) => false,
                Err(Refused::Full) => {
                    if is_video {
                        reader.waits_for_key = true;
                        self.wants_key.store(true, Relaxed);
                    }
                    true
                }
            }
        });
        self.any.store(!readers.is_empty(), Relaxed);
    }

    /// The stream has ended: readers get what waits for them, and then the end.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.any.store(false, Relaxed);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
