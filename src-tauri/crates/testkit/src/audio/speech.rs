//! Something to say.

use std::f32::consts::TAU;
use std::path::Path;
use std::process::Command;

use super::Wav;
use super::random::Random;
use crate::error::{Result, RigError};
use crate::require::find;

const TEXT: &str =
    "The quick brown fox jumps over the lazy dog, while six wizards quietly mix five jugs of vodka.";

/// Writes about four seconds of speech to `path`, mono 16 bit at `rate`, and gives it: by espeak-ng where that is
/// installed, else [`speech_like`].
pub fn speak_into(path: &Path, rate: u32) -> Result<Wav> {
    let wav = match spoken(path) {
        Some(wav) => wav.resampled(rate),
        None => speech_like(4.0, rate),
    };
    wav.write(path)?;
    Ok(wav)
}

/// What `voice` of espeak-ng (`en`, `en+f3`, `de`) makes of `text` at 175 words a minute, mono at `rate`.
///
/// # Errors
/// espeak-ng is not installed, does not know the voice, or says nothing.
pub fn speak(voice: &str, text: &str, rate: u32) -> Result<Wav> {
    let dir = tempfile::tempdir().map_err(|error| RigError::while_doing("a temporary directory", error))?;
    let path = dir.path().join("speech.wav");
    let wav = espeak(&path, &["-v", voice, text]);
    wav.map(|wav| wav.resampled(rate))
        .ok_or_else(|| RigError::new(format!("espeak-ng does not speak with the voice {voice:?}")))
}

fn spoken(path: &Path) -> Option<Wav> {
    espeak(path, &[TEXT]).filter(|wav| wav.seconds() > 2.0)
}

fn espeak(path: &Path, arguments: &[&str]) -> Option<Wav> {
    let output = Command::new(find("espeak-ng")?).arg("-w").arg(path).args(arguments).output().ok()?;
    let wav = output.status.success().then(|| Wav::read(path).ok())??;
    (wav.rms() > 0.01).then_some(wav)
}

/// A signal with the rhythm and the spectrum of speech that never repeats: voiced syllables of changing pitch,
/// noise between them, pauses. The same each time.
pub fn speech_like(seconds: f32, rate: u32) -> Wav {
    let mut random = Random::new(0x5EED);
    let rate_f = rate as f32;
    let count = (seconds * rate_f) as usize;
    let mut samples = Vec::with_capacity(count);
    let mut phase = 0.0f32;
    while samples.len() < count {
        let length = ((0.08 + 0.16 * random.unit()) * rate_f) as usize;
        let kind = random.unit();
        let (from, to) = (90.0 + 120.0 * random.unit(), 90.0 + 120.0 * random.unit());
        let tilt = 0.5 + 0.4 * random.unit();
        for n in 0..length {
            let at = n as f32 / length as f32;
            let envelope = (at * std::f32::consts::PI).sin();
            phase = (phase + (from + (to - from) * at) / rate_f).fract();
            let voiced: f32 = (1..20).map(|h| (TAU * phase * h as f32).sin() * tilt.powi(h)).sum();
            let noise = random.unit() * 2.0 - 1.0;
            samples.push(match kind {
                k if k < 0.7 => (0.25 * envelope * (voiced + 0.05 * noise)).tanh(),
                k if k < 0.9 => 0.15 * envelope * noise,
                _ => 0.0,
            });
        }
    }
    samples.truncate(count);
    Wav { rate, samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_has_level_and_pauses_and_fits_its_range() {
        let wav = speech_like(3.0, 16_000);
        assert_eq!(wav.samples.len(), 48_000);
        assert!(wav.rms() > 0.05);
        assert!(wav.samples.iter().all(|s| s.abs() <= 1.0));
    }

    #[test]
    fn a_spoken_file_has_the_rate_that_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("speech.wav");
        let wav = speak_into(&path, 8_000).unwrap();
        assert_eq!(Wav::read(&path).unwrap().rate, 8_000);
        assert!(wav.seconds() > 2.0);
    }
}
