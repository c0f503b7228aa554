//! Counters that a device's callback leaves for the threads that watch it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Written by callbacks, read by the audio thread and by the control thread. Relaxed throughout: each is a
/// number of its own and nothing is published through it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    callbacks: AtomicU64,
    underruns: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicBool,
    largest_block: AtomicUsize,
}

impl Health {
    /// Counts one callback of `frames` frames.
    pub(crate) fn on_callback(&self, frames: usize) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
        self.largest_block.fetch_max(frames, Ordering::Relaxed);
    }

    /// Counts a time that the ring was too empty.
    pub(crate) fn on_underrun(&self) {
        self.underruns.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts samples thrown away because the ring was too full.
    pub(crate) fn on_skip(&self, samples: usize) {
        self.skipped.fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// The sound system reported that the stream is over.
    pub(crate) fn on_failure(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    pub(crate) fn underruns(&self) -> u64 {
        self.underruns.load(Ordering::Relaxed)
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The largest block seen, in frames.
    pub(crate) fn largest_block(&self) -> usize {
        self.largest_block.load(Ordering::Relaxed)
    }
}
