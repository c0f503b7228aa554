use super::*;

/// Something like speech: a vowel of 120 Hz with formants, in syllables.
fn speech(rate: u32, seconds: f32) -> Vec<f32> {
    crate::test_signal::speech(rate, seconds)
}

/// Signal-to-noise ratio of `got` against `want` at the delay (0 to `max_delay`) where it is best, in dB.
fn best_snr(want: &[f32], got: &[f32], max_delay: usize) -> f32 {
    (0..max_delay)
        .map(|delay| {
            let n = want.len().min(got.len() - delay);
            let (mut signal, mut noise) = (0.0f32, 0.0f32);
            for (w, g) in want[..n].iter().zip(&got[delay..]) {
                signal += w * w;
                noise += (w - g) * (w - g);
            }
            10.0 * (signal / noise).log10()
        })
        .fold(f32::MIN, f32::max)
}

fn through(codec: Codec, signal: &[f32], block: usize) -> Vec<f32> {
    let mut encoder = codec.encoder(&OpusOptions::default()).unwrap();
    let mut decoder = codec.decoder().unwrap();
    let mut payload = [0; MAX_PAYLOAD];
    let mut decoded = vec![0.0; block];
    let mut output = Vec::new();
    for samples in signal.chunks_exact(block) {
        let n = encoder.encode(samples, &mut payload).unwrap();
        assert_eq!(decoder.samples(&payload[..n]), Some(block));
        assert_eq!(decoder.decode(&payload[..n], &mut decoded), Ok(block));
        output.extend_from_slice(&decoded);
    }
    output
}

#[test]
fn speech_survives_every_codec() {
    for (codec, delay, floor) in
        [(Codec::Pcmu, 1, 33.0), (Codec::Pcma, 1, 33.0), (Codec::G722, 40, 15.0), (Codec::Opus, 700, 6.0)]
    {
        let signal = speech(codec.sample_rate(), 2.0);
        let output = through(codec, &signal, codec.sample_rate() as usize / 50);
        let snr = best_snr(&signal[..output.len() - 1_000], &output, delay);
        assert!(snr > floor, "{codec}: {snr} dB");
    }
}

#[test]
fn silence_and_overload_encode_to_what_the_standards_say() {
    let mut payload = [0; 4];
    let mut pcmu = Codec::Pcmu.encoder(&OpusOptions::default()).unwrap();
    assert_eq!(pcmu.encode(&[0.0, 9.0, -9.0, f32::NAN], &mut payload), Ok(4));
    assert_eq!(payload, [0xFF, 0x80, 0x00, 0xFF]);
    let mut pcma = Codec::Pcma.encoder(&OpusOptions::default()).unwrap();
    assert_eq!(pcma.encode(&[0.0, 9.0, -9.0, f32::NAN], &mut payload), Ok(4));
    assert_eq!(payload, [0xD5, 0xAA, 0x2A, 0xD5]);
}

#[test]
fn every_byte_of_g711_survives_decoding_and_encoding() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let bytes: Vec<u8> = (0..=255).collect();
        let (mut samples, mut again) = ([0.0; 256], [0; 256]);
        codec.decoder().unwrap().decode(&bytes, &mut samples).unwrap();
        codec.encoder(&OpusOptions::default()).unwrap().encode(&samples, &mut again).unwrap();
        for (byte, again) in bytes.iter().zip(again) {
            // Mu-law has two zeros.
            assert!(
                *byte == again || (codec == Codec::Pcmu && *byte == 0x7F),
                "{codec} {byte:#x} {again:#x}"
            );
        }
    }
}

