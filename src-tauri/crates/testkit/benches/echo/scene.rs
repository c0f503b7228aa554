//! Two speakers and a room.

use std::time::Instant;

use sidetone_media::{FRAME_LEN, Frame, Processing, ProcessingOptions, SAMPLE_RATE};
use sidetone_testkit::Result;
use sidetone_testkit::audio::{Acoustics, Wav, speak, stoi};

const FAR: &str = "The quick brown fox jumps over the lazy dog, while six wizards quietly mix five jugs of vodka. \
Every evening the old clock in the harbour strikes nine, and the boats come home with their nets full of silver fish. \
Nobody knows who painted the northern wall, but the colours change with the weather.";
const NEAR: &str = "Please confirm the delivery address before noon. We could meet on Thursday afternoon near the \
station, or else send the signed papers by courier to the office on the second floor.";
const FAR_DBFS: f32 = -20.0;
const NEAR_DBFS: f32 = -24.0;
/// When the near end begins to speak, and when the echo must be gone.
const NEAR_AT: usize = 6 * SAMPLE_RATE as usize;
const SETTLED: usize = 2 * SAMPLE_RATE as usize;
/// The processing's own delay is looked for up to here: 40 ms.
const MOST_LAG: usize = 1_920;

pub(crate) struct Scene {
    far: Wav,
    near: Wav,
}

/// What one room gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) found_ms: i32,
    pub(crate) erle: f64,
    /// The least of any two seconds after the first two.
    pub(crate) worst_erle: f64,
    pub(crate) stoi: f64,
    pub(crate) stoi_unprocessed: f64,
    /// Per cent of a core.
    pub(crate) cost: f64,
}

impl Case {
    /// The worst of each.
    pub(crate) fn worst(cases: &[Self]) -> Self {
        let least = |value: fn(&Self) -> f64| cases.iter().map(value).fold(f64::INFINITY, f64::min);
        Self {
            found_ms: cases.first().map_or(0, |case| case.found_ms),
            erle: least(|case| case.erle),
            worst_erle: least(|case| case.worst_erle),
            stoi: least(|case| case.stoi),
            stoi_unprocessed: least(|case| case.stoi_unprocessed),
            cost: cases.iter().map(|case| case.cost).fold(0.0, f64::max),
        }
    }
}

impl Scene {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            far: at_level(speak("en", FAR, SAMPLE_RATE)?, FAR_DBFS),
            near: at_level(speak("en+f3", NEAR, SAMPLE_RATE)?, NEAR_DBFS),
        })
    }

    pub(crate) fn far_seconds(&self) -> f64 {
        self.far.seconds()
    }

    pub(crate) fn near_seconds(&self) -> f64 {
        self.near.seconds()
    }

    /// The far end alone, and both.
    pub(crate) fn play(&self, room: &Acoustics, options: ProcessingOptions) -> Case {
        let echo = room.echo(&self.far).samples;
        let noise = room.noise(echo.len(), SAMPLE_RATE).samples;
        let alone: Vec<f32> = echo.iter().zip(&noise).map(|(echo, noise)| echo + noise).collect();
        let mut processing = Processing::new(options);
        let began = Instant::now();
        let left = self.process(&mut processing, &alone);
        let cost = 100.0 * began.elapsed().as_secs_f64() / self.far.seconds();
        let enhancement = |from: usize, to: usize| level(&echo[from..to]) - level(&left[from..to]);
        let spans = (SETTLED..left.len().saturating_sub(SETTLED)).step_by(SETTLED / 2);
        let worst_erle = spans.map(|from| enhancement(from, from + SETTLED)).fold(f64::INFINITY, f64::min);

        let mut both = alone;
        for (sample, near) in both[NEAR_AT..].iter_mut().zip(&self.near.samples) {
            *sample += near;
        }
        let left_of_both = self.process(&mut Processing::new(options), &both);
        let end = (NEAR_AT + self.near.samples.len()).min(both.len());
        let lag = self.lag(&left_of_both[NEAR_AT..]);
        Case {
            found_ms: processing.delay_ms().unwrap_or(-1),
            erle: enhancement(SETTLED, left.len()),
            worst_erle,
            stoi: self.understood(&left_of_both[(NEAR_AT + lag).min(end)..end]),
            stoi_unprocessed: self.understood(&both[NEAR_AT..end]),
            cost,
        }
    }

    fn process(&self, processing: &mut Processing, microphone: &[f32]) -> Vec<f32> {
        let played = self.far.samples.as_chunks::<FRAME_LEN>().0;
        let heard = microphone.as_chunks::<FRAME_LEN>().0;
        let mut out = Vec::with_capacity(microphone.len());
        for (played, heard) in played.iter().zip(heard) {
            let mut frame: Frame = *heard;
            processing.render(played);
            processing.capture(&mut frame);
            out.extend_from_slice(&frame);
        }
        out
    }

    /// By how many samples the processing delays the near end.
    fn lag(&self, left: &[f32]) -> usize {
        let likeness = |lag: usize| -> f32 {
            self.near.samples.iter().zip(&left[lag.min(left.len())..]).map(|(a, b)| a * b).sum()
        };
        (0..MOST_LAG).step_by(4).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b))).unwrap_or(0)
    }

    fn understood(&self, heard: &[f32]) -> f64 {
        let heard = Wav { rate: SAMPLE_RATE, samples: heard.to_vec() };
        stoi(&self.near, &heard).unwrap_or(0.0)
    }
}

fn at_level(mut wav: Wav, dbfs: f32) -> Wav {
    let gain = 10f32.powf(dbfs / 20.0) / wav.rms().max(1e-9);
    wav.samples.iter_mut().for_each(|sample| *sample = (*sample * gain).clamp(-1.0, 1.0));
    wav
}

fn level(samples: &[f32]) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(s * s)).sum();
    10.0 * (energy / samples.len().max(1) as f64).max(1e-20).log10()
}
