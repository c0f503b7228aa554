//! Time for each 10 ms of audio, in nanoseconds. 100 000 ns would be one per cent of a core.
//!
//! `cargo bench -p sidetone-media`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sidetone_media::codec::MAX_PAYLOAD;
use sidetone_media::conceal::Concealer;
use sidetone_media::tone::TestTone;
use sidetone_media::{
    AudioReceiver, AudioSender, Codec, DriftResampler, FRAME_LEN, Frame, Limiter, Meter, Mixer, OpusOptions,
    PayloadKind, ReceivedPacket, ReceiverOptions, Resampler, SILENCE, SenderOptions, Source,
};

/// Frames between two looks at the clock, and the least time that a measure takes.
const FRAMES: usize = 400;
const LEAST_NS: u64 = 150_000_000;

fn main() {
    let speech = speech();
    for rate in [8_000u32, 16_000, 44_100] {
        resample(rate, 48_000, &speech);
        resample(48_000, rate, &speech);
    }
    drift(&speech);
    for codec in Codec::ALL {
        encode_and_decode(codec, &speech);
    }
    for complexity in [0, 5, 9, 10] {
        opus_encode(complexity, &speech);
    }
    for codec in Codec::ALL {
        whole_direction(codec, &speech);
    }
    others(&speech);
}

/// Runs `frame` for each number and prints its mean time.
fn measure(name: &str, mut frame: impl FnMut(usize)) {
    let start = Instant::now();
    let mut done = 0;
    let before = processor_time(start);
    loop {
        for _ in 0..FRAMES {
            frame(done);
            done += 1;
        }
        let time = processor_time(start) - before;
        if time >= LEAST_NS {
            println!("{name:<44} {:>8} ns", time / done as u64);
            return;
        }
    }
}

/// Nanoseconds that this thread ran, where the system tells them (Linux), else since `start`.
fn processor_time(start: Instant) -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    told.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(start.elapsed().as_nanos() as u64)
}

fn resample(from: u32, to: u32, speech: &[Frame]) {
    let mut resampler = Resampler::new(from, to).unwrap();
    let mut out = Vec::with_capacity(1_000);
    let length = from as usize / 100;
    measure(&format!("resample {from} to {to}"), |n| {
        out.clear();
        resampler.process(black_box(&speech[n % speech.len()][..length.min(FRAME_LEN)]), &mut out);
        black_box(&out);
    });
}

fn drift(speech: &[Frame]) {
    for ratio in [1.0, 1.0002] {
        let mut resampler = DriftResampler::new();
        resampler.set_ratio(ratio);
        let mut out = SILENCE;
        let mut input = vec![0.1; 600];
        measure(&format!("drift resampler at {ratio}"), |n| {
            input[..FRAME_LEN].copy_from_slice(&speech[n % speech.len()]);
            resampler.process(black_box(&input), &mut out);
            black_box(&out);
        });
    }
}

fn encode_and_decode(codec: Codec, speech: &[Frame]) {
    let (rate, flat) = (codec.sample_rate(), speech.as_flattened());
    let mut signal = Vec::new();
    Resampler::new(48_000, rate).unwrap().process(flat, &mut signal);
    let block = rate as usize / 50;
    let mut encoder = codec.encoder(&OpusOptions::default()).unwrap();
    let mut payload = [0; MAX_PAYLOAD];
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let blocks: Vec<&[f32]> = signal.chunks_exact(block).collect();
    for block in &blocks {
        let n = encoder.encode(block, &mut payload).unwrap();
        packets.push(payload[..n].to_vec());
    }
    // Packets are 20 ms, so every second frame has one.
    measure(&format!("encode {codec}"), |n| {
        if n % 2 == 0 {
            black_box(encoder.encode(black_box(blocks[n / 2 % blocks.len()]), &mut payload).unwrap());
        }
    });
    let mut decoder = codec.decoder().unwrap();
    let mut out = vec![0.0; block];
    measure(&format!("decode {codec}"), |n| {
        if n % 2 == 0 {
            black_box(decoder.decode(black_box(&packets[n / 2 % packets.len()]), &mut out).unwrap());
        }
    });
}