#[test]
fn no_payload_makes_a_decoder_panic() {
    let mut seed = 7u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for codec in Codec::ALL {
        let mut decoder = codec.decoder().unwrap();
        let mut out = vec![0.0; 9_600];
        for round in 0..3_000 {
            let length = if round % 10 == 0 { random() % 3_000 } else { random() % 100 };
            let payload: Vec<u8> = (0..length).map(|_| random() as u8).collect();
            let samples = decoder.samples(&payload);
            let room = random() % out.len();
            let _ = decoder.decode(&payload, &mut out[..room]);
            if let Some(n) = samples {
                assert!(n <= codec.sample_rate() as usize / 5);
                if let Ok(got) = decoder.decode(&payload, &mut out) {
                    assert_eq!(got, n, "{codec}");
                    assert!(out[..n].iter().all(|s| s.abs() <= 1.5));
                }
            }
            let _ = (decoder.has_fec(&payload), decoder.is_silence(&payload));
            let _ = decoder.decode_fec(&payload, &mut out[..480]);
            let _ = decoder.conceal(&mut out[..480]);
            if round % 100 == 0 {
                decoder.reset();
            }
        }
    }
}

#[test]
fn opus_sends_fec_only_while_loss_is_expected() {
    let signal = speech(48_000, 1.0);
    let mut encoder = Codec::Opus.encoder(&OpusOptions::default()).unwrap();
    let mut payload = [0; MAX_PAYLOAD];
    let mut with_fec = |encoder: &mut Box<dyn Encoder>| {
        signal
            .chunks_exact(960)
            .filter(|block| {
                let n = encoder.encode(block, &mut payload).unwrap();
                has_in_band_fec(&payload[..n])
            })
            .count()
    };
    assert_eq!(with_fec(&mut encoder), 0);
    encoder.set_expected_loss(20);
    assert!(with_fec(&mut encoder) > 10);
    encoder.set_expected_loss(0);
    with_fec(&mut encoder);
    assert_eq!(with_fec(&mut encoder), 0);
}

#[test]
fn a_lost_opus_packet_comes_back_from_the_next_one() {
    let signal = speech(48_000, 2.0);
    let mut encoder = Codec::Opus.encoder(&OpusOptions::default()).unwrap();
    encoder.set_expected_loss(30);
    let packets: Vec<Vec<u8>> = signal
        .chunks_exact(960)
        .map(|block| {
            let mut payload = [0; MAX_PAYLOAD];
            let n = encoder.encode(block, &mut payload).unwrap();
            payload[..n].to_vec()
        })
        .collect();
    let mut whole = Codec::Opus.decoder().unwrap();
    let mut lossy = Codec::Opus.decoder().unwrap();
    let (mut expected, mut got) = ([0.0; 960], [0.0; 960]);
    let (mut signal, mut noise, mut recovered) = (0.0f32, 0.0f32, 0);
    for (n, packet) in packets.iter().enumerate() {
        whole.decode(packet, &mut expected).unwrap();
        let next = packets.get(n + 1);
        if n % 5 == 2 && next.is_some_and(|p| lossy.has_fec(p)) {
            assert!(lossy.decode_fec(next.unwrap(), &mut got));
            recovered += 1;
            signal += expected.iter().map(|s| s * s).sum::<f32>();
            noise += expected.iter().zip(&got).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        } else {
            lossy.decode(packet, &mut got).unwrap();
        }
    }
    assert!(recovered > 5, "{recovered}");
    let snr = 10.0 * (signal / noise).log10();
    assert!(snr > 5.0, "{snr} dB over {recovered} packets");
}

#[test]
fn names_read_back_in_any_case() {
    for codec in Codec::ALL {
        assert_eq!(codec.name().to_uppercase().parse(), Ok(codec));
        assert_eq!(codec.to_string().parse(), Ok(codec));
    }
    assert!("G729".parse::<Codec>().unwrap_err().to_string().contains("G729"));
    assert_eq!(Codec::Opus.nearest_ptime(30), 20);
    assert_eq!(Codec::Pcmu.nearest_ptime(5), 10);
    assert_eq!(Codec::Pcmu.nearest_ptime(999), 60);
}

#[test]
fn a_bad_option_is_named() {
    let error = |options: OpusOptions| Codec::Opus.encoder(&options).err().unwrap().to_string();
    assert!(error(OpusOptions { complexity: 11, ..Default::default() }).starts_with("complexity"));
    assert!(error(OpusOptions { bits_per_second: 1, ..Default::default() }).starts_with("bits_per_second"));
}
