//! A whole direction of a call over a bad network, in virtual time.

mod network;

use network::{Call, Conditions, correlation, speech, uniform_jitter};
use sidetone_media::{Codec, JitterOptions, Played, SenderOptions};

fn options() -> SenderOptions {
    SenderOptions::default()
}

#[test]
fn speech_arrives_whole_through_every_codec_over_a_good_network() {
    let signal = speech(4.0);
    for codec in Codec::ALL {
        let mut call = Call::new(codec, options(), Conditions::default());
        let heard = call.run(&signal, 4.2);
        // The delay settles in the first second; what is said after it is compared.
        let (match_, delay) = correlation(&signal[96_000..168_000], &heard[96_000..], 200);
        // Opus keeps the sound, not the waveform.
        let least = if codec == Codec::Opus { 0.85 } else { 0.95 };
        assert!(match_ > least, "{codec}: {match_} at {delay} ms");
        // 30 ms of network, 20 of packet, up to 40 of buffer, codec and filters.
        assert!(delay < 100.0, "{codec}: {delay} ms");
        println!("{codec}: {delay} ms from mouth to ear over 30 ms of network, match {match_}");
        let stats = call.receiver.stats();
        assert_eq!((stats.late, stats.lost, stats.duplicates, stats.discarded), (0, 0, 0, 0), "{codec}");
        assert_eq!(stats.concealed_ms, 0.0, "{codec}");
    }
}

#[test]
fn without_jitter_the_buffer_holds_at_most_40_ms() {
    for ptime_ms in [10, 20, 40, 60] {
        let mut call = Call::new(Codec::Pcmu, SenderOptions { ptime_ms, ..options() }, Conditions::default());
        call.run(&speech(6.0), 6.0);
        for stats in &call.seconds[2..] {
            assert!(stats.depth_ms <= 40.0, "{ptime_ms}: {stats:?}");
        }
        assert_eq!(call.receiver.stats().concealed_ms, 0.0, "{ptime_ms}");
    }
}

#[test]
fn a_hundred_milliseconds_of_jitter_leave_less_than_one_per_cent_concealed() {
    for (codec, ptime_ms) in [(Codec::Pcma, 20), (Codec::G722, 10), (Codec::Opus, 20)] {
        let mut call = Call::new(codec, SenderOptions { ptime_ms, ..options() }, uniform_jitter(100.0));
        let signal = speech(24.0);
        let seconds = if codec == Codec::Opus { 10.0 } else { 24.0 };
        call.run(&signal, seconds);
        let (early, end) = (call.seconds[1], call.receiver.stats());
        let share = (end.concealed_ms - early.concealed_ms) / (end.played_ms - early.played_ms);
        assert!(share < 0.01, "{codec} {ptime_ms}: {share} {end:?}");
        println!("{codec} {ptime_ms} ms: {share} concealed, {} ms deep", end.depth_ms);
        assert!((80.0..150.0).contains(&end.depth_ms), "{codec} {ptime_ms}: {end:?}");
    }
}

#[test]
fn the_depth_comes_down_again_when_the_jitter_ends() {
    let mut call = Call::new(Codec::Pcmu, options(), uniform_jitter(100.0));
    let signal = speech(30.0);
    call.run(&signal[..48_000 * 8], 8.0);
    assert!(call.receiver.stats().depth_ms > 70.0);
    call.conditions().delay = Box::new(|_, _| 20.0);
    let heard = call.run(&signal[..48_000 * 22], 22.0);
    let stats = call.receiver.stats();
    // Not one of the cuts clicks.
    let steepest = |s: &[f32]| s.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    assert!(steepest(&heard) < 1.3 * steepest(&signal), "{} {}", steepest(&heard), steepest(&signal));
    assert!(stats.depth_ms <= 40.0, "{stats:?}");
    assert!(stats.shortened_ms > 30.0, "{stats:?}");
}

#[test]
fn ten_minutes_of_clock_skew_keep_the_delay() {
    for skew_ppm in [200.0, -200.0] {
        let conditions = Conditions { skew_ppm, ..uniform_jitter(8.0) };
        let mut call = Call::new(Codec::Pcmu, options(), conditions);
        let second = speech(10.0);
        let mut frames = second.as_chunks().0.iter().cycle();
        call.run_with(600.0, || *frames.next().unwrap(), |_| {});
        for (n, stats) in call.seconds.iter().enumerate().skip(3) {
            assert!((3.0..45.0).contains(&stats.depth_ms), "{skew_ppm} ppm at {n} s: {stats:?}");
        }
        let stats = call.receiver.stats();
        // 120 ms in all had to be taken out or put in.
        let stretched = stats.shortened_ms - stats.lengthened_ms;
        assert!((stretched * skew_ppm.signum() + 0.0) > 60.0 || stats.concealed_ms > 0.0, "{stats:?}");
        assert!(stats.concealed_ms < 3_000.0, "{stats:?}");
        assert_eq!(stats.resyncs, 0);
    }
}

