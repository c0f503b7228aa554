#![cfg(feature = "h264")]

use std::time::{Duration, Instant};

use super::sps::Sps;
use crate::video::bars::{Bars, read_clock};
use crate::video::codec::{ContentHint, Encoded, EncoderOptions, MediaClock, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Scaler, Size};

use super::nal;

fn options(size: Size, bitrate: u32, start: Instant) -> EncoderOptions {
    EncoderOptions::new(size, bitrate, MediaClock::new(start, 7))
}

/// Bars at 30 pictures a second; the clock counts from 0.
fn pictures(size: Size, count: u32, start: Instant) -> impl Iterator<Item = Picture> {
    let bars = Bars::new(size, 30, start, 0).unwrap();
    let times = (0..count).map(|at| Duration::from_millis(u64::from(at) * 100 / 3));
    times.map(move |at| bars.draw(at.as_millis() as u64, start + at).unwrap())
}

fn picture(size: Size, start: Instant) -> Picture {
    pictures(size, 1, start).next().unwrap()
}

fn units(encoded: &Encoded) -> Vec<u8> {
    nal::units(&encoded.data).filter_map(nal::kind).collect()
}

#[test]
fn first_and_asked_for_pictures_are_idr_with_their_parameter_sets_and_no_others() {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P360, 500_000, start)).unwrap();
    for (at, picture) in pictures(Size::P360, 30, start).enumerate() {
        let Some(encoded) = encoder.encode(&picture, at == 20).unwrap() else {
            assert!(at != 0 && at != 20, "picture {at} was left out");
            continue;
        };
        assert_eq!(encoded.key, at == 0 || at == 20, "picture {at}");
        assert_eq!(nal::has_idr(&encoded.data), encoded.key);
        let expected: &[u8] = if encoded.key { &[7, 8, 5] } else { &[1] };
        assert_eq!(units(&encoded), expected);
        assert_eq!(encoded.timestamp, 7 + (at as u32 * 100 / 3) * 90);
        assert_eq!(encoded.captured, picture.captured());
    }
}

#[test]
fn stream_is_constrained_baseline_of_the_size_that_was_asked_for() {
    let start = Instant::now();
    for (width, height) in [(1280, 720), (360, 640), (1920, 1080), (176, 144)] {
        let size = Size::new(width, height).unwrap();
        let mut encoder = VideoCodec::H264.encoder(&options(size, 1_000_000, start)).unwrap();
        let encoded = encoder.encode(&picture(size, start), false).unwrap().unwrap();
        let sps = Sps::parse(nal::units(&encoded.data).next().unwrap()).unwrap();
        assert_eq!((sps.size, sps.profile), (size, 66));
        assert_eq!(sps.constraints & 0xC0, 0xC0, "{}", sps.profile_level_id());
        assert!(!sps.reorders);
    }
}

#[test]
fn clock_is_read_after_coding_at_180p_with_60_kbit() {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P180, 60_000, start)).unwrap();
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    let (mut read, mut bytes) = (0, 0);
    for (at, picture) in pictures(Size::P180, 90, start).enumerate() {
        let Some(encoded) = encoder.encode(&picture, false).unwrap() else { continue };
        bytes += encoded.data.len();
        let decoded = decoder.decode(&encoded).unwrap().unwrap();
        assert_eq!(decoded.captured(), picture.captured());
        assert_eq!(read_clock(&decoded), Some(at as u64 * 100 / 3), "picture {at}");
        read += 1;
    }
    assert!(read >= 30, "only {read} of 90 pictures");
    assert!(bytes * 8 < 3 * 90_000, "{bytes} bytes in 3 s");
}

#[test]
fn odd_and_tiny_sizes_are_coded_with_their_edge_repeated() {
    let start = Instant::now();
    for (width, height, coded) in
        [(1, 1, (16, 16)), (639, 359, (640, 360)), (17, 4, (18, 16)), (2, 600, (16, 600))]
    {
        let size = Size::new(width, height).unwrap();
        let mut encoder = VideoCodec::H264.encoder(&options(size, 500_000, start)).unwrap();
        let encoded = encoder.encode(&picture(size, start), true).unwrap().unwrap();
        let decoded = VideoCodec::H264.decoder().unwrap().decode(&encoded).unwrap().unwrap();
        assert_eq!((decoded.width(), decoded.height()), coded);
        assert_eq!(decoded.size(), encoded.size);
    }
}

#[test]
fn sizes_that_cannot_be_encoded_and_pictures_of_another_size_are_refused_by_name() {
    let start = Instant::now();
    let error = VideoCodec::H264.encoder(&options(Size::clamped(4096, 4096), 500_000, start)).err().unwrap();
    assert!(error.to_string().starts_with("size: 4096x4096 is more"), "{error}");
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P180, 500_000, start)).unwrap();
    let error = encoder.encode(&picture(Size::P360, start), false).unwrap_err();
    assert!(error.to_string().starts_with("size: 640x360 came"), "{error}");
    for (bitrate, frames) in [(1, 30), (u32::MAX, 30), (500_000, 0), (500_000, 121)] {
        let mut options = options(Size::P180, bitrate, start);
        options.frames_per_second = frames;
        assert!(matches!(VideoCodec::H264.encoder(&options), Err(VideoError::Option { .. })));
    }
}

