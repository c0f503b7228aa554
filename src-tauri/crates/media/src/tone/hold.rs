//! What a held party hears where nothing else was chosen: a short quiet tune of our own.

use super::oscillator::Oscillator;
use crate::device::{Flow, Source};
use crate::frame::{Frame, SAMPLE_RATE};

/// A step of the tune: half a second.
const STEP_FRAMES: u32 = 50;
/// Notes that ring at once; each rings for three seconds.
const VOICES: usize = 8;
/// A note's loudest moment; four together stay under -17 dBFS.
const AMPLITUDE: f64 = 0.045;
/// What is left of a note's level from one sample to the next, -13 dB a second: a marimba's, not an organ's.
const DECAY: f64 = 0.999_968_456;
/// A note's rise, in samples: 12 ms, so that nothing clicks.
const RISE: u32 = 576;
/// A note's end.
const LENGTH: u32 = 3 * SAMPLE_RATE;

/// MIDI numbers, 0 rests. Eight bars of six steps in slow three-four time: C, Am, F, G, Em, Am, Dm7, G. The lowest
/// is G3, as telephones carry little below, and the highest E5, for long listening.
const TUNE: [[u8; 6]; 8] = [
    [60, 0, 67, 72, 0, 67],
    [57, 0, 64, 72, 0, 64],
    [65, 0, 69, 72, 0, 69],
    [55, 0, 62, 71, 0, 67],
    [64, 0, 67, 71, 0, 67],
    [57, 0, 64, 69, 0, 72],
    [62, 0, 65, 72, 0, 69],
    [55, 0, 62, 67, 0, 0],
];
/// Above every second bar one note of melody, in the bar's second half.
const MELODY: [u8; 8] = [76, 0, 74, 0, 71, 0, 69, 0];

/// Plays the tune again and again: twice its 24 s, then 12 s of rest.
#[derive(Debug, Clone)]
pub struct HoldTune {
    notes: [Note; VOICES],
    next: usize,
    frame: u32,
    step: usize,
}

#[derive(Debug, Clone)]
struct Note {
    oscillator: Oscillator,
    overtone: Oscillator,
    level: f64,
    age: u32,
}

impl Note {
    fn new(midi: u8) -> Self {
        let hz = 440.0 * 2f64.powf((f64::from(midi) - 69.0) / 12.0);
        // The fourth partial of a bar of wood lies two octaves up.
        Self {
            oscillator: Oscillator::new(hz as f32),
            overtone: Oscillator::new((hz * 4.0) as f32),
            level: AMPLITUDE,
            age: 0,
        }
    }

    fn silent() -> Self {
        Self { age: LENGTH, ..Self::new(60) }
    }

    fn add(&mut self, frame: &mut Frame) {
        if self.age >= LENGTH {
            return;
        }
        for (n, sample) in frame.iter_mut().enumerate() {
            let age = self.age + n as u32;
            let rise = f64::from(age.min(RISE)) / f64::from(RISE);
            let fall = f64::from((LENGTH - age.min(LENGTH)).min(RISE)) / f64::from(RISE);
            let gain = self.level * rise * fall;
            let knock = f64::from(self.overtone.sample()) * 0.12 * (self.level / AMPLITUDE).powi(3);
            *sample += ((f64::from(self.oscillator.sample()) + knock) * gain) as f32;
            self.level *= DECAY;
        }
        self.age += frame.len() as u32;
        self.oscillator.renormalise();
        self.overtone.renormalise();
    }
}

impl Default for HoldTune {
    fn default() -> Self {
        Self { notes: std::array::from_fn(|_| Note::silent()), next: 0, frame: 0, step: 0 }
    }
}

impl HoldTune {
    fn strike(&mut self, midi: u8) {
        if midi > 0 {
            self.notes[self.next] = Note::new(midi);
            self.next = (self.next + 1) % VOICES;
        }
    }

    fn on_step(&mut self) {
        let steps = TUNE.len() * 6;
        // Twice the tune, then a rest of half its length.
        let at = self.step % (steps * 5 / 2);
        self.step += 1;
        if at >= 2 * steps {
            return;
        }
        let (bar, beat) = (at % steps / 6, at % 6);
        self.strike(TUNE[bar][beat]);
        if beat == 3 {
            self.strike(MELODY[bar]);
        }
    }
}

impl Source for HoldTune {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        if self.frame == 0 {
            self.on_step();
        }
        self.frame = (self.frame + 1) % STEP_FRAMES;
        frame.fill(0.0);
        for note in &mut self.notes {
            note.add(frame);
        }
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
    use crate::meter::Meter;

    #[test]
    fn the_tune_is_quiet_never_clicks_rests_and_comes_again() {
        let mut tune = HoldTune::default();
        let mut frame = SILENCE;
        let mut last = 0.0f32;
        let mut seconds = Vec::new();
        for _ in 0..70 {
            let mut meter = Meter::default();
            for _ in 0..100 {
                tune.read(&mut frame);
                meter.measure(&frame);
                for sample in frame {
                    assert!((sample - last).abs() < 0.02, "a click: {last} to {sample}");
                    last = sample;
                }
            }
            seconds.push(meter.take());
        }
        assert!(seconds.iter().all(|s| s.peak < -14.0), "{seconds:?}");
        assert!(seconds[..48].iter().all(|s| (-45.0..-22.0).contains(&s.rms)), "{seconds:?}");
        assert!(seconds[52..60].iter().all(|s| s.rms < -60.0), "{seconds:?}");
        assert!(seconds[61].rms > -45.0);
    }
}
