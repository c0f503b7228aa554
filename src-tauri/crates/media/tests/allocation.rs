//! The audio thread must not allocate: a counting allocator watches whole calls.
// An allocator cannot be written without.
#![allow(unsafe_code, clippy::unwrap_used)]

mod network;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use network::{Random, speech};
use sidetone_media::tone::{
    CallProgress, CallProgressTone, DtmfDetector, DtmfPlayer, HoldTune, RecordingTone, TestTone,
};
use sidetone_media::{
    AudioReceiver, AudioSender, Codec, DriftResampler, FRAME_LEN, Limiter, Mixer, PayloadKind, Processing,
    ProcessingOptions, ReceivedPacket, ReceiverOptions, Recorder, SILENCE, SenderOptions, SharedMeter,
    Source,
};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: forwards to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|c| c.set(c.get() + 1));
        let _ = HELD.try_with(|h| h.set(h.get() + layout.size() as i64));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|h| h.set(h.get() - layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|c| c.set(c.get() + 1));
        let _ = HELD.try_with(|h| h.set(h.get() + size as i64 - layout.size() as i64));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_warm_call_over_a_bad_network_allocates_nothing() {
    let signal = speech(3.0);
    for codec in Codec::ALL {
        let mut sender =
            AudioSender::new(codec, SenderOptions { comfort_noise: true, ..Default::default() }).unwrap();
        let mut receiver = AudioReceiver::new(codec, ReceiverOptions::default()).unwrap();
        let mut random = Random(5);
        // Payloads on the way, the one of packet n at n % 64, with their arrival.
        let mut ring = vec![(0u64, 0u32, PayloadKind::Media, 0usize, [0u8; 1_600]); 64];
        let start = Instant::now();
        let mut frame = SILENCE;
        let (mut packets, mut warm) = (0usize, 0);
        for (beat, input) in signal.as_chunks::<FRAME_LEN>().0.iter().cycle().take(1_500).enumerate() {
            if beat == 500 {
                warm = COUNT.get();
            }
            sender.push(input, &mut |p| {
                let delay = 2 + u64::from(random.next() % 8);
                // One in twenty is lost.
                let arrival = if random.next().is_multiple_of(20) { 0 } else { beat as u64 + delay };
                let slot = &mut ring[packets % 64];
                (slot.0, slot.1, slot.2, slot.3) = (arrival, p.timestamp, p.kind, p.payload.len());
                slot.4[..p.payload.len()].copy_from_slice(p.payload);
                packets += 1;
            });
            let now = start + Duration::from_millis(10 * beat as u64);
            for n in packets.saturating_sub(64)..packets {
                let (arrival, timestamp, kind, length, payload) = &ring[n % 64];
                if *arrival == beat as u64 {
                    let (sequence, marker) = (n as u16, false);
                    let payload = &payload[..*length];
                    receiver.push(
                        now,
                        ReceivedPacket { sequence, timestamp: *timestamp, marker, kind: *kind, payload },
                    );
                }
            }
            receiver.pull(now, &mut frame);
        }
        assert_eq!(COUNT.get() - warm, 0, "{codec}");
        assert!(receiver.stats().concealed_ms > 0.0);
    }
}

#[test]
fn everything_else_on_the_audio_thread_allocates_nothing() {
    let (mut mixer, mut limiter, mut meter) = (Mixer::default(), Limiter::default(), SharedMeter::default());
    let mut tone = TestTone::new(440.0);
    let mut ring = CallProgressTone::new(CallProgress::Ring);
    let mut pad = DtmfPlayer::new();
    let (mut tune, mut beep, mut keys) =
        (HoldTune::default(), RecordingTone::default(), DtmfDetector::default());
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(&dir.path().join("x.wav"), 2).unwrap();
    let mut drift = DriftResampler::new();
    drift.set_ratio(1.0002);
    let (mut frame, mut out) = (SILENCE, SILENCE);
    let before = COUNT.get();
    for n in 0..1_000 {
        if n % 50 == 0 {
            pad.press('5', 100);
        }
        for source in [&mut tone as &mut dyn Source, &mut ring, &mut pad, &mut tune, &mut beep] {
            source.read(&mut frame);
            mixer.add(&frame);
        }
        mixer.write_without(&frame, &mut limiter, &mut out);
        mixer.take(&mut out);
        drift.process(&out, &mut frame);
        meter.measure(&frame);
        keys.push(&frame);
        recorder.write(&[&out, &frame]);
    }
    assert_eq!(COUNT.get() - before, 0);
}

/// The library behind it takes some short-lived memory of its own in each frame, which the allocator gives from the
/// thread's cache; it must stay that, and nothing may be kept.
#[test]
fn the_processing_of_the_microphone_keeps_no_memory_and_takes_little() {
    let signal = speech(3.0);
    let mut processing = Processing::new(ProcessingOptions::ALL);
    let (mut warm, mut held) = (0, 0);
    for (beat, input) in signal.as_chunks::<FRAME_LEN>().0.iter().cycle().take(1_200).enumerate() {
        if beat == 200 {
            (warm, held) = (COUNT.get(), HELD.get());
        }
        let mut captured = *input;
        let before = COUNT.get();
        processing.render(input);
        assert_eq!(COUNT.get(), before, "playing takes none");
        captured.iter_mut().for_each(|sample| *sample *= 0.3);
        processing.capture(&mut captured);
    }
    assert!((HELD.get() - held).abs() < 4_096, "{}", HELD.get() - held);
    assert!((COUNT.get() - warm) / 1_000 < 64, "{} a frame", (COUNT.get() - warm) / 1_000);

    let mut processing =
        Processing::new(ProcessingOptions { noise_suppression: true, ..ProcessingOptions::NONE });
    let before = COUNT.get();
    for input in signal.as_chunks::<FRAME_LEN>().0 {
        processing.capture(&mut { *input });
    }
    assert_eq!(COUNT.get() - before, 0);
}