#[test]
fn loss_is_concealed_and_the_timeline_kept() {
    let signal = speech(10.0);
    for codec in [Codec::Pcmu, Codec::G722] {
        let mut call = Call::new(codec, options(), Conditions { loss: 0.05, ..Default::default() });
        let heard = call.run(&signal, 10.0);
        let (match_, delay) = correlation(&signal[96_000..432_000], &heard[96_000..], 200);
        assert!(match_ > 0.85, "{codec}: {match_} at {delay} ms");
        let stats = call.receiver.stats();
        assert!((10..45).contains(&stats.lost), "{stats:?}");
        assert!((stats.concealed_ms - 20.0 * stats.lost as f64).abs() < 60.0, "{stats:?}");
        assert!(stats.depth_ms <= 45.0, "{stats:?}");
    }
}

#[test]
fn opus_brings_lost_packets_back_by_fec() {
    let signal = speech(8.0);
    let mut call = Call::new(Codec::Opus, options(), Conditions { loss: 0.1, ..Default::default() });
    call.expect_loss(10);
    call.run(&signal, 8.0);
    let stats = call.receiver.stats();
    assert!(stats.fec_recovered > 10, "{stats:?}");
    assert!(stats.fec_recovered + stats.lost > 25, "{stats:?}");
    assert!(stats.fec_recovered > stats.lost, "{stats:?}");
}

#[test]
fn reordered_and_duplicated_packets_are_played_once_and_in_order() {
    let signal = speech(6.0);
    // Every fourth packet is overtaken by the next two.
    let conditions = Conditions {
        delay: Box::new(|n, _| if n.is_multiple_of(4) { 75.0 } else { 30.0 }),
        duplicates: 0.3,
        ..Default::default()
    };
    let mut call = Call::new(Codec::Pcma, options(), conditions);
    let heard = call.run(&signal, 6.0);
    let (match_, delay) = correlation(&signal[144_000..240_000], &heard[144_000..], 200);
    assert!(match_ > 0.97, "{match_} at {delay} ms");
    let stats = call.receiver.stats();
    assert!(stats.duplicates > 60, "{stats:?}");
    assert_eq!(stats.lost, 0, "{stats:?}");
}

#[test]
fn a_stall_of_half_a_second_is_played_late_and_caught_up() {
    // Between 5.0 and 5.5 s nothing passes, then all at once.
    let conditions = Conditions {
        delay: Box::new(|n, _| {
            let sent = n as f64 * 20.0;
            if (5_000.0..5_500.0).contains(&sent) { 5_530.0 - sent } else { 30.0 }
        }),
        ..Default::default()
    };
    let mut call = Call::new(Codec::Pcmu, options(), conditions);
    let signal = speech(12.0);
    call.run(&signal, 12.0);
    let stats = call.receiver.stats();
    assert!(stats.depth_ms <= 60.0, "{stats:?}");
    assert!(stats.shortened_ms > 100.0 || stats.discarded > 5, "{stats:?}");
    assert!((40.0..120.0).contains(&stats.concealed_ms), "{stats:?}");
    assert!(call.seconds[7].depth_ms < 150.0, "{:?}", call.seconds[7]);
}

#[test]
fn an_outage_of_five_seconds_ends_in_silence_and_then_speech() {
    let conditions = Conditions {
        // Sent into the void: arrives after the test.
        delay: Box::new(|n, _| if (150..400).contains(&n) { 1e9 } else { 30.0 }),
        ..Default::default()
    };
    let mut call = Call::new(Codec::Pcmu, options(), conditions);
    let signal = speech(12.0);
    let heard = call.run(&signal, 12.0);
    assert!(call.played[400..790].iter().all(|p| *p == Played::Silence));
    assert!(call.played[830..].iter().all(|p| *p == Played::Normal));
    assert!(heard[4 * 48_000..7 * 48_000].iter().all(|s| s.abs() < 1e-6));
    let (match_, _) = correlation(&signal[9 * 48_000..11 * 48_000], &heard[9 * 48_000..], 200);
    assert!(match_ > 0.9, "{match_}");
    assert!(call.receiver.stats().depth_ms <= 60.0, "{:?}", call.receiver.stats());
}

