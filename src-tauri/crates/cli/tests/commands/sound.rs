//! What is spoken into a call, and whether that is what came out of it.

use std::path::Path;

const RATE: u32 = 16_000;
/// Everything is compared at this rate, at which all codecs carry it.
const COMPARED: usize = 8_000;
/// As long as a jitter buffer surely plays without a seam.
const WINDOW: usize = COMPARED / 4;

/// A sweep of tones below 3 kHz in syllables; `voice` makes voices that do not correlate.
pub(crate) fn speech(seconds: f32, voice: u32) -> Vec<f32> {
    let length = (seconds * RATE as f32) as usize;
    let mut phase = 0.0_f32;
    (0..length)
        .map(|n| {
            let t = n as f32 / RATE as f32;
            let pitch = 700.0
                + 130.0 * voice as f32
                + 400.0 * (t * (1.7 + voice as f32)).sin()
                + 350.0 * (t * 5.3).sin();
            phase += std::f32::consts::TAU * pitch / RATE as f32;
            let syllable = 0.6 + 0.4 * (t * std::f32::consts::TAU * 3.1).sin();
            0.3 * syllable * phase.sin()
        })
        .collect()
}

pub(crate) fn write(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

pub(crate) fn read(path: &Path) -> (u32, Vec<f32>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect()
        }
    };
    let mono = samples.chunks(spec.channels.into()).map(|frame| frame[0]).collect();
    (spec.sample_rate, mono)
}

/// How well `spoken` is found in the file, 0 to 1: the median over windows of the best normalised correlation.
pub(crate) fn likeness(spoken: &[f32], heard: &Path) -> f32 {
    let (rate, heard) = read(heard);
    let heard = decimate(&heard, rate);
    let spoken = decimate(spoken, RATE);
    let mut best: Vec<f32> = (0..6)
        .map(|n| {
            let start = COMPARED / 2 + n * COMPARED / 4;
            best_match(&spoken[start..start + WINDOW], &heard)
        })
        .collect();
    best.sort_by(f32::total_cmp);
    best[best.len() / 2]
}

fn decimate(samples: &[f32], rate: u32) -> Vec<f32> {
    let step = rate as usize / COMPARED;
    samples.chunks_exact(step).map(|chunk| chunk.iter().sum::<f32>() / step as f32).collect()
}

fn best_match(window: &[f32], heard: &[f32]) -> f32 {
    let energy = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let own = energy(window);
    heard
        .windows(window.len())
        .map(|part| {
            let product: f32 = part.iter().zip(window).map(|(a, b)| a * b).sum();
            product.abs() / (own * energy(part)).sqrt().max(1e-6)
        })
        .fold(0.0, f32::max)
}
