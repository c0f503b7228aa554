//! The microphone's processing in a simulated room.
#![allow(clippy::unwrap_used)]

use sidetone_media::{FRAME_LEN, Frame, Processing, ProcessingOptions};
use sidetone_testkit::audio::{Acoustics, Wav, speech_like};

const RATE: u32 = 48_000;

/// Runs a room: `far` is played, the microphone hears its echo, its own noise and `near`.
fn run(processing: &mut Processing, far: &[f32], room: &Acoustics, near: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let played = Wav { rate: RATE, samples: far.to_vec() };
    let echo = room.echo(&played).samples;
    let noise = room.noise(far.len(), RATE).samples;
    let mut out = Vec::with_capacity(far.len());
    for (n, frame) in far.as_chunks::<FRAME_LEN>().0.iter().enumerate() {
        processing.render(frame);
        let mut captured: Frame = std::array::from_fn(|i| {
            let at = n * FRAME_LEN + i;
            echo[at] + noise[at] + near.get(at).copied().unwrap_or(0.0)
        });
        processing.capture(&mut captured);
        out.extend_from_slice(&captured);
    }
    (echo, out)
}

fn level(samples: &[f32]) -> f64 {
    let mean = samples.iter().map(|s| f64::from(s * s)).sum::<f64>() / samples.len().max(1) as f64;
    10.0 * mean.max(1e-20).log10()
}

fn scaled(seconds: f32, dbfs: f64) -> Vec<f32> {
    let wav = speech_like(seconds, RATE);
    let gain = 10f64.powf((dbfs - level(&wav.samples)) / 20.0) as f32;
    wav.samples.iter().map(|s| s * gain).collect()
}

#[test]
fn two_seconds_after_the_start_the_loudspeaker_is_not_heard_any_more() {
    let far = scaled(5.0, -20.0);
    for delay_ms in [40.0, 120.0, 200.0] {
        let room = Acoustics { delay_ms, ..Acoustics::default() };
        let mut processing = Processing::new(ProcessingOptions::ALL);
        let (echo, out) = run(&mut processing, &far, &room, &[]);
        let after = 2 * RATE as usize;
        let enhancement = level(&echo[after..]) - level(&out[after..]);
        assert!(enhancement >= 40.0, "{delay_ms} ms: {enhancement:.1} dB");
        let found = f64::from(processing.delay_ms().unwrap());
        assert!((found - delay_ms).abs() <= 12.0, "{delay_ms} ms: found {found}");
    }
}

#[test]
fn nothing_is_taken_from_one_who_speaks_alone() {
    let near = scaled(4.0, -24.0);
    let silent = vec![0.0; near.len()];
    let mut processing = Processing::new(ProcessingOptions { gain_control: false, ..ProcessingOptions::ALL });
    let (_, out) = run(&mut processing, &silent, &Acoustics::default(), &near);
    let after = RATE as usize;
    let loss = level(&near[after..]) - level(&out[after..]);
    assert!(loss.abs() < 5.0, "{loss:.1} dB");
}

#[test]
fn steady_noise_is_taken_down_by_ten_decibels() {
    let room = Acoustics { noise_dbfs: -45.0, ..Acoustics::default() };
    let silent = vec![0.0; 4 * RATE as usize];
    let options = ProcessingOptions { noise_suppression: true, ..ProcessingOptions::NONE };
    let (_, out) = run(&mut Processing::new(options), &silent, &room, &[]);
    let quiet = level(&out[2 * RATE as usize..]);
    assert!(quiet < -55.0, "{quiet:.1} dBFS");
}

#[test]
fn a_quiet_and_a_loud_speaker_come_to_a_common_level() {
    let options = ProcessingOptions { gain_control: true, ..ProcessingOptions::NONE };
    let levels = [-42.0, -14.0].map(|dbfs| {
        let near = scaled(20.0, dbfs);
        let silent = vec![0.0; near.len()];
        let (_, out) = run(&mut Processing::new(options), &silent, &Acoustics::default(), &near);
        assert!(out.iter().all(|s| s.abs() <= 1.0));
        level(&out[15 * RATE as usize..])
    });
    assert!((levels[0] - levels[1]).abs() < 8.0, "{levels:?}");
    assert!(levels[0] > -30.0, "{levels:?}");
}

#[test]
fn a_part_can_be_switched_in_a_call_and_the_canceller_keeps_what_it_learned() {
    let far = scaled(8.0, -20.0);
    let room = Acoustics::default();
    let mut processing = Processing::new(ProcessingOptions::ALL);
    let half = far.len() / 2;
    let played = Wav { rate: RATE, samples: far.clone() };
    let echo = room.echo(&played).samples;
    let mut out = Vec::new();
    for (n, frame) in far.as_chunks::<FRAME_LEN>().0.iter().enumerate() {
        if n * FRAME_LEN == half {
            processing.set(ProcessingOptions { echo_cancellation: true, ..ProcessingOptions::NONE });
        }
        processing.render(frame);
        let mut captured: Frame = std::array::from_fn(|i| echo[n * FRAME_LEN + i]);
        processing.capture(&mut captured);
        out.extend_from_slice(&captured);
    }
    let second = half..half + RATE as usize;
    let enhancement = level(&echo[second.clone()]) - level(&out[second]);
    assert!(enhancement > 30.0, "{enhancement:.1} dB");

    processing.set(ProcessingOptions::NONE);
    let mut frame: Frame = std::array::from_fn(|i| (i as f32 * 0.1).sin() * 0.5);
    let before = frame;
    processing.capture(&mut frame);
    assert_eq!(frame, before, "with everything off the microphone is as it is");
}

#[test]
fn samples_that_are_no_numbers_or_far_too_loud_spoil_nothing_that_follows() {
    let mut processing = Processing::new(ProcessingOptions::ALL);
    let mut bad: Frame = [f32::NAN; FRAME_LEN];
    bad[1] = f32::INFINITY;
    bad[2] = 1e30;
    for _ in 0..20 {
        processing.render(&bad);
        let mut frame = bad;
        processing.capture(&mut frame);
        assert!(frame.iter().all(|s| s.is_finite()));
    }
    let near = scaled(3.0, -24.0);
    let silent = vec![0.0; near.len()];
    let (_, out) = run(&mut processing, &silent, &Acoustics::default(), &near);
    assert!(level(&out[RATE as usize..]) > -35.0);
}
