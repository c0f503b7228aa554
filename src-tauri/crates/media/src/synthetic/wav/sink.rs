//! A wav file as a [`Sink`].

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use hound::{SampleFormat, WavSpec, WavWriter};
use rtrb::{Consumer, Producer, RingBuffer};

use super::reader::refuse_irregular;
use super::source::STACK;
use crate::device::Sink;
use crate::error::{DeviceFault, MediaError};
use crate::frame::{FRAME_LEN, Frame, SAMPLE_RATE};

/// Samples held between audio thread and disk: one second, 96 kB.
const RING: usize = 48_000;
/// The writer is woken each quarter of a second, and each time makes the header valid.
const WAKE_AT: usize = 12_000;
/// A wav file tells its length in 32 bits; we stop a little before.
const MAX_SAMPLES: u64 = (u32::MAX as u64 - 1_000_000) / 2;

/// Writes 16-bit mono 48 kHz.
///
/// A thread does the disk work behind a ring of one second and rewrites the header each quarter of a second, so
/// that a crash leaves a file that plays. What a slow disk leaves no room for is lost and reported as a fault.
pub struct WavSink {
    ring: Producer<i16>,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    path: PathBuf,
    unannounced: usize,
    fault_told: bool,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    lost: AtomicU64,
    fault: OnceLock<MediaError>,
}

impl WavSink {
    /// Creates `path`, or empties it.
    pub fn create(path: &Path) -> Result<Self, MediaError> {
        refuse_irregular(path)?;
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut wav = WavWriter::create(path, spec).map_err(|e| wav_error(path, e))?;
        wav.flush().map_err(|e| wav_error(path, e))?;
        let (ring, consumer) = RingBuffer::new(RING);
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let their_path = path.to_path_buf();
        let writer = thread::Builder::new()
            .name("wav-writer".into())
            .stack_size(STACK)
            .spawn(move || drain(wav, consumer, &theirs, &their_path))
            .map_err(|e| MediaError::Thread { reason: e.to_string() })?;
        Ok(Self {
            ring,
            shared,
            writer: Some(writer),
            path: path.to_path_buf(),
            unannounced: 0,
            fault_told: false,
        })
    }

    /// Samples that found no room in the ring.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Sink for WavSink {
    fn write(&mut self, frame: &Frame) {
        let Some(writer) = &self.writer else { return };
        let mut samples = [0i16; FRAME_LEN];
        for (sample, value) in samples.iter_mut().zip(frame) {
            *sample = to_i16(*value);
        }
        let (pushed, rest) = self.ring.push_partial_slice(&samples);
        self.unannounced += pushed.len();
        if !rest.is_empty() {
            self.shared.lost.fetch_add(rest.len() as u64, Ordering::Relaxed);
        }
        if self.unannounced >= WAKE_AT {
            self.unannounced = 0;
            writer.thread().unpark();
        }
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        if self.fault_told {
            return None;
        }
        let reason = match self.shared.fault.get() {
            Some(error) => error.to_string(),
            None if self.lost() > 0 => format!("{}: the disk is too slow", self.path.display()),
            None => return None,
        };
        self.fault_told = true;
        Some(DeviceFault::Failed { reason })
    }

    fn finish(&mut self) -> Result<(), MediaError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        self.shared.stop.store(true, Ordering::Release);
        writer.thread().unpark();
        writer.join().map_err(|_| MediaError::Thread { reason: "the wav writer panicked".into() })?;
        self.shared.fault.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

impl Drop for WavSink {
    fn drop(&mut self) {
        // Not joined: a drop may happen on the audio thread. The writer ends by itself.
        self.shared.stop.store(true, Ordering::Release);
        if let Some(writer) = &self.writer {
            writer.thread().unpark();
        }
    }
}

/// The nearest of 16 bits, ties to even; beyond full scale the nearest end, and 0 for NaN.
pub(crate) fn to_i16(value: f32) -> i16 {
    // At 1.5 * 2^23 floats are whole numbers apart, so that adding it rounds. Unlike `round_ties_even` it needs no call
    // into a library on processors without an instruction for that, and can be vectorised.
    const WHOLE: f32 = 12_582_912.0;
    let scaled = (value * 32_767.0).clamp(-32_768.0, 32_767.0);
    ((scaled + WHOLE) - WHOLE) as i16
}

fn drain(mut wav: WavWriter<BufWriter<File>>, mut ring: Consumer<i16>, shared: &Shared, path: &Path) {
    let mut written = 0u64;
    let result = loop {
        // Before the ring is looked at, so that nothing written before the stop is missed.
        let stop = shared.stop.load(Ordering::Acquire);
        match write_all(&mut wav, &mut ring, &mut written) {
            Ok(()) if written >= MAX_SAMPLES => {
                let reason = "the file reached the 4 GiB that a wav file can hold".to_owned();
                let _ = shared.fault.set(MediaError::File { path: path.into(), reason });
                break wav.finalize();
            }
            Ok(()) if stop => break wav.finalize(),
            Ok(()) => thread::park(),
            Err(error) => break Err(error),
        }
    };
    if let Err(error) = result {
        let _ = shared.fault.set(wav_error(path, error));
    }
}

fn write_all(
    wav: &mut WavWriter<BufWriter<File>>,
    ring: &mut Consumer<i16>,
    written: &mut u64,
) -> Result<(), hound::Error> {
    let mut block = [0i16; 512];
    loop {
        let (samples, _) = ring.pop_partial_slice(&mut block);
        if samples.is_empty() {
            return wav.flush();
        }
        for sample in samples.iter() {
            wav.write_sample(*sample)?;
        }
        *written += samples.len() as u64;
    }
}

fn wav_error(path: &Path, error: hound::Error) -> MediaError {
    MediaError::File { path: path.to_path_buf(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
