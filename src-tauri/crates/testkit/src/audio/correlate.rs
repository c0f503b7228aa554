//! Whether a sound is contained in another one, and when.

use super::Wav;
use super::fft::cross_correlation;

/// Speech is compared at this rate.
const RATE: u32 = 8_000;
/// Length of a segment: 400 ms. Clocks that differ by 0.1 % shift it by less than half a sample in itself.
const SEGMENT: usize = 3_200;
/// A segment may lie this far from where the whole lies: 80 ms, for jitter buffers and drift.
const SLACK: i64 = 640;
/// Segments quieter than this part of the loudest one are pauses.
const QUIET: f64 = 0.02;

/// How a reference was found in a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// Normalised correlation in -1 to 1: the mean over the segments of 400 ms, weighted by their energy, each at
    /// its best place near the lag. 1 is the same sound at any volume; unrelated speech gives 0.1 to 0.35.
    pub peak: f64,
    /// Where the reference begins in the recording, in ms.
    pub lag_ms: f64,
    /// Distance between the earliest and the latest place of a well-found segment, in ms: drift and jitter.
    pub spread_ms: f64,
}

/// Looks for `reference` in `recording`, at any place, as a whole first and then in segments.
pub fn hear(reference: &Wav, recording: &Wav) -> Heard {
    let reference = centred(reference);
    let recording = centred(recording);
    let nothing = Heard { peak: 0.0, lag_ms: 0.0, spread_ms: 0.0 };
    if reference.is_empty() || recording.is_empty() {
        return nothing;
    }
    let lag = whole_lag(&reference, &recording);

    let segments: Vec<(usize, f64)> = (0..reference.len() / SEGMENT)
        .map(|n| (n * SEGMENT, energy(&reference[n * SEGMENT..(n + 1) * SEGMENT])))
        .collect();
    let loudest = segments.iter().map(|(_, energy)| *energy).fold(0.0, f64::max);
    let (mut weighted, mut total) = (0.0, 0.0);
    let (mut earliest, mut latest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (start, energy) in segments.into_iter().filter(|(_, energy)| *energy > loudest * QUIET) {
        let segment = &reference[start..start + SEGMENT];
        let (correlation, at) = best_near(segment, energy, &recording, start as i64 + lag);
        weighted += correlation * energy;
        total += energy;
        if correlation > 0.5 {
            let place = (at - start as i64) as f64;
            earliest = earliest.min(place);
            latest = latest.max(place);
        }
    }
    if total <= 0.0 {
        return nothing;
    }
    let ms = 1_000.0 / f64::from(RATE);
    Heard {
        peak: weighted / total,
        lag_ms: lag as f64 * ms,
        spread_ms: if latest >= earliest { (latest - earliest) * ms } else { 0.0 },
    }
}

/// At 8 kHz and without a mean.
fn centred(wav: &Wav) -> Vec<f32> {
    let mut samples = wav.resampled(RATE).samples;
    let mean = samples.iter().sum::<f32>() / samples.len().max(1) as f32;
    samples.iter_mut().for_each(|sample| *sample -= mean);
    samples
}

fn whole_lag(reference: &[f32], recording: &[f32]) -> i64 {
    let products = cross_correlation(reference, recording);
    let best = products.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index);
    best as i64 - (reference.len() as i64 - 1)
}

fn best_near(segment: &[f32], segment_energy: f64, recording: &[f32], centre: i64) -> (f64, i64) {
    let mut best = (0.0, centre);
    for at in centre - SLACK..=centre + SLACK {
        let Ok(start) = usize::try_from(at) else { continue };
        let Some(window) = recording.get(start..start + segment.len()) else { continue };
        let product: f32 = segment.iter().zip(window).map(|(a, b)| a * b).sum();
        if product <= 0.0 {
            continue;
        }
        let correlation = f64::from(product) / (segment_energy * energy(window)).sqrt().max(1e-12);
        if correlation > best.0 {
            best = (correlation, at);
        }
    }
    best
}

fn energy(samples: &[f32]) -> f64 {
    f64::from(samples.iter().map(|s| s * s).sum::<f32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech_like;

    fn delayed(wav: &Wav, ms: usize, gain: f32) -> Wav {
        let mut samples = vec![0.001; wav.rate as usize * ms / 1_000];
        samples.extend(wav.samples.iter().map(|s| s * gain));
        Wav { rate: wav.rate, samples }
    }

    #[test]
    fn a_delayed_quiet_copy_at_another_rate_is_found() {
        let speech = speech_like(3.0, 16_000);
        let heard = hear(&speech, &delayed(&speech, 730, 0.1).resampled(48_000));
        assert!(heard.peak > 0.97, "{heard:?}");
        assert!((heard.lag_ms - 730.0).abs() < 1.0, "{heard:?}");
        assert!(heard.spread_ms < 1.0, "{heard:?}");
    }

    #[test]
    fn a_stretch_of_a_tenth_of_a_per_cent_is_still_the_same_sound() {
        let speech = speech_like(5.0, 8_000);
        let stretched = Wav { rate: 8_008, samples: speech.samples.clone() };
        let heard = hear(&speech, &stretched);
        assert!(heard.peak > 0.9 && heard.spread_ms > 2.0, "{heard:?}");
    }

    #[test]
    fn another_sound_and_silence_are_not_found() {
        let speech = speech_like(3.0, 8_000);
        let mut other = speech_like(9.0, 8_000);
        other.samples.drain(..40_000);
        let heard = hear(&speech, &other);
        assert!(heard.peak < 0.5, "{heard:?}");
        let silence = Wav { rate: 8_000, samples: vec![0.0; 24_000] };
        assert_eq!(hear(&speech, &silence).peak, 0.0);
    }
}
