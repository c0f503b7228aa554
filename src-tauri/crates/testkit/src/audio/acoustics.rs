//! A loudspeaker and a microphone in a room.

use super::Wav;
use super::fft::convolve;
use super::random::Random;

/// The way of a sound from our loudspeaker to our microphone: buffers of the sound system, a direct sound, early
/// reflections and a tail that decays exponentially (Polack 1988), then the microphone's own noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acoustics {
    /// From playing to the first sound at the microphone, ms.
    pub delay_ms: f64,
    /// Time in which the reverberation falls by 60 dB, ms.
    pub rt60_ms: f64,
    /// Level of the echo against what is played, dB: echo return loss is its negative.
    pub coupling_db: f64,
    /// Level of the microphone's noise, dBFS.
    pub noise_dbfs: f64,
    /// How hard the loudspeaker is driven: 0 is linear; 1 bends a full-scale sample by a quarter, as a small one at full
    /// volume does.
    pub overdrive: f32,
    pub seed: u32,
}

impl Default for Acoustics {
    /// A laptop on a desk in a furnished office.
    fn default() -> Self {
        Self {
            delay_ms: 40.0,
            rt60_ms: 300.0,
            coupling_db: -10.0,
            noise_dbfs: -70.0,
            overdrive: 0.0,
            seed: 7,
        }
    }
}

/// Reflections that stand out before the tail, and how far after the direct sound they may come.
const REFLECTIONS: usize = 8;
const EARLY_MS: f64 = 30.0;

impl Acoustics {
    /// The impulse response at `rate`; its energy is the coupling.
    pub fn response(&self, rate: u32) -> Vec<f32> {
        let mut random = Random::new(self.seed);
        let samples = |ms: f64| (ms * f64::from(rate) / 1_000.0) as usize;
        let start = samples(self.delay_ms);
        // The tail is followed down to -70 dB.
        let length = samples(self.rt60_ms * 70.0 / 60.0).max(1);
        let mut response = vec![0.0f32; start + length];
        let decay = -(1_000f64.ln()) / (self.rt60_ms.max(1.0) / 1_000.0 * f64::from(rate));
        for (n, sample) in response[start..].iter_mut().enumerate() {
            *sample = random.normal() * 0.03 * (decay * n as f64).exp() as f32;
        }
        response[start] += 1.0;
        for _ in 0..REFLECTIONS {
            let at = samples(1.0 + f64::from(random.unit()) * EARLY_MS).min(length - 1);
            let sign = if random.unit() < 0.5 { -1.0 } else { 1.0 };
            response[start + at] += sign * 0.5 * (decay * at as f64).exp() as f32;
        }
        let energy: f64 = response.iter().map(|s| f64::from(s * s)).sum();
        let gain = (10f64.powf(self.coupling_db / 20.0) / energy.sqrt()) as f32;
        response.iter_mut().for_each(|sample| *sample *= gain);
        response
    }

    /// What of `played` comes to the microphone, without its noise; as long as `played`.
    pub fn echo(&self, played: &Wav) -> Wav {
        let driven: Vec<f32> = played.samples.iter().map(|sample| self.bend(*sample)).collect();
        Wav { rate: played.rate, samples: convolve(&driven, &self.response(played.rate)) }
    }

    /// The loudspeaker's curve.
    fn bend(&self, sample: f32) -> f32 {
        if self.overdrive <= 0.0 { sample } else { (sample * self.overdrive).tanh() / self.overdrive }
    }

    /// The microphone's noise: white with a roll-off of 6 dB an octave above 1 kHz, as fans and preamplifiers have.
    pub fn noise(&self, samples: usize, rate: u32) -> Wav {
        let mut random = Random::new(self.seed.wrapping_mul(31).wrapping_add(1));
        let pole = (-std::f32::consts::TAU * 1_000.0 / rate as f32).exp();
        let mut low = 0.0;
        let mut noise: Vec<f32> = (0..samples)
            .map(|_| {
                low = low * pole + random.normal() * (1.0 - pole);
                low
            })
            .collect();
        let rms = (noise.iter().map(|s| s * s).sum::<f32>() / samples.max(1) as f32).sqrt().max(1e-12);
        let gain = 10f32.powf(self.noise_dbfs as f32 / 20.0) / rms;
        noise.iter_mut().for_each(|sample| *sample *= gain);
        Wav { rate, samples: noise }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::speech_like;

    #[test]
    fn the_echo_comes_when_and_as_loud_as_it_was_asked_for() {
        let room = Acoustics { delay_ms: 120.0, ..Acoustics::default() };
        let response = room.response(48_000);
        assert!(response[..5_760].iter().all(|s| *s == 0.0));
        assert!(response[5_760] > 0.05);
        let noise = Acoustics { noise_dbfs: -20.0, ..room }.noise(96_000, 48_000);
        let echo = room.echo(&noise);
        let settled = Wav { rate: 48_000, samples: echo.samples[24_000..].to_vec() };
        let loss = 20.0 * (noise.rms() / settled.rms()).log10();
        assert!((loss - 10.0).abs() < 2.0, "{loss}");
    }

    #[test]
    fn the_noise_has_its_level_and_a_seed_gives_the_same_room() {
        let room = Acoustics::default();
        let level = 20.0 * f64::from(room.noise(48_000, 48_000).rms()).log10();
        assert!((level + 70.0).abs() < 0.1, "{level}");
        let played = speech_like(0.5, 48_000);
        assert_eq!(room.echo(&played), room.echo(&played));
        assert_ne!(room.echo(&played), Acoustics { seed: 8, ..room }.echo(&played));
    }
}
