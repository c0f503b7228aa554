//! The recorder's thread.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use rtrb::Consumer;

use super::file::Parts;
use super::medium::words;

/// The header is never older than this while anything comes.
const LONGEST_NAP: Duration = Duration::from_millis(500);
/// Samples written in one go; a multiple of any number of channels is taken of it.
const BLOCK: usize = 16 * 1024;

/// Between both threads. The audio thread never takes the lock.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stop: AtomicBool,
    ended: AtomicBool,
    /// Samples of each channel.
    written: AtomicU64,
    gaps: AtomicU64,
    failure: OnceLock<String>,
    files: Mutex<Vec<PathBuf>>,
}

impl Shared {
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// 10 ms found no room.
    pub(super) fn on_gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fail(&self, words: String) {
        // The first reason is the one.
        let _ = self.failure.set(words);
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(super) fn problem(&self) -> Option<String> {
        let gaps = self.gaps.load(Ordering::Relaxed);
        let slow = || {
            let seconds = gaps as f32 / 100.0;
            (gaps > 0).then(|| format!("the disk is too slow: {seconds:.1} s are missing"))
        };
        self.failure.get().cloned().or_else(slow)
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_files(&self, files: &[PathBuf]) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files.to_vec();
    }
}

pub(super) fn run(mut parts: Parts, mut ring: Consumer<i16>, shared: &Shared) {
    shared.set_files(parts.files());
    let mut bytes = Vec::with_capacity(2 * BLOCK);
    loop {
        // Before the ring is looked at, so that nothing written before the stop is missed.
        let stop = shared.stop.load(Ordering::Acquire);
        let mut result = drain(&mut parts, &mut ring, &mut bytes, shared);
        if result.is_ok() {
            result = if stop { parts.settle() } else { parts.tell() };
        }
        if let Err(error) = result {
            shared.fail(words(&error));
            // The file is left as whole as it can be made.
            let _ = parts.settle();
        }
        if stop || shared.has_ended() {
            shared.set_files(parts.files());
            return;
        }
        thread::park_timeout(LONGEST_NAP);
    }
}

fn drain(
    parts: &mut Parts,
    ring: &mut Consumer<i16>,
    bytes: &mut Vec<u8>,
    shared: &Shared,
) -> std::io::Result<()> {
    let width = parts.align() / 2;
    loop {
        let count = ring.slots().min(BLOCK) / width * width;
        let Ok(chunk) = ring.read_chunk(count) else { return Ok(()) };
        if count == 0 {
            return Ok(());
        }
        bytes.clear();
        let (first, second) = chunk.as_slices();
        bytes.extend(first.iter().chain(second).flat_map(|sample| sample.to_le_bytes()));
        chunk.commit_all();
        let (safe, result) = parts.append(bytes);
        shared.written.fetch_add((safe / parts.align()) as u64, Ordering::Relaxed);
        result?;
    }
}
