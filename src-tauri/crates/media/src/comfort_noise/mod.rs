//! Comfort noise (RFC 3389): a level and a spectrum in place of silence.

mod generator;
mod silence;

pub use generator::NoiseGenerator;
pub use silence::{Activity, SilenceDetector};

/// Reflection coefficients that we read and play; more are ignored, as 3.3 of the RFC allows.
pub const MAX_ORDER: usize = 16;

/// What one comfort-noise payload says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseShape {
    /// Level below overload, 0 to 127 -dBov.
    pub level: u8,
    /// Reflection coefficients, -1 to 1; the first one of noise with more low than high tones is negative.
    pub reflection: [f32; MAX_ORDER],
    /// How many of them are in use.
    pub order: usize,
}

impl NoiseShape {
    /// White noise at `level` -dBov.
    pub fn white(level: u8) -> Self {
        Self { level: level.min(127), reflection: [0.0; MAX_ORDER], order: 0 }
    }

    /// Reads a payload; `None` if it is empty.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (level, coefficients) = payload.split_first()?;
        let mut shape = Self::white(level & 0x7F);
        for (value, byte) in shape.reflection.iter_mut().zip(coefficients) {
            // 3.2: k = 258 * (N - 127) / 32768. 255 is reserved and would be unstable.
            *value = 258.0 * (f32::from((*byte).min(254)) - 127.0) / 32_768.0;
            shape.order += 1;
        }
        Some(shape)
    }

    /// Writes the payload; gives its length, at most `1 + MAX_ORDER`.
    pub fn write(&self, payload: &mut [u8; 1 + MAX_ORDER]) -> usize {
        payload[0] = self.level.min(127);
        for (byte, value) in payload[1..].iter_mut().zip(&self.reflection[..self.order]) {
            *byte = (value * 32_768.0 / 258.0 + 127.0).round().clamp(0.0, 254.0) as u8;
        }
        1 + self.order
    }

    /// RMS of the noise, full scale being 1.0. 0 dBov is the RMS of a full-scale square wave.
    pub fn rms(&self) -> f32 {
        10f32.powf(-f32::from(self.level) / 20.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signal::Noise;

    fn rms(signal: &[f32]) -> f32 {
        (signal.iter().map(|s| s * s).sum::<f32>() / signal.len() as f32).sqrt()
    }

    #[test]
    fn a_payload_reads_back_the_same() {
        let payload = [60, 10, 200, 127, 254, 0];
        let shape = NoiseShape::parse(&payload).unwrap();
        assert_eq!((shape.level, shape.order), (60, 5));
        assert!(shape.reflection.iter().all(|k| k.abs() < 1.0));
        let mut again = [0; 1 + MAX_ORDER];
        let n = shape.write(&mut again);
        assert_eq!(again[..n], payload);
    }

    #[test]
    fn any_payload_gives_noise_at_about_its_level_and_never_a_runaway() {
        assert_eq!(NoiseShape::parse(&[]), None);
        let mut random = Noise(3);
        for _ in 0..100 {
            let length = 1 + random.next() as usize % 40;
            let payload: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            let shape = NoiseShape::parse(&payload).unwrap();
            let mut generator = NoiseGenerator::default();
            generator.set(&shape);
            let mut out = vec![0.0; 16_000];
            generator.fill(&mut out);
            let level = rms(&out[2_000..]);
            assert!(level.is_finite() && level < 4.0 * shape.rms() + 1e-6, "{payload:?}: {level}");
        }
    }

    #[test]
    fn measured_noise_comes_back_with_its_level_and_spectrum() {
        // Low-pass noise at about -50 dB.
        let mut random = Noise(9);
        let mut last = 0.0;
        let noise: Vec<f32> = (0..16_000)
            .map(|_| {
                last = 0.8 * last + 0.002 * random.sample();
                last
            })
            .collect();
        let mut detector = SilenceDetector::new(8_000);
        for block in noise.chunks_exact(80) {
            detector.observe(block);
        }
        let shape = detector.shape();
        let measured = NoiseShape::parse(&{
            let mut payload = [0; 1 + MAX_ORDER];
            let n = shape.write(&mut payload);
            payload[..n].to_vec()
        })
        .unwrap();
        let mut generator = NoiseGenerator::default();
        generator.set(&measured);
        let mut out = vec![0.0; 16_000];
        generator.fill(&mut out);
        let ratio = 20.0 * (rms(&out[1_000..]) / rms(&noise)).log10();
        assert!(ratio.abs() < 2.5, "{ratio} dB");
        let slope =
            |x: &[f32]| x.windows(2).map(|w| w[0] * w[1]).sum::<f32>() / x.iter().map(|s| s * s).sum::<f32>();
        assert!((slope(&out) - slope(&noise)).abs() < 0.15, "{} {}", slope(&out), slope(&noise));
    }

    #[test]
    fn speech_is_active_and_pauses_are_not() {
        let mut detector = SilenceDetector::new(8_000);
        let speech = crate::test_signal::speech(8_000, 2.0);
        let active = speech.chunks_exact(80).filter(|b| detector.observe(b) == Activity::Speech).count();
        assert!(active > 150, "{active} of 200");
        let mut random = Noise(4);
        let pause: Vec<f32> = (0..16_000).map(|_| 0.002 * random.sample()).collect();
        let last = pause.chunks_exact(80).map(|b| detector.observe(b)).last();
        assert_eq!(last, Some(Activity::Silence));
    }
}
