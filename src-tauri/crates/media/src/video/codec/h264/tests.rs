//! What only H.264 has; the rest is in the tests of all codecs.
#![cfg(feature = "h264")]

use std::time::Instant;

use super::nal;
use super::sps::Sps;
use crate::video::bars::read_clock;
use crate::video::codec::tests::stream::{millis, noise, options, picture, pictures, stream};
use crate::video::codec::{ContentHint, Encoded, VideoCodec};
use crate::video::picture::Size;

fn units(encoded: &Encoded) -> Vec<u8> {
    nal::units(&encoded.data).filter_map(nal::kind).collect()
}

#[test]
fn key_frames_are_idr_with_their_parameter_sets_and_no_others() {
    let start = Instant::now();
    let mut encoder = VideoCodec::H264.encoder(&options(Size::P360, 500_000, start)).unwrap();
    for (at, picture) in pictures(Size::P360, 30, start).enumerate() {
        let Some(encoded) = encoder.encode(&picture, at == 20).unwrap() else { continue };
        assert_eq!(nal::has_idr(&encoded.data), encoded.key);
        let expected: &[u8] = if encoded.key { &[7, 8, 5] } else { &[1] };
        assert_eq!(units(&encoded), expected);
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
fn sizes_that_cannot_be_encoded_are_refused_by_name_and_have_one_that_can() {
    let start = Instant::now();
    for (width, height) in [(4096, 4096), (3841, 16), (2161, 2161), (16, 4096)] {
        let size = Size::new(width, height).unwrap();
        let error = VideoCodec::H264.encoder(&options(size, 500_000, start)).err().unwrap();
        assert!(error.to_string().starts_with(&format!("size: {size} is more")), "{error}");
        let fitting = VideoCodec::H264.encodable(size).even();
        assert!(
            fitting < size && VideoCodec::H264.encoder(&options(fitting, 500_000, start)).is_ok(),
            "{fitting}"
        );
    }
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
        assert_eq!(read_clock(&decoded), Some(millis(at)));
    }
}

#[test]
fn junk_shows_no_picture() {
    let stream = stream(VideoCodec::H264, 1);
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    assert!(decoder.decode(&stream[0]).unwrap().is_some());
    for junk in [&[][..], &[0, 0, 0, 1], &[0, 0, 0, 1, 0x65], &[0xFF; 64], &[0, 0, 1, 9, 0x10]] {
        let encoded = Encoded { data: junk.to_vec().into(), ..stream[0].clone() };
        assert!(!matches!(decoder.decode(&encoded), Ok(Some(_))), "{junk:?}");
    }
}
