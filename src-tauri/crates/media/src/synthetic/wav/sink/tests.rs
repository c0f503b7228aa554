use super::*;
use crate::synthetic::wav::test_file::TestFile;
use std::time::{Duration, Instant};

fn contents(path: &Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().sample_rate, 48_000);
    reader.samples::<i16>().map(Result::unwrap).collect()
}

fn write(sink: &mut WavSink, frame: &Frame) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while sink.ring.slots() < FRAME_LEN {
        assert!(Instant::now() < deadline, "the writer thread takes nothing");
        thread::yield_now();
    }
    sink.write(frame);
}

#[test]
fn everything_written_before_finish_is_in_the_file() {
    let file = TestFile::empty();
    let mut sink = WavSink::create(file.path()).unwrap();
    for n in 0..301 {
        write(&mut sink, &[n as f32 / 32_767.0; FRAME_LEN]);
    }
    sink.finish().unwrap();
    sink.write(&[1.0; FRAME_LEN]);
    assert_eq!(sink.finish(), Ok(()));
    let samples = contents(file.path());
    assert_eq!(samples.len(), 301 * FRAME_LEN);
    assert!(samples.iter().enumerate().all(|(n, s)| *s as usize == n / FRAME_LEN));
    assert_eq!((sink.lost(), sink.fault()), (0, None));
}

#[test]
fn loud_and_broken_samples_are_limited() {
    let file = TestFile::empty();
    let mut sink = WavSink::create(file.path()).unwrap();
    let mut frame = [0.0; FRAME_LEN];
    frame[..5].copy_from_slice(&[2.0, -2.0, f32::NAN, f32::INFINITY, -1.0]);
    sink.write(&frame);
    sink.finish().unwrap();
    assert_eq!(contents(file.path())[..5], [32_767, -32_768, 0, 32_767, -32_767]);
}

#[test]
fn a_crash_leaves_a_file_that_plays() {
    let file = TestFile::empty();
    let mut sink = WavSink::create(file.path()).unwrap();
    for _ in 0..50 {
        write(&mut sink, &[0.5; FRAME_LEN]);
    }
    // No finish, no drop: what a reader sees now is what a crash would leave.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // The header and the samples are not written in one go, so only a whole file is looked at.
        let whole = hound::WavReader::open(file.path()).is_ok_and(|r| r.len() as usize >= WAKE_AT);
        if whole {
            break;
        }
        assert!(Instant::now() < deadline, "the header is not brought up to date");
        thread::yield_now();
    }
    assert!(contents(file.path()).iter().all(|s| *s == 16_384));
    sink.finish().unwrap();
    assert_eq!(contents(file.path()).len(), 50 * FRAME_LEN);
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let error = WavSink::create(Path::new("/nowhere/out.wav")).err().unwrap().to_string();
    assert!(error.contains("/nowhere/out.wav"), "{error}");
    let error = WavSink::create(&std::env::temp_dir()).err().unwrap().to_string();
    assert!(error.contains("not a regular file"), "{error}");
}

#[test]
fn a_sample_is_rounded_to_the_nearest_with_ties_to_even() {
    let halves = (-140_000..=140_000).map(|n| n as f32 * 0.25 / 32_767.0);
    for value in halves.chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-40, -1.000_01]) {
        let expected = (value * 32_767.0).round_ties_even() as i16;
        assert_eq!(to_i16(value), expected, "{value}");
    }
}
