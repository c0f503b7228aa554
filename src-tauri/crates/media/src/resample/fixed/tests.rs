use super::*;
use std::f64::consts::TAU;

fn tone(rate: u32, hz: f64, seconds: f64) -> Vec<f32> {
    let len = (f64::from(rate) * seconds) as usize;
    (0..len).map(|n| (TAU * hz * n as f64 / f64::from(rate)).sin() as f32).collect()
}

/// Level of `hz` and of all the rest, in dB below a full-scale sine.
fn levels(signal: &[f32], rate: u32, hz: f64) -> (f64, f64) {
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (n, s) in signal.iter().enumerate() {
        let (sin, cos) = (TAU * hz * n as f64 / f64::from(rate)).sin_cos();
        re += f64::from(*s) * cos;
        im += f64::from(*s) * sin;
        energy += f64::from(*s) * f64::from(*s);
    }
    let half = signal.len() as f64 / 2.0;
    let tone = (re * re + im * im) / half;
    (10.0 * (tone / half).log10(), 10.0 * ((energy - tone).max(1e-12) / half).log10())
}

fn convert(from: u32, to: u32, input: &[f32]) -> Vec<f32> {
    let mut resampler = Resampler::new(from, to).unwrap();
    let mut output = Vec::new();
    resampler.process(input, &mut output);
    output
}

#[test]
fn the_speech_band_passes_and_images_do_not() {
    for (from, to, hz) in [
        (8_000, 48_000, 3_400.0),
        (48_000, 8_000, 3_400.0),
        (16_000, 48_000, 7_000.0),
        (48_000, 16_000, 7_000.0),
        (44_100, 48_000, 15_000.0),
        (48_000, 44_100, 15_000.0),
        (22_050, 48_000, 9_000.0),
        (11_025, 48_000, 4_500.0),
        (96_000, 48_000, 20_000.0),
        (192_000, 48_000, 20_000.0),
        (12_345, 48_000, 5_000.0),
        (8_000, 16_000, 1_000.0),
    ] {
        let output = convert(from, to, &tone(from, hz, 1.2));
        let steady = &output[to as usize / 10..to as usize / 10 + to as usize];
        let (level, rest) = levels(steady, to, hz);
        assert!(level.abs() < 1.0, "{from} to {to}: {hz} Hz at {level} dB");
        assert!(rest < -50.0, "{from} to {to}: {hz} Hz leaves {rest} dB of images");
    }
}

#[test]
fn what_the_slower_rate_cannot_hold_is_taken_out() {
    for (to, hz) in [(8_000, 4_700.0), (8_000, 15_000.0), (16_000, 9_200.0), (32_000, 18_000.0)] {
        let output = convert(48_000, to, &tone(48_000, hz, 0.5));
        let (_, alias) = levels(&output[to as usize / 10..], to, 0.0);
        assert!(alias < -50.0, "{hz} Hz at {to}: {alias} dB");
    }
}

#[test]
fn ten_milliseconds_in_give_ten_milliseconds_out() {
    for rate in [8_000u32, 16_000, 44_100, 32_000, 24_000, 48_000, 22_100] {
        let mut up = Resampler::new(rate, 48_000).unwrap();
        let mut down = Resampler::new(48_000, rate).unwrap();
        let (mut frame, mut back) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            frame.clear();
            back.clear();
            up.process(&vec![0.1; rate as usize / 100], &mut frame);
            assert_eq!(frame.len(), 480, "{rate}");
            down.process(&frame, &mut back);
            assert_eq!(back.len(), rate as usize / 100, "{rate}");
        }
    }
}

#[test]
fn block_sizes_make_no_difference_and_announced_room_is_enough() {
    let input = tone(44_100, 900.0, 0.3);
    let whole = convert(44_100, 48_000, &input);
    let mut resampler = Resampler::new(44_100, 48_000).unwrap();
    let mut parts = Vec::new();
    for block in input.chunks(77) {
        let before = parts.len();
        resampler.process(block, &mut parts);
        assert!(parts.len() - before <= resampler.max_output(block.len()));
    }
    assert_eq!(whole, parts);
}

#[test]
fn an_awkward_ratio_is_exact_over_time() {
    for from in [44_099u32, 47_999, 12_345, 96_001, 7_351] {
        let mut resampler = Resampler::new(from, 48_000).unwrap();
        let mut output = Vec::new();
        resampler.process(&vec![0.5; from as usize * 3], &mut output);
        assert_eq!(output.len(), 3 * 48_000, "{from}");
    }
}

#[test]
fn a_rate_out_of_range_is_refused_by_name() {
    for (from, to, field) in [(0, 48_000, "from"), (48_000, 1, "to"), (u32::MAX, 48_000, "from")] {
        assert!(Resampler::new(from, to).unwrap_err().to_string().starts_with(field));
    }
}
