//! Tells speech from background and measures the background.

use super::{MAX_ORDER, NoiseShape};

/// What a block of 10 ms is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    Speech,
    Silence,
}

/// Order of the spectrum that we send.
const ORDER: usize = 8;
/// Blocks after the last loud one that still count as speech: 250 ms keep weak word ends.
const HANGOVER: u32 = 25;
/// A block is loud this far above the background, in dB.
const MARGIN_DB: f32 = 9.0;
/// Background may be taken for at most this loud and at least this quiet, in dBov.
const FLOOR_DB: std::ops::RangeInclusive<f32> = -90.0..=-35.0;
/// How fast the background estimate rises, in dB a block: 3 dB a second.
const FLOOR_RISE: f32 = 0.03;
/// Weight of a new block in the averaged spectrum.
const AVERAGE: f32 = 0.1;

/// An energy detector over a slowly rising, quickly falling background level.
#[derive(Debug, Clone)]
pub struct SilenceDetector {
    floor_db: f32,
    hangover: u32,
    correlation: [f32; ORDER + 1],
    /// One block and the `ORDER` samples before it.
    block: Vec<f32>,
}

impl SilenceDetector {
    /// For blocks of 10 ms at `sample_rate`.
    pub fn new(sample_rate: u32) -> Self {
        let block = Vec::with_capacity(sample_rate as usize / 100 + ORDER);
        Self { floor_db: -50.0, hangover: HANGOVER, correlation: [0.0; ORDER + 1], block }
    }

    /// Takes a block of 10 ms; says what it is.
    pub fn observe(&mut self, samples: &[f32]) -> Activity {
        let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32;
        let level = (10.0 * power.max(1e-12).log10()).min(0.0);
        if level < self.floor_db {
            self.floor_db += 0.3 * (level - self.floor_db);
        } else {
            self.floor_db += FLOOR_RISE;
        }
        self.floor_db = self.floor_db.clamp(*FLOOR_DB.start(), *FLOOR_DB.end());
        if level > self.floor_db + MARGIN_DB && level > -70.0 {
            self.hangover = HANGOVER;
        } else {
            self.hangover = self.hangover.saturating_sub(1);
            self.average(samples);
        }
        if self.hangover > 0 { Activity::Speech } else { Activity::Silence }
    }

    /// The background as measured in the quiet blocks so far.
    pub fn shape(&self) -> NoiseShape {
        let power = self.correlation[0];
        let level = (-10.0 * power.max(1e-13).log10()).round().clamp(0.0, 127.0);
        let mut shape = NoiseShape::white(level as u8);
        shape.order = ORDER;
        shape.reflection = reflection(&self.correlation);
        shape
    }

    fn average(&mut self, samples: &[f32]) {
        let kept = self.block.len().min(ORDER);
        let from = self.block.len() - kept;
        self.block.copy_within(from.., 0);
        self.block.truncate(kept);
        self.block.extend_from_slice(samples);
        for (lag, average) in self.correlation.iter_mut().enumerate() {
            let now = &self.block[kept..];
            let earlier = &self.block[kept.saturating_sub(lag)..];
            let value: f32 =
                now.iter().zip(earlier).map(|(a, b)| a * b).sum::<f32>() / samples.len().max(1) as f32;
            *average += AVERAGE * (value - *average);
        }
    }
}

/// Levinson-Durbin recursion; the sign is that of the last coefficient of `1 + a1 z^-1 + …`.
fn reflection(correlation: &[f32; ORDER + 1]) -> [f32; MAX_ORDER] {
    let mut reflection = [0.0; MAX_ORDER];
    let mut a = [0.0f32; ORDER + 1];
    a[0] = 1.0;
    // White noise 30 dB below keeps the recursion well-conditioned.
    let mut error = correlation[0] * 1.001 + 1e-13;
    for m in 1..=ORDER {
        let sum: f32 = (0..m).map(|i| a[i] * correlation[m - i]).sum();
        let k = (-sum / error).clamp(-0.98, 0.98);
        let before = a;
        for i in 1..=m {
            a[i] = before[i] + k * before[m - i];
        }
        reflection[m - 1] = k;
        error *= 1.0 - k * k;
    }
    reflection
}
