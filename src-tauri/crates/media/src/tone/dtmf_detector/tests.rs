use super::*;
use crate::device::Source;
use crate::frame::SILENCE;
use crate::tone::DtmfPlayer;
use crate::{Codec, Resampler};

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}

/// What is detected in a signal that begins anywhere within a frame.
fn detect(signal: &[f32], offset: usize) -> String {
    let mut detector = DtmfDetector::default();
    let mut padded = vec![0.0; offset];
    padded.extend_from_slice(signal);
    padded.extend([0.0; 4 * FRAME_LEN]);
    padded.as_chunks::<FRAME_LEN>().0.iter().filter_map(|frame| detector.push(frame)).collect()
}

/// Two tones of these frequencies and amplitudes.
fn pair(low: (f32, f32), high: (f32, f32), ms: usize) -> Vec<f32> {
    (0..ms * 48)
        .map(|n| {
            let at = TAU * n as f32 / 48_000.0;
            low.1 * (at * low.0).sin() + high.1 * (at * high.0).sin()
        })
        .collect()
}

fn with_noise(mut signal: Vec<f32>, rms: f32) -> Vec<f32> {
    let mut noise = Noise(77);
    signal.iter_mut().for_each(|sample| *sample += noise.next() * rms * 3f32.sqrt());
    signal
}

#[test]
fn every_digit_of_our_own_player_is_heard_once_and_in_order() {
    let digits = "123A456B789C*0#D55";
    for duration in [50, 100, 300] {
        let mut player = DtmfPlayer::new();
        digits.chars().for_each(|digit| assert!(player.press(digit, duration)));
        let mut signal = Vec::new();
        let mut frame = SILENCE;
        while player.is_sounding() {
            player.read(&mut frame);
            signal.extend_from_slice(&frame);
        }
        for offset in [0, 100, 250, 400] {
            assert_eq!(detect(&signal, offset), digits, "{duration} ms from sample {offset}");
        }
    }
}

#[test]
fn digits_of_forty_milliseconds_are_heard_and_of_twenty_are_not() {
    for offset in (0..480).step_by(40) {
        assert_eq!(detect(&pair((770.0, 0.15), (1_336.0, 0.15), 45), offset), "5", "{offset}");
        assert_eq!(detect(&pair((770.0, 0.15), (1_336.0, 0.15), 20), offset), "", "{offset}");
    }
}

#[test]
fn a_pause_of_forty_milliseconds_makes_two_digits_and_a_gap_of_ten_does_not() {
    let digit = pair((852.0, 0.2), (1_477.0, 0.2), 80);
    for offset in [0, 130, 370] {
        let twice = [&digit[..], &[0.0; 48 * 45], &digit[..]].concat();
        assert_eq!(detect(&twice, offset), "99", "{offset}");
        let interrupted = [&digit[..], &[0.0; 48 * 8], &digit[..]].concat();
        assert_eq!(detect(&interrupted, offset), "9", "{offset}");
    }
}

#[test]
fn levels_from_full_scale_down_to_minus_thirty_are_heard_and_whispers_are_not() {
    for dbfs in [-6.02, -10.0, -20.0, -30.0] {
        let amplitude = 10f32.powf(dbfs / 20.0);
        assert_eq!(detect(&pair((697.0, amplitude), (1_209.0, amplitude), 60), 0), "1", "{dbfs} dBFS");
    }
    let amplitude = 10f32.powf(-45.0 / 20.0);
    assert_eq!(detect(&pair((697.0, amplitude), (1_209.0, amplitude), 60), 0), "");
}

#[test]
fn frequencies_off_by_one_and_a_half_per_cent_are_heard_and_by_four_are_not() {
    for off in [-0.015, -0.01, 0.01, 0.015] {
        for (row, low) in LOW.iter().enumerate() {
            for (column, high) in HIGH.iter().enumerate() {
                let signal = pair((low * (1.0 + off), 0.15), (high * (1.0 + off), 0.15), 70);
                assert_eq!(detect(&signal, 0), PAD[row][column].to_string(), "{off}");
            }
        }
    }
    for off in [-0.04, 0.04] {
        let signal = pair((770.0 * (1.0 + off), 0.15), (1_336.0 * (1.0 + off), 0.15), 70);
        assert_eq!(detect(&signal, 0), "", "{off}");
    }
}

#[test]
fn twist_is_borne_as_far_as_networks_make_it() {
    let down = |db: f32| 0.2 * 10f32.powf(-db / 20.0);
    assert_eq!(detect(&pair((941.0, 0.2), (1_336.0, down(7.5)), 60), 0), "0");
    assert_eq!(detect(&pair((941.0, down(3.5)), (1_336.0, 0.2), 60), 0), "0");
    assert_eq!(detect(&pair((941.0, 0.2), (1_336.0, down(11.0)), 60), 0), "");
    assert_eq!(detect(&pair((941.0, down(8.0)), (1_336.0, 0.2), 60), 0), "");
}

#[test]
fn noise_fifteen_decibels_below_does_not_hide_a_digit_and_makes_none() {
    // rms of the pair is 0.15.
    let below = |db: f32| 0.15 * 10f32.powf(-db / 20.0);
    for offset in [0, 200, 420] {
        let signal = with_noise(pair((852.0, 0.15), (1_633.0, 0.15), 80), below(15.0));
        assert_eq!(detect(&signal, offset), "C");
    }
    assert_eq!(detect(&with_noise(vec![0.0; 48_000 * 20], 0.2), 0), "");
}

#[test]
fn one_tone_dial_tone_and_ringback_are_no_digits() {
    for hz in LOW.iter().chain(&HIGH).chain(&[350.0, 425.0, 440.0, 480.0, 620.0, 1_400.0]) {
        assert_eq!(detect(&pair((*hz, 0.2), (1.0, 0.0), 300), 0), "", "{hz}");
    }
    assert_eq!(detect(&pair((350.0, 0.2), (440.0, 0.2), 300), 0), "");
    assert_eq!(detect(&pair((697.0, 0.2), (770.0, 0.2), 300), 0), "");
}

#[test]
fn digits_survive_g711_and_g722() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut player = DtmfPlayer::new();
        "147*0369#8".chars().for_each(|digit| assert!(player.press(digit, 70)));
        let mut sender = crate::AudioSender::new(codec, crate::SenderOptions::default()).unwrap();
        let mut decoder = codec.decoder().unwrap();
        let mut up = Resampler::new(decoder.sample_rate(), SAMPLE_RATE).unwrap();
        let (mut signal, mut frame) = (Vec::new(), SILENCE);
        while player.is_sounding() {
            player.read(&mut frame);
            sender.push(&frame, &mut |packet| {
                let mut block = vec![0.0; 2_000];
                let length = decoder.decode(packet.payload, &mut block).unwrap();
                up.process(&block[..length], &mut signal);
            });
        }
        assert_eq!(detect(&signal, 0), "147*0369#8", "{codec}");
    }
}

#[test]
fn what_is_no_number_makes_no_digit_and_passes() {
    let mut detector = DtmfDetector::default();
    for value in [f32::NAN, f32::INFINITY, 1e30] {
        assert_eq!(detector.push(&[value; FRAME_LEN]), None);
    }
    let signal = pair((770.0, 0.15), (1_336.0, 0.15), 100);
    let heard: String =
        signal.as_chunks::<FRAME_LEN>().0.iter().filter_map(|frame| detector.push(frame)).collect();
    assert_eq!(heard, "5");
}
