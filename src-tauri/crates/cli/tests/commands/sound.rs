//! What is spoken into a call, and whether that is what came out of it.

use std::path::Path;

const RATE: u32 = 16_000;
/// Everything is compared at this rate, which carries all that is spoken here.
const COMPARED: usize = 4_000;
/// As long as a jitter buffer surely plays without a seam.
const WINDOW: usize = COMPARED / 4;
/// How far a later window may lie from where the first one was found.
const SHIFT: usize = COMPARED / 4;

/// A sweep of tones below 1.5 kHz in syllables; `voice` makes voices that do not correlate.
pub(crate) fn speech(seconds: f32, voice: u32) -> Vec<f32> {
    let length = (seconds * RATE as f32) as usize;
    let mut phase = 0.0_f32;
    (0..length)
        .map(|n| {
            let t = n as f32 / RATE as f32;
            let pitch = 700.0
                + 130.0 * voice as f32
                + 400.0 * (t * (1.7 + voice as f32)).sin()
                + 200.0 * (t * 5.3).sin();
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
    let start_of = |n: usize| COMPARED / 2 + n * COMPARED / 4;
    let window = |n: usize| &spoken[start_of(n)..start_of(n) + WINDOW];
    let (found, first) = best_match(window(0), &heard);
    let mut all = vec![first];
    for n in 1..6 {
        let near = found + start_of(n) - start_of(0);
        let from = near.saturating_sub(SHIFT).min(heard.len());
        let to = (near + WINDOW + SHIFT).min(heard.len());
        all.push(best_match(window(n), &heard[from..to]).1);
    }
    all.sort_by(f32::total_cmp);
    all[all.len() / 2]
}

fn decimate(samples: &[f32], rate: u32) -> Vec<f32> {
    let step = rate as usize / COMPARED;
    samples.chunks_exact(step).map(|chunk| chunk.iter().sum::<f32>() / step as f32).collect()
}

/// Where the window fits best, and how well.
fn best_match(window: &[f32], heard: &[f32]) -> (usize, f32) {
    let energy = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let own = energy(window);
    let fit = |(at, part): (usize, &[f32])| {
        let (mut product, mut energy) = (0.0, 0.0);
        for (a, b) in part.iter().zip(window) {
            product += a * b;
            energy += a * a;
        }
        (at, f32::abs(product) / (own * energy).sqrt().max(1e-6))
    };
    heard.windows(window.len()).enumerate().map(fit).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}