/// Pictures that cost bits: each is new noise in large blocks.
fn noise(size: Size, count: u32, start: Instant) -> impl Iterator<Item = Picture> {
    let small = Size::new(size.width() / 8, size.height() / 8).unwrap();
    let pool = FramePool::default();
    let (mut scaler, mut state) = (Scaler::new(), 1u32);
    (0..count).map(move |at| {
        let mut canvas = pool.take(small).unwrap();
        for byte in canvas.planes_mut().y.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = 16 + (state >> 24) as u8 / 2;
        }
        canvas.planes_mut().u.fill(128);
        canvas.planes_mut().v.fill(128);
        let captured = start + Duration::from_millis(u64::from(at) * 100 / 3);
        scaler.scale(&canvas.finish(captured), size, &pool).unwrap()
    })
}

#[test]
fn bitrate_is_kept_and_changes_without_a_key_frame() {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P360, 400_000, start)).unwrap();
    let mut bits = [0usize; 9];
    for (at, picture) in noise(Size::P360, 270, start).enumerate() {
        match at {
            90 => encoder.set_bitrate(1_500_000).unwrap(),
            180 => encoder.set_bitrate(200_000).unwrap(),
            _ => {}
        }
        if let Some(encoded) = encoder.encode(&picture, false).unwrap() {
            assert!(!encoded.key || at == 0, "key frame at {at}");
            bits[at / 30] += encoded.data.len() * 8;
        }
    }
    for (second, aim) in [(2, 400_000), (5, 1_500_000), (8, 200_000)] {
        let part = bits[second] as f64 / f64::from(aim);
        assert!((0.5..1.35).contains(&part), "second {second}: {part:.2} of {aim}, all {bits:?}");
    }
}

#[test]
fn bitrate_set_before_the_first_picture_holds() {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P360, 2_000_000, start)).unwrap();
    encoder.set_bitrate(200_000).unwrap();
    let bytes: usize = noise(Size::P360, 90, start)
        .filter_map(|picture| encoder.encode(&picture, false).unwrap())
        .map(|encoded| encoded.data.len())
        .sum();
    assert!(bytes * 8 < 3 * 300_000, "{} kbit/s", bytes * 8 / 3_000);
}

#[test]
fn nal_units_stay_below_the_limit_of_packetization_mode_0() {
    let start = Instant::now();
    for hint in [ContentHint::Motion, ContentHint::Detail] {
        let mut options = options(Size::P360, 2_000_000, start);
        (options.max_nal, options.hint) = (Some(1_100), hint);
        let mut encoder = VideoCodec::H264.encoder(&options).unwrap();
        let mut decoder = VideoCodec::H264.decoder().unwrap();
        for picture in noise(Size::P360, 20, start) {
            let Some(encoded) = encoder.encode(&picture, false).unwrap() else { continue };
            let longest = nal::units(&encoded.data).map(<[u8]>::len).max().unwrap();
            assert!(longest <= 1_100, "{longest} bytes");
            assert!(decoder.decode(&encoded).unwrap().is_some());
        }
    }
}

#[test]
fn screen_content_is_coded_and_read_back() {
    let start = Instant::now();
    let mut options = options(Size::P720, 1_000_000, start);
    options.hint = ContentHint::Detail;
    let mut encoder = VideoCodec::H264.encoder(&options).unwrap();
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    for (at, picture) in pictures(Size::P720, 10, start).enumerate() {
        let Some(encoded) = encoder.encode(&picture, false).unwrap() else { continue };
        let decoded = decoder.decode(&encoded).unwrap().unwrap();
        assert_eq!(read_clock(&decoded), Some(at as u64 * 100 / 3));
    }
}

fn stream(count: u32) -> Vec<Encoded> {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P180, 300_000, start)).unwrap();
    pictures(Size::P180, count, start)
        .filter_map(|picture| encoder.encode(&picture, false).unwrap())
        .collect()
}

#[test]
fn decoder_waits_for_a_key_frame_and_says_so() {
    let stream = stream(5);
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    let error = decoder.decode(&stream[1]).unwrap_err();
    assert_eq!(error, VideoError::KeyFrameNeeded { codec: "H264" });
    assert!(decoder.decode(&stream[0]).unwrap().is_some());
    assert!(decoder.decode(&stream[1]).unwrap().is_some());
}

#[test]
fn damaged_streams_give_errors_and_the_next_key_frame_decodes_again() {
    let stream = stream(12);
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for round in 0..150 {
        let mut encoded = stream[round % stream.len()].clone();
        let mut data = encoded.data.to_vec();
        for _ in 0..1 + random() % 8 {
            let at = random() as usize % data.len();
            data[at] ^= 1 << (random() % 8);
        }
        data.truncate(1 + random() as usize % data.len());
        encoded.data = data.into();
        let _ = decoder.decode(&encoded);
    }
    let good = decoder.decode(&stream[0]).unwrap().unwrap();
    assert_eq!(read_clock(&good), Some(0));
    for junk in [&[][..], &[0, 0, 0, 1], &[0, 0, 0, 1, 0x65], &[0xFF; 64], &[0, 0, 1, 9, 0x10]] {
        let encoded = Encoded { data: junk.to_vec().into(), ..stream[0].clone() };
        assert!(!matches!(decoder.decode(&encoded), Ok(Some(_))), "{junk:?}");
    }
}

#[test]
fn pictures_that_are_held_for_too_long_are_a_fault_of_the_holder_and_not_of_the_stream() {
    let stream = stream(40);
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    let mut held = Vec::new();
    let mut refused = 0;
    for encoded in &stream {
        match decoder.decode(encoded) {
            Ok(picture) => held.extend(picture),
            Err(VideoError::PoolEmpty { limit }) => {
                assert_eq!(held.len(), limit);
                refused += 1;
                if refused == 3 {
                    held.clear();
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(refused, 3);
}
