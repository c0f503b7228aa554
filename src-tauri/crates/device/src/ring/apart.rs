//! Two devices with clocks of their own, and the beat between them, for half an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sidetone_media::{FRAME_LEN, Flow, Frame, SILENCE};

use super::{Health, capture_ring, playback_ring};

const RATE: f64 = 48_000.0;
const BLOCK: usize = 480;
const MINUTES: u64 = 30;
/// Until both loops have found the clocks.
const SETTLED: f64 = 90.0;
/// The signal is a ramp that tells the time of its recording within one second.
const PERIOD: f64 = 1.0;
const LONGEST_DELAY: f64 = 0.1;
/// At 100 ppm a block of 10 ms slides along the beat in 100 s.
const CYCLE: f64 = 100.0;

/// A device whose clock is off by `drift`, and where it is in its samples.
struct Clock {
    rate: f64,
    samples: u64,
}

impl Clock {
    fn new(drift: f64) -> Self {
        Self { rate: RATE * (1.0 + drift), samples: 0 }
    }

    /// True seconds at its next sample.
    fn time(&self) -> f64 {
        self.samples as f64 / self.rate
    }

    /// True seconds when its next block is complete.
    fn next_callback(&self) -> f64 {
        (self.samples + BLOCK as u64) as f64 / self.rate
    }
}

/// What the speaker played after the loops had settled.
struct Heard {
    shortest: f64,
    longest: f64,
    /// The largest step from one sample to the next that is not the ramp's own, in samples.
    roughest: f64,
    last: Option<f64>,
    /// Sum and number of the delays in each cycle, in which the blocks slide once along the beat.
    cycles: Vec<(f64, u64)>,
}

impl Heard {
    fn new() -> Self {
        Self { shortest: f64::MAX, longest: f64::MIN, roughest: 0.0, last: None, cycles: Vec::new() }
    }

    fn take(&mut self, played_at: f64, value: f32) {
        let recorded_at = f64::from(value) * PERIOD;
        // The ramp begins anew somewhere in here, and the filters ring.
        if played_at.rem_euclid(PERIOD) < LONGEST_DELAY {
            self.last = None;
            return;
        }
        let delay = (played_at - recorded_at).rem_euclid(PERIOD);
        (self.shortest, self.longest) = (self.shortest.min(delay), self.longest.max(delay));
        let cycle = (played_at / CYCLE) as usize;
        self.cycles.resize(self.cycles.len().max(cycle + 1), (0.0, 0));
        self.cycles[cycle].0 += delay;
        self.cycles[cycle].1 += 1;
        if let Some(last) = self.last.replace(recorded_at) {
            self.roughest = self.roughest.max(((recorded_at - last) * RATE - 1.0).abs());
        }
    }
}

fn run(microphone_drift: f64, speaker_drift: f64) -> (Heard, [(u64, u64); 2]) {
    let (captured, played) = (Arc::new(Health::default()), Arc::new(Health::default()));
    let (mut microphone, mut reader) = capture_ring(Arc::clone(&captured));
    let (mut writer, mut speaker) = playback_ring(Arc::clone(&played));
    let (mut recording, mut playing) = (Clock::new(microphone_drift), Clock::new(speaker_drift));
    let mut heard = Heard::new();
    let mut frame: Frame = SILENCE;
    let mut block = [0.0f32; BLOCK];
    let start = Instant::now();
    let counts = |health: &Health| (health.underruns(), health.skipped());
    let mut before = [(0, 0); 2];
    for beat in 1..=MINUTES * 60 * 100 {
        let at = beat as f64 * 0.01;
        while recording.next_callback() <= at {
            for sample in &mut block {
                *sample = (recording.time().rem_euclid(PERIOD) / PERIOD) as f32;
                recording.samples += 1;
            }
            microphone.write(&block);
        }
        let now = start + Duration::from_millis(10 * beat);
        let flow = reader.read(now, &mut frame);
        assert!(at < SETTLED || flow == Flow::Live, "a gap after {at:.2} s");
        writer.write(now, &frame);
        while playing.next_callback() <= at {
            speaker.read(&mut block, 0);
            for sample in block {
                // A block is heard from when it has been handed over.
                let played_at = playing.time() + BLOCK as f64 / playing.rate;
                playing.samples += 1;
                if at >= SETTLED {
                    heard.take(played_at, sample);
                }
            }
        }
        if beat == (SETTLED * 100.0) as u64 {
            before = [counts(&captured), counts(&played)];
        }
    }
    let after = [counts(&captured), counts(&played)];
    (heard, std::array::from_fn(|n| (after[n].0 - before[n].0, after[n].1 - before[n].1)))
}

#[test]
fn two_devices_200_ppm_apart_keep_their_delay_for_half_an_hour_without_a_gap() {
    const { assert!(FRAME_LEN == BLOCK) };
    let (heard, lost) = run(100e-6, -100e-6);
    assert_eq!(lost, [(0, 0); 2], "underruns and skipped samples of microphone and speaker");
    // Within a cycle it moves by a block of each device, as a sample waits for its block's end; uncorrected it would have
    // moved by 360 ms.
    let wander = (heard.longest - heard.shortest) * 1_000.0;
    assert!(wander < 21.0, "the delay wanders by {wander:.2} ms");
    assert!(heard.longest < 0.06, "{:.1} ms", heard.longest * 1_000.0);
    assert!(heard.roughest < 0.1, "{}", heard.roughest);
    let means: Vec<f64> = heard.cycles[1..18].iter().map(|(sum, n)| sum / *n as f64 * 1_000.0).collect();
    assert!(means.iter().all(|mean| (mean - means[0]).abs() < 1.0), "means of the cycles, ms: {means:.2?}");
}
