//! Signals for tests.

use std::f32::consts::TAU;

/// Something like speech: a vowel whose pitch glides around 120 Hz, with three formants and a little noise, in
/// syllables of about 200 ms with pauses. Repeats only after seconds, so that it has one best alignment.
pub(crate) fn speech(rate: u32, seconds: f32) -> Vec<f32> {
    let mut noise = Noise(12_345);
    let mut phase = 0.0f32;
    (0..(rate as f32 * seconds) as usize)
        .map(|n| {
            let t = n as f32 / rate as f32;
            phase += (120.0 + 25.0 * (TAU * 0.7 * t).sin()) / rate as f32;
            phase -= phase.floor();
            let mut sample = 0.0;
            for (harmonic, weight) in
                [(1.0, 0.3), (2.0, 0.2), (4.0, 0.2), (5.0, 0.25), (9.0, 0.12), (20.0, 0.05)]
            {
                sample += weight * (TAU * harmonic * phase).sin();
            }
            let syllable = (TAU * (2.1 * t + 0.3 * (TAU * 0.13 * t).sin())).sin();
            let envelope = (syllable + 0.4).clamp(0.0, 1.0);
            0.5 * envelope * sample + 0.002 * noise.sample()
        })
        .collect()
}

/// A repeatable source of numbers.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// -1 to 1.
    pub(crate) fn sample(&mut self) -> f32 {
        self.next() as f32 / 2_147_483_648.0 - 1.0
    }

    /// 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.next()) / 4_294_967_296.0
    }
}
