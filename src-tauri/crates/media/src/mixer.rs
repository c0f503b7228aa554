//! Sums of voices, limited so that many of them do not clip.

use crate::frame::{FRAME_LEN, Frame, SILENCE};

/// Adds up the frames of one beat.
///
/// `add` each voice, then either [`Self::take`] the sum, or give each participant the sum without its own voice by
/// [`Self::write_without`] and end the beat with [`Self::clear`].
#[derive(Debug, Clone)]
pub struct Mixer {
    sum: Box<Frame>,
    limiter: Limiter,
    voices: u32,
}

impl Default for Mixer {
    fn default() -> Self {
        Self { sum: Box::new(SILENCE), limiter: Limiter::default(), voices: 0 }
    }
}

impl Mixer {
    /// Adds one voice to this beat.
    pub fn add(&mut self, frame: &Frame) {
        for (sum, sample) in self.sum.iter_mut().zip(frame) {
            *sum += sample;
        }
        self.voices += 1;
    }

    /// Adds one voice, its samples multiplied by `gain`.
    pub fn add_scaled(&mut self, frame: &Frame, gain: f32) {
        for (sum, sample) in self.sum.iter_mut().zip(frame) {
            *sum += sample * gain;
        }
        self.voices += 1;
    }

    /// Voices added in this beat.
    pub fn voices(&self) -> u32 {
        self.voices
    }

    /// Writes the limited sum of this beat to `out` and begins the next one.
    pub fn take(&mut self, out: &mut Frame) {
        *out = *self.sum;
        self.limiter.apply(out);
        self.clear();
    }

    /// Writes the sum without `own`, which must have been added in this beat, through the participant's own
    /// `limiter` (mix-minus).
    pub fn write_without(&self, own: &Frame, limiter: &mut Limiter, out: &mut Frame) {
        for ((out, sum), own) in out.iter_mut().zip(self.sum.iter()).zip(own) {
            *out = sum - own;
        }
        limiter.apply(out);
    }

    /// Adds to `out` the sum without `own`, which must have been added in this beat; `None` for one who added nothing.
    pub fn add_others(&self, own: Option<&Frame>, out: &mut Frame) {
        match own {
            Some(own) => {
                for ((out, sum), own) in out.iter_mut().zip(self.sum.iter()).zip(own) {
                    *out += sum - own;
                }
            }
            None => out.iter_mut().zip(self.sum.iter()).for_each(|(out, sum)| *out += sum),
        }
    }

    /// Begins the next beat.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
        self.voices = 0;
    }
}

/// Peaks above this are brought down to it.
const CEILING: f32 = 0.95;
/// Part of the way back to full gain in each frame: about 150 ms.
const RELEASE: f32 = 0.065;
/// Samples over which the gain falls: 1 ms. Peaks within it are clipped softly.
const ATTACK: usize = 48;

/// Keeps a signal within ±1 by turning the gain down fast and up slowly.
#[derive(Debug, Clone)]
pub struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    /// Limits a frame in place; what is no number becomes silence.
    pub fn apply(&mut self, frame: &mut Frame) {
        let mut peak = 0.0f32;
        let mut finite = true;
        for sample in frame.iter() {
            peak = peak.max(sample.abs());
            finite &= sample.is_finite();
        }
        if !finite {
            frame.iter_mut().filter(|s| !s.is_finite()).for_each(|s| *s = 0.0);
            return self.apply(frame);
        }
        let start = self.gain;
        let allowed = if peak > CEILING { CEILING / peak } else { 1.0 };
        if start == 1.0 && allowed == 1.0 {
            return;
        }
        let released = start + (1.0 - start) * RELEASE;
        let end = if released > 0.999 { 1.0 } else { released }.min(allowed);
        self.gain = end;
        let ramp = if end < start { ATTACK } else { FRAME_LEN };
        let step = (end - start) / ramp as f32;
        for (n, sample) in frame.iter_mut().enumerate() {
            let gain = if n < ramp { start + step * (n + 1) as f32 } else { end };
            *sample = soft_clip(*sample * gain);
        }
    }
}

