//! The tone that says: this call is recorded.

use super::call_progress::TwoTone;
use crate::device::{Flow, Source};
use crate::frame::Frame;

/// 1400 Hz for 0.2 s, every 15 s, as recorders of telephone calls announce themselves (FCC 47 CFR 64.501; ITU-T E.180 has the
/// same pitch).
const HZ: f32 = 1_400.0;
const ON_FRAMES: u32 = 20;
const PERIOD_FRAMES: u32 = 1_500;
/// -20 dBFS: heard by both, and no strain.
const AMPLITUDE: f32 = 0.1;

/// Beeps at once, and every 15 s from then on.
#[derive(Debug, Clone)]
pub struct RecordingTone {
    voice: TwoTone,
    frame: u32,
}

impl Default for RecordingTone {
    fn default() -> Self {
        Self { voice: TwoTone::new([HZ, 0.0], AMPLITUDE), frame: 0 }
    }
}

impl Source for RecordingTone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        frame.fill(0.0);
        if self.frame == 0 {
            self.voice = TwoTone::new([HZ, 0.0], AMPLITUDE);
        }
        if self.frame < ON_FRAMES {
            self.voice.add(frame, self.frame + 1 == ON_FRAMES);
        }
        self.frame = (self.frame + 1) % PERIOD_FRAMES;
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    #[test]
    fn it_beeps_for_a_fifth_of_a_second_every_fifteen_seconds() {
        let mut tone = RecordingTone::default();
        let mut frame = SILENCE;
        for n in 0..4_500 {
            tone.read(&mut frame);
            let sounds = frame.iter().any(|s| s.abs() > 0.05);
            assert_eq!(sounds, n % 1_500 < 20, "at {} ms", n * 10);
        }
    }
}
