use super::*;
use crate::synthetic::SilenceSource;
use crate::tone::TestTone;

/// A tone that says when it is gone.
struct Tone(TestTone, Option<std::sync::mpsc::Sender<()>>);

impl Source for Tone {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        self.0.read(frame)
    }
}

impl Drop for Tone {
    fn drop(&mut self) {
        if let Some(gone) = self.1.take() {
            let _ = gone.send(());
        }
    }
}

fn fader(name: &str, input: FaderInput, gain: f32) -> Fader {
    Fader { name: name.into(), input, gain }
}

fn tone(name: &str, hz: f32, gain: f32) -> Fader {
    fader(name, FaderInput::Source(Box::new(Tone(TestTone::with_amplitude(hz, 0.4), None))), gain)
}

/// Samples of so many frames, with the greatest step from one sample to the next.
fn listen(faders: &mut Faders, microphone: &Frame, frames: usize, last: &mut f32) -> (Vec<f32>, f32) {
    let (mut samples, mut step) = (Vec::new(), 0.0f32);
    for _ in 0..frames {
        let mut out = SILENCE;
        faders.read(microphone, &mut out);
        for sample in out {
            step = step.max((sample - *last).abs());
            *last = sample;
        }
        samples.extend_from_slice(&out);
    }
    (samples, step)
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// A sine of 0.4 at 300 Hz moves so far between two samples.
const SINE_STEP: f32 = 0.4 * std::f32::consts::TAU * 300.0 / 48_000.0;

#[test]
fn inputs_are_mixed_by_their_gains() {
    let mut faders = Faders::default();
    faders.set(vec![
        fader("default", FaderInput::Microphone, 0.5),
        tone("tone:300", 300.0, 1.0),
        fader("silence", FaderInput::Source(Box::new(SilenceSource)), 2.0),
    ]);
    assert!(faders.listens());
    let mut last = 0.0;
    listen(&mut faders, &[0.2; FRAME_LEN], 2, &mut last);
    let (samples, _) = listen(&mut faders, &[0.2; FRAME_LEN], 100, &mut last);
    let mean = samples.iter().sum::<f32>() / samples.len() as f32;
    assert!((mean - 0.1).abs() < 1e-3, "half of the microphone: {mean}");
    assert!((peak(&samples) - 0.5).abs() < 0.01, "{}", peak(&samples));
}

#[test]
fn no_change_of_a_gain_clicks() {
    let mut faders = Faders::default();
    faders.set(vec![tone("tone", 300.0, 1.0)]);
    let mut last = 0.0;
    for gain in [0.0, 1.0, 2.0, 0.1, 2.0, 0.0, 2.0] {
        faders.set_gains(&[gain, 9.0]);
        let (samples, step) = listen(&mut faders, &SILENCE, 7, &mut last);
        assert!(step < 2.3 * SINE_STEP + 2.0 * 0.8 / FRAME_LEN as f32, "to {gain}: {step}");
        let settled = peak(&samples[FRAME_LEN..]);
        assert!((settled - 0.4 * gain).abs() < 0.01, "to {gain}: {settled}");
    }
    for (bad, becomes) in [(f32::NAN, 0.0), (-1.0, 0.0), (f32::INFINITY, 0.8)] {
        faders.set_gains(&[bad]);
        listen(&mut faders, &SILENCE, 1, &mut last);
        let (samples, _) = listen(&mut faders, &SILENCE, 5, &mut last);
        assert!((peak(&samples) - becomes).abs() < 0.01, "{bad}: {}", peak(&samples));
    }
}

#[test]
fn mute_is_silence_after_one_frame_and_the_inputs_go_on() {
    let mut faders = Faders::default();
    faders.set(vec![tone("tone", 300.0, 1.0), fader("default", FaderInput::Microphone, 1.0)]);
    let mut last = 0.0;
    listen(&mut faders, &SILENCE, 7, &mut last);
    faders.set_muted(true);
    let (samples, step) = listen(&mut faders, &SILENCE, 7, &mut last);
    assert!(step < 2.0 * SINE_STEP, "{step}");
    assert!(samples[FRAME_LEN..].iter().all(|sample| *sample == 0.0));
    assert!(!faders.listens(), "nobody hears the microphone");
    faders.set_muted(false);
    assert!(faders.listens());
    let (samples, step) = listen(&mut faders, &SILENCE, 7, &mut last);
    assert!(step < 2.0 * SINE_STEP, "{step}");
    assert!(peak(&samples) > 0.39);
}

#[test]
fn nothing_is_heard_of_what_begins_muted() {
    let mut faders = Faders::default();
    faders.set_muted(true);
    faders.set(vec![tone("tone", 300.0, 2.0)]);
    let (samples, _) = listen(&mut faders, &SILENCE, 3, &mut 0.0);
    assert!(samples.iter().all(|sample| *sample == 0.0));
}

#[test]
fn inputs_come_and_go_without_a_click_and_are_given_back() {
    let (gone, told) = std::sync::mpsc::channel();
    let first = Tone(TestTone::with_amplitude(300.0, 0.4), Some(gone));
    let mut faders = Faders::default();
    faders.set(vec![fader("a", FaderInput::Source(Box::new(first)), 1.0)]);
    let mut last = 0.0;
    // It ends in the middle of a wave.
    listen(&mut faders, &SILENCE, 6, &mut last);
    faders.set(vec![tone("b", 250.0, 1.0)]);
    assert!(faders.take_gone().is_none(), "it has to fade first");
    let (samples, step) = listen(&mut faders, &SILENCE, 6, &mut last);
    assert!(step < 2.5 * SINE_STEP, "{step}");
    assert!(peak(&samples) < 0.6);
    assert!(told.try_recv().is_err(), "dropping it is not the audio thread's work");
    drop(faders.take_gone());
    assert!(told.try_recv().is_ok());
    assert!(faders.take_gone().is_none());
}

#[test]
fn what_goes_on_is_not_touched() {
    let mut faders = Faders::default();
    faders.set(vec![tone("tone", 300.0, 1.0), fader("default", FaderInput::Microphone, 1.0)]);
    let mut alone = Faders::default();
    alone.set(vec![tone("tone", 300.0, 1.0), fader("default", FaderInput::Microphone, 1.0)]);
    let microphone = [0.1; FRAME_LEN];
    let (mut last, mut other) = (0.0, 0.0);
    listen(&mut faders, &microphone, 5, &mut last);
    listen(&mut alone, &microphone, 5, &mut other);
    // Another order, and one more.
    faders.set(vec![
        fader("default", FaderInput::Microphone, 1.0),
        fader("silence", FaderInput::Source(Box::new(SilenceSource)), 1.0),
        fader("tone", FaderInput::Running, 1.0),
        fader("unknown", FaderInput::Running, 1.0),
    ]);
    assert_eq!(faders.names().collect::<Vec<_>>(), ["default", "silence", "tone", "unknown"]);
    let (samples, _) = listen(&mut faders, &microphone, 5, &mut last);
    let (expected, _) = listen(&mut alone, &microphone, 5, &mut other);
    assert!(samples.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// Gives nothing in its first three frames, and tells in the first why.
struct Failing(u32);

impl Source for Failing {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        frame.fill(0.0);
        self.0 += 1;
        if self.0 > 3 { Flow::Live } else { Flow::Starved }
    }
    fn fault(&mut self) -> Option<DeviceFault> {
        (self.0 == 1).then_some(DeviceFault::Gone)
    }
}

#[test]
fn a_fault_is_told_by_name_until_the_source_has_given_sound_again_for_some_time() {
    let mut faders = Faders::default();
    let failing = fader("system", FaderInput::Source(Box::new(Failing(0))), 1.0);
    faders.set(vec![tone("tone", 300.0, 1.0), failing]);
    assert_eq!(faders.faults().count(), 0);
    for _ in 0..3 + WELL - 1 {
        faders.read(&SILENCE, &mut SILENCE.clone());
        assert_eq!(faders.faults().collect::<Vec<_>>(), [("system", &DeviceFault::Gone)]);
    }
    faders.read(&SILENCE, &mut SILENCE.clone());
    assert_eq!(faders.faults().count(), 0);
}

#[test]
fn many_loud_inputs_stay_in_range() {
    let mut faders = Faders::default();
    faders.set((0u8..8).map(|n| tone(&format!("{n}"), 200.0 + f32::from(n) * 37.0, 2.0)).collect());
    let (samples, _) = listen(&mut faders, &SILENCE, 200, &mut 0.0);
    assert!(peak(&samples) <= 1.0);
}
