use super::*;
use crate::frame::SILENCE;
use crate::synthetic::wav::test_file::TestFile;
use std::time::{Duration, Instant};

fn ramp(samples: usize) -> TestFile {
    let file = TestFile::empty();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file.path(), spec).unwrap();
    for n in 0..samples {
        writer.write_sample((n % 30_000) as i16).unwrap();
    }
    writer.finalize().unwrap();
    file
}

/// Reads on until the source has something to say.
fn next(source: &mut WavSource, frame: &mut Frame) -> Flow {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // A starved frame may hold samples, so only a ring with a whole frame is read.
        if source.ring.slots() >= FRAME_LEN || source.shared.ended.load(Ordering::Acquire) {
            return source.read(frame);
        }
        source.shared.woken.store(true, Ordering::Release);
        source.reader.as_ref().unwrap().unpark();
        assert!(Instant::now() < deadline, "the reader thread gives nothing");
        thread::yield_now();
    }
}

#[test]
fn a_file_longer_than_the_ring_comes_whole_and_in_order_then_ends() {
    let samples = 4 * RING;
    let file = ramp(samples);
    let mut source = WavSource::open(file.path(), Repeat::Once).unwrap();
    let mut frame = SILENCE;
    for n in 0..samples / FRAME_LEN {
        assert_eq!(next(&mut source, &mut frame), Flow::Live);
        for (i, s) in frame.iter().enumerate() {
            assert_eq!((s * 32_768.0) as usize, (n * FRAME_LEN + i) % 30_000);
        }
    }
    while next(&mut source, &mut frame) == Flow::Live {}
    assert_eq!(source.read(&mut frame), Flow::Ended);
    assert_eq!(frame, SILENCE);
    assert_eq!(source.fault(), None);
}

#[test]
fn a_short_file_needs_no_thread() {
    let file = ramp(1_000);
    let mut source = WavSource::open(file.path(), Repeat::Once).unwrap();
    assert!(source.reader.is_none());
    let mut frame = SILENCE;
    for expected in [Flow::Live, Flow::Live, Flow::Live, Flow::Ended] {
        assert_eq!(source.read(&mut frame), expected);
    }
}

#[test]
fn a_source_pulled_too_fast_starves_and_does_not_end() {
    let file = ramp(100 * RING);
    let mut source = WavSource::open(file.path(), Repeat::Forever).unwrap();
    let mut frame = SILENCE;
    for _ in 0..10_000 {
        assert_ne!(source.read(&mut frame), Flow::Ended);
    }
}

#[test]
fn the_reader_thread_ends_with_its_source() {
    let file = ramp(3 * RING);
    let source = WavSource::open(file.path(), Repeat::Forever).unwrap();
    let shared = Arc::downgrade(&source.shared);
    drop(source);
    let deadline = Instant::now() + Duration::from_secs(10);
    while shared.strong_count() > 0 {
        assert!(Instant::now() < deadline, "the thread still runs");
        thread::yield_now();
    }
}
