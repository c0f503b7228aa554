//! A wav file as a [`Source`].

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use rtrb::{Consumer, Producer, RingBuffer};

use super::reader::{Repeat, WavReader};
use crate::device::{Flow, Source};
use crate::error::{DeviceFault, MediaError};
use crate::frame::{FRAME_LEN, Frame};

/// Samples held between disk and audio thread: half a second, 96 kB.
const RING: usize = 24_000;
/// The reader thread needs little; the default of 2 MiB is address space for nothing.
pub(super) const STACK: usize = 128 * 1024;

/// Plays a wav file.
///
/// The ring is filled before [`Self::open`] returns, so that the first frames are there, then a thread keeps it
/// filled; it sleeps until the ring is half empty. A file that fits into the ring needs no thread. Pulled faster
/// than real time the source may starve.
pub struct WavSource {
    ring: Consumer<f32>,
    shared: Arc<Shared>,
    reader: Option<Thread>,
    fault_told: bool,
}

#[derive(Debug, Default)]
struct Shared {
    /// All samples are in the ring; only ever set.
    ended: AtomicBool,
    stop: AtomicBool,
    /// The reader was woken and has not looked yet.
    woken: AtomicBool,
    fault: OnceLock<String>,
}

impl WavSource {
    /// Opens `path`. Does disk work.
    pub fn open(path: &Path, repeat: Repeat) -> Result<Self, MediaError> {
        let mut reader = WavReader::open(path, repeat)?;
        let (mut producer, ring) = RingBuffer::new(RING);
        let shared = Arc::new(Shared::default());
        let mut pending = Vec::new();
        let ended = fill(&mut reader, &mut producer, &mut pending)?;
        if ended {
            shared.ended.store(true, Ordering::Release);
            return Ok(Self { ring, shared, reader: None, fault_told: false });
        }
        let theirs = Arc::clone(&shared);
        let handle = thread::Builder::new()
            .name("wav-reader".into())
            .stack_size(STACK)
            .spawn(move || keep_full(reader, producer, pending, &theirs))
            .map_err(|e| MediaError::Thread { reason: e.to_string() })?;
        Ok(Self { ring, shared, reader: Some(handle.thread().clone()), fault_told: false })
    }
}

impl Source for WavSource {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        // Before the ring is looked at, so that the last samples are not mistaken for the end.
        let ended = self.shared.ended.load(Ordering::Acquire);
        let (_, rest) = self.ring.pop_partial_slice(frame);
        let missing = rest.len();
        rest.fill(0.0);
        if !ended
            && self.ring.slots() < RING / 2
            && let Some(reader) = &self.reader
            && !self.shared.woken.swap(true, Ordering::AcqRel)
        {
            reader.unpark();
        }
        match (missing, ended) {
            (0, _) => Flow::Live,
            (FRAME_LEN, true) => Flow::Ended,
            (_, true) => Flow::Live,
            (_, false) => Flow::Starved,
        }
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        if self.fault_told {
            return None;
        }
        let reason = self.shared.fault.get()?.clone();
        self.fault_told = true;
        Some(DeviceFault::Failed { reason })
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

impl Drop for WavSource {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(reader) = &self.reader {
            reader.unpark();
        }
    }
}

fn keep_full(mut reader: WavReader, mut ring: Producer<f32>, mut pending: Vec<f32>, shared: &Shared) {
    while !shared.stop.load(Ordering::Acquire) {
        match fill(&mut reader, &mut ring, &mut pending) {
            Ok(false) => {}
            Ok(true) => break,
            Err(error) => {
                // Only this thread sets it, so it is empty.
                let _ = shared.fault.set(error.to_string());
                break;
            }
        }
        while !shared.stop.load(Ordering::Acquire) && !shared.woken.swap(false, Ordering::AcqRel) {
            thread::park();
        }
    }
    shared.ended.store(true, Ordering::Release);
}

/// Reads until the ring is full (false) or the file is over and all of it is in the ring (true). `pending` holds
/// what was read and found no room.
fn fill(
    reader: &mut WavReader,
    ring: &mut Producer<f32>,
    pending: &mut Vec<f32>,
) -> Result<bool, MediaError> {
    loop {
        let (pushed, _) = ring.push_partial_slice(pending);
        let pushed = pushed.len();
        pending.drain(..pushed);
        if !pending.is_empty() {
            return Ok(false);
        }
        if !reader.read(pending)? {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
