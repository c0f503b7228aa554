//! What only VP8 has; the rest is in the tests of all codecs.
#![cfg(sidetone_vp8)]

use std::time::Instant;

use super::header::{FrameHeader, is_key};
use crate::video::codec::VideoCodec;
use crate::video::codec::tests::stream::{options, picture, stream};
use crate::video::picture::Size;

#[test]
fn headers_tell_key_frames_and_their_size() {
    let start = Instant::now();
    for (width, height) in [(1, 1), (639, 359), (17, 4), (2, 600), (1920, 1080), (4096, 64), (4096, 4096)] {
        let size = Size::new(width, height).unwrap();
        let mut encoder = VideoCodec::Vp8.encoder(&options(size, 500_000, start)).unwrap();
        let encoded = encoder.encode(&picture(size, start), true).unwrap().unwrap();
        assert_eq!(FrameHeader::parse(&encoded.data).unwrap(), FrameHeader::Key(size));
        let decoded = VideoCodec::Vp8.decoder().unwrap().decode(&encoded).unwrap().unwrap();
        assert_eq!(decoded.size(), size);
    }
    for encoded in stream(VideoCodec::Vp8, 12) {
        assert_eq!(is_key(&encoded.data), encoded.key);
    }
}

#[test]
fn a_key_frame_that_claims_more_than_4096_is_refused_before_the_library_sees_it() {
    let mut encoded = stream(VideoCodec::Vp8, 1).remove(0);
    let mut data = encoded.data.to_vec();
    data[7] = 0x3F;
    encoded.data = data.into();
    let error = VideoCodec::Vp8.decoder().unwrap().decode(&encoded).unwrap_err();
    assert!(error.to_string().contains("not between 1x1 and 4096x4096"), "{error}");
}
