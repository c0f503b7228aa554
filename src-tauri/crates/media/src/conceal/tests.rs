use super::*;
use crate::test_signal::{Noise, speech};

fn rms(signal: &[f32]) -> f32 {
    (signal.iter().map(|s| s * s).sum::<f32>() / signal.len() as f32).sqrt()
}

fn ready(rate: u32, signal: &[f32]) -> Concealer {
    let mut concealer = Concealer::new(rate);
    for block in signal.chunks(rate as usize / 100) {
        concealer.observe(block);
    }
    concealer
}

/// A vowel of `hz`.
fn vowel(rate: u32, hz: f32, length: usize) -> Vec<f32> {
    (0..length)
        .map(|n| {
            let phase = std::f32::consts::TAU * hz * n as f32 / rate as f32;
            0.3 * phase.sin() + 0.2 * (3.0 * phase).sin() + 0.1 * (7.0 * phase).sin()
        })
        .collect()
}

#[test]
fn a_lost_vowel_keeps_its_energy_for_20_ms_and_is_silent_at_60() {
    for rate in [8_000u32, 16_000, 48_000] {
        for hz in [70.0, 110.0, 163.0, 195.0, 333.0] {
            let ms = rate as usize / 1_000;
            let signal = vowel(rate, hz, 200 * ms);
            let mut concealer = ready(rate, &signal);
            let before = rms(&signal[180 * ms..]);
            let mut gap = vec![0.0; 120 * ms];
            for part in gap.chunks_mut(10 * ms) {
                concealer.conceal(part);
            }
            let level = |from: usize| rms(&gap[from * ms..(from + 10) * ms]) / before;
            assert!((0.8..1.2).contains(&level(0)), "{rate} {hz}: {}", level(0));
            assert!((0.7..1.1).contains(&level(10)), "{rate} {hz}: {}", level(10));
            assert!((0.1..0.6).contains(&level(40)), "{rate} {hz}: {}", level(40));
            assert_eq!(level(60), 0.0, "{rate} {hz}");
            assert!(concealer.is_silent());
        }
    }
}

#[test]
fn a_steady_vowel_goes_on_as_it_would_have() {
    let signal = vowel(8_000, 125.0, 2_000);
    let mut concealer = ready(8_000, &signal[..1_600]);
    let mut gap = [0.0; 80];
    concealer.conceal(&mut gap);
    let error: Vec<f32> = gap.iter().zip(&signal[1_600..]).map(|(a, b)| a - b).collect();
    assert!(rms(&error) < 0.03 * rms(&signal), "{}", rms(&error));
}

#[test]
fn neither_end_of_a_gap_clicks() {
    for (rate, gap_ms) in [(8_000u32, 10), (8_000, 20), (8_000, 50), (16_000, 30), (16_000, 200)] {
        let ms = rate as usize / 1_000;
        let signal = vowel(rate, 117.0, 500 * ms);
        let steepest = signal.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        let (start, end) = (203 * ms, (203 + gap_ms) * ms);
        let mut concealer = ready(rate, &signal[..start]);
        let mut out = signal.clone();
        for part in out[start..end].chunks_mut(10 * ms) {
            concealer.conceal(part);
        }
        concealer.blend(&mut out[end..end + 20 * ms]);
        let worst = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(worst < 1.6 * steepest, "{rate} Hz, {gap_ms} ms: {worst} over {steepest}");
    }
}

#[test]
fn speech_noise_and_silence_are_concealed_without_a_burst() {
    let mut noise = Noise(5);
    let hiss: Vec<f32> = (0..8_000).map(|_| 0.1 * noise.sample()).collect();
    for signal in [speech(8_000, 1.0), hiss, vec![0.0; 8_000]] {
        for start in (800..7_000).step_by(371) {
            let mut concealer = ready(8_000, &signal[..start]);
            let mut gap = [0.0; 800];
            concealer.conceal(&mut gap);
            let before = signal[start - 390..start].iter().fold(0.0f32, |m, s| m.max(s.abs()));
            let peak = gap.iter().fold(0.0f32, |m, s| m.max(s.abs()));
            assert!(peak <= 1.01 * before + 1e-6, "at {start}: {peak} after {before}");
        }
    }
}

#[test]
fn odd_block_lengths_make_no_difference_to_safety() {
    let signal = speech(8_000, 0.5);
    let mut random = Noise(1);
    let mut concealer = ready(8_000, &signal);
    for _ in 0..2_000 {
        let mut block = vec![0.1; random.next() as usize % 700];
        match random.next() % 4 {
            0 => concealer.observe(&block),
            1 => concealer.blend(&mut block),
            2 => concealer.conceal(&mut block),
            _ => concealer.close(),
        }
        assert!(block.iter().all(|s| s.is_finite()));
    }
}
