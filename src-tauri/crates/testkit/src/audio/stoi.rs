//! Short-time objective intelligibility (Taal, Hendriks, Heusdens and Jensen 2011, IEEE TASLP 19(7)).

use super::Wav;
use super::fft::transform;

/// All as in the paper: 10 kHz, frames of 256 samples with half overlap, FFT of 512, 15 one-third octave bands from
/// 150 Hz, segments of 30 frames (384 ms), clipping at -15 dB SDR, silence 40 dB below the loudest frame.
const RATE: u32 = 10_000;
const FRAME: usize = 256;
const HOP: usize = 128;
const FFT: usize = 512;
const BANDS: usize = 15;
const LOWEST_CENTRE_HZ: f64 = 150.0;
const SEGMENT: usize = 30;
const CLIP_DB: f64 = -15.0;
const SILENCE_DB: f64 = 40.0;

/// How much of `clean` can be understood in `heard`: 1 is all, under 0.5 next to nothing. Both must be aligned; the
/// longer one is cut. `None` where there is less than 384 ms of speech.
pub fn stoi(clean: &Wav, heard: &Wav) -> Option<f64> {
    let clean = clean.resampled(RATE).samples;
    let heard = heard.resampled(RATE).samples;
    let length = clean.len().min(heard.len());
    let (clean, heard) = without_silence(&clean[..length], &heard[..length]);
    let bands = bands();
    let clean = third_octaves(&clean, &bands);
    let heard = third_octaves(&heard, &bands);
    let segments = clean.len().checked_sub(SEGMENT - 1).filter(|segments| *segments > 0)?;
    let clip = 1.0 + 10f64.powf(-CLIP_DB / 20.0);
    let mut sum = 0.0;
    for first in 0..segments {
        for band in 0..BANDS {
            let part = |frames: &[[f64; BANDS]]| -> Vec<f64> {
                frames[first..first + SEGMENT].iter().map(|frame| frame[band]).collect()
            };
            let (x, mut y) = (part(&clean), part(&heard));
            let gain = (energy(&x) / energy(&y).max(1e-30)).sqrt();
            for (y, x) in y.iter_mut().zip(&x) {
                *y = (*y * gain).min(x * clip);
            }
            sum += correlation(&x, &y);
        }
    }
    Some(sum / (segments * BANDS) as f64)
}

/// Drops the frames in which `clean` is silent from both, and overlaps what is left.
fn without_silence(clean: &[f32], heard: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let window = hann();
    let starts: Vec<usize> = (0..clean.len().saturating_sub(FRAME - 1)).step_by(HOP).collect();
    let framed = |signal: &[f32], start: usize| -> Vec<f64> {
        signal[start..start + FRAME].iter().zip(&window).map(|(s, w)| f64::from(*s) * w).collect()
    };
    let levels: Vec<f64> =
        starts.iter().map(|start| 20.0 * (energy(&framed(clean, *start)).sqrt() + 1e-12).log10()).collect();
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let kept: Vec<usize> = starts
        .iter()
        .zip(&levels)
        .filter(|(_, level)| **level > loudest - SILENCE_DB)
        .map(|(start, _)| *start)
        .collect();
    let overlapped = |signal: &[f32]| {
        let mut out = vec![0.0; if kept.is_empty() { 0 } else { (kept.len() - 1) * HOP + FRAME }];
        for (n, start) in kept.iter().enumerate() {
            for (out, sample) in out[n * HOP..].iter_mut().zip(framed(signal, *start)) {
                *out += sample;
            }
        }
        out
    };
    (overlapped(clean), overlapped(heard))
}

/// First and last bin (exclusive) of each band.
fn bands() -> [(usize, usize); BANDS] {
    std::array::from_fn(|band| {
        let centre = LOWEST_CENTRE_HZ * 2f64.powf(band as f64 / 3.0);
        let bin = |hz: f64| (hz * FFT as f64 / f64::from(RATE)).round() as usize;
        (bin(centre * 2f64.powf(-1.0 / 6.0)), bin(centre * 2f64.powf(1.0 / 6.0)))
    })
}

/// The norm of each band in each frame.
fn third_octaves(signal: &[f64], bands: &[(usize, usize); BANDS]) -> Vec<[f64; BANDS]> {
    let window = hann();
    (0..signal.len().saturating_sub(FRAME - 1))
        .step_by(HOP)
        .map(|start| {
            let mut bins = vec![(0.0, 0.0); FFT];
            for ((bin, sample), weight) in bins.iter_mut().zip(&signal[start..start + FRAME]).zip(&window) {
                bin.0 = sample * weight;
            }
            transform(&mut bins, false);
            bands
                .map(|(from, to)| bins[from..to].iter().map(|(re, im)| re * re + im * im).sum::<f64>().sqrt())
        })
        .collect()
}

/// Hann without its zeros at the ends.
fn hann() -> [f64; FRAME] {
    std::array::from_fn(|n| {
        let at = (n + 1) as f64 / (FRAME + 1) as f64;
        0.5 - 0.5 * (std::f64::consts::TAU * at).cos()
    })
}

fn energy(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let product: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let norm = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>().sqrt();
    product / (norm(x, mx) * norm(y, my)).max(1e-30)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Acoustics, speech_like};

    fn noisy(clean: &Wav, snr_db: f32) -> Wav {
        let level = 20.0 * clean.rms().log10() - snr_db;
        let noise = Acoustics { noise_dbfs: f64::from(level), ..Acoustics::default() }
            .noise(clean.samples.len(), clean.rate);
        let samples = clean.samples.iter().zip(&noise.samples).map(|(a, b)| a + b).collect();
        Wav { rate: clean.rate, samples }
    }

    #[test]
    fn what_is_unchanged_or_only_quieter_is_understood_whole() {
        let clean = speech_like(4.0, 16_000);
        assert!((stoi(&clean, &clean).unwrap() - 1.0).abs() < 1e-9);
        let samples = clean.samples.iter().map(|s| s * 0.1).collect();
        assert!((stoi(&clean, &Wav { rate: 16_000, samples }).unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn more_noise_is_less_understood() {
        let clean = speech_like(4.0, 16_000);
        let scores: Vec<f64> =
            [30.0, 20.0, 10.0, 0.0, -10.0].map(|snr| stoi(&clean, &noisy(&clean, snr)).unwrap()).into();
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1] + 0.01), "{scores:?}");
        assert!(scores[0] > 0.95 && scores[4] < 0.6, "{scores:?}");
    }

    #[test]
    fn another_speaker_and_silence_are_not_understood() {
        let clean = speech_like(4.0, 16_000);
        let mut other = speech_like(12.0, 16_000);
        other.samples.drain(..100_000);
        assert!(stoi(&clean, &other).unwrap() < 0.35);
        let silence = Wav { rate: 16_000, samples: vec![0.0; 64_000] };
        assert!(stoi(&clean, &silence).unwrap().abs() < 0.1);
        assert_eq!(stoi(&Wav { rate: 16_000, samples: vec![0.1; 1_000] }, &silence), None);
    }
}
