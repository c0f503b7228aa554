//! What holds for each codec that this build has.

use std::time::{Duration, Instant};

use super::stream::{OFFSET, codecs, millis, noise, options, picture, pictures, random, stream};
use crate::video::bars::read_clock;
use crate::video::codec::{ContentHint, Encoded, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::{Picture, Size};

#[test]
fn key_frames_come_first_and_where_they_are_asked_for_only() {
    for codec in codecs() {
        let start = Instant::now();
        let mut encoder = codec.encoder(&options(Size::P360, 500_000, start)).unwrap();
        for (at, picture) in pictures(Size::P360, 30, start).enumerate() {
            let Some(encoded) = encoder.encode(&picture, at == 20).unwrap() else {
                assert!(at != 0 && at != 20, "{codec}: picture {at} was left out");
                continue;
            };
            assert_eq!(encoded.codec, codec);
            assert_eq!(encoded.key, at == 0 || at == 20, "{codec}: picture {at}");
            assert_eq!(encoded.timestamp, OFFSET + millis(at) as u32 * 90);
            assert_eq!(encoded.captured, picture.captured());
        }
    }
}

#[test]
fn clock_is_read_after_coding_at_180p_with_few_bits_of_motion_and_of_detail() {
    for (codec, hint, bitrate) in [
        (VideoCodec::H264, ContentHint::Motion, 60_000),
        (VideoCodec::Vp8, ContentHint::Motion, 100_000),
        (VideoCodec::Vp8, ContentHint::Detail, 100_000),
    ] {
        if !codec.info().encode {
            continue;
        }
        let start = Instant::now();
        let mut options = options(Size::P180, bitrate, start);
        options.hint = hint;
        let (mut encoder, mut decoder) = (codec.encoder(&options).unwrap(), codec.decoder().unwrap());
        let (mut read, mut bits) = (0, 0);
        for (at, picture) in pictures(Size::P180, 90, start).enumerate() {
            let Some(encoded) = encoder.encode(&picture, false).unwrap() else { continue };
            bits += encoded.data.len() * 8;
            let decoded = decoder.decode(&encoded).unwrap().unwrap();
            assert_eq!(decoded.captured(), picture.captured());
            assert_eq!(read_clock(&decoded), Some(millis(at)), "{codec}, {hint:?}: picture {at}");
            read += 1;
        }
        assert!(read >= 30, "{codec}, {hint:?}: only {read} of 90 pictures");
        assert!(bits < 3 * bitrate as usize * 3 / 2, "{codec}, {hint:?}: {bits} bits in 3 s");
    }
}

/// H.264 repeats the edge to even sizes of at least 16; VP8 has any size.
#[test]
fn odd_tiny_and_large_sizes_are_coded() {
    for (width, height, h264) in [
        (1, 1, (16, 16)),
        (639, 359, (640, 360)),
        (17, 4, (18, 16)),
        (2, 600, (16, 600)),
        (1920, 1080, (1920, 1080)),
        (3839, 63, (3840, 64)),
        (3840, 2160, (3840, 2160)),
    ] {
        let size = Size::new(width, height).unwrap();
        let start = Instant::now();
        let picture = picture(size, start);
        for codec in codecs() {
            let mut encoder = codec.encoder(&options(size, 500_000, start)).unwrap();
            let encoded = encoder.encode(&picture, true).unwrap().unwrap();
            let decoded = codec.decoder().unwrap().decode(&encoded).unwrap().unwrap();
            let coded = if codec == VideoCodec::H264 { h264 } else { (width, height) };
            assert_eq!((decoded.width(), decoded.height()), coded, "{codec}");
            assert_eq!(decoded.size(), encoded.size, "{codec}");
        }
    }
}

#[test]
fn pictures_of_another_size_and_impossible_options_are_refused_by_name() {
    let start = Instant::now();
    for codec in codecs() {
        let mut encoder = codec.encoder(&options(Size::P180, 500_000, start)).unwrap();
        let error = encoder.encode(&Picture::black(Size::P360, start), false).unwrap_err();
        assert!(error.to_string().starts_with("size: 640x360 came"), "{codec}: {error}");
        for (bitrate, frames, field) in [
            (1, 30, "bitrate: "),
            (u32::MAX, 30, "bitrate: "),
            (500_000, 0, "framesPerSecond: "),
            (500_000, 121, "framesPerSecond: "),
        ] {
            let mut options = options(Size::P180, bitrate, start);
            options.frames_per_second = frames;
            let error = codec.encoder(&options).err().unwrap();
            assert!(matches!(error, VideoError::Option { .. }), "{codec}: {error}");
            assert!(error.to_string().starts_with(field), "{codec}: {error}");
        }
    }
}

#[test]
fn bitrate_is_kept_and_changes_without_a_key_frame() {
    for codec in codecs() {
        let start = Instant::now();
        let mut encoder = codec.encoder(&options(Size::P360, 400_000, start)).unwrap();
        let mut bits = [0usize; 9];
        for (at, picture) in noise(Size::P360, 270, start).enumerate() {
            match at {
                90 => encoder.set_bitrate(1_500_000).unwrap(),
                180 => encoder.set_bitrate(200_000).unwrap(),
                _ => {}
            }
            if let Some(encoded) = encoder.encode(&picture, false).unwrap() {
                assert!(!encoded.key || at == 0, "{codec}: key frame at {at}");
                bits[at / 30] += encoded.data.len() * 8;
            }
        }
        for (second, aim) in [(2, 400_000), (5, 1_500_000), (8, 200_000)] {
            let part = bits[second] as f64 / f64::from(aim);
            assert!(
                (0.5..1.35).contains(&part),
                "{codec}: second {second}: {part:.2} of {aim}, all {bits:?}"
            );
        }
    }
}

/// A path that has become narrow: pictures are left out until it has room. What comes then has to go through it.
#[test]
fn a_picture_after_a_gap_takes_no_more_than_its_share_of_the_bits() {
    for codec in codecs() {
        let start = Instant::now();
        let mut encoder = codec.encoder(&options(Size::P360, 1_400_000, start)).unwrap();
        let mut after = 0;
        for (at, picture) in noise(Size::P360, 105, start).enumerate() {
            if at == 90 {
                encoder.set_bitrate(200_000).unwrap();
            }
            let gap = Duration::from_millis(if at < 90 { 0 } else { 1_200 });
            let picture = picture.clone().captured_at(picture.captured() + gap);
            if let Some(encoded) = encoder.encode(&picture, false).unwrap()
                && at >= 90
            {
                after = after.max(encoded.data.len() * 8);
            }
        }
        println!("{codec}: {after} bits the largest after the gap");
        assert!(after < 100_000, "{codec}: {after} bits");
    }
}

#[test]
fn bitrate_set_before_the_first_picture_holds() {
    for codec in codecs() {
        let start = Instant::now();
        let mut encoder = codec.encoder(&options(Size::P360, 2_000_000, start)).unwrap();
        encoder.set_bitrate(200_000).unwrap();
        let bytes: usize = noise(Size::P360, 90, start)
            .filter_map(|picture| encoder.encode(&picture, false).unwrap())
            .map(|encoded| encoded.data.len())
            .sum();
        assert!(bytes * 8 < 3 * 300_000, "{codec}: {} kbit/s", bytes * 8 / 3_000);
    }
}

#[test]
fn time_that_stands_still_or_goes_back_does_not_stop_the_encoder() {
    let start = Instant::now();
    for codec in codecs() {
        let mut encoder = codec.encoder(&options(Size::P180, 300_000, start)).unwrap();
        let picture = picture(Size::P180, start);
        for millis in [100, 100, 50, 0, 200] {
            let captured = start + Duration::from_millis(millis);
            encoder.encode(&picture.clone().captured_at(captured), false).unwrap();
        }
    }
}

#[test]
fn decoder_waits_for_a_key_frame_and_says_so() {
    for codec in codecs() {
        let stream = stream(codec, 5);
        let mut decoder = codec.decoder().unwrap();
        let error = decoder.decode(&stream[1]).unwrap_err();
        assert_eq!(error, VideoError::KeyFrameNeeded { codec: codec.name() });
        assert!(decoder.decode(&stream[0]).unwrap().is_some());
        assert!(decoder.decode(&stream[1]).unwrap().is_some());
    }
}

#[test]
fn damaged_streams_give_errors_and_the_next_key_frame_decodes_again() {
    for codec in codecs() {
        let stream = stream(codec, 12);
        let mut decoder = codec.decoder().unwrap();
        let mut random = random();
        // What tells the size of VP8 is left: another size would be another stream.
        let spared = if codec == VideoCodec::Vp8 { 10 } else { 0 };
        for round in 0..300 {
            let mut data = stream[round % stream.len()].data.to_vec();
            for _ in 0..1 + random() % 8 {
                let at = random() as usize % data.len();
                if at >= spared {
                    data[at] ^= 1 << (random() % 8);
                }
            }
            data.truncate(1 + random() as usize % data.len());
            let damaged = Encoded { data: data.into(), ..stream[round % stream.len()].clone() };
            let _ = decoder.decode(&damaged);
        }
        let good = decoder.decode(&stream[0]).unwrap().unwrap();
        assert_eq!(read_clock(&good), Some(0), "{codec}");
    }
}

#[test]
fn pictures_that_are_held_for_too_long_are_a_fault_of_the_holder_and_not_of_the_stream() {
    for codec in codecs() {
        let stream = stream(codec, 40);
        let mut decoder = codec.decoder().unwrap();
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
                Err(error) => panic!("{codec}: {error}"),
            }
        }
        assert_eq!(refused, 3, "{codec}");
    }
}
