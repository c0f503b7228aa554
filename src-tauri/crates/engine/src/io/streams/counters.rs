//! What the threads of one stream count; read once a second for the screen.

use sidetone_api::Level;
use sidetone_media::{MeterCell, MeterReading};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Shared by the threads of a stream. Counters rise from its beginning on, gauges are of now.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) video_octets: Count,
    pub(crate) audio_octets: Count,
    pub(crate) packets: Count,
    pub(crate) lost: Count,
    pub(crate) repaired: Count,
    /// Pictures encoded or shown.
    pub(crate) frames: Count,
    pub(crate) dropped: Count,
    pub(crate) key_frames: Count,
    pub(crate) key_requests: Count,
    pub(crate) freezes: Count,
    pub(crate) frozen_ms: Count,
    pub(crate) width: AtomicU32,
    pub(crate) height: AtomicU32,
    pub(crate) buffer_ms: Gauge,
    pub(crate) skew_ms: Reading,
    pub(crate) jitter_ms: Gauge,
    /// What the encoder is asked for.
    pub(crate) target_kbit: Gauge,
    /// Packets that its thread was too slow for.
    pub(crate) behind: Count,
    /// Pictures that the decoder refused.
    pub(crate) undecoded: Count,
    pub(crate) heard: Heard,
    /// What the sound has to wait for the pictures, milliseconds.
    pub(crate) sound_delay: Gauge,
    pub(crate) level_rms: Gauge,
    pub(crate) level_peak: Gauge,
    pub(crate) has_level: AtomicBool,
    /// Of each sound that is mixed.
    meters: Mutex<Vec<Arc<MeterCell>>>,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub(crate) fn set(&self, count: u64) {
        self.0.store(count, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// For the view, where that is enough.
    pub(crate) fn short(&self) -> u32 {
        u32::try_from(self.get()).unwrap_or(u32::MAX)
    }
}

/// An `f32`.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU32);

impl Gauge {
    pub(crate) fn set(&self, value: f32) {
        self.0.store(value.to_bits(), Relaxed);
    }

    pub(crate) fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Relaxed))
    }
}

/// A value that is not known at first, nor always later; NaN stands for that.
#[derive(Debug)]
pub(crate) struct Reading(AtomicU32);

impl Default for Reading {
    fn default() -> Self {
        Self(AtomicU32::new(f32::NAN.to_bits()))
    }
}

impl Reading {
    pub(crate) fn set(&self, value: Option<f32>) {
        self.0.store(value.unwrap_or(f32::NAN).to_bits(), Relaxed);
    }

    pub(crate) fn get(&self) -> Option<f32> {
        Some(f32::from_bits(self.0.load(Relaxed))).filter(|value| !value.is_nan())
    }
}

impl Counters {
    pub(crate) fn set_size(&self, width: u32, height: u32) {
        self.width.store(width, Relaxed);
        self.height.store(height, Relaxed);
    }

    /// Of the last picture; `None` before the first.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        let size = (self.width.load(Relaxed), self.height.load(Relaxed));
        (size.0 > 0).then_some(size)
    }

    pub(crate) fn set_level(&self, rms: f32, peak: f32) {
        self.level_rms.set(rms);
        self.level_peak.set(peak);
        self.has_level.store(true, Relaxed);
    }

    /// Of each sound that is mixed from now on.
    pub(crate) fn set_meters(&self, meters: Vec<Arc<MeterCell>>) {
        *self.meters.lock().unwrap_or_else(PoisonError::into_inner) = meters;
    }

    pub(crate) fn levels(&self) -> Vec<Level> {
        let meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let readings = meters.iter().map(|meter| meter.reading());
        readings.map(|MeterReading { rms, peak }| Level { rms, peak }).collect()
    }

    pub(crate) fn level(&self) -> Option<(f32, f32)> {
        self.has_level.load(Relaxed).then(|| (self.level_rms.get(), self.level_peak.get()))
    }
}

/// What is heard of a played stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sounding {
    pub(crate) timestamp: u32,
    pub(crate) at: Instant,
    /// So much later than the network asks for.
    pub(crate) waited: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Option<Sounding>>);

impl Heard {
    /// Never waits for a reader.
    pub(crate) fn set(&self, sounding: Sounding) {
        if let Ok(mut heard) = self.0.try_lock() {
            *heard = Some(sounding);
        }
    }

    /// What was told since the last call.
    pub(crate) fn take(&self) -> Option<Sounding> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