/// The identity up to the ceiling, then bent so that ±1 is never passed.
fn soft_clip(sample: f32) -> f32 {
    let over = sample.abs() - CEILING;
    if over <= 0.0 {
        return sample;
    }
    let room = 1.0 - CEILING;
    (CEILING + room * over / (over + room)).copysign(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Source;
    use crate::tone::TestTone;

    #[test]
    fn quiet_voices_are_summed_exactly() {
        let mut mixer = Mixer::default();
        mixer.add(&[0.25; FRAME_LEN]);
        mixer.add_scaled(&[0.5; FRAME_LEN], -0.5);
        mixer.add(&[0.125; FRAME_LEN]);
        assert_eq!(mixer.voices(), 3);
        let mut out = SILENCE;
        mixer.take(&mut out);
        assert_eq!(out, [0.125; FRAME_LEN]);
        mixer.take(&mut out);
        assert_eq!(out, SILENCE);
    }

    #[test]
    fn nobody_hears_himself() {
        let voices = [[0.1; FRAME_LEN], [0.2; FRAME_LEN], [0.4; FRAME_LEN]];
        let mut mixer = Mixer::default();
        voices.iter().for_each(|v| mixer.add(v));
        for (own, expected) in voices.iter().zip([0.6, 0.5, 0.3]) {
            let mut out = SILENCE;
            mixer.write_without(own, &mut Limiter::default(), &mut out);
            assert!(out.iter().all(|s| (s - expected).abs() < 1e-6), "{}", out[0]);
        }
    }

    #[test]
    fn the_others_are_added_to_what_a_party_hears_already() {
        let voices = [[0.1; FRAME_LEN], [0.2; FRAME_LEN]];
        let mut mixer = Mixer::default();
        voices.iter().for_each(|v| mixer.add(v));
        for (own, expected) in [(Some(&voices[0]), 0.7), (Some(&voices[1]), 0.6), (None, 0.8)] {
            let mut out = [0.5; FRAME_LEN];
            mixer.add_others(own, &mut out);
            assert!(out.iter().all(|s| (s - expected).abs() < 1e-6), "{}", out[0]);
        }
    }

    #[test]
    fn ten_loud_voices_stay_in_range_without_jumps() {
        let mut tones: Vec<TestTone> =
            (0..10).map(|n| TestTone::with_amplitude(200.0 + 31.0 * n as f32, 0.9)).collect();
        let mut mixer = Mixer::default();
        let (mut frame, mut out) = (SILENCE, SILENCE);
        let mut last = 0.0f32;
        for _ in 0..200 {
            for tone in &mut tones {
                tone.read(&mut frame);
                mixer.add(&frame);
            }
            mixer.take(&mut out);
            for sample in out {
                assert!(sample.abs() <= 1.0);
                assert!((sample - last).abs() < 0.45, "{last} to {sample}");
                last = sample;
            }
        }
    }

    #[test]
    fn the_gain_comes_back_after_a_loud_moment() {
        let mut limiter = Limiter::default();
        let mut frame = [4.0; FRAME_LEN];
        limiter.apply(&mut frame);
        assert!(frame.iter().all(|s| *s <= 1.0));
        for _ in 0..200 {
            frame = [0.5; FRAME_LEN];
            limiter.apply(&mut frame);
        }
        assert_eq!(frame, [0.5; FRAME_LEN]);
    }

    #[test]
    fn a_broken_sample_spoils_nothing_else() {
        let mut limiter = Limiter::default();
        let mut frame = [0.5; FRAME_LEN];
        frame[7] = f32::NAN;
        frame[8] = f32::NEG_INFINITY;
        limiter.apply(&mut frame);
        assert_eq!((frame[6], frame[7], frame[8], frame[9]), (0.5, 0.0, 0.0, 0.5));
    }
}