fn opus_encode(complexity: u8, speech: &[Frame]) {
    let mut encoder = Codec::Opus.encoder(&OpusOptions { complexity, ..Default::default() }).unwrap();
    let mut payload = [0; MAX_PAYLOAD];
    let blocks: Vec<&[f32]> = speech.as_flattened().chunks_exact(960).collect();
    measure(&format!("encode opus, complexity {complexity}"), |n| {
        if n % 2 == 0 {
            black_box(encoder.encode(black_box(blocks[n / 2 % blocks.len()]), &mut payload).unwrap());
        }
    });
}

fn whole_direction(codec: Codec, speech: &[Frame]) {
    let mut sender = AudioSender::new(codec, SenderOptions::default()).unwrap();
    let mut packets: Vec<Vec<u8>> = Vec::new();
    measure(&format!("sender {codec}: resample, encode"), |n| {
        sender.push(&speech[n % speech.len()], &mut |p| {
            if packets.len() < 1_000 {
                packets.push(p.payload.to_vec());
            }
        });
    });
    for lossy in [false, true] {
        let mut receiver = AudioReceiver::new(codec, ReceiverOptions::default()).unwrap();
        let start = Instant::now();
        let mut frame = SILENCE;
        let name = if lossy { ", 5 % loss" } else { "" };
        measure(&format!("receiver {codec}: push, pull, resample{name}"), |n| {
            let now = start + Duration::from_millis(10 * n as u64);
            if n % 2 == 0 && !(lossy && n % 40 == 0) {
                // The packets are used again, their time goes on.
                let payload = &packets[n / 2 % packets.len()];
                let timestamp = (n / 2) as u32 * codec.clock_rate() / 50;
                let (sequence, marker, kind) = ((n / 2) as u16, false, PayloadKind::Media);
                receiver.push(now, ReceivedPacket { sequence, timestamp, marker, kind, payload });
            }
            receiver.pull(now, &mut frame);
            black_box(&frame);
        });
    }
}

fn others(speech: &[Frame]) {
    let (mut mixer, mut limiter, mut meter) = (Mixer::default(), Limiter::default(), Meter::default());
    let mut frame = SILENCE;
    measure("mixer: two voices, take", |n| {
        mixer.add(&speech[n % speech.len()]);
        mixer.add(&speech[(n + 7) % speech.len()]);
        mixer.take(&mut frame);
        black_box(&frame);
    });
    measure("limiter at work", |n| {
        frame = speech[n % speech.len()];
        frame.iter_mut().for_each(|s| *s *= 4.0);
        limiter.apply(&mut frame);
        black_box(&frame);
    });
    measure("meter", |n| meter.measure(black_box(&speech[n % speech.len()])));
    let mut tone = TestTone::new(440.0);
    measure("test tone", |_| {
        tone.read(&mut frame);
        black_box(&frame);
    });
    let mut concealer = Concealer::new(8_000);
    let mut block = [0.1; 80];
    measure("concealment: 10 ms at 8 kHz with pitch search", |n| {
        concealer.observe(&speech[n % speech.len()][..80]);
        concealer.conceal(&mut block);
        concealer.close();
        black_box(&block);
    });
}

/// Syllables of a gliding vowel.
fn speech() -> Vec<Frame> {
    use std::f32::consts::TAU;
    let samples: Vec<f32> = (0..48_000 * 4)
        .map(|n| {
            let t = n as f32 / 48_000.0;
            let phase = 120.0 * t + 6.0 * (TAU * 0.7 * t).sin();
            let voice: f32 =
                [1.0, 2.0, 4.0, 5.0, 9.0].iter().map(|h| (TAU * h * phase).sin() / (h + 2.0)).sum();
            0.4 * ((TAU * 2.1 * t).sin() + 0.4).clamp(0.0, 1.0) * voice
        })
        .collect();
    samples.as_chunks::<FRAME_LEN>().0.to_vec()
}