#[test]
fn pauses_with_comfort_noise_are_heard_as_noise_and_not_as_loss() {
    let mut signal = speech(1.5);
    signal.resize(48_000 * 4, 0.0);
    signal.extend(speech(1.5));
    // A quiet room.
    let mut random = network::Random(8);
    signal.iter_mut().for_each(|s| *s += 0.002 * (random.unit() as f32 - 0.5));
    for codec in [Codec::Pcma, Codec::G722] {
        let sender = SenderOptions { comfort_noise: true, ..options() };
        let mut call = Call::new(codec, sender, uniform_jitter(10.0));
        let heard = call.run(&signal, 5.4);
        let comfort = call.played.iter().filter(|p| **p == Played::Comfort).count();
        assert!(comfort > 150, "{codec}: {comfort}");
        let stats = call.receiver.stats();
        assert!(stats.concealed_ms < 100.0 && stats.lost == 0, "{codec}: {stats:?}");
        let room = &heard[48_000 * 3..48_000 * 4 - 4_800];
        let rms = (room.iter().map(|s| s * s).sum::<f32>() / room.len() as f32).sqrt();
        assert!((0.000_1..0.003).contains(&rms), "{codec}: {rms}");
        let (match_, _) =
            correlation(&signal[48_000 * 4 + 9_600..48_000 * 5], &heard[48_000 * 4 + 9_600..], 200);
        assert!(match_ > 0.9, "{codec}: {match_}");
    }
}

#[test]
fn opus_dtx_pauses_are_comfort_and_speech_comes_back() {
    let mut signal = speech(1.0);
    signal.resize(48_000 * 4, 0.0);
    signal.extend(speech(1.5));
    let opus = sidetone_media::OpusOptions { dtx: true, ..Default::default() };
    let mut call = Call::new(Codec::Opus, SenderOptions { opus, ..options() }, Conditions::default());
    let heard = call.run(&signal, 5.4);
    let comfort = call.played.iter().filter(|p| **p == Played::Comfort).count();
    assert!(comfort > 100, "{comfort}");
    let stats = call.receiver.stats();
    assert!(stats.concealed_ms < 100.0 && stats.lost == 0, "{stats:?}");
    let (match_, _) = correlation(&signal[48_000 * 4 + 9_600..48_000 * 5], &heard[48_000 * 4 + 9_600..], 200);
    assert!(match_ > 0.8, "{match_}");
}

#[test]
fn the_bounds_of_the_delay_are_kept() {
    let jitter = JitterOptions { min_ms: 60, initial_ms: 60, max_ms: 80 };
    let signal = speech(8.0);
    let mut call = Call::with_bounds(Codec::Pcmu, options(), Conditions::default(), jitter);
    call.run(&signal, 8.0);
    let stats = call.receiver.stats();
    assert!((55.0..95.0).contains(&stats.depth_ms), "{stats:?}");
    let mut call = Call::with_bounds(Codec::Pcmu, options(), uniform_jitter(200.0), jitter);
    call.run(&signal, 8.0);
    assert!(call.receiver.stats().target_ms <= 80.0, "{:?}", call.receiver.stats());
}

#[test]
fn when_packets_stop_the_voice_goes_on_for_20_ms_and_is_silent_after_100() {
    // A steady vowel, so that any change of level is the concealment's.
    let vowel: Vec<f32> = (0..48_000 * 3)
        .map(|n| {
            let phase = std::f32::consts::TAU * 125.0 * n as f32 / 48_000.0;
            0.2 * phase.sin() + 0.15 * (3.0 * phase).sin() + 0.05 * (5.0 * phase).sin()
        })
        .collect();
    let rms = |s: &[f32]| (s.iter().map(|s| s * s).sum::<f32>() / s.len() as f32).sqrt();
    for codec in Codec::ALL {
        let conditions =
            Conditions { delay: Box::new(|n, _| if n < 100 { 30.0 } else { 1e9 }), ..Default::default() };
        let mut call = Call::new(codec, options(), conditions);
        let heard = call.run(&vowel, 3.0);
        let stop = call.played.iter().rposition(|p| *p == Played::Normal).unwrap() + 1;
        let level = |ms: usize| {
            rms(&heard[stop * 480 + ms * 48..][..480]) / rms(&heard[stop * 480 - 4_800..][..4_800])
        };
        assert!(level(0) > 0.7 && level(10) > 0.55, "{codec}: {} {}", level(0), level(10));
        // The filters ring for a few milliseconds.
        assert!(level(110) < 0.01, "{codec}: {}", level(110));
        assert!(level(5) < 1.3 && level(20) < 1.3, "{codec}");
    }
}
