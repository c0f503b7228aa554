//! Peak and RMS levels for people to look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::frame::{FRAME_LEN, Frame};

/// Lowest level that is told, in dBFS.
pub const FLOOR_DBFS: f32 = -100.0;

/// Levels in dBFS: 0 is a full-scale square wave for `rms` and full scale for `peak`, [`FLOOR_DBFS`] is silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeterReading {
    pub rms: f32,
    pub peak: f32,
}

impl Default for MeterReading {
    fn default() -> Self {
        Self { rms: FLOOR_DBFS, peak: FLOOR_DBFS }
    }
}

/// Measures on the audio thread.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    peak: f32,
    energy: f32,
    samples: usize,
}

impl Meter {
    /// Takes one frame into the measure.
    pub fn measure(&mut self, frame: &Frame) {
        let (mut peaks, mut energies) = ([0.0f32; 8], [0.0f32; 8]);
        for samples in frame.chunks_exact(8) {
            for i in 0..8 {
                let size = samples[i].abs();
                peaks[i] = if size > peaks[i] { size } else { peaks[i] };
                energies[i] += samples[i] * samples[i];
            }
        }
        self.peak = peaks.iter().fold(self.peak, |a, b| a.max(*b));
        self.energy += energies.iter().sum::<f32>();
        self.samples += FRAME_LEN;
    }

    /// The levels since the last call, and begins anew.
    pub fn take(&mut self) -> MeterReading {
        let mean = if self.samples == 0 { 0.0 } else { self.energy / self.samples as f32 };
        let reading = MeterReading { rms: dbfs(mean.sqrt()), peak: dbfs(self.peak) };
        *self = Self::default();
        reading
    }
}

/// Frames between two snapshots: 10 Hz.
const FRAMES_PER_SNAPSHOT: u32 = 10;

/// A [`Meter`] whose reading other threads see, ten times a second, without a lock.
#[derive(Debug, Default)]
pub struct SharedMeter {
    meter: Meter,
    frames: u32,
    cell: Arc<MeterCell>,
}

impl SharedMeter {
    /// Takes one frame into the measure.
    pub fn measure(&mut self, frame: &Frame) {
        self.meter.measure(frame);
        self.frames += 1;
        if self.frames == FRAMES_PER_SNAPSHOT {
            self.frames = 0;
            self.cell.store(self.meter.take());
        }
    }

    /// The place where the readings appear.
    pub fn cell(&self) -> Arc<MeterCell> {
        Arc::clone(&self.cell)
    }
}

/// The last reading of a [`SharedMeter`].
#[derive(Debug)]
pub struct MeterCell(AtomicU64);

impl Default for MeterCell {
    fn default() -> Self {
        Self(AtomicU64::new(pack(MeterReading::default())))
    }
}

impl MeterCell {
    /// The last reading; both values are of the same moment.
    pub fn reading(&self) -> MeterReading {
        let bits = self.0.load(Ordering::Relaxed);
        MeterReading { rms: f32::from_bits((bits >> 32) as u32), peak: f32::from_bits(bits as u32) }
    }

    fn store(&self, reading: MeterReading) {
        self.0.store(pack(reading), Ordering::Relaxed);
    }
}

fn pack(reading: MeterReading) -> u64 {
    u64::from(reading.rms.to_bits()) << 32 | u64::from(reading.peak.to_bits())
}

fn dbfs(amplitude: f32) -> f32 {
    // Not a number counts as silence.
    if amplitude > 1e-5 { 20.0 * amplitude.log10() } else { FLOOR_DBFS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Source;
    use crate::frame::SILENCE;
    use crate::tone::TestTone;

    #[test]
    fn a_sine_reads_its_peak_and_three_decibels_less() {
        let mut tone = TestTone::with_amplitude(1_000.0, 0.5);
        let mut meter = Meter::default();
        let mut frame = SILENCE;
        for _ in 0..10 {
            tone.read(&mut frame);
            meter.measure(&frame);
        }
        let reading = meter.take();
        assert!((reading.peak + 6.02).abs() < 0.05, "{reading:?}");
        assert!((reading.rms + 9.03).abs() < 0.05, "{reading:?}");
        assert_eq!(meter.take(), MeterReading::default());
    }

    #[test]
    fn a_snapshot_appears_every_hundred_milliseconds() {
        let mut meter = SharedMeter::default();
        let cell = meter.cell();
        for _ in 0..9 {
            meter.measure(&[1.0; FRAME_LEN]);
            assert_eq!(cell.reading(), MeterReading::default());
        }
        meter.measure(&[1.0; FRAME_LEN]);
        assert_eq!(cell.reading(), MeterReading { rms: 0.0, peak: 0.0 });
    }
}
