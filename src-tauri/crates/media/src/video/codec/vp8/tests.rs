#![cfg(sidetone_vp8)]

use std::time::{Duration, Instant};

use super::header::{FrameHeader, is_key};
use crate::video::bars::{Bars, read_clock};
use crate::video::codec::{ContentHint, Encoded, EncoderOptions, MediaClock, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Scaler, Size};

fn options(size: Size, bitrate: u32, start: Instant) -> EncoderOptions {
    EncoderOptions::new(size, bitrate, MediaClock::new(start, 0))
}

/// Bars at 30 pictures a second; the clock counts from 0.
fn pictures(size: Size, count: u32, start: Instant) -> impl Iterator<Item = Picture> {
    let bars = Bars::new(size, 30, start, 0).unwrap();
    let times = (0..count).map(|at| Duration::from_millis(u64::from(at) * 100 / 3));
    times.map(move |at| bars.draw(at.as_millis() as u64, start + at).unwrap())
}

fn stream(count: u32) -> Vec<Encoded> {
    let start = Instant::now();
    let mut encoder = VideoCodec::Vp8.encoder(&options(Size::P180, 300_000, start)).unwrap();
    pictures(Size::P180, count, start)
        .filter_map(|picture| encoder.encode(&picture, false).unwrap())
        .collect()
}

#[test]
fn key_frames_come_first_and_where_they_are_asked_for_only() {
    let start = Instant::now();
    let mut encoder = VideoCodec::Vp8.encoder(&options(Size::P360, 500_000, start)).unwrap();
    for (at, picture) in pictures(Size::P360, 30, start).enumerate() {
        let Some(encoded) = encoder.encode(&picture, at == 20).unwrap() else {
            assert!(at != 0 && at != 20, "picture {at} was left out");
            continue;
        };
        assert_eq!(encoded.key, at == 0 || at == 20, "picture {at}");
        assert_eq!(is_key(&encoded.data), encoded.key);
        assert_eq!(encoded.timestamp, (at as u32 * 100 / 3) * 90);
    }
}

#[test]
fn clock_is_read_after_coding_at_180p_with_100_kbit_of_motion_and_of_detail() {
    for hint in [ContentHint::Motion, ContentHint::Detail] {
        let start = Instant::now();
        let mut options = options(Size::P180, 100_000, start);
        options.hint = hint;
        let mut encoder = VideoCodec::Vp8.encoder(&options).unwrap();
        let mut decoder = VideoCodec::Vp8.decoder().unwrap();
        let (mut read, mut bytes) = (0, 0);
        for (at, picture) in pictures(Size::P180, 90, start).enumerate() {
            let Some(encoded) = encoder.encode(&picture, false).unwrap() else { continue };
            bytes += encoded.data.len();
            let decoded = decoder.decode(&encoded).unwrap().unwrap();
            assert_eq!(read_clock(&decoded), Some(at as u64 * 100 / 3), "picture {at}");
            read += 1;
        }
        assert!(read >= 30, "only {read} of 90 pictures");
        assert!(bytes * 8 < 3 * 150_000, "{bytes} bytes in 3 s");
    }
}

#[test]
fn odd_tiny_and_large_sizes_come_back_as_they_were() {
    let start = Instant::now();
    for (width, height) in [(1, 1), (639, 359), (17, 4), (2, 600), (1920, 1080), (4096, 64)] {
        let size = Size::new(width, height).unwrap();
        let mut encoder = VideoCodec::Vp8.encoder(&options(size, 500_000, start)).unwrap();
        let picture = pictures(size, 1, start).next().unwrap();
        let encoded = encoder.encode(&picture, true).unwrap().unwrap();
        assert_eq!(FrameHeader::parse(&encoded.data).unwrap(), FrameHeader::Key(size));
        let decoded = VideoCodec::Vp8.decoder().unwrap().decode(&encoded).unwrap().unwrap();
        assert_eq!(decoded.size(), size);
    }
}

