//! Recording of a call to a WAV file, one channel a party.

mod file;
mod header;
mod medium;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rtrb::{Producer, RingBuffer};

use crate::error::MediaError;
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};
use crate::synthetic::to_i16;
use file::Parts;
pub(crate) use medium::{Medium, Open, new_files, words};
use writer::Shared;

/// Most parties of one recording.
pub const MAX_CHANNELS: u16 = 32;
/// Held between audio thread and disk, in frames: two seconds.
const RING_FRAMES: usize = 200;
/// The writer is woken each quarter of a second.
const WAKE_EVERY: u32 = 25;
const STACK: usize = 128 * 1024;

/// Writes what is said in a call: 16 bits, 48 kHz, a channel for each party.
///
/// A thread does the disk work behind a ring of two seconds and brings the header up to date at least twice a second, so
/// that a killed program leaves a file that plays up to then. Before 4 GiB, which is all that a WAV file can tell of, the
/// recording goes on in a part of its own (`call-2.wav` after `call.wav`). A full disk ends the recording and nothing else:
/// what was written stays playable, [`RecorderStatus::problem`] says why.
///
/// Everything but [`Self::create`] and [`Self::finish`] is for the audio thread.
pub struct Recorder {
    ring: Producer<i16>,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    channels: u16,
    paused: bool,
    interleaved: Vec<i16>,
    taken: u32,
    /// Frames for which there was no room, to be made up by silence so that the channels' time stays true.
    owed: u64,
}

/// How a recording stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecorderStatus {
    /// In the file, whole seconds.
    pub seconds: u32,
    pub paused: bool,
    /// Why it ended early or has gaps, in words; the file stays.
    pub problem: Option<String>,
    /// It has ended early.
    pub ended: bool,
}

/// What a recording became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// In order; more than one where the first reached 4 GiB.
    pub files: Vec<PathBuf>,
    pub seconds: u32,
    pub problem: Option<String>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("channels", &self.channels).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Creates `path` and missing folders above it, and begins. Does disk work.
    ///
    /// # Errors
    /// The file exists (a recording is never overwritten), cannot be created, or `channels` is not 1 to 32.
    pub fn create(path: &Path, channels: u16) -> Result<Self, MediaError> {
        Self::with_parts(Parts::create(path, channels, file::LARGEST_PART)?, channels)
    }

    fn with_parts(parts: Parts, channels: u16) -> Result<Self, MediaError> {
        let width = usize::from(channels);
        let (ring, consumer) = RingBuffer::new(RING_FRAMES * FRAME_LEN * width);
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let writer = thread::Builder::new()
            .name("recorder".into())
            .stack_size(STACK)
            .spawn(move || writer::run(parts, consumer, &theirs))
            .map_err(|e| MediaError::Thread { reason: e.to_string() })?;
        Ok(Self {
            ring,
            shared,
            writer: Some(writer),
            channels,
            paused: false,
            interleaved: vec![0; FRAME_LEN * width],
            taken: 0,
            owed: 0,
        })
    }

    /// Parties that fit.
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Takes 10 ms of each party, in the order of the channels; silence for missing ones, too many are left out.
    pub fn write(&mut self, parties: &[&Frame]) {
        if self.paused || self.shared.has_ended() {
            return;
        }
        let width = usize::from(self.channels);
        let size = FRAME_LEN * width;
        while self.owed > 0 && self.ring.slots() >= 2 * size {
            self.interleaved.fill(0);
            let _ = self.ring.push_partial_slice(&self.interleaved);
            self.owed -= 1;
        }
        if self.owed > 0 || self.ring.slots() < size {
            self.owed += 1;
            return self.shared.on_gap();
        }
        for channel in 0..width {
            let samples = self.interleaved[channel..].iter_mut().step_by(width);
            match parties.get(channel) {
                Some(frame) => samples.zip(*frame).for_each(|(out, sample)| *out = to_i16(*sample)),
                None => samples.for_each(|out| *out = 0),
            }
        }
        let _ = self.ring.push_partial_slice(&self.interleaved);
        self.taken += 1;
        if self.taken.is_multiple_of(WAKE_EVERY)
            && let Some(writer) = &self.writer
        {
            writer.thread().unpark();
        }
    }

    /// While paused nothing is taken, and the file knows no gap.
    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        if let Some(writer) = self.writer.as_ref().filter(|_| paused) {
            writer.thread().unpark();
        }
    }

    /// How it stands. Allocates only where there is a problem to tell.
    pub fn status(&self) -> RecorderStatus {
        RecorderStatus {
            seconds: self.seconds(),
            paused: self.paused,
            problem: self.shared.problem(),
            ended: self.shared.has_ended(),
        }
    }

    /// While paused nothing is taken.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// It has ended early, see [`RecorderStatus::problem`].
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// In the file, whole seconds.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.shared.written() / u64::from(SAMPLE_RATE)).unwrap_or(u32::MAX)
    }

    /// Ends the recording and waits until it is whole on disk. Off the audio thread.
    pub fn finish(mut self) -> Recorded {
        self.shared.stop();
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            if writer.join().is_err() {
                self.shared.fail("the recorder's thread panicked".into());
            }
        }
        Recorded { files: self.shared.files(), seconds: self.seconds(), problem: self.shared.problem() }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Not joined: a drop may happen on the audio thread. The writer ends by itself.
        self.shared.stop();
        if let Some(writer) = &self.writer {
            writer.thread().unpark();
        }
    }
}

#[cfg(test)]
mod tests;
