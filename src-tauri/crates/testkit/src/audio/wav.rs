//! Mono sound in memory.

use std::f64::consts::PI;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::error::{Result, RigError};

/// Mono samples in -1 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Wav {
    /// Samples a second.
    pub rate: u32,
    pub samples: Vec<f32>,
}

impl Wav {
    /// Reads a wav file of any channels (their mean is taken), integer or float.
    pub fn read(path: &Path) -> Result<Self> {
        let channels = Self::channels(path)?;
        let count = channels.len() as f32;
        let rate = channels.first().map_or(0, |channel| channel.rate);
        let length = channels.first().map_or(0, |channel| channel.samples.len());
        let mean = |at: usize| channels.iter().map(|channel| channel.samples[at]).sum::<f32>() / count;
        Ok(Self { rate, samples: (0..length).map(mean).collect() })
    }

    /// Reads each channel of a wav file by itself.
    pub fn channels(path: &Path) -> Result<Vec<Self>> {
        let failed = |error: hound::Error| RigError::while_doing(path.display(), error);
        let mut reader = WavReader::open(path).map_err(failed)?;
        let spec = reader.spec();
        let full = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
        // A recorder that was stopped may leave a short last block; what is there counts.
        let interleaved: Vec<f32> = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().map_while(std::result::Result::ok).collect(),
            SampleFormat::Int => {
                reader.samples::<i32>().map_while(std::result::Result::ok).map(|s| s as f32 / full).collect()
            }
        };
        let count = usize::from(spec.channels.max(1));
        let channel = |number| Self {
            rate: spec.sample_rate,
            samples: interleaved.chunks_exact(count).map(|frame| frame[number]).collect(),
        };
        Ok((0..count).map(channel).collect())
    }

    /// Writes 16-bit mono.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |error: hound::Error| RigError::while_doing(path.display(), error);
        let spec = WavSpec {
            channels: 1,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(path, spec).map_err(failed)?;
        for sample in &self.samples {
            writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).map_err(failed)?;
        }
        writer.finalize().map_err(failed)
    }

    /// How many seconds of sound a file that is still being written holds by its size.
    pub fn written_seconds(path: &Path) -> f64 {
        let Ok(reader) = WavReader::open(path) else { return 0.0 };
        let spec = reader.spec();
        let second =
            u64::from(spec.sample_rate) * u64::from(spec.channels) * u64::from(spec.bits_per_sample) / 8;
        let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len()).saturating_sub(44);
        bytes as f64 / second.max(1) as f64
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate.max(1))
    }

    /// Root of the mean square.
    pub fn rms(&self) -> f32 {
        let sum: f32 = self.samples.iter().map(|s| s * s).sum();
        (sum / self.samples.len().max(1) as f32).sqrt()
    }

    /// The same sound at another rate, by a windowed sinc.
    #[must_use]
    pub fn resampled(&self, rate: u32) -> Self {
        if rate == self.rate || rate == 0 {
            return self.clone();
        }
        let step = f64::from(self.rate) / f64::from(rate);
        let cutoff = (1.0 / step).min(1.0) * 0.92;
        let half = (12.0 / cutoff).ceil() as i64;
        let count = (self.samples.len() as f64 / step) as usize;
        let samples = (0..count)
            .map(|n| {
                let at = n as f64 * step;
                let centre = at.floor() as i64;
                (centre - half + 1..=centre + half)
                    .filter_map(|i| {
                        let sample = *self.samples.get(usize::try_from(i).ok()?)?;
                        let x = i as f64 - at;
                        let window = 0.5 + 0.5 * (PI * x / half as f64).cos();
                        let sinc = if x.abs() < 1e-9 { cutoff } else { (PI * cutoff * x).sin() / (PI * x) };
                        Some(f64::from(sample) * sinc * window)
                    })
                    .sum::<f64>() as f32
            })
            .collect();
        Self { rate, samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let wav = Wav { rate: 8_000, samples: vec![0.0, 0.5, -0.5, 1.0] };
        wav.write(&path).unwrap();
        let back = Wav::read(&path).unwrap();
        assert_eq!(back.rate, 8_000);
        assert!(back.samples.iter().zip(&wav.samples).all(|(a, b)| (a - b).abs() < 1e-3));
        assert!(Wav::read(&dir.path().join("none.wav")).is_err());
    }

    #[test]
    fn resampling_keeps_level_and_length() {
        let samples =
            (0..48_000).map(|n| (f64::from(n) * 2.0 * PI * 500.0 / 48_000.0).sin() as f32).collect();
        let wav = Wav { rate: 48_000, samples };
        for rate in [8_000, 16_000, 44_100] {
            let other = wav.resampled(rate);
            assert!((other.seconds() - 1.0).abs() < 0.01);
            assert!((other.rms() - wav.rms()).abs() < 0.01, "{rate}");
        }
    }
}
