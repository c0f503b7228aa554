//! The tones that tell a caller how a call stands, and the ring of the called.

use super::oscillator::Oscillator;
use crate::device::{Flow, Source};
use crate::frame::{FRAME_LEN, Frame};

/// Which tone. Frequencies and cadences are the usual ones of CEPT countries (ITU-T E.180 Supplement 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    /// The far end rings: 425 Hz, 1 s on, 4 s off.
    Ringback,
    /// The far end is busy: 425 Hz, 0.48 s on, 0.48 s off.
    Busy,
    /// The call could not be put through: 425 Hz, 0.24 s on, 0.24 s off.
    Congestion,
    /// Ready to dial: 425 Hz without end.
    Dial,
    /// A second call comes in: two short beeps of 425 Hz, then 4 s off.
    CallWaiting,
    /// Our own telephone rings: a warble of two tones, 1 s on, 3 s off.
    Ring,
}

/// Peak of a call-progress tone; -20 dBFS each, so that a headset does not startle.
const AMPLITUDE: f32 = 0.1;
/// Samples over which a tone fades in and out, so that it does not click: 5 ms.
const RAMP: u32 = 240;

/// A part of a cadence.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Two frequencies in Hz; zero is none.
    hz: [f32; 2],
    frames: u32,
}

const fn on(hz: f32, milliseconds: u32) -> Step {
    Step { hz: [hz, 0.0], frames: milliseconds / 10 }
}

const fn off(milliseconds: u32) -> Step {
    Step { hz: [0.0, 0.0], frames: milliseconds / 10 }
}

const WARBLE: [Step; 11] = [
    on(1_400.0, 100),
    on(1_100.0, 100),
    on(1_400.0, 100),
    on(1_100.0, 100),
    on(1_400.0, 100),
    on(1_100.0, 100),
    on(1_400.0, 100),
    on(1_100.0, 100),
    on(1_400.0, 100),
    on(1_100.0, 100),
    off(3_000),
];

impl CallProgress {
    fn cadence(self) -> &'static [Step] {
        match self {
            Self::Ringback => const { &[on(425.0, 1_000), off(4_000)] },
            Self::Busy => const { &[on(425.0, 480), off(480)] },
            Self::Congestion => const { &[on(425.0, 240), off(240)] },
            Self::Dial => const { &[on(425.0, 10_000)] },
            Self::CallWaiting => const { &[on(425.0, 150), off(150), on(425.0, 150), off(4_000)] },
            Self::Ring => &WARBLE,
        }
    }
}

/// Plays a [`CallProgress`] again and again.
#[derive(Debug, Clone)]
pub struct CallProgressTone {
    cadence: &'static [Step],
    step: usize,
    frame_in_step: u32,
    voice: TwoTone,
}

impl CallProgressTone {
    /// Starts at the beginning of the cadence.
    pub fn new(kind: CallProgress) -> Self {
        let cadence = kind.cadence();
        let voice = TwoTone::new(cadence[0].hz, AMPLITUDE);
        Self { cadence, step: 0, frame_in_step: 0, voice }
    }
}

impl Source for CallProgressTone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        let step = self.cadence[self.step];
        let next = (self.step + 1) % self.cadence.len();
        let same = self.cadence[next].hz == step.hz;
        let last = self.frame_in_step + 1 >= step.frames;
        frame.fill(0.0);
        self.voice.add(frame, last && !same);
        self.frame_in_step += 1;
        if last {
            self.frame_in_step = 0;
            self.step = next;
            if !same {
                self.voice = TwoTone::new(self.cadence[next].hz, AMPLITUDE);
            }
        }
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

/// Two sines that fade in at the start and out in the last frame.
#[derive(Debug, Clone)]
pub(super) struct TwoTone {
    oscillators: [Oscillator; 2],
    amplitudes: [f32; 2],
    age: u32,
}

impl TwoTone {
    pub(super) fn new(hz: [f32; 2], amplitude: f32) -> Self {
        let amplitudes = hz.map(|hz| if hz > 0.0 { amplitude } else { 0.0 });
        Self { oscillators: hz.map(Oscillator::new), amplitudes, age: 0 }
    }

    /// Adds 10 ms to `frame`; `last` makes it fade out at the end.
    pub(super) fn add(&mut self, frame: &mut Frame, last: bool) {
        for (n, sample) in frame.iter_mut().enumerate() {
            let fade_in = (self.age + n as u32).min(RAMP) as f32 / RAMP as f32;
            let left = if last { (FRAME_LEN - n) as u32 } else { RAMP };
            let gain = fade_in.min(left.min(RAMP) as f32 / RAMP as f32);
            for (oscillator, amplitude) in self.oscillators.iter_mut().zip(self.amplitudes) {
                *sample += oscillator.sample() * amplitude * gain;
            }
        }
        self.age = self.age.saturating_add(FRAME_LEN as u32);
        self.oscillators.iter_mut().for_each(Oscillator::renormalise);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    #[test]
    fn ringback_sounds_one_second_in_five_without_clicks() {
        let mut tone = CallProgressTone::new(CallProgress::Ringback);
        let mut frame = SILENCE;
        let mut sounding = Vec::new();
        let mut last = 0.0f32;
        for _ in 0..1_000 {
            tone.read(&mut frame);
            sounding.push(frame.iter().any(|s| s.abs() > 0.01));
            for sample in frame {
                assert!((sample - last).abs() < 0.01, "a click");
                last = sample;
            }
        }
        for (n, on) in sounding.iter().enumerate() {
            assert_eq!(*on, n % 500 < 100, "at {} ms", n * 10);
        }
    }

    #[test]
    fn every_tone_sounds_at_once() {
        for kind in [
            CallProgress::Ringback,
            CallProgress::Busy,
            CallProgress::Congestion,
            CallProgress::Dial,
            CallProgress::CallWaiting,
            CallProgress::Ring,
        ] {
            let mut frame = SILENCE;
            CallProgressTone::new(kind).read(&mut frame);
            assert!(frame.iter().any(|s| s.abs() > 0.05), "{kind:?}");
        }
    }
}