#[test]
fn pictures_of_another_size_and_impossible_options_are_refused_by_name() {
    let start = Instant::now();
    let mut encoder = VideoCodec::Vp8.encoder(&options(Size::P180, 500_000, start)).unwrap();
    let error = encoder.encode(&Picture::black(Size::P360, start), false).unwrap_err();
    assert!(error.to_string().starts_with("size: 640x360 came"), "{error}");
    let mut wrong = options(Size::P180, 500_000, start);
    wrong.frames_per_second = 0;
    assert!(VideoCodec::Vp8.encoder(&wrong).err().unwrap().to_string().starts_with("framesPerSecond: "));
}

#[test]
fn bitrate_is_kept_and_changes_without_a_key_frame() {
    let start = Instant::now();
    let mut encoder = VideoCodec::Vp8.encoder(&options(Size::P360, 400_000, start)).unwrap();
    let small = Size::new(80, 45).unwrap();
    let pool = FramePool::default();
    let (mut scaler, mut state) = (Scaler::new(), 1u32);
    let mut bits = [0usize; 9];
    for at in 0..270u32 {
        match at {
            90 => encoder.set_bitrate(1_500_000).unwrap(),
            180 => encoder.set_bitrate(200_000).unwrap(),
            _ => {}
        }
        let mut canvas = pool.take(small).unwrap();
        canvas.fill([0, 128, 128]);
        for byte in canvas.planes_mut().y.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = 16 + (state >> 24) as u8 / 2;
        }
        let captured = start + Duration::from_millis(u64::from(at) * 100 / 3);
        let picture = scaler.scale(&canvas.finish(captured), Size::P360, &pool).unwrap();
        if let Some(encoded) = encoder.encode(&picture, false).unwrap() {
            assert!(!encoded.key || at == 0, "key frame at {at}");
            bits[at as usize / 30] += encoded.data.len() * 8;
        }
    }
    for (second, aim) in [(2, 400_000), (5, 1_500_000), (8, 200_000)] {
        let part = bits[second] as f64 / f64::from(aim);
        assert!((0.5..1.35).contains(&part), "second {second}: {part:.2} of {aim}, all {bits:?}");
    }
}

#[test]
fn time_that_stands_still_or_goes_back_does_not_stop_the_encoder() {
    let start = Instant::now();
    let mut encoder = VideoCodec::Vp8.encoder(&options(Size::P180, 300_000, start)).unwrap();
    let picture = pictures(Size::P180, 1, start).next().unwrap();
    for millis in [100, 100, 50, 0, 200] {
        let captured = start + Duration::from_millis(millis);
        encoder.encode(&picture.clone().captured_at(captured), false).unwrap();
    }
}

#[test]
fn decoder_waits_for_a_key_frame_and_says_so() {
    let stream = stream(5);
    let mut decoder = VideoCodec::Vp8.decoder().unwrap();
    let error = decoder.decode(&stream[1]).unwrap_err();
    assert_eq!(error, VideoError::KeyFrameNeeded { codec: "VP8" });
    assert!(decoder.decode(&stream[0]).unwrap().is_some());
    assert!(decoder.decode(&stream[1]).unwrap().is_some());
}

#[test]
fn damaged_streams_give_errors_and_the_next_key_frame_decodes_again() {
    let stream = stream(12);
    let mut decoder = VideoCodec::Vp8.decoder().unwrap();
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for round in 0..300 {
        let mut encoded = stream[round % stream.len()].clone();
        let mut data = encoded.data.to_vec();
        for _ in 0..1 + random() % 8 {
            let at = random() as usize % data.len();
            // What tells the size is left: another size would be another stream.
            if at > 9 {
                data[at] ^= 1 << (random() % 8);
            }
        }
        data.truncate(1 + random() as usize % data.len());
        encoded.data = data.into();
        let _ = decoder.decode(&encoded);
    }
    let good = decoder.decode(&stream[0]).unwrap().unwrap();
    assert_eq!(read_clock(&good), Some(0));
}

#[test]
fn a_key_frame_that_claims_more_than_4096_is_refused_before_the_library_sees_it() {
    let mut encoded = stream(1).remove(0);
    let mut data = encoded.data.to_vec();
    data[7] = 0x3F;
    encoded.data = data.into();
    let error = VideoCodec::Vp8.decoder().unwrap().decode(&encoded).unwrap_err();
    assert!(error.to_string().contains("not between 1x1 and 4096x4096"), "{error}");
}
